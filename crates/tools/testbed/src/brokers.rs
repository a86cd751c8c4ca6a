//! RabbitMQ and Redis: a given server, a container, or the installed one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Error;
use crate::container::{self, CONNECT_TIMEOUT, Container, START_TIMEOUT};
use crate::process::{Running, Signal, free_port, temporary_folder};
use crate::report::report;

/// A message broker for tests, with Erlang's port mapper of its own.
#[derive(Debug)]
pub struct RabbitMq {
    /// As Celery's `broker_url`, with the virtual host `/`.
    pub url: String,
    _server: Server,
}

/// A Redis for tests, without a file.
#[derive(Debug)]
pub struct Redis {
    /// Without the number of a database.
    pub url: String,
    _server: Server,
}

#[derive(Debug)]
enum Server {
    Given,
    #[expect(dead_code, reason = "held so that the container lives as long")]
    Container(Box<Container>),
    /// In the order in which they end.
    #[expect(dead_code, reason = "held so that the processes live as long")]
    Installed(Vec<Running>),
}

/// What differs between the two.
struct Kind {
    name: &'static str,
    /// Names a server that runs already.
    variable: &'static str,
    /// The official image.
    image: &'static str,
    port: u16,
    /// Debian's.
    package: &'static str,
    /// What a client sends first, and what the server answers.
    greeting: (&'static [u8], &'static [u8]),
}

const RABBITMQ: Kind = Kind {
    name: "RabbitMQ",
    variable: "TEST_RABBITMQ_URL",
    image: "rabbitmq:3.13",
    port: 5672,
    package: "rabbitmq-server",
    // The answer is a frame of a method.
    greeting: (b"AMQP\0\0\x09\x01", b"\x01"),
};

const REDIS: Kind = Kind {
    name: "Redis",
    variable: "TEST_REDIS_URL",
    image: "redis:7.4",
    port: 6379,
    package: "redis-server",
    greeting: (b"PING\r\n", b"+PONG"),
};

impl RabbitMq {
    /// The server of `TEST_RABBITMQ_URL`; else a container, if a Docker engine can start one; else the
    /// installed one in a temporary folder. Which it is, and why, is one line on the standard error.
    pub async fn start() -> Result<Self, Error> {
        if let Some(url) = RABBITMQ.given() {
            return Ok(Self { url, _server: Server::Given });
        }
        let (server, port) = match RABBITMQ.in_container().await {
            Ok(started) => started,
            Err(reason) => {
                let programs = installed_rabbitmq().ok_or_else(|| RABBITMQ.missing(&reason))?;
                RABBITMQ.report_installed(&programs, &reason);
                start_rabbitmq(&programs).await?
            }
        };
        Ok(Self { url: format!("amqp://guest:guest@127.0.0.1:{port}//"), _server: server })
    }
}

impl Redis {
    /// The server of `TEST_REDIS_URL`; else as [`RabbitMq::start`].
    pub async fn start() -> Result<Self, Error> {
        if let Some(url) = REDIS.given() {
            return Ok(Self { url, _server: Server::Given });
        }
        let (server, port) = match REDIS.in_container().await {
            Ok(started) => started,
            Err(reason) => {
                let program = in_path("redis-server").ok_or_else(|| REDIS.missing(&reason))?;
                REDIS.report_installed(&program, &reason);
                start_redis(&program).await?
            }
        };
        Ok(Self { url: format!("redis://127.0.0.1:{port}"), _server: server })
    }

    /// The URL of one of its sixteen databases.
    pub fn database(&self, number: u8) -> String {
        format!("{}/{number}", self.url.trim_end_matches('/'))
    }
}

impl Kind {
    fn given(&self) -> Option<String> {
        let url = std::env::var(self.variable).ok()?;
        report(self.name, &format!("the server of {}", self.variable));
        Some(url)
    }

