//! RabbitMQ and Redis as Celery uses them.

mod amqp;
mod redis;

use std::fmt;

use url::Url;

use self::amqp::Amqp;
use self::redis::RedisBroker;
pub(crate) use self::redis::{envelope, open};
use crate::error::Error;
use crate::link::Link;
use crate::message::Message;

/// Where messages are sent to and received from; its `Debug` and `Display` show no password.
///
/// ```
/// use celery_compat::BrokerUrl;
///
/// let url = BrokerUrl::parse("amqp://guest:secret@localhost:5672//")?;
/// assert_eq!(url.to_string(), "amqp://localhost:5672");
/// assert!(BrokerUrl::parse("sqs://").is_err());
/// # Ok::<(), celery_compat::Error>(())
/// ```
#[derive(Clone)]
pub struct BrokerUrl(Kind);

#[derive(Clone)]
enum Kind {
    Amqp(Url),
    Redis(Url),
}

impl BrokerUrl {
    /// A URL as Celery's setting `broker_url` has it: `amqp:`, `amqps:`, `pyamqp:`, `redis:`, `rediss:`.
    ///
    /// # Errors
    /// When it is no URL, or one of another kind.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Url { name: "the broker", reason };
        // `pyamqp` is a name of the same protocol.
        let text = text.strip_prefix("py").filter(|_| text.starts_with("pyamqp")).unwrap_or(text);
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        match url.scheme() {
            "amqp" | "amqps" => Ok(Self(Kind::Amqp(url))),
            "redis" | "rediss" => Ok(Self(Kind::Redis(url))),
            other => Err(wrong(format!("'{other}:' is not supported, amqp: and redis: are"))),
        }
    }

    fn url(&self) -> &Url {
        match &self.0 {
            Kind::Amqp(url) | Kind::Redis(url) => url,
        }
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url();
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
        url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrokerUrl({self})")
    }
}

/// Where messages go that cannot be worked on, with their cause in a header.
pub(crate) fn dead_letters(queue: &str) -> String {
    format!("{queue}.dead")
}

/// A connection to a broker.
pub(crate) enum Broker {
    Amqp(Box<Amqp>),
    Redis(RedisBroker),
}

impl Broker {
    pub(crate) async fn connect(url: &BrokerUrl) -> Result<Self, Error> {
        match &url.0 {
            Kind::Amqp(url) => Ok(Self::Amqp(Box::new(Amqp::connect(url).await?))),
            Kind::Redis(url) => Ok(Self::Redis(RedisBroker::new(Link::new(url)?).await?)),
        }
    }

    /// Whether it is of no use any more.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Amqp(amqp) => amqp.is_closed(),
            Self::Redis(_) => false,
        }
    }

    /// Ends the connection when everything was sent.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        match self {
            Self::Amqp(amqp) => amqp.close().await,
            Self::Redis(_) => Ok(()),
        }
    }

    /// Makes a queue known, with the exchange of the same name, as Celery declares it.
    pub(crate) async fn declare(&self, queue: &str) -> Result<(), Error> {
        match self {
            Self::Amqp(amqp) => amqp.declare(queue).await,
            Self::Redis(redis) => redis.declare(queue).await,
        }
    }

    /// Puts a message into a queue; when this returns, the broker is responsible for it.
    pub(crate) async fn publish(&self, queue: &str, message: &Message) -> Result<(), Error> {
        match self {
            Self::Amqp(amqp) => amqp.publish(queue, message, true).await,
            Self::Redis(redis) => redis.publish(queue, message).await,
        }
    }

    /// Sends a result to the queue that its task's message names; without it, the result is dropped.
    pub(crate) async fn reply(&self, queue: &str, message: &Message) -> Result<(), Error> {
        match self {
            Self::Amqp(amqp) => amqp.publish(queue, message, false).await,
            Self::Redis(redis) => redis.publish(queue, message).await,
        }
    }

    /// Begins to receive from a queue, `prefetch` messages ahead of acknowledgements.
    pub(crate) async fn consume(&self, queue: &str, prefetch: u16) -> Result<Deliveries, Error> {
        match self {
            Self::Amqp(amqp) => {
                Ok(Deliveries::Amqp(Box::new(amqp.consume(queue, prefetch).await?)))
            }
            Self::Redis(redis) => Ok(Deliveries::Redis(redis.consume(queue, prefetch))),
        }
    }
}

/// What a worker receives.
pub(crate) enum Deliveries {
    Amqp(Box<amqp::Deliveries>),
    Redis(redis::Deliveries),
}

impl Deliveries {
    /// The next message. Nothing is lost if it is dropped while it waits.
    ///
    /// # Errors
    /// When the broker is disconnected: what was received and not acknowledged will come again.
    pub(crate) async fn next(&mut self) -> Result<Delivery, Error> {
        match self {
            Self::Amqp(deliveries) => deliveries.next().await,
            Self::Redis(deliveries) => deliveries.next().await,
        }
    }

    /// Allows for one message more, or one less, which waits for its time and takes no part in the work.
    pub(crate) async fn waiting(&mut self, change: i32) -> Result<(), Error> {
        match self {
            Self::Amqp(deliveries) => deliveries.waiting(change).await,
            Self::Redis(deliveries) => {
                deliveries.waiting(change);
                Ok(())
            }
        }
    }

    /// Receives nothing more.
    pub(crate) async fn stop(&mut self) -> Result<(), Error> {
        match self {
            Self::Amqp(deliveries) => deliveries.stop().await,
            Self::Redis(deliveries) => deliveries.stop().await,
        }
    }
}

/// A message, and what it takes to acknowledge it.
pub(crate) struct Delivery {
    pub(crate) message: Message,
    /// Another worker may have begun with it before.
    pub(crate) redelivered: bool,
    pub(crate) receipt: Receipt,
}

pub(crate) enum Receipt {
    Amqp(Box<lapin::message::Delivery>),
    Redis(redis::Receipt),
}

impl Receipt {
    /// Tells the broker that the message is done with.
    pub(crate) async fn ack(&self) -> Result<(), Error> {
        match self {
            Self::Amqp(received) => amqp::ack(received).await,
            Self::Redis(receipt) => receipt.ack().await,
        }
    }

    /// Gives the message back.
    pub(crate) async fn requeue(&self) -> Result<(), Error> {
        match self {
            Self::Amqp(received) => amqp::requeue(received).await,
            Self::Redis(receipt) => receipt.requeue().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        let url = BrokerUrl::parse("rediss://user:s3cret@host:1/0").unwrap();
        assert_eq!(format!("{url} {url:?}"), "rediss://host:1 BrokerUrl(rediss://host:1)");
    }

    #[test]
    fn other_brokers_are_refused() {
        let error = BrokerUrl::parse("sqs://").unwrap_err().to_string();
        assert_eq!(error, "the broker: 'sqs:' is not supported, amqp: and redis: are");
    }
}
