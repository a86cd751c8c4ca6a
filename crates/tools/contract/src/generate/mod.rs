//! Requests generated from an OpenAPI document.
//!
//! First several things are created by each user, and lists are read at their ends. Each resource then
//! goes through its life cycle, with everything that can be read being read after every write. Then
//! each operation gets valid requests and variations with one change: those that the document allows
//! first, then those next to it, then combinations, then what is wrong altogether. The same document
//! and seed give the same requests.

mod carriers;
mod changes;
mod creators;
mod draft;
mod flat;
mod operation;
mod pattern;
mod plan;
mod references;
mod related;
mod samples;
mod schema;
mod text;

use std::collections::BTreeSet;

use serde_json::Value;

use self::operation::read;
pub use self::plan::Generated;
use self::plan::{Generator, learning::Learning};
use crate::case::{Case, case_file};
use crate::outcome::Outcome;

/// What requests are made from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Without what makes schemas hard to read, and with marks on what holds the id of a thing.
    document: Value,
    users: Vec<String>,
    count: usize,
    seed: u64,
    /// The operations to which requests are made; none for all.
    wanted: Option<BTreeSet<String>>,
}

impl Source {
    /// For at most `count` requests. `users` are the variables that hold tokens, the most privileged
    /// first.
    pub fn new(document: &Value, users: &[String], count: usize, seed: u64) -> Self {
        let mut document = flat::flattened(document);
        let collections = creators::collections(&document, &read(&document));
        references::mark(&mut document, &collections);
        references::mark_keys(&mut document, &collections);
        references::mark_parents(&mut document, &collections);
        references::mark_users(&mut document, &collections);
        references::mark_values(&mut document, &collections);
        Self { document, users: users.to_vec(), count, seed, wanted: None }
    }

    /// Demands a user where an operation takes what users sign in with as a parameter of its own, with no
    /// word of security: `session: Annotated[str, Cookie()]`. `is_carrier` gets the location of a
    /// parameter (`cookie`) and its name, and returns whether signing in sends it; no other value is sent.
    #[must_use]
    pub fn signed_in(mut self, is_carrier: impl Fn(&str, &str) -> bool) -> Self {
        carriers::secure(&mut self.document, is_carrier);
        self
    }

    /// Makes requests to these operations (`GET /items/{id}`), and to those that create what they need.
    #[must_use]
    pub fn only_to(mut self, operations: BTreeSet<String>) -> Self {
        self.wanted = Some(operations);
        self
    }

    /// How many requests are made at most.
    pub const fn count(&self) -> usize {
        self.count
    }

    fn generator(&self) -> Generator<'_> {
        let Self { document, users, count, seed, wanted } = self;
        Generator::new(document, read(document), users, wanted.as_ref(), *count, *seed)
    }

    /// The requests as a run goes on.
    pub fn requests(&self) -> Requests<'_> {
        Requests { learning: Learning::new(self.generator()), made: Vec::new(), without_room: 0 }
    }
}

/// Requests that go by the answers to those before: if nothing of a kind can be created with all that a
/// document allows, those after it leave out what is the cause.
pub struct Requests<'a> {
    learning: Learning<'a>,
    made: Vec<Case>,
    without_room: usize,
}

impl Requests<'_> {
    /// The next requests, after these outcomes of those before; none at the end. Of those that are sent
    /// for their own sake only what `select` leaves.
    pub fn next(
        &mut self,
        outcomes: &[Outcome],
        select: impl Fn(Vec<Case>) -> Vec<Case>,
    ) -> Vec<Case> {
        loop {
            let Generated { mut cases, without_room } = self.learning.next(outcomes);
            let is_end = cases.is_empty();
            if self.learning.is_done() {
                cases = select(cases);
            }
            self.without_room = self.without_room.max(without_room);
            self.made.extend_from_slice(&cases);
            if is_end || !cases.is_empty() {
                return cases;
            }
        }
    }

    /// All that were made until now, and how many variations had no room.
    pub fn into_generated(self) -> Generated {
        Generated { cases: self.made, without_room: self.without_room }
    }
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

