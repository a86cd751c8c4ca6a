//! Works on tasks as Python's Celery does.

mod job;

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::job::Job;
use crate::broker::{Broker, BrokerUrl, dead_letters};
use crate::definition::Definition;
use crate::error::{Error, chain};
use crate::failure::{Failure, TaskError};
use crate::message::Sender;
use crate::producer::DEFAULT_QUEUE;
use crate::results::Results;

/// The pauses between attempts to reach a broker.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// How many tasks are remembered that were done and could not be acknowledged.
const MAX_FINISHED: usize = 10_000;

/// How many waiting messages may report at a time.
const REPORTS: usize = 64;

type Function =
    dyn Fn(Call, Map<String, Value>) -> BoxFuture<'static, Result<Value, TaskError>> + Send + Sync;

/// What a task knows of its call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The id of the task: the same in each attempt.
    pub id: String,
    /// How often it was tried before.
    pub retries: u32,
}

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Options {
    /// The queue that messages are taken from: Celery's `task_default_queue`.
    pub queue: String,
    /// How many tasks run at a time.
    pub concurrency: u16,
    /// How many messages are taken ahead for each of them: Celery's `worker_prefetch_multiplier`.
    pub prefetch_multiplier: u16,
    /// How often a message may come again after it was begun, before it goes to the dead-letter queue: the
    /// queue's name with `.dead`.
    pub max_redeliveries: u32,
    /// How long running tasks may take to end at a shutdown; then their messages are given back.
    pub drain: Duration,
    /// The time limit in messages of callbacks and retries, in seconds: Celery's `task_time_limit`.
    pub time_limit: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: DEFAULT_QUEUE.to_owned(),
            concurrency: 8,
            prefetch_multiplier: 4,
            max_redeliveries: 5,
            drain: Duration::from_secs(30),
            time_limit: None,
        }
    }
}

/// Counters of a worker, by what has become of messages.
#[derive(Debug, Default)]
pub struct Status {
    is_connected: AtomicBool,
    succeeded: AtomicU64,
    failed: AtomicU64,
    retried: AtomicU64,
    revoked: AtomicU64,
    dead: AtomicU64,
    active: AtomicU64,
}

/// [`Status`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tasks that returned a value.
    pub succeeded: u64,
    /// Tasks that ended with an error and are not tried again.
    pub failed: u64,
    /// Attempts after which the task is tried again.
    pub retried: u64,
    /// Those that had expired.
    pub revoked: u64,
    /// Those in the dead-letter queue.
    pub dead: u64,
    /// Those that run now.
    pub active: u64,
}

impl Status {
    /// Whether messages are received.
    pub fn is_connected(&self) -> bool {
        self.is_connected.load(Ordering::Relaxed)
    }

    /// What has become of messages since the start.
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            succeeded: read(&self.succeeded),
            failed: read(&self.failed),
            retried: read(&self.retried),
            revoked: read(&self.revoked),
            dead: read(&self.dead),
            active: read(&self.active),
        }
    }
}

struct Task {
    definition: Definition,
    function: Arc<Function>,
}

/// Works on tasks from one queue, until its token is cancelled.
///
/// ```no_run
/// use celery_compat::{BrokerUrl, Definition, Options, Results, TaskError, Worker};
/// use serde::Deserialize;
/// use tokio_util::sync::CancellationToken;
///
/// #[derive(Deserialize)]
/// struct Add {
///     a: i64,
///     b: i64,
/// }
///
/// # async fn example() -> Result<(), celery_compat::Error> {
/// let worker = Worker::new(BrokerUrl::parse("amqp://localhost//")?, Options::default())
///     .results(Results::new("redis://localhost/0")?)
///     .register(Definition::new("app.tasks.add", &["a", "b"]), async |_, Add { a, b }| {
///         Ok::<_, TaskError>(a + b)
///     });
/// worker.run(CancellationToken::new()).await;
/// # Ok(())
/// # }
/// ```
pub struct Worker {
    url: BrokerUrl,
    options: Options,
    results: Option<Results>,
    tasks: HashMap<&'static str, Task>,
    status: Arc<Status>,
}

/// What all sessions and jobs of a worker share.
struct Shared {
    options: Options,
    results: Option<Results>,
    tasks: HashMap<&'static str, Task>,
    sender: Sender,
    status: Arc<Status>,
    permits: Arc<Semaphore>,
    finished: Mutex<VecDeque<(String, u32)>>,
    /// The attempts that run here.
    running: Mutex<HashSet<(String, u32)>>,
    /// No further task begins.
    stop: CancellationToken,
    /// Running tasks end too.
    abort: CancellationToken,
}

/// An attempt that runs, until this is dropped.
struct Claim<'a> {
    shared: &'a Shared,
    attempt: (String, u32),
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut running = self.shared.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.attempt);
    }
}

