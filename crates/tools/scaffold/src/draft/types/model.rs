//! Models: components, and what is made of parameters.

use serde_json::{Value, json};

use super::{Owner, Result, Typed, Types, Use, plain, rules, unboxed};
use crate::draft::attributes::{doc, number};
use crate::draft::names::{ident, title, type_name};

/// A field of a model, or a parameter.
#[derive(Clone, Copy)]
pub(in crate::draft) struct Field<'s> {
    pub(in crate::draft) name: &'s str,
    pub(in crate::draft) schema: &'s Value,
    pub(in crate::draft) is_required: bool,
    /// Whether the name is an alias, even if it is that of the field.
    pub(in crate::draft) is_alias: bool,
}

/// What a model is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A class of the old service.
    Model,
    /// Parameters of a function: what may be left out, is `None` then.
    Parameters,
}

impl Types<'_> {
    pub(super) fn referred(&mut self, reference: &str) -> Result<Typed> {
        let (component, schema) = self
            .component(reference)
            .ok_or_else(|| format!("{reference} is not in the document"))?;
        let base = self.document.base(component);
        let name = self.names.of(base).unwrap_or(base).to_owned();
        if let Some(code) = self.code.get(&name) {
            // One that is just being written holds itself, in a box.
            return Ok(plain(&if code.is_empty() { format!("Box<{name}>") } else { name }));
        }
        let usage = if self.requests.contains(base) { Use::Read } else { Use::Written };
        let owner = std::mem::replace(&mut self.owner, Owner::Component(base.to_owned()));
        let in_form = std::mem::take(&mut self.in_form);
        let typed = self.component_type(component, schema, &name, usage);
        let comments = self.loose.comments(&self.owner);
        if let Some(code) = self.code.get_mut(&name) {
            code.insert_str(0, &comments);
        }
        (self.owner, self.in_form) = (owner, in_form);
        Ok(typed)
    }

    fn component_type(&mut self, component: &str, schema: &Value, name: &str, usage: Use) -> Typed {
        if schema["enum"].is_array() || schema.get("const").is_some() {
            self.note_unsupported(schema, name, usage, rules::CHOICE);
            return self.choice(schema, name, usage, Some(component)).unwrap_or_else(|reason| {
                self.loosen(schema, usage, format!("`{name}` may be any JSON: {reason}"));
                plain("Value")
            });
        }
        self.code.insert(name.to_owned(), String::new());
        let is_object = schema["type"].is_null() || schema["type"] == "object";
        // A `RootModel` is what is in it, with a name.
        if schema["properties"].is_null() || !is_object {
            let Typed { name: mut inner, mut constraints } =
                self.of(schema, &format!("{name}Root"), usage);
            if self.is_itself(name, &inner) {
                self.loosen(schema, usage, format!("`{name}` may be any JSON: it is only itself"));
                (inner, constraints) = ("Value".to_owned(), Vec::new());
            }
            let title = schema["title"].as_str().unwrap_or(component);
            let mut attributes = self.named(schema, name, Some(component));
            if !attributes.contains("serde(rename") {
                attributes += &format!("#[serde(rename = {title:?})]\n");
            }
            let code = self.newtype(name, &inner, &constraints, usage, [&attributes, ""]);
            self.code.insert(name.to_owned(), doc(schema, "") + &code);
            return plain(name);
        }
        let fields = fields(schema);
        let code = self.model(name, &fields, schema, Kind::Model, usage);
        let named = self.named(schema, name, Some(component));
        self.code.insert(name.to_owned(), code.replacen('\u{0}', &named, 1));
        plain(name)
    }

    /// Whether a type holds nothing but itself.
    fn is_itself(&self, name: &str, inner: &str) -> bool {
        let mut inner = bare(inner);
        for _ in 0..=self.newtypes.len() {
            if inner == name {
                return true;
            }
            let Some(next) = self.newtypes.get(inner) else { return false };
            inner = bare(next);
        }
        true
    }

    /// A model that stands where it is used, and is called after its place.
    pub(super) fn inline(&mut self, schema: &Value, hint: &str, usage: Use) -> Typed {
        let name = self.free(hint);
        self.code.insert(name.clone(), String::new());
        let code = self.model(&name, &fields(schema), schema, Kind::Model, usage);
        let named = self.named(schema, &name, None);
        self.code.insert(name.clone(), code.replacen('\u{0}', &named, 1));
        plain(&name)
    }

    /// What a type is called in Python and in the document, if that is something else, and its
    /// other keywords.
    pub(super) fn named(&mut self, schema: &Value, name: &str, component: Option<&str>) -> String {
        let mut code = String::new();
        let title = schema["title"].as_str().filter(|title| !title.is_empty());
        let title = title.filter(|_| component.is_some()).unwrap_or(component.unwrap_or(name));
        if title != name {
            code += &format!("#[serde(rename = {title:?})]\n");
        }
        let base = component.map(|component| self.document.base(component));
        if let Some(base) = base.filter(|base| *base != component_name(title)) {
            code += &format!("#[schema(component = {base:?})]\n");
        }
        if let Some(extra) = self.extra(schema, schema["title"].as_str(), None) {
            code += &format!("#[schema({extra})]\n");
        }
        code
    }

    /// A struct, with a NUL where its names are to stand.
    fn model(
        &mut self,
        name: &str,
        all: &[Field<'_>],
        schema: &Value,
        kind: Kind,
        usage: Use,
    ) -> String {
        let mut code = String::new();
        let mut idents: Vec<String> = Vec::new();
        for field in all {
            let ident = ident(field.name, |ident| idents.iter().any(|taken| taken == ident));
            code += &self.field(name, field, &ident, kind, usage);
            idents.push(ident);
        }
        let traits = self.traits(name, usage, &code);
        let derive = self.derive(traits);
        if kind == Kind::Model {
            self.note_unsupported(schema, name, usage, rules::MODEL);
        }
        let required = schema["required"].as_array().into_iter().flatten();
        let is_field = |name: &Value| all.iter().any(|field| *name == field.name);
        if required.filter(|name| name.is_string()).any(|name| !is_field(name)) {
            let reason =
                format!("`{name}` need not have the required fields that are not described");
            self.loosen(schema, usage, reason);
        }
        let mut head = doc(schema, "") + &derive + "\u{0}";
        match &schema["additionalProperties"] {
            Value::Bool(false) => head += "#[serde(deny_unknown_fields)]\n",
            Value::Null => {}
            _ => self.loosen(schema, usage, format!("the further fields of `{name}` are not read")),
        }
        if schema["patternProperties"].is_object() {
            self.loosen(schema, usage, format!("the further fields of `{name}` are not read"));
        }
        head + &format!("pub struct {name} {{\n{code}}}")
    }

    fn field(
        &mut self,
        model: &str,
        field: &Field<'_>,
        ident: &str,
        kind: Kind,
        usage: Use,
    ) -> String {
        let Field { name, schema, is_required, is_alias } = *field;
        let hint = format!("{model}{}", type_name(name));
        let Typed { name: mut ty, mut constraints } = self.of(schema, &hint, usage);
        let is_option = ty.starts_with("Option<");
        let default = schema.get("default");
        let given = default.filter(|default| !default.is_null());
        let mut omittable = false;
        let mut shown = None;
        if is_required {
            if is_option {
                constraints.push("required = true".into());
            }
            shown = given;
        } else if let Some(given) = given {
            match self.default(given, &ty, is_option, &hint) {
                Ok(default) => constraints.push(default),
                Err(reason) => {
                    self.loosen(schema, usage, reason);
                    (omittable, shown) = (true, Some(given));
                }
            }
        } else if !is_option {
            omittable = true;
            if kind == Kind::Model {
                let reason =
                    format!("`{hint}` is absent if it is left out: its default is not known");
                self.loosen(schema, usage, reason);
            }
        }
        if omittable && ty == "()" {
            self.loosen(schema, usage, format!("`{hint}` may be any JSON, not only null"));
            "Value".clone_into(&mut ty);
        }
        if omittable {
            ty = format!("Omittable<{ty}>");
            constraints.push("default_factory = Omittable(None)".to_owned());
        }
        self.mention(&ty);
        constraints.extend(self.extra(schema, Some(&title(name)), shown));
        let mut code = doc(schema, "    ");
        if !constraints.is_empty() {
            code += &format!("    #[schema({})]\n", constraints.join(", "));
        }
        let mut serde = Vec::new();
        if ident != name || is_alias {
            serde.push(format!("rename = {name:?}"));
        }
        if omittable && !ty.contains("UploadFile") {
            serde.push("skip_serializing_if = \"Omittable::is_omitted\"".to_owned());
        }
        if !serde.is_empty() {
            code += &format!("    #[serde({})]\n", serde.join(", "));
        }
        code + &format!("    pub {ident}: {ty},\n")
    }

    fn default(&self, default: &Value, ty: &str, is_option: bool, hint: &str) -> Result<String> {
        let bare = ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty);
        let value = match default {
            Value::String(text) if bare == "String" && !is_option => format!("{text:?}"),
            default => self.value(default, bare, hint)?,
        };
        Ok(format!("default = {}", if is_option { format!("Some({value})") } else { value }))
    }

    /// A value of a type.
    fn value(&self, value: &Value, ty: &str, hint: &str) -> Result<String> {
        let of = |outer: &str| ty.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>');
        let outer = ty.split('<').next().unwrap_or(ty);
        let is_empty = match value {
            Value::Array(items) => items.is_empty() && ["Vec", "BTreeSet"].contains(&outer),
            Value::Object(fields) => fields.is_empty() && outer == "IndexMap",
            _ => false,
        };
        if is_empty {
            return Ok(format!("<{ty}>::new()"));
        }
        Ok(match (ty, value) {
            ("Integer", Value::Number(given)) if given.is_i64() => {
                format!("Integer::from({})", number(given))
            }
            ("f64", Value::Number(given)) if given.is_i64() => format!("{}.0", number(given)),
            ("f64", Value::Number(given)) if given.is_f64() => float(given.as_f64()),
            ("i64", Value::Number(given)) if given.is_i64() => number(given),
            ("bool", Value::Bool(is_so)) => is_so.to_string(),
            ("String", Value::String(text)) => format!("{text:?}.to_owned()"),
            (_, Value::Array(items)) if of("Vec").or(of("BTreeSet")).is_some() => {
                let inner = of("Vec").or(of("BTreeSet")).unwrap_or_default();
                let items = items.iter().map(|item| self.value(item, inner, hint));
                let items = items.collect::<Result<Vec<_>>>()?.join(", ");
                match of("Vec") {
                    Some(_) => format!("vec![{items}]"),
                    None => format!("BTreeSet::from([{items}])"),
                }
            }
            (name, value) if self.variants.contains_key(name) => {
                let variants = self.variants.get(name).into_iter().flatten();
                let variant = variants.into_iter().find(|(known, _)| known == value);
                let (_, variant) = variant.ok_or_else(|| {
                    format!("`{hint}` has a default that is none of its values: {value}")
                })?;
                format!("{name}::{variant}")
            }
            (name, value) if self.newtypes.contains_key(name) => {
                let inner = self.newtypes.get(name).map_or("", String::as_str);
                match (inner, value) {
                    (inner, Value::Null) if inner.starts_with("Option<") => format!("{name}(None)"),
                    (inner, value) => format!("{name}({})", self.value(value, inner, hint)?),
                }
            }
            _ => {
                let value: String = value.to_string().chars().take(80).collect();
                return Err(format!(
                    "`{hint}` is absent if it is left out, its default is {value}"
                ));
            }
        })
    }

    /// Adds a type of an operation.
    pub(in crate::draft) fn add(&mut self, name: &str, fields: &[Field<'_>]) -> String {
        let name = self.free(name);
        self.code.insert(name.clone(), String::new());
        let code = self.model(&name, fields, &json!({}), Kind::Parameters, Use::Read);
        self.code.insert(name.clone(), code.replacen('\u{0}', "", 1));
        name
    }
}

/// The fields of a schema.
pub(in crate::draft) fn fields(schema: &Value) -> Vec<Field<'_>> {
    let required = schema["required"].as_array().into_iter().flatten();
    let required: Vec<&str> = required.filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    let field = |(name, schema)| {
        let name: &String = name;
        Field { name, schema, is_required: required.contains(&name.as_str()), is_alias: false }
    };
    properties.map(field).collect()
}

/// What is in options and boxes.
fn bare(ty: &str) -> &str {
    let inner = unboxed(ty);
    match inner.strip_prefix("Option<").and_then(|inner| inner.strip_suffix('>')) {
        Some(inner) => bare(inner),
        None => inner,
    }
}

/// A float as Rust has it.
fn float(value: Option<f64>) -> String {
    format!("{:?}", value.unwrap_or_default())
}

/// What `fastapi-compat` calls a component of this title.
fn component_name(title: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
    title.chars().map(|c| if is_kept(c) { c } else { '_' }).collect()
}
