//! One document made of several: what is referred to elsewhere becomes part of it, and every reference
//! is checked.

use serde_json::{Value, json};

use super::form;
use super::form_error::FormError;

/// Where the other documents are.
pub(super) const PARTS: &str = "x-external-documents";
/// Keys whose values are data.
const DATA: [&str; 5] = ["enum", "const", "default", "example", "examples"];
/// Keys whose values are maps with names for keys.
const NAMED: [&str; 18] = [
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "schemas",
    "responses",
    "parameters",
    "headers",
    "requestBodies",
    "securitySchemes",
    "callbacks",
    "pathItems",
    "paths",
    "webhooks",
    "content",
    "links",
    "mapping",
];

/// The document itself (0) or one that was added to it.
pub(super) fn part_mut(document: &mut Value, index: usize) -> &mut Value {
    match index.checked_sub(1) {
        None => document,
        Some(index) => &mut document[PARTS][index],
    }
}

/// Adds a document that others refer to.
pub(super) fn add_part(document: &mut Value, part: Value) {
    if let Some(fields) = document.as_object_mut() {
        let parts = fields.entry(PARTS).or_insert_with(|| json!([]));
        if let Some(parts) = parts.as_array_mut() {
            parts.push(part);
        }
    }
}

/// Makes every reference one within the whole: `part_of` gives the number of the document that a
/// relative reference leads to, from that reference and the pointer to it.
pub(super) fn externals(
    part: &mut Value,
    part_of: &mut impl FnMut(&str, &str) -> usize,
) -> Result<(), FormError> {
    // What the parts refer to is dealt with when they are read.
    let parts = part.as_object_mut().and_then(|fields| fields.remove(PARTS));
    let result = references(part, &mut |reference, path| {
        let (document, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        if document.is_empty() {
            return Ok(None);
        }
        let pointer = decoded(pointer);
        Ok(Some(match part_of(document, &format!("#/{}", path.join("/"))) {
            0 => format!("#{pointer}"),
            index => format!("#/{PARTS}/{}{pointer}", index - 1),
        }))
    });
    if let (Some(fields), Some(parts)) = (part.as_object_mut(), parts) {
        fields.insert(PARTS.to_owned(), parts);
    }
    result
}

fn decoded(pointer: &str) -> String {
    percent_encoding::percent_decode_str(pointer).decode_utf8_lossy().into_owned()
}

/// Calls `change` with each reference and the keys that lead to it, and writes what it
/// returns instead.
fn references(
    value: &mut Value,
    change: &mut impl FnMut(&str, &[String]) -> Result<Option<String>, FormError>,
) -> Result<(), FormError> {
    fn walk(
        value: &mut Value,
        is_named: bool,
        path: &mut Vec<String>,
        change: &mut impl FnMut(&str, &[String]) -> Result<Option<String>, FormError>,
    ) -> Result<(), FormError> {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push(index.to_string());
                    walk(item, false, path, change)?;
                    path.pop();
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    if !is_named
                        && (DATA.contains(&key.as_str()) || key.starts_with("x-") && key != PARTS)
                    {
                        continue;
                    }
                    if !is_named
                        && key == "$ref"
                        && let Value::String(reference) = value
                    {
                        if let Some(other) = change(reference, path)? {
                            *reference = other;
                        }
                        continue;
                    }
                    path.push(key.replace('~', "~0").replace('/', "~1"));
                    walk(value, !is_named && NAMED.contains(&key.as_str()), path, change)?;
                    path.pop();
                }
            }
            _ => {}
        }
        Ok(())
    }
    walk(value, false, &mut Vec::new(), change)
}

/// Checks the form of a whole document and that every reference leads to something.
///
/// Local references of a part, and of a schema with its own `$defs`, are resolved within it.
pub(super) fn check(document: &mut Value) -> Result<(), FormError> {
    dynamic(document);
    let original = document.clone();
    references(document, &mut |reference, path| {
        let missing = || FormError {
            location: format!("#/{}", path.join("/")),
            message: format!("refers to {reference}, which is not there"),
        };
        let pointer = decoded(reference.strip_prefix('#').unwrap_or(reference));
        if !pointer.is_empty() && !pointer.starts_with('/') {
            let anchor = anchor(&original, &pointer, &mut String::new());
            return anchor.map(|pointer| Some(format!("#{pointer}"))).ok_or_else(missing);
        }
        let is_part = path.first().is_some_and(|key| key == PARTS);
        if !is_part && original.pointer(&pointer).is_some_and(|target| !target.is_null()) {
            return Ok(Some(format!("#{pointer}")));
        }
        // The document that the reference is in, or the nearest schema around it that has the target.
        let absolute = pointer.starts_with(&format!("/{PARTS}/"));
        let mut bases: Vec<String> = Vec::new();
        if is_part && !absolute {
            bases.push(format!("/{}", path[..2.min(path.len())].join("/")));
        }
        bases.push(String::new());
        bases.extend((1..=path.len()).rev().map(|end| format!("/{}", path[..end].join("/"))));
        let found = bases.into_iter().find(|base| {
            let target = format!("{base}{pointer}");
            original.pointer(&target).is_some_and(|target| !target.is_null())
        });
        match found {
            Some(base) => Ok(Some(format!("#{base}{pointer}"))),
            None => Err(missing()),
        }
    })?;
    form::check(document)
}

/// Writes each `$dynamicRef` that has one target only as the reference that it is.
fn dynamic(document: &mut Value) {
    fn names<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$dynamicAnchor").and_then(Value::as_str));
                fields.values().for_each(|value| names(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            _ => {}
        }
    }
    fn rewrite(value: &mut Value, anchors: &[String]) {
        match value {
            Value::Object(fields) => {
                let name = fields.get("$dynamicRef").and_then(Value::as_str);
                let leads =
                    |name: &str| anchors.iter().any(|one| name.strip_prefix('#') == Some(one));
                if name.is_some_and(leads)
                    && !fields.contains_key("$ref")
                    && let Some(reference) = fields.shift_remove("$dynamicRef")
                {
                    fields.insert("$ref".to_owned(), reference);
                }
                let values = fields.iter_mut().filter(|(key, _)| !DATA.contains(&key.as_str()));
                values.for_each(|(_, value)| rewrite(value, anchors));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, anchors)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    names(document, &mut found);
    found.sort_unstable();
    let single = found.chunk_by(|a, b| a == b).filter(|same| same.len() == 1);
    let anchors: Vec<String> = single.flatten().map(|name| (*name).to_owned()).collect();
    if !anchors.is_empty() {
        rewrite(document, &anchors);
    }
}

/// Where a schema with an `$anchor` is.
fn anchor(value: &Value, name: &str, path: &mut String) -> Option<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            let is_it = |key: &str| fields.get(key).and_then(Value::as_str) == Some(name);
            if is_it("$anchor") || is_it("$dynamicAnchor") {
                return Some(path.clone());
            }
            let escaped = |key: &String| key.replace('~', "~0").replace('/', "~1");
            fields.iter().map(|(key, value)| (escaped(key), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => return None,
    };
    children.into_iter().find_map(|(key, child)| {
        let length = path.len();
        path.push('/');
        path.push_str(&key);
        let found = anchor(child, name, path);
        path.truncate(length);
        found
    })
}
