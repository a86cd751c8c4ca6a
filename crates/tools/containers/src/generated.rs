//! A service that was made from this one, and a draft of python-legacy in it: the images of both, built as
//! their own Dockerfiles have it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::BoxError;
use crate::docker::output;
use crate::engine::Engine;
use crate::images::{self, Bases};
use crate::report::Report;
use crate::running;
use crate::service::{self, LEGACY};

/// The names of the service and of the draft, and of their programs.
pub(crate) const NAME: &str = "parcels";
pub(crate) const DRAFT: &str = "before-legacy";

/// The Rust image with which they are compiled.
const RUST: &str = "molt-local/unoptimised";

/// Where the service finds Molt's libraries. Always the same, else no layer would be used again.
const PORT: &str = "18620";

/// What is checked, for the report of a machine without an engine.
pub(crate) fn names() -> impl Iterator<Item = String> {
    [&service::GENERATED, &service::DRAFT].into_iter().flat_map(running::names)
}

/// Runs every check of both.
///
/// # Errors
/// When an image does not exist, or PostgreSQL or python-legacy cannot be started.
pub(crate) fn check(engine: &Engine, bases: &Bases, report: &mut Report) -> Result<(), BoxError> {
    {
        let network = engine.network("generated")?;
        let _database = service::database(engine, bases.postgres, &network.name, &[], &[])?;
        running::one(engine, &service::GENERATED, &network, report)?;
    }
    let network = engine.network("draft")?;
    let _database = service::database(engine, bases.postgres, &network.name, &[], &[])?;
    let alias = ["--network-alias", "legacy"];
    let _legacy = LEGACY.start(engine, &network.name, "legacy", &alias)?;
    running::one(engine, &service::DRAFT, &network, report)
}

/// Makes both in this folder and builds their images.
///
/// # Errors
/// When the service cannot be made or an image cannot be built, with the end of the output.
pub(crate) fn build(engine: &Engine, bases: &Bases, folder: &Path) -> Result<(), BoxError> {
    let service = folder.join("generated");
    let libraries = Libraries::serve(folder)?;
    eprintln!("containers: making {NAME}, and {DRAFT} in it");
    if service.exists() {
        fs::remove_dir_all(&service)?;
    }
    let program = std::env::current_exe()?.with_file_name("scaffold");
    let mut make = Command::new(&program);
    make.args(["service", NAME, "--libraries", &libraries.source, "--into"]).arg(&service);
    output(&mut make)?;
    let mut draft = Command::new(&program);
    draft.args(["draft", "openapi/openapi.json", "--name", DRAFT, "--no-test", "--root"]);
    output(draft.arg(&service))?;
    // The draft is new in it; everything else stays as it is.
    output(Command::new("cargo").args(["update", "--quiet", "--workspace"]).current_dir(&service))?;

    bases.make(engine, &["rust"])?;
    let base = format!("RUST_IMAGE={}", bases.rust);
    let file = "crates/tools/containers/images/unoptimised.Dockerfile";
    let context = "crates/tools/containers/images";
    engine.docker(&["build", "--tag", RUST, "--file", file, "--build-arg", &base, context])?;
    let base = format!("RUST_IMAGE={RUST}");
    for (image, package) in [(images::GENERATED, "api"), (images::DRAFT, DRAFT)] {
        eprintln!("containers: building {image}");
        let file = service.join("crates").join(package).join("Dockerfile");
        let mut build = engine.command("docker");
        build.args(["build", "--tag", image, "--build-arg", &base, "--file"]).arg(file);
        // Where the libraries are.
        output(build.args(["--network", "host"]).arg(&service))?;
    }
    Ok(())
}

/// This repository as a service depends on it: by git.
struct Libraries {
    source: String,
    server: Child,
}

impl Libraries {
    /// Serves what is committed.
    fn serve(folder: &Path) -> Result<Self, BoxError> {
        let all = std::path::absolute(folder)?.join("libraries");
        if all.exists() {
            fs::remove_dir_all(&all)?;
        }
        fs::create_dir_all(&all)?;
        let mut clone = Command::new("git");
        clone.args(["clone", "--quiet", "--bare", "--no-hardlinks", "."]).arg(all.join("molt"));
        output(&mut clone)?;
        let revision = output(Command::new("git").args(["rev-parse", "HEAD"]))?;
        let mut daemon = Command::new("git");
        daemon.args(["daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1"]);
        daemon.arg(format!("--port={PORT}")).arg(format!("--base-path={}", all.display()));
        daemon.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = daemon.spawn()?;
        let url = format!("git://127.0.0.1:{PORT}/molt");
        let libraries = Self { source: format!("git={url}#{revision}"), server };
        let start = Instant::now();
        while output(Command::new("git").args(["ls-remote", "--quiet", &url])).is_err() {
            if start.elapsed() > Duration::from_secs(10) {
                return Err(format!("git serves nothing on port {PORT}").into());
            }
            sleep(Duration::from_millis(100));
        }
        Ok(libraries)
    }
}

impl Drop for Libraries {
    fn drop(&mut self) {
        // `git` starts a program of its own, which ends with SIGTERM.
        if let Err(error) = output(Command::new("kill").arg(self.server.id().to_string())) {
            eprintln!("containers: git could not be ended: {error}");
        }
        _ = self.server.wait();
    }
}
