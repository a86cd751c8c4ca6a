//! The old service and the strangler before it.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use secrecy::SecretString;
use strangler::{ClientKey, ClientKeyError};

use super::Environment;
use super::value::{Given, SettingsError, boolean, number, origin, secret, setting};

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings: strangler")]
pub(super) struct LegacyArgs {
    /// The old service; what the plan leaves to it is passed on, and MANAGEMENT_PORT is 9000 by default
    #[arg(long, env, global = true, value_parser = setting(uri))]
    legacy_url: Option<Given<Uri>>,
    /// File with the certificates (PEM) of authorities that the old service's may be from, besides the
    /// public ones
    #[arg(long, env, global = true, value_parser = setting(path))]
    legacy_ca_file: Option<Given<PathBuf>>,
    /// The old service's metrics with process_cpu_seconds_total of all its processes, so that operations
    /// are ranked by its CPU [default: they are ranked by its time]
    #[arg(long, env, global = true, value_parser = setting(url))]
    legacy_metrics_url: Option<Given<Uri>>,
    /// Timeout of the old service, in seconds [default: 60]
    #[arg(long, env, global = true, value_parser = setting(number(1..=3600_u64)))]
    legacy_timeout_seconds: Option<Given<u64>>,
    /// How long an idle connection to the old service is kept, in seconds: less than it keeps them
    /// itself [default: 1]
    #[arg(long, env, global = true, value_parser = setting(number(0..=3600_u64)))]
    legacy_idle_seconds: Option<Given<u64>>,
    /// Lowest rate of uploads to the old service, in bytes per second, once one has taken twice
    /// LEGACY_TIMEOUT_SECONDS [default: 240]
    #[arg(long, env, global = true, value_parser = setting(number(1..=1_000_000_000_u64)))]
    legacy_upload_rate: Option<Given<u64>>,
    /// Lowest rate at which clients take responses of the old service, in bytes per second, once one has
    /// been waited for for twice LEGACY_TIMEOUT_SECONDS; slower ones are disconnected [default: 4096]
    #[arg(long, env, global = true, value_parser = setting(number(1..=1_000_000_000_u64)))]
    legacy_download_rate: Option<Given<u64>>,
    /// How long a WebSocket or another upgraded connection may carry nothing before it is closed, in
    /// seconds [default: 3600]
    #[arg(long, env, global = true, value_parser = setting(number(1..=604_800_u64)))]
    legacy_tunnel_idle_seconds: Option<Given<u64>>,
    /// Maximum number of concurrent requests to the old service [default: 1024]
    #[arg(long, env, global = true, value_parser = setting(number(1..=1_000_000_usize)))]
    legacy_max_in_flight: Option<Given<usize>>,
    /// Whether a safe request is sent to the old service once more when a kept connection turns out to
    /// have been closed [default: true]
    #[arg(long, env, global = true, value_parser = setting(boolean))]
    legacy_retry: Option<Given<bool>>,
    /// File with the plan (which service answers which operation), reloaded when it changes
    #[arg(long, env, global = true, value_parser = setting(path))]
    strangler_plan: Option<Given<PathBuf>>,
    /// Address on which the old service's e-mails are taken, `127.0.0.1:2525`, and passed on to SMTP_HOST,
    /// so that those of rehearsals are compared with them [default: e-mails are not compared]
    #[arg(long, env, global = true, value_parser = setting(address))]
    legacy_smtp_listen: Option<Given<SocketAddr>>,
    /// Maximum number of concurrent rehearsals of shadowed writes; 0: none is rehearsed [default: 4]
    #[arg(long, env, global = true, value_parser = setting(number(0..=1000_usize)))]
    strangler_rehearsals: Option<Given<usize>>,
    /// How long a client may wait for the rehearsal of its write, in milliseconds [default: 500]
    #[arg(long, env, global = true, value_parser = setting(number(1..=60_000_u64)))]
    strangler_rehearsal_milliseconds: Option<Given<u64>>,
    /// Memory for copies of bodies that wait to be compared, in bytes [default: 33554432]
    #[arg(long, env, global = true, value_parser = setting(number(0..=1_000_000_000_000_usize)))]
    strangler_memory: Option<Given<usize>>,
    /// How many reads that a canary served are compared with the old service's answer, for each
    /// operation, in a second; 0: none [default: 2]
    #[arg(long, env, global = true, value_parser = setting(number(0..=1000_u32)))]
    strangler_canary_checks: Option<Given<u32>>,
    /// What identifies a client in a canary, the first that a request has: subject (of the token),
    /// header:NAME, cookie:NAME, address [default: subject,address]
    #[arg(long, env, global = true, value_parser = setting(keys))]
    strangler_client: Option<Given<Vec<ClientKey>>>,
    /// Password of the strangler's page [default: generated at each start and printed]
    #[arg(long, env, global = true, hide_env_values = true, value_parser = setting(secret))]
    strangler_password: Option<Given<SecretString>>,
}

