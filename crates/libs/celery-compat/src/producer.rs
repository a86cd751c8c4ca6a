//! Sends tasks.

use tokio::sync::Mutex;
use uuid::Uuid;

use crate::broker::{Broker, BrokerUrl};
use crate::clock;
use crate::error::Error;
use crate::message::{Sender, Signature};

/// The queue that Celery uses where nothing else is set.
pub const DEFAULT_QUEUE: &str = "celery";

/// Sends tasks as Python's Celery does: its messages are the same, field by field.
///
/// ```no_run
/// use celery_compat::{BrokerUrl, Producer, Signature};
/// use serde_json::json;
///
/// # async fn example() -> Result<(), celery_compat::Error> {
/// let producer = Producer::new(BrokerUrl::parse("amqp://localhost//")?);
/// let id = producer.send(&Signature::new("app.tasks.add").args([json!(1), json!(2)])).await?;
/// # Ok(())
/// # }
/// ```
pub struct Producer {
    url: BrokerUrl,
    queue: String,
    sender: Sender,
    connection: Mutex<Option<Connection>>,
}

struct Connection {
    broker: Broker,
    /// The queues that were declared through it.
    declared: Vec<String>,
}

impl Producer {
    /// A producer that connects when it sends for the first time.
    pub fn new(url: BrokerUrl) -> Self {
        Self {
            url,
            queue: DEFAULT_QUEUE.to_owned(),
            sender: Sender::new(None),
            connection: Mutex::new(None),
        }
    }

    /// Another default queue: Celery's `task_default_queue`.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = queue.into();
        self
    }

    /// The time limit that messages name, in seconds: Celery's `task_time_limit`.
    #[must_use]
    pub fn time_limit(mut self, seconds: u64) -> Self {
        self.sender.time_limit = Some(seconds);
        self
    }

    /// Sends a task, and gives its id. The broker has the message when this returns; a connection that was
    /// lost is made anew, once.
    ///
    /// # Errors
    /// When the broker cannot be reached or does not take the message.
    pub async fn send(&self, signature: &Signature) -> Result<String, Error> {
        let id = signature.id.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        let queue = signature.queue.as_deref().unwrap_or(&self.queue);
        let message = signature.message(&id, clock::now(), &self.sender);
        let mut connection = self.connection.lock().await;
        let was_connected = connection.is_some();
        match Self::publish(&mut connection, &self.url, queue, &message).await {
            Err(_) if was_connected && connection.is_none() => {
                Self::publish(&mut connection, &self.url, queue, &message).await?;
            }
            result => result?,
        }
        Ok(id)
    }

    /// Afterwards there is a connection only if it can be used.
    async fn publish(
        connection: &mut Option<Connection>,
        url: &BrokerUrl,
        queue: &str,
        message: &crate::message::Message,
    ) -> Result<(), Error> {
        let mut current = match connection.take() {
            Some(current) if !current.broker.is_closed() => current,
            _ => Connection { broker: Broker::connect(url).await?, declared: Vec::new() },
        };
        if !current.declared.iter().any(|declared| declared == queue) {
            current.broker.declare(queue).await?;
            current.declared.push(queue.to_owned());
        }
        current.broker.publish(queue, message).await?;
        *connection = Some(current);
        Ok(())
    }
}
