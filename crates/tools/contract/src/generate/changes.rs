//! What is changed in a valid request: parameters, fields, bodies, content types, callers.

use serde_json::{Value, json};

use super::draft::{Body, Draft, object, plain};
use super::operation::Operation;
use super::samples::Samples;
use crate::openapi::{fields, resolve};

/// A change and its name.
pub(super) type Change<'a> = (String, Box<dyn Fn(&mut Draft) + 'a>);

/// Makes the changes for operations of a document.
pub(super) struct Changes<'a, 's> {
    pub(super) document: &'a Value,
    pub(super) users: &'a [String],
    pub(super) samples: &'s mut Samples<'a>,
}

impl<'a> Changes<'a, '_> {
    /// Every change to make in a request to the operation.
    pub(super) fn of(&mut self, operation: &Operation<'a>) -> Vec<Change<'a>> {
        let mut changes: Vec<Change<'a>> = Vec::new();
        for parameter in &operation.parameters {
            let name = parameter["name"].as_str().unwrap_or_default();
            let location = parameter["in"].as_str().unwrap_or_default();
            for (what, value) in self.samples.of(&parameter["schema"]) {
                let value = plain(&value);
                let change: Box<dyn Fn(&mut Draft)> = match location {
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
                changes.push((format!("{location} {name}: {what}"), change));
            }
            if location == "query" {
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
            changes.push(("not signed in".into(), Box::new(|draft| draft.user = None)));
            changes.push((
                "a forged token".into(),
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
            "an unknown field".into(),
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

/// A draft with some changes.
pub(super) fn changed(valid: &Draft, changes: &[&Change<'_>]) -> Draft {
    let mut draft = valid.clone();
    for (name, change) in changes {
        change(&mut draft);
        draft.changes.push(name.clone());
    }
    draft
}
