//! From JSON schemas, as pydantic writes them, to Rust types that `fastapi-compat` reads and writes.
//! What cannot be said is said loosely, and noted.

mod choice;
mod collection;
mod default;
mod field;
mod model;
mod rules;
mod scalar;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::attributes::{doc, extra};
use super::document::{Document, Operation};
use super::loose::{Loose, Looseness, Owner, requested};
use super::names::{Names, type_name, words};
use crate::inspection::Inspection;
use default::Member;
pub(super) use model::{Field, fields};

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
    /// The models, with what a value of each is made of.
    structs: BTreeMap<String, Vec<Member>>,
    /// The unions, with the variants and types of their choices.
    unions: BTreeMap<String, Vec<(String, String)>>,
    /// The words of the code that may need an import.
    used: BTreeSet<String>,
    /// What is being written.
    owner: Owner,
    /// The types with files in them.
    files: BTreeSet<String>,
    /// Names that are no types of the models.
    reserved: BTreeSet<String>,
    /// Whether the fields of a form are being written, which may be files.
    in_form: bool,
    loose: Looseness,
    inspection: Option<&'a Inspection>,
    /// The components that are forms as a whole, by their base names.
    forms: BTreeSet<String>,
    /// Those of which a handler takes the fields that a request names, by their base names.
    patches: BTreeSet<String>,
}

/// What a type is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Requests carry it; answers may, too.
    Read,
    /// Only answers do.
    Written,
}

type Result<T> = std::result::Result<T, String>;

/// What a set can hold.
const ORDERED: [&str; 7] = ["AnyUrl", "HttpUrl", "Integer", "String", "Uuid", "bool", "i64"];
const ORDER: &str = "Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ";

impl<'a> Types<'a> {
    pub(super) fn new(
        document: &'a Document<'a>,
        operations: &[&Operation<'a>],
        inspection: Option<&'a Inspection>,
    ) -> Self {
        let requests = operations.iter().flat_map(|operation| requested(document, operation.value));
        Self {
            document,
            requests: requests.collect(),
            names: Names::new(document),
            code: IndexMap::new(),
            newtypes: BTreeMap::new(),
            variants: BTreeMap::new(),
            structs: BTreeMap::new(),
            unions: BTreeMap::new(),
            used: BTreeSet::new(),
            owner: Owner::Operation(0),
            files: BTreeSet::new(),
            reserved: BTreeSet::new(),
            in_form: false,
            loose: Looseness::default(),
            inspection,
            patches: operations.iter().filter_map(|one| patch(document, one)).collect(),
            forms: operations.iter().filter_map(|one| form(document, one.value)).collect(),
        }
    }

    pub(super) fn inspection(&self) -> Option<&'a Inspection> {
        self.inspection
    }

    /// All code, by the names of the types, and the words in it that may need an import.
    pub(super) fn finish(self) -> (IndexMap<String, String>, BTreeSet<String>, Looseness) {
        (self.code, self.used, self.loose)
    }

    /// What follows belongs to this operation.
    pub(super) fn enter(&mut self, operation: usize) {
        self.owner = Owner::Operation(operation);
    }

    pub(super) fn is_form(&mut self, is_form: bool) {
        self.in_form = is_form;
    }

    /// Notes that more is accepted than by the old service, or in answers that the document says
    /// something else there.
    pub(super) fn loosen(&mut self, schema: &Value, usage: Use, reason: String) {
        self.note(schema, reason, usage == Use::Read);
    }

    pub(super) fn note(&mut self, value: &Value, reason: String, accepts_more: bool) {
        let pointer = self.document.pointer(value).map(str::to_owned);
        self.loose.add(Loose { owner: self.owner.clone(), reason, pointer, accepts_more });
    }

    /// Notes what the document does not show anywhere.
    pub(super) fn remark(&mut self, reason: String) {
        let owner = self.owner.clone();
        self.loose.add(Loose { owner, reason, pointer: None, accepts_more: true });
    }

    /// The same of a key of an object of the document, which need not be there.
    pub(super) fn note_key(
        &mut self,
        object: &Value,
        key: &str,
        reason: String,
        accepts_more: bool,
    ) {
        let pointer = self.document.pointer(object).map(|pointer| format!("{pointer}/{key}"));
        self.loose.add(Loose { owner: self.owner.clone(), reason, pointer, accepts_more });
    }

