//! From JSON schemas, as pydantic writes them, to Rust types that `fastapi-compat` reads and writes.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::attributes::{bounds, doc, extra, lengths, number as literal, pattern};
use super::document::{Document, Operation};
use super::names::{Names, ident, title, type_name, variant, words};

/// A field's or a variant's type, and the constraints that stand before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) constraints: Vec<String>,
}

/// The types that operations need, in the order in which they were met.
pub(super) struct Types<'a> {
    document: &'a Document<'a>,
    /// What requests carry, by the names of components.
    requests: BTreeSet<String>,
    names: Names,
    code: IndexMap<String, String>,
    /// The types with constraints of their own, and what is in them.
    newtypes: BTreeMap<String, String>,
    /// The enumerations, with the variants of their values.
    variants: BTreeMap<String, Vec<(Value, String)>>,
    /// The words of the code that may need an import.
    used: BTreeSet<String>,
}

/// What a type is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Requests carry it; answers may, too.
    Read,
    /// Only answers do.
    Written,
}

impl Use {
    /// What is read is written too: as a default in the document. But for files.
    fn derives(self, contents: &str) -> &'static str {
        match self {
            Self::Read if contents.contains("UploadFile") => "Decode",
            Self::Read => "Decode, Serialize",
            Self::Written => "Serialize, Schema",
        }
    }
}

type Result<T> = std::result::Result<T, String>;

/// What a set can hold.
const ORDERED: [&str; 7] = ["AnyUrl", "HttpUrl", "Integer", "String", "Uuid", "bool", "i64"];
const ORDER: &str = "Clone, Debug, PartialEq, Eq, PartialOrd, Ord, ";

/// How the pattern begins that pydantic 2.12 and later have for a decimal.
const DECIMAL: &str = "^(?!^[-+.]*$)[+-]?0*";

impl<'a> Types<'a> {
    pub(super) fn new(document: &'a Document<'a>, operations: &[&Operation<'a>]) -> Self {
        let mut requests = BTreeSet::new();
        for operation in operations {
            let all = operation.value.as_object().into_iter().flatten();
            for (_, value) in all.filter(|(key, _)| *key != "responses") {
                reach(document, value, &mut requests);
            }
        }
        let names = Names::new(document);
        Self {
            document,
            requests,
            names,
            code: IndexMap::new(),
            newtypes: BTreeMap::new(),
            variants: BTreeMap::new(),
            used: BTreeSet::new(),
        }
    }

    /// All code, by the names of the types, and the words in it that may need an import.
    pub(super) fn finish(self) -> (IndexMap<String, String>, BTreeSet<String>) {
        (self.code, self.used)
    }

    fn mention(&mut self, text: &str) {
        self.used.extend(words(text).map(str::to_owned));
    }

    /// The attribute of a type.
    fn derive(&mut self, traits: &str) -> String {
        self.mention(traits);
        format!("#[derive({traits})]\n")
    }

    /// What a schema says besides, as an attribute's words.
    fn extra(&mut self, schema: &Value, title: Option<&str>) -> Option<String> {
        let extra = extra(schema, title)?;
        self.mention("json");
        Some(extra)
    }

    pub(super) fn schemes(&self) -> Option<&'a Map<String, Value>> {
        self.document.security_schemes
    }

    pub(super) fn component(&self, reference: &str) -> Option<(&'a str, &'a Value)> {
        self.document.component(reference)
    }

