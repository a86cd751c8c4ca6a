//! The form of a document: whether its parts are what the specification says that they are.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::bundle::Fault;

mod schemas;

/// Where a check is: the keys from the document, or from what a reference leads to.
#[derive(Clone, Copy)]
struct Place<'p> {
    above: Option<&'p Place<'p>>,
    key: &'p str,
}

impl<'p> Place<'p> {
    const fn root(pointer: &'p str) -> Self {
        Self { above: None, key: pointer }
    }

    const fn at(&'p self, key: &'p str) -> Self {
        Self { above: Some(self), key }
    }

    /// A pointer: `#/paths/~1x/get`.
    fn pointer(&self) -> String {
        match self.above {
            Some(above) => {
                let key = self.key.replace('~', "~0").replace('/', "~1");
                format!("{}/{key}", above.pointer())
            }
            None => format!("#{}", self.key),
        }
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        (self.pointer(), message.into())
    }
}

/// What a part of a document must be.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    PathItem,
    Parameter,
    Body,
    Response,
    Header,
    Callback,
    SecurityScheme,
    Schema,
}

/// A check of one document, with every part that is referred to.
struct Form<'a> {
    document: &'a Value,
    /// What references lead to and is still to be checked.
    pending: Vec<(Part, &'a str, &'a Value)>,
    seen: HashSet<(Part, &'a str)>,
}

/// Checks a document whose references all lead to something.
///
/// # Errors
/// The first part that is malformed, and what is wrong with it.
pub(super) fn check(document: &Value) -> Result<(), Fault> {
    let root = Place::root("");
    let top = object(document, &Place::root(""))?;
    let known = ["paths", "webhooks", "components"];
    if !known.iter().any(|key| top.contains_key(*key)) {
        return Err(root.fault("has no `paths`"));
    }
    let mut form = Form { document, pending: Vec::new(), seen: HashSet::new() };
    for key in ["paths", "webhooks"] {
        if let Some(items) = top.get(key) {
            form.each(Part::PathItem, items, &root.at(key))?;
        }
    }
    if let Some(components) = top.get("components") {
        form.components(components, &root.at("components"))?;
    }
    Form::general(top, &root)?;
    while let Some((part, pointer, value)) = form.pending.pop() {
        form.part(part, value, &Place::root(pointer))?;
    }
    Ok(())
}

impl<'a> Form<'a> {
    fn components(&mut self, components: &'a Value, place: &Place<'_>) -> Result<(), Fault> {
        for (key, values) in object(components, place)? {
            let part = match key.as_str() {
                "schemas" => Part::Schema,
                "responses" => Part::Response,
                "parameters" => Part::Parameter,
                "headers" => Part::Header,
                "requestBodies" => Part::Body,
                "securitySchemes" => Part::SecurityScheme,
                "callbacks" => Part::Callback,
                "pathItems" => Part::PathItem,
                _ => continue,
            };
            self.each(part, values, &place.at(key))?;
        }
        Ok(())
    }

    /// Checks each value of an object; null is taken for none.
    fn each(&mut self, part: Part, values: &'a Value, place: &Place<'_>) -> Result<(), Fault> {
        // A schema may have any name.
        let is_extension = |key: &str| part != Part::Schema && key.starts_with("x-");
        for (key, value) in object(values, place)?.iter().filter(|(key, _)| !is_extension(key)) {
            self.part(part, value, &place.at(key))?;
        }
        Ok(())
    }

    /// The same of a key that may be missing.
    fn each_of(
        &mut self,
        part: Part,
        fields: &'a Map<String, Value>,
        key: &str,
        place: &Place<'_>,
    ) -> Result<(), Fault> {
        match fields.get(key) {
            Some(Value::Null) | None => Ok(()),
            Some(values) => self.each(part, values, &place.at(key)),
        }
    }

    fn part(&mut self, part: Part, value: &'a Value, place: &Place<'_>) -> Result<(), Fault> {
        if part == Part::Schema {
            return self.schema(value, place);
        }
        let fields = object(value, place)?;
        if self.reference(part, value, fields, place)? {
            return Ok(());
        }
        match part {
            Part::PathItem => self.path_item(fields, place),
            Part::Parameter => {
                for key in ["name", "in"] {
                    match fields.get(key) {
                        Some(Value::String(_)) => {}
                        Some(value) => return Err(wrong(value, "a text", &place.at(key))),
                        None => return Err(place.fault("a parameter needs `name` and `in`")),
                    }
                }
                self.described(fields, place)
            }
            Part::Header | Part::Body => self.described(fields, place),
            Part::Response => {
                self.each_of(Part::Header, fields, "headers", place)?;
                self.described(fields, place)
            }
            Part::Callback => self.each(Part::PathItem, value, place),
            Part::SecurityScheme => match fields.get("type") {
                Some(Value::String(_)) | None => Ok(()),
                Some(kind) => Err(wrong(kind, "a text", &place.at("type"))),
            },
            Part::Schema => Ok(()),
        }
    }

