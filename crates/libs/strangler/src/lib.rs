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
//! // On another port: the page, behind a password.
//! let page = strangler.page("a long secret".to_owned());
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod answer;
mod body;
mod canaries;
mod canary;
mod causes;
mod changes;
mod client;
mod connect;
mod evaluation;
mod events;
mod files;
mod headers;
mod layer;
mod lock;
mod mails;
mod may_differ;
mod memory;
mod metrics;
mod next;
mod operations;
mod outcome;
mod overview;
mod page;
mod plan;
mod proxy;
mod proxy_error;
mod redact;
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
mod trust;
mod tunnel;
mod writes;

pub use crate::client::{ClientKey, ClientKeyError};
pub use crate::evaluation::Margin;
pub use crate::layer::{Strangled, StranglerLayer};
pub use crate::mails::{MailRelay, Message, Outbox};
pub use crate::next::{Baseline, BaselineOperation, Candidate, Gain, Risk};
pub use crate::operations::{Operation, Operations};
pub use crate::overview::{Memory, OperationView, Overview, StepView};
pub use crate::plan::{Mode, ModeError, Plan, PlanError, Steps};
pub use crate::rehearsal::Rehearse;
pub use crate::settings::{DryRun, Settings, StartError};
pub use crate::side::Figures;
pub use crate::statistics::{Seen, View};
pub use crate::strangler::Strangler;
pub use crate::trust::Trust;
