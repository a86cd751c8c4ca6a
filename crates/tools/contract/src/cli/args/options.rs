//! Options that belong together.

use std::path::PathBuf;

use clap::Args;
use reqwest::Url;

use crate::run::SignIn;

/// What is known before the first request, and how users sign in.
#[derive(Args)]
#[command(next_help_heading = "Variables and sign-in")]
pub(crate) struct SignInArgs {
    /// A value for `${NAME}` in the cases; `${env:NAME}` is NAME of the environment
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) variable: Vec<String>,
    /// The same, shown in no report and no output; NAME alone takes the value from the environment
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(crate) secret: Vec<String>,
    /// How requests sign in that say `as: USER`, without USER all that say nothing: bearer:TOKEN,
    /// basic:USER:PASSWORD, header:NAME:VALUE, query:NAME:VALUE, cookie:NAME:VALUE, or
    /// command:COMMAND, which prints a bearer token (it has SERVICE and `SERVICE_URL`)
    #[arg(long, value_name = "[USER=]SCHEME:VALUE")]
    pub(crate) sign_in: Vec<SignIn>,
    /// Send the cookies that a service sets back to it, those of each user (`as`) apart
    #[arg(long)]
    pub(crate) cookies: bool,
}

/// Which cases are sent.
#[derive(Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct SelectionArgs {
    /// Send only the cases whose name, operation (`GET /items/{id}`, an operationId) or path fits,
    /// and what they need; `*` is anything; case:, operation:, path: or tag: says which must fit
    #[arg(long, value_name = "PATTERN")]
    pub(crate) only: Vec<String>,
    /// Leave out the cases that fit
    #[arg(long, value_name = "PATTERN")]
    pub(crate) skip: Vec<String>,
}

/// Which entries of recordings are taken.
#[derive(Args)]
#[command(next_help_heading = "Recordings")]
pub(crate) struct RecordingArgs {
    /// Take only entries to these hosts (`*` is anything)
    #[arg(long, value_delimiter = ',')]
    pub(crate) host: Vec<String>,
    /// Take only entries to these paths (`/api/*`)
    #[arg(long, value_delimiter = ',')]
    pub(crate) path: Vec<String>,
    /// Take only entries of these methods
    #[arg(long, value_delimiter = ',')]
    pub(crate) method: Vec<String>,
}

/// How requests reach the services.
#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// How many seconds a whole response may take
    #[arg(long, default_value_t = 60.0, value_parser = positive)]
    pub(crate) timeout: f64,
    /// How often a connection that cannot be made is tried again; what was sent is not repeated, so
    /// that no difference is masked
    #[arg(long, default_value_t = 0)]
    pub(crate) retries: u32,
    /// How many requests each service gets in a second at most
    #[arg(long, value_parser = positive)]
    pub(crate) rate: Option<f64>,
    /// How many requests that change nothing (GET, HEAD, OPTIONS) are under way at once; the result
    /// is that of one
    #[arg(long, default_value_t = 1)]
    pub(crate) workers: usize,
    /// Trust the authorities whose certificates are in this file (PEM), beside the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Vec<PathBuf>,
    /// The client's own certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The key of the client's certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Accept any certificate
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Send all requests through this proxy; without it those to other machines through that of the
    /// environment (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`)
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<Url>,
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| format!("'{text}' is not a number above 0"))
}
