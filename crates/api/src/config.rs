//! The settings: environment, `.env` and flags, the names of `python-legacy/app/config.py`.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono::TimeDelta;
use fastapi_compat::{EmailStr, TrustedProxies};
use http::Uri;
use lettre::message::Mailbox;
use storage::DatabaseUrl;
use url::Url;

use crate::limits::AttemptsPerMinute;

const INSECURE_DEFAULT: &str = "changethis";

/// The settings as they are given; every flag is an environment variable too.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
pub struct SettingsArgs {
    /// Where the data is: sqlite:… or postgresql:… [default: sqlite:///./molt.db]
    #[arg(long, env, global = true, hide_env_values = true)]
    database_url: Option<String>,
    /// A replica of a PostgreSQL database; lists are read from it and may be a moment old
    #[arg(long, env, global = true, hide_env_values = true)]
    database_replica_url: Option<String>,
    /// Largest number of connections to the database [default: 10]
    #[arg(long, env, global = true)]
    database_pool_size: Option<String>,
    /// Longest wait for a connection to the database, in seconds [default: 5]
    #[arg(long, env, global = true)]
    database_timeout_seconds: Option<String>,
    /// Longest time for a statement on PostgreSQL, in seconds, at most that for a request
    /// [default: REQUEST_TIMEOUT_SECONDS]
    #[arg(long, env, global = true)]
    database_statement_timeout_seconds: Option<String>,
    /// Whether `serve` brings the schema up to date [default: true in local]
    #[arg(long, env, global = true)]
    migrate_on_start: Option<String>,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, env, global = true)]
    host: Option<String>,
    /// Port to listen on, 0 for any free one [default: 8000]
    #[arg(long, env, global = true)]
    port: Option<String>,
    /// Proxies whose X-Forwarded-Proto is believed, separated by commas, or * [default: 127.0.0.1]
    #[arg(long, env, global = true)]
    forwarded_allow_ips: Option<String>,
    /// Name of the service in its documentation and e-mails [default: Molt]
    #[arg(long, env, global = true)]
    project_name: Option<String>,
    /// Prefix of every path [default: /api/v1]
    #[arg(long, env = "API_V1_STR", global = true)]
    api_v1_str: Option<String>,
    /// local, staging or production [default: local]
    #[arg(long, env, global = true)]
    environment: Option<String>,
    /// Key of the tokens [default: changethis, in local only]
    #[arg(long, env, global = true, hide_env_values = true)]
    secret_key: Option<String>,
    /// Keys whose tokens are still accepted, separated by commas, while a new SECRET_KEY takes over
    #[arg(long, env, global = true, hide_env_values = true)]
    previous_secret_keys: Option<String>,
    /// How long a sign-in lasts, in minutes [default: 11520]
    #[arg(long, env, global = true)]
    access_token_expire_minutes: Option<String>,
    /// Where the links in e-mails lead; always an allowed origin [default: http://localhost:5173]
    #[arg(long, env, global = true)]
    frontend_host: Option<String>,
    /// Further allowed origins, separated by commas
    #[arg(long, env, global = true)]
    backend_cors_origins: Option<String>,
    /// E-mail of the superuser that is created at start [default: admin@example.com]
    #[arg(long, env, global = true)]
    first_superuser: Option<String>,
    /// Their password [default: changethis, in local only]
    #[arg(long, env, global = true, hide_env_values = true)]
    first_superuser_password: Option<String>,
    /// Mail server; e-mail is sent when this and EMAILS_FROM_EMAIL are set
    #[arg(long, env, global = true)]
    smtp_host: Option<String>,
    /// Its port [default: 587]
    #[arg(long, env, global = true)]
    smtp_port: Option<String>,
    /// Whether to use STARTTLS [default: true]
    #[arg(long, env, global = true)]
    smtp_tls: Option<String>,
    /// Whether to use TLS from the start [default: false]
    #[arg(long, env, global = true)]
    smtp_ssl: Option<String>,
    /// User at the mail server
    #[arg(long, env, global = true)]
    smtp_user: Option<String>,
    /// Their password
    #[arg(long, env, global = true, hide_env_values = true)]
    smtp_password: Option<String>,
    /// Address of the sender
    #[arg(long, env, global = true)]
    emails_from_email: Option<String>,
    /// Name of the sender [default: the name of the service]
    #[arg(long, env, global = true)]
    emails_from_name: Option<String>,
    /// How long the link in a recovery e-mail works, in hours [default: 48]
    #[arg(long, env, global = true)]
    email_reset_token_expire_hours: Option<String>,
    /// An address that tests may write to [default: test@example.com]
    #[arg(long, env, global = true)]
    email_test_user: Option<String>,
    /// Largest body of a request, in bytes [default: 2097152]
    #[arg(long, env, global = true)]
    body_limit_bytes: Option<String>,
    /// Longest time for a request, in seconds [default: 30]
    #[arg(long, env, global = true)]
    request_timeout_seconds: Option<String>,
    /// How many requests may be answered at a time; the rest gets 503 at once [default: 2048]
    #[arg(long, env, global = true)]
    max_in_flight: Option<String>,
    /// Sign-ins and password recoveries a minute from one address [default: no limit]
    #[arg(long, env, global = true)]
    sign_in_limit_by_address: Option<String>,
    /// Sign-ins and password recoveries a minute for one account [default: no limit]
    #[arg(long, env, global = true)]
    sign_in_limit_by_account: Option<String>,
    /// Whether answers carry security headers and X-Request-Id, as python-legacy's do not
    /// [default: false]
    #[arg(long, env, global = true)]
    security_headers: Option<String>,
    /// Port for /livez, /readyz, /metrics and the strangler's page, 0 for any free one
    /// [default: none, 9000 with LEGACY_URL]
    #[arg(long, env, global = true)]
    management_port: Option<String>,
    /// Address of the management port [default: that of HOST]
    #[arg(long, env, global = true)]
    management_host: Option<String>,
    /// The old service; what the plan leaves to it is passed on
    #[arg(long, env, global = true)]
    legacy_url: Option<String>,
    /// Longest silence of the old service, in seconds [default: 60]
    #[arg(long, env, global = true)]
    legacy_timeout_seconds: Option<String>,
    /// Largest number of requests at the old service at a time [default: 1024]
    #[arg(long, env, global = true)]
    legacy_max_in_flight: Option<String>,
    /// File that says who answers which operation, read again when it changes
    #[arg(long, env, global = true)]
    strangler_plan: Option<String>,
    /// Password of the strangler's page [default: a new one at each start, printed]
    #[arg(long, env, global = true, hide_env_values = true)]
    strangler_password: Option<String>,
    /// How long requests are still taken after SIGTERM, in seconds [default: 0 in local, else 5]
    #[arg(long, env, global = true)]
    drain_seconds: Option<String>,
    /// How many passwords are hashed at a time [default: half the processors]
    #[arg(long, env, global = true)]
    password_threads: Option<String>,
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub database_url: DatabaseUrl,
    /// `None` if everything is read from the database itself.
    pub database_replica: Option<Url>,
    pub database_pool: storage::Pool,
    pub migrate_on_start: bool,
    pub host: String,
    pub port: u16,
    pub forwarded_allow_ips: TrustedProxies,
    pub project_name: String,
    pub api_v1_str: String,
    pub environment: Environment,
    pub secret_key: String,
    pub previous_secret_keys: Vec<String>,
    pub access_token_lifetime: TimeDelta,
    pub frontend_host: String,
    pub cors_origins: Vec<String>,
    pub first_superuser: String,
    pub first_superuser_password: String,
    /// `None` if e-mail is not configured.
    pub smtp: Option<Smtp>,
    pub reset_token_lifetime: TimeDelta,
    pub body_limit_bytes: usize,
    pub request_timeout: Duration,
    pub max_in_flight: usize,
    pub sign_in_limits: AttemptsPerMinute,
    pub security_headers: bool,
    pub password_threads: usize,
    /// Where the management port listens, if there is one.
    pub management: Option<(String, u16)>,
    pub drain: Duration,
    /// `None` if there is no old service.
    pub legacy: Option<Legacy>,
}