    /// Whether it is a reference, which is followed later.
    fn reference(
        &mut self,
        part: Part,
        value: &'a Value,
        fields: &'a Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<bool, Fault> {
        let reference = match fields.get("$ref") {
            Some(Value::String(reference)) => reference,
            Some(other) if part != Part::PathItem => {
                return Err(wrong(other, "a text", &place.at("$ref")));
            }
            _ => return Ok(false),
        };
        let pointer = reference.strip_prefix('#').unwrap_or(reference);
        let target = self.document.pointer(pointer);
        let Some(target) = target else {
            return Err(place.fault(format!("refers to {reference}, which is not there")));
        };
        if pointer.is_empty() {
            return Err(place.fault("refers to the whole document"));
        }
        if self.leads_to_itself(part, value) {
            return Err(place.fault(format!("refers to {reference}, which leads only to itself")));
        }
        if self.seen.insert((part, pointer)) {
            self.pending.push((part, pointer, target));
        }
        Ok(true)
    }

    /// Whether a chain of references that say nothing else never ends.
    fn leads_to_itself(&self, part: Part, value: &'a Value) -> bool {
        let mut seen = HashSet::new();
        let mut value = value;
        loop {
            if !seen.insert(std::ptr::from_ref(value).addr()) {
                return true;
            }
            let says_more = part == Part::Schema && schemas::says_more(value);
            let next = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
            match next.filter(|_| !says_more).and_then(|next| self.document.pointer(next)) {
                Some(next) => value = next,
                None => return false,
            }
        }
    }

    /// What parameters, headers, bodies and responses have: a schema, or content by media type.
    fn described(
        &mut self,
        fields: &'a Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<(), Fault> {
        for key in ["required", "explode", "allowReserved", "allowEmptyValue", "deprecated"] {
            match fields.get(key) {
                Some(Value::Bool(_) | Value::Null) | None => {}
                Some(value) => return Err(wrong(value, "a boolean", &place.at(key))),
            }
        }
        if let Some(schema) = fields.get("schema") {
            self.schema(schema, &place.at("schema"))?;
        }
        let Some(content) = fields.get("content").filter(|content| !content.is_null()) else {
            return Ok(());
        };
        let place = place.at("content");
        for (name, media) in object(content, &place)? {
            let place = place.at(name);
            let media = object(media, &place)?;
            if let Some(schema) = media.get("schema") {
                self.schema(schema, &place.at("schema"))?;
            }
            let Some(encodings) = media.get("encoding").filter(|of| !of.is_null()) else {
                continue;
            };
            let place = place.at("encoding");
            for (name, encoding) in object(encodings, &place)? {
                let place = place.at(name);
                self.each_of(Part::Header, object(encoding, &place)?, "headers", &place)?;
            }
        }
        Ok(())
    }

    fn path_item(&mut self, item: &'a Map<String, Value>, place: &Place<'_>) -> Result<(), Fault> {
        for (key, value) in item {
            let place = place.at(key);
            match key.as_str() {
                "parameters" => self.list(Part::Parameter, value, &place)?,
                "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace" => {
                    self.operation(object(value, &place)?, &place)?;
                }
                _ => {}
            }
        }
        Self::general(item, place)
    }

    fn operation(
        &mut self,
        operation: &'a Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<(), Fault> {
        if let Some(list) = operation.get("parameters") {
            self.list(Part::Parameter, list, &place.at("parameters"))?;
        }
        if let Some(body) = operation.get("requestBody").filter(|body| !body.is_null()) {
            self.part(Part::Body, body, &place.at("requestBody"))?;
        }
        self.each_of(Part::Response, operation, "responses", place)?;
        self.each_of(Part::Callback, operation, "callbacks", place)?;
        Self::general(operation, place)
    }

    fn list(&mut self, part: Part, list: &'a Value, place: &Place<'_>) -> Result<(), Fault> {
        if list.is_null() {
            return Ok(());
        }
        let values = list.as_array().ok_or_else(|| wrong(list, "a list", place))?;
        for (index, value) in values.iter().enumerate() {
            self.part(part, value, &place.at(&index.to_string()))?;
        }
        Ok(())
    }

    /// `servers` and `security` of a document, a path or an operation.
    fn general(fields: &Map<String, Value>, place: &Place<'_>) -> Result<(), Fault> {
        if let Some(servers) = fields.get("servers").filter(|servers| !servers.is_null()) {
            let place = place.at("servers");
            let list = servers.as_array().ok_or_else(|| wrong(servers, "a list", &place))?;
            for (index, server) in list.iter().enumerate() {
                let index = index.to_string();
                let place = place.at(&index);
                match object(server, &place)?.get("url") {
                    Some(Value::String(_)) | None => {}
                    Some(url) => return Err(wrong(url, "a text", &place.at("url"))),
                }
            }
        }
        let Some(security) = fields.get("security").filter(|security| !security.is_null()) else {
            return Ok(());
        };
        let place = place.at("security");
        let list = security.as_array().ok_or_else(|| wrong(security, "a list", &place))?;
        for (index, requirement) in list.iter().enumerate() {
            let index = index.to_string();
            let place = place.at(&index);
            for (name, scopes) in object(requirement, &place)? {
                let place = place.at(name);
                if !scopes.is_array() && !scopes.is_null() {
                    return Err(wrong(scopes, "a list of scopes", &place));
                }
            }
        }
        Ok(())
    }
}

fn wrong(value: &Value, expected: &str, place: &Place<'_>) -> Fault {
    place.fault(format!("is {} and must be {expected}", kind(value)))
}

fn object<'a>(value: &'a Value, place: &Place<'_>) -> Result<&'a Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| wrong(value, "an object", place))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