impl Shared {
    /// Begins an attempt, unless it runs here already: its message came again because the broker was
    /// disconnected.
    fn claim(&self, id: &str, retries: u32) -> Option<Claim<'_>> {
        let attempt = (id.to_owned(), retries);
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(attempt.clone()).then(|| Claim { shared: self, attempt })
    }

    /// Remembers a task that was done while the broker was disconnected: its message will come again.
    fn remember(&self, id: &str, retries: u32) {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        if finished.len() >= MAX_FINISHED {
            finished.pop_front();
        }
        finished.push_back((id.to_owned(), retries));
    }

    /// Whether it was remembered; it is not any more.
    fn was_finished(&self, id: &str, retries: u32) -> bool {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        let found = finished.iter().position(|(one, attempt)| one == id && *attempt == retries);
        found.and_then(|index| finished.remove(index)).is_some()
    }
}

impl Worker {
    /// A worker without tasks and results.
    pub fn new(url: BrokerUrl, options: Options) -> Self {
        let status = Arc::default();
        Self { url, options, results: None, tasks: HashMap::new(), status }
    }

    /// Stores results; without it none are.
    #[must_use]
    pub fn results(mut self, results: Results) -> Self {
        self.results = Some(results);
        self
    }

    /// A task and what it does. Its arguments are those of the message, each under its name; what `A` does
    /// not take is a `TypeError`. A panic fails the task and nothing else.
    #[must_use]
    pub fn register<A, R, F, Fut>(mut self, definition: Definition, function: F) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        R: Serialize,
        F: Fn(Call, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, TaskError>> + Send + 'static,
    {
        let unfit = |error: serde_json::Error| Failure::builtin("TypeError", error.to_string());
        let function = move |call, arguments| -> BoxFuture<'static, Result<Value, TaskError>> {
            let arguments = serde_json::from_value::<A>(Value::Object(arguments));
            let running = arguments.map(|arguments| function(call, arguments));
            Box::pin(async move {
                let result = running.map_err(unfit)?.await?;
                Ok(serde_json::to_value(result).map_err(unfit)?)
            })
        };
        self.tasks.insert(definition.name, Task { definition, function: Arc::new(function) });
        self
    }

    /// What the worker does, for health checks and metrics.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }

    /// Works until `stop`: then no further task begins, running ones end, and the messages of those that
    /// take too long are given back. A broker that is unavailable is tried again and again.
    pub async fn run(self, stop: CancellationToken) {
        let permits = Arc::new(Semaphore::new(self.options.concurrency.max(1).into()));
        let shared = Arc::new(Shared {
            sender: Sender::new(self.options.time_limit),
            options: self.options,
            results: self.results,
            tasks: self.tasks,
            status: self.status,
            permits,
            finished: Mutex::default(),
            running: Mutex::default(),
            stop: stop.clone(),
            abort: CancellationToken::new(),
        });
        let mut pause = MIN_PAUSE;
        while !stop.is_cancelled() {
            let result = session(&shared, &self.url).await;
            if shared.status.is_connected.swap(false, Ordering::Relaxed) {
                pause = MIN_PAUSE;
            }
            let Err(error) = result else { continue };
            tracing::warn!(error = chain(&error), "{} is unavailable, trying again", self.url);
            _ = tokio::time::timeout(pause, stop.cancelled()).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }
}

/// Works until the broker is disconnected or the worker is to stop.
async fn session(shared: &Arc<Shared>, url: &BrokerUrl) -> Result<(), Error> {
    let options = &shared.options;
    let broker = Arc::new(Broker::connect(url).await?);
    broker.declare(&options.queue).await?;
    broker.declare(&dead_letters(&options.queue)).await?;
    let prefetch = options.concurrency.saturating_mul(options.prefetch_multiplier.max(1)).max(1);
    let mut deliveries = broker.consume(&options.queue, prefetch).await?;
    shared.status.is_connected.store(true, Ordering::Relaxed);
    tracing::info!(queue = options.queue, "receiving from {url}");
    let jobs = TaskTracker::new();
    let (waiting, mut reports) = mpsc::channel(REPORTS);
    let ended = loop {
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => break Ok(()),
            Some(change) = reports.recv() => {
                if let Err(error) = deliveries.waiting(change).await {
                    break Err(error);
                }
            }
            delivery = deliveries.next() => match delivery {
                Ok(delivery) => {
                    let job = Job::new(shared, &broker, delivery, waiting.clone());
                    jobs.spawn(job.run());
                }
                Err(error) => break Err(error),
            },
        }
    };
    // Those that run go on without the broker; their messages come again, and are known then.
    let stopped = deliveries.stop().await;
    ended?;
    drop(reports);
    if let Err(error) = stopped {
        tracing::warn!(error = chain(&error), "the consumer could not be ended");
    }
    jobs.close();
    if tokio::time::timeout(options.drain, jobs.wait()).await.is_err() {
        tracing::warn!("tasks take longer than the drain: their messages are given back");
        shared.abort.cancel();
        jobs.wait().await;
    }
    broker.close().await
}
