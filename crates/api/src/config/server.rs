//! Where the service listens, which proxies it trusts, and the limits of a request.

use std::time::Duration;

use fastapi_compat::layers::TrustedProxies;

use super::Environment;
use super::value::{Given, SettingsError, boolean, list, number, setting, text};

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings: server")]
pub(super) struct ServerArgs {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, env, global = true, value_parser = setting(text))]
    host: Option<Given<String>>,
    /// Port to listen on, 0 for any free one [default: 8000]
    #[arg(long, env, global = true, value_parser = setting(number(0..=u16::MAX)))]
    port: Option<Given<u16>>,
    /// Trusted proxies, whose X-Forwarded-For and -Proto are used: addresses and networks such as
    /// 10.0.0.0/8, separated by commas, or * [default: 127.0.0.1]
    #[arg(long, env, global = true, value_parser = setting(proxies))]
    forwarded_allow_ips: Option<Given<TrustedProxies>>,
    /// Maximum size of a request body, in bytes [default: 2097152]
    #[arg(long, env, global = true, value_parser = setting(number(1..=usize::MAX)))]
    body_limit_bytes: Option<Given<usize>>,
    /// Maximum size of all request bodies that are held at a time, in bytes; further ones get 503
    /// [default: 33554432]
    #[arg(long, env, global = true, value_parser = setting(number(1..=usize::MAX)))]
    body_budget_bytes: Option<Given<usize>>,
    /// Timeout of a request, in seconds [default: 30]
    #[arg(long, env, global = true, value_parser = setting(number(1..=3600_u64)))]
    request_timeout_seconds: Option<Given<u64>>,
    /// Maximum number of concurrent requests; further ones get 503 at once [default: 2048]
    #[arg(long, env, global = true, value_parser = setting(number(1..=1_000_000_usize)))]
    max_in_flight: Option<Given<usize>>,
    /// Maximum time that work may wait for a processor or for a connection to the database, in
    /// milliseconds; while it waits longer, further requests get 503 at once; 0: any time [default: 200]
    #[arg(long, env, global = true, value_parser = setting(number(0..=60_000_u64)))]
    max_delay_milliseconds: Option<Given<u64>>,
    /// Maximum number of open connections; for a further one the oldest idle one is closed
    /// [default: 8192]
    #[arg(long, env, global = true, value_parser = setting(number(1..=1_000_000_usize)))]
    max_connections: Option<Given<usize>>,
    /// Whether answers carry security headers and X-Request-Id [default: false]
    #[arg(long, env, global = true, value_parser = setting(boolean))]
    security_headers: Option<Given<bool>>,
    /// Port for /livez, /readyz and /metrics, 0 for any free one [default: none]
    #[arg(long, env, global = true, value_parser = setting(number(0..=u16::MAX)))]
    management_port: Option<Given<u16>>,
    /// Address of the management port [default: that of HOST]
    #[arg(long, env, global = true, value_parser = setting(text))]
    management_host: Option<Given<String>>,
    /// How long requests are still accepted after SIGTERM, in seconds [default: 0 in local, else 5]
    #[arg(long, env, global = true, value_parser = setting(number(0..=600_u64)))]
    drain_seconds: Option<Given<u64>>,
}

/// Where the service listens, which proxies it trusts, and the limits of a request.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    pub host: String,
    pub port: u16,
    pub forwarded_allow_ips: TrustedProxies,
    pub body_limit_bytes: usize,
    /// Of all requests together; at least the limit of one.
    pub body_budget_bytes: usize,
    pub request_timeout: Duration,
    pub max_in_flight: usize,
    /// `None` if work may wait any time.
    pub max_delay: Option<Duration>,
    pub max_connections: usize,
    pub security_headers: bool,
    management_host: String,
    /// Where the management port listens, if there is one.
    pub management: Option<(String, u16)>,
    pub drain: Duration,
}

impl ServerSettings {
    pub(super) fn new(
        args: &ServerArgs,
        environment: Environment,
        errors: &mut SettingsError,
    ) -> Self {
        let host = errors.value(args.host.as_ref(), "127.0.0.1".to_owned());
        let management_host = errors.value(args.management_host.as_ref(), host.clone());
        let management_port = errors.optional(args.management_port.as_ref());
        let drain = if environment == Environment::Local { 0 } else { 5 };
        let body_limit_bytes = errors.value(args.body_limit_bytes.as_ref(), 2 * 1024 * 1024);
        let body_budget = errors.value(args.body_budget_bytes.as_ref(), 32 * 1024 * 1024);
        let max_delay = errors.value(args.max_delay_milliseconds.as_ref(), 200);
        let timeout = errors.value(args.request_timeout_seconds.as_ref(), 30);
        Self {
            host,
            port: errors.value(args.port.as_ref(), 8000),
            forwarded_allow_ips: errors
                .value(args.forwarded_allow_ips.as_ref(), TrustedProxies::new(["127.0.0.1"])),
            body_limit_bytes,
            body_budget_bytes: body_budget.max(body_limit_bytes),
            request_timeout: Duration::from_secs(timeout),
            max_in_flight: errors.value(args.max_in_flight.as_ref(), 2048),
            max_delay: (max_delay > 0).then(|| Duration::from_millis(max_delay)),
            max_connections: errors.value(args.max_connections.as_ref(), 8192),
            security_headers: errors.value(args.security_headers.as_ref(), false),
            management: management_port.map(|port| (management_host.clone(), port)),
            management_host,
            drain: Duration::from_secs(errors.value(args.drain_seconds.as_ref(), drain)),
        }
    }
}

#[cfg(feature = "strangler")]
impl ServerSettings {
    /// With a management port, unless the settings name one already.
    pub(super) fn with_management_port(self, port: Option<u16>) -> Self {
        let default = port.map(|port| (self.management_host.clone(), port));
        Self { management: self.management.or(default), ..self }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a parser like the others")]
fn proxies(value: &str) -> Result<TrustedProxies, String> {
    Ok(TrustedProxies::new(list(value)))
}
