//! The two services.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{Running, Signal, temporary_folder};
use crate::{Error, root, service_name};

/// After this, a Rust service prints its URL.
const LISTENS: &str = " listens on ";

/// A running service.
#[derive(Debug)]
pub struct Service {
    /// Without a slash at the end.
    pub url: String,
    process: Running,
}

impl Service {
    /// Starts a server that prints `announcement` and, right after it, the URL on which it listens. It
    /// runs in a temporary folder of its own.
    pub async fn start(name: &str, command: &Command, announcement: &str) -> Result<Self, Error> {
        Self::start_on(name, command, announcement, None).await
    }

    async fn start_on(
        name: &str,
        command: &Command,
        announcement: &str,
        socket: Option<&TcpListener>,
    ) -> Result<Self, Error> {
        let folder = temporary_folder(name)?;
        let process = Running::start(name, folder, Signal::Terminate, command, socket)?;
        let url = process
            .wait(|log| {
                let (_, after) = log.split_once(announcement)?;
                let (url, _) = after.split_once(char::is_whitespace)?;
                Some(url.trim_end_matches('/').to_owned())
            })
            .await?;
        Ok(Self { url, process })
    }

    /// The address of the management port, once the Rust service listens there.
    pub async fn management(&self) -> Result<String, Error> {
        let address = |log: &str| {
            let (_, after) = log.split_once("Management: ")?;
            Some(after.split_once("/metrics")?.0.to_owned())
        };
        self.process.wait(address).await
    }

    /// The id of the process.
    pub fn pid(&self) -> Result<u32, Error> {
        self.process.pid()
    }

    /// The output so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Sends a signal to the process.
    pub fn send(&self, signal: Signal) -> Result<(), Error> {
        self.process.send(signal)
    }

    /// Sends SIGTERM, as Kubernetes does, and waits until the service has ended.
    pub async fn stop(self) {
        _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

/// The Python of the virtual environment that `make venv` makes.
pub fn python() -> Result<PathBuf, Error> {
    let python = std::env::var_os("TESTBED_PYTHON")
        .map_or_else(|| root().join("target/venv/bin/python"), PathBuf::from);
    if python.exists() {
        Ok(python)
    } else {
        Err(Error::Missing(format!("{} does not exist: run `make venv`", python.display())))
    }
}

/// Starts python-legacy; `settings` are environment variables.
pub async fn legacy(database_url: &str, settings: &[(&str, &str)]) -> Result<Service, Error> {
    let mut command = Command::new(python()?);
    command.args(["-W", "ignore", "-m", "app"]);
    command.env("PYTHONPATH", root().join("python-legacy"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    start("python-legacy", command, database_url, settings, "Uvicorn running on ").await
}

/// Starts python-legacy with the bridge around it, which has to be installed beside it; the plan is
/// STRANGLER_PLAN in the `settings`.
pub async fn bridged(database_url: &str, settings: &[(&str, &str)]) -> Result<Service, Error> {
    let mut command = Command::new(python()?);
    command.args(["-W", "ignore", "-m", "served"]);
    let folders = ["python-legacy", "crates/bridge/tests"].map(|folder| root().join(folder));
    command.env("PYTHONPATH", std::env::join_paths(folders).unwrap_or_default());
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    start("bridge", command, database_url, settings, "Uvicorn running on ").await
}

/// Starts the Rust service: `TESTBED_SERVICE`, or the binary beside the running program; `settings` are
/// environment variables.
pub async fn rust(database_url: &str, settings: &[(&str, &str)]) -> Result<Service, Error> {
    let command = Command::new(rust_binary()?);
    start(&service_name()?, command, database_url, settings, LISTENS).await
}

/// Starts the Rust service on an existing socket, so that one process can replace another without
/// refusing connections.
pub async fn rust_on(
    socket: &TcpListener,
    database_url: &str,
    settings: &[(&str, &str)],
) -> Result<Service, Error> {
    let mut command = Command::new(rust_binary()?);
    command.env("DATABASE_URL", database_url).envs(settings.iter().copied());
    Service::start_on(&service_name()?, &command, LISTENS, Some(socket)).await
}

/// Starts python-legacy's Celery worker; `settings` are environment variables.
pub async fn legacy_worker(
    database_url: &str,
    settings: &[(&str, &str)],
) -> Result<Running, Error> {
    let mut command = Command::new(python()?);
    command.args(["-W", "ignore", "-m", "celery", "-A", "app.celery", "worker"]);
    command.args(["--pool", "threads", "--concurrency", "2", "--loglevel", "info"]);
    command.env("PYTHONPATH", root().join("python-legacy"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    worker("python-legacy's worker", command, database_url, settings, " ready.").await
}

/// Starts the Rust service's worker; `settings` are environment variables.
pub async fn rust_worker(database_url: &str, settings: &[(&str, &str)]) -> Result<Running, Error> {
    let mut command = Command::new(rust_binary()?);
    command.arg("worker");
    worker("the Rust worker", command, database_url, settings, " works on tasks from ").await
}

async fn worker(
    name: &str,
    mut command: Command,
    database_url: &str,
    settings: &[(&str, &str)],
    announcement: &str,
) -> Result<Running, Error> {
    command.env("DATABASE_URL", database_url).envs(settings.iter().copied());
    let folder = temporary_folder("worker")?;
    let worker = Running::start(name, folder, Signal::Terminate, &command, None)?;
    worker.wait(|log| log.contains(announcement).then_some(())).await?;
    Ok(worker)
}

/// The Rust service's program.
pub fn rust_binary() -> Result<PathBuf, Error> {
    if let Some(binary) = std::env::var_os("TESTBED_SERVICE") {
        return Ok(binary.into());
    }
    let name = service_name()?;
    let here = std::env::current_exe().unwrap_or_default();
    here.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&name))
        .find(|binary| binary.is_file())
        .ok_or_else(|| Error::Missing(format!("{name} is not built: run `cargo build`")))
}

async fn start(
    name: &str,
    mut command: Command,
    database_url: &str,
    settings: &[(&str, &str)],
    announcement: &str,
) -> Result<Service, Error> {
    command.env("PORT", "0").env("DATABASE_URL", database_url);
    command.envs(settings.iter().copied());
    Service::start(name, &command, announcement).await
}
