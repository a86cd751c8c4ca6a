//! Requests made from an OpenAPI document: for each operation a right one, then everything in it
//! changed, one thing at a time, then several; what a creating operation answers is used by those
//! that read, change and delete. The same document and seed give the same requests.

mod samples;

use std::collections::BTreeMap;

use fastrand::Rng;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use self::samples::Samples;
use crate::case::{Case, Part};
use crate::openapi::{fields, operations, resolve};
use crate::replay::case_file;
use crate::report::Outcome;

/// At most `count` cases. `users` are the variables that hold tokens, the mightiest first.
pub fn cases(document: &Value, users: &[String], count: usize, seed: u64) -> Vec<Case> {
    let mut generator = Generator {
        document,
        users,
        samples: Samples { document, addresses: 0 },
        rng: Rng::with_seed(seed),
        cases: Vec::new(),
    };
    let mut operations: Vec<_> = operations(document)
        .into_iter()
        .map(|(name, path, operation)| Operation::read(document, name, path, &operation))
        .collect();
    // What takes something away for good comes last.
    operations.sort_by_key(|operation| operation.method == "DELETE");
    let room = count / operations.len().max(1);
    for creator in &operations {
        generator.sequence(creator, &operations);
    }
    for operation in &operations {
        generator.operation(operation, &operations, room);
    }
    generator.cases.truncate(count);
    generator.cases
}

/// A case file of the generated cases that made a difference, as small as they became, each behind
/// what creates what it uses.
/// None if there was none.
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

struct Operation<'a> {
    name: String,
    method: String,
    path: &'a str,
    parameters: Vec<&'a Value>,
    media_type: Option<&'a str>,
    body: &'a Value,
    /// The properties of the body.
    fields: &'a Value,
    is_secured: bool,
    /// Whether a success answers with an object that has an id.
    gives_id: bool,
}

impl<'a> Operation<'a> {
    fn read(
        document: &'a Value,
        name: String,
        path: &'a str,
        operation: &crate::openapi::Operation<'a>,
    ) -> Self {
        let body = resolve(document, &operation.value["requestBody"]);
        let content = fields(&body["content"]).next();
        let media_type = content.map(|(media_type, _)| media_type.as_str());
        let body = content.map_or(&Value::Null, |(_, content)| &content["schema"]);
        let answers =
            fields(&operation.value["responses"]).filter(|(status, _)| status.starts_with('2'));
        let mut gives_id = false;
        for (_, answer) in answers {
            let schema = &resolve(document, answer)["content"]["application/json"]["schema"];
            gives_id |= resolve(document, schema)["properties"].get("id").is_some();
        }
        let security = operation.value.get("security").or_else(|| document.get("security"));
        Self {
            name,
            method: operation.method.to_uppercase(),
            path,
            parameters: operation.parameters(document),
            media_type,
            body,
            fields: &resolve(document, body)["properties"],
            is_secured: security.and_then(Value::as_array).is_some_and(|list| !list.is_empty()),
            gives_id,
        }
    }

    /// Whether this operation creates what the path of the other names.
    fn creates_for(&self, other: &Operation<'_>) -> bool {
        let collection = other.path.split("/{").next().unwrap_or_default();
        self.method == "POST"
            && self.gives_id
            && other.path.contains('{')
            && self.path.trim_end_matches('/') == collection
    }
}

/// A request on its way.
#[derive(Clone, Default)]
struct Draft {
    path: BTreeMap<String, String>,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    body: Option<Body>,
    user: Option<String>,
    changes: Vec<String>,
}

#[derive(Clone)]
enum Body {
    Json(Value),
    Form(Map<String, Value>),
    Parts(Map<String, Value>),
    Text(String),
}

type Change<'a> = (String, Box<dyn Fn(&mut Draft) + 'a>);

struct Generator<'a> {
    document: &'a Value,
    users: &'a [String],
    samples: Samples<'a>,
    rng: Rng,
    cases: Vec<Case>,
}

