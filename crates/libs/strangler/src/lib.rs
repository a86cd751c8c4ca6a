//! A tower layer that puts a new service before an old one and moves operation by operation.
//!
//! Each operation is served by the old service (`legacy`), by it and compared with the new one
//! (`shadow`), by the new one for some clients (`canary 10%`, `canary automatic`), or by the new one
//! (`native`); operations that the new service does not have go to the old one. The plan can change at
//! runtime.
//!
//! It is independent of any service's routes. Start at [`Strangler::start`]:
//!
//! ```no_run
//! use strangler::{Operation, Operations, Settings, Strangler};
//!
//! # async fn example(router: axum::Router) -> Result<(), Box<dyn std::error::Error>> {
//! let operations = Operations::new([
//!     Operation::new("read_items", "GET", "/items/"),
//!     Operation::new("create_item", "POST", "/items/"),
//! ]);
//! let strangler = Strangler::start(Settings::new("http://127.0.0.1:8001".parse()?), operations)?;
//! let router = router.layer(strangler.layer());
//! # #[cfg(feature = "page")]
//! // On another port: the page, behind a password.
//! let page = strangler.page("a long secret".to_owned());
//! # Ok(())
//! # }
//! ```
//!
//! What needs dependencies of its own is behind a feature; all are on by default:
//!
//! - `compression`: compressed answers are compared decoded, not as they are
//! - `mail-relay`: `Settings::mail_relay` and `MailRelay`, to compare the e-mails of rehearsed writes
//! - `metrics`: `Strangler::register`, the metrics for Prometheus
//! - `page`: `Strangler::page`; without it the plan is changed by its file, and what is known is
//!   [`Strangler::overview`]
//! - `tls`: an old service behind HTTPS, and `Settings::legacy_ca`

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_docs)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[doc(hidden)]
#[path = "fuzzing.rs"]
pub mod __fuzzing;
mod answer;
mod body;
mod canaries;
mod canary;
mod causes;
mod changes;
mod client;
mod connect;
mod cpu;
mod cpu_readings;
mod emails;
mod evaluation;
mod events;
mod files;
mod headers;
mod layer;
mod lock;
#[cfg(feature = "mail-relay")]
mod mails;
#[cfg(not(feature = "mail-relay"))]
#[path = "no_mails.rs"]
mod mails;
mod may_differ;
mod memory;
#[cfg(feature = "metrics")]
mod metrics;
mod next;
mod operations;
mod outcome;
mod overview;
#[cfg(feature = "page")]
mod page;
mod plan;
mod proxy;
mod proxy_error;
mod redact;
mod regression;
mod rehearsal;
mod repetitions;
mod settings;
mod shadow;
mod shadow_state;
mod side;
mod start;
mod statistics;
mod strangler;
mod tee;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "no_tls.rs"]
mod tls;
mod trust;
mod tunnel;
mod writes;

pub use crate::client::{ClientKey, ClientKeyError};
pub use crate::cpu::{CpuShare, CpuSource, CpuView};
pub use crate::emails::{Message, Outbox};
pub use crate::evaluation::Margin;
pub use crate::layer::{Strangled, StranglerLayer};
#[cfg(feature = "mail-relay")]
pub use crate::mails::MailRelay;
pub use crate::next::{Baseline, BaselineOperation, Candidate, Gain, Risk};
pub use crate::operations::{Operation, Operations};
pub use crate::overview::{Memory, OperationView, Overview, StepView};
pub use crate::plan::{Mode, ModeError, Plan, PlanError, Steps};
pub use crate::rehearsal::Rehearse;
pub use crate::settings::{DryRun, InProcess, Settings, StartError};
pub use crate::side::Figures;
pub use crate::statistics::{Seen, View};
pub use crate::strangler::Strangler;
pub use crate::trust::Trust;
