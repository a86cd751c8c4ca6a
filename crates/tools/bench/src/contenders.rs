//! Who competes, each exactly as it would run in production with one process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use testbed::{Service, free_port, python, root, rust_binary};

use crate::Result;
use crate::load::{Client, Request};

/// All contenders use it, so that a token is valid at each of them.
const SECRET: &str = "the benchmark's own secret key, 32 bytes or more";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Contender {
    Molt,
    Legacy,
    Granian,
    Expert,
    Limit,
    /// The Rust service as a strangler before python-legacy, in each mode.
    ThroughLegacy,
    ThroughShadow,
    ThroughNative,
}

impl Contender {
    pub(crate) const ALL: [Self; 5] =
        [Self::Molt, Self::Legacy, Self::Granian, Self::Expert, Self::Limit];
    /// Both services, and the one before the other.
    pub(crate) const STRANGLER: [Self; 5] =
        [Self::Molt, Self::Legacy, Self::ThroughLegacy, Self::ThroughShadow, Self::ThroughNative];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Molt => "molt",
            Self::Legacy => "legacy",
            Self::Granian => "granian",
            Self::Expert => "expert",
            Self::Limit => "limit",
            Self::ThroughLegacy => "strangler: legacy",
            Self::ThroughShadow => "strangler: shadow",
            Self::ThroughNative => "strangler: native",
        }
    }

    /// The plan of the strangler, if this is one.
    fn plan(self) -> Option<PathBuf> {
        let mode = match self {
            Self::ThroughLegacy => "legacy",
            Self::ThroughShadow => "shadow",
            Self::ThroughNative => "native",
            _ => return None,
        };
        Some(root().join(format!("crates/tools/bench/plans/{mode}.yaml")))
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Molt => "the Rust service, release build",
            Self::Legacy => {
                "python-legacy on uvicorn with uvloop and httptools, as its README describes"
            }
            Self::Granian => "python-legacy on Granian, a server in Rust for Python applications",
            Self::Expert => "three operations in expert Python: async, asyncpg, orjson, no ORM",
            Self::Limit => "three operations on bare hyper and pipelined tokio-postgres",
            Self::ThroughLegacy => "python-legacy behind the strangler",
            Self::ThroughShadow => {
                "the same, with each request also sent to the Rust service and compared"
            }
            Self::ThroughNative => "the Rust service as a strangler that passes nothing on",
        }
    }

    /// How it is started, and what it prints before the URL that it listens on.
    fn command(self) -> Result<(Command, &'static str)> {
        let (mut command, announcement) = match self {
            Self::Molt | Self::ThroughLegacy | Self::ThroughShadow | Self::ThroughNative => {
                (Command::new(rust_binary()?), "Molt listens on ")
            }
            Self::Limit => {
                (Command::new(rust_binary()?.with_file_name("limit")), "Limit listens on ")
            }
            Self::Legacy | Self::Expert => {
                let mut command = Command::new(python()?);
                let app = if self == Self::Legacy { "app.main:app" } else { "expert:app" };
                command.args(["-W", "ignore", "-m", "uvicorn", app, "--port", "0"]);
                command.args(["--loop", "uvloop", "--http", "httptools"]);
                command.args(["--no-access-log", "--no-server-header"]);
                (command, "Uvicorn running on ")
            }
            Self::Granian => {
                let mut command = Command::new(python()?);
                let port = free_port()?.to_string();
                command.args(["-W", "ignore", "-m", "granian", "app.main:app", "--port", &port]);
                command.args(["--interface", "asgi", "--loop", "uvloop", "--workers", "1"]);
                (command, "Listening at: ")
            }
        };
        match self {
            Self::Molt | Self::ThroughLegacy | Self::ThroughShadow | Self::ThroughNative => {
                command.env("RUST_LOG", "warn").env("PORT", "0").env("DATABASE_POOL_SIZE", "16");
            }
            Self::Limit => {}
            Self::Legacy | Self::Granian => {
                command.env("PYTHONPATH", root().join("python-legacy"));
            }
            Self::Expert => {
                command.env("PYTHONPATH", root().join("crates/tools/bench/expert"));
            }
        }
        command.env("SECRET_KEY", SECRET);
        Ok((command, announcement))
    }

    /// The command line and the settings, so that the figures can be reproduced.
    pub(crate) fn settings(self) -> Result<String> {
        let (command, _) = self.command()?;
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words
            .map(|word| Path::new(word).file_name().unwrap_or(word).to_string_lossy())
            .collect();
        let settings: Vec<_> = command
            .get_envs()
            .filter(|(name, _)| !["SECRET_KEY", "PYTHONPATH"].iter().any(|hidden| name == hidden))
            .filter_map(|(name, value)| {
                Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy()))
            })
            .collect();
        Ok([settings, vec![words.join(" ")]].concat().join(" "))
    }

    /// Starts it, pinned to a core; a strangler before `legacy`, an address.
    pub(crate) async fn start(
        self,
        database_url: &str,
        core: Option<usize>,
        legacy: Option<&str>,
    ) -> Result<Running> {
        let (mut command, announcement) = self.command()?;
        command.env("DATABASE_URL", database_url);
        if let Some(plan) = self.plan() {
            let legacy = legacy.ok_or("a strangler needs a legacy service")?;
            command.env("LEGACY_URL", format!("http://{legacy}")).env("STRANGLER_PLAN", plan);
            command.env("MANAGEMENT_PORT", "0");
        }
        if let Some(core) = core {
            let mut pinned = Command::new("taskset");
            pinned.args(["-c", &core.to_string()]).arg(command.get_program());
            pinned.args(command.get_args());
            pinned.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = pinned;
        }
        let start = Instant::now();
        let service = Service::start(self.name(), &command, announcement).await?;
        let address = service.url.trim_start_matches("http://").to_owned();
        let first = Request::new("GET", "/api/v1/utils/health-check/", None, None);
        loop {
            let answer = Client::connect(&address).and_then(|mut c| c.send(&first).map(drop));
            match answer {
                Ok(()) => break,
                Err(error) if start.elapsed() > Duration::from_secs(30) => {
                    return Err(format!("{}: {error}\n{}", self.name(), service.log()).into());
                }
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        let pid = service.pid()?;
        Ok(Running {
            contender: self,
            address,
            pid,
            cold_start: start.elapsed(),
            _service: service,
        })
    }
}

pub(crate) struct Running {
    pub contender: Contender,
    pub address: String,
    pub pid: u32,
    /// From the start of the process to its first answer.
    pub cold_start: Duration,
    _service: Service,
}
