//! Both images, as the manifests run them.

use std::process::Command;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::{Container, output};
use crate::engine::Engine;
use crate::report::Report;
use crate::{BoxError, http};

/// What is checked, for the report of a machine without an engine.
pub(crate) const CHECKS: [&str; 5] = ["image", "default secrets", "limits", "requests", "stop"];

const HEALTHY_TIMEOUT: Duration = Duration::from_mins(3);

/// How long the containers answer after SIGTERM, in seconds.
const DRAIN: u64 = 3;

const PASSWORD: &str = "a-password-of-the-checks";
const SECRET: &str = "bm90IGEgc2VjcmV0OiBvbmx5IGZvciBjaGVja3M9PT0=";

/// The images that others are built on, or run beside.
pub(crate) struct Bases {
    pub rust: &'static str,
    pub python: &'static str,
    pub postgres: &'static str,
    pub mail: &'static str,
    /// Has Docker Compose 2, for a `docker` without it.
    pub compose: Option<&'static str>,
}

const LOCAL: Bases = Bases {
    rust: "molt-local/rust",
    python: "molt-local/python",
    postgres: "molt-local/postgres",
    mail: "molt-local/mail",
    compose: Some("molt-local/compose"),
};

const OFFICIAL: Bases = Bases {
    rust: "rust:1.95-slim-bookworm",
    python: "python:3.11-slim-bookworm",
    postgres: "postgres:17.6-bookworm",
    mail: "axllent/mailpit:v1.27",
    compose: None,
};

/// The names of both images while they are checked.
pub(crate) const MOLT: &str = "molt:check";
pub(crate) const LEGACY: &str = "molt-legacy:check";

/// The official images, or those from Debian's packages, which are made if need be.
///
/// # Errors
/// When they cannot be made.
pub(crate) fn bases(engine: &Engine, official: bool) -> Result<Bases, BoxError> {
    if official {
        return Ok(OFFICIAL);
    }
    let mut make = engine.command("sh");
    make.arg("crates/tools/containers/images/make.sh");
    output(&mut make)?;
    Ok(LOCAL)
}

/// One of the services.
struct Service {
    name: &'static str,
    image: &'static str,
    manifest: &'static str,
    /// Arguments of the engine beside the limits.
    arguments: &'static [&'static str],
    has_drain: bool,
}

const SERVICES: [Service; 2] = [
    Service {
        name: "molt",
        image: MOLT,
        manifest: "k8s/components/molt/deployment.yaml",
        arguments: &["--env", "MIGRATE_ON_START=true"],
        has_drain: true,
    },
    Service {
        name: "legacy",
        image: LEGACY,
        manifest: "k8s/components/legacy/deployment.yaml",
        arguments: &["--tmpfs", "/tmp:size=64m"],
        // uvicorn closes its port at once; in the manifests a preStop hook waits.
        has_drain: false,
    },
];

/// Builds both images.
///
/// # Errors
/// When one cannot be built, with the end of the output.
pub(crate) fn build(engine: &Engine, bases: &Bases) -> Result<(), BoxError> {
    for (tag, file, base) in [
        (LEGACY, "python-legacy/Dockerfile", format!("PYTHON_IMAGE={}", bases.python)),
        (MOLT, "crates/api/Dockerfile", format!("RUST_IMAGE={}", bases.rust)),
    ] {
        eprintln!("containers: building {tag}");
        let mut build = engine.command("docker");
        build.args(["build", "--tag", tag, "--file", file, "--build-arg", &base, "."]);
        output(&mut build)?;
    }
    Ok(())
}

