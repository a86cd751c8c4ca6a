//! The page as people see it, in headless Chromium.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use axum::Json;
use axum::response::IntoResponse;
use fantoccini::key::Key;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;

use super::*;

struct Driver {
    process: Child,
    profile: tempfile::TempDir,
    port: u16,
}

impl Driver {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Browsers end with their driver, also when the test fails.
            .process_group(0)
            .spawn()
            .expect("chromedriver starts (Debian: apt-get install chromium chromium-driver)");
        Self { process, profile: tempfile::tempdir().unwrap(), port }
    }

    async fn browser(&self) -> Client {
        let mut capabilities = Capabilities::new();
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &profile,
        ];
        capabilities.insert("goog:chromeOptions".into(), json!({"args": arguments}));
        let url = format!("http://127.0.0.1:{}", self.port);
        let start = Instant::now();
        loop {
            let mut builder =
                ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
            match builder.capabilities(capabilities.clone()).connect(&url).await {
                Ok(client) => return client,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(30), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        _ = self.process.wait();
    }
}

/// A page with a difference to look at.
async fn front() -> Front {
    let item = |from: &str| Json(json!({"id": "7", "from": from})).into_response();
    let legacy = serve(Router::new().fallback(async move || item("legacy"))).await;
    let native = Router::new().fallback(async move || item("native"));
    let front = Front::start(native, Settings::new(legacy.parse().unwrap())).await;
    front.set("read_item", "shadow");
    for _ in 0..3 {
        client().get(format!("{}/items/7", front.url)).send().await.unwrap();
    }
    front.until("read_item", |view| view["mismatches"] == 3).await;
    front
}

#[tokio::test]
async fn the_page_works_by_mouse_by_keyboard_and_on_a_phone() {
    let (driver, front) = (Driver::start(), front().await);
    let browser = driver.browser().await;
    let address =
        front.page.replace("http://", &format!("http://molt:{}@", PASSWORD.replace(' ', "%20")));
    browser.goto(&format!("{address}/_molt")).await.unwrap();
    let heading = browser.find(Locator::Css("h1")).await.unwrap().text().await.unwrap();
    assert_eq!(heading, "0 of 2 operations moved");

    // The differences are there to be opened.
    let shown = async || {
        let difference = browser.find(Locator::Css("#read_item del")).await.unwrap();
        difference.is_displayed().await.unwrap()
    };
    assert!(!shown().await);
    browser.find(Locator::Css("#read_item summary")).await.unwrap().click().await.unwrap();
    assert!(shown().await);

    // A mouse moves one operation, a keyboard the other.
    let button = async |operation: &str, mode: &str| {
        let css = format!("#{operation} button[value={mode}]");
        browser.find(Locator::Css(&css)).await.unwrap()
    };
    button("read_item", "native").await.click().await.unwrap();
    front.until("read_item", |view| view["mode"] == "native").await;
    let percent = browser.find(Locator::Css("#create_item input[name=percent]")).await.unwrap();
    percent.clear().await.unwrap();
    percent.send_keys("25").await.unwrap();
    button("create_item", "canary")
        .await
        .send_keys(&char::from(Key::Enter).to_string())
        .await
        .unwrap();
    front.until("create_item", |view| view["mode"] == "canary 25%").await;
    let current = button("create_item", "canary").await.attr("aria-current").await.unwrap();
    assert_eq!(current.as_deref(), Some("true"));

    // Nothing is wider than a phone.
    browser.set_window_size(390, 844).await.unwrap();
    let wider = "return document.documentElement.scrollWidth - window.innerWidth";
    let wider = browser.execute(wider, Vec::new()).await.unwrap();
    assert!(wider.as_i64().unwrap() <= 0, "{wider} pixels too wide");
    if let Some(folder) = std::env::var_os("SCREENSHOTS") {
        for (name, width) in [("phone", 390), ("desk", 1200)] {
            browser.set_window_size(width, 844).await.unwrap();
            let picture = browser.screenshot().await.unwrap();
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture)
                .unwrap();
        }
    }
    browser.close().await.unwrap();
}
