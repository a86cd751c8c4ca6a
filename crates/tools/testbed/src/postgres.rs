//! PostgreSQL: a given server, a container, or the installed one.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use testcontainers::core::IntoContainerPort;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use url::Url;
use uuid::Uuid;

use crate::Error;
use crate::process::{Running, Signal, free_port, temporary_folder};

/// The official image, of the version that compose.yaml and the manifests have. `TEST_POSTGRES_IMAGE`
/// names another, such as the one that crates/tools/containers makes from Debian's packages.
const IMAGE: &str = "postgres:17.6-bookworm";

/// How long the engine may take to fetch and start the image.
const CONTAINER_TIMEOUT: Duration = Duration::from_mins(3);

/// How long a server may take until a connection answers.
const CONNECT_TIMEOUT: Duration = Duration::from_mins(1);

/// The process whose container it is.
const LABEL: &str = "molt.testbed";

/// The server must be the only one who may read the key; the image's entry point knows its account.
const WITH_TLS: &str = "install -o postgres -g postgres -m 600 /tls/server.key /tmp/server.key
exec docker-entrypoint.sh postgres -c max_connections=200 -c ssl=on \
    -c ssl_cert_file=/tls/server.crt -c ssl_key_file=/tmp/server.key";

/// Removes what the tests have left that are over: only if their removers were killed too.
const CLEAR: &str = r#"docker ps --all --filter "label=$1" --format "{{.ID}} {{.Label \"$1\"}}" |
while read -r container process; do
    [ -e "/proc/$process" ] || docker rm --force --volumes "$container"
done
"#;

/// Removes the container when its standard input closes: when the test drops it, or was killed.
const REMOVE: &str = r#"trap '' INT TERM HUP
cat >/dev/null
docker rm --force --volumes "$1" >/dev/null 2>&1
"#;

/// A server for tests; every test makes databases of its own.
#[derive(Debug)]
pub struct Postgres {
    url: Url,
    server: Server,
}

#[derive(Debug)]
enum Server {
    /// Given by `TEST_DATABASE_URL`.
    Given,
    Container(Box<Container>),
    Local(Running, Control),
}

/// A container that never outlives the test.
#[derive(Debug)]
struct Container {
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

