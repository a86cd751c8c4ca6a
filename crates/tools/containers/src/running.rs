//! Both images, as the manifests run them.

use std::process::Command;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::{Container, Network};
use crate::engine::Engine;
use crate::images::Bases;
use crate::report::Report;
use crate::service::{self, DRAIN, PASSWORD, Service};
use crate::{BoxError, http, memory};

/// What is checked of each.
const CHECKS: [&str; 6] = [
    "user, labels, signal, health check, production",
    "the default secrets are refused",
    "healthy with the manifest's limits",
    "sign-in works, the private route does not exist",
    "four sign-ins at a time within the memory",
    "SIGTERM: answers, completes, exits with 0",
];

/// The names of what is checked of a service.
pub(crate) fn names(service: &Service) -> [String; CHECKS.len()] {
    CHECKS.map(|check| format!("{}: {check}", service.name))
}

/// Runs every check of both images.
///
/// # Errors
/// When an image does not exist, or PostgreSQL cannot be started.
pub(crate) fn check(engine: &Engine, bases: &Bases, report: &mut Report) -> Result<(), BoxError> {
    let network = engine.network("images")?;
    let _database = service::database(engine, bases.postgres, &network.name, &[], &[])?;
    one(engine, &service::MOLT, &network, report)?;
    one(engine, &service::LEGACY, &network, report)
}

/// Checks one of them on a network with its database.
///
/// # Errors
/// When its image does not exist.
pub(crate) fn one(
    engine: &Engine,
    service: &Service,
    network: &Network<'_>,
    report: &mut Report,
) -> Result<(), BoxError> {
    let names = names(service);
    let inspected = report_figures(engine, service, report)?;
    report.check(&names[0], image(service, &inspected).map(nothing));
    report.check(&names[1], refuses_defaults(engine, service).map(nothing));
    let (container, elapsed) = match service.start(engine, &network.name, service.name, &[]) {
        Ok(running) => running,
        Err(error) => {
            report.check(&names[2], Err(error));
            return Ok(());
        }
    };
    let seconds = format!("{:.1}", elapsed.as_secs_f64());
    report.figure(&format!("{}: healthy after, s", service.name), &seconds);
    let limits = service.limits()?.describe();
    report.check(&names[2], Ok(format!("{limits}: after {seconds} s")));
    report.check(&names[3], requests(&container).map(nothing));
    report.check(&names[4], sign_ins(&container));
    report.check(&names[5], stop(engine, service, &container).map(nothing));
    Ok(())
}

/// A check that has nothing to show beside its success.
fn nothing((): ()) -> String {
    String::new()
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
    let is_production = environment.iter().any(|one| one == "ENVIRONMENT=production");
    if service.has_secrets && !is_production {
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
    let missing = if service.has_secrets { "SECRET_KEY" } else { "STRANGLER_PASSWORD" };
    match engine.docker(&["run", "--rm", "--label", &Engine::label(), service.image]) {
        Ok(_) => Err("it ran".into()),
        Err(error) if error.to_string().contains(missing) => Ok(()),
        Err(error) => Err(error),
    }
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
            Err(format!("{what}: {status}, expected {expected}\n{}", container.log("30")).into())
        }
        None => Ok(()),
    }
}

fn sign_ins(container: &Container<'_>) -> Result<String, BoxError> {
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
    let usage = memory::usage(container)?;
    if usage.kills > 0 {
        return Err(format!("the kernel has killed {} processes", usage.kills).into());
    }
    Ok(format!("{} MiB at most, 0 killed", usage.peak_mib))
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
        return Err(format!("{state}\n{}", container.log("30")).into());
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
