//! `AnyUrl`, `HttpUrl`: pydantic leaves them to the same library.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{ParseError, SyntaxViolation, Url};

use super::text::plural;
use crate::choice::alternatives;
use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_strictly};
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

/// A URL of any scheme.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnyUrl(pub Url);

/// A URL with `http` or `https`, of at most 2,083 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HttpUrl(pub Url);

/// A URL with `http` or `https`, of any length.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnyHttpUrl(pub Url);

/// A URL with `file`, which needs no host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileUrl(pub Url);

/// A URL with `ftp`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FtpUrl(pub Url);

/// A URL with `ws` or `wss`, of at most 2,083 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WebsocketUrl(pub Url);

/// A URL with `ws` or `wss`, of any length.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnyWebsocketUrl(pub Url);

/// What a kind of URL demands, and what it has by default.
pub(super) struct Rules {
    pub max_length: Option<usize>,
    pub schemes: &'static [&'static str],
    pub needs_host: bool,
    pub default_host: Option<&'static str>,
    pub default_port: Option<u16>,
    pub default_path: Option<&'static str>,
}

impl Rules {
    /// Any URL.
    pub(super) const ANY: Self = Self {
        max_length: None,
        schemes: &[],
        needs_host: false,
        default_host: None,
        default_port: None,
        default_path: None,
    };
}

/// A URL, which may have several hosts.
pub(super) trait Parsed: Sized {
    /// Parses it; in strict mode without any leniency.
    fn parse(text: &str, is_strict: bool) -> Result<Self, UrlError>;

    /// The URL with all its parts and one host.
    fn url(&mut self) -> &mut Url;
}

/// Why a text is no URL.
pub(super) enum UrlError {
    Parsing(ParseError),
    /// What strict mode does not let pass.
    Violation(SyntaxViolation),
}

impl Parsed for Url {
    fn parse(text: &str, is_strict: bool) -> Result<Self, UrlError> {
        if !is_strict {
            return Self::parse(text).map_err(UrlError::Parsing);
        }
        let violation = Cell::new(None);
        let keep = |found| {
            if found != SyntaxViolation::EmbeddedCredentials {
                violation.set(Some(found));
            }
        };
        let parsed = Self::options().syntax_violation_callback(Some(&keep)).parse(text);
        let url = parsed.map_err(UrlError::Parsing)?;
        violation.take().map_or(Ok(url), |violation| Err(UrlError::Violation(violation)))
    }

    fn url(&mut self) -> &mut Url {
        self
    }
}

pub(super) fn decode<U: Parsed>(
    input: &Value,
    rules: &Rules,
    constraints: &Constraints,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<U> {
    errors.fits(Exactness::Lax);
    if matches!(input, Value::Surrogates(_)) {
        return errors.not_unicode(at, input);
    }
    let Value::Str(text) = input else {
        return errors.add("url_type", at, "URL input should be a string or URL", input, &[]);
    };
    let max_length = constraints.max_length.or(rules.max_length);
    if let Some(max) = max_length.filter(|&max| text.len() > max) {
        let msg = format!("URL should have at most {max} character{}", plural(max));
        return errors.add("url_too_long", at, msg, input, &[("max_length", max.into())]);
    }
    let is_strict = errors.is_strict || constraints.strict;
    let mut refuse = |error: &str| {
        let msg = format!("Input should be a valid URL, {error}");
        errors.add("url_parsing", at, msg, input, &[("error", error.into())])
    };
    if text.is_empty() {
        return refuse("input is empty");
    }
    let mut parsed = match U::parse(text, is_strict) {
        Ok(parsed) => parsed,
        Err(UrlError::Parsing(ParseError::IdnaError)) if has(Switch::DomainCharacters) => {
            return refuse(&older_domain_error(text).to_string());
        }
        Err(UrlError::Parsing(error)) => return refuse(&error.to_string()),
        Err(UrlError::Violation(violation)) => {
            let error = violation.description();
            let msg = format!("Input violated strict URL syntax rules, {error}");
            return errors.add("url_syntax_violation", at, msg, input, &[("error", error.into())]);
        }
    };
    let url = parsed.url();
    if !rules.schemes.is_empty() && !rules.schemes.contains(&url.scheme()) {
        let schemes = rules.schemes.iter().map(|scheme| format!("'{scheme}'"));
        let schemes = alternatives(schemes.collect());
        let msg = format!("URL scheme should be {schemes}");
        return errors.add("url_scheme", at, msg, input, &[("expected_schemes", schemes.into())]);
    }
    if !url.has_host() {
        let set = match rules.default_host {
            Some(host) => url.set_host(Some(host)),
            None if rules.needs_host => Err(ParseError::EmptyHost),
            None => Ok(()),
        };
        if let Err(error) = set {
            return refuse(&error.to_string());
        }
    }
    if let Some(port) = rules.default_port
        && url.port().is_none()
        && url.set_port(Some(port)).is_err()
    {
        return refuse(&ParseError::EmptyHost.to_string());
    }
    if let Some(path) = rules.default_path
        && matches!(url.path(), "" | "/")
    {
        url.set_path(path);
    }
    Some(parsed)
}

/// Why a domain is refused, where characters are checked behind its conversion to ASCII.
fn older_domain_error(text: &str) -> ParseError {
    let start = text.find("//").map_or(0, |slashes| slashes + 2);
    let host = text[start..].split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let host = percent_encoding::percent_decode_str(host).decode_utf8_lossy();
    let is_forbidden = |c: char| c.is_ascii_control() || " %<>[]^|".contains(c);
    let others: String = host.chars().map(|c| if is_forbidden(c) { 'a' } else { c }).collect();
    match Url::parse(&format!("http://{others}")) {
        Err(ParseError::IdnaError) if host == "xn--" => ParseError::EmptyHost,
        Err(error) => error,
        Ok(_) => ParseError::InvalidDomainCharacter,
    }
}

macro_rules! url_type {
    ($name:ident, $rules:expr) => {
        impl Decode for $name {
            const ACCEPTS: Accepts = Accepts::LENGTH.and(Accepts::IN_STRICT);

            json_schema!();

            fn name(_: &Constraints) -> Cow<'static, str> {
                "function-wrap[wrap_val()]".into()
            }

            fn decode(
                input: &Value,
                constraints: &Constraints,
                at: &Loc<'_>,
                errors: &mut Errors,
            ) -> Option<Self> {
                decode(input, &$rules, constraints, at, errors).map(Self)
            }

            fn meets(&self, constraints: &Constraints) -> bool {
                // The limit is on what was sent, which is not known any more.
                constraints.max_length.is_none()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // In a strict model, too.
                deserialize_strictly(deserializer)
            }
        }
    };
}
pub(super) use url_type;

const HTTP: Rules = Rules { schemes: &["http", "https"], needs_host: true, ..Rules::ANY };
const WEBSOCKET: Rules = Rules { schemes: &["ws", "wss"], needs_host: true, ..Rules::ANY };

url_type!(AnyUrl, Rules::ANY);
url_type!(HttpUrl, Rules { max_length: Some(2083), ..HTTP });
url_type!(AnyHttpUrl, HTTP);
url_type!(FileUrl, Rules { schemes: &["file"], ..Rules::ANY });
url_type!(FtpUrl, Rules { schemes: &["ftp"], needs_host: true, ..Rules::ANY });
url_type!(WebsocketUrl, Rules { max_length: Some(2083), ..WEBSOCKET });
url_type!(AnyWebsocketUrl, WEBSOCKET);
