//! What is changed in a valid request: parameters, fields, bodies, content types, callers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draft::{Body, Draft, object};
use super::operation::Operation;
use super::related::Related;
use super::samples::Samples;
use super::schema::{is_file, kind, object_schema, parameter_schema};
use super::text::{is_header, plain};
use crate::openapi::{fields, resolve};
use crate::valid::is_valid;

/// What files are called, and how large they are, in bytes.
const FILENAMES: [&str; 6] =
    ["Report FINAL.PDF", "naïve 日本.txt", "none", "a.tar.gz", "picture.jpeg", "it's 100% (1).csv"];
const SIZES: [usize; 9] = [0, 1, 1023, 1024, 1025, 4096, 4097, 65_536, 65_537];

/// How likely a change is to be understood, and so how soon it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The document allows it.
    Valid,
    /// It is next to what the document allows.
    Near,
    /// It is something else altogether.
    Wrong,
}

/// A change of a request.
pub(super) struct Change<'a> {
    pub(super) name: String,
    /// What is changed: two changes of one thing are not made together.
    pub(super) target: String,
    pub(super) rank: Rank,
    pub(super) apply: Box<dyn Fn(&mut Draft) + 'a>,
}

impl Change<'_> {
    /// Whether it is one of a field or a parameter, which may be changed beside others.
    pub(super) fn is_field(&self) -> bool {
        !["body", "path", "caller"].contains(&&*self.target)
    }

    /// Whether it shows nothing beside another change, as with a value that selects nothing.
    pub(super) fn is_empty(&self) -> bool {
        const EMPTY: [&str; 3] = ["absent", "its default", "null"];
        (self.rank == Rank::Valid && self.is_general())
            || EMPTY.iter().any(|empty| self.name.ends_with(empty))
    }

    /// Whether its value is just beyond a limit of what is within a field: of an item of a list, or of a
    /// member of an object.
    pub(super) fn breaks_member_limit(&self) -> bool {
        const LIMITS: [&str; 11] = [
            "at its minLength",
            "at its maxLength",
            "at its minimum",
            "at its maximum",
            "at its exclusiveMinimum",
            "at its exclusiveMaximum",
            "one character more",
            "one character less",
            "over its limit",
            "under its minimum",
            "none of its values",
        ];
        // `address: zip: one character less`, not `zip: one character less`.
        self.rank == Rank::Near
            && self.name.matches(": ").count() > 1
            && LIMITS.iter().any(|limit| self.name.ends_with(limit))
    }

    /// Whether its value is one of the many that do not depend on the constraints of the schema.
    pub(super) fn is_general(&self) -> bool {
        const GENERAL: [&str; 8] = [
            "any text",
            "any kind",
            "a number or not",
            "a truth value or not",
            "large or precise",
            "of its format or not",
            "a long text",
            "a right number",
        ];
        GENERAL.iter().any(|general| self.name.ends_with(general))
    }
}

/// Makes the changes for operations of a document.
pub(super) struct Changes<'a, 's> {
    pub(super) document: &'a Value,
    pub(super) users: &'a [String],
    pub(super) samples: &'s mut Samples<'a>,
    /// The values of fields that were sent, by their names.
    pub(super) sent: &'s BTreeMap<String, Vec<Value>>,
}

