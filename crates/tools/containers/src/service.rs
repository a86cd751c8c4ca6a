//! Both services in containers, with the limits of the manifests.

use std::time::Duration;

use serde_json::Value;

use crate::BoxError;
use crate::docker::Container;
use crate::engine::Engine;
use crate::{generated, images};

pub(crate) const HEALTHY_TIMEOUT: Duration = Duration::from_mins(3);

/// How long the containers answer after SIGTERM, in seconds.
pub(crate) const DRAIN: u64 = 3;

pub(crate) const PASSWORD: &str = "a-password-of-the-checks";
const SECRET: &str = "bm90IGEgc2VjcmV0OiBvbmx5IGZvciBjaGVja3M9PT0=";

/// One of the services.
pub(crate) struct Service {
    pub name: &'static str,
    pub image: &'static str,
    manifest: &'static str,
    /// Arguments of the engine beside the limits.
    arguments: &'static [&'static str],
    pub has_drain: bool,
    /// Whether it has secrets with defaults, which are refused in production.
    pub has_secrets: bool,
}

pub(crate) static MOLT: Service = Service {
    name: "molt",
    image: images::MOLT,
    manifest: "k8s/components/molt/deployment.yaml",
    arguments: &["--env", "MIGRATE_ON_START=true", "--publish", "127.0.0.1::9000"],
    has_drain: true,
    has_secrets: true,
};

pub(crate) static LEGACY: Service = Service {
    name: "legacy",
    image: images::LEGACY,
    manifest: "k8s/components/legacy/deployment.yaml",
    arguments: &["--tmpfs", "/tmp:size=64m"],
    // uvicorn closes its port at once; in the manifests a preStop hook waits.
    has_drain: false,
    has_secrets: true,
};

/// A service that was made from this one, on a database of its own.
pub(crate) static GENERATED: Service = Service {
    name: generated::NAME,
    image: images::GENERATED,
    manifest: "target/containers/generated/k8s/components/parcels/deployment.yaml",
    arguments: &["--env", "MIGRATE_ON_START=true", "--publish", "127.0.0.1::9000"],
    has_drain: true,
    has_secrets: true,
};

/// A draft of python-legacy that stands before it, and passes everything on.
pub(crate) static DRAFT: Service = Service {
    name: generated::DRAFT,
    image: images::DRAFT,
    manifest: GENERATED.manifest,
    arguments: &["--env", "LEGACY_URL=http://legacy:8000", "--env", "STRANGLER_PASSWORD=unused"],
    has_drain: false,
    has_secrets: false,
};

/// What the manifest allows a pod.
pub(crate) struct Limits {
    pub memory_mib: u64,
    cpus: u64,
    user: String,
}

impl Limits {
    pub(crate) fn describe(&self) -> String {
        format!("{} MiB, {} CPUs, read-only, no capabilities", self.memory_mib, self.cpus)
    }
}

impl Service {
    /// What the manifest allows it.
    ///
    /// # Errors
    /// When the manifest cannot be read, or does not confine the container.
    pub(crate) fn limits(&self) -> Result<Limits, BoxError> {
        let manifest: Value = serde_saphyr::from_str(&std::fs::read_to_string(self.manifest)?)?;
        let pod = &manifest["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        let limits = &container["resources"]["limits"];
        let memory = limits["memory"].as_str().unwrap_or_default();
        let memory_mib = match (memory.strip_suffix("Mi"), memory.strip_suffix("Gi")) {
            (Some(mib), _) => mib.parse()?,
            (_, Some(gib)) => gib.parse::<u64>()? * 1024,
            _ => return Err(format!("{}: memory '{memory}'", self.manifest).into()),
        };
        let cpus = limits["cpu"].as_str().unwrap_or_default().parse()?;
        let own = &container["securityContext"];
        if own["readOnlyRootFilesystem"] != true || own["capabilities"]["drop"][0] != "ALL" {
            return Err(format!("{} does not confine its container", self.manifest).into());
        }
        let user = pod["securityContext"]["runAsUser"].to_string();
        Ok(Limits { memory_mib, cpus, user })
    }

    /// Starts it on a network, where `database` is PostgreSQL, and waits until it is healthy. Gives the
    /// time that it took. `more` are arguments of the engine, such as `--env`, which win.
    ///
    /// # Errors
    /// When it does not get healthy.
    pub(crate) fn start<'a>(
        &self,
        engine: &'a Engine,
        network: &str,
        name: &str,
        more: &[&str],
    ) -> Result<(Container<'a>, Duration), BoxError> {
        let container = self.begin(engine, network, name, more)?;
        let elapsed = container.wait_healthy(HEALTHY_TIMEOUT)?;
        Ok((container, elapsed))
    }

    /// Starts it, and does not wait.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) fn begin<'a>(
        &self,
        engine: &'a Engine,
        network: &str,
        name: &str,
        more: &[&str],
    ) -> Result<Container<'a>, BoxError> {
        let limits = self.limits()?;
        let memory = format!("{}m", limits.memory_mib);
        let cpus = limits.cpus.to_string();
        let user = format!("{0}:{0}", limits.user);
        let mut arguments = vec!["--network", network, "--publish", "127.0.0.1::8000"];
        arguments.extend(["--user", &user, "--read-only", "--cap-drop", "ALL"]);
        arguments.extend(["--security-opt", "no-new-privileges", "--pids-limit", "256"]);
        arguments.extend(["--memory", &memory, "--memory-swap", &memory, "--cpus", &cpus]);
        arguments.extend(["--health-interval", "1s"]);
        let settings = [
            format!("DATABASE_URL={}", database_url(self.name)),
            format!("SECRET_KEY={SECRET}"),
            format!("FIRST_SUPERUSER_PASSWORD={PASSWORD}"),
            format!("DRAIN_SECONDS={DRAIN}"),
            "FIRST_SUPERUSER=admin@example.com".to_owned(),
            "PASSWORD_THREADS=1".to_owned(),
        ];
        for setting in &settings {
            arguments.extend(["--env", setting]);
        }
        arguments.extend(self.arguments);
        arguments.extend(more);
        arguments.push(self.image);
        engine.run(name, &arguments)
    }
}

/// The database of the checks, as a service of this name reaches it.
pub(crate) fn database_url(application: &str) -> String {
    format!("postgresql://molt:molt@database/molt?application_name={application}")
}

/// Starts PostgreSQL on a network, as `database`, and waits until it is healthy. `more` are arguments of
/// the engine; `command` replaces the image's own.
///
/// # Errors
/// When it does not get healthy.
pub(crate) fn database<'a>(
    engine: &'a Engine,
    image: &str,
    network: &str,
    more: &[&str],
    command: &[&str],
) -> Result<Container<'a>, BoxError> {
    database_as(engine, "database", image, network, more, command)
}

/// The same with another name on the network.
///
/// # Errors
/// When it does not get healthy.
pub(crate) fn database_as<'a>(
    engine: &'a Engine,
    name: &str,
    image: &str,
    network: &str,
    more: &[&str],
    command: &[&str],
) -> Result<Container<'a>, BoxError> {
    let mut arguments = vec!["--network", network, "--network-alias", name];
    arguments.extend(["--env", "POSTGRES_USER=molt", "--env", "POSTGRES_PASSWORD=molt"]);
    arguments.extend(["--health-cmd", "pg_isready --host 127.0.0.1 --username molt"]);
    arguments.extend(["--health-interval", "1s"]);
    arguments.extend(more);
    arguments.push(image);
    arguments.extend(command);
    let database = engine.run(name, &arguments)?;
    database.wait_healthy(HEALTHY_TIMEOUT)?;
    Ok(database)
}
