//! Components that extend others: `allOf` with a reference to the component that they are a kind of.

use std::collections::HashSet;

use serde_json::Value;

use super::normaliser::{Normaliser, Subtypes};
use super::syntax::{address, list};
use crate::openapi::document::fields;

impl<'a> Normaliser<'a> {
    fn direct_subtypes(&self) -> &Subtypes<'a> {
        self.subtypes.get_or_init(|| {
            let mut subtypes = Subtypes::new();
            for (name, schema) in fields(&self.document["components"]["schemas"]) {
                let parts = schema.as_object().map_or(&[][..], |fields| list(fields, "allOf"));
                for part in parts {
                    let (target, component) = self.target(&vec![part]);
                    if let (Some(_), &[target]) = (component, target.as_slice()) {
                        subtypes.entry(address(target)).or_default().push((name, schema));
                    }
                }
            }
            subtypes
        })
    }

    /// The components that extend the one whose discriminator it is, directly or not.
    pub(in crate::openapi) fn subtypes_of(
        &self,
        discriminator: &'a Value,
    ) -> Vec<(&'a str, &'a Value)> {
        let direct = self.direct_subtypes();
        let schemas = fields(&self.document["components"]["schemas"]).map(|(_, schema)| schema);
        let bases = schemas.filter(|schema| {
            schema.get("discriminator").is_some_and(|own| std::ptr::eq(own, discriminator))
        });
        let mut open: Vec<usize> = bases.map(address).collect();
        let mut seen: HashSet<usize> = open.iter().copied().collect();
        let mut found = Vec::new();
        while let Some(base) = open.pop() {
            for &(name, schema) in direct.get(&base).into_iter().flatten() {
                if seen.insert(address(schema)) {
                    found.push((name, schema));
                    open.push(address(schema));
                }
            }
        }
        found
    }
}
