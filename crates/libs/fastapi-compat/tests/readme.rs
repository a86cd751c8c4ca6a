//! The example of the README works, and the tests that the README names exist.

#![expect(clippy::unwrap_used, reason = "a test ends so")]

#[path = "../examples/service.rs"]
#[expect(dead_code, reason = "`main` is not called")]
mod service;

use axum::body::{Body, to_bytes};
use fastapi_compat::openapi::Info;
use fastapi_compat::{
    ApiKeyCookie, ApiKeyHeader, ApiKeyName, ApiKeyQuery, Basic, Bearer, Call, HttpBearer, Router,
    get, routes,
};
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

const README: &str = include_str!("../README.md");

async fn send(app: &axum::Router, request: http::request::Builder, body: &str) -> (u16, String) {
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn the_example_stands_in_the_readme() {
    let code = include_str!("../examples/service.rs");
    let code = code.split_once("\n\n").unwrap().1;
    assert!(README.contains(code), "copy examples/service.rs into README.md");
}

#[tokio::test]
async fn the_example_serves_operations_document_and_page() {
    let app = service::app().unwrap();
    let (status, body) = send(&app, Request::get("/items/7"), "").await;
    assert_eq!((status, body.as_str()), (200, r#"{"id":7,"title":"a chair","quantity":1}"#));
    let put = || Request::put("/items/7").header("content-type", "application/json");
    let (status, body) = send(&app, put(), r#"{"title": "a table"}"#).await;
    assert_eq!((status, body.as_str()), (200, r#"{"id":7,"title":"a table","quantity":1}"#));
    let (status, body) = send(&app, put(), r#"{"title": ""}"#).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["detail"][0]["loc"]), (422, &json!(["body", "title"])));
    let (status, body) = send(&app, Request::get("/openapi.json"), "").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    let summary = &body["paths"]["/items/{id}"]["put"]["summary"];
    assert_eq!((status, summary), (200, &json!("Update Item")));
    let (status, page) = send(&app, Request::get("/docs/"), "").await;
    assert_eq!((status, page.contains("swagger-ui")), (200, true));
}

#[tokio::test]
async fn the_example_answers_its_origin() {
    for (origin, is_allowed) in
        [("https://app.example.com", true), ("https://other.example.com", false)]
    {
        let request = Request::get("/items/7").header("origin", origin).body(Body::empty());
        let response = service::app().unwrap().oneshot(request.unwrap()).await.unwrap();
        let allowed = response.headers().get("access-control-allow-origin");
        assert_eq!(allowed.map(|value| value == origin), is_allowed.then_some(true));
    }
}

/// The first column of a table names what has the test in the second.
#[test]
fn the_tests_in_the_readme_exist() {
    fn rust_files(folder: &std::path::Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                rust_files(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    // A published package has no tests that compare with Python.
    if !std::path::Path::new(tests).join("layers").exists() {
        return;
    }
    let mut code = String::new();
    rust_files(tests.as_ref(), &mut code);
    let mut count = 0;
    for line in README.lines().filter(|line| line.starts_with('|')) {
        let last = line.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        for test in last.split('`').skip(1).step_by(2) {
            let is_path = test.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == ':');
            let name = test.rsplit(':').next().unwrap_or(test);
            if is_path && test.contains(['_', ':']) {
                assert!(code.contains(&format!("fn {name}(")), "there is no test `{test}`");
                count += 1;
            }
        }
    }
    assert!(count > 30, "only {count} tests were found in the README");
}

/// Every method of the router, every extractor and every layer stands in a table.
#[test]
fn the_tables_name_everything_public() {
    let words: std::collections::BTreeSet<&str> = README
        .lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .collect();
    let name = |code: &'static str| {
        code.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
    };
    let methods = include_str!("../src/router.rs").lines();
    let methods = methods.filter_map(|line| line.strip_prefix("    pub fn ")).map(name);
    let exports = include_str!("../src/layers/mod.rs").split("pub use ").skip(1);
    let exports = exports.filter_map(|code| code.split(';').next()).flat_map(|code| {
        code.split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| word.ends_with("Layer") || word.starts_with("catch_"))
    });
    let sources = [
        include_str!("../src/body.rs"),
        include_str!("../src/depends.rs"),
        include_str!("../src/file.rs"),
        include_str!("../src/form.rs"),
        include_str!("../src/params.rs"),
        include_str!("../src/raw_body.rs"),
        include_str!("../src/security/api_key.rs"),
        include_str!("../src/security/composed.rs"),
        include_str!("../src/security/http_schemes.rs"),
        include_str!("../src/security/mod.rs"),
        include_str!("../src/security/oauth2.rs"),
        include_str!("../src/security/scopes.rs"),
    ];
    let traits = ["Input for ", "Parameter for ", "Dependency<S> for ", "FromRequestParts<S> for "];
    let extractors = sources
        .into_iter()
        .flat_map(|code| traits.into_iter().flat_map(move |of| code.split(of).skip(1).map(name)));
    let schemes = include_str!("../src/lib.rs").split("pub use security::{").nth(1);
    let schemes = schemes.and_then(|code| code.split('}').next()).unwrap_or_default();
    let is_scheme = |name: &&str| {
        !["Options", "Name"].iter().any(|end| name.ends_with(end)) && *name != "Scopes"
    };
    let schemes = schemes.split([',', ' ', '\n']).filter(is_scheme);
    let public = methods.chain(exports).chain(extractors).chain(schemes);
    let public: Vec<_> = public.filter(|name| !name.is_empty()).collect();
    assert!(public.len() > 35, "only {} names were found", public.len());
    let missing: Vec<_> = public.into_iter().filter(|name| !words.contains(name)).collect();
    assert!(missing.is_empty(), "no table of the README names {missing:?}");
}

mod security {
    use super::*;

    struct Key;

    impl ApiKeyName for Key {
        const NAME: &'static str = "key";
    }

    #[get("/bearer")]
    async fn bearer(Call(Bearer(token), ()): Call<Bearer, ()>) -> String {
        token
    }

    #[get("/http-bearer")]
    async fn http_bearer(Call(given, ()): Call<HttpBearer, ()>) -> String {
        given.credentials
    }

    #[get("/basic")]
    async fn basic(Call(basic, ()): Call<Basic, ()>) -> String {
        format!("{} {}", basic.username, basic.password)
    }

    #[get("/header")]
    async fn header(Call(key, ()): Call<ApiKeyHeader<Key>, ()>) -> String {
        key.key
    }

    #[get("/query")]
    async fn query(Call(key, ()): Call<ApiKeyQuery<Key>, ()>) -> String {
        key.key
    }

    #[get("/cookie")]
    async fn cookie(Call(key, ()): Call<ApiKeyCookie<Key>, ()>) -> String {
        key.key
    }

    #[tokio::test]
    async fn schemes() {
        let app: axum::Router = Router::new()
            .routes(routes![bearer, http_bearer, basic, header, query, cookie])
            .with_state(());
        for (path, name, value, expected) in [
            ("/bearer", "authorization", "Bearer abc", "abc"),
            ("/http-bearer", "authorization", "Bearer abc", "abc"),
            ("/basic", "authorization", "Basic YTpi", "a b"),
            ("/header", "key", "abc", "abc"),
            ("/query?key=abc", "x-other", "", "abc"),
            ("/cookie", "cookie", "key=abc", "abc"),
        ] {
            let (status, body) = send(&app, Request::get(path).header(name, value), "").await;
            assert_eq!((status, body.contains(expected)), (200, true), "{path}: {body}");
            let bare = path.split('?').next().unwrap();
            let (status, _) = send(&app, Request::get(bare), "").await;
            assert!(matches!(status, 401 | 403), "{path}: {status}");
        }
    }
}

mod documents {
    use super::*;

    #[get("/all")]
    async fn read_one() -> &'static str {
        "one"
    }

    #[test]
    fn of_a_router() {
        let router: Router = Router::new()
            .routes(routes![read_one])
            .prefix("/things")
            .tag("things")
            .operation_ids(|name, tags, _, _| format!("{}-{name}", tags.join("-")));
        let operations: Vec<_> = router.operations().collect();
        let [(id, method, path)] = operations.as_slice() else { panic!("{operations:?}") };
        let expected = ("things-read_one", &http::Method::GET, "/things/all");
        assert_eq!((id.as_str(), method, path.as_str()), expected);
        let document = router.document(&Info { title: "T", version: "2", token_url: "" }).unwrap();
        let document = serde_json::to_value(document).unwrap();
        assert_eq!(document["info"], json!({"title": "T", "version": "2"}));
        let operation = &document["paths"]["/things/all"]["get"];
        assert_eq!(operation["operationId"], "things-read_one");
        assert_eq!(operation["tags"], json!(["things"]));
    }
}
