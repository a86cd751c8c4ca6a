//! Compares two documents, operation by operation.

use std::collections::BTreeSet;

use serde_json::Value;

use super::change::{Change, Class, DOCUMENTATION, Direction};
use super::document::{
    Operation, fields, flag, operations, parameter_name, resolve, same_parameter, same_path, text,
};
use super::schema::Schemas;

/// Every change between two documents, found by [`Comparison::documents`].
pub(super) struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    pub(super) changes: Vec<Change>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old, new, changes: Vec::new() }
    }

    fn add(&mut self, class: Class, path: &str, what: impl Into<String>) {
        let (path, what) = (path.to_owned(), what.into());
        self.changes.push(Change { class, direction: None, path, what });
    }

    fn documentation(&mut self, path: &str, old: &Value, new: &Value) {
        for key in DOCUMENTATION {
            if old.get(key) != new.get(key) {
                self.add(Class::Documentation, path, format!("{key} changed"));
            }
        }
        match (flag(old, "deprecated"), flag(new, "deprecated")) {
            (false, true) => self.add(Class::Documentation, path, "is deprecated now"),
            (true, false) => self.add(Class::Documentation, path, "is not deprecated any more"),
            _ => {}
        }
    }

    pub(super) fn documents(&mut self) {
        let (old, new) = (self.old, self.new);
        self.documentation("info", &old["info"], &new["info"]);
        if old["info"]["version"] != new["info"]["version"] {
            self.add(Class::Documentation, "info", "version changed");
        }
        if old.get("servers") != new.get("servers") {
            self.add(Class::Documentation, "servers", "changed");
        }
        let (olds, news) = (operations(old), operations(new));
        for (name, path, before) in &olds {
            let after = news.iter().find(|(_, other, operation)| {
                same_path(path, other) && operation.method == before.method
            });
            match after {
                Some((_, _, after)) => self.operation(name, before, after),
                None => self.add(Class::Breaking, name, "the operation was removed"),
            }
        }
        for (name, path, after) in &news {
            let known = |(_, other, before): &(String, &str, Operation<'_>)| {
                same_path(path, other) && before.method == after.method
            };
            if !olds.iter().any(known) {
                self.add(Class::NonBreaking, name, "the operation is new");
            }
        }
    }

    fn operation(&mut self, name: &str, old: &Operation<'a>, new: &Operation<'a>) {
        self.documentation(name, old.value, new.value);
        self.parameters(name, old, new);
        self.body(name, &old.value["requestBody"], &new.value["requestBody"]);
        self.responses(name, &old.value["responses"], &new.value["responses"]);
        self.security(name, old, new);
    }

    fn parameters(&mut self, name: &str, old: &Operation<'a>, new: &Operation<'a>) {
        let (olds, news) = (old.parameters(self.old), new.parameters(self.new));
        for before in &olds {
            let path = format!("{name} {} {}", text(before, "in"), parameter_name(before));
            let Some(after) = news.iter().find(|after| same_parameter(before, after)) else {
                self.request(Class::Breaking, &path, "the parameter was removed");
                continue;
            };
            self.documentation(&path, before, after);
            self.necessity(&path, flag(before, "required"), flag(after, "required"));
            for key in ["style", "explode", "allowReserved"] {
                if before.get(key) != after.get(key) {
                    self.request(Class::Breaking, &path, format!("{key} changed"));
                }
            }
            self.schemas(&path, Direction::Request, &before["schema"], &after["schema"]);
        }
        for after in &news {
            if !olds.iter().any(|before| same_parameter(before, after)) {
                let path = format!("{name} {} {}", text(after, "in"), parameter_name(after));
                if flag(after, "required") {
                    self.request(Class::Breaking, &path, "a new parameter that is required");
                } else {
                    self.request(Class::NonBreaking, &path, "a new parameter");
                }
            }
        }
    }

    fn request(&mut self, class: Class, path: &str, what: impl Into<String>) {
        let (direction, path, what) = (Some(Direction::Request), path.to_owned(), what.into());
        self.changes.push(Change { class, direction, path, what });
    }

    fn necessity(&mut self, path: &str, before: bool, after: bool) {
        match (before, after) {
            (false, true) => self.request(Class::Breaking, path, "is required now"),
            (true, false) => self.request(Class::NonBreaking, path, "is not required any more"),
            _ => {}
        }
    }

    fn body(&mut self, name: &str, old: &'a Value, new: &'a Value) {
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        let path = format!("{name} body");
        match (old.is_null(), new.is_null()) {
            (true, true) => return,
            (true, false) if flag(new, "required") => {
                return self.request(Class::Breaking, &path, "a new body that is required");
            }
            (true, false) => return self.request(Class::NonBreaking, &path, "a new body"),
            (false, true) => {
                return self.request(Class::Breaking, &path, "the body was removed");
            }
            (false, false) => {}
        }
        self.documentation(&path, old, new);
        self.necessity(&path, flag(old, "required"), flag(new, "required"));
        self.content(&path, Direction::Request, &old["content"], &new["content"]);
    }

    fn responses(&mut self, name: &str, old: &'a Value, new: &'a Value) {
        for (status, before) in fields(old) {
            let path = format!("{name} {status}");
            let Some(after) = new.get(status) else {
                let class = if status.starts_with('2') || status == "default" {
                    Class::Breaking
                } else {
                    Class::NonBreaking
                };
                self.response(class, &path, "the answer was removed");
                continue;
            };
            let (before, after) = (resolve(self.old, before), resolve(self.new, after));
            self.documentation(&path, before, after);
            self.content(&path, Direction::Response, &before["content"], &after["content"]);
            for (header, _) in fields(&before["headers"]) {
                if after["headers"].get(header).is_none() {
                    let what = format!("the header {header} was removed");
                    self.response(Class::Breaking, &path, what);
                }
            }
        }
        for (status, _) in fields(new) {
            if old.get(status).is_none() {
                let path = format!("{name} {status}");
                self.response(Class::NonBreaking, &path, "a new answer");
            }
        }
    }

    fn response(&mut self, class: Class, path: &str, what: impl Into<String>) {
        let (direction, path, what) = (Some(Direction::Response), path.to_owned(), what.into());
        self.changes.push(Change { class, direction, path, what });
    }

    fn content(&mut self, path: &str, direction: Direction, old: &'a Value, new: &'a Value) {
        for (media_type, before) in fields(old) {
            match new.get(media_type) {
                Some(after) => {
                    self.schemas(path, direction, &before["schema"], &after["schema"]);
                }
                None => self.changes.push(Change {
                    class: Class::Breaking,
                    direction: Some(direction),
                    path: path.to_owned(),
                    what: format!("{media_type} was removed"),
                }),
            }
        }
        for (media_type, _) in fields(new) {
            if old.get(media_type).is_none() {
                self.changes.push(Change {
                    class: Class::NonBreaking,
                    direction: Some(direction),
                    path: path.to_owned(),
                    what: format!("{media_type} is new"),
                });
            }
        }
    }

    fn schemas(&mut self, path: &str, direction: Direction, old: &'a Value, new: &'a Value) {
        let mut schemas = Schemas::new(self.old, self.new, direction);
        schemas.compare(path, old, new);
        self.changes.extend(schemas.changes);
    }

    fn security(&mut self, name: &str, old: &Operation<'a>, new: &Operation<'a>) {
        let schemes = |document: &'a Value, operation: &Operation<'a>| -> BTreeSet<String> {
            let security = operation.value.get("security").or_else(|| document.get("security"));
            let alternatives = security.and_then(Value::as_array).into_iter().flatten();
            alternatives.map(ToString::to_string).collect()
        };
        let (before, after) = (schemes(self.old, old), schemes(self.new, new));
        if before == after {
            return;
        }
        let open = |alternatives: &BTreeSet<String>| {
            alternatives.is_empty() || alternatives.contains("{}")
        };
        // Each alternative admits clients: removing one refuses those that use it.
        if open(&after) || (!open(&before) && before.is_subset(&after)) {
            self.add(Class::NonBreaking, name, "demands less of the caller");
        } else {
            self.add(Class::Breaking, name, "demands another sign-in");
        }
    }
}
