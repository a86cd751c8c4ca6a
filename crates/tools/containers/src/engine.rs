//! The engine: the one that `docker` reaches, else one of our own for the time of the checks.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const START_TIMEOUT: Duration = Duration::from_mins(1);

pub(crate) struct Engine {
    /// The value of `DOCKER_HOST` for an engine of our own.
    pub host: Option<OsString>,
    /// Our own, and the folder of its socket.
    own: Option<(Child, PathBuf)>,
}

impl Engine {
    /// The engine that answers, or a new one whose data is in this folder.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn find(folder: &Path) -> Result<Self, String> {
        let mut engine = Self { host: None, own: None };
        if engine.answers() {
            return Ok(engine);
        }
        let folder = std::path::absolute(folder).map_err(|error| error.to_string())?;
        let data = folder.join("engine");
        // A socket's path may have 107 bytes.
        let state = std::env::temp_dir().join(format!("molt-engine-{}", std::process::id()));
        std::fs::create_dir_all(&state).map_err(|error| error.to_string())?;
        let log = folder.join("engine.log");
        let output = File::create(&log).map_err(|error| error.to_string())?;
        let socket = format!("unix://{}", state.join("docker.sock").display());
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        let own = Command::new("dockerd")
            .arg("--data-root")
            .arg(&data)
            .arg("--exec-root")
            .arg(state.join("exec"))
            .arg("--pidfile")
            .arg(state.join("pid"))
            .args(["-H", &socket])
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| {
                format!("no engine answers, and dockerd does not start ({error}): apt-get install docker.io")
            })?;
        engine.host = Some(socket.into());
        engine.own = Some((own, state));
        let start = Instant::now();
        while start.elapsed() < START_TIMEOUT {
            if engine.answers() {
                return Ok(engine);
            }
            let ended = engine.own.as_mut().and_then(|(own, _)| own.try_wait().ok().flatten());
            if ended.is_some() {
                break;
            }
            sleep(Duration::from_millis(200));
        }
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let last = log.lines().last().unwrap_or_default();
        Err(format!("the engine does not run here (it needs root): {last}"))
    }

    /// A command that speaks to this engine.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some(host) = &self.host {
            command.env("DOCKER_HOST", host);
        }
        // The Dockerfiles need no BuildKit, which not every engine's client has.
        command.env("DOCKER_BUILDKIT", "0");
        command
    }

    fn answers(&self) -> bool {
        let mut version = self.command("docker");
        version.args(["version", "--format", "{{.Server.Version}}"]);
        version.stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some((own, state)) = &mut self.own else { return };
        // SIGTERM, so that it ends its containers and unmounts.
        _ = Command::new("kill").arg(own.id().to_string()).status();
        if let Err(error) = own.wait() {
            eprintln!("containers: the engine could not be ended: {error}");
        }
        _ = std::fs::remove_dir_all(state);
    }
}
