//! A server in a container that nothing survives: neither the value, nor the test's process, nor the next
//! test.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use testcontainers::core::IntoContainerPort;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};
use uuid::Uuid;

use crate::Error;
use crate::process::free_port;

/// How long the engine may take to fetch and start an image.
pub(crate) const START_TIMEOUT: Duration = Duration::from_mins(3);

/// How long a server may take until a connection answers.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_mins(1);

/// The process whose container it is.
const LABEL: &str = "molt.testbed";

/// The machine whose process that is, see [`host`]: an engine may be that of several.
const HOST_LABEL: &str = "molt.testbed.host";

/// Removes what tests of this machine have left that are over: only if their removers were killed too.
const CLEAR: &str = r#"docker ps --all --filter "label=$2" --format "{{.ID}} {{.Label \"$1\"}}" |
while read -r container process; do
    [ -e "/proc/$process" ] || docker rm --force --volumes "$container"
done
"#;

/// Removes the container when its standard input closes: when the test drops it, or was killed.
const REMOVE: &str = r#"trap '' INT TERM HUP
cat >/dev/null
docker rm --force --volumes "$1" >/dev/null 2>&1
"#;

/// A container that never outlives the test.
#[derive(Debug)]
pub(crate) struct Container {
    name: String,
    /// Held so that the container lives as long.
    _running: ContainerAsync<GenericImage>,
    remover: Child,
}

impl Container {
    fn docker(&self, arguments: &[&str]) -> Result<(), Error> {
        let output = Command::new("docker").args(arguments).arg(&self.name).output();
        let output = output.map_err(|source| Error::Start { what: "docker".into(), source })?;
        if output.status.success() {
            return Ok(());
        }
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Error::NotReady { what: "the container".into(), log })
    }

    /// Kills the server at once, as a power failure does.
    pub(crate) fn crash(&self) -> Result<(), Error> {
        self.docker(&["kill", "--signal=KILL"])
    }

    /// Starts it again on the same data and port; returns when this command in it succeeds.
    pub(crate) fn recover(&self, what: &str, ready: &[&str]) -> Result<(), Error> {
        self.docker(&["start"])?;
        let start = Instant::now();
        while start.elapsed() < CONNECT_TIMEOUT {
            let mut command = Command::new("docker");
            command.args(["exec", &self.name]).args(ready);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            if command.status().is_ok_and(|status| status.success()) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = format!("{} s have passed", CONNECT_TIMEOUT.as_secs());
        Err(Error::NotReady { what: format!("{what} in a container"), log })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        drop(self.remover.stdin.take());
        if let Err(error) = self.remover.wait() {
            eprintln!("the container {} could not be removed: {error}", self.name);
        }
    }
}

/// Whether an engine answers, else why none does.
pub(crate) fn engine() -> Result<(), String> {
    let mut version = Command::new("docker");
    version.args(["version", "--format", "{{.Server.Version}}"]).stdin(Stdio::null());
    let output = version.output().map_err(|error| format!("docker: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(errors.lines().last().unwrap_or("docker says nothing").trim().to_owned())
}

/// This machine since its start, and the namespace of its processes: what the numbers of processes are
/// unique in.
fn host() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("{} {}", boot.trim(), namespace.display())
}

/// Starts an image, `name:tag`, whose server listens on the port `inside`, as `configure` completes it.
/// Gives the port on this machine too; the server may not answer yet.
pub(crate) async fn launch(
    image: &str,
    inside: u16,
    configure: impl FnOnce(ContainerRequest<GenericImage>) -> ContainerRequest<GenericImage>,
) -> Result<(Container, u16), Box<dyn std::error::Error + Send + Sync>> {
    let (repository, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
    let name = format!("molt-test-{}", Uuid::new_v4().simple());
    let host = host();
    let mut clear = Command::new("sh");
    clear.args(["-c", CLEAR, "clear", LABEL, &format!("{HOST_LABEL}={host}")]);
    clear.stdin(Stdio::null());
    _ = clear.stdout(Stdio::null()).stderr(Stdio::null()).status();
    // Fixed, so that a container that is started again keeps it.
    let port = free_port()?;
    // Before the container, which is removed even if we are killed while it starts.
    let remover = Command::new("setsid")
        .args(["sh", "-c", REMOVE, "remove", &name])
        .stdin(Stdio::piped())
        .spawn()?;
    let request = GenericImage::new(repository, tag)
        .with_container_name(&name)
        .with_mapped_port(port, inside.tcp())
        .with_label(LABEL, std::process::id().to_string())
        .with_label(HOST_LABEL, host);
    let running = configure(request).start().await?;
    Ok((Container { name, _running: running, remover }, port))
}
