//! The same request again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::variations::FIRST;
use super::{Generator, Unit};
use crate::generate::draft::object;
use crate::generate::operation::collection;
use crate::generate::schema::parameter_schema;
use crate::generate::text::{is_header, plain, swapped};

impl Generator<'_> {
    /// The same again: as it is, with its texts in the other case, by another user; and with every
    /// optional header.
    pub(super) fn twice(&mut self, index: usize) -> Vec<Unit> {
        let own = collection(self.operations[index].path);
        let mut units = Vec::new();
        for has_headers in [false, true] {
            let mut cases = self.unit(index, 0, 0, &[]);
            let position = cases.iter().position(|case| {
                case.operation.as_ref() == Some(&self.operations[index].name)
                    && !case.name.contains(" life ")
            });
            let thing = self.thing(index, 0, 0);
            let mut draft = self.draft(index, 0, thing.as_ref(), 0);
            // What was just made for it is used, not another.
            let path = position.map(|position| {
                let path = cases[position].request.split_once(' ').map_or("", |(_, path)| path);
                path_values(self.operations[index].path, path)
            });
            if has_headers {
                let headers: Vec<_> = self.operations[index]
                    .parameters
                    .iter()
                    .filter(|p| p["in"] == "header" && p["required"] != true)
                    .copied()
                    .collect();
                if headers.is_empty() {
                    break;
                }
                for parameter in headers {
                    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
                    let value = plain(
                        &self.samples.parameter(parameter_schema(parameter), &mut Vec::new()),
                    );
                    if is_header(&value) {
                        draft.headers.insert(name, value);
                    }
                }
                cases.truncate(position.unwrap_or(0));
                if let Some(path) = path {
                    draft.path = path;
                    self.send_version(index, &mut draft);
                }
                cases.push(self.case(index, draft.clone(), "with every header"));
            } else if let (Some(position), Some(path)) = (position, path) {
                draft.path = path;
                self.send_version(index, &mut draft);
                cases.truncate(position);
                cases.push(self.case(index, draft.clone(), "once"));
            }
            cases.push(self.case(index, draft.clone(), "twice"));
            let mut other = draft.clone();
            if let Some(body) = object(&mut other) {
                for value in body.values_mut() {
                    if let Some(text) = value.as_str().filter(|text| !text.starts_with("${")) {
                        *value = swapped(text).into();
                    }
                }
                cases.push(self.case(index, other.clone(), "in other case"));
                // With what must keep its form as it was, and only one text in other case.
                let names: Vec<String> = object(&mut other)
                    .map(|body| body.keys().cloned().collect())
                    .unwrap_or_default();
                for name in names {
                    let mut one = draft.clone();
                    let Some(body) = object(&mut one) else { continue };
                    let Some(text) = body.get(&name).and_then(Value::as_str) else { continue };
                    if text.starts_with("${") || swapped(text) == text {
                        continue;
                    }
                    body[&name] = swapped(text).into();
                    cases.push(self.case(index, one, &format!("{name} in other case")));
                }
            }
            if self.operations[index].is_secured && self.users.len() > 1 {
                draft.user = self.users.last().cloned();
                cases.push(self.case(index, draft, "the same by another user"));
            }
            if let Some(list) = self.list_of(&own) {
                let thing = self.thing(list, 0, 0);
                let draft = self.draft(list, 0, thing.as_ref(), 0);
                cases.push(self.case(list, draft, "after the same twice"));
            }
            units.push((FIRST, cases));
        }
        units
    }
}

/// What stands in a path for the parameters of its template.
fn path_values(template: &str, path: &str) -> BTreeMap<String, String> {
    let path = path.split('?').next().unwrap_or_default();
    let pairs = template.split('/').zip(path.split('/'));
    pairs
        .filter_map(|(name, value)| {
            let name = name.strip_prefix('{')?.strip_suffix('}')?;
            // What is encoded already would be encoded again.
            let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
            Some((name.to_owned(), value.into_owned()))
        })
        .collect()
}
