//! The OpenAPI document, as utoipa's value.
//!
//! Types give their schemas by utoipa's traits, which the derives implement; [`FastApi`] is the pass
//! that brings a document of utoipa's into the dialect of FastAPI and pydantic.

mod answers;
mod collection;
mod dialect;
mod extractors;
mod operation;
mod responses;
mod schemas;
#[cfg(feature = "streams")]
mod streams;
mod visit;

use std::collections::BTreeMap;

use utoipa::Modify;
pub use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem, Paths};
use utoipa::openapi::{Components, RefOr};

pub use self::answers::Answer;
use self::collection::adopt;
pub use self::collection::{DuplicateModel, component, component_name, inlined, nested, union};
pub use self::dialect::FastApi;
pub use self::operation::{Describe, OperationDocument, Outline};
pub use self::responses::AdditionalResponse;
pub use self::schemas::{
    Documented, FieldSchemas, Foreign, HasNone, HasSchema, Lookup, Presence, ViaForeign,
    ViaToSchema, ViaValue, any_of, choices, constrained, literal, note, one_of, parameters,
};

/// A component, as utoipa's [`ToSchema::schemas`](utoipa::ToSchema::schemas) lists it.
pub type NamedSchema = (String, RefOrSchema);

/// What utoipa's traits give: a schema, or a reference to one.
pub type RefOrSchema = RefOr<utoipa::openapi::Schema>;

#[cfg(feature = "json-text")]
pub(crate) use self::schemas::json_text;
pub(crate) use self::schemas::{array, dictionary, optional, tuple};

/// [`Decode::json_schema`](crate::Decode::json_schema) of a type that is [`Documented`].
macro_rules! json_schema {
    () => {
        fn json_schema() -> $crate::openapi::RefOrSchema {
            <Self as $crate::openapi::Documented<_>>::schema()
        }
    };
}
pub(crate) use json_schema;

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
            for method in outline.methods.iter().filter_map(http_method) {
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

fn operation_of<'i>(item: &'i mut PathItem, method: &http::Method) -> Option<&'i mut Operation> {
    match http_method(method)? {
        HttpMethod::Get => item.get.as_mut(),
        HttpMethod::Post => item.post.as_mut(),
        HttpMethod::Put => item.put.as_mut(),
        HttpMethod::Delete => item.delete.as_mut(),
        HttpMethod::Options => item.options.as_mut(),
        HttpMethod::Head => item.head.as_mut(),
        HttpMethod::Patch => item.patch.as_mut(),
        HttpMethod::Trace => item.trace.as_mut(),
    }
}

/// utoipa's name of a method, for those that its documents have.
fn http_method(method: &http::Method) -> Option<HttpMethod> {
    Some(match method.as_str() {
        "GET" => HttpMethod::Get,
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        "OPTIONS" => HttpMethod::Options,
        "HEAD" => HttpMethod::Head,
        "PATCH" => HttpMethod::Patch,
        "TRACE" => HttpMethod::Trace,
        _ => return None,
    })
}
