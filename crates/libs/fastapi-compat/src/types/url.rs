//! `AnyUrl`, `HttpUrl`: pydantic leaves them to the same library.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{ParseError, Url};

use super::text::plural;
use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
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

/// What a kind of URL demands.
struct Rules {
    max_length: Option<usize>,
    schemes: &'static [&'static str],
    needs_host: bool,
}

fn decode(
    input: &Value,
    rules: &Rules,
    constraints: &Constraints,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<Url> {
    errors.fits(Exactness::Lax);
    let Value::Str(text) = input else {
        return errors.add("url_type", at, "URL input should be a string or URL", input, &[]);
    };
    let max_length = constraints.max_length.or(rules.max_length);
    if let Some(max) = max_length.filter(|&max| text.len() > max) {
        let msg = format!("URL should have at most {max} character{}", plural(max));
        return errors.add("url_too_long", at, msg, input, &[("max_length", max.into())]);
    }
    let mut refuse = |error: &str| {
        let msg = format!("Input should be a valid URL, {error}");
        errors.add("url_parsing", at, msg, input, &[("error", error.into())])
    };
    if text.is_empty() {
        return refuse("input is empty");
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(ParseError::IdnaError) if has(Switch::DomainCharacters) => {
            return refuse(&older_domain_error(text).to_string());
        }
        Err(error) => return refuse(&error.to_string()),
    };
    if !rules.schemes.is_empty() && !rules.schemes.contains(&url.scheme()) {
        let schemes: Vec<_> = rules.schemes.iter().map(|scheme| format!("'{scheme}'")).collect();
        let schemes = schemes.join(" or ");
        let msg = format!("URL scheme should be {schemes}");
        return errors.add("url_scheme", at, msg, input, &[("expected_schemes", schemes.into())]);
    }
    if rules.needs_host && !url.has_host() {
        return refuse(&ParseError::EmptyHost.to_string());
    }
    Some(url)
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
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_by_rules(deserializer)
            }
        }
    };
}

const HTTP: Rules = Rules { max_length: None, schemes: &["http", "https"], needs_host: true };
const WEBSOCKET: Rules = Rules { max_length: None, schemes: &["ws", "wss"], needs_host: true };

url_type!(AnyUrl, Rules { max_length: None, schemes: &[], needs_host: false });
url_type!(HttpUrl, Rules { max_length: Some(2083), ..HTTP });
url_type!(AnyHttpUrl, HTTP);
url_type!(FileUrl, Rules { max_length: None, schemes: &["file"], needs_host: false });
url_type!(FtpUrl, Rules { max_length: None, schemes: &["ftp"], needs_host: true });
url_type!(WebsocketUrl, Rules { max_length: Some(2083), ..WEBSOCKET });
url_type!(AnyWebsocketUrl, WEBSOCKET);
