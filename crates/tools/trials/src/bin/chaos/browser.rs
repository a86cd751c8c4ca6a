//! A browser whose user clicks and leaves the page at once: headless Chromium, driven by the WebDriver
//! protocol.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client as Http;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, raw_sql};
use tempfile::TempDir;
use testbed::free_port;
use tokio::time::sleep;
use trials::{API, BoxError, Stage};

use crate::scenario::{Extent, Scenario};
use crate::service::start;

/// How long the browser, or the service, may take for a step.
const TIMEOUT: Duration = Duration::from_mins(1);

const PASSWORD: &str = "a password of a browser";

struct Browser {
    driver: Child,
    http: Http,
    /// Of the driver, then with the session.
    url: String,
    _profile: TempDir,
}

impl Browser {
    async fn start() -> Result<Self, BoxError> {
        let port = free_port()?;
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Browsers end with their driver.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                format!("chromedriver (Debian: apt-get install chromium chromium-driver): {error}")
            })?;
        let profile = tempfile::tempdir()?;
        let arguments = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            // It would keep the page, and its requests, for a user who comes back.
            "--disable-features=BackForwardCache".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let http = Http::builder().no_proxy().timeout(TIMEOUT).build()?;
        let url = format!("http://127.0.0.1:{port}");
        let mut browser = Self { driver, http, url, _profile: profile };
        let options = json!({"goog:chromeOptions": {"args": arguments}});
        let wanted = json!({"capabilities": {"alwaysMatch": options}});
        let start = Instant::now();
        let session = loop {
            match browser.command("/session", &wanted).await {
                Ok(session) => break session,
                Err(error) if start.elapsed() > TIMEOUT => return Err(error),
                Err(_) => sleep(Duration::from_millis(100)).await,
            }
        };
        let id = session["sessionId"].as_str().ok_or("the driver gives no session")?;
        browser.url = format!("{}/session/{id}", browser.url);
        Ok(browser)
    }

    /// Sends a command and gives its result.
    async fn command(&self, path: &str, body: &Value) -> Result<Value, BoxError> {
        let request = self.http.post(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await?.error_for_status()?;
        let mut answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
        Ok(answer["value"].take())
    }

    async fn open(&self, url: &str) -> Result<(), BoxError> {
        self.command("/url", &json!({"url": url})).await.map(drop)
    }

    async fn run(&self, script: &str, arguments: Value) -> Result<(), BoxError> {
        let script = json!({"script": script, "args": arguments});
        self.command("/execute/sync", &script).await.map(drop)
    }

    async fn click(&self, selector: &str) -> Result<(), BoxError> {
        let by = json!({"using": "css selector", "value": selector});
        let element = self.command("/element", &by).await?;
        let id = element.as_object().and_then(|element| element.values().next()?.as_str());
        let id = id.ok_or("there is no such element")?;
        self.command(&format!("/element/{id}/click"), &json!({})).await.map(drop)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = i32::try_from(self.driver.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        _ = self.driver.wait();
    }
}

/// A button that signs a user up.
const PAGE: &str = "
    document.body.innerHTML = '<button>Sign up</button>';
    document.querySelector('button').onclick = () => {
        fetch(arguments[0], {
            method: 'POST',
            headers: {'content-type': 'application/json'},
            body: JSON.stringify({email: arguments[1], password: arguments[2]}),
        });
    };";

/// Waits until the metrics of the service fulfil a condition.
async fn until(
    http: &Http,
    metrics: &str,
    mut condition: impl FnMut(&str) -> bool,
) -> Result<bool, BoxError> {
    let start = Instant::now();
    while start.elapsed() < TIMEOUT {
        if condition(&http.get(metrics).send().await?.text().await?) {
            return Ok(true);
        }
        sleep(Duration::from_millis(2)).await;
    }
    Ok(false)
}

/// Users click "Sign up" and leave the page while the request is being answered: they exist.
pub(crate) async fn click_and_leave(extent: Extent) -> Result<Scenario, BoxError> {
    let folder = tempfile::tempdir()?;
    let database = SqliteConnectOptions::new().filename(folder.path().join("chaos.db"));
    let url = format!("sqlite:///{}/chaos.db", folder.path().display());
    let settings = [("MANAGEMENT_PORT", "0"), ("DATABASE_TIMEOUT_SECONDS", "30")];
    let service = start(&url, &settings).await?;
    let metrics = format!("{}/metrics", service.management().await?);
    let browser = Browser::start().await?;
    let http = Http::builder().no_proxy().timeout(TIMEOUT).build()?;
    let (mut stage, mut missing, mut unseen) = (Stage::default(), Vec::new(), 0);
    let count = extent.pick(3, 30);
    for number in 0..count {
        let email = format!("browser{number}@example.com");
        browser.open(&format!("{}{API}/utils/health-check/", service.url)).await?;
        let arguments = json!([format!("{API}/users/signup"), email, PASSWORD]);
        browser.run(PAGE, arguments).await?;
        // Until the user has left, no other connection can write.
        let mut writer = database.connect().await?;
        raw_sql("BEGIN IMMEDIATE").execute(&mut writer).await?;
        browser.click("button").await?;
        // All of it is there once it waits for that: a page's icon does not.
        let mut seen = 0;
        let at_work = |text: &str| {
            let idle = text.contains("http_server_requests_in_flight 0\n");
            seen = if idle { 0 } else { seen + 1 };
            seen == 5
        };
        unseen += u64::from(!until(&http, &metrics, at_work).await?);
        browser.open("about:blank").await?;
        sleep(Duration::from_millis(100)).await;
        raw_sql("ROLLBACK").execute(&mut writer).await?;
        let finished = |text: &str| {
            text.contains("http_server_requests_in_flight 0\n")
                && text.contains("http_server_requests_disconnected 0\n")
        };
        until(&http, &metrics, finished).await?;

        stage.requests += 1;
        let request = http.post(format!("{}{API}/login/access-token", service.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let form = format!("username={email}&password={PASSWORD}");
        let status = request.body(form).send().await?.status();
        if status != 200 {
            missing.push(format!("{email} left, and its sign-in is answered {status}"));
        }
    }
    let text = http.get(&metrics).send().await?.text().await?;
    let left = text.lines().filter(|line| {
        line.starts_with("http_server_requests_total") && line.contains("status=\"499\"")
    });
    let left: u64 = left.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum();
    let mut scenario = Scenario::count("click-and-leave", &[&service], stage, &[]).await?;
    scenario.bad = count;
    scenario.lost = missing.len();
    scenario.wrong.extend(missing);
    if left == 0 || unseen > 0 {
        scenario.wrong.push(format!("{left} left before their answer, {unseen} sent nothing"));
    }
    scenario.seen = format!("{left} of {count} left before their answer");
    Ok(scenario)
}
