//! The derive of `fastapi-compat`: see `fastapi_compat::Decode`.

#![warn(missing_docs)]

mod attributes;
mod choice;
mod field;
mod model;
mod names;
mod newtype;
mod operation;
mod union;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataEnum, DeriveInput, Field, Fields, FieldsNamed, GenericArgument, Ident,
    PathArguments, Type,
};

use crate::attributes::Namespace;

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

/// utoipa's traits, which give a schema.
fn to_schema(name: &Ident, title: &str, schema: &TokenStream) -> TokenStream {
    quote! {
        impl private::utoipa::__dev::ComposeSchema for #name {
            fn compose(
                _: ::std::vec::Vec<private::RefOrSchema>,
            ) -> private::RefOrSchema {
                #schema
            }
        }

        impl private::utoipa::ToSchema for #name {
            fn name() -> ::std::borrow::Cow<'static, str> {
                private::component_name(#title).into()
            }

            fn schemas(
                schemas: &mut ::std::vec::Vec<(::std::string::String, private::RefOrSchema)>,
            ) {
                private::nested::<Self>(schemas);
            }
        }
    }
}

/// The types that stand in the angle brackets, the parentheses or behind the reference of another.
fn inner_types(ty: &Type) -> Vec<&Type> {
    fn arguments<'a>(ty: &'a Type, found: &mut Vec<&'a Type>) {
        match ty {
            Type::Path(path) => {
                for segment in &path.path.segments {
                    if let PathArguments::AngleBracketed(arguments_of) = &segment.arguments {
                        for argument in &arguments_of.args {
                            if let GenericArgument::Type(inner) = argument {
                                found.push(inner);
                                arguments(inner, found);
                            }
                        }
                    }
                }
            }
            Type::Tuple(tuple) => {
                for inner in &tuple.elems {
                    found.push(inner);
                    arguments(inner, found);
                }
            }
            Type::Reference(reference) => arguments(&reference.elem, found),
            _ => {}
        }
    }
    let mut found = Vec::new();
    arguments(ty, &mut found);
    found
}

/// Makes types with utoipa's derive known, which the schemas of collections do not name.
fn known(ty: &Type) -> TokenStream {
    let found = inner_types(ty);
    quote!({
        #[allow(unused_imports)]
        use private::{HasNone as _, HasSchema as _};
        #((&private::Lookup::<#found>::default()).make_known();)*
    })
}

/// Refuses a type that its own `Serialize` writes otherwise than pydantic does: chrono's moments. A field
/// with a `serialize_with` is written by that.
fn written(ty: &Type, attributes: &[Attribute]) -> syn::Result<TokenStream> {
    let items = attributes::items(attributes)?;
    if items.iter().any(|item| item.namespace == Namespace::Serde && item.key == "serialize_with") {
        return Ok(TokenStream::new());
    }
    let names_self = |ty: &Type| {
        let tokens = ty.to_token_stream().to_string();
        tokens.split(|c: char| !c.is_alphanumeric()).any(|word| word == "Self")
    };
    let types = std::iter::once(ty).chain(inner_types(ty)).filter(|ty| !names_self(ty));
    let checks = types.map(|ty| {
        quote_spanned! {ty.span()=>
            const _: () = assert!(
                !private::Written::<#ty>::BY_CHRONO,
                "chrono leaves out zeros that pydantic writes: add `#[serde(serialize_with = \
                 \"fastapi_compat::serialize_datetime\")]` to a field of `DateTime<Utc>` or of an \
                 `Option` of it, elsewhere write the type `fastapi_compat::DateTime`"
            );
        }
    });
    Ok(quote! {
        const _: () = {
            #[allow(unused_imports)]
            use private::WrittenByRules as _;
            #(#checks)*
        };
    })
}

/// Refuses what a field, a variant or an answer would write otherwise than pydantic does.
fn writing_checks(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields: Vec<&Field> = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    fields.into_iter().map(|field| written(&field.ty, &field.attrs)).collect()
}

