//! Requests that should succeed.

use serde_json::Value;

use super::{Generator, Thing};
use crate::case::Case;
use crate::generate::draft::{Body, Draft, VARIABLE, finish, object};
use crate::generate::references::collection_of;
use crate::generate::schema::parameter_schema;
use crate::generate::text::{is_header, is_json, plain};
use crate::openapi::fields;

impl Generator<'_> {
    /// A request that should succeed, to the thing given.
    pub(super) fn draft(
        &mut self,
        index: usize,
        user: usize,
        thing: Option<&Thing>,
        number: usize,
    ) -> Draft {
        let mut draft = Draft::default();
        self.samples.caller = user;
        self.samples.has_examples = !self.made_up.contains(&index);
        let avoided = self.avoided.get(&index);
        let operation = &self.operations[index];
        let names = operation.path_parameters();
        let mut others = Vec::new();
        for parameter in &operation.parameters {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            let schema = parameter_schema(parameter);
            let is_required = parameter["required"] == true;
            let given = fields(&parameter["examples"]).map(|(_, example)| &example["value"]).next();
            let position = names.iter().position(|known| *known == name);
            let resource = position.and_then(|position| self.resource_at(operation, position));
            let known = self.known_moment(operation, parameter);
            let listed = position
                .filter(|_| thing.is_none())
                .and_then(|at| self.listed_at(operation, at, user, number))
                .map(|name| used(&name));
            let mut value = || match (parameter.get("example").or(given), &known) {
                (Some(example), _) => plain(example),
                (None, Some(known)) => known.clone(),
                (None, None) => plain(&self.samples.parameter(schema, &mut others)),
            };
            match parameter["in"].as_str() {
                Some("path") => {
                    // Where a thing is within others, so many variables come before its own.
                    let is_deeper = thing.is_some_and(|it| it.variables.len() > names.len());
                    let depth = resource.as_ref().map(|path| path.matches("{}").count());
                    let known = depth
                        .filter(|_| is_deeper)
                        .or(position)
                        .and_then(|position| thing?.variables.get(position))
                        .map(|variable| used(variable));
                    let other = || {
                        let paths: Vec<String> = self.resources.keys().cloned().collect();
                        let path = resource
                            .or_else(|| collection_of(&name, &paths).map(ToOwned::to_owned))?;
                        let other = self.resources.get(&path)?.things.first()?;
                        Some(used(other.variables.last()?))
                    };
                    let value = known.or(listed).or_else(other).unwrap_or_else(value);
                    draft.path.insert(name, value);
                }
                Some("query") if is_required => draft.query.push((name, value())),
                Some("header") if is_required => {
                    let value = value();
                    if is_header(&value) {
                        draft.headers.insert(name, value);
                    }
                }
                Some("cookie") if is_required => {
                    let value = value();
                    if is_header(&value) {
                        add_cookie(&mut draft, &name, &value);
                    }
                }
                _ => {}
            }
        }
        if let Some(media_type) = operation.media_type {
            let example =
                operation.example.filter(|_| number == 0 && self.samples.has_examples).cloned();
            let body = example.unwrap_or_else(|| self.samples.nth(operation.body, number));
            draft.body = match body {
                body if is_json(media_type) => Some(Body::Json(body)),
                Value::Object(body) if media_type == "multipart/form-data" => {
                    Some(Body::Parts(body))
                }
                Value::Object(body) => Some(Body::Form(body)),
                _ => None,
            };
        }
        if let Some(body) = object(&mut draft).filter(|_| !self.names.is_empty()) {
            for (field, value) in body.iter_mut().filter(|(_, value)| value.is_string()) {
                if let Some(name) = self.name_of(index, field, number) {
                    *value = name;
                }
            }
        }
        let own = thing.and_then(|thing| thing.variables.last()).map(|own| used(own));
        if let (Some(own), Some(body)) = (own, object(&mut draft)) {
            // Nothing is a part of itself, as a rule; what has to be there repeats its id.
            let signed = own.replacen("${", "${#", 1);
            let required = self.required(index);
            body.retain(|name, value| {
                let is_own = value.as_str().is_some_and(|text| text == own || text == signed);
                !is_own || required.contains(&name.as_str())
            });
        }
        if let (Some(avoided), Some(body)) = (avoided, object(&mut draft)) {
            body.retain(|name, _| !avoided.contains(name));
        }
        self.send_version(index, &mut draft);
        let operation = &self.operations[index];
        if operation.is_secured {
            draft.user = self.users.get(user).or_else(|| self.users.first()).cloned();
        }
        draft
    }

    /// The case that sends a draft; `remark` ends its name.
    pub(super) fn case(&self, operation: usize, mut draft: Draft, remark: &str) -> Case {
        draft.changes.push(remark.to_owned());
        finish(&self.operations[operation], &draft)
    }
}

/// What stands for a thing's variable in a request: what it holds, or the id itself.
fn used(variable: &str) -> String {
    let is_captured = variable
        .strip_prefix(VARIABLE)
        .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    if is_captured { format!("${{{variable}}}") } else { variable.to_owned() }
}

/// Adds a cookie to those that a draft sends.
pub(super) fn add_cookie(draft: &mut Draft, name: &str, value: &str) {
    let cookies = draft.headers.entry("cookie".to_owned()).or_default();
    if !cookies.is_empty() {
        cookies.push_str("; ");
    }
    cookies.extend([name, "=", value]);
}
