//! What things are called in Rust.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

use super::document::Document;

/// What generated code may use, and where it is from.
const KNOWN: [(&str, &[&str]); 8] = [
    ("axum::body", &["Body"]),
    ("axum::response", &["Html", "Redirect", "Response"]),
    (
        "fastapi_compat",
        &[
            "AnyUrl",
            "ApiKeyCookie",
            "ApiKeyHeader",
            "ApiKeyName",
            "ApiKeyQuery",
            "Basic",
            "Bearer",
            "Call",
            "Cookie",
            "Date",
            "DateTime",
            "Decimal",
            "Decode",
            "Duration",
            "EmailStr",
            "Embedded",
            "Form",
            "Header",
            "HttpBearer",
            "HttpDigest",
            "HttpUrl",
            "Integer",
            "IpAnyAddress",
            "IpAnyInterface",
            "IpAnyNetwork",
            "Ipv4Address",
            "Ipv4Interface",
            "Ipv4Network",
            "Ipv6Address",
            "Ipv6Interface",
            "Ipv6Network",
            "Json",
            "MediaResponse",
            "MediaType",
            "NoContent",
            "OAuth2AuthorizationCodeBearer",
            "OAuth2Options",
            "Omittable",
            "OpenIdConnect",
            "OpenIdConnectOptions",
            "Patch",
            "Path",
            "Query",
            "RawBody",
            "Schema",
            "SecretStr",
            "Time",
            "UploadFile",
            "Uuid1",
            "Uuid3",
            "Uuid4",
            "Uuid5",
            "Uuid6",
            "Uuid7",
            "Uuid8",
            "Value",
        ],
    ),
    ("indexmap", &["IndexMap"]),
    ("serde", &["Serialize", "Serializer"]),
    ("serde_json", &["json"]),
    ("std::collections", &["BTreeSet"]),
    ("uuid", &["Uuid"]),
];

/// What else would be taken for something else.
const PRELUDE: [&str; 26] = [
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Depends",
    "DuplicateModel",
    "Eq",
    "Err",
    "Failure",
    "HttpError",
    "Info",
    "None",
    "Ok",
    "OpenApi",
    "Option",
    "Ord",
    "Overlay",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Router",
    "Some",
    "StatusCode",
    "Storage",
    "String",
    "Vec",
];

/// What models are called, by their components.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// A component that has a name in Rust keeps it; the others get one, such as `PageItem` for
    /// `Page_Item_`.
    pub(super) fn new(document: &Document<'_>) -> Self {
        let bases: BTreeSet<&str> =
            document.components().map(|component| document.base(component)).collect();
        let (kept, made): (Vec<_>, Vec<_>) = bases.into_iter().partition(|base| is_type(base));
        let (mut names, mut taken) = (BTreeMap::new(), BTreeSet::new());
        for base in kept.into_iter().chain(made) {
            let mut name = if is_type(base) { base.to_owned() } else { type_name(base) };
            while is_reserved(&name) || !taken.insert(name.clone()) {
                name += "Model";
            }
            names.insert(base.to_owned(), name);
        }
        Self(names)
    }

    pub(super) fn of(&self, base: &str) -> Option<&str> {
        self.0.get(base).map(String::as_str)
    }

    /// Whether a type may not be called so, as a model is.
    pub(super) fn has(&self, name: &str) -> bool {
        is_reserved(name) || self.0.values().any(|taken| taken == name)
    }
}

fn is_reserved(name: &str) -> bool {
    PRELUDE.contains(&name) || KNOWN.iter().any(|(_, names)| names.contains(&name))
}

fn is_type(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
        && !is_reserved(name)
        && !is_keyword(name)
}

/// A type or a variant of this name, as far as it can be one.
pub(super) fn type_name(text: &str) -> String {
    let camel = text.to_upper_camel_case();
    let mut name: String = camel.chars().filter(char::is_ascii_alphanumeric).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || is_keyword(&name) {
        name.insert(0, 'V');
    }
    name
}

/// A function or a field of this name, as far as it can be one, that is not taken yet.
pub(super) fn ident(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let is_kept = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let mut ident: String = name.to_snake_case().chars().filter(is_kept).collect();
    if !ident.starts_with(|c: char| c.is_ascii_alphabetic()) {
        ident.insert_str(0, "field_");
    }
    while is_keyword(&ident) || is_taken(&ident) {
        ident.push('_');
    }
    ident
}

/// Whether Rust has the word for itself.
fn is_keyword(word: &str) -> bool {
    // Reserved since the edition of 2024, which syn does not know.
    word == "gen" || syn::parse_str::<syn::Ident>(word).is_err()
}

/// What a value of an enumeration is called.
pub(super) fn variant(value: &Value, hint: &str) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(type_name(text)),
        Value::Bool(is_so) => Ok(type_name(&is_so.to_string())),
        Value::Number(number) => Ok(type_name(&format!("N{number}").replace('-', "Minus"))),
        other => Err(format!("`{hint}` may be {other}, which is no text, integer or boolean")),
    }
}

/// The title that pydantic gives a field, and FastAPI an operation: Python's `str.title`.
pub(super) fn title(name: &str) -> String {
    let mut is_start = true;
    let cased = name.chars().map(|c| if c == '_' { ' ' } else { c }).map(|c| {
        let cased = if is_start { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        is_start = !c.is_alphabetic();
        cased
    });
    cased.collect()
}

/// The imports of what is used.
pub(super) fn imports(used: &BTreeSet<String>) -> Vec<String> {
    let lines = KNOWN.iter().filter_map(|(krate, names)| {
        let names: Vec<_> = names.iter().copied().filter(|name| used.contains(*name)).collect();
        match names.as_slice() {
            [] => None,
            [name] => Some(format!("use {krate}::{name};")),
            names => Some(format!("use {krate}::{{{}}};", names.join(", "))),
        }
    });
    lines.collect()
}

/// The words of a text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
