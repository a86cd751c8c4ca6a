//! FastAPI's wire behaviour for axum: a client cannot tell the two apart.
//!
//! Declare a model once, and it is decoded by pydantic's lax rules, explained by pydantic's errors
//! and described in FastAPI's OpenAPI dialect. What is in it: inputs ([`Call`], [`Path`], [`Query`],
//! [`Header`], [`Cookie`], [`Json`], [`Embedded`], [`Form`]); routing, redirects and errors as
//! Starlette does them ([`Router`], [`HttpError`]); CORS, trusted proxies and the rest of what is
//! around an application ([`layers`]); sign-in ([`Bearer`], [`Basic`],
//! [`ApiKeyHeader`] and others); the document ([`openapi`]). What is not: anything about one
//! service's routes.
//!
//! [`guide`] and [`serving`] show FastAPI code and the same in axum, [`index`] has FastAPI's own names;
//! [`coverage`] is what is proved to be the same, [`refused`] what cannot be said, [`names`] has every public name
//! of both packages. It is that of the newest
//! releases unless a [`Dialect`] is chosen; [`versions`] lists what differs between them.
//!
//! ```
//! use fastapi_compat::{Call, Decode, Json, Path, Router, put, routes};
//!
//! #[derive(Decode)]
//! struct ItemUpdate {
//!     #[schema(min_length = 1, max_length = 255)]
//!     title: Option<String>,
//! }
//!
//! /// Change an item.
//! #[put("/items/{id}")]
//! async fn update_item(
//!     Call((), (Path(id), Json(update))): Call<(), (Path<uuid::Uuid>, Json<ItemUpdate>)>,
//! ) -> Json<String> {
//!     Json(format!("{id}: {}", update.title.unwrap_or_default()))
//! }
//!
//! let app: axum::Router = Router::new().routes(routes![update_item]).with_state(());
//! ```

#![warn(missing_docs)]

#[doc = include_str!("../coverage.md")]
pub mod coverage {}
#[doc = include_str!("../guide.md")]
pub mod guide {}
#[doc = include_str!("../index.md")]
pub mod index {}
#[doc = include_str!("../names.md")]
pub mod names {}
#[doc = include_str!("../refused.md")]
pub mod refused {}
#[doc = include_str!("../serving.md")]
pub mod serving {}
#[doc = include_str!("../versions.md")]
pub mod versions {}
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(all(
    feature = "datetime",
    feature = "email",
    feature = "files",
    feature = "json-text",
    feature = "proxy-headers",
    feature = "url"
))]
#[doc(hidden)]
#[path = "fuzzing.rs"]
pub mod __fuzzing;
mod affixes;
mod alias_path;
mod answers;
mod background;
mod body;
mod characters;
mod choice;
mod constraints;
mod convertor;
mod cookie;
#[cfg(feature = "datetime")]
mod datetime;
mod decode;
mod depends;
mod dialect;
mod dispatch;
mod document;
mod dry_run;
mod echo;
#[cfg(feature = "email")]
mod email;
mod encoded;
mod endpoint;
mod error_answer;
mod errors;
mod extract;
mod field_names;
#[cfg(feature = "files")]
mod file;
mod float_repr;
mod form;
mod frontends;
mod host;
#[cfg(feature = "email")]
mod idna;
#[cfg_attr(not(feature = "email"), expect(dead_code, reason = "most tables are for domains"))]
mod idna_tables;
mod invalid;
#[cfg(feature = "streams")]
mod is_model;
mod json;
pub mod layers;
mod location;
mod marked;
mod matched;
#[cfg(feature = "files")]
mod mime_types;
mod model;
mod model_decode;
mod model_field;
mod mount;
mod multipart;
mod named_tuple;
mod offload;
mod omittable;
pub mod openapi;
mod optional;
mod params;
mod probe;
mod python;
mod raw_body;
mod read_body;
mod response;
mod route_index;
mod router;
mod routes;
mod scheme;
mod security;
mod selected;
mod source;
#[cfg(feature = "files")]
mod static_files;
#[cfg(feature = "streams")]
mod stream;
mod template;
mod text;
mod types;
mod union;
mod urlencoded;
mod value;
mod value_serde;
mod wrap;

