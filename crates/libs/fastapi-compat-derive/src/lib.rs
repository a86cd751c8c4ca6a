//! The derive of `fastapi-compat`: see `fastapi_compat::Decode`.

#![warn(missing_docs)]

mod arguments;
mod attributes;
mod case;
mod choice;
mod constraints;
mod error;
mod field;
mod kind;
mod model;
mod names;
mod newtype;
mod operation;
mod path;
mod refused;
mod signature;
mod to_schema;
mod union;
mod written;

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use crate::kind::{Kind, checks, decode, schema};
use crate::written::writing_checks;

/// Makes a type one that a request can carry: `Decode`, which explains every error, `Deserialize`,
/// the fast path for what needs no leniency, and `Schema`, its schema in the OpenAPI document.
///
/// | Rust | pydantic |
/// |---|---|
/// | a struct with named fields | a model |
/// | a struct with one field, `struct Tag(#[schema(max_length = 10)] String)` | `Annotated[str, Field(max_length=10)]`, with `#[serde(rename = "Tag")]` `class Tag(RootModel[…])` |
/// | an enum of names | `class Color(str, Enum)`, with numbers `IntEnum`, with `#[schema(literal)]` `Literal` |
/// | an enum whose variants hold one value each | a union, with `#[schema(discriminator = "kind")]` a discriminated one, whose model stands there once for each of its tags |
///
/// Attributes of a field, with pydantic's names:
/// - `#[schema(ge, le, gt, lt, multiple_of, min_length, max_length, pattern, max_digits,
///   decimal_places, allow_inf_nan = …)]`, of which bounds of decimals and dates are texts:
///   `ge = "2020-01-01"`;
/// - `#[schema(strip_whitespace, to_lower, to_upper)]`;
/// - `#[schema(default = 7)]`, `#[schema(default_factory = Vec::new())]`, which the document does
///   not show, and `#[schema(required = true)]` for an `Option` that must be given;
/// - `#[schema(format = "password")]`, and `#[schema(extra = json!({"examples": ["a"]}))]`, pydantic's
///   `json_schema_extra`, on types as well: what only the reader of the document sees, as they see
///   the doc comments of types and fields as their descriptions;
/// - `#[schema(storable = 255)]`, which refuses what a column of that length cannot hold;
/// - `#[schema(nullable = false)]` for an `Option` that may be absent, but is not null: `x: T = None`;
/// - `#[schema(strict)]`, which takes no value of another JSON type;
/// - `#[schema(convert_underscores = false)]` for a header;
/// - `#[schema(before = f, after = g)]`: validators, `f: fn(&Value) -> Result<Value, Invalid>` and
///   `g: fn(T) -> Result<T, Invalid>`; `#[schema(wrap = h)]`: one around the rules,
///   `h: fn(&Value, Handler<'_, T>) -> Result<T, Invalid>`;
/// - `#[schema(validation_alias = ("b", ["names", 0]))]`: all names that the field is read by, each a text
///   or a path;
/// - `#[serde(rename = "…")]`: pydantic's alias; `#[serde(rename(deserialize = "…", serialize = "…"))]`:
///   `validation_alias` and `serialization_alias`; `#[serde(alias = "…")]`: a further name;
/// - `#[serde(flatten)]` on a dictionary: `extra="allow"`, what has no field.
///
/// Attributes of a model:
/// - `#[serde(rename_all = "camelCase")]`, an `alias_generator`; `#[serde(deny_unknown_fields)]`,
///   `extra="forbid"`; `#[serde(rename = "Page[Item]")]`, what the class is called in Python;
/// - `#[schema(component = "app__v1__Item")]`, what it is called in the document, of two classes of one
///   name;
/// - `#[schema(model)]`: as parameters it is one model, not a parameter for each field;
/// - `#[schema(strict, convert_underscores = false, before = f, after = g)]` as of fields, with
///   `g: fn(Self) -> Result<Self, Invalid>`, and `wrap = h`;
/// - `#[schema(dataclass)]`, `#[schema(typed_dict)]`, `#[schema(named_tuple)]`: what kind of class it is in
///   Python; a named tuple is read from lists, too, and written as one by `Serialize`, which this
///   derive gives.
///
/// Attributes of an enum: `#[schema(literal)]`, `#[schema(plain)]` for `class X(Enum)` of integers,
/// `#[schema(value = true)]` on a variant for a value that is no text; of a union `#[schema(tag = 1)]` on a
/// variant for a tag that is no text, or `#[schema(discriminator = f)]` with `f: fn(&Value) -> Option<Value>`.
///
/// A type with utoipa's own `#[derive(utoipa::ToSchema)]` is marked by `#[decode(schema = false)]`; what
/// would be `#[schema(…)]` is `#[decode(…)]` then.
#[proc_macro_derive(Decode, attributes(decode, schema, serde))]
pub fn derive_decode(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    let code = attributes::leaves_schema(&input.attrs).and_then(|leaves_schema| {
        if leaves_schema {
            let input = attributes::without_schema(input);
            return Ok(vec![decode(&input)?, checks(&input)?]);
        }
        Ok(vec![schema(&input)?, decode(&input)?, checks(&input)?])
    });
    code.map_or_else(|error| error.to_compile_error(), |code| wrap(&code)).into()
}

