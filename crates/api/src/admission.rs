//! Admission: while work waits too long for a processor or for the database, further requests are
//! refused.
//!
//! A queue that only grows answers each request later, until no client waits for it any more. What is
//! measured is how long the runtime takes to run what is ready, and how long a connection to the database
//! is waited for, since that is what a new request would wait for; a number of requests says little about
//! it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use prometheus_client::metrics::gauge::Gauge;
use tower::{Layer, Service};

/// How often the delay is measured while there are many requests.
const PERIOD: Duration = Duration::from_millis(10);

/// With at most so many requests in flight for each thread of the runtime, none is refused: others have
/// the processor, or there is one long task.
const SPARED: i64 = 16;

/// Refuses requests while the runtime or the database is late, together with [`tower::load_shed`], which
/// it must be directly inside of: while work waits longer than the maximum, the service is not ready,
/// and nothing is woken when it is again.
#[derive(Clone, Debug)]
pub struct MaxDelayLayer(Arc<Delay>);

struct Delay {
    max: Duration,
    in_flight: Gauge,
    waits: Box<dyn Fn() -> Duration + Send + Sync>,
    start: Instant,
    /// When the runtime has last run the task that measures, in microseconds since `start`.
    beat: AtomicU64,
    /// Whether that task runs: only while there are many requests.
    beats: AtomicBool,
}

impl fmt::Debug for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delay").field("max", &self.max).finish_non_exhaustive()
    }
}

impl MaxDelayLayer {
    /// Work may wait for `max`. `in_flight` is how many requests there are, the new one included, and
    /// `waits` gives how long a connection to the database is waited for.
    pub fn new(
        max: Duration,
        in_flight: Gauge,
        waits: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        let (beat, beats) = (AtomicU64::new(0), AtomicBool::new(false));
        let (waits, start) = (Box::new(waits), Instant::now());
        Self(Arc::new(Delay { max, in_flight, waits, start, beat, beats }))
    }
}

impl Delay {
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn is_busy(&self) -> bool {
        let in_flight = self.in_flight.get();
        // Mostly there is no need to ask the runtime.
        in_flight > SPARED && {
            let threads = tokio::runtime::Handle::current().metrics().num_workers();
            in_flight > SPARED.saturating_mul(i64::try_from(threads).unwrap_or(i64::MAX))
        }
    }

    /// Whether work that is ready now waits for longer than it may.
    fn is_late(self: &Arc<Self>) -> bool {
        if !self.is_busy() {
            return false;
        }
        if !self.beats.swap(true, Ordering::Relaxed) {
            self.beat.store(self.now(), Ordering::Relaxed);
            tokio::spawn(Arc::clone(self).measure());
            return false;
        }
        let age = self.now().saturating_sub(self.beat.load(Ordering::Relaxed));
        Duration::from_micros(age) > self.max + PERIOD || (self.waits)() > self.max
    }

    async fn measure(self: Arc<Self>) {
        while self.is_busy() {
            self.beat.store(self.now(), Ordering::Relaxed);
            tokio::time::sleep(PERIOD).await;
        }
        self.beats.store(false, Ordering::Relaxed);
    }
}

impl<S> Layer<S> for MaxDelayLayer {
    type Service = MaxDelay<S>;

    fn layer(&self, inner: S) -> MaxDelay<S> {
        MaxDelay { inner, delay: Arc::clone(&self.0) }
    }
}

/// The service of [`MaxDelayLayer`].
#[derive(Clone, Debug)]
pub struct MaxDelay<S> {
    inner: S,
    delay: Arc<Delay>,
}

impl<R, S: Service<R>> Service<R> for MaxDelay<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if self.delay.is_late() {
            return Poll::Pending;
        }
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceBuilder, ServiceExt, service_fn};

    use super::*;

    const MAX: Duration = Duration::from_millis(50);

    async fn answers(layer: &MaxDelayLayer) -> bool {
        let service = ServiceBuilder::new().load_shed().layer(layer.clone());
        let service = service.service(service_fn(async |()| Ok::<_, Infallible>(())));
        service.oneshot(()).await.is_ok()
    }

    /// What keeps the only thread of a test's runtime from anything else.
    fn block() {
        std::thread::sleep(MAX * 2);
    }

    #[tokio::test]
    async fn while_work_waits_too_long_requests_are_refused() {
        let in_flight = Gauge::default();
        let layer = MaxDelayLayer::new(MAX, in_flight.clone(), || Duration::ZERO);
        in_flight.set(SPARED + 1);
        assert!(answers(&layer).await, "nothing has been measured yet");
        block();
        assert!(!answers(&layer).await, "what is ready waits");
        tokio::time::sleep(PERIOD * 2).await;
        assert!(answers(&layer).await, "everything has been run");
    }

    #[tokio::test]
    async fn while_the_database_is_late_requests_are_refused() {
        let (in_flight, late) = (Gauge::default(), Arc::new(AtomicBool::new(true)));
        let waits = Arc::clone(&late);
        let waits = move || if waits.load(Ordering::Relaxed) { MAX * 2 } else { Duration::ZERO };
        let layer = MaxDelayLayer::new(MAX, in_flight.clone(), waits);
        assert!(answers(&layer).await, "there are no requests");
        in_flight.set(SPARED + 1);
        assert!(answers(&layer).await, "the first one only starts to measure");
        assert!(!answers(&layer).await);
        late.store(false, Ordering::Relaxed);
        assert!(answers(&layer).await);
    }

    #[tokio::test]
    async fn a_few_requests_are_never_refused() {
        let in_flight = Gauge::default();
        let layer = MaxDelayLayer::new(MAX, in_flight.clone(), || Duration::ZERO);
        in_flight.set(SPARED + 1);
        assert!(answers(&layer).await);
        in_flight.set(SPARED);
        block();
        assert!(answers(&layer).await);
        // It measures no more, and begins anew later.
        tokio::time::sleep(PERIOD * 2).await;
        block();
        in_flight.set(SPARED + 1);
        assert!(answers(&layer).await);
    }
}
