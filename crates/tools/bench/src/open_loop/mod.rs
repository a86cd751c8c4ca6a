//! An open loop: requests at a fixed rate, whether or not earlier ones have been answered.
//!
//! A latency counts from the moment at which the request was due: a server that is late makes all that
//! come meanwhile late too (no coordinated omission). One thread, non-blocking sockets and epoll;
//! connections are opened as they are needed, up to a maximum. Requests for which none is left wait
//! here, and their waiting counts as well.
//!
//! The generator measures itself: how long it took to send what was due and had a connection. Where that
//! is over [`MAX_LAG`], the rate was not the one that was asked for, and the run has no figures.

mod connection;
mod schedule;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use self::connection::{Connection, Progress, Sent};
use self::schedule::Schedule;
use crate::load::{Request, histogram};

/// 99 of 100 requests are sent within this of when they were due, or the run does not count. An idle
/// virtual machine takes some milliseconds to wake up; a generator that cannot keep up is soon later.
pub(crate) const MAX_LAG: Duration = Duration::from_millis(5);

/// How long answers are waited for once no request is due any more.
const GRACE: Duration =
    if cfg!(test) { Duration::from_millis(300) } else { Duration::from_secs(6) };

/// After so many requests that are sent in a row answers are read, so that their times are right.
const BURST: usize = 32;

/// The event of the timer; connections have their numbers.
const TIMER: u64 = u64::MAX;

/// What is sent, and how fast.
#[derive(Clone, Copy)]
pub(crate) struct OpenLoop<'a> {
    pub requests: &'a [Request],
    pub per_second: f64,
    pub duration: Duration,
    pub max_connections: usize,
}

/// What came of it.
pub(crate) struct Outcome {
    /// Requests that were due.
    pub due: u64,
    /// Answers as they should be, while requests were due.
    pub completed: u64,
    /// All answers, by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Answers with the right status but of another length.
    pub wrong: u64,
    /// Requests whose connection broke or could not be opened.
    pub broken: u64,
    /// Requests that were sent and not answered in time.
    pub unanswered: u64,
    /// Requests that were never sent, because all connections were taken.
    pub unsent: u64,
    /// The first unexpected answers and broken connections.
    pub errors: Vec<String>,
    /// Of answers as they should be, also of those that came late; from when they were due, in
    /// microseconds.
    pub latencies: Histogram<u64>,
    /// From when a request was due and a connection was there to when it was sent, in microseconds.
    pub lag: Histogram<u64>,
    /// The largest number of open connections.
    pub connections: usize,
    pub elapsed: Duration,
}

impl Outcome {
    pub(crate) fn new(due: u64) -> Self {
        Self {
            due,
            completed: 0,
            statuses: BTreeMap::new(),
            wrong: 0,
            broken: 0,
            unanswered: 0,
            unsent: 0,
            errors: Vec::new(),
            latencies: histogram(),
            lag: histogram(),
            connections: 0,
            elapsed: Duration::ZERO,
        }
    }

    /// Whether the generator sent the requests when they were due.
    pub(crate) fn kept_up(&self) -> bool {
        u128::from(self.lag.value_at_percentile(99.0)) <= MAX_LAG.as_micros()
    }

    /// Answers with 429 and 503.
    pub(crate) fn refused(&self) -> u64 {
        [429, 503].iter().filter_map(|status| self.statuses.get(status)).sum()
    }

    /// Requests without an answer as it should be that were not refused either.
    pub(crate) fn failed(&self) -> u64 {
        self.due.saturating_sub(self.latencies.len() + self.refused())
    }

    fn note(&mut self, error: impl FnOnce() -> String) {
        if self.errors.len() < 10 {
            self.errors.push(error());
        }
    }
}

/// Sends the requests in turn, over and over, and waits for the last answers.
///
/// # Errors
/// When epoll or the timer fail; what becomes of requests is in the outcome.
pub(crate) fn run(address: SocketAddr, open_loop: &OpenLoop<'_>) -> io::Result<Outcome> {
    Generator::new(address, *open_loop)?.run()
}

/// Of what is due.
enum Left {
    Nothing,
    More,
    /// The next request waits for a connection.
    WithoutConnection,
}

