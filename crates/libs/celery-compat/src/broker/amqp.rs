//! RabbitMQ.

use futures_util::StreamExt;
use lapin::message::Delivery as Received;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions,
    BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldArray, FieldTable, ShortString};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer,
    ExchangeKind,
};
use serde_json::{Map, Number, Value};
use url::Url;

use super::{Delivery, Receipt};
use crate::error::Error;
use crate::message::{Message, Properties};
use crate::timed::timed;

/// Stored on disk by the broker, if the queue is durable.
const PERSISTENT: u8 = 2;
const TRANSIENT: u8 = 1;

/// How often each side sends a sign of life, in seconds, unless the URL says otherwise.
const HEARTBEAT: &str = "30";

/// The code of an end without an error.
const GOODBYE: u16 = 200;

/// More messages may wait for their time than are worked on, but not without end.
const MAX_WAITING: u16 = 10_000;

pub(crate) struct Amqp {
    connection: Connection,
    /// The broker confirms what is published through it.
    publishing: Channel,
}

/// Waits for an answer, and says what it was the answer to.
async fn ask<T>(
    action: &'static str,
    future: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Error> {
    timed(action, future).await?.map_err(|source| Error::Amqp { action, source })
}

fn short(text: &str) -> Result<ShortString, Error> {
    ShortString::try_new(text).map_err(|_| Error::TooLong(text.to_owned()))
}

impl Amqp {
    pub(super) async fn connect(url: &Url) -> Result<Self, Error> {
        let uri = uri(url);
        let properties =
            ConnectionProperties::default().with_connection_name("celery-compat".into());
        let connection = ask("connecting", Connection::connect(&uri, properties)).await?;
        let publishing = ask("opening a channel", connection.create_channel()).await?;
        let confirm = publishing.confirm_select(ConfirmSelectOptions::default());
        ask("asking for confirmations", confirm).await?;
        Ok(Self { connection, publishing })
    }

    pub(super) fn is_closed(&self) -> bool {
        !self.connection.status().connected() || !self.publishing.status().connected()
    }

    pub(super) async fn close(&self) -> Result<(), Error> {
        ask("closing the connection", self.connection.close(GOODBYE, short("OK")?)).await
    }

    pub(super) async fn declare(&self, queue: &str) -> Result<(), Error> {
        let name = short(queue)?;
        let channel = &self.publishing;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let none = FieldTable::default;
        let exchange =
            channel.exchange_declare(name.clone(), ExchangeKind::Direct, durable, none());
        ask("declaring an exchange", exchange).await?;
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(name.clone(), durable, none());
        ask("declaring a queue", declared).await?;
        let bind = QueueBindOptions::default();
        let bound = channel.queue_bind(name.clone(), name.clone(), name, bind, none());
        ask("binding a queue", bound).await
    }

    /// Fails if `is_task` and there is no such queue.
    pub(super) async fn publish(
        &self,
        queue: &str,
        message: &Message,
        is_task: bool,
    ) -> Result<(), Error> {
        let options = BasicPublishOptions { mandatory: is_task, ..BasicPublishOptions::default() };
        let properties = &message.properties;
        let mut basic = BasicProperties::default()
            .with_content_type(short(&properties.content_type)?)
            .with_content_encoding(short(&properties.content_encoding)?)
            .with_headers(table(&message.headers)?)
            .with_delivery_mode(if is_task { PERSISTENT } else { TRANSIENT })
            .with_priority(properties.priority)
            .with_correlation_id(short(&properties.correlation_id)?);
        if let Some(reply_to) = &properties.reply_to {
            basic = basic.with_reply_to(short(reply_to)?);
        }
        if let Some(expiration) = &properties.expiration {
            basic = basic.with_expiration(short(expiration)?);
        }
        // By its name through the exchange that every queue is bound to, as Celery does it.
        let (exchange, queue) = (ShortString::default(), short(queue)?);
        let published =
            self.publishing.basic_publish(exchange, queue, options, &message.body, basic);
        let confirm = ask("publishing", published).await?;
        match ask("waiting for a confirmation", confirm).await? {
            Confirmation::Ack(None) => Ok(()),
            _ => Err(Error::Unconfirmed),
        }
    }

    pub(super) async fn consume(&self, queue: &str, prefetch: u16) -> Result<Deliveries, Error> {
        let channel = ask("opening a channel", self.connection.create_channel()).await?;
        let mut deliveries = Deliveries { channel, consumer: None, prefetch, waiting: 0 };
        deliveries.limit().await?;
        let consumer = deliveries.channel.basic_consume(
            short(queue)?,
            ShortString::default(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        deliveries.consumer = Some(ask("consuming", consumer).await?);
        Ok(deliveries)
    }
}

/// The same as lapin understands it: Celery's `//` is the virtual host `/`, as no path is.
fn uri(url: &Url) -> String {
    let mut uri = url.clone();
    let path = url.path().strip_prefix('/').unwrap_or_default();
    let host = if path.is_empty() { "%2f".to_owned() } else { path.replace('/', "%2f") };
    uri.set_path(&host);
    if !url.query_pairs().any(|(name, _)| name == "heartbeat") {
        uri.query_pairs_mut().append_pair("heartbeat", HEARTBEAT);
    }
    uri.into()
}

pub(crate) struct Deliveries {
    channel: Channel,
    consumer: Option<Consumer>,
    prefetch: u16,
    waiting: u16,
}

impl Deliveries {
    /// For the whole channel: only that can be changed while messages come in.
    async fn limit(&self) -> Result<(), Error> {
        let count = self.prefetch.saturating_add(self.waiting.min(MAX_WAITING));
        let qos = self.channel.basic_qos(count, BasicQosOptions { global: true });
        ask("limiting what is prefetched", qos).await
    }

    pub(super) async fn next(&mut self) -> Result<Delivery, Error> {
        let cancelled = || Error::Amqp {
            action: "receiving",
            source: lapin::ErrorKind::InvalidChannelState(
                lapin::ChannelState::Closed,
                "the consumer was cancelled",
            )
            .into(),
        };
        let consumer = self.consumer.as_mut().ok_or_else(cancelled)?;
        let delivery = consumer.next().await.ok_or_else(cancelled)?;
        let mut delivery =
            delivery.map_err(|source| Error::Amqp { action: "receiving", source })?;
        let body = std::mem::take(&mut delivery.data);
        let text = |short: &Option<ShortString>| short.as_ref().map(ToString::to_string);
        let properties = &delivery.properties;
        let message = Message {
            headers: properties.headers().as_ref().map(map).unwrap_or_default(),
            properties: Properties {
                content_type: text(properties.content_type()).unwrap_or_default(),
                content_encoding: text(properties.content_encoding()).unwrap_or_default(),
                correlation_id: text(properties.correlation_id()).unwrap_or_default(),
                reply_to: text(properties.reply_to()),
                priority: properties.priority().unwrap_or_default(),
                expiration: text(properties.expiration()),
            },
            body,
        };
        let redelivered = delivery.redelivered;
        Ok(Delivery { message, redelivered, receipt: Receipt::Amqp(Box::new(delivery)) })
    }

    pub(super) async fn waiting(&mut self, change: i32) -> Result<(), Error> {
        self.waiting = u16::try_from(i32::from(self.waiting) + change).unwrap_or_default();
        self.limit().await
    }

    pub(super) async fn stop(&mut self) -> Result<(), Error> {
        let Some(consumer) = self.consumer.take() else { return Ok(()) };
        let cancel = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        ask("ending a consumer", cancel).await
    }
}

pub(super) async fn ack(received: &Received) -> Result<(), Error> {
    ask("acknowledging", received.ack(BasicAckOptions::default())).await.map(drop)
}

pub(super) async fn requeue(received: &Received) -> Result<(), Error> {
    let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
    ask("giving a message back", received.nack(options)).await.map(drop)
}

fn table(map: &Map<String, Value>) -> Result<FieldTable, Error> {
    let mut table = FieldTable::default();
    for (name, value) in map {
        table.insert(short(name)?, field(value)?);
    }
    Ok(table)
}

/// In the types that Python's client chooses.
fn field(value: &Value) -> Result<AMQPValue, Error> {
    Ok(match value {
        Value::Null => AMQPValue::Void,
        Value::Bool(value) => AMQPValue::Boolean(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => {
                i32::try_from(whole).map_or(AMQPValue::LongLongInt(whole), AMQPValue::LongInt)
            }
            (None, float) => AMQPValue::Double(float.unwrap_or_default()),
        },
        Value::String(text) => AMQPValue::LongString(text.as_str().into()),
        Value::Array(values) => {
            let values: Result<Vec<_>, _> = values.iter().map(field).collect();
            AMQPValue::FieldArray(values?.into())
        }
        Value::Object(map) => AMQPValue::FieldTable(table(map)?),
    })
}

fn map(table: &FieldTable) -> Map<String, Value> {
    table.inner().iter().map(|(name, field)| (name.to_string(), value(field))).collect()
}

fn value(field: &AMQPValue) -> Value {
    let list = |fields: &FieldArray| fields.as_slice().iter().map(value).collect();
    match field {
        AMQPValue::Boolean(value) => Value::Bool(*value),
        AMQPValue::ShortShortInt(value) => (*value).into(),
        AMQPValue::ShortShortUInt(value) => (*value).into(),
        AMQPValue::ShortInt(value) => (*value).into(),
        AMQPValue::ShortUInt(value) => (*value).into(),
        AMQPValue::LongInt(value) => (*value).into(),
        AMQPValue::LongUInt(value) => (*value).into(),
        AMQPValue::LongLongInt(value) => (*value).into(),
        AMQPValue::Float(value) => number(f64::from(*value)),
        AMQPValue::Double(value) => number(*value),
        AMQPValue::DecimalValue(value) => {
            number(f64::from(value.value) / 10_f64.powi(value.scale.into()))
        }
        AMQPValue::ShortString(text) => Value::String(text.to_string()),
        AMQPValue::LongString(text) => Value::String(text.to_string()),
        AMQPValue::FieldArray(fields) => Value::Array(list(fields)),
        AMQPValue::Timestamp(value) => (*value).into(),
        AMQPValue::FieldTable(table) => Value::Object(map(table)),
        AMQPValue::ByteArray(bytes) => String::from_utf8_lossy(bytes.as_slice()).into(),
        AMQPValue::Void => Value::Null,
    }
}

fn number(float: f64) -> Value {
    Number::from_f64(float).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn virtual_hosts_are_understood_as_celery_does() {
        for (given, path) in [
            ("amqp://h", "/%2f"),
            ("amqp://h/", "/%2f"),
            ("amqp://h//", "/%2f"),
            ("amqp://h/name", "/name"),
        ] {
            let uri = uri(&given.parse().unwrap());
            assert!(uri.contains(&format!("{path}?heartbeat=30")), "{uri}");
        }
    }

    #[test]
    fn headers_come_back_as_they_were() {
        let headers = json!({
            "null": null, "true": true, "int": 1, "long": 1_u64 << 40, "float": 1.5, "text": "\u{e9}",
            "list": [600, null], "map": {"a": {}},
        });
        let headers = headers.as_object().unwrap();
        let back: Map<_, _> = map(&table(headers).unwrap());
        assert_eq!(Value::from(back), Value::from(headers.clone()));
    }
}
