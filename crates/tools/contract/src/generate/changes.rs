//! What is changed in a valid request: parameters, fields, bodies, content types, callers.

use serde_json::{Map, Value, json};

use super::draft::{Body, Draft, object, plain};
use super::is_header;
use super::operation::Operation;
use super::samples::Samples;
use crate::openapi::{fields, resolve};

/// How deep within a body fields are changed.
const MAX_NESTING: usize = 3;

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
                    "header" if is_header(&value) => Box::new(move |draft: &mut Draft| {
                        draft.headers.insert(name.to_owned(), value.clone());
                    }),
                    "cookie" if is_header(&value) && !value.contains([';', ',']) => {
                        Box::new(move |draft: &mut Draft| {
                            draft.headers.insert("cookie".into(), format!("{name}={value}"));
                        })
                    }
                    _ => continue,
                };
                changes.push((format!("{location} {name}: {what}"), change));
            }
            if ["header", "cookie"].contains(&location) {
                let header = if location == "header" { name } else { "cookie" };
                changes.push((
                    format!("{location} {name}: absent"),
                    Box::new(move |draft| _ = draft.headers.remove(header)),
                ));
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

    /// Changes of the fields of an object, and of those within it.
    fn field_changes(
        &mut self,
        schema: &'a Value,
        path: &[&'a str],
        changes: &mut Vec<Change<'a>>,
    ) {
        let Some(schema) = object_schema(self.document, schema, 0) else { return };
        for (name, property) in fields(&schema["properties"]) {
            let place: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
            let label = place.join(".");
            let inner: Vec<&'a str> = path.to_vec();
            changes.push((
                format!("{label}: absent"),
                Box::new(move |draft| {
                    if let Some(body) = within(draft, &inner) {
                        body.remove(name);
                    }
                }),
            ));
            for (what, value) in self.samples.of(property) {
                let inner: Vec<&'a str> = path.to_vec();
                changes.push((
                    format!("{label}: {what}"),
                    Box::new(move |draft| {
                        if let Some(body) = within(draft, &inner) {
                            body.insert(name.clone(), value.clone());
                        }
                    }),
                ));
            }
            if path.len() < MAX_NESTING {
                self.field_changes(property, &place, changes);
            }
        }
    }

    fn body_changes(&mut self, operation: &Operation<'a>, changes: &mut Vec<Change<'a>>) {
        self.field_changes(operation.body, &[], changes);
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

/// The object that a schema describes: itself, one of its alternatives, or an item of its list.
fn object_schema<'a>(document: &'a Value, schema: &'a Value, depth: usize) -> Option<&'a Value> {
    let schema = resolve(document, schema);
    if schema["properties"].is_object() {
        return Some(schema);
    }
    if depth > MAX_NESTING {
        return None;
    }
    let alternatives =
        ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    alternatives
        .chain(schema.get("items"))
        .find_map(|schema| object_schema(document, schema, depth + 1))
}

/// The object at a path within the body, whose lists are entered at their first item.
fn within<'d>(draft: &'d mut Draft, path: &[&str]) -> Option<&'d mut Map<String, Value>> {
    let mut body = object(draft)?;
    for name in path {
        let mut value = body.get_mut(*name)?;
        while let Value::Array(items) = value {
            value = items.first_mut()?;
        }
        body = value.as_object_mut()?;
    }
    Some(body)
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
