//! Each switch of the dialects has a request or a part of the document that it changes. `make compat VERSIONS=…`
//! sends these requests to the older releases as well.

use std::collections::BTreeSet;

use fastapi_compat::openapi::Info;
use fastapi_compat::{Dialect, Limit, Router, Switch};
use serde_json::Value;

use crate::requests::Request;
use crate::wire::{Connection, unescape};
use crate::{http, port};

/// The switch, the operation and the request; the operation `document` has none.
fn lines() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let lines = include_str!("switches.txt").lines();
    lines.filter_map(|line| {
        let (switch, rest) = line.split_once(' ')?;
        let (operation, request) = rest.split_once(' ')?;
        Some((switch, operation, request))
    })
}

/// The requests to these operations.
pub(crate) fn requests(operations: &[String]) -> Vec<Request> {
    let of =
        |&(_, operation, _): &(&str, &str, &str)| operations.iter().any(|known| known == operation);
    lines()
        .filter(of)
        .map(|(_, operation, request)| Request {
            operation: operation.to_owned(),
            bytes: unescape(request),
        })
        .collect()
}

fn document(router: &Router) -> Value {
    let info = Info { title: "FastAPI", version: "0.1.0", token_url: "/token" };
    let document = router.document(&info).expect("the models have names of their own");
    serde_json::to_value(document).expect("the document is JSON")
}

#[test]
fn each_switch_changes_an_answer_or_the_document() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let ports = [port::port(), http::port()];
    let serve = |router: &Router, dialect: Dialect| {
        let router = router.clone().dialect(dialect).with_state(());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("the port").to_string();
        runtime.spawn(async { axum::serve(listener, router).await });
        Connection::open(&address).expect("the port is reached")
    };
    let mut newest: Vec<_> =
        ports.iter().map(|(router, _)| serve(router, Dialect::NEWEST)).collect();
    let mut unchanged = BTreeSet::new();
    for &switch in Switch::ALL {
        let (name, dialect) = (format!("{switch:?}"), Dialect::NEWEST.with(switch));
        let own: Vec<_> = lines().filter(|(of, _, _)| *of == name).collect();
        assert!(!own.is_empty(), "{name} has no line in `switches.txt`");
        for (_, operation, request) in own {
            let is_changed = if operation == "document" {
                ports.iter().any(|(router, _)| {
                    document(router) != document(&router.clone().dialect(dialect))
                })
            } else {
                let at = ports
                    .iter()
                    .position(|(_, known)| known.iter().any(|known| known == operation))
                    .unwrap_or_else(|| panic!("there is no operation {operation}"));
                let older = serve(&ports[at].0, dialect).send(&unescape(request));
                older.expect("it answers")
                    != newest[at].send(&unescape(request)).expect("it answers")
            };
            if !is_changed {
                unchanged.insert(format!("{name} {operation} {request}"));
            }
        }
    }
    assert!(unchanged.is_empty(), "these change nothing: {unchanged:#?}");
}

/// The page has a row for each switch and no others, and a line for each limit.
#[test]
fn the_page_of_versions_is_true() {
    let page = include_str!("../../versions.md");
    let limits = page.split("## Not reproduced").nth(1).unwrap_or_default();
    let limits = limits.split("\n## ").next().unwrap_or_default();
    let limits: Vec<_> = limits.lines().filter(|line| line.starts_with("- ")).collect();
    let expected: Vec<_> = Limit::ALL.iter().map(|limit| format!("- {limit}")).collect();
    assert_eq!(limits, expected, "write this into versions.md:\n{}", expected.join("\n"));
    let rows = include_str!("../../versions.md").lines().filter(|line| line.starts_with("| `"));
    let expected: Vec<_> = Switch::ALL
        .iter()
        .map(|switch| {
            let since = switch.since().map_or_else(String::new, |since| format!("from {since} "));
            let (package, until) = (switch.package(), switch.until());
            let description = switch.description().trim();
            let description = description.replace("[`Self::", "[`").replace("`]", "`");
            let description = description.replace("[`", "`");
            format!(
                "| `{switch:?}` | {package} | {since}before {until} | {description} | {} |",
                switch.source()
            )
        })
        .collect();
    let rows: Vec<_> = rows.map(ToOwned::to_owned).collect();
    assert_eq!(rows, expected, "write this into versions.md:\n{}", expected.join("\n"));
}
