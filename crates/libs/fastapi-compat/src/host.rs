//! The `Host` header as Starlette parses it.

use std::net::{Ipv6Addr, SocketAddr};

use http::header;
use http::request::Parts;

use crate::scheme::scheme;

/// The address of the socket that a request came in by, in the extensions of the request. Redirects
/// name it if the request has no valid `Host`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddr(pub SocketAddr);

/// Host and port of a header: a name, an address, or an IP literal in brackets.
pub(crate) struct Host<'a> {
    pub(crate) host: &'a str,
    port: Option<&'a str>,
}

impl<'a> Host<'a> {
    /// Starlette's `parse_host_header`.
    pub(crate) fn parse(header: &'a str) -> Option<Self> {
        let (host, port) = match header.strip_prefix('[') {
            Some(rest) => {
                let (literal, rest) = rest.split_once(']')?;
                is_literal(literal).then_some(())?;
                (&header[..literal.len() + 2], rest)
            }
            None => header.split_at(header.find(':').unwrap_or(header.len())),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "._~%!$&'()*+,;=-".contains(c);
        if !host.starts_with('[') && (host.is_empty() || !host.chars().all(is_name)) {
            return None;
        }
        let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
        let is_number =
            |port: &str| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit());
        port.is_none_or(is_number).then_some(Self { host, port })
    }

    /// The port, if it is one that there can be.
    fn port(&self) -> Result<Option<u16>, std::num::ParseIntError> {
        let digits = self.port.map(|port| port.trim_start_matches('0'));
        digits.map(|digits| if digits.is_empty() { Ok(0) } else { digits.parse() }).transpose()
    }
}

fn is_literal(literal: &str) -> bool {
    if let Some(future) = literal.strip_prefix('v') {
        let is_address = |c: char| c.is_ascii_alphanumeric() || "._~!$&'()*+,;=:-".contains(c);
        return future.split_once('.').is_some_and(|(version, address)| {
            !version.is_empty()
                && version.chars().all(|c| c.is_ascii_hexdigit())
                && !address.is_empty()
                && address.chars().all(is_address)
        });
    }
    literal.parse::<Ipv6Addr>().is_ok()
}

/// The `Host` of a request, if it is text.
pub(crate) fn host_header(request: &Parts) -> Option<&str> {
    request.headers.get(header::HOST)?.to_str().ok()
}

/// Host and port of a request's URL: those of its header, else of its socket.
pub(crate) fn authority(request: &Parts) -> String {
    let header = host_header(request);
    let is_valid = |header: &&str| Host::parse(header).is_some_and(|host| host.port().is_ok());
    if let Some(header) = header.filter(is_valid) {
        return header.to_owned();
    }
    let default_port = match scheme(&request.extensions) {
        "https" | "wss" => ":443",
        _ => ":80",
    };
    match request.extensions.get::<LocalAddr>() {
        Some(LocalAddr(local)) => {
            let local = SocketAddr::new(local.ip().to_canonical(), local.port());
            let text = local.to_string();
            text.strip_suffix(default_port).map(str::to_owned).unwrap_or(text)
        }
        None => "127.0.0.1".to_owned(),
    }
}

/// The authority for another scheme: without a port that is one of HTTP's, and then as Python's
/// `urlsplit(…).hostname` has it, in small letters and without brackets.
pub(crate) fn without_default_port(authority: &str) -> String {
    match Host::parse(authority) {
        Some(host) if matches!(host.port(), Ok(Some(80 | 443))) => {
            let name = host.host.trim_start_matches('[').trim_end_matches(']');
            name.to_lowercase()
        }
        _ => authority.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_parsed_as_starlette_parses_them() {
        for good in ["a", "a.b:80", "[::1]", "[::1]:8000", "a%b", "[v1.x:y]:1", "A_b~", "a:00080"] {
            assert!(Host::parse(good).is_some(), "{good}");
        }
        for bad in ["", "a b", "a:", "a:b", "[::1", "[x]", "[::1]x", "a/b", "a@b", "é", "a:1:2"] {
            assert!(Host::parse(bad).is_none(), "{bad}");
        }
        assert!(Host::parse("a:65536").is_some_and(|host| host.port().is_err()));
        assert_eq!(without_default_port("Example.com:443"), "example.com");
        assert_eq!(without_default_port("Example.com"), "Example.com");
    }
}
