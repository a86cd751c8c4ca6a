//! Passwords: hashing them, and admission to it.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use domain::HashedPassword;
use fastapi_compat::layers::client_disconnected;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;
use tracing::instrument;

use crate::Error;

/// Hashes and verifies passwords on a bounded number of threads, with a bounded queue before them:
/// requests that would wait too long are refused at once, and nothing else waits for them.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    threads: Arc<ThreadPool>,
    queue: Arc<Queue>,
    /// Passwords that wait for a thread.
    waiting: Gauge,
    done: Counter,
    refused: Counter,
}

/// Limits of the queue for a thread.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    /// Requests with a longer estimated wait are refused.
    pub max_wait: Duration,
    /// Maximum number of requests with a permit: the rest of the service needs requests in flight too.
    pub max_requests: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { max_wait: Duration::from_secs(5), max_requests: 512 }
    }
}

#[derive(Debug)]
struct Queue {
    limits: QueueLimits,
    threads: usize,
    /// How many [`HashPermit`]s there are.
    permits: AtomicUsize,
    /// What one password takes, a moving average in microseconds.
    micros: AtomicU64,
}

/// What a password takes until it has been measured: Argon2id with pwdlib's defaults.
const FIRST_ESTIMATE_MICROS: u64 = 150_000;

/// A permit of the queue: the right to hash the passwords of one request. It is given back when this
/// is dropped.
#[derive(Debug)]
pub struct HashPermit {
    queue: Arc<Queue>,
    /// Work that has not been started by then is not started any more.
    deadline: Instant,
    /// Whether work is started for a client that has disconnected.
    outlives_client: bool,
}