impl<'a> Generator<'a> {
    /// Follows one thing from its beginning to its end: created, then read after everything that
    /// is done to it, deleted, and asked for once more.
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
            let mut draft = self.right(step, (index > 0).then_some(variable.as_str()));
            draft.changes.push(format!("step {} of its life", index + 1));
            let mut case = finish(step, &draft);
            if index == 0 {
                case.capture.insert(variable.clone(), "/id".into());
            }
            self.cases.push(case);
        }
    }

    fn operation(&mut self, operation: &Operation<'a>, all: &[Operation<'a>], room: usize) {
        let creator = all.iter().find(|creator| creator.creates_for(operation));
        let variable = format!("generated{}", self.cases.len());
        let start = self.cases.len();
        if let Some(creator) = creator {
            let draft = self.right(creator, None);
            let mut case = finish(creator, &draft);
            case.capture.insert(variable.clone(), "/id".into());
            self.cases.push(case);
        }
        let created = creator.map(|_| variable);
        let right = self.right(operation, created.as_deref());
        let changes = self.changes(operation);
        // A right one first, so that what follows meets what it did, and last, to see that.
        let mut drafts = vec![right.clone()];
        let mut order: Vec<usize> = (0..changes.len()).collect();
        self.rng.shuffle(&mut order);
        for &index in &order {
            drafts.push(changed(&right, &[&changes[index]]));
        }
        while drafts.len() < room && changes.len() > 1 {
            let mut two = || &changes[self.rng.usize(..changes.len())];
            drafts.push(changed(&right, &[two(), two()]));
        }
        let left = room.saturating_sub(self.cases.len() - start);
        for draft in drafts.iter().take(left.max(1)) {
            // Whoever is created twice is there already: each request has addresses of its own.
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
    fn right(&mut self, operation: &Operation<'a>, created: Option<&str>) -> Draft {
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
                Some("header") => _ = draft.headers.insert(name, value),
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

    /// Everything that can be changed in a request to the operation.
    fn changes(&mut self, operation: &Operation<'a>) -> Vec<Change<'a>> {
        let mut changes: Vec<Change<'a>> = Vec::new();
        for parameter in &operation.parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            let place = parameter["in"].as_str().unwrap_or_default();
            for (what, value) in self.samples.of(&parameter["schema"]) {
                let value = plain(&value);
                let change: Box<dyn Fn(&mut Draft)> = match place {
                    "path" if value.is_empty() || value.starts_with(['.', '/']) => continue,
                    "path" => Box::new(move |draft: &mut Draft| {
                        draft.path.insert(name.to_owned(), value.clone());
                    }),
                    "query" => Box::new(move |draft: &mut Draft| {
                        for (key, old) in &mut draft.query {
                            if key == name {
                                old.clone_from(&value);
                            }
                        }
                    }),
                    _ => continue,
                };
                changes.push((format!("{place} {name}: {what}"), change));
            }
            if place == "query" {
                changes.push((
                    format!("query {name}: absent"),
                    Box::new(move |draft| {
                        draft.query.retain(|(key, _)| key != name);
                    }),
                ));
                changes.push((
                    format!("query {name}: twice"),
                    Box::new(move |draft| {
                        let again: Vec<_> =
                            draft.query.iter().filter(|(key, _)| key == name).cloned().collect();
                        draft.query.extend(again);
                    }),
                ));
            }
        }
        if operation.media_type.is_some() {
            self.body_changes(operation, &mut changes);
        }
        if operation.is_secured {
            changes.push(("nobody signed in".into(), Box::new(|draft| draft.user = None)));
            changes.push((
                "a token that nobody issued".into(),
                Box::new(|draft| {
                    draft.user = None;
                    draft.headers.insert("authorization".into(), "Bearer no.such.token".into());
                }),
            ));
            for user in self.users.iter().skip(1) {
                changes.push((
                    format!("as {user}"),
                    Box::new(move |draft| {
                        draft.user = Some(user.clone());
                    }),
                ));
            }
        }
        changes
    }

    fn body_changes(&mut self, operation: &Operation<'a>, changes: &mut Vec<Change<'a>>) {
        let schema = resolve(self.document, operation.body);
        for (name, property) in fields(&schema["properties"]) {
            changes.push((
                format!("{name}: absent"),
                Box::new(move |draft| {
                    if let Some(body) = object(draft) {
                        body.remove(name);
                    }
                }),
            ));
            for (what, value) in self.samples.of(property) {
                changes.push((
                    format!("{name}: {what}"),
                    Box::new(move |draft| {
                        if let Some(body) = object(draft) {
                            body.insert(name.clone(), value.clone());
                        }
                    }),
                ));
            }
        }
        changes.push((
            "a field that nobody knows".into(),
            Box::new(|draft| {
                if let Some(body) = object(draft) {
                    body.insert("unknown".into(), json!([{"a": null}]));
                }
            }),
        ));
        for text in ["", "{}", "[]", "null", "7", "\"text\"", "{\"a\":", "[1,]", "{'a': 1}"] {
            changes.push((
                format!("the body '{text}'"),
                Box::new(move |draft| {
                    draft.body = Some(Body::Text(text.to_owned()));
                }),
            ));
        }
        for content_type in ["text/plain", "application/xml", "multipart/form-data; boundary=x"] {
            changes.push((
                format!("as {content_type}"),
                Box::new(move |draft| {
                    draft.headers.insert("content-type".into(), content_type.into());
                }),
            ));
        }
    }
}

fn object(draft: &mut Draft) -> Option<&mut Map<String, Value>> {
    match &mut draft.body {
        Some(Body::Json(Value::Object(body)) | Body::Form(body) | Body::Parts(body)) => Some(body),
        _ => None,
    }
}

fn changed(right: &Draft, changes: &[&Change<'_>]) -> Draft {
    let mut draft = right.clone();
    for (name, change) in changes {
        change(&mut draft);
        draft.changes.push(name.clone());
    }
    draft
}

/// A value as it stands in a query, a path or a form.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

/// Encoded, but for a variable.
fn encoded(text: &str) -> String {
    if text.starts_with("${") {
        return text.to_owned();
    }
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn pairs<'p>(pairs: impl Iterator<Item = (&'p str, String)>) -> String {
    let pairs: Vec<_> =
        pairs.map(|(key, value)| format!("{}={}", encoded(key), encoded(&value))).collect();
    pairs.join("&")
}

fn finish(operation: &Operation<'_>, draft: &Draft) -> Case {
    let mut path = operation.path.to_owned();
    for (name, value) in &draft.path {
        path = path.replace(&format!("{{{name}}}"), &encoded(value));
    }
    if !draft.query.is_empty() {
        let query = draft.query.iter().map(|(key, value)| (key.as_str(), value.clone()));
        path = format!("{path}?{}", pairs(query));
    }
    let changes =
        if draft.changes.is_empty() { "as it should be".into() } else { draft.changes.join(", ") };
    let mut case = Case {
        name: format!("generated: {}: {changes}", operation.name),
        request: format!("{} {path}", operation.method),
        operation: Some(operation.name.clone()),
        user: draft.user.clone(),
        headers: draft.headers.clone(),
        is_tolerant: true,
        ..Case::default()
    };
    let is_form = operation.media_type.is_some_and(|media_type| media_type != "application/json");
    match &draft.body {
        Some(Body::Json(body)) => case.body = Some(body.to_string()),
        Some(Body::Form(body)) => {
            case.form = Some(pairs(body.iter().map(|(key, value)| (key.as_str(), plain(value)))));
        }
        Some(Body::Parts(body)) => {
            let is_file = |name: &str| {
                let field = &operation.fields[name];
                field["format"] == "binary" || field.get("contentMediaType").is_some()
            };
            let part = |(name, value): (&String, &Value)| Part {
                name: name.clone(),
                filename: is_file(name).then(|| "file.bin".into()),
                text: Some(plain(value)),
                ..Part::default()
            };
            case.multipart = body.iter().map(part).collect();
        }
        Some(Body::Text(text)) if is_form => case.form = Some(text.clone()),
        Some(Body::Text(text)) => case.body = Some(text.clone()),
        None => {}
    }
    case
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
            let cases = cases(&document(), &users, 100, seed);
            cases.iter().map(|case| format!("{case:?}")).collect::<Vec<_>>()
        };
        assert_eq!(list(1), list(1));
        assert_ne!(list(1), list(2));
    }

    #[test]
    fn what_is_created_is_used() {
        let cases = cases(&document(), &["admin".to_owned()], 100, 1);
        let delete = cases.iter().find(|case| case.request.starts_with("DELETE")).unwrap();
        let variable = delete.request.rsplit("${").next().unwrap().trim_end_matches('}');
        let creator = cases.iter().find(|case| case.capture.contains_key(variable)).unwrap();
        assert_eq!(creator.request, "POST /items/");
        assert_eq!(delete.user.as_deref(), Some("admin"));
    }

    #[test]
    fn limits_are_met_and_passed() {
        let cases = cases(&document(), &[], 200, 1);
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
