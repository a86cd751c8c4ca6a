//! The OpenAPI document, as utoipa's value.
//!
//! Types give their schemas by utoipa's traits, which the derives implement; [`FastApi`] is the pass
//! that brings a document of utoipa's into the dialect of FastAPI and pydantic.

mod answers;
mod collection;
mod dialect;
mod operation;
mod schemas;
mod visit;

use std::collections::BTreeMap;

use utoipa::Modify;
pub use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::{Components, RefOr};

pub use self::answers::Answer;
use self::collection::adopt;
pub use self::collection::{DuplicateModel, component, component_name, inlined, nested, union};
pub use self::dialect::FastApi;
pub use self::operation::{Describe, OperationDocument, Outline};
pub use self::schemas::{
    Documented, FieldSchemas, Foreign, HasNone, HasSchema, Lookup, Presence, ViaForeign,
    ViaToSchema, ViaValue, any_of, choices, constrained, literal, note, parameters,
};

/// A component, as utoipa's [`ToSchema::schemas`](utoipa::ToSchema::schemas) lists it.
pub type NamedSchema = (String, RefOrSchema);

/// What utoipa's traits give: a schema, or a reference to one.
pub type RefOrSchema = RefOr<utoipa::openapi::Schema>;

pub(crate) use self::schemas::{array, dictionary, json_text, optional, tuple};

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

/// The document of operations with their ids.
pub(crate) fn document<'a>(
    info: &Info<'_>,
    operations: impl Iterator<Item = (String, &'a Outline)>,
) -> Result<OpenApi, DuplicateModel> {
    let mut security_schemes = BTreeMap::new();
    let (paths, schemas) = collection::document(|| {
        let mut paths = Paths::new();
        for (id, outline) in operations {
            let (operation, schemes) = outline.document(&id, info.token_url);
            let method = http_method(&outline.method).into_iter().collect();
            paths.add_path_operation(&outline.path, method, operation);
            security_schemes.extend(schemes);
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
    Ok(document)
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
