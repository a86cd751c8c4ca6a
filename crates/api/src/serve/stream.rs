//! A client's connection, with limits on the memory that it can make the service hold: heads that are
//! never finished, and answers that are never read. Requests whose framing is ambiguous end it.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::BUFFER;
use super::framing::Framing;

/// What every head may take without being counted, in bytes: hyper's first buffer.
const FREE_HEAD: usize = 8 * 1024;

/// Maximum size of all unfinished heads beyond that, in bytes.
const MAX_HEADS: usize = 8 * 1024 * 1024;

/// Maximum size of all answers that wait for their clients to read on, in bytes.
const MAX_UNREAD: usize = 32 * 1024 * 1024;

/// While an answer waits, its client has to read [`MIN_READ`] in this time; in less, the more waits
/// altogether.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// In bytes: 1 KiB each second.
const MIN_READ: usize = 32 * 1024;

/// The interval in which the size of all waiting answers is checked.
const PERIOD: Duration = Duration::from_millis(250);

/// In place of a LF it makes a line invalid wherever one may end: hyper answers 400, after what it owes to
/// the requests before, and closes the connection. hyper parses a head that had arrived in part once more
/// only when there is an empty line.
const INVALID_LINE_END: (u8, &[u8]) = (b'\r', b"\0\r\n\r\n");

const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What all connections hold together, in bytes.
#[derive(Debug, Default)]
pub(super) struct Held {
    heads: AtomicUsize,
    unread: AtomicUsize,
}

impl Held {
    /// The time in which [`MIN_READ`] has to be read: all of it up to half of the maximum, none at the
    /// maximum.
    fn read_timeout(&self) -> Duration {
        let room = MAX_UNREAD.saturating_sub(self.unread.load(Ordering::Relaxed));
        let eighths = u32::try_from(room / (MAX_UNREAD / 16)).unwrap_or(8).min(8);
        READ_TIMEOUT * eighths / 8
    }
}

/// Where a connection is between its requests, for the service and for its stream.
#[derive(Debug)]
pub(super) struct Progress {
    held: Arc<Held>,
    requests: AtomicUsize,
    /// From a request's head to its answer; for ever after a change of protocol.
    answering: AtomicBool,
    /// After a change of protocol.
    upgraded: AtomicBool,
    /// Bytes of the present head that have been read.
    head: AtomicUsize,
}

impl Progress {
    pub(super) fn new(held: &Arc<Held>) -> Self {
        let held = Arc::clone(held);
        let (requests, head, answering, upgraded) = Default::default();
        Self { held, requests, answering, upgraded, head }
    }

    /// The head of a request is complete.
    pub(super) fn begin(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.answering.store(true, Ordering::Relaxed);
    }

    /// The request is answered; another head may come.
    pub(super) fn end(&self) {
        self.answering.store(false, Ordering::Relaxed);
        let counted = counted(self.head.swap(0, Ordering::Relaxed));
        self.held.heads.fetch_sub(counted, Ordering::Relaxed);
    }

    /// What follows is another protocol.
    pub(super) fn upgrade(&self) {
        self.upgraded.store(true, Ordering::Relaxed);
    }

