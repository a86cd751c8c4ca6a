//! A private network with PostgreSQL, and the service on it.

use std::time::Duration;

use trials::Crowd;
use trials::clients::Pace;

use crate::BoxError;
use crate::docker::{Container, Network};
use crate::engine::Engine;
use crate::images::Bases;
use crate::service::{self, MOLT};

/// How long a fault lasts.
pub(crate) const OUTAGE: Duration = Duration::from_secs(3);

pub(crate) struct Site<'a> {
    pub engine: &'a Engine,
    pub database: Container<'a>,
    /// Removed after the containers.
    pub network: Network<'a>,
}

impl<'a> Site<'a> {
    /// A network with a PostgreSQL that answers as `database`.
    ///
    /// # Errors
    /// When the engine cannot, or it does not get healthy.
    pub(crate) fn new(engine: &'a Engine, bases: &Bases) -> Result<Self, BoxError> {
        Self::with(engine, bases, &[], &[])
    }

    /// The same with more arguments of the engine, and another command than the image's own.
    ///
    /// # Errors
    /// As [`Site::new`].
    pub(crate) fn with(
        engine: &'a Engine,
        bases: &Bases,
        more: &[&str],
        command: &[&str],
    ) -> Result<Self, BoxError> {
        let network = engine.network("site")?;
        let database = service::database(engine, bases.postgres, &network.name, more, command)?;
        Ok(Self { engine, database, network })
    }

    /// Starts the service with these settings, and waits until it is healthy. `more` are arguments of
    /// the engine.
    ///
    /// # Errors
    /// When it does not get healthy.
    pub(crate) fn service(
        &self,
        name: &str,
        settings: &[&str],
        more: &[&str],
    ) -> Result<Container<'a>, BoxError> {
        let mut arguments = arguments(settings);
        arguments.extend(more);
        Ok(MOLT.start(self.engine, &self.network.name, name, &arguments)?.0)
    }
}

/// The arguments for settings of the form `NAME=value`, and those that all have here.
pub(crate) fn arguments<'a>(settings: &[&'a str]) -> Vec<&'a str> {
    // All clients have one address.
    let common = ["SIGN_IN_LIMIT_BY_ADDRESS=0", "SIGN_IN_LIMIT_BY_ACCOUNT=0", "RUST_LOG=warn"];
    // As short as an outage is, so that it shows and is not waited out.
    let timeouts = ["DATABASE_TIMEOUT_SECONDS=1", "REQUEST_TIMEOUT_SECONDS=10"];
    let all = common.into_iter().chain(timeouts).chain(settings.iter().copied());
    all.flat_map(|setting| ["--env", setting]).collect()
}

/// A few clients that do not sign in again.
pub(crate) fn crowd(name: &str) -> Crowd<'_> {
    let pace = Pace { pause: Duration::from_millis(20), signs_in: false };
    Crowd { name, count: 3, pace, pause: Duration::from_secs(1) }
}
