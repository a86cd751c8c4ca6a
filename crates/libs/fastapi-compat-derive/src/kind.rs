//! Models, newtypes, enumerations and unions: each has code of its own.

use proc_macro2::TokenStream;
use syn::{Data, DataEnum, DeriveInput, Field, Fields, FieldsNamed};

use crate::error::error;
use crate::{choice, model, newtype, union};

/// What a type is in Python.
pub(crate) enum Kind<'a> {
    Model(&'a FieldsNamed),
    Newtype(&'a Field),
    Choice(&'a DataEnum),
    Union(&'a DataEnum),
}

impl<'a> Kind<'a> {
    pub(crate) fn of(input: &'a DeriveInput) -> syn::Result<Self> {
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

/// utoipa's traits of a type.
pub(crate) fn schema(input: &DeriveInput) -> syn::Result<TokenStream> {
    match Kind::of(input)? {
        Kind::Model(fields) => model::schema(input, fields),
        Kind::Newtype(field) => newtype::schema(input, field),
        Kind::Choice(data) => choice::schema(input, data),
        Kind::Union(data) => union::schema(input, data),
    }
}

/// `Decode` of a type, and what belongs to it.
pub(crate) fn decode(input: &DeriveInput) -> syn::Result<TokenStream> {
    match Kind::of(input)? {
        Kind::Model(fields) => model::decode(input, fields),
        Kind::Newtype(field) => newtype::decode(input, field),
        Kind::Choice(data) => choice::decode(input, data),
        Kind::Union(data) => union::decode(input, data),
    }
}

/// Refuses constraints that do not fit the types of their fields.
pub(crate) fn checks(input: &DeriveInput) -> syn::Result<TokenStream> {
    match Kind::of(input)? {
        Kind::Model(fields) => model::checks(input, fields),
        Kind::Newtype(field) => newtype::checks(field),
        Kind::Choice(_) => Ok(TokenStream::new()),
        Kind::Union(data) => union::checks(input, data),
    }
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