    /// Whether a type has files in it.
    pub(super) fn has_files(&self, name: &str) -> bool {
        self.files.contains(name)
    }

    pub(super) fn looseness(&self) -> &Looseness {
        &self.loose
    }

    /// The traits of a type with these contents. What is read is written too, as a default in the
    /// document, but for files.
    fn traits(&mut self, name: &str, usage: Use, contents: &str) -> &'static str {
        match usage {
            Use::Read if self.holds_files(contents) => {
                self.files.insert(name.to_owned());
                "Decode"
            }
            Use::Read => "Decode, Serialize",
            Use::Written => "Serialize, Schema",
        }
    }

    fn holds_files(&self, contents: &str) -> bool {
        words(contents).any(|word| word == "UploadFile" || self.files.contains(word))
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
    fn extra(
        &mut self,
        schema: &Value,
        title: Option<&str>,
        default: Option<&Value>,
    ) -> Option<String> {
        let extra = extra(schema, title, default)?;
        self.mention("json");
        Some(extra)
    }

    /// Whether the document is of OpenAPI 3.0, which FastAPI wrote with pydantic 1.
    pub(super) fn is_of_pydantic_1(&self) -> bool {
        self.document.is_of_pydantic_1
    }

    pub(super) fn schemes(&self) -> Option<&'a Map<String, Value>> {
        self.document.security_schemes
    }

    pub(super) fn component(&self, reference: &str) -> Option<(&'a str, &'a Value)> {
        self.document.component(reference)
    }

    /// The type of a schema; `hint` names it if it has no name. Any JSON is one that cannot be said.
    pub(super) fn of(&mut self, schema: &Value, hint: &str, usage: Use) -> Typed {
        self.exact(schema, hint, usage).unwrap_or_else(|reason| {
            self.loosen(schema, usage, format!("`{hint}` may be any JSON: {reason}"));
            plain("Value")
        })
    }

    fn exact(&mut self, schema: &Value, hint: &str, usage: Use) -> Result<Typed> {
        if let Some(reference) = schema["$ref"].as_str() {
            self.note_unsupported(schema, hint, usage, &["$ref"]);
            return self.referred(reference);
        }
        if !schema["allOf"].is_null() {
            return Err("several schemas hold at once (`allOf`)".to_owned());
        }
        if schema["not"].is_object() {
            return Err("a schema must not hold (`not`)".to_owned());
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            self.note_unsupported(schema, hint, usage, &["anyOf"]);
            let is_union = |choice: &Value| {
                choice["anyOf"].is_array()
                    || (choice["oneOf"].is_array() && choice["discriminator"].is_null())
            };
            if choices.iter().any(is_union) {
                self.note(schema, format!("`{hint}` is a union of unions, which is one"), false);
            }
            return Ok(self.any_of(choices, hint, usage));
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            self.note_unsupported(schema, hint, usage, &["oneOf"]);
            return Ok(self.one_of(schema, choices, hint, usage));
        }
        if schema.get("const").is_some() || schema["enum"].is_array() {
            self.note_unsupported(schema, hint, usage, rules::CHOICE);
            return self.choice(schema, hint, usage, None);
        }
        let kind = schema["type"].as_str();
        match kind {
            Some("object") | None if schema["properties"].is_object() => {
                return Ok(self.inline(schema, hint, usage));
            }
            Some("object") => return Ok(self.dictionary(schema, hint, usage)),
            _ => self.note_unsupported(schema, hint, usage, rules::of(kind)),
        }
        match kind {
            Some("string") => Ok(self.text(schema, hint, usage)),
            Some("integer") => Ok(self.integer(schema, hint, usage)),
            Some("number") => Ok(self.number(schema, hint, usage)),
            Some("boolean") => Ok(plain("bool")),
            Some("null") => Ok(plain("()")),
            Some("array") => Ok(self.array(schema, hint, usage)),
            Some(other) => Err(format!("there is no type `{other}`")),
            None => Ok(plain("Value")),
        }
    }

    /// Notes the rules of a schema that are not among those that its type has.
    fn note_unsupported(&mut self, schema: &Value, hint: &str, usage: Use, supported: &[&str]) {
        let names = schema.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
        let is_checked = |name: &&str| {
            *name != "format" || schema["format"].as_str().is_none_or(scalar::is_checked)
        };
        let names = names.filter(|name| rules::ALL.contains(name) && !supported.contains(name));
        let others: Vec<_> = names.filter(is_checked).collect();
        if !others.is_empty() {
            let others = others.join("`, `");
            self.loosen(schema, usage, format!("`{hint}` is not validated by `{others}`"));
        }
    }

    /// A type at a position without attributes, with the title that it has there: other keywords make
    /// it a type of its own.
    pub(super) fn alone(
        &mut self,
        schema: &Value,
        hint: &str,
        usage: Use,
        title: Option<&str>,
    ) -> String {
        let Typed { name: inner, mut constraints } = self.of(schema, hint, usage);
        constraints.extend(self.extra(schema, title, None));
        let doc = doc(schema, "    ");
        if constraints.is_empty() && doc.is_empty() {
            return inner;
        }
        let name = self.free(hint);
        let code = self.newtype(&name, &inner, &constraints, usage, ["", &doc]);
        self.code.insert(name.clone(), code);
        name
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
        let traits = self.traits(name, usage, inner);
        let derive = self.derive(&format!("{order}{traits}"));
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
        let is_taken = |name: &str| {
            self.code.contains_key(name) || self.names.has(name) || self.reserved.contains(name)
        };
        while is_taken(&name) {
            name += "Value";
        }
        name
    }

    /// A name for something else than a model, which no model gets then.
    pub(super) fn reserve(&mut self, hint: &str) -> String {
        let name = self.free(hint);
        self.reserved.insert(name.clone());
        name
    }

    /// A type that has the constants of a security scheme: the name of an API key, URLs.
    pub(super) fn marker(
        &mut self,
        hint: &str,
        implemented: &str,
        constants: &[(&str, String)],
    ) -> String {
        let lines: Vec<String> =
            constants.iter().map(|(name, value)| format!("    const {name}: {value};\n")).collect();
        let of = |name: &str| {
            format!(
                "/// `{}`\npub struct {name};\n\nimpl {implemented} for {name} {{\n{}}}",
                hint.replace(['`', '\n'], ""),
                lines.concat()
            )
        };
        let mut name = type_name(hint);
        let is_taken = |name: &str| self.code.get(name).is_some_and(|code| *code != of(name));
        while self.names.has(&name) || self.reserved.contains(&name) || is_taken(&name) {
            name += "Key";
        }
        self.mention(implemented);
        let code = of(&name);
        self.code.entry(name.clone()).or_insert(code);
        name
    }
}

