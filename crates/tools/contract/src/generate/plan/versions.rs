//! Versions of things, which an update has to name, in a field or as a tag: each response that shows one is
//! kept, and the next request sends it.

use serde_json::Value;

use super::Generator;
use super::things::held;
use crate::case::Case;
use crate::generate::draft::{Draft, object};
use crate::generate::operation::Operation;
use crate::generate::schema::kind;
use crate::openapi::{fields, resolve};

/// Fields with the version of a thing, by themselves or at the end of a name (`expected_version`).
const NAMES: [&str; 5] = ["version", "revision", "rev", "etag", "generation"];

/// The source from which a case captures the entity tag.
const TAG: &str = "header etag";

impl Generator<'_> {
    /// Captures the version and the tag of what a request creates, if the response has them and an
    /// operation takes them.
    pub(super) fn keep_version(&mut self, path: &str, id: &str, case: &mut Case) {
        let operation = &self.operations[self.resources[path].creator];
        // What the request itself chooses is a version of something else.
        let has_own = fields(operation.fields).any(|(name, _)| is_version(name));
        let version = shown(self.document, operation).filter(|_| !has_own);
        let mut writes = (0..self.operations.len()).filter(|index| {
            if_match(&self.operations[*index]).is_some()
                && self.resource_of(*index).as_deref() == Some(path)
        });
        let tag = writes.next().map(|_| TAG.to_owned());
        for (pointer, is_tag) in [(version, false), (tag, true)] {
            let Some(pointer) = pointer else { continue };
            let variable = self.variable();
            case.capture.insert(variable.clone(), pointer);
            self.versions.insert((id.to_owned(), is_tag), variable);
        }
    }

    /// Has a request to the thing in its path send its version where it takes one, and keep that which it
    /// shows.
    pub(super) fn send_version(&self, index: usize, draft: &mut Draft) {
        let operation = &self.operations[index];
        draft.captures.clear();
        let id = operation.path_parameters().last().and_then(|name| draft.path.get(*name));
        let Some(id) = id.map(|id| held(id)) else { return };
        if let Some(tag) = self.versions.get(&(id.clone(), true)) {
            let is_one = operation.path.trim_end_matches('/').ends_with('}');
            if is_one && operation.method != "DELETE" {
                draft.captures.insert(tag.clone(), TAG.to_owned());
            }
            if let Some(name) = if_match(operation) {
                draft.headers.insert(name.to_owned(), format!("${{{tag}}}"));
            }
        }
        let Some(version) = self.versions.get(&(id, false)) else { return };
        if let Some(pointer) = shown(self.document, operation) {
            draft.captures.insert(version.clone(), pointer);
        }
        if !operation.is_write() {
            return;
        }
        for (name, schema) in fields(operation.fields).filter(|(name, _)| is_version(name)) {
            let is_number = kind(resolve(self.document, schema)) == "integer";
            if let Some(body) = object(draft) {
                let sign = if is_number { "#" } else { "" };
                body.insert(name.clone(), format!("${{{sign}{version}}}").into());
            }
        }
        for parameter in operation.parameters.iter().filter(|known| known["in"] == "query") {
            if let Some(name) = parameter["name"].as_str().filter(|name| is_version(name)) {
                draft.query.retain(|(known, _)| known != name);
                draft.query.push((name.to_owned(), format!("${{{version}}}")));
            }
        }
    }
}

/// The header in which an operation takes the tag of what it changes.
fn if_match<'a>(operation: &Operation<'a>) -> Option<&'a str> {
    let headers = operation.parameters.iter().filter(|known| known["in"] == "header");
    headers
        .filter_map(|known| known["name"].as_str())
        .find(|name| name.eq_ignore_ascii_case("if-match"))
        .filter(|_| operation.is_write())
}

fn is_version(name: &str) -> bool {
    NAMES.iter().any(|version| {
        let rest = name.to_lowercase();
        let rest = rest.strip_suffix(version);
        // `conversion` is none, and `lockVersion` is one.
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.ends_with(['_', '-']) || name.ends_with("Version")
        })
    })
}

/// Where a successful response shows the version of the thing that it is, or that it holds.
fn shown(document: &Value, operation: &Operation<'_>) -> Option<String> {
    let of = |schema: &Value| {
        let properties = &resolve(document, schema)["properties"];
        fields(properties).map(|(name, _)| name).find(|name| is_version(name)).cloned()
    };
    let inner = || {
        fields(&operation.result["properties"])
            .find_map(|(name, schema)| Some(format!("/{name}/{}", of(schema)?)))
    };
    of(operation.result).map(|name| format!("/{name}")).or_else(inner)
}

#[cfg(test)]
mod tests {
    use super::is_version;

    #[test]
    fn versions_have_names() {
        for name in ["version", "expected_version", "lockVersion", "revision", "if-etag"] {
            assert!(is_version(name), "{name}");
        }
        for name in ["conversion", "versions", "preview", "prev", "versioned"] {
            assert!(!is_version(name), "{name}");
        }
    }
}
