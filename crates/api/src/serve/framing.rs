//! Where requests begin and end on a connection, read as strictly as uvicorn's parser does.
//!
//! hyper takes lines that end with a bare LF, a `Content-Length` beside a `Transfer-Encoding`, and the same
//! `Content-Length` twice, and drops what it does not use before the application sees it. A proxy that
//! reads such a request differently may let a second one pass within it (request smuggling), so the bytes are
//! checked before hyper has them.

use memchr::memchr;

/// How much of a line is kept while its end has not arrived, in bytes. Names and lengths fit.
const MAX_START: usize = 256;

const CONTENT_LENGTH: &[u8] = b"content-length";
const TRANSFER_ENCODING: &[u8] = b"transfer-encoding";

/// What comes next on the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Next {
    /// A request line, or empty lines before it.
    #[default]
    Request,
    Field,
    /// So many bytes.
    Body(u64),
    ChunkSize,
    /// So many bytes.
    Chunk(u64),
    /// The empty line that ends a chunk.
    ChunkEnd,
    Trailer,
}

/// What the fields of a head specify.
#[derive(Debug, Default)]
struct Head {
    length: Option<u64>,
    is_chunked: bool,
    is_upgrade: bool,
}

/// The position in the requests of a connection.
#[derive(Debug, Default)]
pub(super) struct Framing {
    next: Next,
    head: Head,
    /// The start of a line whose end has not arrived.
    start: Vec<u8>,
    /// Whether `start` lacks a part of it.
    is_cut: bool,
    /// Whether the last byte that arrived of it is a CR.
    after_cr: bool,
    /// Whether there was a request for another protocol.
    after_upgrade: bool,
}

/// A request that has to be refused.
#[derive(Debug, PartialEq)]
pub(super) struct Refused {
    /// The index of the LF that ends the line in question, among the bytes that were read last.
    pub(super) line_feed: usize,
    /// It follows a request for another protocol, so that it may be none.
    pub(super) after_upgrade: bool,
}

impl Framing {
    /// Goes on by the bytes that were read.
    ///
    /// # Errors
    /// When a request has to be refused; what follows it is not to be read.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let skipped = match &mut self.next {
                Next::Body(left) | Next::Chunk(left) => {
                    let skipped = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= skipped as u64;
                    Some(skipped)
                }
                _ => None,
            };
            if let Some(skipped) = skipped {
                at += skipped;
                match self.next {
                    Next::Body(0) => self.next = Next::Request,
                    Next::Chunk(0) => self.next = Next::ChunkEnd,
                    _ => {}
                }
                continue;
            }
            let Some(end) = memchr(b'\n', rest) else {
                self.keep(rest);
                break;
            };
            let after_upgrade = self.after_upgrade;
            self.line(&rest[..end]).ok_or(Refused { line_feed: at + end, after_upgrade })?;
            at += end + 1;
        }
        Ok(())
    }

    /// Keeps the start of a line.
    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_START.saturating_sub(self.start.len());
        self.start.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.is_cut |= bytes.len() > room;
        self.after_cr = bytes.last() == Some(&b'\r');
    }

    /// Reads a line, of which `rest` is what was not kept, up to its LF; `None` if it is refused.
    fn line(&mut self, rest: &[u8]) -> Option<()> {
        if self.start.is_empty() {
            if rest.is_empty() && self.next == Next::Request {
                // An empty line before a request may end in any way.
                return Some(());
            }
            return self.whole_line(rest.strip_suffix(b"\r")?, false);
        }
        if !rest.is_empty() {
            self.keep(rest);
        }
        let mut line = std::mem::take(&mut self.start);
        let is_cut = std::mem::take(&mut self.is_cut);
        if !self.after_cr {
            return None;
        }
        if !is_cut {
            line.pop();
        }
        self.whole_line(&line, is_cut)
    }

    /// Reads a line without its end, or the start of one.
    fn whole_line(&mut self, line: &[u8], is_cut: bool) -> Option<()> {
        self.next = match self.next {
            Next::Request if line.is_empty() => Next::Request,
            Next::Request => {
                self.head = Head::default();
                Next::Field
            }
            Next::Field if line.is_empty() => {
                self.after_upgrade |= self.head.is_upgrade;
                match self.head.length {
                    _ if self.head.is_chunked => Next::ChunkSize,
                    None | Some(0) => Next::Request,
                    Some(length) => Next::Body(length),
                }
            }
            Next::Field => {
                self.field(line, is_cut)?;
                Next::Field
            }
            Next::ChunkSize => match chunk_size(line)? {
                0 => Next::Trailer,
                size => Next::Chunk(size),
            },
            Next::ChunkEnd if line.is_empty() => Next::ChunkSize,
            Next::Trailer if line.is_empty() => Next::Request,
            // Who takes trailers as fields of the head would see another length.
            Next::Trailer if is_framing(line) => return None,
            Next::Trailer => Next::Trailer,
            Next::ChunkEnd | Next::Body(_) | Next::Chunk(_) => return None,
        };
        Some(())
    }

    fn field(&mut self, line: &[u8], is_cut: bool) -> Option<()> {
        // Without a colon hyper refuses it.
        let Some(colon) = memchr(b':', line) else { return Some(()) };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let head = &mut self.head;
        if name.eq_ignore_ascii_case(CONTENT_LENGTH) {
            let is_whole = !is_cut && line.len() < MAX_START;
            let length = if is_whole { number(value.trim_ascii(), 10) } else { None };
            if head.is_chunked || head.length.replace(length?).is_some() {
                return None;
            }
        } else if name.eq_ignore_ascii_case(TRANSFER_ENCODING) {
            head.is_chunked = true;
            if head.length.is_some() {
                return None;
            }
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            head.is_upgrade = true;
        }
        Some(())
    }
}

