//! Structs with one field: a type with constraints of its own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Field};

use crate::attributes::{Constraints, items, notes};

/// What the document says of it: what it says of the field.
pub(crate) fn schema(input: &DeriveInput, field: &Field) -> syn::Result<TokenStream> {
    let (name, ty) = (&input.ident, &field.ty);
    let constraints = Constraints::read(&items(&field.attrs)?)?;
    let notes = notes(&field.attrs)?;
    Ok(quote! {
        impl private::Schema for #name {
            const OPTIONAL: bool = <#ty as private::Schema>::OPTIONAL;
            const TITLED: bool = <#ty as private::Schema>::TITLED;

            fn schema(
                _: &private::Constraints,
                models: &mut private::Models,
            ) -> private::serde_json::Value {
                let mut schema = <#ty as private::Schema>::schema(#constraints, models);
                private::note(&mut schema, #notes);
                schema
            }
        }
    })
}

pub(crate) fn decode(input: &DeriveInput, field: &Field) -> syn::Result<TokenStream> {
    let (name, ty) = (&input.ident, &field.ty);
    let constraints = Constraints::read(&items(&field.attrs)?)?;
    Ok(quote! {
        impl ::fastapi_compat::Decode for #name {
            const SEQUENCE: bool = <#ty as private::Decode>::SEQUENCE;

            fn name(_: &private::Constraints) -> ::std::borrow::Cow<'static, str> {
                <#ty as private::Decode>::name(#constraints)
            }

            fn decode(
                input: &private::Value,
                _: &private::Constraints,
                at: &private::Loc<'_>,
                errors: &mut private::Errors,
            ) -> ::core::option::Option<Self> {
                private::Decode::decode(input, #constraints, at, errors).map(Self)
            }

            fn absent() -> ::core::option::Option<Self> {
                <#ty as private::Decode>::absent().map(Self)
            }
        }

        impl<'de> serde::Deserialize<'de> for #name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                let value = <#ty as serde::Deserialize>::deserialize(deserializer)?;
                if private::Decode::meets(&value, #constraints) {
                    ::core::result::Result::Ok(Self(value))
                } else {
                    ::core::result::Result::Err(serde::de::Error::custom("constraint"))
                }
            }
        }
    })
}
