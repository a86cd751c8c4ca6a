//! One message, from its delivery to its acknowledgement.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Call, Shared, Task};
use crate::broker::{Broker, Delivery, dead_letters};
use crate::clock;
use crate::error::{Error, chain};
use crate::failure::{Failure, TaskError};
use crate::message::{Message, Request, Signature, follow, retry};
use crate::results::State;

/// Why a message is in the dead-letter queue.
const CAUSE: &str = "x-celery-compat-cause";

/// How often a message came again after it was begun.
const REDELIVERIES: &str = "x-celery-compat-redeliveries";

/// How often storing a result is tried.
const STORE_ATTEMPTS: u32 = 6;
const STORE_PAUSE: Duration = Duration::from_millis(100);

/// How long a message waits that came again while its task runs here.
const CLAIM_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Job {
    shared: Arc<Shared>,
    broker: Arc<Broker>,
    delivery: Delivery,
    /// Where a message that waits for its time says so.
    waiting: mpsc::Sender<i32>,
}

/// What has become of a task.
enum Outcome {
    Ended(Result<Value, TaskError>),
    /// It takes too long for the shutdown.
    Aborted,
}

impl Job {
    pub(super) fn new(
        shared: &Arc<Shared>,
        broker: &Arc<Broker>,
        delivery: Delivery,
        waiting: mpsc::Sender<i32>,
    ) -> Self {
        Self { shared: Arc::clone(shared), broker: Arc::clone(broker), delivery, waiting }
    }

    /// Logs what went wrong with the broker: the message will come again.
    pub(super) async fn run(self) {
        if let Err(error) = self.work().await {
            let (id, error) = (&self.delivery.message.properties.correlation_id, chain(&error));
            tracing::warn!(id, error, "a message was not acknowledged, it comes again");
        }
    }

