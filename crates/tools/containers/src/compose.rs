//! compose.yaml on the images that were checked: everything healthy, the strangler's port answers as
//! python-legacy alone does, nothing is lost when it is stopped.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::{Container, output};
use crate::engine::Engine;
use crate::images::{Bases, LEGACY, MOLT};
use crate::report::{NotRun, Report};
use crate::service::{self, database_as};
use crate::{BoxError, http};

/// What is checked, for the report of a machine without an engine.
pub(crate) const CHECKS: [&str; 4] = [
    "compose: up, every service healthy",
    "compose: the strangler's page wants the password that was chosen",
    "compose: through the strangler as python-legacy alone, 0 different",
    "compose: down and up lose nothing",
];

const STRANGLER_PASSWORD: &str = "a-password-of-the-checks";
const EMAIL: &str = "compose@example.com";
const PASSWORD: &str = "longenough1";
const PORT: u16 = 8000;
/// The database of the python-legacy with which the whole is compared.
const REFERENCE: &str = "reference-database";

/// Brings the whole up, uses it, stops it and brings it up again.
///
/// # Errors
/// When the working folder has no path.
pub(crate) fn check(engine: &Engine, bases: &Bases, report: &mut Report) -> Result<(), BoxError> {
    bases.make(engine, &["mail", "compose"])?;
    let project = Project { engine, bases, folder: std::env::current_dir()?.display().to_string() };
    let start = Instant::now();
    let up = project.up();
    let is_up = up.is_ok();
    report.check(CHECKS[0], up.map(|()| format!("after {} s", start.elapsed().as_secs())));
    if !is_up {
        return Ok(());
    }
    report.check(CHECKS[1], page().map(|()| String::new()));
    report.check(CHECKS[2], project.contract());
    report.check(CHECKS[3], project.keeps().map(|()| String::new()));
    Ok(())
}

struct Project<'a> {
    engine: &'a Engine,
    bases: &'a Bases,
    folder: String,
}

impl Project<'_> {
    /// `docker compose`, from an image where the machine has none.
    fn run(&self, arguments: &[&str]) -> Result<String, BoxError> {
        let settings = [
            format!("POSTGRES_IMAGE={}", self.bases.postgres),
            format!("MAIL_IMAGE={}", self.bases.mail),
            format!("MOLT_IMAGE={MOLT}"),
            format!("LEGACY_IMAGE={LEGACY}"),
            format!("STRANGLER_PASSWORD={STRANGLER_PASSWORD}"),
        ];
        let mut command: Command = self.engine.command("docker");
        match self.bases.compose {
            None => {
                command.arg("compose");
                for (name, value) in settings.iter().filter_map(|one| one.split_once('=')) {
                    command.env(name, value);
                }
            }
            Some(image) => {
                let host = self.engine.host.clone().or_else(|| std::env::var_os("DOCKER_HOST"));
                let host = host.unwrap_or_else(|| "unix:///var/run/docker.sock".into());
                let host = host.to_string_lossy().into_owned();
                let socket =
                    host.strip_prefix("unix://").ok_or("the engine has no local socket")?;
                // At the same path, so that what compose.yaml refers to is found by the engine.
                command.args([
                    "run",
                    "--rm",
                    "--label",
                    &Engine::label(),
                    "--volume",
                    &format!("{socket}:/var/run/docker.sock"),
                ]);
                command.args(["--volume", &format!("{0}:{0}:ro", self.folder)]);
                command.args(["--workdir", &self.folder]);
                for setting in &settings {
                    command.args(["--env", setting]);
                }
                command.arg(image);
            }
        }
        output(command.args(["--project-name", &Self::name()]).args(arguments))
    }

    fn name() -> String {
        format!("molt-check-{}", std::process::id())
    }

    fn up(&self) -> Result<(), BoxError> {
        let up = self.run(&["up", "--detach", "--no-build", "--wait", "--wait-timeout", "180"]);
        up.map(drop).map_err(|error| {
            let log = self.run(&["logs", "--tail", "15"]).unwrap_or_default();
            format!("{error}\n{log}").into()
        })
    }

    /// What was acknowledged is there after the containers were removed and made again.
    fn keeps(&self) -> Result<(), BoxError> {
        let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
        expect("sign-up", http::post(PORT, "/api/v1/users/signup", &body)?, 200)?;
        self.run(&["down"])?;
        self.run(&["up", "--detach", "--no-build", "--wait", "--wait-timeout", "180"])?;
        expect("sign-in", http::sign_in(PORT, EMAIL, PASSWORD)?, 200)
    }

    /// python-legacy with the settings that it has here, but for its database, which is its own.
    fn reference(&self) -> Result<[Container<'_>; 2], BoxError> {
        let network = format!("{}_default", Self::name());
        let image = self.bases.postgres;
        let database = database_as(self.engine, REFERENCE, image, &network, &[], &[])?;
        let legacy = self.engine.inspect(&format!("{}-legacy-1", Self::name()))?;
        let settings = legacy["Config"]["Env"].as_array().ok_or("python-legacy has no settings")?;
        let url = format!("DATABASE_URL=postgresql://molt:molt@{REFERENCE}/molt");
        let settings = settings.iter().filter_map(Value::as_str).chain([url.as_str()]);
        let arguments: Vec<_> = settings.flat_map(|setting| ["--env", setting]).collect();
        let (legacy, _) = service::LEGACY.start(self.engine, &network, "reference", &arguments)?;
        Ok([legacy, database])
    }

    /// The cases, sent to both; what they say of databases and mailboxes is left out.
    fn contract(&self) -> Result<String, BoxError> {
        let contract = std::env::current_exe()?.with_file_name("contract");
        if !contract.exists() {
            return Err(NotRun(format!("{} is not built", contract.display())).into());
        }
        let [reference, _database] = self.reference()?;
        let report = "target/containers/contract/report.json";
        let mut contract = Command::new(contract);
        contract.args(["run", "--reference", &reference.base()?]);
        contract.args(["--candidate", &format!("http://127.0.0.1:{PORT}")]);
        contract.args(["--users", "admin,alice", "--report", report]);
        // Neither is measured here, where they share the processors with all other containers.
        contract.args(["--slack", "30000", "--time-window", "30000"]);
        let said = output(&mut contract)?;
        let counts = said.lines().find(|line| line.starts_with("run: "));
        let counts = counts.ok_or("it does not say how many requests were the same")?;
        Ok(counts.split(';').next().unwrap_or_default().replace("run: ", ""))
    }
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.run(&["down", "--volumes", "--timeout", "5"]) {
            eprintln!("containers: {error}");
        }
    }
}

fn expect(what: &str, status: u16, expected: u16) -> Result<(), BoxError> {
    if status == expected {
        Ok(())
    } else {
        Err(format!("{what} was answered with {status}").into())
    }
}

fn page() -> Result<(), BoxError> {
    // The service is healthy before the first request to its management port.
    sleep(Duration::from_millis(100));
    let with = |credentials: &str| {
        let headers = format!("Authorization: Basic {credentials}\r\n");
        http::send(9000, "GET", "/_molt", &headers, "")
    };
    expect("the page without a password", http::get(9000, "/_molt")?, 401)?;
    // `operator:` and the password, in base64; the page takes any name.
    let answer = with("b3BlcmF0b3I6YS1wYXNzd29yZC1vZi10aGUtY2hlY2tz")?;
    expect("the page with the password", answer.status, 200)?;
    if answer.body.is_empty() { Err("the page is empty".into()) } else { Ok(()) }
}
