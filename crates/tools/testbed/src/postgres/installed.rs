//! PostgreSQL as the machine's packages have it, in a temporary folder.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use url::Url;

use super::address;
use crate::Error;
use crate::process::{Running, Signal, free_port, temporary_folder};

/// A server that ends with its value.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) process: Running,
    control: Control,
}

/// What is needed to stop and start it.
#[derive(Debug)]
struct Control {
    pg_ctl: PathBuf,
    account: Option<String>,
    data: PathBuf,
    options: String,
}

impl Control {
    fn run(&self, arguments: &[&str]) -> Result<(), Error> {
        let output = command(self.account.as_ref(), &self.pg_ctl)
            .arg("-D")
            .arg(&self.data)
            .args(arguments)
            .current_dir(self.data.parent().unwrap_or(&self.data))
            // A server that inherits our pipes would keep us from ending.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|source| Error::Start { what: "pg_ctl".into(), source })?;
        if output.success() {
            return Ok(());
        }
        let log =
            |name| std::fs::read_to_string(self.data.with_file_name(name)).unwrap_or_default();
        let log = log("log") + &log("log-recovered");
        Err(Error::NotReady { what: "PostgreSQL".into(), log })
    }
}

impl Installed {
    /// Kills it at once, as a power failure does.
    pub(super) fn crash(&self) -> Result<(), Error> {
        self.control.run(&["stop", "-m", "immediate"])
    }

    /// Starts it again on the same data and port; returns when it is ready.
    pub(super) fn recover(&self) -> Result<(), Error> {
        let control = &self.control;
        // The first log is open already.
        let log = control.data.with_file_name("log-recovered");
        let log = log.to_string_lossy();
        control.run(&["start", "-w", "-l", &log, "-o", &control.options])?;
        let pid = std::fs::read_to_string(control.data.join("postmaster.pid"));
        let pid = pid.map_err(|source| Error::Start { what: "PostgreSQL".into(), source })?;
        self.process.replaced_by(pid.lines().next().unwrap_or_default())
    }
}

/// Starts the server of these programs with this certificate and key, both PEM. Gives its URL too.
pub(super) async fn start(
    programs: &Path,
    tls: Option<(&str, &str)>,
) -> Result<(Installed, Url), Error> {
    let folder = temporary_folder("postgres")?;
    let data = folder.join("data");
    let failed = |source| Error::Start { what: "PostgreSQL".into(), source };
    let account = account(&folder).map_err(failed)?;
    let initdb = command(account.as_ref(), &programs.join("initdb"))
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D"])
        .arg(&data)
        .current_dir(&folder)
        .output()
        .map_err(failed)?;
    if !initdb.status.success() {
        let log = String::from_utf8_lossy(&initdb.stderr).into_owned();
        return Err(Error::NotReady { what: "initdb".into(), log });
    }
    let port = free_port()?;
    let mut postgres = command(account.as_ref(), &programs.join("postgres"));
    let sockets = folder.display();
    let mut options =
        format!("-k {sockets} -p {port} -c listen_addresses=127.0.0.1 -c max_connections=200");
    if let Some((certificate, key)) = tls {
        for (name, pem) in [("server.crt", certificate), ("server.key", key)] {
            secret(account.as_ref(), &data.join(name), pem).map_err(failed)?;
        }
        // The names are those that PostgreSQL searches itself.
        options += " -c ssl=on";
    }
    postgres.arg("-D").arg(&data).args(options.split(' '));
    let control = Control { pg_ctl: programs.join("pg_ctl"), account, data, options };
    let process = Running::start("PostgreSQL", folder, Signal::Interrupt, &postgres, None)?;
    process.wait(|log| log.contains("ready to accept connections").then_some(())).await?;
    Ok((Installed { process, control }, address(port)))
}

/// The folder of PostgreSQL's programs.
pub(super) fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut debian: Vec<_> = debian.filter_map(|e| Some(e.ok()?.path().join("bin"))).collect();
    debian.sort();
    let complete =
        |folder: &PathBuf| ["initdb", "postgres"].iter().all(|p| folder.join(p).exists());
    debian.into_iter().rev().chain(std::env::split_paths(&path)).find(complete)
}

/// The account to run PostgreSQL as when we are root, which it refuses; the folder becomes its own.
fn account(folder: &Path) -> std::io::Result<Option<String>> {
    let id = |args: &[&str]| Command::new("id").args(args).output();
    if String::from_utf8_lossy(&id(&["-u"])?.stdout).trim() != "0" {
        return Ok(None);
    }
    let account = if id(&["postgres"])?.status.success() { "postgres" } else { "nobody" };
    Command::new("chown").arg(account).arg(folder).status()?;
    Ok(Some(account.to_owned()))
}

/// A file that only the server may read, else it refuses to.
fn secret(account: Option<&String>, path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    if let Some(account) = account {
        Command::new("chown").arg(account).arg(path).status()?;
    }
    Ok(())
}

fn command(account: Option<&String>, program: &Path) -> Command {
    let Some(account) = account else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.arg(format!("--reuid={account}")).args(["--clear-groups", "--"]).arg(program);
    command
}
