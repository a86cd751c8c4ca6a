//! What is reported where oasdiff has a check: a pair of documents for each of its checks, and the page
//! that holds both lists beside each other.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{changes, item, parameter, request, response, rules};

/// A check of oasdiff (as of its revision 4553c69d): its name and level, what we report, and a pair of
/// documents, or of schemas at a location; no pair where the check is about conventions of oasdiff.
type Check = (String, String, Vec<String>, String, Value, Value);

fn checks() -> Vec<Check> {
    serde_json::from_str(include_str!("oasdiff.json")).unwrap()
}

fn property(schema: &Value) -> Value {
    json!({"type": "object", "properties": {"p": schema}})
}

/// A document with the schema at the location.
fn document(location: &str, schema: &Value) -> Value {
    let with = |key: &str| {
        let mut schema = schema.clone();
        schema[key] = true.into();
        schema
    };
    let of = |name: &str, within: &str, schema: &Value| {
        parameter(&json!({"name": name, "in": within, "schema": schema}))
    };
    let mut document = match location {
        "document" => schema.clone(),
        "request-body" => request(schema),
        "request-property" => request(&property(schema)),
        "request-read-only-property" => request(&property(&with("readOnly"))),
        "request-parameter" => of("q", "query", schema),
        "request-parameter-property" => of("q", "query", &property(schema)),
        "request-header-property" => of("X-H", "header", &property(schema)),
        "response-body" | "response-mediatype" => response(schema),
        "response-property" => response(&property(schema)),
        "response-write-only-property" => response(&property(&with("writeOnly"))),
        "response-header" => item(json!({"get": {"responses": {"200": {
            "description": "ok", "headers": {"X-H": {"schema": schema}},
        }}}})),
        location => panic!("no location {location}"),
    };
    document["openapi"] = "3.1.0".into();
    if document["info"].is_null() {
        document["info"] = json!({"title": "t", "version": "1"});
    }
    for (name, other) in [("Cat", "a"), ("Dog", "b")] {
        if document["components"]["schemas"][name].is_null() {
            document["components"]["schemas"][name] = json!({
                "type": "object",
                "required": ["k"],
                "properties": {"k": {"type": "string"}, other: {"type": "string"}},
            });
        }
    }
    document
}

#[test]
fn every_check_is_answered_as_the_page_says() {
    let mut wrong = Vec::new();
    for (check, _, expected, location, old, new) in checks() {
        if location == "none" {
            assert!(expected.is_empty(), "{check}");
            continue;
        }
        let found = changes(&document(&location, &old), &document(&location, &new));
        let mut found: Vec<_> = found
            .iter()
            .map(|change| format!("{}: {}", change.rule, change.class.name()))
            .collect();
        found.sort();
        found.dedup();
        if found != expected {
            wrong.push((check, found, expected));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_nearest_checks_of_our_rules_exist_and_lead_to_them() {
    let by_name: BTreeMap<_, _> =
        checks().into_iter().map(|(check, _, reported, ..)| (check, reported)).collect();
    let mut wrong = Vec::new();
    for rule in rules() {
        for check in rule.oasdiff.split(", ").filter(|check| !check.is_empty()) {
            let leads = by_name.get(check).is_some_and(|reported| {
                reported.iter().any(|line| line.split(':').next() == Some(rule.id))
            });
            if !leads {
                wrong.push((rule.id, check, by_name.get(check)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The page of the documentation.
fn page() -> String {
    let mut page = "# Rules of oasdiff and ours\n\nEvery check of `oasdiff checks changelog` (revision \
        4553c69d) with what `contract openapi` reports\nfor a pair of documents made for it; a test \
        compares each pair. `ERR` of oasdiff is breaking, `WARN`\nmay be, `INFO` is not. Where the \
        levels differ, ours goes by what a value may be: a new bound, another\npattern or a removed \
        property can break a client; a deprecation does not allow a removal; what only an\nextension \
        (`x-…`) says is documentation. \"Nothing\" is where no value that travels changes, or, for \
        sunset\ndates, stability levels and versions, where oasdiff checks conventions of its own.\n\n\
        | check of oasdiff | level | reported |\n|---|---|---|\n"
        .to_owned();
    for (check, level, reported, location, ..) in checks() {
        let reported = match (reported.is_empty(), location.as_str()) {
            (true, "none") => "nothing: a convention".to_owned(),
            (true, _) => "nothing".to_owned(),
            (false, _) => {
                let lines = reported.iter().filter_map(|line| line.split_once(": "));
                let lines: Vec<_> =
                    lines.map(|(rule, class)| format!("`{rule}` ({class})")).collect();
                lines.join(", ")
            }
        };
        _ = writeln!(page, "| `{check}` | {level} | {reported} |");
    }
    page
}

#[test]
fn the_page_of_oasdiff_is_that_of_the_data() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/oasdiff.md");
    if std::env::var_os("WRITE_PAGES").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written == page(), "run this test with WRITE_PAGES=1");
}
