//! The bodies of requests and responses while they are forwarded, with limits on time and rate.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use pin_project_lite::pin_project;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::Sleep;

use crate::events::{Event, Events};

/// Bodies up to this size are taken by the connection at once, whether or not the client reads them.
const SMALL: u64 = 64 * 1024;
/// How many frames of a response are read before the client takes them.
const READ_AHEAD: usize = 4;

/// The progress of a request's body.
#[derive(Debug)]
pub(crate) struct Progress {
    start: Instant,
    /// Milliseconds from the start to the last frame.
    moved: AtomicU64,
    bytes: AtomicU64,
    /// The client is waited for.
    waiting: AtomicBool,
    failed: AtomicBool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            moved: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        }
    }

    fn record(&self, bytes: usize) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(millis, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The time since the last frame, or since the start.
    pub(crate) fn idle(&self) -> Duration {
        let moved = Duration::from_millis(self.moved.load(Ordering::Relaxed));
        self.start.elapsed().saturating_sub(moved)
    }

    /// How long the client may go on sending, if it is the client that is waited for: it has twice
    /// the timeout, and a second more for each `rate` bytes that it has sent.
    pub(crate) fn left(&self, timeout: Duration, rate: u64) -> Option<Duration> {
        let seconds = self.bytes.load(Ordering::Relaxed) / rate.max(1);
        let allowed = timeout * 2 + Duration::from_secs(seconds);
        self.is_waiting().then(|| allowed.saturating_sub(self.start.elapsed()))
    }

    /// Whether the next bytes have to come from the client.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether the client broke the body off, or sent what is no body.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

pin_project! {
    /// The body of a request, whose progress is recorded.
    pub(crate) struct Upload {
        #[pin]
        pub(crate) inner: Body,
        pub(crate) progress: Arc<Progress>,
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.project();
        let frame = this.inner.poll_frame(context);
        this.progress.waiting.store(frame.is_pending(), Ordering::Relaxed);
        let frame = ready!(frame);
        match &frame {
            Some(Ok(frame)) => this.progress.record(frame.data_ref().map_or(0, Bytes::len)),
            Some(Err(_)) => this.progress.failed.store(true, Ordering::Relaxed),
            None => this.progress.record(0),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of a response that has none, but its length.
pub(crate) struct Unsent {
    pub(crate) length: u64,
}

impl http_body::Body for Unsent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

/// Why a response ends before its end.
#[derive(Debug, thiserror::Error)]
enum Aborted {
    #[error("no byte from legacy in time")]
    Legacy,
    #[error("the client took nothing in time")]
    Client,
}

/// How fast a client has to take a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How long it may take nothing.
    pub(crate) timeout: Duration,
    /// The lowest rate, in bytes a second, once it has been waited for for twice the timeout.
    pub(crate) rate: u64,
}

impl Pace {
    /// How long a client may be waited for once more, that has taken so many bytes and been waited for
    /// for so long.
    fn left(self, bytes: u64, waited: Duration) -> Duration {
        let allowed = self.timeout * 2 + Duration::from_secs(bytes / self.rate.max(1));
        allowed.saturating_sub(waited).min(self.timeout)
    }
}

/// A response's body that holds a permit until legacy has sent it. It fails when legacy sends nothing
/// for longer than the timeout, or the client is slower than the pace. How it ends before its end is
/// counted.
pub(crate) fn download(
    body: hyper::body::Incoming,
    pace: Pace,
    permit: OwnedSemaphorePermit,
    events: Arc<Events>,
) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    if body.size_hint().exact().is_some_and(|size| size <= SMALL) {
        let (timeout, idle) = (pace.timeout, tokio::time::sleep(pace.timeout));
        let left = Left { events, event: Some(Event::ClientLeft) };
        return Body::new(Small { inner: body, timeout, idle, permit: Some(permit), left });
    }
    let (sender, frames) = mpsc::channel(READ_AHEAD);
    let left = body.size_hint().exact();
    tokio::spawn(async move {
        let _permit = permit;
        let mut body = pin!(body);
        let (mut taken, mut waited) = (0, Duration::ZERO);
        // At its end nothing else is taken where the length is known.
        while !body.is_end_stream() {
            let frame = tokio::select! {
                frame = tokio::time::timeout(pace.timeout, body.frame()) => frame,
                // The client has left: legacy's work is cancelled.
                () = sender.closed() => return events.count(Event::ClientLeft),
            };
            let (frame, is_last) = match frame {
                Ok(Some(Ok(frame))) => (Sent::Frame(frame), false),
                Ok(Some(Err(error))) => (Sent::Failed(axum::Error::new(error)), true),
                Ok(None) => (Sent::End, true),
                Err(_) => (Sent::Failed(axum::Error::new(Aborted::Legacy)), true),
            };
            if let Sent::Failed(_) = frame {
                events.count(Event::CutByLegacy);
            }
            let length = frame.length();
            let start = Instant::now();
            let sent = sender.send_timeout(frame, pace.left(taken, waited)).await;
            (taken, waited) = (taken + length, waited + start.elapsed());
            match sent {
                Ok(()) if !is_last => {}
                Ok(()) | Err(SendTimeoutError::Closed(Sent::End)) => return,
                Err(SendTimeoutError::Timeout(_)) => return events.count(Event::CutByClient),
                Err(SendTimeoutError::Closed(_)) => return events.count(Event::ClientLeft),
            }
        }
    });
    Body::new(Download { frames, left })
}

pin_project! {
    /// A response's body that the client's connection has room for.
    struct Small {
        #[pin]
        inner: hyper::body::Incoming,
        timeout: Duration,
        #[pin]
        idle: Sleep,
        permit: Option<OwnedSemaphorePermit>,
        left: Left,
    }
}

/// Counts what becomes of a body when it is dropped.
struct Left {
    events: Arc<Events>,
    event: Option<Event>,
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Some(event) = self.event {
            self.events.count(event);
        }
    }
}

impl http_body::Body for Small {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut this = self.project();
        let Poll::Ready(frame) = this.inner.as_mut().poll_frame(context) else {
            ready!(this.idle.poll(context));
            this.left.event = Some(Event::CutByLegacy);
            return Poll::Ready(Some(Err(axum::Error::new(Aborted::Legacy))));
        };
        this.idle.as_mut().reset(tokio::time::Instant::now() + *this.timeout);
        match &frame {
            Some(Err(_)) => this.left.event = Some(Event::CutByLegacy),
            Some(Ok(_)) if this.inner.is_end_stream() => this.left.event = None,
            Some(Ok(_)) => {}
            None => {
                this.left.event = None;
                this.permit.take();
            }
        }
        Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// What is passed from legacy's connection to the client's.
enum Sent {
    Frame(Frame<Bytes>),
    Failed(axum::Error),
    End,
}

impl Sent {
    /// The bytes of the body that it has.
    fn length(&self) -> u64 {
        match self {
            Self::Frame(frame) => frame.data_ref().map_or(0, Bytes::len) as u64,
            Self::Failed(_) | Self::End => 0,
        }
    }
}

struct Download {
    frames: Receiver<Sent>,
    /// The bytes that are still to come, if that is known.
    left: Option<u64>,
}

impl http_body::Body for Download {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.is_end_stream() {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(self.frames.poll_recv(context)) {
            Some(Sent::Frame(frame)) => {
                let length = frame.data_ref().map_or(0, Bytes::len) as u64;
                self.left = self.left.map(|left| left.saturating_sub(length));
                Some(Ok(frame))
            }
            Some(Sent::Failed(error)) => Some(Err(error)),
            Some(Sent::End) => None,
            // Without an end: the client was too slow.
            None => Some(Err(axum::Error::new(Aborted::Client))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_time_for_what_it_takes() {
        let pace = Pace { timeout: Duration::from_secs(10), rate: 100 };
        for (bytes, waited, left) in
            [(0, 0, 10), (0, 15, 5), (0, 20, 0), (500, 20, 5), (500, 30, 0), (100_000, 500, 10)]
        {
            let expected = Duration::from_secs(left);
            assert_eq!(pace.left(bytes, Duration::from_secs(waited)), expected, "{bytes} {waited}");
        }
    }
}