/// The component that is the form of an operation: `Annotated[Login, Form()]`.
fn form(document: &Document<'_>, operation: &Value) -> Option<String> {
    let body = &operation["requestBody"];
    let content = body["content"].as_object().filter(|_| body["required"] == true)?;
    let [(media_type, content)] = content.iter().collect::<Vec<_>>().try_into().ok()?;
    let is_form = media_type == "multipart/form-data" || media_type.ends_with("form-urlencoded");
    let (component, _) = document.component(content["schema"]["$ref"].as_str()?)?;
    let is_model = is_form && !component.starts_with("Body_");
    is_model.then(|| document.base(component).to_owned())
}

/// The component that is the body of a partial update.
fn patch(document: &Document<'_>, operation: &Operation<'_>) -> Option<String> {
    let changes = operation.route?.handler()["changes"].as_array()?;
    if !changes.iter().any(|change| change["unset"] == true) {
        return None;
    }
    let schema = &operation.value["requestBody"]["content"]["application/json"]["schema"];
    let (component, _) = document.component(schema["$ref"].as_str()?)?;
    Some(document.base(component).to_owned())
}

fn plain(name: &str) -> Typed {
    Typed { name: name.to_owned(), constraints: Vec::new() }
}

/// What a list holds needs no box.
fn unboxed(ty: &str) -> &str {
    ty.strip_prefix("Box<").and_then(|ty| ty.strip_suffix('>')).unwrap_or(ty)
}
