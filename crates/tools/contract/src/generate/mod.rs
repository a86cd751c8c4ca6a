//! Requests generated from an OpenAPI document: for each operation a valid one, then variations of it
//! with one change, then with several. What a creating operation returns is used by those that read,
//! update and delete. The same document and seed give the same requests.

mod changes;
mod draft;
mod flat;
mod operation;
mod pattern;
mod samples;

use fastrand::Rng;
use serde_json::{Map, Value, json};

use self::changes::{Changes, changed};
use self::draft::{Body, Draft, finish, plain};
use self::operation::Operation;
use self::samples::Samples;
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
    let document = &flat::flattened(document);
    let mut generator = Generator {
        document,
        users,
        samples: Samples { document, addresses: 0 },
        rng: Rng::with_seed(seed),
        cases: Vec::new(),
        cut: 0,
    };
    let mut operations: Vec<_> = operations(document)
        .into_iter()
        .map(|(name, path, operation)| Operation::read(document, name, path, &operation))
        .collect();
    // Deletions come last.
    operations.sort_by_key(|operation| operation.method == "DELETE");
    let limit = count / operations.len().max(1);
    for creator in &operations {
        generator.sequence(creator, &operations);
    }
    for operation in &operations {
        generator.operation(operation, &operations, limit);
    }
    let Generator { mut cases, mut cut, .. } = generator;
    cut += cases.len().saturating_sub(count);
    cases.truncate(count);
    Generated { cases, cut }
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

struct Generator<'a> {
    document: &'a Value,
    users: &'a [String],
    samples: Samples<'a>,
    rng: Rng,
    cases: Vec<Case>,
    cut: usize,
}

impl<'a> Generator<'a> {
    /// Follows a resource through its life cycle: created, read after every update, deleted, and
    /// requested once more.
    fn sequence(&mut self, creator: &Operation<'a>, all: &[Operation<'a>]) {
        let of_it = |method: &str| {
            let is_it = |path: &str| path.ends_with('}') && path.matches('{').count() == 1;
            all.iter()
                .filter(|o| o.method == method && is_it(o.path))
                .find(|o| creator.creates_for(o))
        };
        let (Some(read), Some(delete)) = (of_it("GET"), of_it("DELETE")) else { return };
        let list = all.iter().find(|o| o.method == "GET" && o.path == creator.path);
        let variable = format!("sequence{}", self.cases.len());
        let mut steps = vec![creator, read];
        for update in ["PUT", "PATCH"].into_iter().filter_map(of_it) {
            steps.extend([update, read]);
        }
        steps.extend(list);
        steps.extend([delete, read, delete]);
        for (index, step) in steps.into_iter().enumerate() {
            let mut draft = self.valid(step, (index > 0).then_some(variable.as_str()));
            draft.changes.push(format!("step {} of the life cycle", index + 1));
            let mut case = finish(step, &draft);
            if index == 0 {
                case.capture.insert(variable.clone(), "/id".into());
            }
            self.cases.push(case);
        }
    }

    /// A valid request to an operation, and variations of it, at most `limit` in all.
    fn operation(&mut self, operation: &Operation<'a>, all: &[Operation<'a>], limit: usize) {
        let creator = all.iter().find(|creator| creator.creates_for(operation));
        let variable = format!("generated{}", self.cases.len());
        let start = self.cases.len();
        if let Some(creator) = creator {
            let draft = self.valid(creator, None);
            let mut case = finish(creator, &draft);
            case.capture.insert(variable.clone(), "/id".into());
            self.cases.push(case);
        }
        let created = creator.map(|_| variable);
        let valid = self.valid(operation, created.as_deref());
        let (document, users) = (self.document, self.users);
        let changes = Changes { document, users, samples: &mut self.samples }.of(operation);
        // A valid one first, so that the others meet its effects.
        let mut drafts = vec![valid.clone()];
        let mut order: Vec<usize> = (0..changes.len()).collect();
        self.rng.shuffle(&mut order);
        for &index in &order {
            drafts.push(changed(&valid, &[&changes[index]]));
        }
        while drafts.len() < limit && changes.len() > 1 {
            let mut two = || &changes[self.rng.usize(..changes.len())];
            drafts.push(changed(&valid, &[two(), two()]));
        }
        let left = limit.saturating_sub(self.cases.len() - start);
        self.cut += drafts.len().saturating_sub(left.max(1));
        for draft in drafts.iter().take(left.max(1)) {
            // A second user with the same address would conflict: each request has its own addresses.
            let mut draft = draft.clone();
            if let Some(Body::Json(Value::Object(body))) = &mut draft.body {
                self.renew_addresses(body);
            }
            self.cases.push(finish(operation, &draft));
        }
    }

    fn renew_addresses(&mut self, body: &mut Map<String, Value>) {
        for value in body.values_mut() {
            if value.as_str().is_some_and(|text| text.starts_with("generated")) {
                self.samples.addresses += 1;
                *value = json!(format!("generated{}@example.com", self.samples.addresses));
            }
        }
    }

    /// A request that should succeed.
    fn valid(&mut self, operation: &Operation<'a>, created: Option<&str>) -> Draft {
        let mut draft = Draft::default();
        for parameter in &operation.parameters {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            let value = plain(&self.samples.valid(&parameter["schema"]));
            match parameter["in"].as_str() {
                Some("path") => {
                    let created = created.map(|variable| format!("${{{variable}}}"));
                    draft.path.insert(name, created.unwrap_or(value));
                }
                Some("query") => draft.query.push((name, value)),
                Some("header") if is_header(&value) => _ = draft.headers.insert(name, value),
                Some("cookie") if is_header(&value) => add_cookie(&mut draft, &name, &value),
                _ => {}
            }
        }
        let body = operation.media_type.map(|_| self.samples.valid(operation.body));
        draft.body = match (operation.media_type, body) {
            (Some("application/json"), Some(body)) => Some(Body::Json(body)),
            (Some("multipart/form-data"), Some(Value::Object(body))) => Some(Body::Parts(body)),
            (Some(_), Some(Value::Object(body))) => Some(Body::Form(body)),
            _ => None,
        };
        if operation.is_secured {
            draft.user = self.users.first().cloned();
        }
        draft
    }
}

/// Whether a value can be sent in a header.
fn is_header(value: &str) -> bool {
    value.trim() == value && value.chars().all(|c| c == ' ' || c.is_ascii_graphic())
}

fn add_cookie(draft: &mut Draft, name: &str, value: &str) {
    let cookies = draft.headers.entry("cookie".to_owned()).or_default();
    if !cookies.is_empty() {
        cookies.push_str("; ");
    }
    cookies.extend([name, "=", value]);
}

#[cfg(test)]
mod tests {
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