/// Runs every check of both images.
///
/// # Errors
/// When an image does not exist, or PostgreSQL cannot be started.
pub(crate) fn check(engine: &Engine, bases: &Bases, report: &mut Report) -> Result<(), BoxError> {
    let network = engine.network()?;
    let database = engine.run(
        "database",
        &[
            "--network",
            &network.name,
            "--network-alias",
            "database",
            "--env",
            "POSTGRES_USER=molt",
            "--env",
            "POSTGRES_PASSWORD=molt",
            "--health-cmd",
            "pg_isready --host 127.0.0.1 --username molt",
            "--health-interval",
            "1s",
            bases.postgres,
        ],
    )?;
    database.wait_healthy(HEALTHY_TIMEOUT)?;
    for service in &SERVICES {
        let name = |check: &str| format!("{}: {check}", service.name);
        let inspected = report_figures(engine, service, report)?;
        report.check(
            &name("user, labels, signal, health check, production"),
            image(service, &inspected),
        );
        report.check(&name("the default secrets are refused"), refuses_defaults(engine, service));
        let limits = limits(service)?;
        let running = start(engine, service, &network.name, &limits);
        let healthy = match &running {
            Ok((_, elapsed)) => {
                report.figure(
                    &name("healthy after, seconds"),
                    format!("{:.1}", elapsed.as_secs_f64()),
                );
                Ok(())
            }
            Err(error) => Err(error.to_string().into()),
        };
        report.check(&name(&format!("healthy with {}", limits.describe())), healthy);
        let Ok((container, _)) = running else { continue };
        report
            .check(&name("sign-in works, the private route does not exist"), requests(&container));
        report.check(&name("four sign-ins at a time within the memory"), memory(&container));
        report.check(
            &name("SIGTERM: answers, completes, exits with 0"),
            stop(engine, service, &container),
        );
    }
    Ok(())
}

/// The size and the layers of an image, for the report.
fn report_figures(
    engine: &Engine,
    service: &Service,
    report: &mut Report,
) -> Result<Value, BoxError> {
    let image = engine.inspect(service.image)?;
    let bytes = image["Size"].as_u64().unwrap_or_default();
    let layers = image["RootFS"]["Layers"].as_array().map_or(0, Vec::len);
    report.figure(&format!("{}: image, MB", service.name), bytes / 1_000_000);
    report.figure(&format!("{}: layers", service.name), layers);
    Ok(image)
}

fn image(service: &Service, image: &Value) -> Result<(), BoxError> {
    let config = &image["Config"];
    expect("the user", &config["User"], "65532:65532")?;
    expect("the stop signal", &config["StopSignal"], "SIGTERM")?;
    if config["Healthcheck"]["Test"].as_array().is_none_or(Vec::is_empty) {
        return Err("there is no health check".into());
    }
    let environment = config["Env"].as_array().map_or(&[][..], Vec::as_slice);
    if !environment.iter().any(|one| one == "ENVIRONMENT=production") {
        return Err("it does not start in production mode".into());
    }
    for label in ["title", "description", "licenses", "version", "revision"] {
        let label = format!("org.opencontainers.image.{label}");
        if config["Labels"][&label].as_str().is_none_or(str::is_empty) {
            return Err(format!("{} has no label {label}", service.image).into());
        }
    }
    Ok(())
}

fn expect(what: &str, found: &Value, expected: &str) -> Result<(), BoxError> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found}").into()) }
}

/// Without settings the image must not serve.
fn refuses_defaults(engine: &Engine, service: &Service) -> Result<(), BoxError> {
    match engine.docker(&["run", "--rm", service.image]) {
        Ok(_) => Err("it ran".into()),
        Err(error) if error.to_string().contains("SECRET_KEY") => Ok(()),
        Err(error) => Err(error),
    }
}

/// What the manifest allows a pod.
struct Limits {
    memory_mib: u64,
    cpus: u64,
    user: String,
}

impl Limits {
    fn describe(&self) -> String {
        format!("{} MiB, {} CPUs, read-only, no capabilities", self.memory_mib, self.cpus)
    }
}

