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
        let fault = |error: std::io::Error| format!("{}: {error}", self.address);
        let has_body = !request.starts_with(b"HEAD ");
        stream.write_all(request).map_err(fault)?;
        let mut buffer = Vec::new();
        let mut chunk = [0; 16 * 1024];
        loop {
            let read = stream.read(&mut chunk).map_err(fault)?;
            buffer.extend(&chunk[..read]);
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
    let mut headers: Vec<_> = response
        .headers
        .iter()
        .map(|header| (header.name.to_lowercase(), String::from_utf8_lossy(header.value).into()))
        .collect();
    let find = |name: &str| -> Option<&String> {
        headers.iter().find(|(header, _)| header == name).map(|(_, value)| value)
    };
    let length = find("content-length").filter(|_| has_body);
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    let keep_alive = find("connection").is_none_or(|value| value != "close");
    if bytes.len() < head + length {
        return Ok(None);
    }
    headers.retain(|(name, _)| !["date", "server", "connection"].contains(&name.as_str()));
    headers.sort();
    let status = response.code.unwrap_or_default();
    let body = bytes[head..head + length].to_vec();
    Ok(Some((Answer { status, headers, body }, keep_alive)))
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
