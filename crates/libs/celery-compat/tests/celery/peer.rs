//! Python's Celery as a producer and as a worker.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use testbed::{RabbitMq, Redis, Running, Signal};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// One server of each kind for all tests.
pub(crate) struct Servers {
    rabbitmq: RabbitMq,
    redis: Redis,
}

/// Which broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RabbitMq,
    Redis,
}

pub(crate) const BROKERS: [Kind; 2] = [Kind::RabbitMq, Kind::Redis];

/// A queue of its own on a broker, with results in Redis.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) broker: String,
    pub(crate) backend: String,
    pub(crate) store: String,
    pub(crate) queue: String,
}

impl Bench {
    pub(crate) async fn new(kind: Kind) -> Self {
        static SERVERS: OnceCell<Servers> = OnceCell::const_new();
        let servers = SERVERS
            .get_or_init(|| async {
                let (rabbitmq, redis) = tokio::join!(RabbitMq::start(), Redis::start());
                Servers { rabbitmq: rabbitmq.unwrap(), redis: redis.unwrap() }
            })
            .await;
        Self {
            broker: match kind {
                Kind::RabbitMq => servers.rabbitmq.url.clone(),
                Kind::Redis => servers.redis.database(1),
            },
            backend: servers.redis.database(0),
            store: servers.redis.database(2),
            queue: format!("test-{}", Uuid::new_v4().simple()),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(testbed::python().unwrap());
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/celery");
        command.env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("BROKER", &self.broker).env("BACKEND", &self.backend);
        command.env("STORE", &self.store).env("QUEUE", &self.queue).env("PYTHONWARNINGS", "ignore");
        command
    }

    /// Python's worker, which receives already.
    pub(crate) async fn worker(&self) -> Running {
        let mut command = self.command();
        command.args(["-m", "celery", "-A", "peer", "worker", "--pool", "threads", "-c", "4"]);
        let name = format!("python@{}", self.queue);
        command.args(["--hostname", &name, "--loglevel", "info"]);
        let folder = tempfile::Builder::new().prefix("celery-").tempdir().unwrap().keep();
        let worker =
            Running::start("Python's worker", folder, Signal::Terminate, &command, None).unwrap();
        worker.wait(|log| log.contains(" ready.").then_some(())).await.unwrap();
        worker
    }

    pub(crate) fn peer(&self) -> Peer {
        let mut command = self.command();
        // By its own name, so that its exceptions can be found.
        command.args(["-c", "import peer; peer.main()"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Peer { process, input: Some(input), output: BufReader::new(output) }
    }
}

/// Python's producer, which also reads results.
pub(crate) struct Peer {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Blocks the thread of the test, not those of its runtime.
    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{request}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("no answer to {request}"))
    }

    pub(crate) fn send(&mut self, task: &str, args: &Value, options: &Value) -> String {
        let request = json!({"do": "send", "task": task, "args": args, "options": options});
        self.ask(&request).as_str().unwrap().to_owned()
    }

    pub(crate) fn result(&mut self, id: &str) -> Value {
        self.ask(&json!({"do": "result", "id": id}))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        _ = self.process.wait();
    }
}
