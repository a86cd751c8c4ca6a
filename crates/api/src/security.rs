//! Tokens and passwords.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use domain::HashedPassword;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;
use tracing::instrument;
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

/// The claims that PyJWT looks at, whatever their type.
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
        secret: &str,
        previous: &[String],
        access_lifetime: TimeDelta,
        reset_lifetime: TimeDelta,
    ) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // Claims are checked below, as PyJWT does it.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: std::iter::once(secret)
                .chain(previous.iter().map(String::as_str))
                .map(|secret| DecodingKey::from_secret(secret.as_bytes()))
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
        let claims = serde_json::to_vec(claims).map_err(internal)?;
        let message = format!("{}.{}", encode(HEADER), encode(&claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.encoding, Algorithm::HS256)
                .map_err(internal)?;
        Ok(format!("{message}.{signature}"))
    }

    /// The user's id, or `None` for a token that is not a valid access token.
    pub fn read_access_token(&self, token: &str) -> Option<Uuid> {
        let claims = self.read(token)?;
        // Only reset tokens say from when on they are valid: one kind never passes for the other.
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

/// Hashes and verifies passwords on a bounded number of threads, so that sign-ins never starve the
/// rest of the service.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    threads: Arc<ThreadPool>,
    /// Passwords that wait for a thread.
    waiting: Gauge,
    done: Counter,
}

/// Verified when the e-mail is unknown, so that the answer takes the same time; no password has it.
const UNKNOWN_USER: &str = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashing is the only work that takes long: it gets what nobody else wants of the processor.
const NICENESS: i32 = 19;

/// pwdlib's defaults: memory in KiB, passes, lanes and length in bytes.
const ARGON2_PARAMS: (u32, u32, u32, usize) = (65_536, 3, 4, 32);
const SALT_LENGTH: usize = 16;

/// Whether a password fits, and a new hash if the stored one is of an older kind.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    Wrong,
    Right,
    Outdated(HashedPassword),
}

impl Passwords {
    /// Prepares hashing on at most `threads` threads at a time.
    pub fn new(threads: usize) -> Result<Self, Error> {
        let (memory, passes, lanes, length) = ARGON2_PARAMS;
        let params = Params::new(memory, passes, lanes, Some(length)).map_err(internal)?;
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params);
        let threads = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|_| "password".to_owned())
            .start_handler(|_| {
                // Where it is not allowed, sign-ins compete with everything else.
                _ = rustix::process::nice(NICENESS);
            })
            .build()
            .map_err(internal)?;
        let (waiting, done) = (Gauge::default(), Counter::default());
        Ok(Self { argon2, threads: Arc::new(threads), waiting, done })
    }

    /// Adds `password_hashes_*` to the metrics of the service.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Passwords that wait for a thread";
        registry.register("password_hashes_waiting", help, self.waiting.clone());
        registry.register("password_hashes", "Passwords hashed or verified", self.done.clone());
    }

    pub async fn hash(&self, password: String) -> Result<HashedPassword, Error> {
        self.run(move |argon2| hash(argon2, &password)).await
    }

    /// Verifies against the user's hash; without a user it takes as long and is wrong.
    pub async fn verify(
        &self,
        password: String,
        hashed: Option<HashedPassword>,
    ) -> Result<Verdict, Error> {
        let known = hashed.is_some();
        let hashed = hashed.unwrap_or_else(|| UNKNOWN_USER.to_owned().into());
        let verdict = self.run(move |argon2| verify(argon2, &password, hashed.as_str())).await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    #[instrument(level = "debug", name = "password", skip_all)]
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let argon2 = self.argon2.clone();
        let (waiting, done) = (self.waiting.clone(), self.done.clone());
        let (answer, result) = oneshot::channel();
        waiting.inc();
        self.threads.spawn(move || {
            waiting.dec();
            // Nobody waits any more for a request that was given up.
            if !answer.is_closed() {
                _ = answer.send(work(&argon2));
                done.inc();
            }
        });
        result.await.map_err(|error| Error::Internal(error.into()))?
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<HashedPassword, Error> {
    let hash: PasswordHash = argon2.hash_password(password.as_bytes()).map_err(internal)?;
    Ok(hash.to_string().into())
}

fn verify(argon2: &Argon2<'_>, password: &str, hashed: &str) -> Result<Verdict, Error> {
    if hashed.starts_with("$2") {
        // bcrypt reads no more than 72 bytes; longer passwords are refused.
        let right = password.len() <= 72 && bcrypt::verify(password, hashed).unwrap_or(false);
        return if right {
            hash(argon2, password).map(Verdict::Outdated)
        } else {
            Ok(Verdict::Wrong)
        };
    }
    let parsed = PasswordHash::new(hashed).map_err(internal)?;
    if argon2.verify_password(password.as_bytes(), &parsed).is_err() {
        Ok(Verdict::Wrong)
    } else if is_current(&parsed) {
        Ok(Verdict::Right)
    } else {
        hash(argon2, password).map(Verdict::Outdated)
    }
}

/// Whether a hash was made with today's parameters.
fn is_current(hash: &PasswordHash) -> bool {
    let (memory, passes, lanes, length) = ARGON2_PARAMS;
    hash.algorithm.as_str() == "argon2id"
        && hash.version == Some(Version::V0x13.into())
        && hash.params.get_decimal("m") == Some(memory)
        && hash.params.get_decimal("t") == Some(passes)
        && hash.params.get_decimal("p") == Some(lanes)
        && hash.salt.as_ref().is_some_and(|salt| salt.len() == SALT_LENGTH)
        && hash.hash.as_ref().is_some_and(|hash| hash.len() == length)
}

fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(error.into())
}
