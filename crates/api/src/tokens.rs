//! Access tokens and reset tokens, as PyJWT writes and reads them.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::Error;

/// Makes and reads the tokens of both kinds, HS256 only.
pub struct Tokens {
    encoding: EncodingKey,
    /// Today's key, then those that were used before it.
    decoding: Vec<DecodingKey>,
    validation: Validation,
    access_lifetime: TimeDelta,
    reset_lifetime: TimeDelta,
}

/// The header as PyJWT writes it; the `Header` of jsonwebtoken has another order.
const HEADER: &[u8] = br#"{"alg":"HS256","typ":"JWT"}"#;

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

/// The claims that PyJWT checks, whatever their type.
#[derive(Deserialize)]
struct Claims {
    exp: Option<Value>,
    nbf: Option<Value>,
    iat: Option<Value>,
    aud: Option<Value>,
    jti: Option<Value>,
    sub: Option<Value>,
}

impl Tokens {
    /// Tokens are made with `secret`; those made with one of the `previous` are still good.
    pub fn new(
        secret: &SecretString,
        previous: &[SecretString],
        access_lifetime: TimeDelta,
        reset_lifetime: TimeDelta,
    ) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Claims are checked below, as PyJWT does it.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self {
            encoding: EncodingKey::from_secret(secret.expose_secret().as_bytes()),
            decoding: std::iter::once(secret)
                .chain(previous)
                .map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes()))
                .collect(),
            validation,
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
        // Only reset tokens have the claim `nbf`: one kind never passes for the other.
        if claims.nbf.is_some() {
            return None;
        }
        Uuid::parse_str(claims.sub?.as_str()?).ok()
    }

    /// The e-mail address, or `None` for a token that is not a valid reset token.
    pub fn read_reset_token(&self, token: &str) -> Option<String> {
        let claims = self.read(token)?;
        claims.nbf?;
        Some(claims.sub?.as_str()?.to_owned())
    }

    /// The claims of a token that PyJWT would accept.
    fn read(&self, token: &str) -> Option<Claims> {
        let decode = |key| jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok();
        let claims = self.decoding.iter().find_map(decode)?.claims;
        let now = domain::now().timestamp();
        let not_before = |claim: &Option<Value>| {
            claim.as_ref().is_none_or(|at| seconds(at).is_some_and(|at| at <= now))
        };
        let is_text = |claim: &Option<Value>| claim.as_ref().is_none_or(Value::is_string);
        let valid = seconds(claims.exp.as_ref()?)? > now
            && not_before(&claims.nbf)
            && not_before(&claims.iat)
            && claims.aud.is_none()
            && is_text(&claims.sub)
            && is_text(&claims.jti);
        valid.then_some(claims)
    }
}

/// A point in time as Python's `int` reads it from a claim.
#[expect(clippy::cast_possible_truncation, reason = "Python truncates as well")]
fn seconds(claim: &Value) -> Option<i64> {
    match claim {
        Value::Number(number) => number.as_i64().or(number.as_f64().map(|seconds| seconds as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