impl HashPermit {
    /// The same for a request that changes nothing: its work is not started once the client has
    /// disconnected. A write runs to its end without its client; a sign-in is of use to that client alone.
    #[must_use]
    pub fn while_connected(mut self) -> Self {
        self.outlives_client = false;
        self
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        self.queue.permits.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Queue {
    /// The estimated wait of a request with `ahead` requests before it.
    fn wait(&self, ahead: usize) -> Duration {
        let rounds = ahead / self.threads;
        let micros = self.micros.load(Ordering::Relaxed);
        Duration::from_micros(micros.saturating_mul(rounds as u64))
    }

    fn admits(&self, ahead: usize) -> bool {
        ahead < self.limits.max_requests && self.wait(ahead) <= self.limits.max_wait
    }

    fn took(&self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let average = |before: u64| Some(before.saturating_mul(7).saturating_add(time) / 8);
        _ = self.micros.fetch_update(Ordering::Relaxed, Ordering::Relaxed, average);
    }

    fn busy(&self) -> Error {
        Error::HashingBusy { retry_after: self.wait(self.permits.load(Ordering::Relaxed)) }
    }
}

/// Verified when the e-mail is unknown, so that the answer takes the same time; no password has it.
const UNKNOWN_USER: &str = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The nice value of the threads, so that the rest of the service has priority. A busy processor still
/// gives them a quarter of what it gives another thread (weights 335 and 1,024), or sign-ins would
/// starve.
const NICENESS: i32 = 5;

/// pwdlib's defaults: memory in KiB, passes, lanes and length in bytes.
const ARGON2_PARAMS: (u32, u32, u32, usize) = (65_536, 3, 4, 32);
const SALT_LENGTH: usize = 16;

/// Whether a password fits, and a new hash if the stored one is of an older kind.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    Wrong,
    Right,
    Outdated(HashedPassword),
}

impl Passwords {
    /// Prepares hashing on `threads` threads.
    pub fn new(threads: usize, limits: QueueLimits) -> Result<Self, Error> {
        let (memory, passes, lanes, length) = ARGON2_PARAMS;
        let params = Params::new(memory, passes, lanes, Some(length)).map_err(Error::internal)?;
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params);
        let threads = threads.max(1);
        let queue = Arc::new(Queue {
            limits,
            threads,
            permits: AtomicUsize::new(0),
            micros: AtomicU64::new(FIRST_ESTIMATE_MICROS),
        });
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            // What the work itself does not catch, and the panic hook has logged; without a handler the
            // process would end.
            .panic_handler(drop)
            .thread_name(|_| "password".to_owned())
            .start_handler(|_| {
                // Where it is not allowed, sign-ins compete with everything else.
                _ = rustix::process::nice(NICENESS);
            })
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            argon2,
            threads: Arc::new(pool),
            queue,
            waiting: Gauge::default(),
            done: Counter::default(),
            refused: Counter::default(),
        })
    }

    /// Takes a permit of the queue.
    ///
    /// # Errors
    /// [`Error::HashingBusy`] when the queue is too long.
    pub fn admit(&self) -> Result<HashPermit, Error> {
        let queue = &self.queue;
        let next = |ahead| queue.admits(ahead).then_some(ahead + 1);
        if queue.permits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_err() {
            self.refused.inc();
            return Err(queue.busy());
        }
        // The estimate may be wrong, and some requests have two passwords.
        let deadline = Instant::now() + queue.limits.max_wait * 2;
        Ok(HashPermit { queue: Arc::clone(queue), deadline, outlives_client: true })
    }

    /// Adds `password_hashes_*` to the metrics of the service.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Passwords waiting for a thread";
        registry.register("password_hashes_waiting", help, self.waiting.clone());
        registry.register("password_hashes", "Passwords hashed or verified", self.done.clone());
        let help = "Requests refused because too many passwords were waiting";
        registry.register("password_hashes_refused", help, self.refused.clone());
    }

    pub async fn hash(
        &self,
        permit: &HashPermit,
        password: String,
    ) -> Result<HashedPassword, Error> {
        self.run(permit, move |argon2| hash(argon2, &password)).await
    }

    /// Verifies against the user's hash; without a user it takes as long and is wrong.
    pub async fn verify(
        &self,
        permit: &HashPermit,
        password: String,
        hashed: Option<HashedPassword>,
    ) -> Result<Verdict, Error> {
        let known = hashed.is_some();
        let hashed = hashed.unwrap_or_else(|| UNKNOWN_USER.to_owned().into());
        let verify = move |argon2: &Argon2<'_>| verify(argon2, &password, hashed.as_str());
        let verdict = self.run(permit, verify).await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    #[instrument(level = "debug", name = "password", skip_all)]
    async fn run<T: Send + 'static>(
        &self,
        permit: &HashPermit,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let argon2 = self.argon2.clone();
        let (queue, deadline) = (Arc::clone(&self.queue), permit.deadline);
        let (waiting, done) = (self.waiting.clone(), self.done.clone());
        let (answer, result) = oneshot::channel();
        let started = Arc::new(AtomicBool::new(false));
        let starts = Arc::clone(&started);
        waiting.inc();
        self.threads.spawn(move || {
            waiting.dec();
            // No request waits for it any more: it has timed out, or its client has disconnected.
            if answer.is_closed() {
                return;
            }
            starts.store(true, Ordering::Relaxed);
            let start = Instant::now();
            if start > deadline {
                _ = answer.send(Err(queue.busy()));
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(|| work(&argon2)));
            queue.took(start.elapsed());
            done.inc();
            _ = answer.send(result.unwrap_or_else(|_| Err(Error::internal("hashing panicked"))));
        });
        let mut result = pin!(result);
        // A request is polled again, by another task, when its client disconnects.
        poll_fn(|context| {
            if let Poll::Ready(result) = result.as_mut().poll(context) {
                return Poll::Ready(result.map_err(Error::internal)?);
            }
            let is_wanted = permit.outlives_client || !client_disconnected();
            if is_wanted || started.load(Ordering::Relaxed) {
                return Poll::Pending;
            }
            Poll::Ready(Err(self.queue.busy()))
        })
        .await
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<HashedPassword, Error> {
    let hash: PasswordHash = argon2.hash_password(password.as_bytes()).map_err(Error::internal)?;
    Ok(hash.to_string().into())
}

fn verify(argon2: &Argon2<'_>, password: &str, hashed: &str) -> Result<Verdict, Error> {
    if hashed.starts_with("$2") {
        // bcrypt reads no more than 72 bytes; longer passwords are refused.
        let right = password.len() <= 72 && bcrypt::verify(password, hashed).unwrap_or(false);
        return if right {
            hash(argon2, password).map(Verdict::Outdated)
        } else {
            Ok(Verdict::Wrong)
        };
    }
    let parsed = PasswordHash::new(hashed).map_err(Error::internal)?;
    if argon2.verify_password(password.as_bytes(), &parsed).is_err() {
        Ok(Verdict::Wrong)
    } else if is_current(&parsed) {
        Ok(Verdict::Right)
    } else {
        hash(argon2, password).map(Verdict::Outdated)
    }
}

/// Whether a hash was made with today's parameters.
fn is_current(hash: &PasswordHash) -> bool {
    let (memory, passes, lanes, length) = ARGON2_PARAMS;
    hash.algorithm.as_str() == "argon2id"
        && hash.version == Some(Version::V0x13.into())
        && hash.params.get_decimal("m") == Some(memory)
        && hash.params.get_decimal("t") == Some(passes)
        && hash.params.get_decimal("p") == Some(lanes)
        && hash.salt.as_ref().is_some_and(|salt| salt.len() == SALT_LENGTH)
        && hash.hash.as_ref().is_some_and(|hash| hash.len() == length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_ESTIMATE: Duration = Duration::from_micros(FIRST_ESTIMATE_MICROS);

    fn passwords(limits: QueueLimits) -> Passwords {
        Passwords::new(1, limits).unwrap()
    }

    #[tokio::test]
    async fn a_panic_costs_one_request() {
        let passwords = passwords(QueueLimits::default());
        let permit = passwords.admit().unwrap();
        let panicked = passwords.run::<()>(&permit, |_| panic!("on purpose")).await;
        assert!(matches!(panicked, Err(Error::Internal(_))), "{panicked:?}");
        let hash = passwords.hash(&permit, "a good password".to_owned()).await.unwrap();
        let verdict = passwords.verify(&permit, "a good password".to_owned(), Some(hash)).await;
        assert_eq!(verdict.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn beyond_the_longest_wait_requests_are_refused_at_once() {
        let passwords =
            passwords(QueueLimits { max_wait: FIRST_ESTIMATE * 3, ..QueueLimits::default() });
        let permits: Vec<_> = (0..4).map(|_| passwords.admit().unwrap()).collect();
        let Err(Error::HashingBusy { retry_after }) = passwords.admit() else {
            panic!("the fifth would wait for four others")
        };
        assert_eq!(retry_after, FIRST_ESTIMATE * 4);
        drop(permits);
        passwords.admit().unwrap();
    }

    #[tokio::test]
    async fn however_fast_it_is_others_need_requests_too() {
        let passwords = passwords(QueueLimits { max_requests: 2, ..QueueLimits::default() });
        let _permits = [passwords.admit().unwrap(), passwords.admit().unwrap()];
        assert!(matches!(passwords.admit(), Err(Error::HashingBusy { .. })));
    }

    #[tokio::test]
    async fn late_work_is_not_started() {
        let passwords =
            passwords(QueueLimits { max_wait: Duration::ZERO, ..QueueLimits::default() });
        let permit = passwords.admit().unwrap();
        std::thread::sleep(Duration::from_millis(1));
        let late = passwords.run(&permit, |_| -> Result<(), Error> { panic!("it was started") });
        assert!(matches!(late.await, Err(Error::HashingBusy { .. })));
    }

    #[tokio::test]
    async fn work_for_a_request_that_was_given_up_is_not_started() {
        let passwords = passwords(QueueLimits::default());
        let permit = passwords.admit().unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let first = passwords.run(&permit, move |_| Ok(held.recv().is_ok()));
        tokio::pin!(first);
        let mut second =
            Box::pin(passwords.run(&permit, |_| -> Result<(), Error> { panic!("it was started") }));
        let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
        assert!(first.as_mut().poll(context).is_pending());
        assert!(second.as_mut().poll(context).is_pending());
        drop(second);
        release.send(()).unwrap();
        assert!(first.await.unwrap());
        passwords.run(&permit, |_| Ok(())).await.unwrap();
        assert_eq!(passwords.done.get(), 2);
        assert_eq!(passwords.waiting.get(), 0);
    }
}