    /// The type of a schema; `hint` names it if it has no name.
    pub(super) fn of(&mut self, schema: &Value, hint: &str, usage: Use) -> Result<Typed> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.referred(reference);
        }
        if let Some([one]) = schema["allOf"].as_array().map(Vec::as_slice) {
            return self.of(one, hint, usage);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            return self.any_of(choices, hint, usage);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return self.one_of(schema, choices, hint, usage);
        }
        if !schema["const"].is_null() || !schema["enum"].is_null() {
            return self.choice(schema, hint, usage, true);
        }
        match schema["type"].as_str() {
            Some("string") => text(schema),
            Some("integer") => {
                let bounded = |low, high| !schema[low].is_null() && !schema[high].is_null();
                let is_small = bounded("minimum", "maximum") || usage == Use::Written;
                let mut typed = if is_small {
                    Typed { name: "i64".to_owned(), constraints: Vec::new() }
                } else {
                    plain("Integer")
                };
                typed.constraints = bounds(schema);
                Ok(typed)
            }
            Some("number") => Ok(Typed { name: "f64".to_owned(), constraints: bounds(schema) }),
            Some("boolean") => Ok(plain("bool")),
            Some("null") => Ok(plain("()")),
            Some("array") => self.array(schema, hint, usage),
            Some("object") if schema["properties"].is_null() => {
                self.dictionary(schema, hint, usage)
            }
            None => Ok(plain("Value")),
            Some(other) => Err(format!("`{hint}` is of a type that cannot be drafted: {other}")),
        }
    }

    fn array(&mut self, schema: &Value, hint: &str, usage: Use) -> Result<Typed> {
        if let Some(items) = schema["prefixItems"].as_array() {
            let mut names = Vec::new();
            for (index, item) in items.iter().enumerate() {
                names.push(self.alone(item, &format!("{hint}{index}"), usage, None)?);
            }
            return Ok(plain(&format!("({},)", names.join(", "))));
        }
        let is_set = schema["uniqueItems"] == true;
        let item = self.alone(&schema["items"], &format!("{hint}Item"), usage, None)?;
        let item = unboxed(&item);
        let name = if is_set {
            if !ORDERED.contains(&item) && !self.is_ordered(item) {
                return Err(format!("`{hint}` is a set of what has no order in Rust"));
            }
            format!("BTreeSet<{item}>")
        } else {
            format!("Vec<{item}>")
        };
        Ok(Typed { name, constraints: lengths(schema, "Items") })
    }

    fn dictionary(&mut self, schema: &Value, hint: &str, usage: Use) -> Result<Typed> {
        if !schema["patternProperties"].is_null() || !schema["propertyNames"].is_null() {
            return Err(format!("`{hint}` is a dictionary with rules for its keys"));
        }
        let values = match &schema["additionalProperties"] {
            Value::Null | Value::Bool(_) => "Value".to_owned(),
            values => self.alone(values, &format!("{hint}Value"), usage, None)?,
        };
        let values = unboxed(&values);
        let constraints = lengths(schema, "Properties");
        Ok(Typed { name: format!("IndexMap<String, {values}>"), constraints })
    }

    /// A type in a place where nothing more can be said of it, with the title that it has there:
    /// what is said makes it a type of its own.
    pub(super) fn alone(
        &mut self,
        schema: &Value,
        hint: &str,
        usage: Use,
        title: Option<&str>,
    ) -> Result<String> {
        let Typed { name: inner, mut constraints } = self.of(schema, hint, usage)?;
        constraints.extend(self.extra(schema, title));
        let doc = doc(schema, "    ");
        if constraints.is_empty() && doc.is_empty() {
            return Ok(inner);
        }
        let name = self.free(hint);
        let code = self.newtype(&name, &inner, &constraints, usage, ["", &doc]);
        self.code.insert(name.clone(), code);
        Ok(name)
    }

    /// A struct with one field, with what stands before it and before the field.
    fn newtype(
        &mut self,
        name: &str,
        inner: &str,
        constraints: &[String],
        usage: Use,
        [before, before_field]: [&str; 2],
    ) -> String {
        let order = if ORDERED.contains(&inner) { ORDER } else { "" };
        let derive = self.derive(&format!("{order}{}", usage.derives(inner)));
        self.mention(inner);
        self.newtypes.insert(name.to_owned(), inner.to_owned());
        let mut attributes = String::new();
        if !constraints.is_empty() {
            attributes = format!("    #[schema({})]\n", constraints.join(", "));
        }
        format!(
            "{derive}{before}pub struct {name}(\n{before_field}{attributes}    pub {inner},\n);"
        )
    }

    /// Whether a type may be null, or one with constraints of its own is of such a type.
    pub(super) fn is_option(&self, ty: &str) -> bool {
        self.newtypes.get(ty).map_or(ty, String::as_str).starts_with("Option<")
    }

    /// Whether a type that was written here has an order.
    fn is_ordered(&self, name: &str) -> bool {
        self.code.get(name).is_some_and(|code| code.contains(ORDER))
    }

    /// One of several choices, which may have constraints, but nothing else may be said of it.
    fn among(&mut self, schema: &Value, hint: &str, usage: Use) -> Result<Typed> {
        let has_format =
            |typed: &Typed| typed.constraints.iter().any(|one| one.starts_with("format"));
        if extra(schema, None).is_none() && doc(schema, "").is_empty() {
            let typed = self.of(schema, hint, usage)?;
            if !has_format(&typed) {
                return Ok(typed);
            }
        }
        Ok(plain(&self.alone(schema, hint, usage, None)?))
    }

    fn any_of(&mut self, choices: &[Value], hint: &str, usage: Use) -> Result<Typed> {
        let is_null = |schema: &&Value| schema["type"] == "null";
        let others: Vec<&Value> = choices.iter().filter(|schema| !is_null(schema)).collect();
        let nullable = others.len() < choices.len();
        let mut typed = match others.as_slice() {
            [one] => self.among(one, &format!("{hint}Value"), usage)?,
            // What pydantic reads a decimal from.
            [number, text]
                if number["type"] == "number"
                    && text["type"] == "string"
                    && fields(text).all(|name| ["type", "pattern"].contains(&name))
                    && text["pattern"].as_str().is_none_or(|text| text.starts_with("^(?!")) =>
            {
                Typed { name: "Decimal".to_owned(), constraints: bounds(number) }
            }
            others => plain(&self.union(others, hint, usage, None)?),
        };
        if nullable {
            typed.name = format!("Option<{}>", typed.name);
        }
        Ok(typed)
    }

    fn one_of(
        &mut self,
        schema: &Value,
        choices: &[Value],
        hint: &str,
        usage: Use,
    ) -> Result<Typed> {
        let choices: Vec<&Value> = choices.iter().collect();
        let tag = schema.pointer("/discriminator/propertyName").and_then(Value::as_str);
        let mapping = schema.pointer("/discriminator/mapping").and_then(Value::as_object);
        let (Some(tag), Some(mapping)) = (tag, mapping) else {
            return Err(format!("`{hint}` is a union without a discriminator"));
        };
        Ok(plain(&self.union(&choices, hint, usage, Some((tag, mapping)))?))
    }

    fn union(
        &mut self,
        choices: &[&Value],
        hint: &str,
        usage: Use,
        tagged: Option<(&str, &Map<String, Value>)>,
    ) -> Result<String> {
        let name = self.free(hint);
        self.code.insert(name.clone(), String::new());
        let mut code = self.derive(usage.derives(""));
        if let Some((tag, _)) = tagged {
            code += &format!("#[schema(discriminator = {tag:?})]\n");
        }
        code += "#[serde(untagged)]\n";
        code += &format!("pub enum {name} {{\n");
        let mut variants = BTreeSet::new();
        for choice in choices {
            let typed = self.among(choice, &format!("{name}Choice"), usage)?;
            self.mention(&typed.name);
            let mut variant = type_name(&words(&typed.name).collect::<Vec<_>>().join(" "));
            while !variants.insert(variant.clone()) {
                variant += "Too";
            }
            if let Some((_, mapping)) = tagged {
                let (tag, _) = mapping
                    .iter()
                    .find(|(_, reference)| **reference == choice["$ref"])
                    .ok_or_else(|| format!("`{hint}` has a choice without a tag"))?;
                code += &format!("    #[serde(rename = {tag:?})]\n");
            }
            if !typed.constraints.is_empty() {
                code += &format!("    #[schema({})]\n", typed.constraints.join(", "));
            }
            code += &format!("    {variant}({}),\n", typed.name);
        }
        self.code.insert(name.clone(), code + "}");
        Ok(name)
    }

    /// An enumeration, or a literal.
    fn choice(
        &mut self,
        schema: &Value,
        hint: &str,
        usage: Use,
        is_literal: bool,
    ) -> Result<Typed> {
        let values = match schema["enum"].as_array() {
            Some(values) => values.clone(),
            None => vec![schema["const"].clone()],
        };
        let name = if is_literal { self.free(hint) } else { hint.to_owned() };
        let is_number = values.iter().all(|value| value.as_i64().is_some());
        let traits = match usage {
            Use::Read if is_number => "Decode",
            Use::Written if is_number => "Schema",
            usage => usage.derives(""),
        };
        let mut code = self.derive(&format!("Copy, {ORDER}{traits}"));
        if is_literal {
            code += "#[schema(literal)]\n";
        } else {
            code = doc(schema, "") + &code + &self.named(schema, &name);
        }
        code += &format!("pub enum {name} {{\n");
        let mut variants: Vec<(Value, String)> = Vec::new();
        for value in &values {
            let mut variant = variant(value, hint)?;
            while variants.iter().any(|(_, taken)| *taken == variant) {
                variant += "Too";
            }
            variants.push((value.clone(), variant.clone()));
            if let Some(number) = value.as_number() {
                code += &format!("    {variant} = {},\n", literal(number));
                continue;
            }
            if *value != variant {
                code += &format!("    #[serde(rename = {value})]\n");
            }
            code += &format!("    {variant},\n");
        }
        code += "}";
        if is_number {
            self.mention("Serialize Serializer");
            code += &format!(
                "\n\nimpl Serialize for {name} {{\n    fn serialize<S: Serializer>(&self, \
                 serializer: S) -> Result<S::Ok, S::Error> {{\n        \
                 serializer.serialize_i64(*self as i64)\n    }}\n}}"
            );
        }
        self.code.insert(name.clone(), code);
        self.variants.insert(name.clone(), variants);
        Ok(plain(&name))
    }

    fn referred(&mut self, reference: &str) -> Result<Typed> {
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

    /// What a type is called in Python, if that is something else, and what else is said of it.
    fn named(&mut self, schema: &Value, name: &str) -> String {
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
    pub(super) fn model(&mut self, name: &str, schema: &Value, usage: Use) -> Result<String> {
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
            ("Integer", Value::Number(number)) => format!("Integer::from({})", literal(number)),
            ("f64", Value::Number(number)) if number.is_f64() => number.to_string(),
            ("f64", Value::Number(number)) => format!("{}.0", literal(number)),
            ("i64", Value::Number(number)) => literal(number),
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

    /// A name that no other type has.
    fn free(&self, hint: &str) -> String {
        let mut name = hint.to_owned();
        while self.code.contains_key(&name) || self.names.has(&name) {
            name += "Value";
        }
        name
    }

    /// Adds a type of an operation.
    pub(super) fn add(&mut self, name: &str, schema: &Value) -> Result<String> {
        let name = self.free(name);
        let mut schema = schema.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("title");
        }
        let code = self.model(&name, &schema, Use::Read)?;
        self.code.insert(name.clone(), code);
        Ok(name)
    }

    /// The type that names an API key.
    pub(super) fn key(&mut self, name: &str) -> String {
        let mut key = type_name(name);
        while self.names.has(&key) {
            key += "Key";
        }
        let code = format!(
            "/// `{name}`\npub struct {key};\n\nimpl ApiKeyName for {key} {{\n    const NAME: \
             &'static str = {name:?};\n}}"
        );
        self.mention("ApiKeyName");
        self.code.entry(key.clone()).or_insert(code);
        key
    }
}

/// All components that a value refers to, by their base names.
fn reach(document: &Document<'_>, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| reach(document, item, found)),
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            if let Some((name, schema)) = reference.and_then(|name| document.component(name))
                && found.insert(document.base(name).to_owned())
            {
                reach(document, schema, found);
            }
            for value in fields.values() {
                reach(document, value, found);
            }
        }
        _ => {}
    }
}

