//! The plan, its file, and what outlives a restart.

use axum::response::IntoResponse;
use http::StatusCode;

use super::*;

const CANARY: &str = "default: legacy\noperations:\n  read_item: canary 100%\n";

/// A front with a plan in a file, before a new service that answers with this status.
async fn front(folder: &tempfile::TempDir, plan: &str, native: StatusCode) -> Front {
    let path = folder.path().join("plan.yaml");
    if !path.exists() {
        std::fs::write(&path, plan).unwrap();
    }
    let legacy = serve(always(|_| "legacy".into_response())).await;
    let mut settings = Settings::new(legacy.parse().unwrap());
    settings.plan = Some(path);
    // They are compared in other tests.
    settings.canary_checks = 0;
    let native = Router::new().fallback(async move || native);
    Front::start(native, settings).await
}

fn error(front: &Front) -> Option<String> {
    let overview = serde_json::to_value(front.strangler.overview()).unwrap();
    overview["error"].as_str().map(str::to_owned)
}

async fn until(front: &Front, holds: impl Fn(&Front) -> bool) {
    let start = Instant::now();
    while !holds(front) {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", error(front));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn get(front: &Front) -> u16 {
    let get = client().get(format!("{}/items/7", front.url)).send();
    get.await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_failed_canary_stays_failed_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let one = front(&folder, CANARY, StatusCode::INTERNAL_SERVER_ERROR).await;
    for _ in 0..5 {
        assert_eq!(get(&one).await, 500);
    }
    assert_eq!(get(&one).await, 200, "five errors in a row are enough");
    let reason = one.view("read_item")["fallback"].clone();
    assert!(reason.as_str().unwrap().contains("errors"), "{reason}");
    until(&one, |_| folder.path().join("plan.yaml.canaries").exists()).await;

    let other = front(&folder, CANARY, StatusCode::OK).await;
    assert_eq!(other.view("read_item")["fallback"], reason);
    // Another try.
    other.set("read_item", "canary 100%");
    assert_eq!(other.view("read_item")["fallback"], Value::Null);
    let third = front(&folder, CANARY, StatusCode::OK).await;
    assert_eq!(third.view("read_item")["fallback"], Value::Null);
}

#[tokio::test]
async fn refusals_of_a_canary_count_against_the_baseline() {
    let folder = tempfile::tempdir().unwrap();
    let front = front(&folder, "default: legacy\n", StatusCode::FORBIDDEN).await;
    for _ in 0..30 {
        assert_eq!(get(&front).await, 200);
    }
    front.set("read_item", "canary 100%");
    for _ in 0..30 {
        get(&front).await;
    }
    let reason = front.view("read_item")["fallback"].clone();
    assert!(reason.as_str().is_some_and(|reason| reason.contains("refusals")), "{reason}");
}

/// They time out before the new service answers, which then has no status.
#[tokio::test]
async fn a_canary_whose_clients_give_up_fails() {
    let legacy = serve(always(|_| "legacy".into_response())).await;
    let native = Router::new().fallback(async || tokio::time::sleep(Duration::from_mins(1)).await);
    let front = Front::start(native, Settings::new(legacy.parse().unwrap())).await;
    for _ in 0..30 {
        assert_eq!(get(&front).await, 200);
    }
    front.set("read_item", "canary 100%");
    let client = client();
    let patient = |_| {
        let get = client.get(format!("{}/items/7", front.url));
        get.timeout(Duration::from_secs(1)).send()
    };
    futures_util::future::join_all((0..30).map(patient)).await;
    let view = front.until("read_item", |view| !view["fallback"].is_null()).await;
    assert!(view["native"]["cancelled"].as_u64().unwrap() >= 10, "{view:#}");
}

#[tokio::test]
async fn the_file_s_errors_come_and_go_with_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.yaml");
    let front = front(&folder, "default: shadow\n", StatusCode::OK).await;
    let mode = |front: &Front| front.view("read_item")["mode"].clone();
    for text in ["default: zzz\n", "", "default: canary 10\n", "default: canary10%%\n"] {
        std::fs::write(&path, text).unwrap();
        until(&front, |front| error(front).is_some()).await;
        assert_eq!(mode(&front), "shadow", "{text:?}");
        // The same plan as before.
        std::fs::write(&path, "default: shadow\n").unwrap();
        until(&front, |front| error(front).is_none()).await;
    }
    std::fs::remove_file(&path).unwrap();
    until(&front, |front| error(front).is_some()).await;
    assert_eq!(mode(&front), "shadow");
    std::fs::write(&path, "default: native\n").unwrap();
    until(&front, |front| error(front).is_none() && mode(front) == "native").await;
}

