//! Requests generated from an OpenAPI document.
//!
//! First several things are created by each user, and lists are read at their ends. Each resource then
//! goes through its life cycle, with everything that can be read being read after every write. Then
//! each operation gets valid requests and variations with one change: those that the document allows
//! first, then those next to it, then combinations, then what is wrong altogether. The same document
//! and seed give the same requests.

mod changes;
mod draft;
mod flat;
mod operation;
mod pattern;
mod plan;
mod references;
mod samples;
mod valid;

use serde_json::Value;

use self::operation::Operation;
use self::plan::Generator;
pub(crate) use self::valid::is_valid;
use crate::case::Case;
use crate::openapi::operations;
use crate::replay::case_file;
use crate::report::Outcome;

/// What was generated.
#[derive(Debug, Default)]
pub struct Generated {
    /// The requests, in the order in which they are sent.
    pub cases: Vec<Case>,
    /// How many variations had no room.
    pub cut: usize,
}

/// At most `count` cases. `users` are the variables that hold tokens, the most privileged first.
pub fn cases(document: &Value, users: &[String], count: usize, seed: u64) -> Generated {
    let mut document = flat::flattened(document);
    let collections = references::collections(&document, &read(&document));
    references::mark(&mut document, &collections);
    Generator::new(&document, read(&document), users, count, seed).generate()
}

fn read(document: &Value) -> Vec<Operation<'_>> {
    operations(document)
        .into_iter()
        .map(|(name, path, operation)| Operation::read(document, name, path, &operation))
        .collect()
}

/// A case file of the generated cases that found a difference, reduced as far as possible, each after
/// the cases that create what it uses. None if there are none.
pub fn failed_cases(cases: &[Case], outcomes: &[Outcome]) -> Option<String> {
    let failed = |case: &Case| {
        let outcome =
            outcomes.iter().find(|outcome| outcome.case == case.name && !outcome.passed());
        outcome.map(|outcome| outcome.smallest.clone().unwrap_or_else(|| case.clone()))
    };
    let mut file = Vec::new();
    for case in cases.iter().filter_map(failed) {
        let uses = |variable: &String| case.request.contains(&format!("${{{variable}}}"));
        let creators = cases.iter().filter(|creator| creator.capture.keys().any(uses));
        file.extend(creators.chain([&case]).cloned());
    }
    (!file.is_empty()).then(|| case_file(&file))
}

/// Whether a value can be sent in a header.
fn is_header(value: &str) -> bool {
    value.trim() == value && value.chars().all(|c| c == ' ' || c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "openapi": "3.1.0",
            "paths": {
                "/items/": {"post": {
                    "requestBody": {"content": {"application/json": {"schema": {
                        "type": "object",
                        "properties": {"title": {"type": "string", "minLength": 1, "maxLength": 5}},
                    }}}},
                    "responses": {"200": {"content": {"application/json": {"schema": {
                        "type": "object", "properties": {"id": {"type": "string"}},
                    }}}}},
                }},
                "/items/{id}": {"delete": {
                    "security": [{"token": []}],
                    "parameters": [{
                        "name": "id", "in": "path", "required": true,
                        "schema": {"type": "string", "format": "uuid"},
                    }],
                }},
            },
        })
    }

    #[test]
    fn one_seed_gives_one_list() {
        let users = ["admin".to_owned()];
        let list = |seed| {
            let cases = cases(&document(), &users, 100, seed).cases;
            cases.iter().map(|case| format!("{case:?}")).collect::<Vec<_>>()
        };
        assert_eq!(list(1), list(1));
        assert_ne!(list(1), list(2));
    }

    #[test]
    fn what_is_created_is_used() {
        let cases = cases(&document(), &["admin".to_owned()], 100, 1).cases;
        let delete = cases.iter().find(|case| case.request.starts_with("DELETE")).unwrap();
        let variable = delete.request.rsplit("${").next().unwrap().trim_end_matches('}');
        let creator = cases.iter().find(|case| case.capture.contains_key(variable)).unwrap();
        assert_eq!(creator.request, "POST /items/");
        assert_eq!(delete.user.as_deref(), Some("admin"));
    }

    #[test]
    fn limits_are_met_and_passed() {
        let cases = cases(&document(), &[], 200, 1).cases;
        let titles: Vec<usize> = cases
            .iter()
            .filter_map(|case| serde_json::from_str::<Value>(case.body.as_deref()?).ok())
            .filter_map(|body| Some(body["title"].as_str()?.chars().count()))
            .collect();
        for length in [0, 1, 5, 6] {
            assert!(titles.contains(&length), "no title of {length} characters");
        }
    }
}
