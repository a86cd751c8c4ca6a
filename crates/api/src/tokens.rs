//! Bearer and reset tokens: JSON Web Tokens, HS256 only, read as PyJWT reads them.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use fastapi_compat::{Object, Value};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use uuid::Uuid;

use crate::Error;

/// Makes and reads the tokens of both kinds.
pub struct Tokens {
    encoding: EncodingKey,
    /// Today's key, then those that were used before it.
    decoding: Vec<DecodingKey>,
    access_lifetime: TimeDelta,
    reset_lifetime: TimeDelta,
}

/// The header as PyJWT writes it; the `Header` of jsonwebtoken has another order.
const HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT"}"#;

/// CPython converts no longer texts to integers.
const MAX_INT_DIGITS: usize = 4300;

#[derive(Serialize)]
struct AccessClaims {
    exp: i64,
    sub: Uuid,
}

#[derive(Serialize)]
struct ResetClaims<'a> {
    exp: i64,
    nbf: i64,
    sub: &'a str,
}

impl Tokens {
    /// Tokens are made with `secret`; those made with one of the `previous` are still good.
    pub fn new(
        secret: &SecretString,
        previous: &[SecretString],
        access_lifetime: TimeDelta,
        reset_lifetime: TimeDelta,
    ) -> Self {
        Self {
            encoding: EncodingKey::from_secret(secret.expose_secret().as_bytes()),
            decoding: std::iter::once(secret)
                .chain(previous)
                .map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes()))
                .collect(),
            access_lifetime,
            reset_lifetime,
        }
    }

    pub fn access_token(&self, user_id: Uuid) -> Result<String, Error> {
        let exp = (domain::now() + self.access_lifetime).timestamp();
        self.encode(&AccessClaims { exp, sub: user_id })
    }

    pub fn reset_token(&self, email: &str) -> Result<String, Error> {
        let now = domain::now();
        let exp = (now + self.reset_lifetime).timestamp();
        self.encode(&ResetClaims { exp, nbf: now.timestamp(), sub: email })
    }

    fn encode(&self, claims: &impl Serialize) -> Result<String, Error> {
        let encode = |json: &[u8]| URL_SAFE_NO_PAD.encode(json);
        let claims = serde_json::to_vec(claims).map_err(Error::internal)?;
        let message = format!("{}.{}", encode(HEADER), encode(&claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding, Algorithm::HS256)
                .map_err(Error::internal)?;
        Ok(format!("{message}.{signature}"))
    }

    /// The user's id, or `None` for a token that is not a valid access token.
    pub fn read_access_token(&self, token: &str) -> Option<Uuid> {
        let claims = self.read(token)?;
        // Only reset tokens say from when on they are valid: one kind never passes for the other.
        if claims.get("nbf").is_some() {
            return None;
        }
        Uuid::parse_str(subject(&claims)?.as_str()).ok()
    }

    /// The e-mail address, or `None` for a token that is not a valid reset token.
    pub fn read_reset_token(&self, token: &str) -> Option<String> {
        let claims = self.read(token)?;
        claims.get("nbf")?;
        subject(&claims)
    }

    /// The claims of a token that PyJWT would accept.
    fn read(&self, token: &str) -> Option<Object> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let signature = unpadded(signature)?;
        let is_signed = |key| {
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, Algorithm::HS256)
                .unwrap_or(false)
        };
        let is_authentic = self.decoding.iter().any(is_signed) && is_accepted(&object(header)?);
        if !is_authentic {
            return None;
        }
        let claims = object(payload)?;
        are_valid(&claims, domain::now().timestamp()).then_some(claims)
    }
}

/// A segment without its padding. `None` if the padding does not fit.
fn unpadded(segment: &str) -> Option<&str> {
    let stripped = segment.trim_end_matches('=');
    let padding = segment.len() - stripped.len();
    (padding == 0 || padding <= 2 && segment.len().is_multiple_of(4)).then_some(stripped)
}

/// The object in a segment, as `json.loads` reads it.
fn object(segment: &str) -> Option<Object> {
    match Value::from_json(URL_SAFE_NO_PAD.decode(unpadded(segment)?).ok()?)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Whether the header is one that PyJWT accepts with HS256 alone.
fn is_accepted(header: &Object) -> bool {
    let is_text = |value: &Value| matches!(value, Value::Str(_) | Value::Surrogates(_));
    let is_hs256 =
        matches!(header.get("alg").as_deref(), Some(Value::Str(alg)) if **alg == *"HS256");
    is_hs256
        && header.get("kid").is_none_or(|kid| is_text(&kid))
        // No extension is known that a token could declare to be critical; a payload beside the
        // token is one.
        && header.get("crit").is_none()
        && header.get("b64").as_deref() != Some(&Value::Bool(false))
}

/// Whether PyJWT accepts the claims at this time, in seconds since 1970, requiring `exp` and `sub`.
fn are_valid(claims: &Object, now: i64) -> bool {
    let has_passed = |name| {
        let claim = claims.get(name);
        claim.is_none_or(|at| int(&at).is_some_and(|at| at <= now.into()))
    };
    let is_text = |name| {
        let claim = claims.get(name);
        claim.is_none_or(|claim| matches!(*claim, Value::Str(_) | Value::Surrogates(_)))
    };
    claims.get("exp").and_then(|exp| int(&exp)).is_some_and(|exp| exp > now.into())
        && has_passed("nbf")
        && has_passed("iat")
        && claims.get("aud").is_none_or(|audience| is_false(&audience))
        && claims.get("sub").is_some()
        && is_text("sub")
        && is_text("jti")
}

fn subject(claims: &Object) -> Option<String> {
    match claims.get("sub").as_deref() {
        Some(Value::Str(subject)) => Some(subject.to_string()),
        _ => None,
    }
}

/// Whether Python takes a value for false.
fn is_false(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) | Value::Int(0) => true,
        Value::Float(value) => *value == 0.0,
        Value::Str(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// What Python's `int` makes of a claim; values beyond 128 bits become the smallest or largest.
#[expect(clippy::cast_possible_truncation, reason = "Python truncates as well")]
fn int(claim: &Value) -> Option<i128> {
    match claim {
        Value::Bool(value) => Some((*value).into()),
        Value::Int(value) => Some((*value).into()),
        Value::BigInt(digits) => parse_int(digits),
        Value::Float(value) => value.is_finite().then_some(*value as i128),
        Value::Str(text) => parse_int(text),
        _ => None,
    }
}

/// Python's `int` of a text: blanks around it, a sign, digits with single underscores between them.
/// Only digits of ASCII, whereas Python knows those of all scripts.
fn parse_int(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let groups_are_digits = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()));
    let digits = digits.replace('_', "");
    if !groups_are_digits || digits.len() > MAX_INT_DIGITS {
        return None;
    }
    let largest = if negative { i128::MIN } else { i128::MAX };
    let value = digits.parse::<i128>().map(|value| if negative { -value } else { value });
    Some(value.unwrap_or(largest))
}
