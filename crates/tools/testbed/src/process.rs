//! A child process that never outlives its parent.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};

use crate::Error;

/// Runs the command, waits until its standard input closes (the parent dropped it, or died), then
/// ends the command and removes the folder. SIGINT from the terminal is left to the parent. A service may
/// take as long as its requests do (30 s) and its drain; what takes longer is killed.
const GUARD: &str = r#"
signal=$1 folder=$2; shift 2
"$@" </dev/null &
child=$!
echo $child > "$folder/pid"
trap '' INT TERM HUP
cat >/dev/null
# It may have been started again meanwhile.
child=$(cat "$folder/pid")
kill -"$signal" $child 2>/dev/null
tries=0
while kill -0 $child 2>/dev/null && [ $tries -lt 400 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL $child 2>/dev/null
rm -rf "$folder"
"#;

/// A signal that a process can get.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// `SIGTERM`: end in an orderly way.
    Terminate,
    /// `SIGINT`, at which PostgreSQL does a fast shutdown.
    Interrupt,
    /// `SIGKILL`: end at once.
    Kill,
    /// `SIGSTOP`: pause.
    Stop,
    /// `SIGCONT`: go on after a pause.
    Continue,
}

impl Signal {
    const fn posix(self) -> rustix::process::Signal {
        match self {
            Self::Terminate => rustix::process::Signal::TERM,
            Self::Interrupt => rustix::process::Signal::INT,
            Self::Kill => rustix::process::Signal::KILL,
            Self::Stop => rustix::process::Signal::STOP,
            Self::Continue => rustix::process::Signal::CONT,
        }
    }
}

/// A process with a temporary folder of its own.
#[derive(Debug)]
pub struct Running {
    what: String,
    guard: Child,
    folder: PathBuf,
}

/// A new temporary folder, which a [`Running`] will remove.
pub(crate) fn temporary_folder(what: &str) -> Result<PathBuf, Error> {
    let prefix = format!("testbed-{what}-");
    match tempfile::Builder::new().prefix(&prefix).tempdir() {
        Ok(folder) => Ok(folder.keep()),
        Err(source) => Err(Error::Start { what: what.to_owned(), source }),
    }
}

impl Running {
    /// Starts a command whose output goes to `log` in the folder; `signal` ends it when this value is
    /// dropped. A socket is passed on as systemd does it.
    pub fn start(
        what: &str,
        folder: PathBuf,
        signal: Signal,
        command: &Command,
        socket: Option<&TcpListener>,
    ) -> Result<Self, Error> {
        let start = || -> io::Result<Child> {
            let log = File::create(folder.join("log"))?;
            let mut guard = Command::new("setsid");
            guard.args(["sh", "-c", GUARD, "guard"]);
            guard.arg(signal.posix().as_raw().to_string());
            guard.arg(&folder).arg(command.get_program()).args(command.get_args());
            guard.current_dir(command.get_current_dir().unwrap_or(&folder));
            // Settings in our own environment must not leak in.
            guard.env_clear();
            for name in ["PATH", "HOME", "LANG", "TMPDIR"] {
                if let Some(value) = std::env::var_os(name) {
                    guard.env(name, value);
                }
            }
            for (name, value) in command.get_envs() {
                if let Some(value) = value {
                    guard.env(name, value);
                }
            }
            if let Some(socket) = socket {
                let parent_fd = socket.as_fd().try_clone_to_owned()?;
                guard.env("LISTEN_FDS", "1");
                guard
                    .fd_mappings(vec![FdMapping { parent_fd, child_fd: 3 }])
                    .map_err(io::Error::other)?;
            }
            guard.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).spawn()
        };
        match start() {
            Ok(guard) => Ok(Self { what: what.to_owned(), guard, folder }),
            Err(source) => Err(Error::Start { what: what.to_owned(), source }),
        }
    }

    /// The id of the process.
    pub fn pid(&self) -> Result<u32, Error> {
        let start = |source| Error::Start { what: self.what.clone(), source };
        let pid = std::fs::read_to_string(self.folder.join("pid")).map_err(start)?;
        pid.trim().parse().map_err(|error| start(io::Error::other(error)))
    }

    /// Makes this value stand for another process, which then ends with it.
    pub(crate) fn replaced_by(&self, pid: &str) -> Result<(), Error> {
        std::fs::write(self.folder.join("pid"), pid)
            .map_err(|source| Error::Start { what: self.what.clone(), source })
    }

    /// Sends a signal to the process.
    pub fn send(&self, signal: Signal) -> Result<(), Error> {
        let failed = |source| Error::Start { what: self.what.clone(), source };
        let pid = i32::try_from(self.pid()?).ok().and_then(rustix::process::Pid::from_raw);
        let pid = pid.ok_or_else(|| failed(io::Error::other("it has no process")))?;
        rustix::process::kill_process(pid, signal.posix()).map_err(|error| failed(error.into()))
    }

    /// The output of the process so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Waits until `ready` finds something in the log, and returns it. Fails after a minute.
    pub async fn wait<T>(&self, ready: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        const TIMEOUT: Duration = Duration::from_mins(1);
        let start = Instant::now();
        while start.elapsed() < TIMEOUT {
            if let Some(found) = ready(&self.log()) {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Err(Error::NotReady { what: self.what.clone(), log: self.log() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        if let Err(error) = self.guard.wait() {
            eprintln!("{} could not be ended: {error}", self.what);
        }
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16, Error> {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| Error::Start { what: "a free port".into(), source })
}
