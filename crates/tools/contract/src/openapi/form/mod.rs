//! The form of a document: whether its parts are what the specification says that they are.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::form_error::FormError;

mod schemas;

/// Where a check is: the keys from the document, or from what a reference leads to.
#[derive(Clone, Copy)]
struct Location<'p> {
    above: Option<&'p Location<'p>>,
    key: &'p str,
}

impl<'p> Location<'p> {
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

    fn error(&self, message: impl Into<String>) -> FormError {
        FormError { location: self.pointer(), message: message.into() }
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
pub(super) fn check(document: &Value) -> Result<(), FormError> {
    let root = Location::root("");
    let top = object(document, &Location::root(""))?;
    let known = ["paths", "webhooks", "components"];
    if !known.iter().any(|key| top.contains_key(*key)) {
        return Err(root.error("has no `paths`"));
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
        form.part(part, value, &Location::root(pointer))?;
    }
    Ok(())
}

impl<'a> Form<'a> {
    fn components(
        &mut self,
        components: &'a Value,
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        for (key, values) in object(components, location)? {
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
            self.each(part, values, &location.at(key))?;
        }
        Ok(())
    }

    /// Checks each value of an object; null is taken for none.
    fn each(
        &mut self,
        part: Part,
        values: &'a Value,
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        // A schema may have any name.
        let is_extension = |key: &str| part != Part::Schema && key.starts_with("x-");
        for (key, value) in object(values, location)?.iter().filter(|(key, _)| !is_extension(key)) {
            self.part(part, value, &location.at(key))?;
        }
        Ok(())
    }

    /// The same of a key that may be missing.
    fn each_of(
        &mut self,
        part: Part,
        fields: &'a Map<String, Value>,
        key: &str,
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        match fields.get(key) {
            Some(Value::Null) | None => Ok(()),
            Some(values) => self.each(part, values, &location.at(key)),
        }
    }

    fn part(
        &mut self,
        part: Part,
        value: &'a Value,
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        if part == Part::Schema {
            return self.schema(value, location);
        }
        let fields = object(value, location)?;
        if self.reference(part, value, fields, location)? {
            return Ok(());
        }
        match part {
            Part::PathItem => self.path_item(fields, location),
            Part::Parameter => {
                for key in ["name", "in"] {
                    match fields.get(key) {
                        Some(Value::String(_)) => {}
                        Some(value) => return Err(wrong(value, "a text", &location.at(key))),
                        None => return Err(location.error("a parameter needs `name` and `in`")),
                    }
                }
                self.described(fields, location)
            }
            Part::Header | Part::Body => self.described(fields, location),
            Part::Response => {
                self.each_of(Part::Header, fields, "headers", location)?;
                self.described(fields, location)
            }
            Part::Callback => self.each(Part::PathItem, value, location),
            Part::SecurityScheme => match fields.get("type") {
                Some(Value::String(_)) | None => Ok(()),
                Some(kind) => Err(wrong(kind, "a text", &location.at("type"))),
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
        location: &Location<'_>,
    ) -> Result<bool, FormError> {
        let reference = match fields.get("$ref") {
            Some(Value::String(reference)) => reference,
            Some(other) if part != Part::PathItem => {
                return Err(wrong(other, "a text", &location.at("$ref")));
            }
            _ => return Ok(false),
        };
        let pointer = reference.strip_prefix('#').unwrap_or(reference);
        let target = self.document.pointer(pointer);
        let Some(target) = target else {
            return Err(location.error(format!("refers to {reference}, which is not there")));
        };
        if pointer.is_empty() {
            return Err(location.error("refers to the whole document"));
        }
        if self.leads_to_itself(part, value) {
            return Err(
                location.error(format!("refers to {reference}, which leads only to itself"))
            );
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
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        for key in ["required", "explode", "allowReserved", "allowEmptyValue", "deprecated"] {
            match fields.get(key) {
                Some(Value::Bool(_) | Value::Null) | None => {}
                Some(value) => return Err(wrong(value, "a boolean", &location.at(key))),
            }
        }
        if let Some(schema) = fields.get("schema") {
            self.schema(schema, &location.at("schema"))?;
        }
        let Some(content) = fields.get("content").filter(|content| !content.is_null()) else {
            return Ok(());
        };
        let location = location.at("content");
        for (name, media) in object(content, &location)? {
            let location = location.at(name);
            let media = object(media, &location)?;
            if let Some(schema) = media.get("schema") {
                self.schema(schema, &location.at("schema"))?;
            }
            let Some(encodings) = media.get("encoding").filter(|of| !of.is_null()) else {
                continue;
            };
            let location = location.at("encoding");
            for (name, encoding) in object(encodings, &location)? {
                let location = location.at(name);
                self.each_of(Part::Header, object(encoding, &location)?, "headers", &location)?;
            }
        }
        Ok(())
    }

    fn path_item(
        &mut self,
        item: &'a Map<String, Value>,
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        for (key, value) in item {
            let location = location.at(key);
            match key.as_str() {
                "parameters" => self.list(Part::Parameter, value, &location)?,
                "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace" => {
                    self.operation(object(value, &location)?, &location)?;
                }
                _ => {}
            }
        }
        Self::general(item, location)
    }

    fn operation(
        &mut self,
        operation: &'a Map<String, Value>,
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        if let Some(list) = operation.get("parameters") {
            self.list(Part::Parameter, list, &location.at("parameters"))?;
        }
        if let Some(body) = operation.get("requestBody").filter(|body| !body.is_null()) {
            self.part(Part::Body, body, &location.at("requestBody"))?;
        }
        self.each_of(Part::Response, operation, "responses", location)?;
        self.each_of(Part::Callback, operation, "callbacks", location)?;
        Self::general(operation, location)
    }

    fn list(
        &mut self,
        part: Part,
        list: &'a Value,
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        if list.is_null() {
            return Ok(());
        }
        let values = list.as_array().ok_or_else(|| wrong(list, "a list", location))?;
        for (index, value) in values.iter().enumerate() {
            self.part(part, value, &location.at(&index.to_string()))?;
        }
        Ok(())
    }

    /// `servers` and `security` of a document, a path or an operation.
    fn general(fields: &Map<String, Value>, location: &Location<'_>) -> Result<(), FormError> {
        if let Some(servers) = fields.get("servers").filter(|servers| !servers.is_null()) {
            let location = location.at("servers");
            let list = servers.as_array().ok_or_else(|| wrong(servers, "a list", &location))?;
            for (index, server) in list.iter().enumerate() {
                let index = index.to_string();
                let location = location.at(&index);
                match object(server, &location)?.get("url") {
                    Some(Value::String(_)) | None => {}
                    Some(url) => return Err(wrong(url, "a text", &location.at("url"))),
                }
            }
        }
        let Some(security) = fields.get("security").filter(|security| !security.is_null()) else {
            return Ok(());
        };
        let location = location.at("security");
        let list = security.as_array().ok_or_else(|| wrong(security, "a list", &location))?;
        for (index, requirement) in list.iter().enumerate() {
            let index = index.to_string();
            let location = location.at(&index);
            for (name, scopes) in object(requirement, &location)? {
                let location = location.at(name);
                if !scopes.is_array() && !scopes.is_null() {
                    return Err(wrong(scopes, "a list of scopes", &location));
                }
            }
        }
        Ok(())
    }
}

fn wrong(value: &Value, expected: &str, location: &Location<'_>) -> FormError {
    location.error(format!("is {} and must be {expected}", kind(value)))
}

fn object<'a>(
    value: &'a Value,
    location: &Location<'_>,
) -> Result<&'a Map<String, Value>, FormError> {
    value.as_object().ok_or_else(|| wrong(value, "an object", location))
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
