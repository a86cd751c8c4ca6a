//! How requests are signed in: by bearer token, Basic, an API key, a cookie or a command.

use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::request::Request;

/// What a user signs in with. Values may hold variables (`${token}`, `${env:TOKEN}`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The name with which cases say `as`; none for all requests that name no user.
    pub user: Option<String>,
    pub scheme: Scheme,
}

/// How the value is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    Bearer(String),
    /// `USER:PASSWORD`.
    Basic(String),
    Header(String, String),
    Query(String, String),
    Cookie(String, String),
    /// A command of the shell that prints a bearer token.
    Command(String),
}

impl Scheme {
    /// Everything of it that may hold variables and is secret.
    pub fn value(&self) -> &str {
        match self {
            Self::Bearer(value) | Self::Basic(value) | Self::Command(value) => value,
            Self::Header(_, value) | Self::Query(_, value) | Self::Cookie(_, value) => value,
        }
    }

    /// Where the value is sent, in the words of OpenAPI: `header` and its name, for example.
    pub fn carrier(&self) -> (&'static str, &str) {
        match self {
            Self::Bearer(_) | Self::Basic(_) | Self::Command(_) => ("header", "authorization"),
            Self::Header(name, _) => ("header", name),
            Self::Query(name, _) => ("query", name),
            Self::Cookie(name, _) => ("cookie", name),
        }
    }

    /// Signs a request in with the filled value, unless the case says what is sent there.
    pub(super) fn apply(&self, value: &str, request: &mut Request, is_own: impl Fn(&str) -> bool) {
        let mut set = |name: &str, value: String| {
            if !is_own(name) {
                request.headers.insert(name.to_lowercase(), value);
            }
        };
        match self {
            Self::Bearer(_) | Self::Command(_) => set("authorization", format!("Bearer {value}")),
            Self::Basic(_) => {
                set("authorization", format!("Basic {}", BASE64_STANDARD.encode(value)));
            }
            Self::Header(name, _) => set(name, value.to_owned()),
            Self::Query(name, _) => {
                let separator = if request.target.contains('?') { '&' } else { '?' };
                let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
                request.target =
                    format!("{}{separator}{}={}", request.target, encoded(name), encoded(value));
            }
            Self::Cookie(name, _) => add_cookie(request, name, value),
        }
    }
}

/// Adds a cookie to those that the request has, unless it has that one.
pub(super) fn add_cookie(request: &mut Request, name: &str, value: &str) {
    let cookies = request.headers.entry("cookie".to_owned()).or_default();
    let has = cookies.split(';').any(|cookie| cookie.trim().split('=').next() == Some(name));
    if !has {
        let separator = if cookies.is_empty() { "" } else { "; " };
        cookies.extend([separator, name, "=", value]);
    }
}

impl FromStr for SignIn {
    type Err = String;

    /// `[USER=]SCHEME:VALUE`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, rest) = match text.split_once('=') {
            Some((user, rest)) if !user.contains(':') => (Some(user.to_owned()), rest),
            _ => (None, text),
        };
        let (scheme, value) = rest.split_once(':').unwrap_or((rest, ""));
        let named = || {
            let (name, value) = value.split_once(':').ok_or("NAME:VALUE is needed after it")?;
            Ok::<_, &str>((name.to_owned(), value.to_owned()))
        };
        let scheme = match scheme {
            _ if value.is_empty() => Err("it has no value"),
            "bearer" => Ok(Scheme::Bearer(value.to_owned())),
            "basic" if !value.contains(':') => Err("USER:PASSWORD is needed after it"),
            "basic" => Ok(Scheme::Basic(value.to_owned())),
            "header" => named().map(|(name, value)| Scheme::Header(name, value)),
            "query" => named().map(|(name, value)| Scheme::Query(name, value)),
            "cookie" => named().map(|(name, value)| Scheme::Cookie(name, value)),
            "command" => Ok(Scheme::Command(value.to_owned())),
            _ => Err("it is none of bearer, basic, header, query, cookie and command"),
        };
        let scheme = scheme.map_err(|error| {
            // Not the value, which may be secret.
            let name = rest.split(':').next().unwrap_or_default();
            format!("'{name}': {error}")
        })?;
        Ok(Self { user, scheme })
    }
}

/// What a command prints: the token for one of the services. The command knows which from `SERVICE`
/// (`reference` or `candidate`) and `SERVICE_URL`, which has no slash at its end: a path follows.
///
/// # Errors
/// When it cannot be run, fails, or prints nothing.
pub(super) async fn token(command: &str, service: &str, url: &str) -> Result<String, String> {
    let output = tokio::process::Command::new("sh")
        .args(["-c", command])
        .envs([("SERVICE", service), ("SERVICE_URL", url.trim_end_matches('/'))])
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(format!("it ended with {}: {}", output.status, message.trim()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let token = text.lines().map(str::trim).find(|line| !line.is_empty());
    token.map(ToOwned::to_owned).ok_or_else(|| "it printed no token".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let read = |text: &str| text.parse::<SignIn>();
        let expected = SignIn { user: None, scheme: Scheme::Bearer("a=b:c".into()) };
        assert_eq!(read("bearer:a=b:c"), Ok(expected));
        let expected = SignIn {
            user: Some("bob".into()),
            scheme: Scheme::Header("X-Key".into(), "${env:KEY}".into()),
        };
        assert_eq!(read("bob=header:X-Key:${env:KEY}"), Ok(expected));
        for text in ["bearer", "basic:bob", "query:key", "digest:a:b", "bearer:"] {
            assert!(read(text).is_err(), "{text}");
        }
        let error = read("baerer:s3cret").unwrap_err();
        assert!(!error.contains("s3cret"), "{error}");
    }
}
