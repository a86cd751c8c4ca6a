//! As much of an HTTP client as the checks need: one request on one connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::BoxError;

const TIMEOUT: Duration = Duration::from_mins(1);

pub(crate) struct Answer {
    pub status: u16,
    pub body: String,
}

/// Sends a request to a port of this machine. `headers` are whole lines, each with its end.
///
/// # Errors
/// When there is no answer, or none that is HTTP.
pub(crate) fn send(
    port: u16,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Result<Answer, BoxError> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}\
         Content-Length: {}\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or("the answer is not HTTP")?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    Ok(Answer { status, body: body.unwrap_or_default() })
}

/// The status of a GET.
///
/// # Errors
/// As [`send`].
pub(crate) fn get(port: u16, path: &str) -> Result<u16, BoxError> {
    Ok(send(port, "GET", path, "", "")?.status)
}

/// The status of a POST of JSON.
///
/// # Errors
/// As [`send`].
pub(crate) fn post(port: u16, path: &str, json: &str) -> Result<u16, BoxError> {
    Ok(send(port, "POST", path, "Content-Type: application/json\r\n", json)?.status)
}

/// Signs in. Gives the status.
///
/// # Errors
/// As [`send`].
pub(crate) fn sign_in(port: u16, email: &str, password: &str) -> Result<u16, BoxError> {
    let email = email.replace('@', "%40");
    let body = format!("username={email}&password={password}");
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    Ok(send(port, "POST", "/api/v1/login/access-token", headers, &body)?.status)
}