/// Passes a request to the old service, where it runs in this process.
#[derive(Clone)]
pub struct InProcess(pub strangler::InProcess);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

/// The old service and the strangler before it.
#[derive(Clone, Debug)]
pub struct Legacy {
    pub url: Uri,
    /// No setting: who starts the service within the old one's process sets it.
    pub in_process: Option<InProcess>,
    pub ca: Option<PathBuf>,
    /// Where it reports its CPU.
    pub metrics: Option<Uri>,
    pub timeout: Duration,
    pub idle: Duration,
    /// Bytes a second.
    pub upload_rate: u64,
    /// Bytes a second.
    pub download_rate: u64,
    /// Of WebSockets.
    pub tunnel_idle: Duration,
    pub max_in_flight: usize,
    pub retry: bool,
    pub plan: Option<PathBuf>,
    /// Where its e-mails are taken and passed on.
    pub smtp: Option<SocketAddr>,
    pub max_rehearsals: usize,
    pub rehearsal_timeout: Duration,
    /// Of comparisons, in bytes.
    pub memory: usize,
    /// A second.
    pub canary_checks: u32,
    pub client: Vec<ClientKey>,
    /// Of the strangler's page.
    pub password: Option<SecretString>,
}

impl Legacy {
    /// `None` if there is no old service.
    pub(super) fn new(
        args: &LegacyArgs,
        environment: Environment,
        errors: &mut SettingsError,
    ) -> Option<Self> {
        let timeout = errors.value(args.legacy_timeout_seconds.as_ref(), 60);
        let idle = errors.value(args.legacy_idle_seconds.as_ref(), 1);
        let upload_rate = errors.value(args.legacy_upload_rate.as_ref(), 240);
        let download_rate = errors.value(args.legacy_download_rate.as_ref(), 4096);
        let tunnel_idle = errors.value(args.legacy_tunnel_idle_seconds.as_ref(), 3600);
        let max_in_flight = errors.value(args.legacy_max_in_flight.as_ref(), 1024);
        let retry = errors.value(args.legacy_retry.as_ref(), true);
        let ca = errors.optional(args.legacy_ca_file.as_ref());
        let metrics = errors.optional(args.legacy_metrics_url.as_ref());
        let memory = errors.value(args.strangler_memory.as_ref(), 32 * 1024 * 1024);
        let canary_checks = errors.value(args.strangler_canary_checks.as_ref(), 2);
        let client = errors.optional(args.strangler_client.as_ref());
        let client = client.unwrap_or_else(|| vec![ClientKey::Subject, ClientKey::Address]);
        let plan = errors.optional(args.strangler_plan.as_ref());
        let smtp = errors.optional(args.legacy_smtp_listen.as_ref());
        let max_rehearsals = errors.value(args.strangler_rehearsals.as_ref(), 4);
        let rehearsal = errors.value(args.strangler_rehearsal_milliseconds.as_ref(), 500);
        let password = errors.optional(args.strangler_password.as_ref());
        let url = errors.optional(args.legacy_url.as_ref())?;
        // A generated one is printed, into a log that many read.
        if password.is_none() && environment != Environment::Local {
            errors.add("STRANGLER_PASSWORD", "set one for the strangler's page");
        }
        Some(Self {
            url,
            in_process: None,
            ca,
            metrics,
            timeout: Duration::from_secs(timeout),
            idle: Duration::from_secs(idle),
            upload_rate,
            download_rate,
            tunnel_idle: Duration::from_secs(tunnel_idle),
            max_in_flight,
            retry,
            plan,
            smtp,
            max_rehearsals,
            rehearsal_timeout: Duration::from_millis(rehearsal),
            memory,
            canary_checks,
            client,
            password,
        })
    }
}

fn uri(value: &str) -> Result<Uri, String> {
    origin(value)?.parse().map_err(|error| format!("'{value}': {error}"))
}

/// With a path.
fn url(value: &str) -> Result<Uri, String> {
    match value.parse::<Uri>() {
        Ok(url) if url.scheme().is_some() && url.authority().is_some() => Ok(url),
        _ => Err(format!("'{value}' is not a URL such as http://127.0.0.1:8001/metrics")),
    }
}

fn address(value: &str) -> Result<SocketAddr, String> {
    value.parse().map_err(|_| format!("'{value}' is not an address such as 127.0.0.1:2525"))
}

fn keys(value: &str) -> Result<Vec<ClientKey>, String> {
    let keys: Result<_, ClientKeyError> = value.split(',').map(str::parse).collect();
    keys.map_err(|error| error.to_string())
}

#[expect(clippy::unnecessary_wraps, reason = "a parser like the others")]
fn path(value: &str) -> Result<PathBuf, String> {
    Ok(value.into())
}
