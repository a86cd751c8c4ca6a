//! What the worker does with calls that Python sends, and what Python sees of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use celery_compat::{
    BrokerUrl, Call, Counts, Definition, Failure, Options, Results, Retries, Status, TaskError,
    Worker,
};
use lapin::options::{BasicAckOptions, BasicGetOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::peer::{BROKERS, Bench, Kind, Peer};

#[derive(Deserialize)]
struct Echo {
    a: Value,
    b: Option<Value>,
    c: Option<Value>,
}

#[derive(Deserialize)]
struct Add {
    a: i64,
    b: i64,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Nothing {}

fn options(bench: &Bench) -> Options {
    Options { queue: bench.queue.clone(), drain: Duration::from_secs(5), ..Options::default() }
}

fn empty(bench: &Bench, options: Options) -> Worker {
    Worker::new(BrokerUrl::parse(&bench.broker).unwrap(), options)
        .results(Results::new(&bench.backend).unwrap())
}

/// The counterpart of `peer.echo`.
pub(crate) fn echoing(bench: &Bench) -> Worker {
    let client = redis::Client::open(bench.store.as_str()).unwrap();
    let definition = Definition::new("peer.echo", &["a", "b", "c"]).optional(2);
    empty(bench, options(bench)).register(definition, move |call: Call, Echo { a, b, c }| {
        let client = client.clone();
        async move {
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            let run = redis::cmd("INCR").arg(format!("runs-{}", call.id)).to_owned();
            run.query_async::<u32>(&mut connection).await.unwrap();
            Ok::<_, TaskError>(json!([a, b, c]))
        }
    })
}

/// The counterparts of the others.
fn tasks(worker: Worker) -> Worker {
    let quick =
        Retries { max: 2, backoff: Duration::from_secs(1), jitter: false, ..Retries::default() };
    let attempts = Arc::new(AtomicU32::new(0));
    worker
        .register(Definition::new("peer.add", &["a", "b"]), async |_, Add { a, b }| {
            Ok::<_, TaskError>(a + b)
        })
        .register(Definition::new("peer.refuse", &["text"]), async |_, Text { text }| {
            Err::<(), _>(Failure::new("peer", "Refused", text).into())
        })
        .register(Definition::new("peer.panic", &[]), async |call: Call, Nothing {}| {
            assert!(call.retries > 0, "a defect");
            Ok::<_, TaskError>(())
        })
        .register(Definition::new("peer.sleep", &[]), async |_, Nothing {}| {
            tokio::time::sleep(Duration::from_mins(1)).await;
            Ok::<_, TaskError>(())
        })
        .register(
            Definition::new("peer.flaky", &[]).retries(quick),
            move |call: Call, Nothing {}| {
                attempts.fetch_add(1, Ordering::Relaxed);
                async move {
                    if call.retries < 2 {
                        return Err(TaskError::Retry(Failure::builtin("OSError", "not yet")));
                    }
                    Ok(call.retries)
                }
            },
        )
        .register(
            Definition::new("peer.never", &[]).retries(Retries { max: 1, ..quick }),
            async |_, Nothing {}| {
                Err::<(), _>(TaskError::Retry(Failure::builtin("OSError", "never")))
            },
        )
}

/// A worker that runs.
struct Started {
    stop: CancellationToken,
    status: Arc<Status>,
    run: JoinHandle<()>,
}

impl Started {
    async fn new(worker: Worker) -> Self {
        let (stop, status) = (CancellationToken::new(), worker.status());
        let run = tokio::spawn(worker.run(stop.clone()));
        eventually(async || status.is_connected()).await;
        Self { stop, status, run }
    }

    async fn stop(self) -> Counts {
        self.stop.cancel();
        self.run.await.unwrap();
        self.status.counts()
    }
}

async fn eventually(mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < Duration::from_secs(30), "it never happened");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn raised(peer: &mut Peer, id: &str) -> Value {
    peer.result(id)["raised"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_raised_again_in_python() {
    for kind in BROKERS {
        let bench = Bench::new(kind).await;
        let worker = Started::new(tasks(echoing(&bench))).await;
        let mut peer = bench.peer();
        let none = json!([]);
        for (task, args, options, expected) in [
            ("peer.refuse", json!(["no"]), json!({}), json!(["peer", "Refused", ["'no'"]])),
            (
                "peer.nothing",
                none.clone(),
                json!({}),
                json!(["celery.exceptions", "NotRegistered", ["'peer.nothing'"]]),
            ),
            (
                "peer.panic",
                none.clone(),
                json!({}),
                json!(["builtins", "RuntimeError", ["'the task panicked: a defect'"]]),
            ),
            (
                "peer.sleep",
                none.clone(),
                json!({"time_limit": 1}),
                json!(["billiard.exceptions", "TimeLimitExceeded", ["1.0"]]),
            ),
            (
                "peer.echo",
                json!([1]),
                json!({"expires": -1}),
                json!(["celery.exceptions", "TaskRevokedError", ["'expired'"]]),
            ),
            ("peer.never", none.clone(), json!({}), json!(["builtins", "OSError", ["'never'"]])),
        ] {
            let id = peer.send(task, &args, &options);
            assert_eq!(raised(&mut peer, &id), expected, "{kind:?} {task}");
        }
        // Python checks the arguments of its own tasks before it sends them.
        let id = peer.send("peer.panic", &json!([1]), &json!({}));
        let text = "'panic() takes 0 positional arguments but 1 was given'";
        assert_eq!(raised(&mut peer, &id), json!(["builtins", "TypeError", [text]]));
        // All of that has cost no more than those tasks.
        let id = peer.send("peer.add", &json!([1, 2]), &json!({}));
        assert_eq!(peer.result(&id)["value"], 3);
        let counts = worker.stop().await;
        assert_eq!((counts.succeeded, counts.revoked, counts.dead), (1, 1, 1), "{counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_retried_and_keeps_its_id() {
    for kind in BROKERS {
        let bench = Bench::new(kind).await;
        let worker = Started::new(tasks(empty(&bench, options(&bench)))).await;
        let mut peer = bench.peer();
        let id = peer.send("peer.flaky", &json!([]), &json!({}));
        let result = peer.result(&id);
        assert_eq!((&result["state"], &result["value"]), (&json!("SUCCESS"), &json!(2)));
        let counts = worker.stop().await;
        assert_eq!((counts.succeeded, counts.retried), (1, 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_waits_for_its_time_and_others_do_not_wait_for_it() {
    for kind in BROKERS {
        let bench = Bench::new(kind).await;
        let options = Options { concurrency: 1, prefetch_multiplier: 1, ..options(&bench) };
        let worker = Started::new(tasks(empty(&bench, options))).await;
        let mut peer = bench.peer();
        let start = Instant::now();
        let later = peer.send("peer.add", &json!([1, 2]), &json!({"countdown": 3}));
        let never = peer.send("peer.add", &json!([1, 2]), &json!({"countdown": 3600}));
        let now = peer.send("peer.add", &json!([3, 4]), &json!({}));
        assert_eq!(peer.result(&now)["value"], 7);
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
        assert_eq!(peer.result(&later)["value"], 3);
        assert!(start.elapsed() >= Duration::from_secs(2), "{:?}", start.elapsed());
        worker.stop().await;
        // What waits still is given back for the next worker.
        let worker = Started::new(tasks(empty(&bench, super::worker::options(&bench)))).await;
        let state = peer.ask(&json!({"do": "result", "id": never, "timeout": 0.2}));
        assert_eq!(state["state"], "PENDING");
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_a_task_is_sent() {
    for kind in BROKERS {
        let bench = Bench::new(kind).await;
        let worker = Started::new(tasks(echoing(&bench))).await;
        let mut peer = bench.peer();
        let calls = json!([["peer.add", [1, 2]], ["peer.add", [10]], ["peer.add", [100]]]);
        let ids = peer.ask(&json!({"do": "chain", "calls": calls}));
        let [first, second, third] = &ids.as_array().unwrap()[..] else { panic!("{ids}") };
        assert_eq!(peer.result(third.as_str().unwrap())["value"], 113, "{kind:?}");
        let read = peer.result(first.as_str().unwrap());
        assert_eq!((&read["value"], &read["children"]), (&json!(3), &json!([second])));

        let callback = |task: &str, id: &str| {
            json!({"task": task, "args": [], "kwargs": {}, "subtask_type": null,
                "options": {"task_id": id}, "immutable": false})
        };
        let (ok, failed) = (format!("{}-ok", bench.queue), format!("{}-failed", bench.queue));
        peer.send("peer.add", &json!([1, 2]), &json!({"link": callback("peer.echo", &ok)}));
        assert_eq!(peer.result(&ok)["value"], json!([3, null, null]));
        let options = json!({"link_error": callback("peer.echo", &failed)});
        let id = peer.send("peer.refuse", &json!(["no"]), &options);
        assert_eq!(peer.result(&failed)["value"], json!([id, null, null]));
        worker.stop().await;
    }
}

/// The messages of the dead-letter queue, with their causes.
async fn dead(bench: &Bench) -> Vec<(String, Vec<u8>)> {
    let channel = channel(bench).await;
    let queue = format!("{}.dead", bench.queue);
    let mut dead = Vec::new();
    while let Some(got) =
        channel.basic_get(queue.as_str().into(), BasicGetOptions::default()).await.unwrap()
    {
        got.delivery.ack(BasicAckOptions::default()).await.unwrap();
        let headers = got.delivery.properties.headers().clone().unwrap();
        let cause = &headers.inner()["x-celery-compat-cause"];
        dead.push((cause.as_long_string().unwrap().to_string(), got.delivery.data.clone()));
    }
    dead
}

async fn channel(bench: &Bench) -> lapin::Channel {
    let url = bench.broker.replace("//", "/%2f").replacen("amqp:/%2f", "amqp://", 1);
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    connection.create_channel().await.unwrap()
}

async fn publish(bench: &Bench, properties: BasicProperties, body: &[u8]) {
    let channel = channel(bench).await;
    let declare = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let queue = bench.queue.as_str();
    channel.queue_declare(queue.into(), declare, FieldTable::default()).await.unwrap();
    let options = BasicPublishOptions::default();
    channel
        .basic_publish("".into(), queue.into(), options, body, properties)
        .await
        .unwrap()
        .await
        .unwrap();
}

fn headers(task: &str, id: &str) -> FieldTable {
    let mut headers = FieldTable::default();
    for (name, value) in [("task", task), ("id", id), ("lang", "py")] {
        headers.insert(name.into(), lapin::types::AMQPValue::LongString(value.into()));
    }
    headers
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_task_goes_to_the_dead_letters_with_its_cause() {
    let bench = Bench::new(Kind::RabbitMq).await;
    let worker = Started::new(tasks(empty(&bench, options(&bench)))).await;
    let json_type = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_headers(headers("peer.add", "an-id"));
    let pickle = json_type.clone().with_content_type("application/x-python-serialize".into());
    publish(&bench, pickle, b"\x80\x05N.").await;
    publish(&bench, json_type.clone(), b"{not JSON").await;
    publish(&bench, BasicProperties::default(), b"hello").await;
    let chord = br#"[[], {}, {"chord": {"task": "peer.add"}}]"#;
    publish(&bench, json_type, chord).await;
    eventually(async || worker.status.counts().dead == 4).await;
    worker.stop().await;
    let mut dead = dead(&bench).await;
    dead.sort();
    let [chord, no_task, no_json, pickle] = &dead[..] else { panic!("{dead:?}") };
    assert_eq!(chord.0, "it belongs to a workflow that is not supported: a chord");
    let text = "its content is application/x-python-serialize, only application/json is accepted";
    assert_eq!((pickle.0.as_str(), &pickle.1[..]), (text, &b"\x80\x05N."[..]));
    assert!(no_json.0.starts_with("its body is no JSON: "), "{no_json:?}");
    assert_eq!(no_task.0, "it is not of message protocol 2: there is no header `task`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_kills_its_worker_is_not_tried_without_end() {
    let bench = Bench::new(Kind::RabbitMq).await;
    let id = bench.peer().send("peer.sleep", &json!([]), &json!({}));
    let mut begun = 0;
    loop {
        let worker = tasks(empty(&bench, Options { max_redeliveries: 2, ..options(&bench) }));
        let status = worker.status();
        // A runtime of its own, which is dropped with everything in it, as a process that is killed.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.spawn(worker.run(CancellationToken::new()));
        eventually(async || status.counts().active == 1 || status.counts().dead == 1).await;
        runtime.shutdown_background();
        if status.counts().dead == 1 {
            break;
        }
        begun += 1;
        assert!(begun < 10, "it is begun again and again");
    }
    assert_eq!(begun, 3);
    let dead = dead(&bench).await;
    assert_eq!(dead[0].0, "it was begun 3 times and never ended");
    assert!(
        bench.peer().ask(&json!({"do": "result", "id": id, "timeout": 0.1}))["timeout"] == true
    );
}

/// What a worker on Redis held when it was killed, for longer than the visibility timeout.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_message_is_restored_whatever_else_is_lost() {
    let bench = Bench::new(Kind::Redis).await;
    let mut peer = bench.peer();
    let id = peer.send("peer.echo", &json!(["lost"]), &json!({}));
    let client = redis::Client::open(bench.broker.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let take = redis::cmd("RPOP").arg(&bench.queue).to_owned();
    let message: String = take.query_async(&mut connection).await.unwrap();
    let (tag, held) = (&bench.queue, format!("[{message}, \"\", \"{}\"]", bench.queue));
    let mut lose = redis::pipe();
    lose.cmd("HSET").arg("unacked").arg(tag).arg(held).ignore();
    lose.cmd("ZADD").arg("unacked_index").arg(1).arg(tag).ignore();
    // More than are restored at a time, and before it.
    for number in 0..150 {
        lose.cmd("ZADD").arg("unacked_index").arg(0).arg(format!("{tag}-{number}")).ignore();
    }
    lose.exec_async(&mut connection).await.unwrap();
    // Each worker begins with one batch.
    let worker = Started::new(echoing(&bench)).await;
    let empty = redis::cmd("ZCOUNT").arg("unacked_index").arg(0).arg(0).to_owned();
    let left = async || empty.query_async::<u32>(&mut connection.clone()).await.unwrap();
    eventually(async || left().await <= 50).await;
    worker.stop().await;
    let worker = Started::new(echoing(&bench)).await;
    assert_eq!(peer.result(&id)["value"], json!(["lost", null, null]));
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_task_is_given_back_when_it_takes_longer_than_the_drain() {
    for kind in BROKERS {
        let bench = Bench::new(kind).await;
        let short = Options { drain: Duration::from_millis(200), ..options(&bench) };
        let worker = Started::new(tasks(empty(&bench, short))).await;
        let id = bench.peer().send("peer.sleep", &json!([]), &json!({"time_limit": 2}));
        eventually(async || worker.status.counts().active == 1).await;
        let start = Instant::now();
        worker.stop().await;
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        // The next worker gets it.
        let worker = Started::new(tasks(empty(&bench, options(&bench)))).await;
        let expected = json!(["billiard.exceptions", "TimeLimitExceeded", ["2.0"]]);
        assert_eq!(raised(&mut bench.peer(), &id), expected, "{kind:?}");
        worker.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn results_go_back_through_the_broker() {
    let mut bench = Bench::new(Kind::RabbitMq).await;
    bench.backend = "rpc://".to_owned();
    let worker = Started::new(tasks(empty(&bench, options(&bench)))).await;
    let mut peer = bench.peer();
    let id = peer.send("peer.add", &json!([1, 2]), &json!({}));
    assert_eq!(peer.result(&id)["value"], 3);
    let id = peer.send("peer.refuse", &json!(["no"]), &json!({}));
    assert_eq!(raised(&mut peer, &id), json!(["peer", "Refused", ["'no'"]]));
    worker.stop().await;
}