/// A file that is missing from the start is reported as one that goes missing later is.
#[tokio::test]
async fn a_missing_file_is_reported_until_there_is_one() {
    for by_page in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.yaml");
        let mut settings = Settings::new("http://127.0.0.1:9".parse().unwrap());
        settings.plan = Some(path.clone());
        let front = Front::start(Router::new(), settings).await;
        let page = || client().get(format!("{}/_molt", front.page)).bearer_auth(PASSWORD).send();
        let metrics = || {
            let mut registry = prometheus_client::registry::Registry::default();
            front.strangler.register(&mut registry);
            let mut metrics = String::new();
            prometheus_client::encoding::text::encode(&mut metrics, &registry).unwrap();
            metrics
        };
        assert!(error(&front).unwrap().contains("there is no such file"));
        assert!(page().await.unwrap().text().await.unwrap().contains("there is no such file"));
        assert!(metrics().contains("strangler_plan_error 1.0\n"));
        // It stays until there is one.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(error(&front).is_some());
        if by_page {
            front.set("read_item", "shadow");
        } else {
            std::fs::write(&path, "default: shadow\n").unwrap();
        }
        until(&front, |front| error(front).is_none()).await;
        assert_eq!(front.view("read_item")["mode"], "shadow");
        assert!(path.exists());
        assert!(metrics().contains("strangler_plan_error 0.0\n"));
    }
}

#[tokio::test]
async fn no_change_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let front = front(&folder, "default: legacy\n", StatusCode::OK).await;
    for round in 0..200 {
        let modes = if round % 2 == 0 { ["native", "shadow"] } else { ["shadow", "native"] };
        std::thread::scope(|scope| {
            for (operation, mode) in ["read_item", "create_item"].into_iter().zip(modes) {
                let front = &front;
                scope.spawn(move || front.set(operation, mode));
            }
        });
        let now =
            ["read_item", "create_item"].map(|operation| front.view(operation)["mode"].clone());
        assert_eq!(now, modes, "round {round}");
    }
    // A button, right after an editor.
    let path = folder.path().join("plan.yaml");
    std::fs::write(&path, "default: legacy\noperations:\n  create_item: canary 7%\n").unwrap();
    front.set("read_item", "native");
    assert_eq!(front.view("create_item")["mode"], "canary 7%");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("canary 7%") && text.contains("native"), "{text}");
    // A whole plan, right after an editor.
    std::fs::write(&path, "default: shadow\n").unwrap();
    let put = client().put(format!("{}/_molt/plan", front.page)).bearer_auth(PASSWORD);
    let answer = put.body("default: native").send().await.unwrap();
    assert_eq!(answer.status(), 409);
    assert_eq!(front.view("read_item")["mode"], "shadow");
}

/// A thousand operations, each of which is set at the same time, with an editor in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn none_of_a_thousand_changes_at_once_is_lost() {
    const COUNT: usize = 1000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.yaml");
    std::fs::write(&path, "default: legacy\n").unwrap();
    let mut settings = Settings::new("http://127.0.0.1:9".parse().unwrap());
    settings.plan = Some(path.clone());
    let ids: Vec<_> = (0..=COUNT).map(|n| format!("operation_{n}")).collect();
    let all = ids.iter().map(|id| Operation::new(id, "GET", &format!("/{id}")));
    let strangler = Strangler::start(settings, Operations::new(all)).unwrap();
    let page = serve(strangler.page(PASSWORD.to_owned())).await;
    let client = client();
    let post = async |id: &String| {
        let post = client.post(format!("{page}/_molt/mode")).bearer_auth(PASSWORD);
        let post = post.header("content-type", "application/x-www-form-urlencoded");
        post.body(format!("operation={id}&mode=shadow")).send().await.unwrap().status().as_u16()
    };
    let posts = futures_util::future::join_all(ids[..COUNT / 2].iter().map(post));
    assert!(posts.await.iter().all(|status| *status == 200));
    // As an editor does: what it has read, and a line more.
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, before + "  \"operation_1000\": native\n").unwrap();
    let posts = futures_util::future::join_all(ids[COUNT / 2..COUNT].iter().map(post));
    assert!(posts.await.iter().all(|status| *status == 200));
    let overview = strangler.overview();
    let lost = overview.operations[..COUNT].iter().filter(|it| it.mode.to_string() != "shadow");
    assert_eq!(lost.count(), 0);
    assert_eq!(overview.operations[COUNT].mode.to_string(), "native");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(": shadow").count(), COUNT);
}