/// All requests to a service that answers each case with a status.
#[cfg(test)]
fn answered(source: &Source, mut status: impl FnMut(&Case) -> u16) -> Vec<(Case, u16)> {
    let (mut requests, mut outcomes, mut sent) = (source.requests(), Vec::new(), Vec::new());
    loop {
        let cases = requests.next(&outcomes, |cases| cases);
        if cases.is_empty() {
            return sent;
        }
        for case in cases {
            let status = status(&case);
            outcomes.push(Outcome { case: case.name.clone(), status, ..Outcome::default() });
            sent.push((case, status));
        }
    }
}

/// All requests to a service that accepts everything.
#[cfg(test)]
fn accepted(source: &Source) -> Vec<Case> {
    answered(source, |_| 200).into_iter().map(|(case, _)| case).collect()
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
            let cases = accepted(&Source::new(&document(), &users, 100, seed));
            cases.iter().map(|case| format!("{case:?}")).collect::<Vec<_>>()
        };
        assert_eq!(list(1), list(1));
        assert_ne!(list(1), list(2));
    }

    #[test]
    fn what_is_created_is_used() {
        let cases = accepted(&Source::new(&document(), &["admin".to_owned()], 100, 1));
        let delete = cases.iter().find(|case| case.request.starts_with("DELETE")).unwrap();
        let variable = delete.request.rsplit("${").next().unwrap().trim_end_matches('}');
        let creator = cases.iter().find(|case| case.capture.contains_key(variable)).unwrap();
        assert_eq!(creator.request, "POST /items/");
        assert_eq!(delete.user.as_deref(), Some("admin"));
    }

    fn by_admin(document: &Value) -> Source {
        Source::new(document, &["admin".to_owned()], 200, 1)
    }

    #[test]
    fn what_is_put_under_a_name_is_deleted_twice_and_read_on_a_condition() {
        let slug = json!({
            "name": "slug", "in": "path", "required": true, "schema": {"type": "string"},
        });
        let tag = json!({"name": "If-Match", "in": "header", "schema": {"type": "string"}});
        let done = json!({"200": {"description": "-"}});
        let page = json!({"type": "object", "required": ["text"], "properties": {
            "text": {"type": "string"},
        }});
        let document = json!({"openapi": "3.1.0", "info": {}, "paths": {"/pages/{slug}": {
            "parameters": [slug],
            "get": {"responses": done},
            "put": {
                "parameters": [tag],
                "requestBody": {"content": {"application/json": {"schema": page}}},
                "responses": done,
            },
            "delete": {"responses": done},
        }}});
        let cases = accepted(&Source::new(&document, &[], 400, 1));
        let deletes = |path: &str| {
            cases.iter().filter(|case| case.request == format!("DELETE {path}")).count()
        };
        let mut put = cases.iter().filter_map(|case| case.request.strip_prefix("PUT "));
        assert!(put.any(|path| deletes(path) > 1), "{cases:#?}");
        let captures = |case: &&Case| case.capture.values().any(|source| source == "header etag");
        let kept: Vec<_> =
            cases.iter().filter(captures).flat_map(|case| case.capture.keys()).collect();
        let is_sent = |name: &str| {
            cases.iter().filter_map(|case| case.headers.get(name)).any(|value| {
                kept.iter().any(|variable| value.contains(&format!("${{{variable}}}")))
            })
        };
        assert!(is_sent("if-none-match") && is_sent("if-match"), "{cases:#?}");
    }

    #[test]
    fn files_have_several_names_and_sizes() {
        let form = json!({"type": "object", "required": ["upload"], "properties": {
            "upload": {"type": "string", "format": "binary"},
        }});
        let document = json!({"openapi": "3.1.0", "info": {}, "paths": {"/files": {"post": {
            "requestBody": {"content": {"multipart/form-data": {"schema": form}}},
            "responses": {"200": {"description": "-"}},
        }}}});
        let cases = accepted(&Source::new(&document, &[], 100, 1));
        let parts: Vec<_> = cases.iter().flat_map(|case| &case.multipart).collect();
        let names: BTreeSet<_> = parts.iter().filter_map(|part| part.filename.as_deref()).collect();
        assert!(names.len() > 3, "{names:?}");
        for size in [0, 1024, 65_537] {
            assert!(
                parts.iter().filter_map(|part| part.text.as_ref()).any(|text| text.len() == size),
                "{size}"
            );
        }
    }

    #[test]
    fn a_field_with_which_nothing_is_created_is_left_out() {
        let mut document = document();
        let body = "/paths/~1items~1/post/requestBody/content/application~1json/schema";
        let schema = document.pointer_mut(body).unwrap();
        schema["properties"]["prompt"] = json!({"type": "string"});
        schema["properties"]["note"] = json!({"type": "string"});
        schema["required"] = json!(["title"]);
        let has = |case: &Case, field: &str| {
            case.body.as_deref().is_some_and(|body| body.contains(&format!("\"{field}\"")))
        };
        let sent =
            answered(&by_admin(&document), |case| if has(case, "prompt") { 500 } else { 200 });
        let creations: Vec<_> = sent.iter().filter(|(case, _)| !case.capture.is_empty()).collect();
        let failed = creations.iter().filter(|(_, status)| *status == 500).count();
        assert!(failed * 2 < creations.len(), "{failed} of {}", creations.len());
        let with_note = creations.iter().filter(|(case, _)| has(case, "note")).count();
        assert!(with_note * 2 > creations.len(), "{with_note} of {}", creations.len());
        // Where nothing can be created, it does not go on for ever.
        let sent = answered(&by_admin(&document), |_| 404);
        assert!(sent.len() <= 200, "{}", sent.len());
    }

    #[test]
    fn what_is_wanted_comes_with_what_creates_its_things() {
        let wanted = BTreeSet::from(["DELETE /items/{id}".to_owned()]);
        let source = Source::new(&document(), &["admin".to_owned()], 60, 1).only_to(wanted);
        let cases = accepted(&source);
        let deletes = cases.iter().filter(|case| case.request.starts_with("DELETE")).count();
        assert!(deletes > 10, "{cases:#?}");
        assert!(cases[0].request.starts_with("POST") && !cases[0].capture.is_empty());
        let none = Source::new(&document(), &[], 60, 1).only_to(BTreeSet::new());
        assert!(accepted(&none).is_empty());
    }

    #[test]
    fn fields_of_alternatives_are_learned() {
        let mut document = document();
        let body = "/paths/~1items~1/post/requestBody/content/application~1json/schema";
        let text = json!({"type": "object", "required": ["text"], "properties": {
            "text": {"type": "string"},
            "of": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        }});
        let poll = json!({"type": "object", "required": ["poll"], "properties": {
            "poll": {"type": "string"},
        }});
        *document.pointer_mut(body).unwrap() = json!({"oneOf": [
            {"$ref": "#/components/schemas/Text"}, {"$ref": "#/components/schemas/Poll"},
        ]});
        document["components"] = json!({"schemas": {"Text": text, "Poll": poll}});
        let has = |case: &Case, field: &str| {
            case.body.as_deref().is_some_and(|body| body.contains(&format!("\"{field}\":")))
        };
        let is_wrong = |case: &Case| has(case, "of") && !case.name.contains("null");
        let sent = answered(&by_admin(&document), |case| if is_wrong(case) { 422 } else { 200 });
        let made = sent.iter().filter(|(case, _)| !case.capture.is_empty());
        let made: Vec<_> = made.filter(|(_, status)| *status == 200).collect();
        for field in ["text", "poll"] {
            assert!(made.iter().filter(|(case, _)| has(case, field)).count() > 3, "{made:#?}");
        }
    }

    #[test]
    fn limits_are_met_and_passed() {
        let cases = accepted(&Source::new(&document(), &[], 200, 1));
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
