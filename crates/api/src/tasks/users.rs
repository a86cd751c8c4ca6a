//! Users.

use std::sync::Arc;

use celery_compat::{Definition, TaskError, Worker};
use domain::Page;
use serde::{Deserialize, Serialize};

use super::{Tasks, database};
use crate::config::TIME_LIMIT;

#[derive(Deserialize)]
struct NoArguments {}

#[derive(Serialize)]
struct Usage {
    users: i64,
}

/// Counts the users, each hour.
pub(super) fn register(worker: Worker, tasks: &Tasks) -> Worker {
    let definition = Definition::new("app.tasks.users.report_usage", &[]).time_limit(TIME_LIMIT);
    let storage = Arc::clone(&tasks.storage);
    worker.register(definition, move |_, NoArguments {}| {
        let storage = Arc::clone(&storage);
        async move {
            let users = storage.users(Page { skip: 0, limit: 0 }).await;
            let (_, users) = users.map_err(|error| database(&error))?;
            Ok::<_, TaskError>(Usage { users })
        }
    })
}