/// As Kubernetes does it: a config map's files are links, of which one is replaced at once.
#[tokio::test]
async fn a_plan_behind_links_is_followed() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let publish = |version: &str, plan: Option<&str>| {
        std::fs::create_dir(at(version)).unwrap();
        if let Some(plan) = plan {
            std::fs::write(at(version).join("plan.yaml"), plan).unwrap();
        }
        symlink(version, at("..data.new")).unwrap();
        std::fs::rename(at("..data.new"), at("..data")).unwrap();
    };
    publish("1", Some("default: shadow\n"));
    symlink("..data/plan.yaml", at("plan.yaml")).unwrap();
    let front = front(&folder, "", StatusCode::OK).await;
    let mode = |front: &Front| front.view("read_item")["mode"].clone();
    assert_eq!(mode(&front), "shadow");
    publish("2", Some("default: native\n"));
    until(&front, |front| mode(front) == "native" && error(front).is_none()).await;
    for (version, plan) in [("3", None), ("4", Some("")), ("5", Some("default: nativ\n"))] {
        publish(version, plan);
        until(&front, |front| error(front).is_some()).await;
        assert_eq!(mode(&front), "native", "{plan:?}");
        publish(&format!("{version}.right"), Some("default: native\n"));
        until(&front, |front| error(front).is_none()).await;
    }
    // The page writes what the link leads to.
    front.set("read_item", "legacy");
    assert!(std::fs::symlink_metadata(at("plan.yaml")).unwrap().is_symlink());
    let text = std::fs::read_to_string(at("5.right").join("plan.yaml")).unwrap();
    assert!(text.contains("\"read_item\": legacy"), "{text}");
    publish("6", Some("default: shadow\n"));
    until(&front, |front| mode(front) == "shadow").await;
}

/// What stands there instead of a file is an error for as long as it does; the plan stays.
#[tokio::test]
async fn what_is_no_file_is_an_error_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.yaml");
    let front = front(&folder, "default: shadow\n", StatusCode::OK).await;
    let says = |front: &Front, text: &str| error(front).is_some_and(|error| error.contains(text));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    until(&front, |front| says(front, "not a file")).await;
    std::fs::remove_dir(&path).unwrap();
    until(&front, |front| says(front, "no such file")).await;
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    until(&front, |front| says(front, "not a file")).await;
    assert_eq!(front.view("read_item")["mode"], "shadow");
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    until(&front, |front| says(front, "no such file")).await;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "default: native\n").unwrap();
    until(&front, |front| error(front).is_none()).await;
    assert_eq!(front.view("read_item")["mode"], "native");
    // The content decides, and not when it was written.
    let before = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::write(&path, "default: legacy\n").unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
    until(&front, |front| front.view("read_item")["mode"] == "legacy").await;
}

/// The old service's latency of before the canary is what the new one's is held to.
#[tokio::test]
async fn a_canary_that_is_slow_falls_back() {
    let legacy = serve(always(|_| "legacy".into_response())).await;
    let native = Router::new().fallback(async || {
        tokio::time::sleep(Duration::from_millis(400)).await;
        "legacy"
    });
    let mut settings = Settings::new(legacy.parse().unwrap());
    settings.canary_checks = 0;
    let front = Front::start(native, settings).await;
    for _ in 0..30 {
        assert_eq!(get(&front).await, 200);
    }
    front.set("read_item", "canary 100%");
    futures_util::future::join_all((0..60).map(|_| get(&front))).await;
    let view = front.until("read_item", |view| !view["fallback"].is_null()).await;
    let reason = view["fallback"].as_str().unwrap();
    assert!(reason.contains("percentile"), "{reason}");
}