enum Kind<'a> {
    Model(&'a FieldsNamed),
    Newtype(&'a Field),
    Choice(&'a DataEnum),
    Union(&'a DataEnum),
}

impl<'a> Kind<'a> {
    fn of(input: &'a DeriveInput) -> syn::Result<Self> {
        if !input.generics.params.is_empty() {
            return Err(error(&input.generics, "this cannot be derived for a generic type"));
        }
        match &input.data {
            Data::Struct(data) => match &data.fields {
                Fields::Named(fields) => Ok(Self::Model(fields)),
                Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                    Ok(Self::Newtype(&fields.unnamed[0]))
                }
                _ => {
                    let msg = "a struct needs named fields (a model) or one field (a constrained \
                               type)";
                    Err(error(&input.ident, msg))
                }
            },
            Data::Enum(data) if data.variants.is_empty() => {
                Err(error(&input.ident, "an enum needs variants to choose from"))
            }
            Data::Enum(data) if data.variants.iter().all(|variant| variant.fields.is_empty()) => {
                Ok(Self::Choice(data))
            }
            Data::Enum(data) => Ok(Self::Union(data)),
            Data::Union(_) => Err(error(&input.ident, "a model is a struct or an enum")),
        }
    }
}

fn schema(input: &DeriveInput) -> syn::Result<TokenStream> {
    match Kind::of(input)? {
        Kind::Model(fields) => model::schema(input, fields),
        Kind::Newtype(field) => newtype::schema(input, field),
        Kind::Choice(data) => choice::schema(input, data),
        Kind::Union(data) => union::schema(input, data),
    }
}

fn decode(input: &DeriveInput) -> syn::Result<TokenStream> {
    match Kind::of(input)? {
        Kind::Model(fields) => model::decode(input, fields),
        Kind::Newtype(field) => newtype::decode(input, field),
        Kind::Choice(data) => choice::decode(input, data),
        Kind::Union(data) => union::decode(input, data),
    }
}

/// Refuses constraints that do not fit the types of their fields.
fn checks(input: &DeriveInput) -> syn::Result<TokenStream> {
    match Kind::of(input)? {
        Kind::Model(fields) => model::checks(input, fields),
        Kind::Newtype(field) => newtype::checks(field),
        Kind::Choice(_) => Ok(TokenStream::new()),
        Kind::Union(data) => union::checks(input, data),
    }
}

fn error(tokens: impl ToTokens, message: &str) -> syn::Error {
    syn::Error::new_spanned(tokens, message)
}

#[cfg(test)]
mod tests {
    use syn::{DeriveInput, parse_quote};

    fn message(input: &DeriveInput) -> String {
        let code = super::schema(input).and_then(|_| super::decode(input));
        code.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a list of cases")]
    fn what_cannot_be_derived_is_explained() {
        let cases: [(DeriveInput, &str); 22] = [
            (
                parse_quote!(
                    struct A(String, String);
                ),
                "a struct needs named fields",
            ),
            (
                parse_quote!(
                    enum A {}
                ),
                "an enum needs variants",
            ),
            (
                parse_quote!(
                    struct A<T> {
                        a: T,
                    }
                ),
                "a generic type",
            ),
            (
                parse_quote!(
                    enum A {
                        B { c: String },
                        C(String),
                    }
                ),
                "variants hold one value each",
            ),
            (
                parse_quote!(
                    struct A {
                        #[schema(min_lenght = 1)]
                        a: String,
                    }
                ),
                "no attribute of a",
            ),
            (
                parse_quote!(
                    struct A {
                        #[schema(min_length)]
                        a: String,
                    }
                ),
                "its value is missing",
            ),
            (
                parse_quote!(
                    struct A {
                        #[schema(pattern = "(")]
                        a: String,
                    }
                ),
                "no regular expression",
            ),
            (
                parse_quote!(
                    struct A {
                        #[serde(default)]
                        a: String,
                    }
                ),
                "schema(default",
            ),
            (
                parse_quote!(
                    #[serde(rename_all = "Camel")]
                    struct A {
                        a: String,
                    }
                ),
                "no case that",
            ),
            (
                parse_quote!(
                    struct A {
                        #[schema(nullable = false)]
                        a: i64,
                    }
                ),
                "is an `Option`",
            ),
            (
                parse_quote!(
                    #[serde(deny_unknown_fields)]
                    struct A {
                        #[serde(flatten)]
                        a: IndexMap<String, Value>,
                    }
                ),
                "or they are forbidden",
            ),
            (
                parse_quote!(
                    struct A {
                        #[serde(flatten)]
                        a: IndexMap<String, Value>,
                        #[serde(flatten)]
                        b: IndexMap<String, Value>,
                    }
                ),
                "one field keeps",
            ),
            (
                parse_quote!(
                    struct A {
                        #[serde(flatten)]
                        #[schema(max_length = 2)]
                        a: IndexMap<String, Value>,
                    }
                ),
                "no attribute of a",
            ),
            (
                parse_quote!(
                    enum A {
                        #[serde(alias = "b")]
                        A,
                    }
                ),
                "only fields of models have several names",
            ),
            (
                parse_quote!(
                    enum A {
                        #[serde(rename(deserialize = "b"))]
                        A,
                    }
                ),
                "it has one name here",
            ),
            (
                parse_quote!(
                    #[serde(rename(serialize = "B", deserialize = "C"))]
                    struct A {
                        a: String,
                    }
                ),
                "a type has one name",
            ),
            (
                parse_quote!(
                    enum A {
                        #[schema(tag = 1)]
                        A(String),
                    }
                ),
                "only a union with a discriminator has tags",
            ),
            (
                parse_quote!(
                    enum A {
                        #[schema(value = 1.5)]
                        A,
                    }
                ),
                "a text, an integer, `true` or `false`",
            ),
            (
                parse_quote!(
                    struct A {
                        #[schema(validation_alias = ["a", -1])]
                        a: String,
                    }
                ),
                "counted from the start",
            ),
            (
                parse_quote!(
                    struct A {
                        #[schema(validation_alias = [0, "a"])]
                        a: String,
                    }
                ),
                "a path that begins with a name",
            ),
            (
                parse_quote!(
                    struct A {
                        #[schema(validation_alias = "a")]
                        #[serde(alias = "b")]
                        a: String,
                    }
                ),
                "has all names",
            ),
            (
                parse_quote!(
                    struct A {
                        #[schema(wrap = f, before = g)]
                        a: String,
                    }
                ),
                "stands without `before` and `after`",
            ),
        ];
        for (input, expected) in cases {
            let message = message(&input);
            assert!(message.contains(expected), "'{message}' does not contain '{expected}'");
        }
    }
}
