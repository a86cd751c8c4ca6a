//! What a run is about and how its requests are sent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use super::client::Connection;
use super::secrets::Secrets;
use super::sign_in::SignIn;
use crate::case::{Case, Variables, names};
use crate::conformance::Conformance;
use crate::effects::Sinks;
use crate::request::fill;

/// A service and where its effects are to be seen.
#[derive(Clone, Debug)]
pub struct Service {
    pub base: Url,
    pub sinks: Sinks,
}

impl Service {
    pub fn new(base: Url) -> Self {
        Self { base, sinks: Sinks::default() }
    }
}

/// How requests are sent and what is known before the first.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub connection: Connection,
    /// Values for `${name}` and, under `env:NAME`, for `${env:NAME}`.
    pub variables: Variables,
    /// What is shown nowhere.
    pub secrets: Secrets,
    pub sign_in: Vec<SignIn>,
    /// Whether the cookies that a service sets are sent back to it, those of each user apart.
    pub keeps_cookies: bool,
    /// The document to which the candidate's answers must conform.
    pub conformance: Option<Arc<Conformance>>,
    /// Whether recorded answers stand in for a reference.
    pub is_recorded: bool,
}

impl Options {
    /// The names of the variables that a request needs, with those that sign it in.
    pub fn uses(&self, case: &Case, row: &Variables) -> BTreeSet<String> {
        let mut uses = case.uses(row);
        // A row may say who it is.
        let user = case.user.as_ref().map(|user| fill(user, row).unwrap_or_else(|_| user.clone()));
        let sign_in = self.sign_in.iter().find(|sign_in| sign_in.user == user);
        let value = sign_in.map_or("", |sign_in| sign_in.scheme.value());
        uses.extend(names(value).map(ToOwned::to_owned));
        uses
    }
}

/// What a run is about.
pub struct Plan {
    /// The service that is right; without it only the expectations of the cases are checked.
    pub reference: Option<Service>,
    pub candidate: Service,
    pub cases: Vec<Case>,
    /// By how much the candidate may be slower than the reference in one request.
    pub slack: Duration,
    /// Whether both services work on one database, so that no value stands for another.
    pub shared_database: bool,
    /// How far apart both services' times of one event may be.
    pub window: Duration,
    pub options: Options,
}
