//! FastAPI's wire behaviour for axum: a client cannot tell the two apart.
//!
//! What is in it: inputs ([`Call`], [`Path`], [`Query`], [`Json`], [`Form`]) whose errors are
//! pydantic's, to the byte and in FastAPI's order; routing, redirects, CORS and errors as Starlette
//! does them ([`Router`], [`Cors`], [`HttpError`]); the OpenAPI document in FastAPI's dialect
//! ([`openapi`]). What is not: anything about one service's routes.
//!
//! Start at [`Call`], which owns the order in which a request is looked at:
//!
//! ```
//! use fastapi_compat::{Call, Decode, Json, Path};
//!
//! #[derive(Decode)]
//! struct ItemUpdate {
//!     #[schema(min_length = 1, max_length = 255)]
//!     title: Option<String>,
//! }
//!
//! async fn update_item(
//!     Call((), (Path(id), Json(update))): Call<(), (Path<uuid::Uuid>, Json<ItemUpdate>)>,
//! ) -> String {
//!     format!("{id}: {}", update.title.unwrap_or_default())
//! }
//! ```

mod cors;
mod datetime;
mod decode;
mod edge;
mod email;
mod errors;
mod extract;
mod form;
mod idna;
mod idna_tables;
mod json;
mod multipart;
pub mod openapi;
mod protocol;
mod python;
mod response;
mod router;
mod scalars;
mod security;
mod value;

pub use datetime::serialize_datetime;
pub use decode::{Constraints, Decode, Fields, Model, Patch, Pattern};
pub use edge::Edge;
pub use email::EmailStr;
pub use errors::{Context, Errors, Loc};
pub use extract::{BodyLimit, Call, Dependency, Input, Inputs, Path, Query};
pub use fastapi_compat_derive::Decode;
pub use form::Form;
pub use response::{HttpError, Json, internal_server_error};
pub use router::{Operation, PathParams, Router};
pub use scalars::Storable;
pub use security::Bearer;
pub use value::Value;

/// What the derive's code names; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use serde;

    pub use crate::decode::{
        Constraints, Decode, Fields, ObjectOnly, Pattern, decode_field, decode_model,
    };
    pub use crate::errors::{Errors, Loc};
    pub use crate::value::Value;
}