    /// A container, or why there is none.
    async fn in_container(&self) -> Result<(Server, u16), String> {
        container::engine().map_err(|error| format!("no Docker engine answers ({error})"))?;
        let started = container::launch(self.image, self.port, |request| request);
        let cannot = |error: &str| {
            let error = error.replace('\n', " ");
            format!("Docker answers but cannot start {} ({error})", self.image)
        };
        // Without a network the engine may retry to pull the image indefinitely.
        let started = tokio::time::timeout(START_TIMEOUT, started).await;
        let started = started
            .map_err(|_| cannot(&format!("it took more than {} s", START_TIMEOUT.as_secs())))?;
        let (container, port) = started.map_err(|error| cannot(&error.to_string()))?;
        let start = Instant::now();
        while !self.answers(port) {
            if start.elapsed() > CONNECT_TIMEOUT {
                return Err(cannot("it does not answer"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        report(self.name, &format!("a container of {}", self.image));
        Ok((Server::Container(Box::new(container)), port))
    }

    fn report_installed(&self, program: &Path, reason: &str) {
        report(self.name, &format!("the installed one, {}, as {reason}", program.display()));
    }

    fn missing(&self, reason: &str) -> Error {
        let Self { name, variable, package, .. } = self;
        Error::Missing(format!(
            "there is no {name}: set {variable}, start Docker, or install it (Debian: apt-get install \
             {package}); {reason}"
        ))
    }

    fn answers(&self, port: u16) -> bool {
        const TIMEOUT: Duration = Duration::from_secs(1);
        let (question, answer) = self.greeting;
        let ask = || -> std::io::Result<bool> {
            let mut stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            stream.write_all(question)?;
            let mut received = vec![0; answer.len()];
            stream.read_exact(&mut received)?;
            Ok(received == answer)
        };
        ask().unwrap_or(false)
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Debian's command of that name in the path is for root alone, and changes the account.
fn installed_rabbitmq() -> Option<PathBuf> {
    let debian = PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server");
    if debian.exists() { Some(debian) } else { in_path("rabbitmq-server") }
}

async fn start_rabbitmq(program: &Path) -> Result<(Server, u16), Error> {
    let [port, distribution, mapper] = [free_port()?, free_port()?, free_port()?];
    // Else the node starts one that stays after its end, for all nodes of the machine.
    let mut epmd = Command::new(in_path("epmd").unwrap_or_else(|| "epmd".into()));
    epmd.args(["-address", "127.0.0.1", "-port"]).arg(mapper.to_string());
    let folder = temporary_folder("epmd")?;
    let epmd = Running::start("epmd", folder, Signal::Terminate, &epmd, None)?;
    epmd.wait(|_| TcpStream::connect(("127.0.0.1", mapper)).ok()).await?;

    let folder = temporary_folder("rabbitmq")?;
    let within = |name: &str| folder.join(name).into_os_string();
    let mut rabbitmq = Command::new(program);
    rabbitmq
        // Where the cookie is written.
        .env("HOME", &folder)
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", mapper.to_string())
        .env("RABBITMQ_NODENAME", format!("molt-{}-{port}@localhost", std::process::id()))
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", port.to_string())
        .env("RABBITMQ_DIST_PORT", distribution.to_string())
        .env("RABBITMQ_LOGS", "-");
    for (variable, name) in [
        ("RABBITMQ_CONF_ENV_FILE", "environment"),
        ("RABBITMQ_CONFIG_FILE", "configuration"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        ("RABBITMQ_FEATURE_FLAGS_FILE", "features"),
        ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
        ("RABBITMQ_LOG_BASE", "logs"),
        ("RABBITMQ_MNESIA_BASE", "data"),
        ("RABBITMQ_PID_FILE", "server.pid"),
    ] {
        rabbitmq.env(variable, within(name));
    }
    let server = Running::start("RabbitMQ", folder, Signal::Terminate, &rabbitmq, None)?;
    server.wait(|_| RABBITMQ.answers(port).then_some(())).await?;
    Ok((Server::Installed(vec![server, epmd]), port))
}

async fn start_redis(program: &Path) -> Result<(Server, u16), Error> {
    let port = free_port()?;
    let mut redis = Command::new(program);
    redis.args(["--bind", "127.0.0.1", "--port"]).arg(port.to_string());
    redis.args(["--save", "", "--appendonly", "no"]);
    let folder = temporary_folder("redis")?;
    let server = Running::start("Redis", folder, Signal::Terminate, &redis, None)?;
    server.wait(|_| REDIS.answers(port).then_some(())).await?;
    Ok((Server::Installed(vec![server]), port))
}
