//! A connection of the open loop: non-blocking, one request at a time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use crate::load::{Answer, answer};

/// A request that has been given to a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub number: u64,
    pub due: Instant,
}

pub(super) struct Connection {
    pub stream: TcpStream,
    /// What it is to answer; none while it is idle.
    pub current: Option<Sent>,
    /// Since when it has been idle.
    pub idle_since: Instant,
    /// Whether it has answered a request before.
    pub used: bool,
    is_open: bool,
    written: usize,
    /// The answer so far, if it did not come in one piece.
    partial: Vec<u8>,
}

/// What an attempt to go on found.
pub(super) enum Progress {
    /// It waits for the server.
    Waits,
    Answered(Answer),
    /// The server has closed the connection, or it broke; whether some of an answer had come.
    Ended {
        error: String,
        partly: bool,
    },
}

impl Connection {
    /// Begins to connect, without waiting for it.
    pub(super) fn open(address: SocketAddr, now: Instant) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        match connect(&socket, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self {
            stream: TcpStream::from(socket),
            current: None,
            idle_since: now,
            used: false,
            is_open: false,
            written: 0,
            partial: Vec::new(),
        })
    }

    /// Takes a request; [`Self::write`] sends it.
    pub(super) fn take(&mut self, sent: Sent) {
        self.current = Some(sent);
        self.written = 0;
        self.partial.clear();
    }

    /// Sends what is left of a request, as far as the socket takes it.
    pub(super) fn write(&mut self, request: &[u8]) -> io::Result<()> {
        while let Some(rest) = request.get(self.written..).filter(|rest| !rest.is_empty()) {
            match (&self.stream).write(rest) {
                Ok(written) => {
                    self.is_open = true;
                    self.written += written;
                }
                // Still connecting, or the socket is full: epoll reports when it goes on.
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if !self.is_open && error.kind() == ErrorKind::NotConnected => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what has come, up to the end of an answer.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> Progress {
        loop {
            let partly = !self.partial.is_empty();
            let read = match (&self.stream).read(scratch) {
                Ok(0) => {
                    return Progress::Ended { error: "the server closed it".to_owned(), partly };
                }
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Progress::Waits,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if !self.is_open && error.kind() == ErrorKind::NotConnected => {
                    return Progress::Waits;
                }
                Err(error) => return Progress::Ended { error: error.to_string(), partly },
            };
            let bytes = if partly {
                self.partial.extend_from_slice(&scratch[..read]);
                &self.partial[..]
            } else {
                &scratch[..read]
            };
            match answer(bytes) {
                Ok(Some(answer)) if answer.body.end <= bytes.len() => {
                    return Progress::Answered(answer);
                }
                Ok(_) if !partly => self.partial.extend_from_slice(&scratch[..read]),
                Ok(_) => {}
                Err(error) => return Progress::Ended { error: error.to_string(), partly: true },
            }
        }
    }

    /// Is free for another request.
    pub(super) fn rest(&mut self, now: Instant) {
        self.current = None;
        self.idle_since = now;
        self.used = true;
        self.partial.clear();
    }
}
