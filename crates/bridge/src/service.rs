//! The service as the bridge starts it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::config::{self, Settings, SettingsArgs, SettingsError};
use api::serve::Draining;
use api::start::{manage, start};
use api::telemetry::Telemetry;
use asgi_bridge::{BoxError, Host, Local, Started};
use axum::body::Body;
use clap::{CommandFactory, FromArgMatches, Parser};
use fastapi_compat::LocalAddr;
use fastapi_compat::layers::Scheme;
use http::Request;
use strangler::{InProcess, Plan, PlanError};
use tokio::runtime::Handle;
use tower::util::BoxCloneService;

/// Timeout for sending the queued e-mails when it is stopped.
const LAST_EMAILS: Duration = Duration::from_secs(10);

/// Names the Python application in the strangler's page: it is reached without a network.
const LEGACY_URL: &str = "http://in-this-process";

/// A process has one log, which ends with the first service that is stopped.
static TELEMETRY: Mutex<Telemetries> = Mutex::new(Telemetries { is_started: false, of: None });

struct Telemetries {
    is_started: bool,
    of: Option<Telemetry>,
}

/// Why there is no service with these settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    #[error(".env cannot be read: {0}")]
    DotEnv(#[source] dotenvy::Error),
    #[error("{0}")]
    Arguments(#[source] clap::Error),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("the plan {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the plan {}: {source}", path.display())]
    Plan { path: PathBuf, source: PlanError },
}

// What is set here comes last.
#[derive(Parser)]
#[command(args_override_self = true)]
struct Cli {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// The service with its settings, not yet started.
pub(crate) struct Service {
    settings: Settings,
}

impl Service {
    /// Reads the settings as the program does, and checks the plan.
    pub(crate) fn new(plan: Option<PathBuf>) -> Result<Self, ServiceError> {
        let mut arguments = vec![OsString::from("molt-bridge")];
        arguments.extend(dot_env()?);
        arguments.push(format!("--legacy-url={LEGACY_URL}").into());
        if let Some(plan) = plan {
            let mut argument = OsString::from("--strangler-plan=");
            argument.push(plan);
            arguments.push(argument);
        }
        let has_port = std::env::var_os("MANAGEMENT_PORT").is_some()
            || arguments
                .iter()
                .any(|argument| argument.to_string_lossy().starts_with("--management-port="));
        let matches = Cli::command().try_get_matches_from(arguments);
        let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
        let mut settings = Settings::new(&cli.map_err(ServiceError::Arguments)?.settings)?;
        if !has_port {
            // Its default is for one process; here each worker of the server would take it.
            settings.server.management = None;
        }
        if let Some(path) = settings.legacy.as_ref().and_then(|legacy| legacy.plan.as_deref()) {
            check(path, &settings)?;
        }
        Ok(Self { settings })
    }

    /// How long requests may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.settings.server.request_timeout
    }
}

/// Refuses a plan at once which the start would refuse later.
fn check(path: &Path, settings: &Settings) -> Result<(), ServiceError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ServiceError::Read { path: path.to_owned(), source })?;
    Plan::parse(&text, &api::strangler::operations(settings))
        .map(drop)
        .map_err(|source| ServiceError::Plan { path: path.to_owned(), source })
}

/// What `.env` sets and the environment does not, as flags: this process has threads already, so that its
/// environment cannot be changed any more.
fn dot_env() -> Result<Vec<OsString>, ServiceError> {
    let variables = match dotenvy::from_path_iter(".env") {
        Ok(variables) => variables,
        Err(error) if error.not_found() => return Ok(Vec::new()),
        Err(error) => return Err(ServiceError::DotEnv(error)),
    };
    let command = Cli::command();
    let mut flags = Vec::new();
    for variable in variables {
        let (name, value) = variable.map_err(ServiceError::DotEnv)?;
        let is_it = |arg: &&clap::Arg| arg.get_env().is_some_and(|env| env == name.as_str());
        let flag = command.get_arguments().find(is_it).and_then(clap::Arg::get_long);
        if let (Some(flag), None) = (flag, std::env::var_os(&name)) {
            flags.push(format!("--{flag}={value}").into());
        }
    }
    Ok(flags)
}

impl Host for Service {
    fn prepare(&self, request: &mut Request<Body>) {
        let extensions = request.extensions_mut();
        if let Some(Local(address)) = extensions.get().copied() {
            extensions.insert(LocalAddr(address));
        }
        if let Some(asgi_bridge::Scheme("https")) = extensions.get() {
            extensions.insert(Scheme("https"));
        }
    }

    fn start(&self, old: InProcess) -> Result<Started, BoxError> {
        let mut settings = self.settings.clone();
        if let Some(legacy) = &mut settings.legacy {
            legacy.in_process = Some(config::InProcess(old));
        }
        Handle::current().block_on(started(settings))
    }
}

async fn started(settings: Settings) -> Result<Started, BoxError> {
    start_telemetry()?;
    let (app, outbox) = start(settings).await?;
    let draining = Draining::default();
    if let Some(lines) = dropped_lines() {
        manage(&app, &draining, lines).await?;
    }
    let strangler = app.strangler.clone().ok_or("the service has no strangler")?;
    let service = BoxCloneService::new(api::app(&app)?);
    let stop = async move {
        draining.begin();
        app.background.close();
        app.background.wait().await;
        drop(app);
        if let Some(outbox) = outbox
            && outbox.flush(LAST_EMAILS).await.is_err()
        {
            tracing::error!("the mail server is too slow: e-mails were not sent");
        }
        let telemetry = telemetries().of.take();
        if let Some(telemetry) = telemetry {
            telemetry.flush().await;
        }
    };
    Ok(Started { service, strangler, stop: Box::pin(stop) })
}

fn telemetries() -> std::sync::MutexGuard<'static, Telemetries> {
    TELEMETRY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start_telemetry() -> Result<(), BoxError> {
    let mut telemetry = telemetries();
    if !telemetry.is_started {
        telemetry.of = Some(Telemetry::start()?);
        telemetry.is_started = true;
    }
    Ok(())
}

fn dropped_lines() -> Option<tracing_appender::non_blocking::ErrorCounter> {
    telemetries().of.as_ref().map(Telemetry::dropped_lines)
}