/// The old service and how it is asked.
#[derive(Clone, Debug)]
pub struct Legacy {
    pub url: Uri,
    pub timeout: Duration,
    pub max_in_flight: usize,
    pub plan: Option<PathBuf>,
    pub password: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    Local,
    Staging,
    Production,
}

#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    pub credentials: Option<(String, String)>,
    pub from: Mailbox,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    None,
    StartTls,
    Implicit,
}

/// Every fault of the settings.
#[derive(Debug, PartialEq, Eq)]
pub struct Faults(Vec<String>);

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad settings:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl Faults {
    fn add<T>(&mut self, name: &str, fault: impl fmt::Display) -> Option<T> {
        self.0.push(format!("{name}: {fault}"));
        None
    }

    /// The value parsed, or the default; an empty value counts as none.
    fn read<T>(
        &mut self,
        name: &str,
        value: Option<&String>,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T
    where
        T: Clone,
    {
        let Some(text) = value.filter(|text| !text.is_empty()) else {
            return default;
        };
        parse(text).unwrap_or_else(|fault| {
            self.add::<T>(name, fault);
            default
        })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a parser like the others")]
fn text(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

fn number<T: FromStr + PartialOrd + fmt::Display>(
    range: std::ops::RangeInclusive<T>,
) -> impl FnOnce(&str) -> Result<T, String> {
    move |value| {
        let number = value.trim().parse().ok().filter(|number| range.contains(number));
        let (low, high) = range.into_inner();
        number.ok_or_else(|| format!("'{value}' is not a whole number from {low} to {high}"))
    }
}

fn boolean(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => Err(format!("'{value}' is neither true nor false")),
    }
}

fn per_minute(value: &str) -> Result<Option<NonZeroU32>, String> {
    number(1..=1_000_000)(value).map(NonZeroU32::new)
}

/// What stands between commas.
fn list(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

fn email(value: &str) -> Result<String, String> {
    EmailStr::parse(value)
        .map(EmailStr::into_string)
        .map_err(|reason| format!("'{value}' is not an e-mail address: {reason}"))
}

fn origin(value: &str) -> Result<String, String> {
    let origin = value.trim().trim_end_matches('/');
    match Url::parse(origin) {
        Ok(url) if url.has_host() && url.path() == "/" && url.query().is_none() => {
            Ok(origin.to_owned())
        }
        _ => Err(format!("'{value}' is not an origin such as https://app.example.com")),
    }
}

fn environment(value: &str) -> Result<Environment, String> {
    match value {
        "local" => Ok(Environment::Local),
        "staging" => Ok(Environment::Staging),
        "production" => Ok(Environment::Production),
        _ => Err(format!("'{value}' is none of local, staging and production")),
    }
}

impl Settings {
    /// Checks the settings; all faults are named at once.
    #[expect(clippy::too_many_lines, reason = "a few lines for each setting")]
    pub fn new(args: &SettingsArgs) -> Result<Self, Faults> {
        const YEARS_IN_MINUTES: i64 = 60 * 24 * 365 * 100;
        let mut faults = Faults(Vec::new());
        let f = &mut faults;
        let changethis = || INSECURE_DEFAULT.to_owned();

        let environment =
            f.read("ENVIRONMENT", args.environment.as_ref(), Environment::Local, environment);
        let local = environment == Environment::Local;
        let project_name =
            f.read("PROJECT_NAME", args.project_name.as_ref(), "Molt".to_owned(), text);
        let frontend_host = f.read(
            "FRONTEND_HOST",
            args.frontend_host.as_ref(),
            "http://localhost:5173".to_owned(),
            |value| origin(value).map(|_| value.to_owned()),
        );
        let mut cors_origins = f.read(
            "BACKEND_CORS_ORIGINS",
            args.backend_cors_origins.as_ref(),
            Vec::new(),
            |value| list(value).iter().map(|value| origin(value)).collect(),
        );
        cors_origins.push(frontend_host.trim_end_matches('/').to_owned());
        let database_wait = f.read(
            "DATABASE_TIMEOUT_SECONDS",
            args.database_timeout_seconds.as_ref(),
            5,
            number(1..=300),
        );
        let request_timeout = f.read(
            "REQUEST_TIMEOUT_SECONDS",
            args.request_timeout_seconds.as_ref(),
            30,
            number(1..=3600),
        );
        let statement_timeout = f.read(
            "DATABASE_STATEMENT_TIMEOUT_SECONDS",
            args.database_statement_timeout_seconds.as_ref(),
            request_timeout,
            number(1..=request_timeout),
        );
        let access_minutes = f.read(
            "ACCESS_TOKEN_EXPIRE_MINUTES",
            args.access_token_expire_minutes.as_ref(),
            60 * 24 * 8,
            number(1..=YEARS_IN_MINUTES),
        );
        let reset_hours = f.read(
            "EMAIL_RESET_TOKEN_EXPIRE_HOURS",
            args.email_reset_token_expire_hours.as_ref(),
            48,
            number(1..=YEARS_IN_MINUTES / 60),
        );
        f.read("EMAIL_TEST_USER", args.email_test_user.as_ref(), String::new(), email);
        let legacy = legacy(args, f);
        let host = f.read("HOST", args.host.as_ref(), "127.0.0.1".to_owned(), text);
        let management_host =
            f.read("MANAGEMENT_HOST", args.management_host.as_ref(), host.clone(), text);
        let management_port = f.read(
            "MANAGEMENT_PORT",
            args.management_port.as_ref(),
            legacy.as_ref().map(|_| 9000),
            |value| number(0..=65535)(value).map(Some),
        );
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get().div_ceil(2));

        let settings = Self {
            database_url: f.read(
                "DATABASE_URL",
                args.database_url.as_ref(),
                DatabaseUrl::Sqlite("./molt.db".to_owned()),
                |value| value.parse().map_err(|fault: storage::DatabaseUrlError| fault.to_string()),
            ),
            database_replica: f.read(
                "DATABASE_REPLICA_URL",
                args.database_replica_url.as_ref(),
                None,
                |value| match value.parse() {
                    Ok(DatabaseUrl::Postgres(url)) => Ok(Some(url)),
                    Ok(DatabaseUrl::Sqlite(_)) => Err("SQLite has no replicas".to_owned()),
                    Err(fault) => Err(fault.to_string()),
                },
            ),
            database_pool: storage::Pool {
                size: f.read(
                    "DATABASE_POOL_SIZE",
                    args.database_pool_size.as_ref(),
                    10,
                    number(1..=1000),
                ),
                wait: Duration::from_secs(database_wait),
                statement_timeout: Duration::from_secs(statement_timeout),
            },
            migrate_on_start: f.read(
                "MIGRATE_ON_START",
                args.migrate_on_start.as_ref(),
                local,
                boolean,
            ),
            host,
            port: f.read("PORT", args.port.as_ref(), 8000, number(0..=65535)),
            forwarded_allow_ips: f.read(
                "FORWARDED_ALLOW_IPS",
                args.forwarded_allow_ips.as_ref(),
                TrustedProxies::new(["127.0.0.1".to_owned()]),
                |value| Ok(TrustedProxies::new(list(value))),
            ),
            smtp: smtp(args, &project_name, f),
            project_name,
            api_v1_str: f.read(
                "API_V1_STR",
                args.api_v1_str.as_ref(),
                "/api/v1".to_owned(),
                |value| match value.strip_prefix('/') {
                    Some(rest) if !rest.ends_with('/') && !rest.contains('{') => text(value),
                    _ => Err(format!("'{value}' is not a path such as /api/v1")),
                },
            ),
            environment,
            secret_key: f.read("SECRET_KEY", args.secret_key.as_ref(), changethis(), text),
            previous_secret_keys: f.read(
                "PREVIOUS_SECRET_KEYS",
                args.previous_secret_keys.as_ref(),
                Vec::new(),
                |value| Ok(list(value)),
            ),
            access_token_lifetime: TimeDelta::minutes(access_minutes),
            frontend_host,
            cors_origins,
            first_superuser: f.read(
                "FIRST_SUPERUSER",
                args.first_superuser.as_ref(),
                "admin@example.com".to_owned(),
                email,
            ),
            first_superuser_password: f.read(
                "FIRST_SUPERUSER_PASSWORD",
                args.first_superuser_password.as_ref(),
                changethis(),
                text,
            ),
            reset_token_lifetime: TimeDelta::hours(reset_hours),
            body_limit_bytes: f.read(
                "BODY_LIMIT_BYTES",
                args.body_limit_bytes.as_ref(),
                2 * 1024 * 1024,
                number(1..=usize::MAX),
            ),
            request_timeout: Duration::from_secs(request_timeout),
            max_in_flight: f.read(
                "MAX_IN_FLIGHT",
                args.max_in_flight.as_ref(),
                2048,
                number(1..=1_000_000),
            ),
            sign_in_limits: AttemptsPerMinute {
                by_address: f.read(
                    "SIGN_IN_LIMIT_BY_ADDRESS",
                    args.sign_in_limit_by_address.as_ref(),
                    None,
                    per_minute,
                ),
                by_account: f.read(
                    "SIGN_IN_LIMIT_BY_ACCOUNT",
                    args.sign_in_limit_by_account.as_ref(),
                    None,
                    per_minute,
                ),
            },
            security_headers: f.read(
                "SECURITY_HEADERS",
                args.security_headers.as_ref(),
                false,
                boolean,
            ),
            password_threads: f.read(
                "PASSWORD_THREADS",
                args.password_threads.as_ref(),
                threads,
                number(1..=1024),
            ),
            management: management_port.map(|port| (management_host, port)),
            drain: Duration::from_secs(f.read(
                "DRAIN_SECONDS",
                args.drain_seconds.as_ref(),
                if local { 0 } else { 5 },
                number(0..=600),
            )),
            legacy,
        };
        if !local {
            for name in settings.insecure_defaults() {
                faults.add::<()>(name, "still has the default value; set a secret of your own");
            }
            // A new one would have to be printed, into a log that many read.
            if settings.legacy.as_ref().is_some_and(|legacy| legacy.password.is_none()) {
                faults.add::<()>("STRANGLER_PASSWORD", "set one for the strangler's page");
            }
        }
        if faults.0.is_empty() { Ok(settings) } else { Err(faults) }
    }

    /// The secrets that still have their default value.
    pub fn insecure_defaults(&self) -> Vec<&'static str> {
        [
            ("SECRET_KEY", Some(&self.secret_key)),
            ("FIRST_SUPERUSER_PASSWORD", Some(&self.first_superuser_password)),
            ("the password in DATABASE_URL", self.database_url.password().as_ref()),
        ]
        .into_iter()
        .filter(|(_, secret)| secret.is_some_and(|secret| secret == INSECURE_DEFAULT))
        .map(|(name, _)| name)
        .collect()
    }
}

fn legacy(args: &SettingsArgs, f: &mut Faults) -> Option<Legacy> {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let timeout = f.read(
        "LEGACY_TIMEOUT_SECONDS",
        args.legacy_timeout_seconds.as_ref(),
        60,
        number(1..=3600),
    );
    let max_in_flight = f.read(
        "LEGACY_MAX_IN_FLIGHT",
        args.legacy_max_in_flight.as_ref(),
        1024,
        number(1..=1_000_000),
    );
    let url = f.read("LEGACY_URL", args.legacy_url.as_ref(), None, |value| {
        origin(value)?.parse().map(Some).map_err(|fault| format!("'{value}': {fault}"))
    })?;
    Some(Legacy {
        url,
        timeout: Duration::from_secs(timeout),
        max_in_flight,
        plan: given(&args.strangler_plan).map(PathBuf::from),
        password: given(&args.strangler_password),
    })
}

fn smtp(args: &SettingsArgs, project_name: &str, f: &mut Faults) -> Option<Smtp> {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let port = f.read("SMTP_PORT", args.smtp_port.as_ref(), 587, number(1..=65535));
    let implicit = f.read("SMTP_SSL", args.smtp_ssl.as_ref(), false, boolean);
    let start_tls = f.read("SMTP_TLS", args.smtp_tls.as_ref(), true, boolean);
    let from = f.read("EMAILS_FROM_EMAIL", args.emails_from_email.as_ref(), String::new(), email);
    let name = given(&args.emails_from_name).unwrap_or_else(|| project_name.to_owned());
    let host = given(&args.smtp_host)?;
    let from = from.parse().ok()?;
    Some(Smtp {
        host,
        port,
        security: match (implicit, start_tls) {
            (true, _) => SmtpSecurity::Implicit,
            (false, true) => SmtpSecurity::StartTls,
            (false, false) => SmtpSecurity::None,
        },
        credentials: given(&args.smtp_user)
            .map(|user| (user, given(&args.smtp_password).unwrap_or_default())),
        from: Mailbox::new(Some(name), from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_at_once() {
        let args = SettingsArgs {
            port: Some("x".into()),
            environment: Some("production".into()),
            database_url: Some("mysql://x".into()),
            smtp_tls: Some("maybe".into()),
            ..SettingsArgs::default()
        };
        let faults = Settings::new(&args).unwrap_err().to_string();
        for name in ["PORT", "DATABASE_URL", "SMTP_TLS", "SECRET_KEY", "FIRST_SUPERUSER_PASSWORD"] {
            assert!(faults.contains(&format!("\n  {name}: ")), "{name} is not in {faults}");
        }
    }

    #[test]
    fn the_defaults_are_enough_in_local() {
        let settings = Settings::new(&SettingsArgs::default()).unwrap();
        assert_eq!(settings.insecure_defaults(), ["SECRET_KEY", "FIRST_SUPERUSER_PASSWORD"]);
        assert!(settings.migrate_on_start);
        assert!(settings.smtp.is_none());
    }
}
