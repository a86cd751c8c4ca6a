//! The engine: the one that `docker` reaches, else one of our own for the time of the checks. Nothing is
//! left on it, nor of it, also when the checks are killed.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const START_TIMEOUT: Duration = Duration::from_mins(1);

/// Removes what was made: see the file.
const SCRIPT: &str = include_str!("engine.sh");

pub(crate) struct Engine {
    /// The value of `DOCKER_HOST` for an engine of our own.
    pub host: Option<OsString>,
    /// Ends when its standard input closes, having removed what has our label.
    guard: Option<Child>,
}

impl Engine {
    /// The engine that answers, or a new one whose data is in this folder. What earlier runs have left
    /// is removed.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn find(folder: &Path) -> Result<Self, String> {
        let mut engine = Self { host: None, guard: None };
        // Engines of runs that were killed would hold the data.
        engine.script(&["clear"]);
        if engine.answers() {
            engine.guard = Some(engine.guarded(&[])?);
            return Ok(engine);
        }
        let folder = std::path::absolute(folder).map_err(|error| error.to_string())?;
        // A socket's path may have 107 bytes.
        let state = std::env::temp_dir().join(format!("molt-engine-{}", std::process::id()));
        std::fs::create_dir_all(&state).map_err(|error| error.to_string())?;
        let log = folder.join("engine.log");
        let socket = format!("unix://{}", state.join("docker.sock").display());
        let path = |path: PathBuf| path.into_os_string();
        engine.host = Some(socket.clone().into());
        engine.guard = Some(engine.guarded(&[
            path(state.clone()),
            path(log.clone()),
            "dockerd".into(),
            "--data-root".into(),
            path(folder.join("engine")),
            "--exec-root".into(),
            path(state.join("exec")),
            "--pidfile".into(),
            path(state.join("pid")),
            "-H".into(),
            socket.into(),
        ])?);
        let start = Instant::now();
        while start.elapsed() < START_TIMEOUT {
            if engine.answers() {
                engine.script(&["clear"]);
                return Ok(engine);
            }
            if has_ended(&state) {
                break;
            }
            sleep(Duration::from_millis(200));
        }
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let last = log.lines().last().unwrap_or_default();
        Err(format!(
            "no engine answers, and dockerd does not run here (it needs root; Debian: apt-get install \
             docker.io): {last}"
        ))
    }

    /// A command that speaks to this engine.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some(host) = &self.host {
            command.env("DOCKER_HOST", host);
        }
        // The Dockerfiles need no BuildKit, which not every engine's client has.
        command.env("DOCKER_BUILDKIT", "0");
        command
    }

    /// What all that is made on the engine is labelled with.
    pub(crate) fn label() -> String {
        format!("molt.containers={}", std::process::id())
    }

    fn script(&self, arguments: &[&str]) {
        let mut script = self.command("sh");
        script.args(["-c", SCRIPT, "engine"]).args(arguments);
        _ = script.stdin(Stdio::null()).status();
    }

    /// Starts what removes everything; `own` is the folder, the log and the command of an engine.
    fn guarded(&self, own: &[OsString]) -> Result<Child, String> {
        let mut guard = Command::new("setsid");
        guard.args(["sh", "-c", SCRIPT, "engine", "guard", &std::process::id().to_string()]);
        if let Some(host) = &self.host {
            guard.env("DOCKER_HOST", host);
        }
        guard.args(own).stdin(Stdio::piped()).spawn().map_err(|error| error.to_string())
    }

    fn answers(&self) -> bool {
        let mut version = self.command("docker");
        version.args(["version", "--format", "{{.Server.Version}}"]);
        version.stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    }
}

/// Whether the engine of this folder was started and has ended.
fn has_ended(state: &Path) -> bool {
    // The file is there before the number in it.
    let process = std::fs::read_to_string(state.join("engine"));
    let process = process.ok().and_then(|text| text.trim().parse::<u32>().ok());
    process.is_some_and(|process| {
        // Its command says nothing: that is empty for a moment, too, while the process begins.
        let status = std::fs::read_to_string(format!("/proc/{process}/stat"));
        let state = status.ok().and_then(|line| line.rsplit_once(") ")?.1.chars().next());
        // Without a process, or one whose parent has not waited for it yet.
        matches!(state, None | Some('Z' | 'X'))
    })
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(guard) = &mut self.guard else { return };
        drop(guard.stdin.take());
        if let Err(error) = guard.wait() {
            eprintln!("containers: the engine could not be ended: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_has_ended_once_its_process_has() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_ended(folder.path()), "it was not started");
        let ended = |process: &Child| {
            std::fs::write(folder.path().join("engine"), process.id().to_string()).unwrap();
            has_ended(folder.path())
        };
        for _ in 0..50 {
            let mut running = Command::new("sleep").arg("60").spawn().unwrap();
            assert!(!ended(&running));
            running.kill().unwrap();
            let start = Instant::now();
            while !ended(&running) {
                assert!(start.elapsed() < Duration::from_secs(10), "it is not waited for");
            }
            running.wait().unwrap();
            assert!(ended(&running), "it is gone");
        }
    }
}
