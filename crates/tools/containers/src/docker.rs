//! The operations of an engine, by its command.

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::BoxError;
use crate::engine::Engine;

/// A container that is removed with its value, running or not.
pub(crate) struct Container<'a> {
    pub engine: &'a Engine,
    pub name: String,
}

/// A network that is removed with its value.
pub(crate) struct Network<'a> {
    engine: &'a Engine,
    pub name: String,
}

/// Runs a command to its end and gives its output.
///
/// # Errors
/// When it fails, with the end of what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, BoxError> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(text);
    }
    let mut lines: Vec<_> = text.lines().collect();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    lines.extend(errors.lines());
    let last = lines.split_off(lines.len().saturating_sub(12)).join("\n");
    Err(format!("{}: {}: {last}", command.get_program().to_string_lossy(), output.status).into())
}

impl Engine {
    /// `docker` with these arguments.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn docker(&self, arguments: &[&str]) -> Result<String, BoxError> {
        output(self.command("docker").args(arguments))
    }

    /// What the engine knows about an image or a container.
    ///
    /// # Errors
    /// When there is none of that name.
    pub(crate) fn inspect(&self, name: &str) -> Result<Value, BoxError> {
        let mut all: Value = serde_json::from_str(&self.docker(&["inspect", name])?)?;
        Ok(all[0].take())
    }

    /// Starts a container in the background.
    ///
    /// # Errors
    /// When it cannot be started; it may still end at once.
    pub(crate) fn run(&self, name: &str, arguments: &[&str]) -> Result<Container<'_>, BoxError> {
        let name = format!("molt-check-{}-{name}", std::process::id());
        let container = Container { engine: self, name };
        let label = Self::label();
        let mut all = vec!["run", "--detach", "--label", &label, "--name", &container.name];
        all.extend(arguments);
        self.docker(&all)?;
        Ok(container)
    }

    /// Makes a private network.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) fn network(&self, name: &str) -> Result<Network<'_>, BoxError> {
        let name = format!("molt-check-{}-{name}", std::process::id());
        self.docker(&["network", "create", "--label", &Self::label(), &name])?;
        Ok(Network { engine: self, name })
    }
}

impl Container<'_> {
    /// Waits until its health check passes. Gives the time since its start.
    ///
    /// # Errors
    /// When it ends or does not get healthy in time, with its log.
    pub(crate) fn wait_healthy(&self, timeout: Duration) -> Result<Duration, BoxError> {
        let start = Instant::now();
        loop {
            let state = self.state()?;
            if state["Health"]["Status"] == "healthy" {
                return Ok(start.elapsed());
            }
            if state["Running"] != true || start.elapsed() > timeout {
                let log = self.log("30");
                return Err(format!("{} is not healthy: {state}\n{log}", self.name).into());
            }
            sleep(Duration::from_millis(200));
        }
    }

    /// The port of this machine that leads to one of the container.
    ///
    /// # Errors
    /// When it is not published.
    pub(crate) fn port(&self, port: u16) -> Result<u16, BoxError> {
        let published = self.engine.docker(&["port", &self.name, &port.to_string()])?;
        let port = published.lines().next().and_then(|line| line.rsplit(':').next());
        Ok(port.unwrap_or_default().parse()?)
    }

    /// The URL of the port on which both services listen, without a slash at the end.
    ///
    /// # Errors
    /// When it is not published.
    pub(crate) fn base(&self) -> Result<String, BoxError> {
        Ok(format!("http://127.0.0.1:{}", self.port(8000)?))
    }

    /// The last lines that it has printed: a number of them, or `all`.
    pub(crate) fn log(&self, lines: &str) -> String {
        let mut command = self.engine.command("docker");
        command.args(["logs", "--tail", lines, &self.name]);
        command.output().map_or_else(
            |error| error.to_string(),
            |output| {
                let errors = String::from_utf8_lossy(&output.stderr);
                String::from_utf8_lossy(&output.stdout).into_owned() + &errors
            },
        )
    }

    pub(crate) fn state(&self) -> Result<Value, BoxError> {
        Ok(self.engine.inspect(&self.name)?["State"].take())
    }

    /// Runs a command of the shell in it, as root.
    ///
    /// # Errors
    /// When it fails.
    pub(crate) fn shell(&self, command: &str) -> Result<String, BoxError> {
        self.engine.docker(&["exec", "--user", "0", &self.name, "sh", "-ec", command])
    }

    /// Ends it at once, as the failure of its machine does; its volumes stay.
    ///
    /// # Errors
    /// When it does not run.
    pub(crate) fn kill(&self) -> Result<(), BoxError> {
        self.engine.docker(&["kill", "--signal", "KILL", &self.name]).map(drop)
    }

    /// Starts it again, on the same volumes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(&self) -> Result<(), BoxError> {
        self.engine.docker(&["start", &self.name]).map(drop)
    }
}

impl Network<'_> {
    /// Takes a container off the network: nothing comes through any more, and nothing is said.
    ///
    /// # Errors
    /// When it is not on it.
    pub(crate) fn disconnect(&self, container: &Container<'_>) -> Result<(), BoxError> {
        self.engine.docker(&["network", "disconnect", &self.name, &container.name]).map(drop)
    }

    /// Puts a container on the network, where it has another name too.
    ///
    /// # Errors
    /// When it is on it already.
    pub(crate) fn connect(&self, container: &Container<'_>, alias: &str) -> Result<(), BoxError> {
        let arguments = ["network", "connect", "--alias", alias, &self.name, &container.name];
        self.engine.docker(&arguments).map(drop)
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.engine.docker(&["rm", "--force", "--volumes", &self.name]) {
            eprintln!("containers: {error}");
        }
    }
}

impl Drop for Network<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.engine.docker(&["network", "rm", &self.name]) {
            eprintln!("containers: {error}");
        }
    }
}
