//! E-mails.

use std::time::Duration;

use celery_compat::{Definition, Failure, Retries, TaskError, Worker};
use serde::Deserialize;
use serde_json::json;

use super::Tasks;
use crate::config::TIME_LIMIT;
use crate::emails::{Email, NotSent, SEND_EMAIL};

#[derive(Deserialize)]
struct SendEmail {
    email_to: String,
    subject: String,
    html: String,
}

pub(super) fn register(worker: Worker, tasks: &Tasks) -> Worker {
    let definition = Definition::new(SEND_EMAIL, &["email_to", "subject", "html"])
        .time_limit(TIME_LIMIT)
        .retries(Retries { max: 5, backoff: Duration::from_secs(2), ..Retries::default() });
    let mail = tasks.mail.clone();
    worker.register(definition, move |_, SendEmail { email_to, subject, html }| {
        let mail = mail.clone();
        async move {
            let Some(mail) = mail else {
                return Err(Failure::builtin("RuntimeError", "e-mail is not configured").into());
            };
            mail.deliver(&email_to, Email { subject, html }).await.map_err(|error| failed(&error))
        }
    })
}

/// What Python's smtplib raises; all but an e-mail that cannot be written is tried again.
fn failed(error: &NotSent) -> TaskError {
    let text = domain::chain(error).to_string();
    match error {
        NotSent::Unwritable => Failure::builtin("ValueError", text).into(),
        NotSent::Refused(code) => {
            let failure = Failure::new("smtplib", "SMTPResponseException", "");
            let code = u16::from(*code);
            TaskError::Retry(failure.arguments([json!(code), json!(text)]))
        }
        NotSent::Unreachable(_) | NotSent::Tls(_) | NotSent::Broker(_) => {
            TaskError::Retry(Failure::builtin("ConnectionError", text))
        }
    }
}
