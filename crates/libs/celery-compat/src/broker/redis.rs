//! Redis as kombu uses it: a list for each queue and priority; what is not acknowledged stands in a hash,
//! with its time in a sorted set.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Delivery, Receipt as AnyReceipt};
use crate::clock;
use crate::error::{Error, chain};
use crate::link::Link;
use crate::message::{Message, Properties};
use crate::python;

const UNACKED: &str = "unacked";
const UNACKED_INDEX: &str = "unacked_index";

/// Between the name of a queue and its priority.
const SEPARATOR: &str = "\u{6}\u{16}";

/// The priorities that have lists of their own; the first is the most urgent.
const STEPS: [u8; 4] = [0, 3, 6, 9];

/// After so long without an acknowledgement a message is given to another worker. The same as kombu's
/// default: workers of both kinds restore each other's.
const VISIBILITY_TIMEOUT: Duration = Duration::from_hours(1);

/// How often messages that are still held say so, and those of dead workers are searched.
const RESTORE_INTERVAL: Duration = Duration::from_mins(1);

/// How many of those are restored at a time.
const RESTORE_BATCH: usize = 100;

/// The pauses between looks into empty queues.
const MIN_PAUSE: Duration = Duration::from_millis(5);
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// The next message of the first list that has one, put among those that are not acknowledged in the same
/// step: a worker that is killed loses none. What is no message goes to the dead-letter queue.
/// KEYS: the lists, the dead-letter queue, the hash, the sorted set. ARGV: now, the routing key.
const TAKE: &str = r#"
local index, hash, dead = KEYS[#KEYS], KEYS[#KEYS - 1], KEYS[#KEYS - 2]
for i = 1, #KEYS - 3 do
    local message = redis.call('RPOP', KEYS[i])
    if message then
        local is_json, decoded = pcall(cjson.decode, message)
        local tag = is_json and type(decoded) == 'table' and type(decoded.properties) == 'table'
            and decoded.properties.delivery_tag
        if type(tag) ~= 'string' then
            redis.call('LPUSH', dead, message)
            return {'', ''}
        end
        redis.call('ZADD', index, ARGV[1], tag)
        redis.call('HSET', hash, tag, '[' .. message .. ', "", ' .. cjson.encode(ARGV[2]) .. ']')
        return {tag, message}
    end
end
return false
"#;

/// Puts a message back to where it is taken first, unless another worker has done so.
/// KEYS: the list, the hash, the sorted set. ARGV: the tag, the message.
const RESTORE: &str = r"
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('HDEL', KEYS[2], ARGV[1]) == 1 then
    redis.call('RPUSH', KEYS[1], ARGV[2])
end
return 1
";

pub(crate) struct RedisBroker {
    link: Arc<Link>,
}

fn list(queue: &str, priority: u8) -> String {
    match STEPS.iter().rev().find(|step| **step <= priority) {
        None | Some(0) => queue.to_owned(),
        Some(step) => format!("{queue}{SEPARATOR}{step}"),
    }
}

fn lists(queue: &str) -> impl Iterator<Item = String> {
    STEPS.iter().map(move |step| list(queue, *step))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
fn now() -> f64 {
    clock::now().timestamp_millis() as f64 / 1000.0
}

impl RedisBroker {
    pub(super) async fn new(link: Link) -> Result<Self, Error> {
        link.command::<()>("connecting", &redis::cmd("PING")).await?;
        Ok(Self { link: Arc::new(link) })
    }

    pub(super) async fn declare(&self, queue: &str) -> Result<(), Error> {
        let binding = format!("{queue}{SEPARATOR}{SEPARATOR}{queue}");
        let mut declare = redis::pipe();
        declare.atomic();
        for kind in ["binding", "binding_permanent"] {
            declare.cmd("SADD").arg(format!("_kombu.{kind}.{queue}")).arg(&binding).ignore();
        }
        self.link.pipeline("declaring a queue", &declare).await
    }

    pub(super) async fn publish(&self, queue: &str, message: &Message) -> Result<(), Error> {
        let mut push = redis::cmd("LPUSH");
        push.arg(list(queue, message.properties.priority)).arg(envelope(queue, message));
        self.link.command("publishing", &push).await
    }

    pub(super) fn consume(&self, queue: &str, prefetch: u16) -> Deliveries {
        let (sender, receiver) = mpsc::channel(1);
        let fetcher = Fetcher {
            link: Arc::clone(&self.link),
            queue: queue.to_owned(),
            permits: Arc::new(Semaphore::new(prefetch.into())),
            surplus: Arc::default(),
            held: Arc::default(),
        };
        let (permits, surplus) = (Arc::clone(&fetcher.permits), Arc::clone(&fetcher.surplus));
        let stop = CancellationToken::new();
        let fetcher = Some(tokio::spawn(fetcher.run(sender, stop.clone())));
        Deliveries { receiver, permits, surplus, stop, fetcher }
    }
}

/// The message as kombu writes it into a list.
pub(crate) fn envelope(queue: &str, message: &Message) -> String {
    let properties = &message.properties;
    let mut known = Map::new();
    let mut set = |name: &str, value: Value| _ = known.insert(name.to_owned(), value);
    set("correlation_id", json!(properties.correlation_id));
    if let Some(reply_to) = &properties.reply_to {
        set("reply_to", json!(reply_to));
    }
    set("delivery_mode", json!(2));
    if let Some(expiration) = &properties.expiration {
        set("expiration", json!(expiration));
    }
    set("delivery_info", json!({"exchange": "", "routing_key": queue}));
    set("priority", json!(properties.priority));
    set("body_encoding", json!("base64"));
    set("delivery_tag", json!(Uuid::new_v4()));
    python::json(&json!({
        "body": STANDARD.encode(&message.body),
        "content-encoding": properties.content_encoding,
        "content-type": properties.content_type,
        "headers": message.headers,
        "properties": known,
    }))
}

/// The message of an envelope, and whether it was delivered before.
pub(crate) fn open(envelope: &Value) -> (Message, bool) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let known = envelope.get("properties");
    let known = |name: &str| known.and_then(|known| known.get(name));
    let body = text(envelope.get("body")).unwrap_or_default();
    let body = match text(known("body_encoding")).as_deref() {
        // What cannot be decoded is no JSON either, and is refused as such.
        Some("base64") => STANDARD.decode(&body).unwrap_or_default(),
        _ => body.into_bytes(),
    };
    let info = known("delivery_info").and_then(|info| info.get("redelivered"));
    let priority = known("priority").and_then(Value::as_u64).unwrap_or_default();
    let headers = envelope.get("headers").and_then(Value::as_object);
    let message = Message {
        headers: headers.cloned().unwrap_or_default(),
        properties: Properties {
            content_type: text(envelope.get("content-type")).unwrap_or_default(),
            content_encoding: text(envelope.get("content-encoding")).unwrap_or_default(),
            correlation_id: text(known("correlation_id")).unwrap_or_default(),
            reply_to: text(known("reply_to")),
            priority: u8::try_from(priority).unwrap_or_default(),
            expiration: text(known("expiration")),
        },
        body,
    };
    (message, info == Some(&Value::Bool(true)))
}

pub(crate) struct Deliveries {
    receiver: mpsc::Receiver<Result<Delivery, Error>>,
    permits: Arc<Semaphore>,
    surplus: Arc<AtomicU32>,
    stop: CancellationToken,
    fetcher: Option<JoinHandle<()>>,
}

impl Deliveries {
    pub(super) async fn next(&mut self) -> Result<Delivery, Error> {
        // There is no sender only after an error.
        self.receiver.recv().await.unwrap_or_else(|| {
            let ended = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
            Err(Error::Redis { action: "receiving", source: ended.into() })
        })
    }

    pub(super) fn waiting(&self, change: i32) {
        if change > 0 {
            self.permits.add_permits(1);
        } else if self.permits.forget_permits(1) == 0 {
            self.surplus.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Deliveries {
    /// Gives back what was taken and not received.
    pub(super) async fn stop(&mut self) -> Result<(), Error> {
        self.stop.cancel();
        self.receiver.close();
        while let Some(delivery) = self.receiver.recv().await {
            delivery?.receipt.requeue().await?;
        }
        if let Some(fetcher) = self.fetcher.take() {
            // It ends after the command that it waits for.
            _ = fetcher.await;
        }
        Ok(())
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Takes messages as long as there are permits: a message holds one until it is acknowledged.
struct Fetcher {
    link: Arc<Link>,
    queue: String,
    permits: Arc<Semaphore>,
    /// How many permits are to be taken away when they come back.
    surplus: Arc<AtomicU32>,
    held: Arc<Mutex<HashSet<String>>>,
}

impl Fetcher {
    async fn run(self, sender: mpsc::Sender<Result<Delivery, Error>>, stop: CancellationToken) {
        let mut pause = MIN_PAUSE;
        let mut restored: Option<tokio::time::Instant> = None;
        loop {
            if restored.is_none_or(|at| at.elapsed() >= RESTORE_INTERVAL) {
                restored = Some(tokio::time::Instant::now());
                if let Err(error) = self.restore().await {
                    _ = sender.send(Err(error)).await;
                    return;
                }
            }
            let permit = tokio::select! {
                () = stop.cancelled() => return,
                permit = Arc::clone(&self.permits).acquire_owned() => permit,
                // Messages that are held for long say so meanwhile.
                () = tokio::time::sleep(RESTORE_INTERVAL) => continue,
            };
            // The semaphore is never closed.
            let Ok(permit) = permit else { return };
            let take_one = |count: u32| count.checked_sub(1);
            if self.surplus.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one).is_ok() {
                permit.forget();
                continue;
            }
            // Not interrupted: what was taken is not forgotten.
            match self.take(permit).await {
                Ok(None) => {
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(MAX_PAUSE);
                }
                Ok(Some(delivery)) => {
                    pause = MIN_PAUSE;
                    if let Err(mpsc::error::SendError(Ok(delivery))) =
                        sender.send(Ok(delivery)).await
                    {
                        if let Err(error) = delivery.receipt.requeue().await {
                            tracing::warn!(
                                error = chain(&error),
                                "a message comes again after an hour"
                            );
                        }
                        return;
                    }
                }
                Err(error) => {
                    _ = sender.send(Err(error)).await;
                    return;
                }
            }
        }
    }

    async fn take(&self, permit: OwnedSemaphorePermit) -> Result<Option<Delivery>, Error> {
        let mut take = redis::cmd("EVAL");
        take.arg(TAKE).arg(STEPS.len() + 3);
        for list in lists(&self.queue) {
            take.arg(list);
        }
        take.arg(super::dead_letters(&self.queue)).arg(UNACKED).arg(UNACKED_INDEX);
        take.arg(now()).arg(&self.queue);
        let taken: Option<(String, String)> = self.link.command("receiving", &take).await?;
        let Some((tag, raw)) = taken else { return Ok(None) };
        if tag.is_empty() {
            tracing::error!(queue = self.queue, "what is no message went to the dead-letter queue");
            return Ok(None);
        }
        let (message, redelivered) = open(&serde_json::from_str(&raw).unwrap_or_default());
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(tag.clone());
        let receipt = Receipt {
            link: Arc::clone(&self.link),
            held: Arc::clone(&self.held),
            list: list(&self.queue, message.properties.priority),
            tag,
            raw,
            _permit: permit,
        };
        Ok(Some(Delivery { message, redelivered, receipt: AnyReceipt::Redis(receipt) }))
    }

    /// Says that what is held is not lost, and gives back what workers held that were killed.
    async fn restore(&self) -> Result<(), Error> {
        let held: Vec<String> =
            self.held.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        if !held.is_empty() {
            let mut touch = redis::cmd("ZADD");
            touch.arg(UNACKED_INDEX).arg("XX");
            for tag in &held {
                touch.arg(now()).arg(tag);
            }
            self.link.command::<()>("holding messages", &touch).await?;
        }
        let mut overdue = redis::cmd("ZRANGEBYSCORE");
        let before = now() - VISIBILITY_TIMEOUT.as_secs_f64();
        overdue.arg(UNACKED_INDEX).arg(0).arg(before).arg("LIMIT").arg(0).arg(RESTORE_BATCH);
        let overdue: Vec<String> = self.link.command("searching lost messages", &overdue).await?;
        for tag in overdue {
            let mut get = redis::cmd("HGET");
            get.arg(UNACKED).arg(&tag);
            let raw: Option<String> = self.link.command("reading a lost message", &get).await?;
            let raw = raw.and_then(|raw| serde_json::from_str::<(Value, Value, String)>(&raw).ok());
            let Some((mut envelope, _, queue)) = raw else {
                // It would stand before those that can be restored for ever.
                let mut forget = redis::cmd("ZREM");
                forget.arg(UNACKED_INDEX).arg(&tag);
                self.link.command::<()>("forgetting what is no message", &forget).await?;
                tracing::error!(tag, "what was held under this tag is no message");
                continue;
            };
            let (message, _) = open(&envelope);
            for path in ["/properties/delivery_info", "/headers"] {
                if let Some(map) = envelope.pointer_mut(path).and_then(Value::as_object_mut) {
                    map.insert("redelivered".to_owned(), json!(true));
                }
            }
            let list = list(&queue, message.properties.priority);
            restore(&self.link, &list, &tag, &python::json(&envelope)).await?;
            tracing::warn!(id = message.properties.correlation_id, "a lost message was restored");
        }
        Ok(())
    }
}

async fn restore(link: &Link, list: &str, tag: &str, raw: &str) -> Result<(), Error> {
    let mut restore = redis::cmd("EVAL");
    restore.arg(RESTORE).arg(3).arg(list).arg(UNACKED).arg(UNACKED_INDEX).arg(tag).arg(raw);
    link.command("giving a message back", &restore).await
}

pub(crate) struct Receipt {
    link: Arc<Link>,
    held: Arc<Mutex<HashSet<String>>>,
    list: String,
    tag: String,
    raw: String,
    _permit: OwnedSemaphorePermit,
}

impl Receipt {
    pub(super) async fn ack(&self) -> Result<(), Error> {
        let mut ack = redis::pipe();
        ack.atomic().cmd("ZREM").arg(UNACKED_INDEX).arg(&self.tag).ignore();
        ack.cmd("HDEL").arg(UNACKED).arg(&self.tag).ignore();
        self.link.pipeline("acknowledging", &ack).await
    }

    pub(super) async fn requeue(&self) -> Result<(), Error> {
        restore(&self.link, &self.list, &self.tag, &self.raw).await
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tag);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read_as_it_was_written() {
        let message = Message {
            headers: [("task".to_owned(), json!("t"))].into_iter().collect(),
            properties: Properties {
                content_type: "application/json".to_owned(),
                content_encoding: "utf-8".to_owned(),
                correlation_id: "an-id".to_owned(),
                reply_to: Some("back".to_owned()),
                priority: 3,
                expiration: None,
            },
            body: b"[[], {}, {}]".to_vec(),
        };
        let envelope = serde_json::from_str(&envelope("celery", &message)).unwrap();
        assert_eq!(open(&envelope), (message, false));
    }

    #[test]
    fn each_step_of_priorities_has_a_list() {
        for (priority, list) in [(0, "q"), (2, "q"), (3, "q\u{6}\u{16}3"), (255, "q\u{6}\u{16}9")] {
            assert_eq!(super::list("q", priority), list);
        }
    }
}
