//! Each producer with each worker on each broker: nothing is lost, nothing done twice, and the result is the
//! same. Writes target/tasks/report.json.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use celery_compat::{BrokerUrl, Producer, Results, Signature};
use fastrand::Rng;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::generated;
use crate::peer::{BROKERS, Bench, Kind};
use crate::{wire, worker};

/// How many tasks each combination does, unless `TASKS` says otherwise.
const TASKS: usize = 60;

/// How long they may take together.
const TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Default)]
struct Outcome {
    messages: usize,
    different: Vec<String>,
    lost: Vec<String>,
    doubled: Vec<String>,
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What of a stored result does not depend on when and by whom it was made.
fn comparable(mut meta: Value) -> Value {
    if let Some(meta) = meta.as_object_mut() {
        meta.remove("date_done");
    }
    meta
}

async fn combination(kind: Kind, python_sends: bool, python_works: bool, seed: u64) -> Outcome {
    let bench = Bench::new(kind).await;
    let stop = CancellationToken::new();
    let python = if python_works { Some(bench.worker().await) } else { None };
    let rust = (!python_works).then(|| tokio::spawn(worker::echoing(&bench).run(stop.clone())));

    let mut rng = Rng::with_seed(seed);
    let calls: Vec<(String, Vec<Value>)> = (0..number("TASKS", TASKS))
        .map(|_| (Uuid::new_v4().to_string(), generated::arguments(&mut rng)))
        .collect();
    let mut peer = bench.peer();
    if python_sends {
        let send = |(id, args): &(String, Vec<Value>)| json!({"do": "send", "task": "peer.echo", "args": args, "options": {"task_id": id}});
        let requests: Vec<_> = calls.iter().map(send).collect();
        peer.ask(&json!({"do": "many", "requests": requests}));
    } else {
        let producer = Producer::new(BrokerUrl::parse(&bench.broker).unwrap()).queue(&bench.queue);
        for (id, args) in &calls {
            producer.send(&Signature::new("peer.echo").id(id).args(args.clone())).await.unwrap();
        }
    }

    let results = Results::new(&bench.backend).unwrap();
    let mut outcome = Outcome { messages: calls.len(), ..Outcome::default() };
    let start = Instant::now();
    for (id, args) in &calls {
        let stored = loop {
            match results.get(id).await.unwrap() {
                None if start.elapsed() < TIMEOUT => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                stored => break stored,
            }
        };
        let mut expected = args.clone();
        expected.resize(3, Value::Null);
        let expected = json!({
            "status": "SUCCESS", "result": expected, "traceback": null, "children": [],
            "task_id": id,
        });
        match stored.map(comparable) {
            None => outcome.lost.push(id.clone()),
            Some(stored) if stored != expected => {
                outcome.different.push(format!("{kind:?}: {stored} is not {expected}"));
            }
            Some(_) => {}
        }
    }
    // What Python reads of the same results.
    let requests: Vec<_> = calls.iter().map(|(id, _)| json!({"do": "result", "id": id})).collect();
    let read = peer.ask(&json!({"do": "many", "requests": requests}));
    for ((id, args), read) in calls.iter().zip(read.as_array().unwrap()) {
        let mut expected = args.clone();
        expected.resize(3, Value::Null);
        if read["value"] != json!(expected) {
            outcome.different.push(format!("{kind:?}: Python reads of {id}: {read}"));
        }
    }
    stop.cancel();
    if let Some(rust) = rust {
        rust.await.unwrap();
    }
    drop(python);
    let client = redis::Client::open(bench.store.as_str()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for (id, _) in &calls {
        let runs: Option<u32> =
            redis::cmd("GET").arg(format!("runs-{id}")).query_async(&mut connection).await.unwrap();
        if runs.unwrap_or(0) > 1 {
            outcome.doubled.push(id.clone());
        }
    }
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn each_producer_with_each_worker() {
    let seed = number("SEED", 1) as u64;
    let mut total = Outcome::default();
    let mut parts = BTreeMap::new();
    for kind in BROKERS {
        for (python_sends, python_works) in
            [(true, true), (true, false), (false, true), (false, false)]
        {
            let outcome = combination(kind, python_sends, python_works, seed).await;
            let side = |python| if python { "python" } else { "rust" };
            let name = format!("{kind:?}, {} to {}", side(python_sends), side(python_works));
            parts.insert(name.to_lowercase(), outcome.messages);
            total.messages += outcome.messages;
            total.different.extend(outcome.different);
            total.lost.extend(outcome.lost);
            total.doubled.extend(outcome.doubled);
        }
        let (messages, different) = wire::compare(kind, seed).await;
        parts.insert(format!("{kind:?}, on the wire").to_lowercase(), messages);
        total.messages += messages;
        total.different.extend(different);
    }
    let report = json!({
        "messages": total.messages, "different": total.different.len(), "lost": total.lost.len(),
        "doubled": total.doubled.len(), "seed": seed, "parts": parts,
        "examples": total.different.iter().take(10).collect::<Vec<_>>(),
    });
    let folder = testbed::root().join("target/tasks");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("report.json"), format!("{report:#}\n")).unwrap();
    println!("{report:#}");
    let bad = [total.different.len(), total.lost.len(), total.doubled.len()];
    assert_eq!(bad, [0, 0, 0], "different, lost, doubled: {report:#}");
}
