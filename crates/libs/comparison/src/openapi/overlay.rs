//! Changes of a document, as the OpenAPI Overlay Specification 1.0 writes them.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// Why a text is no overlay, or one that does not fit.
#[derive(Debug, PartialEq, Eq)]
pub struct OverlayError(String);

impl std::fmt::Display for OverlayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OverlayError {}

/// What is changed at a location in the document.
#[derive(Clone, Debug, PartialEq)]
struct Action {
    target: Vec<Step>,
    change: Change,
}

#[derive(Clone, Debug, PartialEq)]
enum Change {
    /// Merged into the target: objects key by key, lists at their ends.
    Update(Value),
    Remove,
}

/// A step to a location in a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// Changes of a document, in their order. Targets are paths without wildcards
/// (RFC 9535, 2.7: `$['paths']['/items']['get']`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay(Vec<Action>);

impl Overlay {
    /// Reads `{"overlay": "1.0.0", "actions": […]}`.
    ///
    /// # Errors
    /// When it is no JSON, or has an action without a plain target.
    pub fn read(text: &str) -> Result<Self, OverlayError> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| OverlayError(error.to_string()))?;
        let mut actions = Vec::new();
        for action in value["actions"].as_array().into_iter().flatten() {
            let target = action["target"].as_str().unwrap_or_default();
            let target = steps(target)
                .ok_or_else(|| OverlayError(format!("`{target}` is no path without wildcards")))?;
            let change = match action.get("update") {
                _ if action["remove"] == true => Change::Remove,
                Some(update) => Change::Update(update.clone()),
                None => return Err(OverlayError(format!("{action} changes nothing"))),
            };
            actions.push(Action { target, change });
        }
        Ok(Self(actions))
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The document with all changes.
    ///
    /// # Errors
    /// When a target is not in the document.
    pub fn apply(&self, mut document: Value) -> Result<Value, OverlayError> {
        for Action { target, change } in &self.0 {
            let missing = || OverlayError(format!("there is no {} in the document", path(target)));
            match change {
                Change::Update(update) => {
                    merge(at(&mut document, target).ok_or_else(missing)?, update);
                }
                Change::Remove => {
                    let (last, parent) = target.split_last().ok_or_else(missing)?;
                    match (at(&mut document, parent).ok_or_else(missing)?, last) {
                        (Value::Object(fields), Step::Key(key)) => _ = fields.shift_remove(key),
                        (Value::Array(items), Step::Index(index)) if *index < items.len() => {
                            items.remove(*index);
                        }
                        _ => return Err(missing()),
                    }
                }
            }
        }
        Ok(document)
    }

    /// The text that [`Overlay::read`] reads.
    pub fn to_text(&self, title: &str) -> String {
        let actions = self.0.iter().map(|Action { target, change }| match change {
            Change::Update(update) => json!({"target": path(target), "update": update}),
            Change::Remove => json!({"target": path(target), "remove": true}),
        });
        let actions: Vec<Value> = actions.collect();
        let info = json!({"title": title, "version": "1"});
        let overlay = json!({"overlay": "1.0.0", "info": info, "actions": actions});
        format!("{overlay:#}\n")
    }

    /// Gives the value of a key; what is there is removed before it would be merged with.
    pub(super) fn set(
        &mut self,
        target: &[Step],
        key: &str,
        is_there: bool,
        value: Option<&Value>,
    ) {
        if is_there && value.is_none_or(|value| value.is_object() || value.is_array()) {
            let target = target.iter().cloned().chain([Step::Key(key.to_owned())]).collect();
            self.0.push(Action { target, change: Change::Remove });
        }
        let Some(value) = value else { return };
        if let Some(Action { target: last, change: Change::Update(Value::Object(update)) }) =
            self.0.last_mut()
            && last == target
        {
            update.insert(key.to_owned(), value.clone());
            return;
        }
        let update = Map::from_iter([(key.to_owned(), value.clone())]);
        self.0.push(Action { target: target.to_vec(), change: Change::Update(update.into()) });
    }
}

/// The value at a location in a document, if it is there.
fn at<'d>(document: &'d mut Value, target: &[Step]) -> Option<&'d mut Value> {
    target.iter().try_fold(document, |value, step| match step {
        Step::Key(key) => value.as_object_mut()?.get_mut(key),
        Step::Index(index) => value.as_array_mut()?.get_mut(*index),
    })
}

fn merge(target: &mut Value, update: &Value) {
    match (target, update) {
        (Value::Object(fields), Value::Object(more)) => {
            for (key, value) in more {
                match fields.get_mut(key) {
                    Some(field) => merge(field, value),
                    None => _ = fields.insert(key.clone(), value.clone()),
                }
            }
        }
        (Value::Array(items), Value::Array(more)) => items.extend(more.clone()),
        (target, update) => target.clone_from(update),
    }
}

/// A normalized path.
pub(super) fn path(target: &[Step]) -> String {
    let mut text = "$".to_owned();
    for step in target {
        match step {
            Step::Key(key) => {
                let key = key.replace('\\', "\\\\").replace('\'', "\\'");
                _ = write!(text, "['{key}']");
            }
            Step::Index(index) => _ = write!(text, "[{index}]"),
        }
    }
    text
}

/// The steps of a normalized path.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        rest = rest.strip_prefix('[')?;
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (mut key, mut chars) = (String::new(), quoted.char_indices());
            let end = loop {
                match chars.next()? {
                    (_, '\\') => key.push(chars.next()?.1),
                    (at, '\'') => break at,
                    (_, c) => key.push(c),
                }
            };
            rest = quoted[end + 1..].strip_prefix(']')?;
            steps.push(Step::Key(key));
        } else {
            let (index, after) = rest.split_once(']')?;
            steps.push(Step::Index(index.parse().ok()?));
            rest = after;
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_overlay_is_read_as_it_is_written_and_changes_the_document() {
        let mut overlay = Overlay::default();
        let target = [Step::Key("paths".into()), Step::Key("/it's".into()), Step::Index(0)];
        overlay.set(&target, "b", false, Some(&json!(2)));
        overlay.set(&target, "c", false, Some(&json!({"d": 3})));
        overlay.set(&target, "a", true, None);
        let text = overlay.to_text("t");
        assert_eq!(Overlay::read(&text).unwrap(), overlay);
        let document = json!({"paths": {"/it's": [{"a": 1}]}});
        let changed = overlay.apply(document).unwrap();
        assert_eq!(changed, json!({"paths": {"/it's": [{"b": 2, "c": {"d": 3}}]}}));
        assert!(overlay.apply(json!({})).is_err());
        assert!(Overlay::read(r#"{"actions": [{"target": "$.a", "remove": true}]}"#).is_err());
    }
}