pub use alias_path::AliasStep;
pub use background::Background;
pub use body::Embedded;
pub use constraints::{Accepts, Constraints, Number, Pattern};
pub use cookie::{InvalidCookie, SameSite, SetCookie, SetCookies};
#[cfg(feature = "datetime")]
pub use datetime::serialize_datetime;
pub use decode::Decode;
pub use depends::{Dependent, Depends};
pub use dialect::{Dialect, Limit, Package, Release, Switch, UnsupportedRelease};
pub use dry_run::{DryRun, WouldAct};
#[cfg(feature = "email")]
pub use email::EmailStr;
pub use encoded::{Dump, Encoded};
pub use errors::{Context, Errors, Loc, MAX_ANSWER, MAX_ERRORS, MAX_EXPLANATION};
pub use extract::{Call, Dependency, Input, Inputs, Parameter};
pub use fastapi_compat_derive::{
    Decode, Schema, api_route, delete, get, head, options, patch, post, put, routes, trace,
    websocket,
};
pub use field_names::{FieldNames, Name};
#[cfg(feature = "files")]
pub use file::{File, FileRequest, FileResponse};
pub use form::Form;
pub use host::LocalAddr;
pub use invalid::Invalid;
pub use matched::Operation;
pub use model::{Extra, Fields, Model, ModelKind};
pub use omittable::Omittable;
pub use openapi::{Describe, Documented, Outline};
pub use optional::Patch;
pub use params::{Cookie, Header, Path, Query};
pub use raw_body::RawBody;
pub use response::{
    HttpError, Json, MediaResponse, MediaType, NoContent, RedirectResponse, internal_server_error,
};
pub use router::Router;
pub use routes::{PathOperation, Routes};
pub use security::{
    ApiKeyCookie, ApiKeyHeader, ApiKeyName, ApiKeyQuery, Basic, Bearer, HttpBearer, HttpDigest,
    HttpOptions, OAuth2AuthorizationCodeBearer, OAuth2Options, OAuth2PasswordBearer, OpenIdConnect,
    OpenIdConnectOptions, Scopes, Security, SecurityScopes,
};
pub use selected::{Fielded, Selected};
/// The types in [`Date`], [`DateTime`], [`Duration`] and [`Time`], of the version that is used here.
#[cfg(feature = "datetime")]
#[doc(no_inline)]
pub use speedate;
#[cfg(feature = "files")]
pub use static_files::{Frontend, FrontendFallback, StaticFiles};
#[cfg(feature = "streams")]
pub use stream::{EventSourceResponse, JsonLines, ServerSentEvent, Untyped};
pub use text::Text;
#[cfg(feature = "json-text")]
pub use types::JsonText;
#[cfg(feature = "rust_decimal")]
pub use types::Numeric;
#[cfg(feature = "url")]
pub use types::{
    AmqpDsn, ClickHouseDsn, CockroachDsn, KafkaDsn, MariaDBDsn, MongoDsn, MultiHostUrl, MySQLDsn,
    NatsDsn, PostgresDsn, RedisDsn, SnowflakeDsn,
};
#[cfg(feature = "url")]
pub use types::{AnyHttpUrl, AnyUrl, AnyWebsocketUrl, FileUrl, FtpUrl, HttpUrl, WebsocketUrl};
#[cfg(feature = "datetime")]
pub use types::{
    AwareDatetime, Date, DateTime, Duration, FutureDate, FutureDatetime, NaiveDatetime, PastDate,
    PastDatetime, Time,
};
pub use types::{
    Base64Bytes, Base64Str, Base64UrlBytes, Base64UrlStr, ByteSize, ByteString, Decimal, Deque,
    FrozenSet, Integer, IpAnyAddress, IpAnyInterface, IpAnyNetwork, Ipv4Address, Ipv4Interface,
    Ipv4Network, Ipv6Address, Ipv6Interface, Ipv6Network, SecretBytes, SecretStr, Sequence,
    Storable, Uuid1, Uuid3, Uuid4, Uuid5, Uuid6, Uuid7, Uuid8, UuidOfVersion, VariadicTuple,
};
/// The types of documents, of the version that is used here.
#[doc(no_inline)]
pub use utoipa;
pub use value::{Array, Object, UploadFile, Value};
pub use wrap::{Handler, Wrap};

/// What the derive's code names; not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use {axum, http, serde, serde_json, utoipa};

    pub use crate::alias_path::AliasStep;
    pub use crate::choice::{Fixed, decode_enum, decode_literal, decode_plain_enum, name};
    pub use crate::constraints::{Accepts, Constraints, Number, Pattern, regex};
    pub use crate::decode::{
        Accepted, AcceptsAny, Decode, NO_PATH_PARAMETER, ObjectOnly, decode_recursive,
        default_text, deserialize_by_rules, recursive_name, required,
    };
    pub use crate::errors::{Errors, Loc};
    pub use crate::field_names::{FieldNames, Name};
    pub use crate::invalid::Invalid;
    pub use crate::model::{Extra, Fields, Model, ModelKind};
    pub use crate::model_decode::{decode_extra, decode_model};
    pub use crate::model_field::{
        Absent, FieldRules, decode_field, decode_validated, decode_wrapped, deserialize_field,
        deserialize_wrapped,
    };
    pub use crate::openapi::{
        Answer, Describe, Documented, FieldSchemas, HasNone, HasSchema, Lookup, Outline, Presence,
        RefOrSchema, any_of, choices, component, component_name, constrained, inlined, literal,
        nested, note, one_of, parameters, union,
    };
    pub use crate::probe::{AnswerProbe, Probe, Unknown, UnknownAnswer, Written, WrittenByRules};
    pub use crate::routes::{Marker, OwnOutline, UtoipaOutline};
    pub use crate::selected::Fielded;
    pub use crate::union::{Tagged, Union, tag, tag_by};
    pub use crate::value::Value;
    pub use crate::wrap::{Handler, Wrap};
}
