//! The strangler in operation: what is written about it outside of its code, and real WebSockets.

#![expect(clippy::unwrap_used, reason = "a test ends so")]

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testbed::{Scratch, Service, python, rust};

const ECHO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/third-party");

fn client() -> reqwest::Client {
    _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn strangler(legacy: &str) -> (Scratch, Service) {
    let settings = [("LEGACY_URL", legacy), ("MANAGEMENT_PORT", "0")];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    (database, service)
}

/// The names of metrics in a text of PromQL, without what histograms add.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c| !is_part(c)).filter(|word| {
        word.starts_with("strangler_") || word.starts_with("http_") || word.starts_with("emails_")
    });
    let plain = words.map(|word| {
        let parts = ["_bucket", "_sum", "_count"];
        let base = parts.iter().find_map(|part| word.strip_suffix(part));
        base.unwrap_or(word).to_owned()
    });
    plain.collect()
}

#[tokio::test]
async fn alerts_and_the_dashboard_name_metrics_that_there_are() {
    let (_database, service) = strangler("http://127.0.0.1:9").await;
    client().get(format!("{}/api/v1/users/me", service.url)).send().await.unwrap();
    let metrics = format!("{}/metrics", service.management().await.unwrap());
    let exported = client().get(metrics).send().await.unwrap().text().await.unwrap();
    let exported: BTreeSet<_> = exported
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| {
            let (name, kind) = line.split_once(' ')?;
            Some(if kind == "counter" { format!("{name}_total") } else { name.to_owned() })
        })
        .collect();
    let components = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../k8s/components");
    let mut used = BTreeSet::new();
    for file in ["molt/monitoring.yaml", "strangler/monitoring.yaml", "strangler/dashboard.json"] {
        let text = std::fs::read_to_string(format!("{components}/{file}")).unwrap();
        let named = metrics_in(&text);
        assert!(named.len() > 2, "{file}: {named:?}");
        for name in &named {
            assert!(exported.contains(name), "{file}: {name} is not one of {exported:#?}");
        }
        used.extend(named);
    }
    // What is exported for people is shown to them.
    let unused = exported.iter().filter(|name| name.starts_with("strangler_"));
    let unused: Vec<_> = unused.filter(|name| !used.contains(*name)).collect();
    assert_eq!(unused, Vec::<&String>::new());
}

/// uvicorn with an application that sends messages back; it ends with this.
struct Echo {
    process: std::process::Child,
    url: String,
}

impl Echo {
    async fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(python().unwrap());
        command.args(["-B", "-m", "uvicorn", "echo:app", "--app-dir", ECHO, "--ws", "websockets"]);
        command.args(["--port", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let echo =
            Self { process: command.spawn().unwrap(), url: format!("http://127.0.0.1:{port}") };
        let start = Instant::now();
        while client().get(&echo.url).send().await.is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "uvicorn does not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        echo
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// 1,000 messages, a subprotocol, pings, close codes of either side and a refusal; `make third-party`
/// has the same over uvicorn's other implementation.
#[tokio::test]
async fn websockets_of_uvicorn_pass() {
    let echo = Echo::start().await;
    let (_database, service) = strangler(&echo.url).await;
    let port = service.url.rsplit(':').next().unwrap().to_owned();
    let messages = tokio::process::Command::new(python().unwrap())
        .args(["-B", &format!("{ECHO}/messages.py"), &port])
        .output();
    let messages = tokio::time::timeout(Duration::from_mins(1), messages).await.unwrap().unwrap();
    let error = String::from_utf8_lossy(&messages.stderr);
    assert!(messages.status.success(), "{error}");
    let metrics = format!("{}/metrics", service.management().await.unwrap());
    let metrics = client().get(metrics).send().await.unwrap().text().await.unwrap();
    for line in [
        "strangler_events_total{event=\"upgrade\"} 2\n",
        "strangler_events_total{event=\"upgrade_refused\"} 1\n",
        "strangler_tunnels 0.0\n",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}
