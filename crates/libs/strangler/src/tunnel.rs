//! Connections that have changed to another protocol, such as WebSockets: bytes pass both ways.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Request;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::io::InspectReader;
use tokio_util::task::TaskTracker;

use crate::events::{Event, Events};

/// The client's half of a tunnel, once it is there.
pub(crate) struct Client(OnUpgrade);

/// What a tunnel may take.
pub(crate) struct Limit {
    /// How long it may carry nothing in either direction.
    pub(crate) idle: Duration,
    /// Held until it ends.
    pub(crate) permit: OwnedSemaphorePermit,
    pub(crate) events: Arc<Events>,
}

impl Client {
    /// Of a request that asks to change the protocol, on a connection that can.
    pub(crate) fn of<B>(request: &mut Request<B>) -> Option<Self> {
        crate::headers::upgrade(request.headers())?;
        request.extensions_mut().remove::<OnUpgrade>().map(Self)
    }

    /// Connects both sides until both have ended or neither has sent anything for too long; `legacy` is
    /// the half of the old service, which agreed.
    pub(crate) fn connect(self, legacy: OnUpgrade, limit: Limit, background: &TaskTracker) {
        background.spawn(async move {
            let Limit { idle, permit: _permit, events } = limit;
            match tokio::try_join!(self.0, legacy) {
                Ok((client, legacy)) => tunnel(client, legacy, idle, &events).await,
                Err(error) => tracing::debug!(%error, "a protocol was not changed"),
            }
        });
    }
}

async fn tunnel(client: Upgraded, legacy: Upgraded, idle: Duration, events: &Events) {
    let activity = Activity::new();
    let half = |upgraded| InspectReader::new(TokioIo::new(upgraded), |_: &[u8]| activity.record());
    let (mut client, mut legacy) = (half(client), half(legacy));
    tokio::select! {
        copied = tokio::io::copy_bidirectional(&mut client, &mut legacy) => {
            if let Err(error) = copied {
                tracing::debug!(%error, "a tunnel broke");
            }
        }
        () = activity.idle(idle) => {
            events.count(Event::IdleTunnel);
            tracing::debug!(seconds = idle.as_secs(), "a tunnel carried nothing and is closed");
        }
    }
}

/// When a tunnel carried something.
struct Activity {
    start: Instant,
    /// Milliseconds from the start to the last bytes.
    last: AtomicU64,
}

impl Activity {
    fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0) }
    }

    fn record(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    /// Waits until there was nothing for so long.
    async fn idle(&self, timeout: Duration) {
        loop {
            let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
            let left = timeout.saturating_sub(self.start.elapsed().saturating_sub(last));
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}
