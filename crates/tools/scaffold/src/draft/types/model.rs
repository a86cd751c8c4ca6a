//! Models: components, and what is made of parameters.

use serde_json::Value;

use super::{Result, Typed, Types, Use, plain};
use crate::draft::attributes::{doc, number};
use crate::draft::names::{ident, title, type_name};

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
        if !schema["enum"].is_null() || !schema["const"].is_null() {
            return self.choice(schema, &name, usage, false);
        }
        self.code.insert(name.clone(), String::new());
        // A `RootModel` is what is in it, with a name.
        if schema["properties"].is_null() {
            let Typed { name: inner, constraints } =
                self.of(schema, &format!("{name}Root"), usage)?;
            let title = schema["title"].as_str().unwrap_or(base);
            let mut attributes = format!("#[serde(rename = {title:?})]\n");
            if let Some(extra) = self.extra(schema, Some(title)) {
                attributes += &format!("#[schema({extra})]\n");
            }
            let code = self.newtype(&name, &inner, &constraints, usage, [&attributes, ""]);
            self.code.insert(name.clone(), doc(schema, "") + &code);
            return Ok(plain(&name));
        }
        let code = self.model(&name, schema, usage)?;
        self.code.insert(name.clone(), code);
        Ok(plain(&name))
    }

    /// What a type is called in Python, if that is something else, and its other keywords.
    pub(super) fn named(&mut self, schema: &Value, name: &str) -> String {
        let mut code = String::new();
        if let Some(title) = schema["title"].as_str().filter(|title| *title != name) {
            code += &format!("#[serde(rename = {title:?})]\n");
        }
        if let Some(extra) = self.extra(schema, schema["title"].as_str()) {
            code += &format!("#[schema({extra})]\n");
        }
        code
    }

    /// A struct, of a component or of parameters.
    fn model(&mut self, name: &str, schema: &Value, usage: Use) -> Result<String> {
        let properties = schema["properties"].as_object();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut fields = String::new();
        let mut idents: Vec<String> = Vec::new();
        for (field, schema) in properties.into_iter().flatten() {
            let is_required = required.contains(&field.as_str());
            let ident = ident(field, |ident| idents.iter().any(|taken| taken == ident));
            fields += &self.field(name, field, &ident, schema, is_required, usage)?;
            idents.push(ident);
        }
        let derive = self.derive(usage.derives(&fields));
        let mut code = doc(schema, "") + &derive + &self.named(schema, name);
        if schema["additionalProperties"] == false {
            code += "#[serde(deny_unknown_fields)]\n";
        }
        Ok(code + &format!("pub struct {name} {{\n{fields}}}"))
    }

    fn field(
        &mut self,
        model: &str,
        name: &str,
        ident: &str,
        schema: &Value,
        is_required: bool,
        usage: Use,
    ) -> Result<String> {
        let hint = format!("{model}{}", type_name(name));
        let Typed { name: ty, mut constraints } = self.of(schema, &hint, usage)?;
        self.mention(&ty);
        let is_option = ty.starts_with("Option<");
        match schema.get("default") {
            _ if is_required && is_option => {
                constraints.push("required = true".into());
            }
            Some(default) if !default.is_null() => {
                constraints.push(self.default(default, &ty, is_option, &hint)?);
            }
            _ if !is_required && !is_option => {
                constraints.push(format!("default_factory = {}", empty(&ty, &hint)?));
            }
            _ => {}
        }
        constraints.extend(self.extra(schema, Some(&title(name))));
        let mut code = doc(schema, "    ");
        if !constraints.is_empty() {
            code += &format!("    #[schema({})]\n", constraints.join(", "));
        }
        if ident != name {
            code += &format!("    #[serde(rename = {name:?})]\n");
        }
        Ok(code + &format!("    pub {ident}: {ty},\n"))
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
        Ok(match (ty, value) {
            ("Integer", Value::Number(given)) => format!("Integer::from({})", number(given)),
            ("f64", Value::Number(given)) if given.is_f64() => given.to_string(),
            ("f64", Value::Number(given)) => format!("{}.0", number(given)),
            ("i64", Value::Number(given)) => number(given),
            ("bool", Value::Bool(is_so)) => is_so.to_string(),
            ("String", Value::String(text)) => format!("{text:?}.to_owned()"),
            (_, Value::Array(items)) if items.is_empty() => empty(ty, hint)?,
            (_, Value::Object(fields)) if fields.is_empty() => empty(ty, hint)?,
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
                format!("{name}({})", self.value(value, inner, hint)?)
            }
            _ => return Err(format!("`{hint}` has a default that cannot be drafted: {value}")),
        })
    }

    /// Adds a type of an operation.
    pub(in crate::draft) fn add(&mut self, name: &str, schema: &Value) -> Result<String> {
        let name = self.free(name);
        let mut schema = schema.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("title");
        }
        let code = self.model(&name, &schema, Use::Read)?;
        self.code.insert(name.clone(), code);
        Ok(name)
    }
}

fn empty(ty: &str, hint: &str) -> Result<String> {
    let outer = ty.split('<').next().unwrap_or(ty);
    match outer {
        "Vec" | "BTreeSet" | "IndexMap" => Ok(format!("<{ty}>::new()")),
        "Value" => Ok("Value::Null".to_owned()),
        _ => Err(format!("`{hint}` has a default that the document does not show")),
    }
}
