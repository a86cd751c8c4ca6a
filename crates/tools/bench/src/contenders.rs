//! Who competes, each as it runs in production with one process: with the settings of the manifests in
//! `k8s/`, its log included, which goes to a file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use testbed::{Service, Signal, free_port, python, root, rust_binary};

use crate::load::{Client, Request};
use crate::manifests::{self, Variables};
use crate::{Result, collector};

/// All contenders use it, so that a token is valid at each of them.
const SECRET: &str = "the benchmark's own secret key, 32 bytes or more";
/// The first superuser's, and that of all users. In production the default is refused.
pub(crate) const PASSWORD: &str = "a-password-of-the-benchmark";
/// Attempts in a minute: they are counted as in production, and none is refused, although all come from
/// one address.
const ATTEMPTS: &str = "1000000";
/// What the report does not show.
const HIDDEN: [&str; 3] = ["SECRET_KEY", "FIRST_SUPERUSER_PASSWORD", "PYTHONPATH"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Contender {
    Molt,
    /// The same, with each request's spans sent to a collector.
    Traced,
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
    pub(crate) const ALL: [Self; 6] =
        [Self::Molt, Self::Traced, Self::Legacy, Self::Granian, Self::Expert, Self::Limit];
    /// Those that get more than they can do.
    pub(crate) const OVERLOADED: [Self; 3] = [Self::Molt, Self::Legacy, Self::Limit];
    /// Both services, and the one before the other.
    pub(crate) const STRANGLER: [Self; 5] =
        [Self::Molt, Self::Legacy, Self::ThroughLegacy, Self::ThroughShadow, Self::ThroughNative];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Molt => "molt",
            Self::Traced => "molt, traces on",
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
            Self::Molt => "the Rust service, as the manifests of its last stage run it",
            Self::Traced => "the same, with the spans of every request sent to a collector",
            Self::Legacy => {
                "python-legacy on uvicorn with uvloop and httptools, as its README describes"
            }
            Self::Granian => "python-legacy on Granian, a server in Rust for Python applications",
            Self::Expert => "three operations in expert Python: async, asyncpg, orjson, no ORM",
            Self::Limit => "five operations on bare hyper and pipelined tokio-postgres",
            Self::ThroughLegacy => "python-legacy behind the strangler",
            Self::ThroughShadow => {
                "the same, with each request also sent to the Rust service and compared"
            }
            Self::ThroughNative => "the Rust service as a strangler that passes nothing on",
        }
    }

    fn is_molt(self) -> bool {
        matches!(
            self,
            Self::Molt
                | Self::Traced
                | Self::ThroughLegacy
                | Self::ThroughShadow
                | Self::ThroughNative
        )
    }

    /// The settings of its manifest; what is different here is in this function.
    fn variables(self) -> Result<Variables> {
        let k8s = root().join("k8s");
        if matches!(self, Self::Expert | Self::Limit) {
            return Ok(Variables::new());
        }
        let mut variables = manifests::shared(&k8s)?;
        let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
        set("HOST", "127.0.0.1");
        set("PORT", "0");
        set("FIRST_SUPERUSER_PASSWORD", PASSWORD);
        if !self.is_molt() {
            return Ok(variables);
        }
        variables.extend(manifests::molt(&k8s)?);
        if self.plan().is_none() {
            // While python-legacy answers too, there are no limits on attempts and no security headers.
            variables.extend(manifests::last_stage(&k8s)?);
            for name in ["SIGN_IN_LIMIT_BY_ADDRESS", "SIGN_IN_LIMIT_BY_ACCOUNT"] {
                variables.insert(name.to_owned(), ATTEMPTS.to_owned());
            }
        }
        variables.insert("MANAGEMENT_PORT".to_owned(), "0".to_owned());
        // Only how it ends.
        variables.insert("DRAIN_SECONDS".to_owned(), "0".to_owned());
        variables.remove("OTEL_EXPORTER_OTLP_ENDPOINT");
        if self == Self::Traced {
            let endpoint = format!("http://{}", collector::address()?);
            variables.insert("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), endpoint);
        }
        Ok(variables)
    }

    /// How it is started, and what it prints before the URL that it listens on.
    fn command(self) -> Result<(Command, &'static str)> {
        let (mut command, announcement) = match self {
            Self::Molt
            | Self::Traced
            | Self::ThroughLegacy
            | Self::ThroughShadow
            | Self::ThroughNative => (Command::new(rust_binary()?), "Molt listens on "),
            Self::Limit => {
                (Command::new(rust_binary()?.with_file_name("limit")), "Limit listens on ")
            }
            Self::Legacy => {
                let mut command = Command::new(python()?);
                command.args(["-m", "app"]);
                (command, "Uvicorn running on ")
            }
            Self::Expert => {
                let mut command = Command::new(python()?);
                command.args(["-m", "uvicorn", "expert:app", "--port", "0"]);
                command.args(["--loop", "uvloop", "--http", "httptools", "--no-server-header"]);
                (command, "Uvicorn running on ")
            }
            Self::Granian => {
                let mut command = Command::new(python()?);
                let port = free_port()?.to_string();
                command.args(["-m", "granian", "app.main:app", "--port", &port, "--access-log"]);
                command.args(["--interface", "asgi", "--loop", "uvloop", "--workers", "1"]);
                (command, "Listening at: ")
            }
        };
        let python = match self {
            Self::Legacy | Self::Granian => Some("python-legacy"),
            Self::Expert => Some("crates/tools/bench/expert"),
            _ => None,
        };
        if let Some(folder) = python {
            command.env("PYTHONPATH", root().join(folder));
            // As its Dockerfile has it.
            command.env("PYTHONUNBUFFERED", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        }
        command.envs(self.variables()?).env("SECRET_KEY", SECRET);
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
            .filter(|(name, _)| !HIDDEN.iter().any(|hidden| name == hidden))
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
        self.start_with(database_url, core, legacy, &[]).await
    }

    /// Brings a database up to date and creates the first superuser.
    pub(crate) async fn migrate(database_url: &str) -> Result<()> {
        let settings = [("MIGRATE_ON_START", "true")];
        Self::Molt.start_with(database_url, None, None, &settings).await.map(drop)
    }

    async fn start_with(
        self,
        database_url: &str,
        core: Option<usize>,
        legacy: Option<&str>,
        settings: &[(&str, &str)],
    ) -> Result<Running> {
        let (mut command, announcement) = self.command()?;
        command.env("DATABASE_URL", database_url).envs(settings.iter().copied());
        if let Some(plan) = self.plan() {
            let legacy = legacy.ok_or("a strangler needs a legacy service")?;
            command.env("LEGACY_URL", format!("http://{legacy}")).env("STRANGLER_PLAN", plan);
            command.env("STRANGLER_PASSWORD", PASSWORD);
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
        let (pid, cold_start) = (service.pid()?, start.elapsed());
        let management = if self.is_molt() { Some(service.management().await?) } else { None };
        Ok(Running { contender: self, address, pid, cold_start, management, service })
    }
}

pub(crate) struct Running {
    pub contender: Contender,
    pub address: String,
    pub pid: u32,
    /// From the start of the process to its first answer.
    pub cold_start: Duration,
    /// The URL of its management port, if it has one.
    management: Option<String>,
    service: Service,
}

impl Running {
    /// Empties the file that its log goes to, which would else fill the disk.
    pub(crate) fn empty_log(&self) -> Result<()> {
        let log = format!("/proc/{}/fd/2", self.pid);
        let emptied = File::options().write(true).open(log).and_then(|log| log.set_len(0));
        Ok(emptied.map_err(|error| format!("the log of {}: {error}", self.contender.name()))?)
    }

    /// How many lines its log has lost so far, because it was too slow; none of what is no Molt.
    pub(crate) fn dropped_lines(&self) -> Result<u64> {
        let Some(management) = &self.management else { return Ok(0) };
        let mut client = Client::connect(management.trim_start_matches("http://"))?;
        let metrics = client.send(&Request::new("GET", "/metrics", None, None))?;
        let metrics = String::from_utf8_lossy(metrics);
        let lines = metrics.lines().find_map(|it| it.strip_prefix("log_lines_dropped_total "));
        Ok(lines.ok_or("/metrics lacks log_lines_dropped_total")?.parse()?)
    }

    /// Ends it at once, with all that it has not answered.
    pub(crate) fn kill(self) -> Result<()> {
        Ok(self.service.send(Signal::Kill)?)
    }
}