/// Whether a line is a field that specifies where a body ends.
fn is_framing(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    [CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|framing| name.eq_ignore_ascii_case(framing))
}

/// The size at the start of a line, before blanks and extensions.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| matches!(byte, b';' | b' ' | b'\t'));
    let digits = &line[..end.unwrap_or(line.len())];
    // Of so many digits some may not have been kept.
    number(digits, 16).filter(|_| digits.len() < MAX_START)
}

fn number(digits: &[u8], radix: u32) -> Option<u64> {
    // `from_str_radix` takes a sign.
    let digits = str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines after which these bytes are refused, counted from 1, or where they end.
    fn read(bytes: &str, pieces: usize) -> Result<Next, usize> {
        let mut framing = Framing::default();
        let mut before = 0;
        for piece in bytes.as_bytes().chunks(pieces) {
            if let Err(refused) = framing.read(piece) {
                let line_feed = before + refused.line_feed;
                assert_eq!(bytes.as_bytes()[line_feed], b'\n');
                return Err(bytes[..=line_feed].matches('\n').count());
            }
            before += piece.len();
        }
        Ok(framing.next)
    }

    #[test]
    fn however_it_arrives_it_is_read_the_same() {
        let long = "x".repeat(1000);
        let zeros = "0".repeat(1000);
        let cases: [(&str, Result<Next, usize>); 32] = [
            ("GET / HTTP/1.1\r\nhost: x\r\n\r\n", Ok(Next::Request)),
            ("\r\n\r\nGET / HTTP/1.1\r\n\r\n", Ok(Next::Request)),
            ("GET / HTTP/1.1\r\nx: y\r\n", Ok(Next::Field)),
            ("P / H\r\nContent-Length: 5\r\n\r\n\n\n\n", Ok(Next::Body(2))),
            ("P / H\r\nContent-Length: 2\r\n\r\n\n\nP / H\r\n\r\n", Ok(Next::Request)),
            ("P / H\r\ncontent-length:\t2 \r\n\r\n{}", Ok(Next::Request)),
            ("P / H\r\nContent-Length: 0\r\n\r\n", Ok(Next::Request)),
            ("P / H\r\nTransfer-Encoding: chunked\r\n\r\n", Ok(Next::ChunkSize)),
            ("P / H\r\nTransfer-Encoding: x\r\n\r\n1\r\n\n\r\n0\r\n", Ok(Next::Trailer)),
            ("P / H\r\nTransfer-Encoding: x\r\n\r\nA;\"b\r\n123456789\n\r", Ok(Next::ChunkEnd)),
            ("P / H\r\nTransfer-Encoding: x\r\n\r\n0 ;\r\nx: y\r\n\r\nG / H\r\n", Ok(Next::Field)),
            (&format!("G /{long} H\r\n{long}: {long}\r\n\r\n"), Ok(Next::Request)),
            ("GET / HTTP/1.1\nhost: x\r\n\r\n", Err(1)),
            ("GET / HTTP/1.1\r\nhost: x\n\r\n", Err(2)),
            ("GET / HTTP/1.1\r\nhost: x\r\n\n", Err(3)),
            ("\n\r\n\nGET / HTTP/1.1\r\n", Ok(Next::Field)),
            ("\rGET / HTTP/1.1\n", Err(1)),
            ("P / H\r\nTransfer-Encoding: x\r\n\r\n0\r\nContent-Length: 1\r\n\r\n", Err(5)),
            ("P / H\r\nTransfer-Encoding: x\r\n\r\n0\r\nTransfer-Encoding: x\r\n", Err(5)),
            (&format!("G /{long} H\n"), Err(1)),
            ("P / H\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", Err(3)),
            ("P / H\r\nContent-Length: 0\r\nx: y\r\nCONTENT-LENGTH: 0\r\n\r\n", Err(4)),
            ("P / H\r\nContent-Length: 2, 2\r\n\r\n{}", Err(2)),
            ("P / H\r\nContent-Length: +2\r\n\r\n{}", Err(2)),
            (&format!("P / H\r\nContent-Length: {zeros}2\r\n\r\n"), Err(2)),
            ("P / H\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", Err(3)),
            ("P / H\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", Err(3)),
            ("P / H\r\nTransfer-Encoding: x\r\n\r\n2\n{}\r\n", Err(4)),
            ("P / H\r\nTransfer-Encoding: x\r\n\r\n2\r\n{}x\r\n", Err(5)),
            ("P / H\r\nTransfer-Encoding: x\r\n\r\n0\r\nx: y\n\r\n", Err(5)),
            ("P / H\r\nTransfer-Encoding: x\r\n\r\n0x2\r\n", Err(4)),
            (&format!("P / H\r\nTransfer-Encoding: x\r\n\r\n{zeros}2\r\n"), Err(4)),
        ];
        for (bytes, expected) in cases {
            for pieces in [1, 2, 3, 7, bytes.len()] {
                assert_eq!(read(bytes, pieces), expected, "{bytes} in pieces of {pieces}");
            }
        }
    }

    #[test]
    fn what_follows_an_upgrade_may_be_another_protocol() {
        let mut framing = Framing::default();
        framing.read(b"G / H\r\nUpgrade: websocket\r\n\r\n\x81\x07\r\n").unwrap();
        assert!(framing.read(b"\x81\x05\n").unwrap_err().after_upgrade);
        let mut framing = Framing::default();
        framing.read(b"G / H\r\nUpgrade: websocket\r\n").unwrap();
        assert!(!framing.read(b"\x81\x05\n").unwrap_err().after_upgrade);
    }
}
