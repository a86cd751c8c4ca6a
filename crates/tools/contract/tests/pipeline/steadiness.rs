//! Answers that are others each time.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::program::Program;
use crate::server::{Server, json};

/// Answers with what comes next at each path.
fn service(answers: fn(&str) -> &'static [&'static str]) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(move |request| {
        let all = answers(&request.target);
        json(200, all[count.fetch_add(1, Ordering::SeqCst) % all.len()])
    })
}

#[test]
fn nothing_follows_from_where_the_reference_differs_from_itself() {
    let old = service(|path| match path {
        "/chance" => &[r#"{"order": "ab", "n": 1}"#, r#"{"order": "ba", "n": 1}"#],
        "/beside" => &[r#"{"order": "xy", "n": 1}"#, r#"{"order": "yx", "n": 1}"#],
        _ => &[r#"{"n": 1}"#],
    });
    let new = service(|path| match path {
        "/chance" => &[r#"{"order": "zz", "n": 1}"#],
        "/beside" => &[r#"{"order": "zz", "n": 2}"#],
        _ => &[r#"{"n": 2}"#, r#"{"n": 3}"#],
    });
    let cases = "
- {name: chance, request: GET /chance}
- {name: beside, request: GET /beside}
- {name: candidate, request: GET /candidate}
- {name: expected, request: GET /chance, expect: {json: {/n: 7}}}
";
    let urls = ["--reference", &old.url, "--candidate", &new.url];
    let outcome = Program::new().run(cases, &urls);
    assert_eq!(outcome.code, 1, "{}", outcome.output);
    let cases = outcome.report["runs"]["run"]["cases"].as_array().unwrap();
    let unsteady: Vec<_> = cases.iter().map(|case| case["unsteady"] == true).collect();
    assert_eq!(unsteady, [true, false, false, false], "{cases:#?}");
    assert_eq!(outcome.report["unsteady"], 1);
    assert_eq!(outcome.report["different"], 3);
    assert!(outcome.output.contains("1 unsteady"), "{}", outcome.output);
}
