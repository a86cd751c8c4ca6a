//! Background tasks: what a Celery application has in its `tasks.py`, one file per resource. The service
//! sends them, `molt worker` works on them; either side may be Python.

mod emails;
// [with items]
mod items;
// [end]
mod users;

use std::sync::Arc;

use celery_compat::{Error, Failure, Results, TaskError, Worker};
use domain::{Denied, Storage, StorageError, chain};
use secrecy::ExposeSecret;
use serde_json::json;
use uuid::Uuid;

use crate::config::TaskSettings;
use crate::emails::SmtpSender;

/// What tasks share.
#[derive(Clone)]
pub struct Tasks {
    pub storage: Arc<dyn Storage>,
    /// `None` if e-mail is not configured.
    pub mail: Option<SmtpSender>,
}

impl Tasks {
    /// A worker for all of them.
    ///
    /// # Errors
    /// When the result backend of the settings is invalid.
    pub fn worker(self, settings: &TaskSettings) -> Result<Worker, Error> {
        let mut worker = Worker::new(settings.broker.clone(), settings.options.clone());
        if let Some(url) = &settings.results {
            worker = worker.results(Results::new(url.expose_secret())?);
        }
        let worker = emails::register(worker, &self);
        // [with items]
        let worker = items::register(worker, &self);
        // [end]
        Ok(users::register(worker, &self))
    }
}

/// Reads an id as Python's `uuid.UUID` does.
fn id(text: &str) -> Result<Uuid, Failure> {
    let bad = |_| Failure::builtin("ValueError", "badly formed hexadecimal UUID string");
    Uuid::parse_str(text).map_err(bad)
}

/// What SQLAlchemy raises for it; an unavailable database is tried again.
fn database(error: &StorageError) -> TaskError {
    let class = match error {
        StorageError::Unavailable(_) => "OperationalError",
        StorageError::Conflict(_) | StorageError::MissingReference(_) => "IntegrityError",
        StorageError::Internal(_) => "DBAPIError",
    };
    // The statement, its parameters and the driver's error.
    let arguments = [json!(""), json!([]), json!(chain(error).to_string())];
    let failure = Failure::new("sqlalchemy.exc", class, "").arguments(arguments);
    match error {
        StorageError::Unavailable(_) => TaskError::Retry(failure),
        _ => TaskError::Failed(failure),
    }
}

/// The caller does not exist or is not active.
fn unknown_owner(id: Uuid) -> impl Fn(Denied) -> Failure {
    move |_| Failure::new("app.tasks.items", "UnknownOwner", id.to_string())
}
