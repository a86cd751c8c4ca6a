//! What both producers put on the wire for the same call, field by field.

use std::collections::HashMap;
use std::time::Duration;

use celery_compat::{BrokerUrl, Producer, Signature};
use fastrand::Rng;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::generated;
use crate::peer::{BROKERS, Bench, Kind};

/// How many calls are compared on each broker.
const CALLS: usize = 300;

/// How far the clocks of two processes may be apart, that send one after the other.
const APART: i64 = 60;

/// A message with what each process makes up set aside.
#[derive(Debug, PartialEq)]
struct OnWire {
    /// Everything else, as text.
    text: String,
    /// `origin` without the process, and times without their digits.
    made_up: Vec<String>,
    times: Vec<Option<i64>>,
}

impl OnWire {
    fn new(text: String, headers: &Map<String, Value>, reply_to: &str) -> Self {
        let header = |name: &str| headers.get(name).and_then(Value::as_str).unwrap_or_default();
        let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
        let (process, host) = header("origin").split_once('@').unwrap();
        assert!(Uuid::parse_str(reply_to).is_ok(), "{reply_to}");
        let times = ["eta", "expires"].map(|name| {
            chrono::DateTime::parse_from_rfc3339(header(name)).ok().map(|time| time.timestamp())
        });
        Self {
            text,
            made_up: vec![
                format!("{}@{host}", digits(process)),
                digits(header("eta")),
                digits(header("expires")),
            ],
            times: times.to_vec(),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let near = |times: (&Option<i64>, &Option<i64>)| match times {
            (Some(one), Some(other)) => (one - other).abs() <= APART,
            (one, other) => one == other,
        };
        self.text == other.text
            && self.made_up == other.made_up
            && self.times.iter().zip(&other.times).all(near)
    }
}

type Messages = HashMap<String, Vec<OnWire>>;

async fn from_rabbitmq(bench: &Bench) -> Messages {
    let url = bench.broker.replace("//", "/%2f").replacen("amqp:/%2f", "amqp://", 1);
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut messages = Messages::new();
    let queue = bench.queue.as_str();
    while let Some(got) = channel.basic_get(queue.into(), BasicGetOptions::default()).await.unwrap()
    {
        got.delivery.ack(BasicAckOptions::default()).await.unwrap();
        let properties = &got.delivery.properties;
        let mut typed = FieldTable::default();
        let mut headers = Map::new();
        for (name, value) in properties.headers().as_ref().unwrap().inner() {
            if ["origin", "eta", "expires"].contains(&name.as_str()) {
                if let AMQPValue::LongString(text) = value {
                    headers.insert(name.to_string(), json!(text.to_string()));
                }
            } else {
                typed.insert(name.clone(), value.clone());
            }
        }
        let reply_to = properties.reply_to().as_ref().unwrap().to_string();
        let properties: BasicProperties =
            properties.clone().with_headers(typed).with_reply_to("".into());
        let id = properties.correlation_id().as_ref().unwrap().to_string();
        let (exchange, key) = (&got.delivery.exchange, &got.delivery.routing_key);
        let body = String::from_utf8(got.delivery.data.clone()).unwrap();
        let text = format!("{properties:?} {exchange} {key} {body}");
        messages.entry(id).or_default().push(OnWire::new(text, &headers, &reply_to));
    }
    messages
}

async fn from_redis(bench: &Bench) -> Messages {
    let client = redis::Client::open(bench.broker.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut messages = Messages::new();
    for step in ["", "\u{6}\u{16}3", "\u{6}\u{16}6", "\u{6}\u{16}9"] {
        let key = format!("{}{step}", bench.queue);
        let raws: Vec<String> = redis::cmd("LRANGE")
            .arg(key)
            .arg(0)
            .arg(-1)
            .query_async(&mut connection)
            .await
            .unwrap();
        for raw in raws.into_iter().rev() {
            let value: Value = serde_json::from_str(&raw).unwrap();
            let properties = &value["properties"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (tag, reply_to) =
                (text(&properties["delivery_tag"]), text(&properties["reply_to"]));
            assert!(Uuid::parse_str(&tag).is_ok(), "{tag}");
            let mut rest = raw.replace(&tag, "<tag>").replace(&reply_to, "<reply>");
            for name in ["origin", "eta", "expires"] {
                if let Some(made_up) = value["headers"][name].as_str() {
                    rest = rest.replace(made_up, name);
                }
            }
            let headers = value["headers"].as_object().unwrap();
            let message = OnWire::new(rest, headers, &reply_to);
            messages.entry(text(&properties["correlation_id"])).or_default().push(message);
        }
    }
    messages
}

/// The same call for both: the request to Python, and the signature.
fn call(rng: &mut Rng) -> (Value, Signature) {
    let id = Uuid::new_v4().to_string();
    let args = generated::arguments(rng);
    let mut options = Map::new();
    let mut set = |name: &str, value: Value| _ = options.insert(name.to_owned(), value);
    set("task_id", json!(id));
    let mut call = Signature::new("peer.echo").id(&id).args(args.clone());
    if rng.u8(..4) == 0 {
        set("countdown", json!(30));
        call = call.countdown(Duration::from_secs(30));
    }
    if rng.u8(..4) == 0 {
        set("expires", json!(60));
        call = call.expires(Duration::from_mins(1));
    }
    if rng.u8(..4) == 0 {
        let priority = rng.u8(..10);
        set("priority", json!(priority));
        call = call.priority(priority);
    }
    if rng.u8(..4) == 0 {
        set("time_limit", json!(9));
        set("soft_time_limit", json!(8));
        call = call.time_limit(9).soft_time_limit(8);
    }
    if rng.u8(..4) == 0 {
        set("shadow", json!("another name"));
        call = call.shadow("another name");
    }
    if rng.u8(..4) == 0 {
        set("ignore_result", json!(true));
        call = call.ignore_result();
    }
    if rng.u8(..4) == 0 {
        set("headers", json!({"x-tenant": 7}));
        call = call.header("x-tenant", 7);
    }
    if rng.u8(..4) == 0 {
        set(
            "link",
            json!({"task": "peer.add", "args": [1], "kwargs": {}, "options": {},
            "subtask_type": null, "immutable": false}),
        );
        call = call.link(&Signature::new("peer.add").args([json!(1)]));
    }
    let mut kwargs = Map::new();
    if args.len() == 1 && rng.bool() {
        kwargs.insert("c".to_owned(), generated::value(rng, 3));
        call = call.kwargs(kwargs.clone());
    }
    let request = json!({
        "do": "send", "task": "peer.echo", "args": args, "kwargs": kwargs, "options": options,
    });
    (request, call)
}

/// How many messages were compared, and those that differ.
pub(crate) async fn compare(kind: Kind, seed: u64) -> (usize, Vec<String>) {
    let bench = Bench::new(kind).await;
    let mut peer = bench.peer();
    let mut rng = Rng::with_seed(seed);
    let calls: Vec<_> = (0..CALLS).map(|_| call(&mut rng)).collect();
    let requests: Vec<_> = calls.iter().map(|(request, _)| request).collect();
    peer.ask(&json!({"do": "many", "requests": requests}));
    let producer =
        Producer::new(BrokerUrl::parse(&bench.broker).unwrap()).queue(&bench.queue).time_limit(600);
    for (_, call) in &calls {
        producer.send(call).await.unwrap();
    }
    let messages = match kind {
        Kind::RabbitMq => from_rabbitmq(&bench).await,
        Kind::Redis => from_redis(&bench).await,
    };
    let mut different = Vec::new();
    for (id, both) in &messages {
        let [python, rust] = &both[..] else { panic!("{} messages of {id}", both.len()) };
        if !python.is_same(rust) {
            different.push(format!("{kind:?}\n  Python {python:?}\n  Rust   {rust:?}"));
        }
    }
    assert_eq!(messages.len(), CALLS, "a message is missing on {kind:?}");
    (2 * messages.len(), different)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_those_of_celery() {
    for kind in BROKERS {
        let (_, different) = compare(kind, 1).await;
        let shown: Vec<_> = different.iter().take(3).collect();
        assert!(different.is_empty(), "{} are different: {shown:#?}", different.len());
    }
}