impl<'a> Changes<'a, '_> {
    /// Every change to make in a request to the operation.
    pub(super) fn of(&mut self, operation: &Operation<'a>) -> Vec<Change<'a>> {
        let mut changes: Vec<Change<'a>> = Vec::new();
        for parameter in &operation.parameters {
            self.parameter_changes(operation, parameter, &mut changes);
        }
        if operation.media_type.is_some() {
            self.field_changes(operation, &mut changes);
            self.branch_changes(operation, &mut changes);
            body_changes(&mut changes);
        }
        if operation.is_secured {
            caller_changes(self.users, &mut changes);
        }
        let target = "path".to_owned();
        changes.push(Change {
            name: "with another slash at the end".into(),
            target: target.clone(),
            rank: Rank::Near,
            apply: Box::new(|draft| draft.has_other_slash = true),
        });
        if operation.method == "GET" {
            changes.push(Change {
                name: "as HEAD".into(),
                target,
                rank: Rank::Wrong,
                apply: Box::new(|draft| draft.method = Some("HEAD")),
            });
        }
        changes
    }

    /// Values that were sent before.
    fn related(&self) -> Related<'_> {
        Related { document: self.document, created: &self.samples.created, sent: self.sent }
    }

    fn parameter_changes(
        &mut self,
        operation: &Operation<'a>,
        parameter: &'a Value,
        changes: &mut Vec<Change<'a>>,
    ) {
        let name = parameter["name"].as_str().unwrap_or_default();
        let location = parameter["in"].as_str().unwrap_or_default();
        let is_required = parameter["required"] == true;
        let target = format!("{location} {name}");
        let mut push = |what: &str, rank: Rank, apply: Box<dyn Fn(&mut Draft) + 'a>| {
            let name = format!("{target}: {what}");
            changes.push(Change { name, target: target.clone(), rank, apply });
        };
        let schema = parameter_schema(parameter);
        let mut values = self.related().values(operation, name, schema);
        let given = fields(&parameter["examples"]).map(|(_, example)| &example["value"]);
        let given = given.chain(parameter.get("example"));
        values.extend(given.map(|value| ("an example".to_owned(), value.clone())));
        values.extend(self.samples.variants(schema));
        let mut seen: Vec<String> = Vec::new();
        // What is deleted must not be what others need.
        if location == "path" && ["DELETE", "POST"].contains(&&*operation.method) {
            let is_known = |text: &str| {
                let mut known =
                    self.sent.values().flatten().chain(self.samples.examples_of(schema));
                known.any(|known| plain(known).eq_ignore_ascii_case(text))
            };
            values.retain(|(_, value)| !is_known(&plain(value)));
        }
        // Small numbers may be ids of what others need.
        let is_id = location == "path" && kind(schema) == "integer";
        values.retain(|(_, value)| {
            let number = plain(value).trim().parse();
            !(is_id && number.is_ok_and(|id: f64| (1.0..1000.0).contains(&id)))
        });
        for (what, value) in values {
            let text = plain(&value);
            let rank = self.rank(schema, &value);
            if seen.contains(&text) {
                continue;
            }
            seen.push(text.clone());
            match location {
                "path" if text.is_empty() || text.starts_with(['.', '/']) => {}
                "path" => push(
                    &what,
                    rank,
                    Box::new(move |draft| _ = draft.path.insert(name.to_owned(), text.clone())),
                ),
                "query" => {
                    let texts: Vec<String> = match &value {
                        Value::Array(items) => items.iter().map(plain).collect(),
                        _ => vec![text],
                    };
                    push(
                        &what,
                        rank,
                        Box::new(move |draft| {
                            draft.query.retain(|(key, _)| key != name);
                            let pairs = texts.iter().map(|text| (name.to_owned(), text.clone()));
                            draft.query.extend(pairs);
                        }),
                    );
                }
                "header" if is_header(&text) => push(
                    &what,
                    rank,
                    Box::new(move |draft| _ = draft.headers.insert(name.to_owned(), text.clone())),
                ),
                "cookie" if is_header(&text) && !text.contains([';', ',']) => push(
                    &what,
                    rank,
                    Box::new(move |draft| {
                        draft.headers.insert("cookie".into(), format!("{name}={text}"));
                    }),
                ),
                _ => {}
            }
        }
        let absent = if is_required { Rank::Near } else { Rank::Valid };
        match location {
            "header" | "cookie" => {
                let header = if location == "header" { name } else { "cookie" };
                push("absent", absent, Box::new(move |draft| _ = draft.headers.remove(header)));
            }
            "query" => {
                let remove = move |draft: &mut Draft| draft.query.retain(|(key, _)| key != name);
                push("absent", absent, Box::new(remove));
                let twice = [self.samples.nth(schema, 0), self.samples.nth(schema, 2)];
                let twice = twice.map(|value| plain(&value));
                // Frameworks take one of both, some the first and some the last.
                push(
                    "twice",
                    Rank::Valid,
                    Box::new(move |draft| {
                        draft.query.retain(|(key, _)| key != name);
                        let pairs = twice.iter().map(|text| (name.to_owned(), text.clone()));
                        draft.query.extend(pairs);
                    }),
                );
            }
            _ => {}
        }
    }

    /// Changes of the fields of the body, and of what is within them.
    fn field_changes(&mut self, operation: &Operation<'a>, changes: &mut Vec<Change<'a>>) {
        let schema = object_schema(self.document, operation.body, 0);
        let required = schema["required"].as_array();
        for (name, property) in fields(&schema["properties"]) {
            let is_required = required.is_some_and(|names| names.iter().any(|known| known == name));
            let mut push = |what: &str, rank: Rank, value: Option<Value>| {
                changes.push(Change {
                    name: format!("{name}: {what}"),
                    target: format!("body {name}"),
                    rank,
                    apply: Box::new(move |draft| {
                        if let Some(body) = object(draft) {
                            match &value {
                                Some(value) => _ = body.insert(name.clone(), value.clone()),
                                None => _ = body.shift_remove(name),
                            }
                        }
                    }),
                });
            };
            push("absent", if is_required { Rank::Near } else { Rank::Valid }, None);
            if operation.media_type == Some("multipart/form-data") && is_file(property) {
                file_changes(name, changes);
                continue;
            }
            for value in self.sent.get(name).into_iter().flatten().take(2) {
                if operation.method != "POST" && value.is_string() {
                    push("as another has it", Rank::Valid, Some(value.clone()));
                }
            }
            for value in self.related().near_known(name, property) {
                push("next to a known one", self.rank(property, &value), Some(value));
            }
            for (what, value) in self.samples.variants(property) {
                push(&what, self.rank(property, &value), Some(value));
            }
        }
    }

    /// Allowed changes of the fields of the other branches of a body that is one of several.
    fn branch_changes(&mut self, operation: &Operation<'a>, changes: &mut Vec<Change<'a>>) {
        let body = resolve(self.document, operation.body);
        let branches = ["oneOf", "anyOf"].iter().filter_map(|key| body[*key].as_array()).flatten();
        for branch in branches.skip(1) {
            let schema = resolve(self.document, branch);
            let Value::Object(whole) = self.samples.nth(branch, 0) else { continue };
            let title = schema["title"].as_str().unwrap_or("another").to_owned();
            for (name, property) in fields(&schema["properties"]) {
                for (what, value) in self.samples.variants(property) {
                    if self.rank(property, &value) != Rank::Valid {
                        continue;
                    }
                    let mut whole = whole.clone();
                    whole.insert(name.clone(), value);
                    changes.push(Change {
                        name: format!("{title}: {name}: {what}"),
                        target: "body".to_owned(),
                        rank: Rank::Valid,
                        apply: Box::new(move |draft| {
                            if let Some(body) = object(draft) {
                                body.clone_from(&whole);
                            }
                        }),
                    });
                }
            }
        }
    }

    /// Whether a schema is of a number that may be written as a text, without constraints on its form.
    fn is_decimal(&self, schema: &Value) -> bool {
        let choices = resolve(self.document, schema)["anyOf"].as_array().into_iter().flatten();
        let kinds: Vec<&str> = choices.map(|choice| kind(resolve(self.document, choice))).collect();
        kinds.contains(&"number") && kinds.contains(&"string")
    }

    fn rank(&self, schema: &Value, value: &Value) -> Rank {
        if is_valid(self.document, schema, value) {
            let is_odd = self.is_decimal(schema) && !is_plain_decimal(value);
            return if is_odd { Rank::Near } else { Rank::Valid };
        }
        let is_of = |schema: &Value| match kind(resolve(self.document, schema)) {
            "string" => value.is_string(),
            "integer" | "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => false,
        };
        let schema = resolve(self.document, schema);
        let choices = ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
        if value.is_null() || is_of(schema) || choices.into_iter().any(is_of) {
            Rank::Near
        } else {
            Rank::Wrong
        }
    }
}

