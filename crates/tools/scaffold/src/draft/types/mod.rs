//! From JSON schemas, as pydantic writes them, to Rust types that `fastapi-compat` reads and writes.

mod choice;
mod model;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::attributes::{bounds, doc, extra, lengths, pattern};
use super::document::{Document, Operation};
use super::names::{Names, type_name, words};

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

    /// The other keywords of a schema, as an attribute.
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

    /// A type at a position without attributes, with the title that it has there: other keywords make
    /// it a type of its own.
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

    /// A name that no other type has.
    fn free(&self, hint: &str) -> String {
        let mut name = hint.to_owned();
        while self.code.contains_key(&name) || self.names.has(&name) {
            name += "Value";
        }
        name
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

fn plain(name: &str) -> Typed {
    Typed { name: name.to_owned(), constraints: Vec::new() }
}

/// What a list holds needs no box.
fn unboxed(ty: &str) -> &str {
    ty.strip_prefix("Box<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty)
}