/// Describes a type that only answers carry, by the same attributes as `Decode`.
#[proc_macro_derive(Schema, attributes(schema, serde))]
pub fn derive_schema(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    let code = schema(&input).and_then(|schema| {
        let defaults = match Kind::of(&input)? {
            Kind::Model(fields) => model::default_checks(&input, fields)?,
            _ => TokenStream::new(),
        };
        Ok([schema, checks(&input)?, defaults, writing_checks(&input)?])
    });
    code.map_or_else(|error| error.to_compile_error(), |code| wrap(&code)).into()
}

/// Attributes that make an operation of a handler, as FastAPI's decorators do.
macro_rules! operations {
    ($($method:ident)*) => {$(
        #[doc = concat!("Makes an operation of a handler: `#[", stringify!($method), "(\"/{id}\")]`.")]
        ///
        /// The function stays what it is; beside it stands a type that [`routes!`] finds. The
        /// document has its doc comment, inputs and answer from the signature. The path is
        /// Starlette's: `{id}`, `{p:path}`, `{i:int}`, `{f:float}`, `{u:uuid}`, `{name}.json`. After
        /// the path may stand `status = 201`, the status of a success; `body = "name"`, the title of
        /// a body that is no model; `name = "…"`, what the function is called in Python; `id = "…"`,
        /// which is FastAPI's `operation_id`; `summary = "…"`, `description = "…"`, `answer = "…"`,
        /// which is FastAPI's `response_description`, `deprecated`, and `prefix_parameters = 1`, how
        /// many parameters of the path come from prefixes of the router. As in FastAPI are
        /// `tags = ["items"]`, `responses = [AdditionalResponse::new(404)]`,
        /// `openapi_extra = json!({…})`, `callbacks = routes![…]` and `include_in_schema = false`;
        /// `webhook` makes the path a name, for `Router::webhooks`.
        #[proc_macro_attribute]
        pub fn $method(
            arguments: proc_macro::TokenStream,
            item: proc_macro::TokenStream,
        ) -> proc_macro::TokenStream {
            operation::expand(stringify!($method), arguments.into(), item.into())
                .unwrap_or_else(|error| error.to_compile_error())
                .into()
        }
    )*};
}

operations!(get post put patch delete head options trace);

/// Makes an operation of a handler of several methods: `#[api_route("/", methods = ["GET", "POST"])]`,
/// with the arguments of [`get`](macro@get).
#[proc_macro_attribute]
pub fn api_route(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    operation::expand("api_route", arguments.into(), item.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Makes a route of a handler that takes WebSockets, which is not in the document:
/// `#[websocket("/ws/{id}")]`. Before [`Call`] stands axum's `WebSocketUpgrade`. A request that is no
/// handshake does not find it.
///
/// [`Call`]: https://docs.rs/fastapi-compat/latest/fastapi_compat/struct.Call.html
#[proc_macro_attribute]
pub fn websocket(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    operation::expand("websocket", arguments.into(), item.into())
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}

/// Collects operations for `Router::routes`, in the order in which they are tried:
/// `routes![read_items, items::create_item]`.
///
/// Each is a function with `#[get("/")]` or its like above it.
#[proc_macro]
pub fn routes(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    operation::routes(input.into()).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn wrap(code: &[TokenStream]) -> TokenStream {
    quote! {
        const _: () = {
            use ::fastapi_compat::__private::{self as private, serde};
            #(#code)*
        };
    }
}
