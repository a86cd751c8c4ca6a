//! Which cases are sent, and a service alone with its document.

use crate::program::Program;
use crate::server::{Server, json};

const DOCUMENT: &str = r##"{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {
    "/items/{id}": {"get": {
        "operationId": "read_item", "tags": ["items"],
        "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}],
        "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {
            "$ref": "#/components/schemas/Item"}}}}}}},
    "/health": {"get": {"responses": {"200": {"description": "ok"}}}}},
    "components": {"schemas": {"Item": {"type": "object", "required": ["id"],
        "properties": {"id": {"type": "integer"}}}}}}"##;

#[test]
fn filters_choose_and_bring_what_is_needed() {
    let service = || Server::start(|_| json(200, r#"{"id": 7}"#));
    let cases = "
- {name: create, request: POST /items/, capture: {item: /id}}
- {name: read, request: 'GET /items/${item}'}
- {name: health, request: GET /health}
- {name: other, request: GET /other}
";
    for (arguments, expected) in [
        (vec!["--only", "read"], vec!["POST /items/", "GET /items/7"]),
        (vec!["--only", "tag:items"], vec!["POST /items/", "GET /items/7"]),
        (
            vec!["--only", "GET *", "--skip", "path:/other"],
            vec!["POST /items/", "GET /items/7", "GET /health"],
        ),
        (
            vec!["--skip", "POST *", "--skip", "operation:read_item"],
            vec!["GET /health", "GET /other"],
        ),
    ] {
        let (old, new) = (service(), service());
        let program = Program::new();
        let document = program.write("openapi.json", DOCUMENT);
        let mut all =
            vec!["--reference", &old.url, "--candidate", &new.url, "--document", &document];
        all.extend(&arguments);
        let outcome = program.run(cases, &all);
        assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);
        assert_eq!(new.targets(), expected, "{arguments:?}");
    }
    let (old, new) = (service(), service());
    let all = ["--reference", &old.url, "--candidate", &new.url, "--only", "nothing*"];
    let outcome = Program::new().run(cases, &all);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("none of 4 cases fits"), "{}", outcome.errors);
}

#[test]
fn a_service_alone_is_held_to_its_document() {
    let right = Server::start(|_| json(200, r#"{"id": 7}"#));
    let program = Program::new();
    let document = program.write("openapi.json", DOCUMENT);
    let arguments = ["--generate", &document, "--count", "20", "--candidate"];
    let run = |url: &str| {
        let mut all = vec!["run", "--report", "out/report.json"];
        all.extend(arguments);
        all.push(url);
        program.contract(&all)
    };
    let outcome = run(&right.url);
    // It does not refuse what is no integer, but nothing says that it must.
    assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);
    let wrong = Server::start(|request| match request.target.as_str() {
        "/health" => json(503, "{}"),
        _ => json(200, r#"{"id": "seven"}"#),
    });
    let outcome = run(&wrong.url);
    assert_eq!(outcome.code, 1, "{}", outcome.errors);
    let differences = outcome.differences();
    assert!(differences.iter().any(|d| d.ends_with(": document body.id")), "{differences:?}");
    assert!(differences.iter().any(|d| d.contains("/health") && d.ends_with("document status")));
    assert!(outcome.output.contains(r#""seven" is not of type "integer""#), "{}", outcome.output);
    // What is known can be accepted.
    let ledger = "
- {case: '*', paths: ['document *'], candidate: 503, reason: it starts slowly, owner: us}
- {case: '*', paths: [document body.id], reason: ids become texts, owner: us}
";
    let ledger = program.write("ledger.yaml", ledger);
    let outcome = program.contract(&[
        "run",
        "--report",
        "out/report.json",
        "--generate",
        &document,
        "--count",
        "20",
        "--ledger",
        &ledger,
        "--candidate",
        &wrong.url,
    ]);
    assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);
}

#[test]
fn what_never_succeeds_fails_a_run_that_asks_for_it() {
    let refuses = || {
        Server::start(|request| match request.target.as_str() {
            "/health" => json(200, "{}"),
            // No success either: it leads to the same with another slash.
            "/items/7/" => Some((307, vec![("location", "/items/7".to_owned())], String::new())),
            _ => json(404, "{}"),
        })
    };
    let cases = "
- {name: health, request: GET /health}
- {name: read, request: GET /items/7}
- {name: slash, request: GET /items/7/}
";
    for (arguments, code) in [
        (vec![], 0),
        (vec!["--require-success"], 1),
        (vec!["--require-success", "--may-fail", "GET /items/*"], 0),
        (vec!["--require-success", "--may-fail", "POST *"], 1),
    ] {
        let (old, new) = (refuses(), refuses());
        let program = Program::new();
        let also = r#""responses": {"307": {"description": "-"}, "404": {"description": "-"}, "#;
        let document = program.write("openapi.json", &DOCUMENT.replace(r#""responses": {"#, also));
        let mut all =
            vec!["--reference", &old.url, "--candidate", &new.url, "--document", &document];
        all.extend(&arguments);
        let outcome = program.run(cases, &all);
        assert_eq!(outcome.code, code, "{arguments:?}: {}{}", outcome.output, outcome.errors);
        assert!(outcome.output.contains("never succeeded: GET /items/"), "{}", outcome.output);
    }
}

#[test]
fn nothing_that_is_checked_is_a_failure() {
    let service = Server::start(|_| json(200, "{}"));
    let outcome =
        Program::new().run("- {name: a, request: GET /}\n", &["--candidate", &service.url]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("nothing to check"), "{}", outcome.errors);
    let outcome = Program::new().run("[]\n", &["--candidate", &service.url]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("nothing to send"), "{}", outcome.errors);
}

#[test]
fn requests_that_are_all_refused_compare_nothing() {
    let refuses = || Server::start(|_| json(401, "{}"));
    let (old, new) = (refuses(), refuses());
    let program = Program::new();
    let document = program.write("openapi.json", DOCUMENT);
    let arguments = ["--reference", &old.url, "--candidate", &new.url];
    let generate = ["--generate", &document, "--count", "20"];
    let outcome = program.run("[]\n", &[arguments.as_slice(), &generate].concat());
    assert_eq!(outcome.code, 2, "{}{}", outcome.output, outcome.errors);
    assert!(outcome.errors.contains("no request succeeded"), "{}", outcome.errors);
    // Cases of one's own may be about refusals alone.
    let outcome = program.run("- {name: a, request: GET /items/7}\n", &arguments);
    assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);
}

#[test]
fn every_command_has_examples() {
    for command in ["run", "import", "openapi"] {
        let help = Program::new().contract(&[command, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.output.contains(&format!("contract {command} ")), "{}", help.output);
        assert!(help.output.contains("Examples:"), "{}", help.output);
    }
}