    async fn work(&self) -> Result<(), Error> {
        let request = match Request::parse(&self.delivery.message) {
            Ok(request) => request,
            Err(cause) => return self.bury(&cause.to_string()).await,
        };
        if self.shared.was_finished(&request.id, request.lineage.retries) {
            return self.delivery.receipt.ack().await;
        }
        let Some(task) = self.shared.tasks.get(request.task.as_str()) else {
            let unknown = Failure::new("celery.exceptions", "NotRegistered", request.task.as_str());
            self.store(&request, &State::Failure(unknown), &[]).await;
            return self.bury(&format!("there is no task {}", request.task)).await;
        };
        if !self.is_due(&request).await {
            return self.delivery.receipt.requeue().await;
        }
        let Some(claim) = self.shared.claim(&request.id, request.lineage.retries) else {
            _ = tokio::time::timeout(CLAIM_PAUSE, self.shared.stop.cancelled()).await;
            return self.delivery.receipt.requeue().await;
        };
        let permit = tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => None,
            permit = self.shared.permits.acquire() => permit.ok(),
        };
        let Some(_permit) = permit else { return self.delivery.receipt.requeue().await };
        if request.expires.is_some_and(|expires| expires <= clock::now()) {
            self.shared.status.revoked.fetch_add(1, Ordering::Relaxed);
            tracing::info!(id = request.id, task = request.task, "expired");
            self.store(&request, &State::Revoked("expired"), &[]).await;
            return self.delivery.receipt.ack().await;
        }
        if self.delivery.redelivered {
            // The copy may be delivered before this returns.
            drop(claim);
            return self.count_redelivery().await;
        }
        if !task.definition.acks_late {
            self.delivery.receipt.ack().await?;
        }
        self.shared.status.active.fetch_add(1, Ordering::Relaxed);
        let outcome = self.call(task, &request).await;
        self.shared.status.active.fetch_sub(1, Ordering::Relaxed);
        let concluded = match outcome {
            Outcome::Ended(result) => self.conclude(task, &request, result).await,
            Outcome::Aborted if task.definition.acks_late => self.delivery.receipt.requeue().await,
            Outcome::Aborted => {
                tracing::error!(id = request.id, "a task was ended by the shutdown");
                let lost = "the worker was shut down";
                let failure = Failure::new("celery.exceptions", "WorkerShutdown", lost);
                self.store(&request, &State::Failure(failure), &[]).await;
                Ok(())
            }
        };
        drop(claim);
        concluded
    }

    /// Waits for the time at which a task may begin; `false` if the worker stops before.
    async fn is_due(&self, request: &Request) -> bool {
        let left = request.eta.map(|eta| eta - clock::now());
        let Some(left) = left.and_then(|left| left.to_std().ok()) else { return true };
        // Fails only if the session has ended.
        _ = self.waiting.send(1).await;
        let is_due = tokio::select! {
            () = self.shared.stop.cancelled() => false,
            () = tokio::time::sleep(left) => true,
        };
        _ = self.waiting.send(-1).await;
        is_due
    }

    /// A message that comes again may be one that kills its worker: a copy that counts takes its place.
    async fn count_redelivery(&self) -> Result<(), Error> {
        let mut copy = self.delivery.message.clone();
        let before = copy.headers.get(REDELIVERIES).and_then(Value::as_u64).unwrap_or(0);
        if before >= self.shared.options.max_redeliveries.into() {
            return self.bury(&format!("it was begun {} times and never ended", before + 1)).await;
        }
        copy.headers.insert(REDELIVERIES.to_owned(), (before + 1).into());
        self.broker.publish(&self.shared.options.queue, &copy).await?;
        self.delivery.receipt.ack().await
    }

    async fn call(&self, task: &Task, request: &Request) -> Outcome {
        let arguments = task.definition.bind(request.args.clone(), request.kwargs.clone());
        let arguments = match arguments {
            Ok(arguments) => arguments,
            Err(failure) => return Outcome::Ended(Err(failure.into())),
        };
        let call = Call { id: request.id.clone(), retries: request.lineage.retries };
        // On its own, so that a panic costs one task.
        let function = Arc::clone(&task.function);
        let mut running = tokio::spawn(async move { function(call, arguments).await });
        let limit = match (request.soft_time_limit, request.time_limit) {
            (Some(soft), hard) if hard.is_none_or(|hard| soft < hard) => {
                Some((soft, "SoftTimeLimitExceeded"))
            }
            (_, hard) => {
                hard.or(task.definition.time_limit).map(|hard| (hard, "TimeLimitExceeded"))
            }
        };
        let (after, class) = limit.unzip();
        let exceeded = async {
            match after {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        let result = tokio::select! {
            result = &mut running => result,
            () = exceeded => {
                running.abort();
                let seconds = after.unwrap_or_default().as_secs_f64();
                let class = class.unwrap_or_default();
                let failure = Failure::new("billiard.exceptions", class, seconds);
                return Outcome::Ended(Err(failure.into()));
            }
            () = self.shared.abort.cancelled() => {
                running.abort();
                return Outcome::Aborted;
            }
        };
        Outcome::Ended(result.unwrap_or_else(|error| {
            let text = match error.try_into_panic() {
                Ok(panic) => panic_text(&*panic),
                Err(error) => error.to_string(),
            };
            tracing::error!(id = request.id, task = request.task, "the task panicked: {text}");
            Err(Failure::builtin("RuntimeError", format!("the task panicked: {text}")).into())
        }))
    }

    /// Sends what follows, stores the result and acknowledges the message, in this order: what is lost in
    /// between is done again.
    async fn conclude(
        &self,
        task: &Task,
        request: &Request,
        result: Result<Value, TaskError>,
    ) -> Result<(), Error> {
        let status = &self.shared.status;
        let pause = match &result {
            Err(TaskError::Retry(_)) => task.definition.retries.pause(request.lineage.retries),
            _ => None,
        };
        let (state, children, counter) = match (result, pause) {
            (Ok(value), _) => {
                let mut children = Vec::new();
                for callback in request.embed.callbacks.iter().flatten() {
                    children.push(self.send(follow(callback, Some(&value), request)).await?);
                }
                if let Some((next, rest)) =
                    request.embed.chain.as_ref().and_then(|chain| chain.split_last())
                {
                    let mut next = follow(next, Some(&value), request);
                    next.embed.chain = (!rest.is_empty()).then(|| rest.to_vec());
                    children.push(self.send(next).await?);
                }
                (State::Success(value), children, &status.succeeded)
            }
            (Err(TaskError::Retry(failure)), Some(pause)) => {
                tracing::info!(id = request.id, task = request.task, %failure, ?pause, "retry");
                self.send(retry(request, &self.delivery.message, pause)).await?;
                (State::Retry(failure), vec![request.id.clone()], &status.retried)
            }
            (Err(TaskError::Failed(failure) | TaskError::Retry(failure)), _) => {
                tracing::error!(id = request.id, task = request.task, %failure, "failed");
                let id = Value::from(request.id.as_str());
                for errback in request.embed.errbacks.iter().flatten() {
                    self.send(follow(errback, Some(&id), request)).await?;
                }
                (State::Failure(failure), Vec::new(), &status.failed)
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.store(request, &state, &children).await;
        if !task.definition.acks_late {
            return Ok(());
        }
        let acknowledged = self.delivery.receipt.ack().await;
        if acknowledged.is_err() {
            self.shared.remember(&request.id, request.lineage.retries);
        }
        acknowledged
    }

    async fn send(&self, signature: Signature) -> Result<String, Error> {
        let id = signature.id.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        let message = signature.message(&id, clock::now(), &self.shared.sender);
        let queue = signature.queue.as_deref().unwrap_or(&self.shared.options.queue);
        self.broker.publish(queue, &message).await?;
        Ok(id)
    }

    /// Stores a result; what cannot be stored after several attempts is logged, as the task is done.
    async fn store(&self, request: &Request, state: &State, children: &[String]) {
        let Some(results) = self.shared.results.as_ref().filter(|_| !request.ignore_result) else {
            return;
        };
        let meta = state.meta(request, children);
        let reply_to = self.delivery.message.properties.reply_to.as_deref();
        let mut pause = STORE_PAUSE;
        for attempt in 1..=STORE_ATTEMPTS {
            match results.store(&self.broker, reply_to, &request.id, &meta).await {
                Ok(()) => return,
                Err(error) if attempt == STORE_ATTEMPTS => {
                    tracing::error!(
                        id = request.id,
                        error = chain(&error),
                        "a result was not stored"
                    );
                }
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause *= 2;
        }
    }

    /// Puts the message into the dead-letter queue, with the cause.
    async fn bury(&self, cause: &str) -> Result<(), Error> {
        let id = &self.delivery.message.properties.correlation_id;
        tracing::error!(id, cause, "a message goes to the dead-letter queue");
        let mut message: Message = self.delivery.message.clone();
        message.headers.insert(CAUSE.to_owned(), cause.into());
        // There it stays until a person has read it.
        message.properties.expiration = None;
        self.broker.publish(&dead_letters(&self.shared.options.queue), &message).await?;
        self.shared.status.dead.fetch_add(1, Ordering::Relaxed);
        self.delivery.receipt.ack().await
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}