struct Generator<'a> {
    address: SocketAddr,
    open_loop: OpenLoop<'a>,
    schedule: Schedule,
    start: Instant,
    epoll: OwnedFd,
    timer: OwnedFd,
    connections: Vec<Option<Connection>>,
    /// Those that wait for a request; the last one was used last and is used next.
    idle: Vec<usize>,
    /// Where a connection has ended.
    vacant: Vec<usize>,
    in_flight: usize,
    /// When a request last found no connection.
    exhausted: Option<Instant>,
    /// Requests whose kept connection turned out to have been closed.
    again: Vec<Sent>,
    /// The number of the next request.
    next: u64,
    outcome: Outcome,
    scratch: Vec<u8>,
}

impl<'a> Generator<'a> {
    fn new(address: SocketAddr, open_loop: OpenLoop<'a>) -> io::Result<Self> {
        let schedule = Schedule::new(open_loop.per_second, open_loop.duration);
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN | EventFlags::ET)?;
        Ok(Self {
            address,
            open_loop,
            schedule,
            start: Instant::now(),
            epoll,
            timer,
            connections: Vec::new(),
            idle: Vec::new(),
            vacant: Vec::new(),
            in_flight: 0,
            exhausted: None,
            again: Vec::new(),
            next: 0,
            outcome: Outcome::new(schedule.total()),
            scratch: vec![0; 64 * 1024],
        })
    }

    fn run(mut self) -> io::Result<Outcome> {
        let mut events = Vec::with_capacity(256);
        let end = self.open_loop.duration;
        let mut gave_up = false;
        loop {
            let elapsed = self.start.elapsed();
            let left = if gave_up { Left::Nothing } else { self.send_due(elapsed) };
            let is_over = elapsed >= end;
            // What is due and finds no connection at the end is not sent any more.
            gave_up |= is_over && matches!(left, Left::WithoutConnection);
            let is_done = gave_up || (self.again.is_empty() && self.next == self.schedule.total());
            if elapsed >= end + GRACE || (is_over && is_done && self.in_flight == 0) {
                break;
            }
            self.wait(is_over, matches!(left, Left::More), &mut events)?;
            for event in events.drain(..) {
                let data = event.data.u64();
                if let Ok(index) = usize::try_from(data)
                    && data != TIMER
                {
                    self.proceed(index);
                }
            }
        }
        Ok(self.finish())
    }

    /// Sends what is due, up to a number of requests.
    fn send_due(&mut self, elapsed: Duration) -> Left {
        let due = self.schedule.due_by(elapsed);
        for _ in 0..BURST {
            let sent = match self.again.pop() {
                Some(again) => again,
                None if self.next < due => {
                    let due = self.start + self.schedule.due(self.next);
                    self.next += 1;
                    Sent { number: self.next - 1, due }
                }
                None => return Left::Nothing,
            };
            if !self.send(sent) {
                // It is the next one again as soon as a connection is free.
                self.again.push(sent);
                return Left::WithoutConnection;
            }
        }
        Left::More
    }

    /// Gives a request to a connection; false if all are taken.
    fn send(&mut self, sent: Sent) -> bool {
        let now = Instant::now();
        let index = match self.idle.pop() {
            Some(index) => index,
            None => match self.open(now) {
                Ok(Some(index)) => index,
                Ok(None) => {
                    self.exhausted = Some(now);
                    return false;
                }
                Err(error) => {
                    self.outcome.broken += 1;
                    self.outcome.note(|| error.to_string());
                    return true;
                }
            },
        };
        let Some(connection) = self.connections[index].as_mut() else { return true };
        // Those that found no connection could not have been sent before this one was free.
        let waited = self.exhausted.is_some_and(|exhausted| exhausted >= sent.due);
        let possible = if waited { connection.idle_since.max(sent.due) } else { sent.due };
        record(&mut self.outcome.lag, now.saturating_duration_since(possible));
        connection.take(sent);
        self.in_flight += 1;
        self.write(index);
        true
    }

    /// Opens another connection; none if there are as many as there may be.
    fn open(&mut self, now: Instant) -> io::Result<Option<usize>> {
        let index = match self.vacant.last() {
            Some(&index) => index,
            None if self.connections.len() < self.open_loop.max_connections => {
                self.connections.len()
            }
            None => return Ok(None),
        };
        let connection = Connection::open(self.address, now)?;
        let data = EventData::new_u64(index as u64);
        let interest = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, &connection.stream, data, interest)?;
        if self.vacant.pop().is_some() {
            self.connections[index] = Some(connection);
        } else {
            self.connections.push(Some(connection));
        }
        let open = self.connections.len() - self.vacant.len();
        self.outcome.connections = self.outcome.connections.max(open);
        Ok(Some(index))
    }

    fn request(&self, number: u64) -> &'a Request {
        let count = self.open_loop.requests.len();
        &self.open_loop.requests[usize::try_from(number).unwrap_or_default() % count]
    }

    fn write(&mut self, index: usize) {
        let current = self.connections[index].as_ref().and_then(|it| it.current);
        let Some(sent) = current else { return };
        let request = self.request(sent.number);
        let written = self.connections[index].as_mut().map(|it| it.write(&request.bytes));
        if let Some(Err(error)) = written {
            self.end(index, error.to_string(), false);
        }
    }

    /// Writes and reads what epoll has reported to be possible.
    fn proceed(&mut self, index: usize) {
        self.write(index);
        let Some(connection) = self.connections[index].as_mut() else { return };
        match connection.read(&mut self.scratch) {
            Progress::Waits => {}
            Progress::Ended { error, partly } => self.end(index, error, partly),
            Progress::Answered(answer) => {
                let now = Instant::now();
                let Some(sent) = connection.current else {
                    return self.end(index, "an answer without a request".to_owned(), true);
                };
                if answer.closes {
                    self.remove(index);
                } else {
                    connection.rest(now);
                    self.idle.push(index);
                }
                self.in_flight -= 1;
                self.count(sent, answer.status, answer.body.len(), now);
            }
        }
    }

    fn count(&mut self, sent: Sent, status: u16, length: usize, now: Instant) {
        let request = self.request(sent.number);
        *self.outcome.statuses.entry(status).or_default() += 1;
        if status != request.status {
            return self.outcome.note(|| format!("status {status}"));
        }
        if request.length.as_ref().is_some_and(|allowed| !allowed.contains(&length)) {
            self.outcome.wrong += 1;
            return self.outcome.note(|| format!("status {status} with {length} bytes"));
        }
        record(&mut self.outcome.latencies, now.saturating_duration_since(sent.due));
        if now <= self.start + self.open_loop.duration {
            self.outcome.completed += 1;
        }
    }

    /// A connection has ended; a request on one that had waited, and of which nothing was answered, is
    /// sent once more, as clients do.
    fn end(&mut self, index: usize, error: String, partly: bool) {
        let Some(connection) = self.remove(index) else { return };
        let Some(sent) = connection.current else { return };
        self.in_flight -= 1;
        if connection.used && !partly {
            self.again.push(sent);
        } else {
            self.outcome.broken += 1;
            self.outcome.note(|| error);
        }
    }

    /// Closes a connection, which epoll then forgets.
    fn remove(&mut self, index: usize) -> Option<Connection> {
        let connection = self.connections[index].take()?;
        self.idle.retain(|&idle| idle != index);
        self.vacant.push(index);
        Some(connection)
    }

    /// Waits until a socket is ready or the next request is due.
    fn wait(
        &mut self,
        is_over: bool,
        is_behind: bool,
        events: &mut Vec<epoll::Event>,
    ) -> io::Result<()> {
        let at_once = Timespec::default();
        let timeout = is_behind.then_some(&at_once);
        if !is_behind {
            self.arm(is_over)?;
        }
        match epoll::wait(&self.epoll, spare_capacity(events), timeout) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Sets the timer to when the next request is due, or to the end.
    fn arm(&self, is_over: bool) -> io::Result<()> {
        let until = if is_over {
            self.open_loop.duration + GRACE
        } else if self.again.is_empty() && self.next < self.schedule.total() {
            self.schedule.due(self.next)
        } else {
            // What is to be sent next has no connection, or there is nothing more to send.
            self.open_loop.duration
        };
        let left = until.saturating_sub(self.start.elapsed());
        let mut value = Timespec::try_from(left).unwrap_or_default();
        // Zero would disarm it.
        value.tv_nsec = value.tv_nsec.max(1);
        let timer = Itimerspec { it_interval: Timespec::default(), it_value: value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &timer)?;
        Ok(())
    }

    fn finish(mut self) -> Outcome {
        let end = self.start + self.open_loop.duration;
        let outcome = &mut self.outcome;
        outcome.elapsed = self.start.elapsed();
        outcome.unanswered = self.in_flight as u64;
        let waiting = self.again.len() as u64;
        let left = self.schedule.total() - self.next;
        outcome.unsent = left + waiting;
        // A generator that left requests, of which none waits for a connection, was late itself.
        if waiting == 0 && left > 0 {
            let late = end.saturating_duration_since(self.start + self.schedule.due(self.next));
            outcome.lag.saturating_record_n(micros(late), left);
        }
        self.outcome
    }
}

fn record(histogram: &mut Histogram<u64>, duration: Duration) {
    histogram.saturating_record(micros(duration));
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
