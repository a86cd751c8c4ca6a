//! From JSON schemas, as pydantic writes them, to Rust types that `fastapi-compat` reads and writes.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::document::{Document, Operation};

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
    answers: BTreeSet<String>,
    code: IndexMap<String, String>,
}

/// Whether a type is read, written, or both.
#[derive(Clone, Copy)]
pub(super) struct Use {
    pub(super) read: bool,
    pub(super) written: bool,
}

impl Use {
    fn derives(self) -> &'static str {
        match (self.read, self.written) {
            (true, true) => "#[derive(Decode, Serialize)]",
            (true, false) => "#[derive(Decode)]",
            _ => "#[derive(Serialize, Schema)]",
        }
    }
}

type Result<T> = std::result::Result<T, String>;

impl<'a> Types<'a> {
    pub(super) fn new(document: &'a Document<'a>, operations: &[&Operation<'a>]) -> Self {
        let (mut requests, mut answers) = (BTreeSet::new(), BTreeSet::new());
        for operation in operations {
            for (key, value) in operation.value {
                let found = if key == "responses" { &mut answers } else { &mut requests };
                if key != "responses" {
                    reach(document, value, found);
                }
            }
            let responses = operation.value.get("responses").and_then(Value::as_object);
            for (status, response) in responses.into_iter().flatten() {
                if status.starts_with('2') {
                    reach(document, response, &mut answers);
                }
            }
        }
        Self { document, requests, answers, code: IndexMap::new() }
    }

    /// All code, by the names of the types.
    pub(super) fn finish(self) -> IndexMap<String, String> {
        self.code
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
            Some("string") => Ok(text(schema)),
            Some("integer") => {
                let bounded = |low, high| !schema[low].is_null() && !schema[high].is_null();
                let is_small = bounded("minimum", "maximum") || !usage.read;
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
                names.push(self.unconstrained(item, &format!("{hint}{index}"), usage)?);
            }
            return Ok(plain(&format!("({},)", names.join(", "))));
        }
        let item = self.unconstrained(&schema["items"], &format!("{hint}Item"), usage)?;
        let name = if schema["uniqueItems"] == true {
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
            values => self.unconstrained(values, &format!("{hint}Value"), usage)?,
        };
        let constraints = lengths(schema, "Properties");
        Ok(Typed { name: format!("IndexMap<String, {values}>"), constraints })
    }

    /// A type in a place where no constraints can stand: those get a type of their own.
    fn unconstrained(&mut self, schema: &Value, hint: &str, usage: Use) -> Result<String> {
        let typed = self.of(schema, hint, usage)?;
        if typed.constraints.is_empty() {
            return Ok(typed.name);
        }
        let name = self.free(hint);
        let derives = usage.derives();
        let Typed { name: inner, constraints } = typed;
        let constraints = constraints.join(", ");
        let code = format!("{derives}\npub struct {name}(#[schema({constraints})] pub {inner});");
        self.code.insert(name.clone(), code);
        Ok(name)
    }

