//! What can go wrong with brokers, results and messages.

use std::time::Duration;

/// Why a message could not be sent, a worker could not run, or a result could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL of a broker or of results is of no kind that is supported.
    #[error("{name}: {reason}")]
    Url {
        /// Of what it is the URL.
        name: &'static str,
        /// What is wrong with it; without the URL, which may hold a password.
        reason: String,
    },
    /// RabbitMQ refused something, or cannot be reached.
    #[error("RabbitMQ: {action}")]
    Amqp {
        /// What was being done.
        action: &'static str,
        /// The cause.
        source: lapin::Error,
    },
    /// Redis refused something, or cannot be reached.
    #[error("Redis: {action}")]
    Redis {
        /// What was being done.
        action: &'static str,
        /// The cause.
        source: redis::RedisError,
    },
    /// A broker did not answer in time.
    #[error("{action}: no answer within {} s", after.as_secs_f32())]
    Timeout {
        /// What was being done.
        action: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// RabbitMQ did not take responsibility for a message.
    #[error("RabbitMQ did not confirm a message")]
    Unconfirmed,
    /// A name is longer than AMQP allows.
    #[error("'{0}' is longer than the 255 bytes that AMQP allows")]
    TooLong(String),
}

/// An error with all of its causes, for the log.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some clients repeat their cause in their own text.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Why a message is no task that this worker can run. It goes to the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// Unpickling runs whatever code the sender chose, so it is not done.
    #[error("its content is {0}, only application/json is accepted")]
    ContentType(String),
    /// Only UTF-8.
    #[error("its encoding is {0}, only utf-8 is accepted")]
    Encoding(String),
    /// Compression is not supported.
    #[error("it is compressed with {0}, which is not supported")]
    Compressed(String),
    /// The body is no JSON.
    #[error("its body is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Not of message protocol 2.
    #[error("it is not of message protocol 2: {0}")]
    Shape(&'static str),
    /// A workflow that is not supported.
    #[error("it belongs to a workflow that is not supported: {0}")]
    Workflow(String),
}
