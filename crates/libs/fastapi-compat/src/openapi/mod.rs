//! The OpenAPI document, as utoipa's value.
//!
//! Types give their schemas by utoipa's traits, which the derives implement; [`FastApi`] is the pass
//! that brings a document of utoipa's into the dialect of FastAPI and pydantic.

mod answers;
mod choices;
mod collection;
mod dialect;
mod documented;
mod extractors;
mod fields;
mod foreign;
mod library_types;
mod methods;
mod operation;
mod outline;
mod responses;
mod shapes;
#[cfg(feature = "streams")]
mod streams;
mod visit;

use std::collections::BTreeMap;

use utoipa::Modify;
pub use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa::openapi::{Components, RefOr};

pub use self::answers::Answer;
pub use self::choices::{any_of, choices, literal, one_of};
pub use self::collection::{
    DuplicateModel, NamedSchema, RefOrSchema, component, component_name, inlined, nested, union,
};
pub use self::dialect::FastApi;
pub use self::documented::{
    Documented, Foreign, HasNone, HasSchema, Lookup, ViaForeign, ViaToSchema,
};
pub use self::fields::{FieldSchemas, Presence, constrained, note, parameters};
pub use self::foreign::ViaValue;
use self::methods::{method_in_document, operation_of};
pub use self::operation::{Describe, OperationDocument};
pub(crate) use self::outline::OperationId;
pub use self::outline::Outline;
pub use self::responses::AdditionalResponse;

pub(crate) use self::documented::json_schema;
#[cfg(feature = "json-text")]
pub(crate) use self::shapes::json_text;
pub(crate) use self::shapes::{array, dictionary, optional, tuple};

/// Title and version of the service and the URL that gives tokens.
#[derive(Clone, Copy, Debug)]
pub struct Info<'a> {
    /// The title of the document.
    pub title: &'a str,
    /// The version of the service.
    pub version: &'a str,
    /// The URL of OAuth 2's password flow, as `OAuth2PasswordBearer(tokenUrl=…)` has it.
    pub token_url: &'a str,
}

/// Where an operation stands while the document is made. Callbacks and webhooks are among the paths
/// until everything has been rewritten, under keys that no path can have.
fn key(kind: char, index: usize, path: &str) -> String {
    format!("{kind}{index}{kind}{path}")
}

const CALLBACK: char = '\u{1}';
const WEBHOOK: char = '\u{2}';

/// An operation of the document: its id, its key among the paths, its outline.
struct Entry<'a> {
    id: String,
    key: String,
    outline: &'a Outline,
}

/// The document of operations with their ids, and of webhooks.
pub(crate) fn document<'a>(
    info: &Info<'_>,
    operations: impl Iterator<Item = (String, &'a Outline)>,
    webhooks: impl Iterator<Item = (String, &'a Outline)>,
    callback_id: impl Fn(&Outline) -> String,
) -> Result<OpenApi, DuplicateModel> {
    let mut entries = Vec::new();
    // The callbacks of an operation, by its position among the entries.
    for (id, outline) in operations {
        let index = entries.len();
        entries.push(Entry { id, key: outline.path.clone(), outline });
        entries.extend(outline.all_callbacks().iter().map(|callback| Entry {
            id: callback_id(callback),
            key: key(CALLBACK, index, &callback.path),
            outline: callback,
        }));
    }
    entries.extend(webhooks.map(|(id, outline)| Entry {
        id,
        key: key(WEBHOOK, 0, &outline.path),
        outline,
    }));
    let mut security_schemes = BTreeMap::new();
    let (paths, schemas) = collection::document(|| {
        let mut paths = Paths::new();
        for Entry { id, key, outline } in &entries {
            for method in outline.methods.iter().filter_map(method_in_document) {
                let (mut operation, schemes) = outline.document(id, info.token_url);
                if matches!(method, HttpMethod::Options | HttpMethod::Trace) {
                    without_body(&mut operation);
                }
                paths.add_path_operation(key, vec![method], operation);
                security_schemes.extend(schemes);
            }
        }
        paths
    })?;
    let mut components = Components::new();
    components.schemas = schemas;
    components.security_schemes =
        security_schemes.into_iter().map(|(name, scheme)| (name, RefOr::T(scheme))).collect();
    let mut document = OpenApi::new(utoipa::openapi::Info::new(info.title, info.version), paths);
    document.components = Some(components);
    FastApi.modify(&mut document);
    for Entry { key, outline, .. } in &entries {
        for method in &outline.methods {
            if let Some(item) = document.paths.paths.get_mut(key)
                && let Some(operation) = operation_of(item, method)
            {
                outline.finish(operation);
            }
        }
    }
    set_apart(&mut document, &entries);
    Ok(document)
}

/// Moves callbacks and webhooks to where they belong.
fn set_apart(document: &mut OpenApi, entries: &[Entry<'_>]) {
    let mut webhooks = Paths::new();
    for (index, Entry { key: own, outline, .. }) in entries.iter().enumerate() {
        let mut callbacks = BTreeMap::new();
        for callback in outline.all_callbacks() {
            let key = key(CALLBACK, index, &callback.path);
            if let Some(item) = document.paths.paths.shift_remove(&key) {
                let one = BTreeMap::from([(callback.path.clone(), RefOr::T(item))]);
                callbacks.insert(callback.name.to_owned(), RefOr::T(one));
            }
        }
        for method in &outline.methods {
            if let Some(item) = document.paths.paths.get_mut(own)
                && let Some(operation) = operation_of(item, method)
            {
                operation.callbacks.extend(callbacks.clone());
            }
        }
        if own.starts_with(WEBHOOK)
            && let Some(item) = document.paths.paths.shift_remove(own)
        {
            webhooks.paths.insert(outline.path.clone(), item);
        }
    }
    document.webhooks = Some(webhooks).filter(|webhooks| !webhooks.paths.is_empty());
}

/// FastAPI documents no body of OPTIONS and TRACE, but what is wrong with one.
fn without_body(operation: &mut Operation) {
    if operation.request_body.take().is_some() {
        dialect::explain(operation);
    }
}