    fn any_of(&mut self, choices: &[Value], hint: &str, usage: Use) -> Result<Typed> {
        let is_null = |schema: &&Value| schema["type"] == "null";
        let others: Vec<&Value> = choices.iter().filter(|schema| !is_null(schema)).collect();
        let nullable = others.len() < choices.len();
        let mut typed = match others.as_slice() {
            [one] => self.of(one, hint, usage)?,
            // What pydantic reads a decimal from.
            [number, text]
                if number["type"] == "number"
                    && text["type"] == "string"
                    && fields(text).all(|name| ["type", "pattern"].contains(&name)) =>
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
        let mut code = format!("{}\n", usage.derives());
        if let Some((tag, _)) = tagged {
            code += &format!("#[schema(discriminator = {tag:?})]\n");
        }
        if usage.written {
            code += "#[serde(untagged)]\n";
        }
        code += &format!("pub enum {name} {{\n");
        let mut variants = BTreeSet::new();
        for choice in choices {
            let typed = self.of(choice, &format!("{name}Choice"), usage)?;
            let bare = typed.name.split('<').collect::<Vec<_>>().join(" ");
            let mut variant = bare.replace(['>', ',', '(', ')'], " ").to_upper_camel_case();
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
    fn choice(&mut self, schema: &Value, hint: &str, usage: Use, literal: bool) -> Result<Typed> {
        let values = match schema["enum"].as_array() {
            Some(values) => values.clone(),
            None => vec![schema["const"].clone()],
        };
        let name = if literal { self.free(hint) } else { hint.to_owned() };
        let mut code = String::new();
        let numbers: Option<Vec<i64>> = values.iter().map(Value::as_i64).collect();
        if numbers.is_some() {
            code += "#[derive(Clone, Copy, Decode)]\n";
        } else {
            let derives = usage.derives();
            code += &format!("{derives}\n");
        }
        if literal {
            code += "#[schema(literal)]\n";
        }
        code += &doc(schema, "");
        code += &format!("pub enum {name} {{\n");
        let mut variants = BTreeSet::new();
        for value in &values {
            let mut variant = variant(value, hint)?;
            while !variants.insert(variant.clone()) {
                variant += "Too";
            }
            if let Some(number) = value.as_i64() {
                code += &format!("    {variant} = {number},\n");
                continue;
            }
            if *value != variant {
                code += &format!("    #[serde(rename = {value})]\n");
            }
            code += &format!("    {variant},\n");
        }
        code += "}";
        if numbers.is_some() && usage.written {
            code += &format!(
                "\n\nimpl Serialize for {name} {{\n    fn serialize<S: Serializer>(&self, \
                 serializer: S) -> Result<S::Ok, S::Error> {{\n        \
                 serializer.serialize_i64(*self as i64)\n    }}\n}}"
            );
        }
        self.code.insert(name.clone(), code);
        Ok(plain(&name))
    }

    fn referred(&mut self, reference: &str) -> Result<Typed> {
        let (component, schema) = self
            .component(reference)
            .ok_or_else(|| format!("{reference} is not in the document"))?;
        let base = base(component);
        if !base.starts_with(|c: char| c.is_ascii_uppercase())
            || !base.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return Err(format!("the model `{component}` has a name that is none in Rust"));
        }
        if KNOWN.iter().any(|(_, names)| names.contains(&base)) {
            return Err(format!("the model `{component}` is called like a type that models use"));
        }
        if self.code.contains_key(base) {
            return Ok(plain(base));
        }
        let usage =
            Use { read: self.requests.contains(base), written: self.answers.contains(base) };
        if !schema["enum"].is_null() {
            return self.choice(schema, base, usage, false);
        }
        // A model may refer to itself.
        self.code.insert(base.to_owned(), String::new());
        let code = self.model(base, schema, usage)?;
        self.code.insert(base.to_owned(), code);
        Ok(plain(base))
    }

    /// A struct, of a component or of parameters.
    pub(super) fn model(&mut self, name: &str, schema: &Value, usage: Use) -> Result<String> {
        let properties = schema["properties"].as_object();
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut code = format!("{}\n{}", usage.derives(), doc(schema, ""));
        if schema["additionalProperties"] == false {
            code += "#[serde(deny_unknown_fields)]\n";
        }
        code += &format!("pub struct {name} {{\n");
        for (field, schema) in properties.into_iter().flatten() {
            let is_required = required.contains(&field.as_str());
            code += &self.field(name, field, schema, is_required, usage)?;
        }
        Ok(code + "}")
    }

    fn field(
        &mut self,
        model: &str,
        name: &str,
        schema: &Value,
        is_required: bool,
        usage: Use,
    ) -> Result<String> {
        let hint = format!("{model}{}", name.to_upper_camel_case());
        let Typed { name: ty, mut constraints } = self.of(schema, &hint, usage)?;
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
        let mut code = doc(schema, "    ");
        if !constraints.is_empty() {
            code += &format!("    #[schema({})]\n", constraints.join(", "));
        }
        let mut ident = name.to_snake_case();
        if is_keyword(&ident) {
            ident += "_";
        }
        if ident != name {
            code += &format!("    #[serde(rename = {name:?})]\n");
        }
        Ok(code + &format!("    pub {ident}: {ty},\n"))
    }

    fn default(&self, default: &Value, ty: &str, is_option: bool, hint: &str) -> Result<String> {
        let bare = ty.strip_prefix("Option<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty);
        let value = match (bare, default) {
            ("Integer", Value::Number(number)) => format!("Integer::from({number})"),
            ("i64" | "f64" | "bool", value) => value.to_string(),
            ("String", Value::String(text)) if !is_option => format!("{text:?}"),
            ("String", Value::String(text)) => format!("{text:?}.to_owned()"),
            (_, Value::Array(items)) if items.is_empty() => empty(bare, hint)?,
            (_, Value::Object(fields)) if fields.is_empty() => empty(bare, hint)?,
            (name, value) if self.code.contains_key(name) => {
                format!("{name}::{}", variant(value, hint)?)
            }
            _ => return Err(format!("`{hint}` has a default that cannot be drafted: {default}")),
        };
        Ok(format!("default = {}", if is_option { format!("Some({value})") } else { value }))
    }

    /// A name that no other type has.
    fn free(&self, hint: &str) -> String {
        let mut name = hint.to_owned();
        while self.code.contains_key(&name) || self.document.has_component(&name) {
            name += "Value";
        }
        name
    }

    /// Adds a type of an operation.
    pub(super) fn add(&mut self, name: &str, schema: &Value) -> Result<String> {
        let name = self.free(name);
        let code = self.model(&name, schema, Use { read: true, written: false })?;
        self.code.insert(name.clone(), code);
        Ok(name)
    }

    /// Adds what an operation needs besides types of schemas.
    pub(super) fn add_code(&mut self, name: &str, code: String) {
        self.code.entry(name.to_owned()).or_insert(code);
    }
}

/// What generated code may use, and where it is from.
const KNOWN: [(&str, &[&str]); 6] = [
    ("axum::response", &["Html", "Response"]),
    (
        "fastapi_compat",
        &[
            "AnyUrl",
            "ApiKeyHeader",
            "ApiKeyName",
            "Basic",
            "Bearer",
            "Call",
            "Cookie",
            "Date",
            "DateTime",
            "Decimal",
            "Decode",
            "Duration",
            "Embedded",
            "EmailStr",
            "Form",
            "Header",
            "HttpUrl",
            "Integer",
            "Json",
            "Path",
            "Path2",
            "Query",
            "Schema",
            "Time",
            "UploadFile",
            "Value",
        ],
    ),
    ("indexmap", &["IndexMap"]),
    ("serde", &["Serialize", "Serializer"]),
    ("std::collections", &["BTreeSet"]),
    ("uuid", &["Uuid"]),
];

/// The imports that a text needs.
pub(super) fn imports(text: &str) -> Vec<String> {
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let words: BTreeSet<&str> = text.split(word).collect();
    let lines = KNOWN.iter().filter_map(|(krate, names)| {
        let used: Vec<_> = names.iter().copied().filter(|name| words.contains(name)).collect();
        match used.as_slice() {
            [] => None,
            [name] => Some(format!("use {krate}::{name};")),
            names => Some(format!("use {krate}::{{{}}};", names.join(", "))),
        }
    });
    lines.collect()
}

/// All components that a value refers to, by their base names.
fn reach(document: &Document<'_>, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| reach(document, item, found)),
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            if let Some((name, schema)) = reference.and_then(|name| document.component(name))
                && found.insert(base(name).to_owned())
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

/// A model whose answers differ from its requests stands in a document twice.
fn base(component: &str) -> &str {
    let base = component.strip_suffix("-Input").or_else(|| component.strip_suffix("-Output"));
    base.unwrap_or(component)
}

fn text(schema: &Value) -> Typed {
    if schema["contentMediaType"] == "application/octet-stream" || schema["format"] == "binary" {
        return plain("UploadFile");
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
            return plain(if http { "HttpUrl" } else { "AnyUrl" });
        }
        Some(format) => {
            Typed { name: "String".to_owned(), constraints: vec![format!("format = {format:?}")] }
        }
    };
    typed.constraints.extend(lengths(schema, "Length"));
    if let Some(pattern) = schema["pattern"].as_str() {
        typed.constraints.push(format!("pattern = {}", raw(pattern)));
    }
    typed
}

/// Whether Rust has the word for itself.
pub(super) fn is_keyword(word: &str) -> bool {
    syn::parse_str::<syn::Ident>(word).is_err()
}

/// What a value of an enumeration is called in Rust.
fn variant(value: &Value, hint: &str) -> Result<String> {
    let text = match value {
        Value::String(text) => text.to_upper_camel_case(),
        Value::Number(number) => format!("N{number}"),
        other => return Err(format!("`{hint}` may be {other}, which is no text or integer")),
    };
    let mut name: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name == "Self" {
        name = format!("V{name}");
    }
    Ok(name)
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
        _ => Err(format!("`{hint}` has a default that the document does not show")),
    }
}

fn bounds(schema: &Value) -> Vec<String> {
    let names = [
        ("minimum", "ge"),
        ("maximum", "le"),
        ("exclusiveMinimum", "gt"),
        ("exclusiveMaximum", "lt"),
        ("multipleOf", "multiple_of"),
    ];
    let bound = |(key, name): (&str, &str)| {
        let value = schema[key].as_f64()?;
        let text = if value.fract() == 0.0 { format!("{value:.0}") } else { value.to_string() };
        Some(format!("{name} = {text}"))
    };
    names.into_iter().filter_map(bound).collect()
}

fn lengths(schema: &Value, what: &str) -> Vec<String> {
    let length = |(end, name): (&str, &str)| {
        Some(format!("{name} = {}", schema[format!("{end}{what}")].as_u64()?))
    };
    [("min", "min_length"), ("max", "max_length")].into_iter().filter_map(length).collect()
}

/// A raw string.
fn raw(text: &str) -> String {
    let mut fence = String::new();
    while text.contains(&format!("\"{fence}")) {
        fence.push('#');
    }
    format!("r{fence}\"{text}\"{fence}")
}

/// A description as a doc comment.
fn doc(schema: &Value, indent: &str) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.lines().map(|line| format!("{indent}/// {line}\n").replace("///  \n", "///\n")).collect()
}
