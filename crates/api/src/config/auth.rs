//! Keys, tokens, the first superuser, and what password hashing may take.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use super::value::{Given, SettingsError, email, list, number, secret, setting};
use super::{Environment, INSECURE_DEFAULT};
use crate::limits::AttemptsPerMinute;

/// What HS256 needs to be as strong as its hash (RFC 7518, 3.2).
const MIN_SECRET_KEY_BYTES: usize = 32;

/// The default limits in production, in requests a minute.
const PRODUCTION_LIMITS: AttemptsPerMinute =
    AttemptsPerMinute { by_address: NonZeroU32::new(60), by_account: NonZeroU32::new(10) };

const YEARS_IN_MINUTES: i64 = 60 * 24 * 365 * 100;

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings: sign-in")]
pub(super) struct AuthArgs {
    /// Key of the tokens, in production of 32 bytes or more [default: changethis, in local only]
    #[arg(long, env, global = true, hide_env_values = true, value_parser = setting(secret))]
    secret_key: Option<Given<SecretString>>,
    /// Keys whose tokens are still accepted, separated by commas, while a new SECRET_KEY takes over
    #[arg(long, env, global = true, hide_env_values = true, value_parser = setting(secrets))]
    previous_secret_keys: Option<Given<Vec<SecretString>>>,
    /// How long a sign-in lasts, in minutes [default: 11520]
    #[arg(long, env, global = true, value_parser = setting(number(1..=YEARS_IN_MINUTES)))]
    access_token_expire_minutes: Option<Given<i64>>,
    /// How long the link in a recovery e-mail works, in hours [default: 48]
    #[arg(long, env, global = true, value_parser = setting(number(1..=YEARS_IN_MINUTES / 60)))]
    email_reset_token_expire_hours: Option<Given<i64>>,
    /// E-mail of the superuser that is created at start [default: admin@example.com]
    #[arg(long, env, global = true, value_parser = setting(email))]
    first_superuser: Option<Given<String>>,
    /// Their password [default: changethis, in local only]
    #[arg(long, env, global = true, hide_env_values = true, value_parser = setting(secret))]
    first_superuser_password: Option<Given<SecretString>>,
    /// Requests a minute from one address that hash a password or recover one, 0 for no limit
    /// [default: 60 in production, else no limit]
    #[arg(long, env, global = true, value_parser = setting(per_minute))]
    sign_in_limit_by_address: Option<Given<Option<NonZeroU32>>>,
    /// The same for one account [default: 10 in production, else no limit]
    #[arg(long, env, global = true, value_parser = setting(per_minute))]
    sign_in_limit_by_account: Option<Given<Option<NonZeroU32>>>,
    /// Number of threads that hash passwords [default: half the processors]
    #[arg(long, env, global = true, value_parser = setting(number(1..=1024_usize)))]
    password_threads: Option<Given<usize>>,
    /// Maximum wait for one of these threads, in seconds; requests that would wait longer get 503 at
    /// once [default: 5]
    #[arg(long, env, global = true, value_parser = setting(number(1..=300_u64)))]
    password_queue_seconds: Option<Given<u64>>,
}

/// Keys, tokens, the first superuser, and what password hashing may take.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    pub secret_key: SecretString,
    pub previous_secret_keys: Vec<SecretString>,
    pub access_token_lifetime: TimeDelta,
    pub reset_token_lifetime: TimeDelta,
    pub first_superuser: String,
    pub first_superuser_password: SecretString,
    pub sign_in_limits: AttemptsPerMinute,
    pub password_threads: usize,
    pub password_queue: Duration,
}

impl AuthSettings {
    pub(super) fn new(
        args: &AuthArgs,
        environment: Environment,
        errors: &mut SettingsError,
    ) -> Self {
        let is_production = environment == Environment::Production;
        let limits = if is_production { PRODUCTION_LIMITS } else { AttemptsPerMinute::default() };
        let minutes = errors.value(args.access_token_expire_minutes.as_ref(), 60 * 24 * 8);
        let hours = errors.value(args.email_reset_token_expire_hours.as_ref(), 48);
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2));
        let secret_key = errors.value(args.secret_key.as_ref(), INSECURE_DEFAULT.into());
        let length = secret_key.expose_secret().len();
        if is_production
            && length < MIN_SECRET_KEY_BYTES
            && secret_key.expose_secret() != INSECURE_DEFAULT
        {
            let needed = format!("has {length} bytes, production needs {MIN_SECRET_KEY_BYTES}");
            errors.add("SECRET_KEY", needed);
        }
        Self {
            secret_key,
            previous_secret_keys: errors.value(args.previous_secret_keys.as_ref(), Vec::new()),
            access_token_lifetime: TimeDelta::minutes(minutes),
            reset_token_lifetime: TimeDelta::hours(hours),
            first_superuser: errors
                .value(args.first_superuser.as_ref(), "admin@example.com".to_owned()),
            first_superuser_password: errors
                .value(args.first_superuser_password.as_ref(), INSECURE_DEFAULT.into()),
            sign_in_limits: AttemptsPerMinute {
                by_address: errors.value(args.sign_in_limit_by_address.as_ref(), limits.by_address),
                by_account: errors.value(args.sign_in_limit_by_account.as_ref(), limits.by_account),
            },
            password_threads: errors.value(args.password_threads.as_ref(), threads),
            password_queue: Duration::from_secs(
                errors.value(args.password_queue_seconds.as_ref(), 5),
            ),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a parser like the others")]
fn secrets(value: &str) -> Result<Vec<SecretString>, String> {
    Ok(list(value).into_iter().map(SecretString::from).collect())
}

fn per_minute(value: &str) -> Result<Option<NonZeroU32>, String> {
    number(0..=1_000_000)(value).map(NonZeroU32::new)
}