fn limits(service: &Service) -> Result<Limits, BoxError> {
    let manifest: Value = serde_saphyr::from_str(&std::fs::read_to_string(service.manifest)?)?;
    let pod = &manifest["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let limits = &container["resources"]["limits"];
    let memory = limits["memory"].as_str().unwrap_or_default();
    let memory_mib = match (memory.strip_suffix("Mi"), memory.strip_suffix("Gi")) {
        (Some(mib), _) => mib.parse()?,
        (_, Some(gib)) => gib.parse::<u64>()? * 1024,
        _ => return Err(format!("{}: memory '{memory}'", service.manifest).into()),
    };
    let cpus = limits["cpu"].as_str().unwrap_or_default().parse()?;
    let own = &container["securityContext"];
    if own["readOnlyRootFilesystem"] != true || own["capabilities"]["drop"][0] != "ALL" {
        return Err(format!("{} does not confine its container", service.manifest).into());
    }
    let user = pod["securityContext"]["runAsUser"].to_string();
    Ok(Limits { memory_mib, cpus, user })
}

fn start<'a>(
    engine: &'a Engine,
    service: &Service,
    network: &str,
    limits: &Limits,
) -> Result<(Container<'a>, Duration), BoxError> {
    let memory = format!("{}m", limits.memory_mib);
    let cpus = limits.cpus.to_string();
    let user = format!("{0}:{0}", limits.user);
    let database = format!(
        "DATABASE_URL=postgresql://molt:molt@database/molt?application_name={}",
        service.name
    );
    let key = format!("SECRET_KEY={SECRET}");
    let password = format!("FIRST_SUPERUSER_PASSWORD={PASSWORD}");
    let drain = format!("DRAIN_SECONDS={DRAIN}");
    let mut arguments = vec![
        "--network",
        network,
        "--publish",
        "127.0.0.1::8000",
        "--user",
        &user,
        "--read-only",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges",
        "--memory",
        &memory,
        "--memory-swap",
        &memory,
        "--cpus",
        &cpus,
        "--pids-limit",
        "256",
        "--health-interval",
        "1s",
        "--env",
        &database,
        "--env",
        &key,
        "--env",
        &password,
        "--env",
        &drain,
        "--env",
        "FIRST_SUPERUSER=admin@example.com",
        "--env",
        "PASSWORD_THREADS=1",
    ];
    arguments.extend(service.arguments);
    arguments.push(service.image);
    let container = engine.run(service.name, &arguments)?;
    let elapsed = container.wait_healthy(HEALTHY_TIMEOUT)?;
    Ok((container, elapsed))
}

fn requests(container: &Container<'_>) -> Result<(), BoxError> {
    let port = container.port(8000)?;
    let statuses = [
        ("sign-in", http::sign_in(port, "admin@example.com", PASSWORD)?, 200),
        ("a wrong password", http::sign_in(port, "admin@example.com", "wrong-password")?, 400),
        (
            "the private route",
            http::post(
                port,
                "/api/v1/private/users/",
                r#"{"email":"a@example.com","password":"longenough1","full_name":"A"}"#,
            )?,
            404,
        ),
        ("the document", http::get(port, "/api/v1/openapi.json")?, 200),
        ("the documentation", http::get(port, "/docs")?, 200),
    ];
    match statuses.into_iter().find(|(_, status, expected)| status != expected) {
        Some((what, status, expected)) => {
            Err(format!("{what}: {status}, expected {expected}\n{}", container.log()).into())
        }
        None => Ok(()),
    }
}

fn memory(container: &Container<'_>) -> Result<(), BoxError> {
    let port = container.port(8000)?;
    let threads: Vec<_> = (0..4)
        .map(|_| spawn(move || http::sign_in(port, "admin@example.com", PASSWORD).ok()))
        .collect();
    for thread in threads {
        // A refusal is an answer too; a missing one is not.
        let status = thread.join().ok().flatten().ok_or("a sign-in had no answer")?;
        if ![200, 429, 503].contains(&status) {
            return Err(format!("a sign-in was answered with {status}").into());
        }
    }
    let state = container.state()?;
    if state["Running"] != true || state["OOMKilled"] == true {
        return Err(format!("{state}").into());
    }
    Ok(())
}

/// Stops the container while requests are sent, and reads its end.
fn stop(engine: &Engine, service: &Service, container: &Container<'_>) -> Result<(), BoxError> {
    let port = container.port(8000)?;
    // Hashes a password, so that it is being answered when the signal comes.
    let started = spawn(move || http::sign_in(port, "admin@example.com", PASSWORD).ok());
    sleep(Duration::from_millis(50));
    let start = Instant::now();
    let mut stop: Command = engine.command("docker");
    let mut stop = stop
        .args(["stop", "--time", "60", &container.name])
        .stdout(std::process::Stdio::null())
        .spawn()?;
    sleep(Duration::from_millis(500));
    let during = http::get(port, "/api/v1/utils/health-check/").ok();
    stop.wait()?;
    let elapsed = start.elapsed();
    let state = container.state()?;
    if state["ExitCode"] != 0 || state["OOMKilled"] == true {
        return Err(format!("{state}\n{}", container.log()).into());
    }
    if started.join().ok().flatten() != Some(200) {
        return Err("the request that was being answered was lost".into());
    }
    if service.has_drain && (during != Some(200) || elapsed < Duration::from_secs(DRAIN)) {
        return Err(format!("it did not drain: {during:?}, ended after {elapsed:?}").into());
    }
    if elapsed > Duration::from_secs(55) {
        return Err(format!("it was killed after {elapsed:?}").into());
    }
    Ok(())
}