/// Whether a value is a number, or a text, that any decimal may be: not too long, with few decimal places; or null.
fn is_plain_decimal(value: &Value) -> bool {
    let text = plain(value);
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    value.is_null()
        || (digits.len() < 6 && decimals.len() < 3 && !digits.is_empty())
            && digits.chars().chain(decimals.chars()).all(|c| c.is_ascii_digit())
}

/// Files under several names, with what comes next to it as the sizes that services allow.
fn file_changes<'a>(name: &'a str, changes: &mut Vec<Change<'a>>) {
    let mut push = |what: String, apply: Box<dyn Fn(&mut Draft) + 'a>| {
        let target = format!("file {name}");
        let name = format!("{name}: {what}");
        changes.push(Change { name, target, rank: Rank::Valid, apply });
    };
    for filename in FILENAMES {
        push(
            format!("a file {filename}"),
            Box::new(move |draft| _ = draft.filenames.insert(name.to_owned(), filename.to_owned())),
        );
    }
    for size in SIZES {
        push(
            format!("a file of {size} bytes"),
            Box::new(move |draft| {
                if let Some(body) = object(draft) {
                    body.insert(name.to_owned(), "x".repeat(size).into());
                }
            }),
        );
    }
}

fn body_changes(changes: &mut Vec<Change<'_>>) {
    let mut push = |name: String, rank: Rank, apply: Box<dyn Fn(&mut Draft)>| {
        changes.push(Change { name, target: "body".to_owned(), rank, apply });
    };
    push(
        "an unknown field".into(),
        Rank::Near,
        Box::new(|draft| {
            if let Some(body) = object(draft) {
                body.insert("unknown".into(), json!([{"a": null}]));
            }
        }),
    );
    for text in ["", "{}", "[]", "null", "7", "\"text\"", "{\"a\":", "[1,]", "{'a': 1}"] {
        push(
            format!("the body '{text}'"),
            if text == "{}" { Rank::Near } else { Rank::Wrong },
            Box::new(move |draft| draft.body = Some(Body::Text(text.to_owned()))),
        );
    }
    for content_type in ["text/plain", "application/xml", "multipart/form-data; boundary=x"] {
        push(
            format!("as {content_type}"),
            Rank::Wrong,
            Box::new(move |draft| {
                draft.headers.insert("content-type".into(), content_type.into());
            }),
        );
    }
}

fn caller_changes<'a>(users: &'a [String], changes: &mut Vec<Change<'a>>) {
    let mut push = |name: String, apply: Box<dyn Fn(&mut Draft) + 'a>| {
        changes.push(Change { name, target: "caller".to_owned(), rank: Rank::Valid, apply });
    };
    push("not signed in".into(), Box::new(|draft| draft.user = None));
    push(
        "a forged token".into(),
        Box::new(|draft| {
            draft.user = None;
            draft.headers.insert("authorization".into(), "Bearer no.such.token".into());
        }),
    );
    for user in users.iter().skip(1) {
        push(format!("as {user}"), Box::new(move |draft| draft.user = Some(user.clone())));
    }
}

/// A draft with some changes.
pub(super) fn changed(valid: &Draft, changes: &[&Change<'_>]) -> Draft {
    let mut draft = valid.clone();
    for change in changes {
        (change.apply)(&mut draft);
        draft.changes.push(change.name.clone());
    }
    draft
}
