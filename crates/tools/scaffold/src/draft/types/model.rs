//! Models: components, and what is made of parameters.

use serde_json::{Value, json};

use super::{Owner, Result, Typed, Types, Use, plain, rules, unboxed};
use crate::draft::attributes::doc;
use crate::draft::known::{Known, KnownModel};
use crate::draft::names::ident;
use crate::draft::python;

/// A field of a model, or a parameter.
#[derive(Clone)]
pub(in crate::draft) struct Field<'s> {
    pub(in crate::draft) name: &'s str,
    pub(in crate::draft) schema: &'s Value,
    pub(in crate::draft) is_required: bool,
    /// Whether the name is an alias, even if it is that of the field.
    pub(in crate::draft) is_alias: bool,
    /// What the application's code says of it.
    pub(in crate::draft) known: Known,
}

/// What a model is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
        let is_form = self.forms.contains(base);
        let in_form = std::mem::replace(&mut self.in_form, is_form);
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
        let mut fields = fields(schema);
        let known = KnownModel::of(self.inspection, component);
        for field in &mut fields {
            let known = known.and_then(|model| model.field(field.name));
            field.known = known.unwrap_or_default();
        }
        let code = self.model(name, &fields, schema, (Kind::Model, known), usage);
        let mut named = self.named(schema, name, Some(component));
        if self.forms.contains(self.document.base(component)) {
            named += "#[schema(model)]\n";
        }
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

    /// A model that stands where it is used, and is called after its path.
    pub(super) fn inline(&mut self, schema: &Value, hint: &str, usage: Use) -> Typed {
        let name = self.free(hint);
        self.code.insert(name.clone(), String::new());
        let code = self.model(&name, &fields(schema), schema, (Kind::Model, None), usage);
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
        (kind, known): (Kind, Option<KnownModel<'_>>),
        usage: Use,
    ) -> String {
        let mut code = String::new();
        let mut idents: Vec<String> = Vec::new();
        let mut members = Vec::new();
        for field in all {
            let ident = ident(field.name, |ident| idents.iter().any(|taken| taken == ident));
            let (text, member) = self.field(name, field, &ident, kind, usage);
            code += &text;
            members.push(member);
            idents.push(ident);
        }
        let extra = known.filter(|_| kind == Kind::Parameters).map(|known| known.extra());
        let further = &schema["additionalProperties"];
        let is_forbidden = *further == false || extra == Some("forbid");
        if *further == true || further.is_object() || extra == Some("allow") {
            let ident = ident("extra", |ident| idents.iter().any(|taken| taken == ident));
            let ty = match further {
                Value::Object(_) => self.alone(further, &format!("{name}Extra"), usage, None),
                _ => "Value".to_owned(),
            };
            let ty = format!("IndexMap<String, {}>", unboxed(&ty));
            self.mention(&ty);
            code += &format!("    #[serde(flatten)]\n    pub {ident}: {ty},\n");
        } else {
            self.structs.insert(name.to_owned(), members);
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
        if let Some(known) = known {
            head.insert_str(0, &self.validators(name, known, usage));
            if kind == Kind::Parameters {
                head += "#[schema(model)]\n";
            }
            if known.is_strict() && usage == Use::Read {
                head += "#[schema(strict)]\n";
            }
            if known.value["kind"] == "dataclass" && usage == Use::Read {
                head += "#[schema(dataclass)]\n";
            }
        }
        if is_forbidden {
            head += "#[serde(deny_unknown_fields)]\n";
        }
        if schema["patternProperties"].is_object() {
            self.loosen(schema, usage, format!("the further fields of `{name}` are not read"));
        }
        head + &format!("pub struct {name} {{\n{code}}}")
    }

    /// The Python of a model's validators and serializers, as comments; the validators are noted.
    fn validators(&mut self, name: &str, known: KnownModel<'_>, usage: Use) -> String {
        let Some(inspection) = self.inspection else { return String::new() };
        let mut text = String::new();
        for callable in inspection.validators(known.value) {
            if usage == Use::Read {
                let reason = format!("`{name}` is validated in Python too: `{}`", callable.name);
                self.remark(reason);
                text += &python::comment(&callable);
            }
        }
        for callable in inspection.serializers(known.value) {
            text += &python::comment(&callable);
        }
        text
    }

    /// The type of a body that may be left out and is not null: `item: Item = None`.
    pub(in crate::draft) fn given(&mut self, hint: &str, ty: &str) -> String {
        let name = self.free(hint);
        let traits = self.traits(&name, Use::Read, ty);
        let derive = self.derive(traits);
        self.mention(ty);
        let code = format!(
            "{derive}pub struct {name}(\n    #[schema(nullable = false)]\n    pub Option<{ty}>,\n);"
        );
        self.code.insert(name.clone(), code);
        name
    }

    /// Adds a type of an operation.
    pub(in crate::draft) fn add(
        &mut self,
        name: &str,
        fields: &[Field<'_>],
        known: Option<KnownModel<'_>>,
    ) -> String {
        let name = self.free(name);
        self.code.insert(name.clone(), String::new());
        let code = self.model(&name, fields, &json!({}), (Kind::Parameters, known), Use::Read);
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
        Field {
            name,
            schema,
            is_required: required.contains(&name.as_str()),
            is_alias: false,
            known: Known::default(),
        }
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

/// What `fastapi-compat` calls a component of this title.
fn component_name(title: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
    title.chars().map(|c| if is_kept(c) { c } else { '_' }).collect()
}
