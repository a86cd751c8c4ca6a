//! The drafted models, as their code has them.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use quote::ToTokens;
use syn::{Attribute, Fields, Item, Meta};

/// Structs with their fields, and enumerations with their values.
#[derive(Debug, Default)]
pub(super) struct Models {
    structs: BTreeMap<String, Vec<ModelField>>,
    enums: BTreeMap<String, Vec<(String, String)>>,
}

/// A field: its name in Python, in Rust, and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModelField {
    pub(super) name: String,
    pub(super) ident: String,
    pub(super) ty: String,
}

impl Models {
    pub(super) fn read(code: &IndexMap<String, String>) -> Self {
        let mut models = Self::default();
        for code in code.values() {
            let Ok(file) = syn::parse_file(code) else { continue };
            for item in file.items {
                models.add(item);
            }
        }
        models
    }

    fn add(&mut self, item: Item) {
        match item {
            Item::Struct(item) => {
                let Fields::Named(fields) = item.fields else { return };
                let fields = fields.named.into_iter().filter_map(|field| {
                    let ident = field.ident?.to_string();
                    let name = renamed(&field.attrs).unwrap_or_else(|| ident.clone());
                    let ty = field.ty.to_token_stream().to_string().replace(' ', "");
                    Some(ModelField { name, ident, ty })
                });
                self.structs.insert(item.ident.to_string(), fields.collect());
            }
            Item::Enum(item) => {
                let is_plain = item.variants.iter().all(|one| one.fields.is_empty());
                let variants = item.variants.into_iter().map(|variant| {
                    let ident = variant.ident.to_string();
                    (renamed(&variant.attrs).unwrap_or_else(|| ident.clone()), ident)
                });
                if is_plain {
                    self.enums.insert(item.ident.to_string(), variants.collect());
                }
            }
            _ => {}
        }
    }

    pub(super) fn fields(&self, name: &str) -> Option<&[ModelField]> {
        self.structs.get(name).map(Vec::as_slice)
    }

    pub(super) fn field(&self, model: &str, name: &str) -> Option<&ModelField> {
        self.fields(model)?.iter().find(|field| field.name == name)
    }

    /// The values of an enumeration, with their variants.
    pub(super) fn variants(&self, name: &str) -> Option<&[(String, String)]> {
        self.enums.get(name).map(Vec::as_slice)
    }
}

/// What `#[serde(rename = "…")]` says.
fn renamed(attributes: &[Attribute]) -> Option<String> {
    let mut found = None;
    for attribute in attributes.iter().filter(|one| one.path().is_ident("serde")) {
        let Meta::List(list) = &attribute.meta else { continue };
        let read = list.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                found = Some(meta.value()?.parse::<syn::LitStr>()?.value());
            } else if meta.input.peek(syn::Token![=]) {
                meta.value()?.parse::<syn::Expr>()?;
            }
            Ok(())
        });
        if read.is_err() {
            return found;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_read_back() {
        let code = "#[derive(Decode)]\npub struct Item {\n    #[serde(alias = \"b\", rename = \"a-b\")]\n    \
                    pub a_b: Option<Vec<i64>>,\n    pub c: String,\n}";
        let values = "pub enum Kind { #[serde(rename = \"x y\")] XY, Z }";
        let models = Models::read(&IndexMap::from([
            ("Item".to_owned(), code.to_owned()),
            ("Kind".to_owned(), values.to_owned()),
        ]));
        let field = models.field("Item", "a-b").unwrap();
        assert_eq!((field.ident.as_str(), field.ty.as_str()), ("a_b", "Option<Vec<i64>>"));
        assert_eq!(models.field("Item", "c").unwrap().ident, "c");
        let kinds = [("x y", "XY"), ("Z", "Z")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(models.variants("Kind").unwrap(), kinds);
    }
}