    /// How many requests there have been.
    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Counts what was read, if it belongs to a head. False if all heads together are too large for it.
    fn count(&self, read: usize) -> bool {
        if self.answering.load(Ordering::Relaxed) {
            return true;
        }
        let before = self.head.fetch_add(read, Ordering::Relaxed);
        let more = counted(before + read) - counted(before);
        more == 0 || self.held.heads.fetch_add(more, Ordering::Relaxed) + more <= MAX_HEADS
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// What counts of a head of so many bytes; hyper holds no more than [`BUFFER`].
fn counted(head: usize) -> usize {
    head.min(BUFFER).saturating_sub(FREE_HEAD)
}

/// An answer that waits for its client.
#[derive(Debug)]
struct Stall {
    since: Instant,
    /// Bytes that the client has read since then.
    read: usize,
    /// Bytes that wait, as far as hyper shows them.
    unread: usize,
    next_check: Pin<Box<Sleep>>,
}

/// The stream of a connection.
#[derive(Debug)]
pub(super) struct ClientStream<S> {
    stream: S,
    progress: Arc<Progress>,
    stall: Option<Stall>,
    reading: Reading,
}

/// What is read of a stream.
#[derive(Debug)]
enum Reading {
    Requests(Framing),
    /// These bytes, and no more: a request was refused.
    Last(&'static [u8]),
}

impl<S> ClientStream<S> {
    pub(super) fn new(stream: S, progress: Arc<Progress>) -> Self {
        let reading = Reading::Requests(Framing::default());
        Self { stream, progress, stall: None, reading }
    }

    /// Checks what was read; a line that is refused is made invalid, and what follows is dropped.
    fn check(&mut self, before: usize, buffer: &mut ReadBuf<'_>) -> Result<()> {
        let Reading::Requests(framing) = &mut self.reading else { return Ok(()) };
        if self.progress.upgraded.load(Ordering::Relaxed) {
            return Ok(());
        }
        let read = &mut buffer.filled_mut()[before..];
        let Err(refused) = framing.read(read) else { return Ok(()) };
        if refused.after_upgrade {
            // Another protocol must not be changed.
            buffer.set_filled(before);
            return Err(Error::new(ErrorKind::InvalidData, "bytes before the change of protocol"));
        }
        let (replacement, rest) = INVALID_LINE_END;
        read[refused.line_feed] = replacement;
        buffer.set_filled(before + refused.line_feed + 1);
        self.reading = Reading::Last(rest);
        Ok(())
    }

    fn end_stall(&mut self) {
        if let Some(stall) = self.stall.take() {
            self.progress.held.unread.fetch_sub(stall.unread, Ordering::Relaxed);
        }
    }

    /// After a client has taken `written` of `offered` bytes.
    fn progressed(&mut self, written: usize, offered: usize) {
        if written >= offered {
            self.end_stall();
        } else if let Some(stall) = &mut self.stall {
            stall.read += written;
        }
    }

    /// `offered` bytes wait.
    ///
    /// # Errors
    /// When the client is too slow.
    fn wait(&mut self, offered: usize, context: &mut Context<'_>) -> Poll<Result<usize>> {
        let held = &self.progress.held;
        let stall = self.stall.get_or_insert_with(|| Stall {
            since: Instant::now(),
            read: 0,
            unread: 0,
            next_check: Box::pin(sleep(PERIOD)),
        });
        if stall.unread != offered {
            held.unread.fetch_add(offered, Ordering::Relaxed);
            held.unread.fetch_sub(std::mem::replace(&mut stall.unread, offered), Ordering::Relaxed);
        }
        loop {
            if stall.since.elapsed() >= held.read_timeout() {
                if stall.read < MIN_READ {
                    return Poll::Ready(Err(Error::new(
                        ErrorKind::TimedOut,
                        "the client does not read its answer",
                    )));
                }
                (stall.since, stall.read) = (Instant::now(), 0);
            }
            ready!(stall.next_check.as_mut().poll(context));
            stall.next_check.as_mut().reset(Instant::now() + PERIOD);
        }
    }
}

impl<S> Drop for ClientStream<S> {
    fn drop(&mut self) {
        self.end_stall();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        if let Reading::Last(bytes) = &mut self.reading {
            let (now, later) = bytes.split_at(bytes.len().min(buffer.remaining()));
            buffer.put_slice(now);
            *bytes = later;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.check(before, buffer)?;
        if self.progress.count(buffer.filled().len() - before) {
            return Poll::Ready(Ok(()));
        }
        if self.progress.requests() == 0 {
            // It cannot stand in the middle of another answer. A client that does not read it learns of it
            // by the end of the connection.
            _ = Pin::new(&mut self.stream).poll_write(context, REFUSAL);
        }
        Poll::Ready(Err(Error::new(
            ErrorKind::QuotaExceeded,
            "unfinished heads are too large together",
        )))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(written) => {
                self.progressed(written.as_ref().map_or(0, |written| *written), bytes.len());
                Poll::Ready(written)
            }
            Poll::Pending => self.wait(bytes.len(), context),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let offered = slices.iter().map(|slice| slice.len()).sum();
        match Pin::new(&mut self.stream).poll_write_vectored(context, slices) {
            Poll::Ready(written) => {
                self.progressed(written.as_ref().map_or(0, |written| *written), offered);
                Poll::Ready(written)
            }
            Poll::Pending => self.wait(offered, context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// What a client's socket takes without reading.
    const SOCKET: usize = 64 * 1024;

    fn progress(held: &Arc<Held>) -> Arc<Progress> {
        Arc::new(Progress::new(held))
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_nothing_is_disconnected_in_time() {
        let held = Arc::new(Held::default());
        let (_client, stream) = duplex(SOCKET);
        let mut stream = ClientStream::new(stream, progress(&held));
        let start = Instant::now();
        let error = stream.write_all(&vec![b'x'; 2 * SOCKET]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(
            start.elapsed() >= READ_TIMEOUT && start.elapsed() < READ_TIMEOUT + 2 * PERIOD,
            "{:?}",
            start.elapsed()
        );
        drop(stream);
        assert_eq!(held.unread.load(Ordering::Relaxed), 0);
    }

    /// Whether an answer arrives at a client that reads so much each second.
    async fn arrives(each_second: usize) -> bool {
        let (mut client, stream) = duplex(SOCKET);
        let mut stream = ClientStream::new(stream, progress(&Arc::default()));
        tokio::spawn(async move {
            let mut buffer = vec![0; each_second];
            while client.read_exact(&mut buffer).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        stream.write_all(&vec![b'x'; 4 * SOCKET]).await.is_ok()
    }

    #[tokio::test]
    async fn a_refused_line_is_made_invalid_and_nothing_follows() {
        let request = "GET / HTTP/1.1\r\nx: y\n\r\nGET / HTTP/1.1\r\n\r\n";
        for upgraded in [false, true] {
            let (mut client, stream) = duplex(SOCKET);
            let progress = progress(&Arc::default());
            let mut stream = ClientStream::new(stream, Arc::clone(&progress));
            if upgraded {
                progress.upgrade();
            }
            client.write_all(request.as_bytes()).await.unwrap();
            drop(client);
            let mut read = String::new();
            stream.read_to_string(&mut read).await.unwrap();
            let expected = if upgraded { request } else { "GET / HTTP/1.1\r\nx: y\r\0\r\n\r\n" };
            assert_eq!(read, expected);
        }
    }

    #[tokio::test]
    async fn another_protocol_is_not_changed() {
        let (mut client, stream) = duplex(SOCKET);
        let mut stream = ClientStream::new(stream, progress(&Arc::default()));
        client.write_all(b"GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n\x81\n").await.unwrap();
        let error = stream.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[tokio::test(start_paused = true)]
    async fn who_reads_slowly_gets_all_of_it_and_who_pretends_to_does_not() {
        assert!(arrives(2 * MIN_READ / 30).await);
        assert!(!arrives(MIN_READ / 60).await);
    }

    #[tokio::test(start_paused = true)]
    async fn the_more_waits_the_sooner_clients_are_disconnected() {
        let held = Arc::new(Held::default());
        assert_eq!(held.read_timeout(), READ_TIMEOUT);
        held.unread.store(MAX_UNREAD / 2, Ordering::Relaxed);
        assert_eq!(held.read_timeout(), READ_TIMEOUT);
        held.unread.store(MAX_UNREAD * 3 / 4, Ordering::Relaxed);
        assert_eq!(held.read_timeout(), READ_TIMEOUT / 2);
        held.unread.store(MAX_UNREAD, Ordering::Relaxed);
        let (_client, stream) = duplex(SOCKET);
        let mut stream = ClientStream::new(stream, progress(&held));
        let start = Instant::now();
        assert!(stream.write_all(&vec![b'x'; 2 * SOCKET]).await.is_err());
        assert!(start.elapsed() < PERIOD, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn heads_beyond_what_all_may_take_are_refused_and_bodies_are_not() {
        let held = Arc::new(Held::default());
        let mut connections = Vec::new();
        let mut refused = None;
        for _ in 0..2 * MAX_HEADS / (BUFFER - FREE_HEAD) {
            let (mut client, stream) = duplex(SOCKET);
            let mut stream = ClientStream::new(stream, progress(&held));
            client.write_all(&vec![b'x'; BUFFER]).await.unwrap();
            match stream.read_exact(&mut vec![0; BUFFER]).await {
                Ok(_) => connections.push((client, stream)),
                Err(error) => refused = refused.or(Some((client, error))),
            }
        }
        let (mut client, error) = refused.unwrap();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert_eq!(connections.len(), MAX_HEADS / (BUFFER - FREE_HEAD));

        // What follows a head is its body, until the answer.
        let (client, stream) = &mut connections[0];
        stream.progress.begin();
        for _ in 0..100 {
            client.write_all(&vec![b'x'; BUFFER]).await.unwrap();
            stream.read_exact(&mut vec![0; BUFFER]).await.unwrap();
        }
        stream.progress.end();
        let count = || held.heads.load(Ordering::Relaxed);
        assert_eq!(count(), (connections.len() - 1) * (BUFFER - FREE_HEAD));
        drop(connections);
        assert_eq!(count(), 0);
    }
}
