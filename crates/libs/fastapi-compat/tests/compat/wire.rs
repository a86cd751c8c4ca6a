//! A connection that sends bytes as they are.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a side answers, without what names the moment or the connection.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub(crate) struct Connection {
    address: String,
    stream: Option<TcpStream>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> std::io::Result<Self> {
        Ok(Self { address: address.to_owned(), stream: Some(connect(address)?) })
    }

    /// Sends a request; a connection that the server has closed meanwhile is opened again.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<Answer, String> {
        if let Some(stream) = self.stream.take()
            && let Ok(answer) = self.send_over(stream, request)
        {
            return Ok(answer);
        }
        let stream =
            connect(&self.address).map_err(|error| format!("{}: {error}", self.address))?;
        self.send_over(stream, request)
    }

    fn send_over(&mut self, mut stream: TcpStream, request: &[u8]) -> Result<Answer, String> {
        let failure = |error: std::io::Error| format!("{}: {error}", self.address);
        let has_body = !request.starts_with(b"HEAD ");
        stream.write_all(request).map_err(failure)?;
        let mut buffer = Vec::new();
        let mut chunk = [0; 16 * 1024];
        let (mut has_greeted, is_echo) = (false, request.starts_with(b"GET /ws/echo"));
        loop {
            let read = stream.read(&mut chunk).map_err(failure)?;
            buffer.extend(&chunk[..read]);
            if !has_greeted && is_echo && buffer.starts_with(b"HTTP/1.1 101 ") {
                has_greeted = true;
                // The text `hello`, masked with zeros.
                let hello = [&[0x81, 0x85, 0, 0, 0, 0], &b"hello"[..]].concat();
                stream.write_all(&hello).map_err(failure)?;
            }
            if let Some((answer, keep_alive)) = parse(&buffer, has_body)? {
                self.stream = keep_alive.then_some(stream);
                return Ok(answer);
            }
            if read == 0 {
                let said = String::from_utf8_lossy(&buffer);
                return Err(format!("{} closed the connection after '{said}'", self.address));
            }
        }
    }
}

fn connect(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}

/// The answer, as soon as it is whole, and whether the connection stays.
fn parse(bytes: &[u8], has_body: bool) -> Result<Option<(Answer, bool)>, String> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(bytes).map_err(|error| error.to_string())? {
        httparse::Status::Complete(head) => head,
        httparse::Status::Partial => return Ok(None),
    };
    let headers: Vec<_> = response
        .headers
        .iter()
        .map(|header| (header.name.to_lowercase(), String::from_utf8_lossy(header.value).into()))
        .collect();
    let find = |name: &str| -> Option<&String> {
        headers.iter().find(|(header, _)| header == name).map(|(_, value)| value)
    };
    let length = find("content-length").filter(|_| has_body);
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    let status = response.code.unwrap_or_default();
    let is_socket = status == 101;
    let keep_alive = !is_socket && find("connection").is_none_or(|value| value != "close");
    let is_chunked = find("transfer-encoding").is_some_and(|value| value == "chunked") && has_body;
    let body = if is_chunked {
        match unchunk(&bytes[head..]) {
            Some(body) => body,
            None => return Ok(None),
        }
    } else if is_socket {
        // Both sides close after what they have sent.
        match frames(&bytes[head..]) {
            Some(body) => body,
            None => return Ok(None),
        }
    } else if bytes.len() < head + length {
        return Ok(None);
    } else {
        bytes[head..head + length].to_vec()
    };
    let mut answer = Answer { status, headers, body };
    answer.normalise();
    Ok(Some((answer, keep_alive)))
}

/// What chunks hold, once the last one is there.
fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?, 16).ok()?;
        let chunk = bytes.get(end + 2..end + 2 + size)?;
        bytes.get(end + 2 + size..end + 4 + size)?;
        if size == 0 {
            return Some(body);
        }
        body.extend(chunk);
        bytes = &bytes[end + 4 + size..];
    }
}

/// The frames of a WebSocket up to the one that closes it.
fn frames(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    loop {
        let (&kind, &length) = (rest.first()?, rest.get(1)?);
        let length = usize::from(length & 0x7F);
        let (size, head) = match length {
            126 => (usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?])), 4),
            length => (length, 2),
        };
        rest.get(..head + size)?;
        rest = &rest[head + size..];
        if kind & 0x0F == 8 {
            return Some(bytes[..bytes.len() - rest.len()].to_vec());
        }
    }
}

impl Answer {
    /// Takes out what names the moment or is random, and what a compressor may choose.
    fn normalise(&mut self) {
        self.headers.retain(|(name, _)| !["date", "server", "connection"].contains(&name.as_str()));
        let is_gzip =
            self.headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip");
        if is_gzip {
            let mut plain = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(&*self.body);
            if decoder.read_to_end(&mut plain).is_ok() {
                self.body = plain;
                self.headers.retain(|(name, _)| name != "content-length");
            }
        }
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
        for (name, value) in &mut self.headers {
            match name.as_str() {
                // The methods of an operation are a set.
                "allow" => {
                    let mut methods: Vec<_> = value.split(", ").collect();
                    methods.sort_unstable();
                    *value = methods.join(", ");
                }
                "content-type" if value.starts_with("multipart/byteranges; boundary=") => {
                    let boundary = value.split_once('=').map_or("", |(_, boundary)| boundary);
                    let body = self.body.escape_ascii().to_string();
                    self.body = unescape(&body.replace(boundary, "BOUNDARY"));
                    *value = value.replace(boundary, &"B".repeat(boundary.len()));
                }
                "set-cookie" => *value = without_now(value, now),
                _ => {}
            }
        }
        self.headers.sort();
    }
}

/// A cookie whose date, if it is near the moment, is none.
fn without_now(cookie: &str, now: u64) -> String {
    let parts = cookie.split("; ").map(|part| match part.strip_prefix("expires=") {
        Some(date) if near(date, now) => "expires=now".to_owned(),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("; ")
}

/// Whether a date of HTTP is at most a day and some from the moment.
fn near(date: &str, now: u64) -> bool {
    let Some(date) = date.strip_suffix(" GMT").and_then(|date| date.get(5..)) else { return false };
    let parsed = chrono::NaiveDateTime::parse_from_str(date, "%d %b %Y %H:%M:%S");
    let seconds = parsed.map(|date| date.and_utc().timestamp()).ok();
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.is_some_and(|seconds| seconds.abs_diff(now) < 100_000)
}

/// The bytes of what `escape_ascii` has written.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match (byte, byte == b'\\') {
            (_, true) => match rest.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'x') => {
                    let hex: String = rest.by_ref().take(2).map(char::from).collect();
                    u8::from_str_radix(&hex, 16).unwrap_or_default()
                }
                Some(other) => other,
                None => b'\\',
            },
            (byte, false) => byte,
        });
    }
    bytes
}