fn text(schema: &Value) -> Result<Typed> {
    if schema["contentMediaType"] == "application/octet-stream" || schema["format"] == "binary" {
        return Ok(plain("UploadFile"));
    }
    let mut typed = match schema["format"].as_str() {
        None => plain("String"),
        Some("uuid") => plain("Uuid"),
        Some("date-time") => plain("DateTime"),
        Some("date") => plain("Date"),
        Some("time") => plain("Time"),
        Some("duration") => plain("Duration"),
        Some("email") => plain("EmailStr"),
        Some("uri") => {
            let http = schema["maxLength"] == 2083;
            return Ok(plain(if http { "HttpUrl" } else { "AnyUrl" }));
        }
        Some(format) => {
            Typed { name: "String".to_owned(), constraints: vec![format!("format = {format:?}")] }
        }
    };
    typed.constraints.extend(lengths(schema, "Length"));
    if let Some(text) = schema["pattern"].as_str() {
        if text.starts_with(DECIMAL) {
            return Ok(plain("Decimal"));
        }
        typed.constraints.push(pattern(text)?);
    }
    Ok(typed)
}

fn fields(schema: &Value) -> impl Iterator<Item = &str> {
    schema.as_object().into_iter().flat_map(Map::keys).map(String::as_str)
}

fn plain(name: &str) -> Typed {
    Typed { name: name.to_owned(), constraints: Vec::new() }
}

fn empty(ty: &str, hint: &str) -> Result<String> {
    let outer = ty.split('<').next().unwrap_or(ty);
    match outer {
        "Vec" | "BTreeSet" | "IndexMap" => Ok(format!("<{ty}>::new()")),
        "Value" => Ok("Value::Null".to_owned()),
        _ => Err(format!("`{hint}` has a default that the document does not show")),
    }
}

/// What a list holds needs no box.
fn unboxed(ty: &str) -> &str {
    ty.strip_prefix("Box<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty)
}