    fn is_ready(&self) -> bool {
        let mut command = Command::new("docker");
        command.args(["exec", &self.name, "pg_isready", "--quiet", "--host=127.0.0.1"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
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

/// What is needed to stop and start the installed server.
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

impl Postgres {
    /// The server of `TEST_DATABASE_URL`; else a container, if a Docker engine can start one; else
    /// the installed PostgreSQL in a temporary folder.
    pub async fn start() -> Result<Self, Error> {
        if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
            let url = url.parse().map_err(|error| {
                Error::Missing(format!("TEST_DATABASE_URL is not a URL: {error}"))
            })?;
            return Ok(Self { url, server: Server::Given });
        }
        Self::own(None).await
    }

    /// A server of our own, in a container or installed, also if another one is given, which speaks TLS
    /// with this certificate and key, both PEM.
    pub async fn start_with_tls(certificate: &str, key: &str) -> Result<Self, Error> {
        Self::own(Some((certificate, key))).await
    }

    async fn own(tls: Option<(&str, &str)>) -> Result<Self, Error> {
        if docker_answers() {
            // Without a network the engine may retry to pull the image indefinitely.
            let error = match tokio::time::timeout(CONTAINER_TIMEOUT, container(tls)).await {
                Ok(Ok(postgres)) => return Ok(postgres),
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("it took more than {} s", CONTAINER_TIMEOUT.as_secs()),
            };
            eprintln!(
                "Docker answers but cannot start {} ({error}); using the installed PostgreSQL",
                image()
            );
        }
        local(tls).await
    }

    /// The id of the server's process, if this value started it.
    pub fn pid(&self) -> Option<u32> {
        match &self.server {
            Server::Local(server, _) => server.pid().ok(),
            Server::Given | Server::Container(_) => None,
        }
    }

    /// Kills the server at once, as a power failure does. The server of `TEST_DATABASE_URL` cannot be
    /// killed.
    pub fn crash(&self) -> Result<(), Error> {
        match &self.server {
            Server::Local(_, control) => control.run(&["stop", "-m", "immediate"]),
            Server::Container(container) => container.docker(&["kill", "--signal=KILL"]),
            Server::Given => Err(Error::Missing(
                "the server of TEST_DATABASE_URL cannot be killed: unset it, and start Docker or \
                 install PostgreSQL (Debian: apt-get install postgresql)"
                    .into(),
            )),
        }
    }

    /// Starts a server again that has crashed, on the same data and port; returns when it is ready.
    pub fn recover(&self) -> Result<(), Error> {
        let (server, control) = match &self.server {
            Server::Local(server, control) => (server, control),
            Server::Container(container) => return restart(container),
            Server::Given => return Ok(()),
        };
        // The first log is open already.
        let log = control.data.with_file_name("log-recovered");
        let log = log.to_string_lossy();
        control.run(&["start", "-w", "-l", &log, "-o", &control.options])?;
        let pid = std::fs::read_to_string(control.data.join("postmaster.pid"));
        let pid = pid.map_err(|source| Error::Start { what: "PostgreSQL".into(), source })?;
        server.replaced_by(pid.lines().next().unwrap_or_default())
    }

    /// The URL of a new, empty database.
    pub async fn database(&self) -> Result<String, Error> {
        let name = format!("test_{}", Uuid::new_v4().simple());
        let options: PgConnectOptions = self.url.as_str().parse()?;
        let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
        let statement = format!("CREATE DATABASE {name}");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await?;
        let mut url = self.url.clone();
        url.set_path(&name);
        Ok(url.into())
    }
}

fn docker_answers() -> bool {
    let version = Command::new("docker")
        .args(["version", "--format", "{{.Server.Version}}"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// The image to start, as `name:tag`.
fn image() -> String {
    std::env::var("TEST_POSTGRES_IMAGE").unwrap_or_else(|_| IMAGE.to_owned())
}

async fn container(
    tls: Option<(&str, &str)>,
) -> Result<Postgres, Box<dyn std::error::Error + Send + Sync>> {
    let image = image();
    let (repository, tag) = image.rsplit_once(':').unwrap_or((&image, "latest"));
    let name = format!("molt-test-{}", Uuid::new_v4().simple());
    let mut clear = Command::new("sh");
    clear.args(["-c", CLEAR, "clear", LABEL]).stdin(Stdio::null());
    _ = clear.stdout(Stdio::null()).stderr(Stdio::null()).status();
    // Fixed, so that a container that is started again keeps it.
    let port = free_port()?;
    // Before the container, which is removed even if we are killed while it starts.
    let remover = Command::new("setsid")
        .args(["sh", "-c", REMOVE, "remove", &name])
        .stdin(Stdio::piped())
        .spawn()?;
    let mut request = GenericImage::new(repository, tag)
        .with_container_name(&name)
        .with_mapped_port(port, 5432.tcp())
        .with_label(LABEL, std::process::id().to_string())
        .with_env_var("POSTGRES_HOST_AUTH_METHOD", "trust");
    request = match tls {
        None => request.with_cmd(["postgres", "-c", "max_connections=200"]),
        Some((certificate, key)) => request
            .with_copy_to("/tls/server.crt", certificate.as_bytes().to_vec())
            .with_copy_to("/tls/server.key", key.as_bytes().to_vec())
            .with_cmd(["sh", "-ec", WITH_TLS]),
    };
    let running = request.start().await?;
    let container = Container { name, _running: running, remover };
    let url = url(port);
    let options: PgConnectOptions = url.as_str().parse()?;
    let start = Instant::now();
    // The log has "ready" once more for the initialisation: only a connection is proof.
    loop {
        match PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await {
            Ok(pool) => {
                pool.close().await;
                return Ok(Postgres { url, server: Server::Container(Box::new(container)) });
            }
            Err(error) if start.elapsed() > CONNECT_TIMEOUT => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn restart(container: &Container) -> Result<(), Error> {
    container.docker(&["start"])?;
    let start = Instant::now();
    while start.elapsed() < CONNECT_TIMEOUT {
        if container.is_ready() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = format!("{} s have passed", CONNECT_TIMEOUT.as_secs());
    Err(Error::NotReady { what: "PostgreSQL in a container".into(), log })
}

fn url(port: u16) -> Url {
    #[expect(clippy::expect_used, reason = "a port makes no URL invalid")]
    format!("postgresql://postgres@127.0.0.1:{port}/postgres").parse().expect("the URL is valid")
}

async fn local(tls: Option<(&str, &str)>) -> Result<Postgres, Error> {
    let programs = programs().ok_or_else(|| {
        Error::Missing(
            "there is no PostgreSQL: set TEST_DATABASE_URL, start Docker, or install it \
             (Debian: apt-get install postgresql)"
                .into(),
        )
    })?;
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
    let server = Running::start("PostgreSQL", folder, Signal::Interrupt, &postgres, None)?;
    server.wait(|log| log.contains("ready to accept connections").then_some(())).await?;
    Ok(Postgres { url: url(port), server: Server::Local(server, control) })
}

/// The folder of PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
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
