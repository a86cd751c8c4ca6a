//! Where a document differs from an older one, operation by operation.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::difference::Difference;
use super::names::{METHODS, component, pointer_step};
use super::normal::{is_reference, normal};
use super::overlay::Overlay;
use super::walk::{Walk, key};

/// What [`compare`] found.
#[derive(Clone, Debug)]
pub struct Comparison {
    theirs: Value,
    differences: Vec<Difference>,
    components: BTreeSet<String>,
}

impl Comparison {
    /// All differences, in the order of the newer document.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// The differences that an overlay must not hide: [`Difference::changes_contract`].
    pub fn contract_changes(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.changes_contract())
    }

    /// The overlay that gives the newer document the annotations of the older one, where they only explain
    /// or where the location is known to be described otherwise.
    pub fn overlay(&self) -> Overlay {
        let mut overlay = Overlay::default();
        let mut carried = BTreeSet::new();
        for difference in
            self.differences.iter().filter(|difference| !difference.changes_contract())
        {
            let Difference { target, key, ours, theirs, .. } = difference;
            overlay.set(target, key, ours.is_some(), theirs.as_ref());
            self.reach(theirs.as_ref().unwrap_or(&Value::Null), &mut carried);
        }
        if !carried.is_empty() {
            let schemas: Map<String, Value> = carried
                .iter()
                .filter_map(|name| {
                    let schema = self.theirs["components"]["schemas"].get(name)?;
                    Some((name.clone(), schema.clone()))
                })
                .collect();
            overlay.set(&[], "components", false, Some(&json!({"schemas": schemas})));
        }
        overlay
    }

    /// The components that a value refers to and the newer document does not have.
    fn reach(&self, value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) if is_reference(text) => {
                if let Some((name, schema)) = component(&self.theirs, text)
                    && !self.components.contains(name)
                    && found.insert(name.to_owned())
                {
                    self.reach(schema, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.reach(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| self.reach(field, found)),
            _ => {}
        }
    }
}

/// Compares the operations of `ours` with those of `theirs`, which may be in any form that
/// [`normal`](super::normal) reads.
///
/// `loose` are JSON pointers into the normal form of `theirs`: locations where `ours` may say something
/// else. Components may have other names. The names of security schemes, the order of parameters
/// and the description of FastAPI's own 422 are not compared.
pub fn compare(ours: &Value, theirs: &Value, loose: &[String]) -> Comparison {
    let theirs = normal(theirs);
    let mut walk = Walk { ours, theirs: &theirs, loose, seen: BTreeSet::new(), found: Vec::new() };
    for (path, item) in ours["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                let at = [key("paths"), key(path), key(method)];
                let pointer = format!("/paths{}/{method}", pointer_step(path));
                walk.operation(operation, &at, &theirs["paths"][path][method], &pointer);
            }
        }
    }
    let differences = walk.found;
    let components = ours["components"]["schemas"].as_object().into_iter().flat_map(Map::keys);
    let components = components.cloned().collect();
    Comparison { theirs, differences, components }
}
