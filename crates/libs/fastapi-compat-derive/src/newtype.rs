//! Structs with one field: a type with constraints of its own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{DeriveInput, Field};

use crate::attributes::{
    Constraints, Namespace, component, items, notes, refuse_other_schema, text,
};
use crate::{known, to_schema};

/// What a `RootModel` is called in Python.
fn root(input: &DeriveInput) -> syn::Result<Option<String>> {
    let of_type = items(&input.attrs)?;
    let root = text(&of_type, Namespace::Serde, "rename");
    // What has no name has no schema of its own.
    refuse_other_schema(
        &of_type,
        if root.is_some() { &["component", "format", "extra"] } else { &[] },
    )?;
    Ok(root)
}

fn constraints(field: &Field) -> syn::Result<Constraints> {
    Constraints::read(&items(&field.attrs)?, &["format", "extra"])
}

/// Compiles if the constraints are those of the type.
pub(crate) fn checks(field: &Field) -> syn::Result<TokenStream> {
    let check = constraints(field)?.check(&field.ty);
    Ok(quote!(const _: () = { #check };))
}

/// Its schema: that of the field, a component if it has a name.
pub(crate) fn schema(input: &DeriveInput, field: &Field) -> syn::Result<TokenStream> {
    let (name, ty, known) = (&input.ident, &field.ty, known(&field.ty));
    let constraints = constraints(field)?;
    let of_field = notes(&field.attrs)?;
    let inner = quote!(#known private::constrained::<#ty, _>(#constraints, #of_field));
    if let Some(title) = root(input)? {
        let (of_type, component) = (notes(&input.attrs)?, component(input)?);
        let schema = quote! {
            private::component::<Self>(#component, #title, || {
                let mut schema = { #inner };
                private::note(&mut schema, #of_type);
                schema
            })
        };
        return Ok(to_schema(name, &component, &schema));
    }
    let schema = quote!(private::inlined::<Self>(|| { #inner }));
    Ok(to_schema(name, &name.unraw().to_string(), &schema))
}

pub(crate) fn decode(input: &DeriveInput, field: &Field) -> syn::Result<TokenStream> {
    let (name, ty) = (&input.ident, &field.ty);
    let constraints = constraints(field)?;
    let inner = quote! {
        private::recursive_name::<Self>(|| <#ty as private::Decode>::name(#constraints))
    };
    let is_alias = root(input)?.is_none();
    let label = root(input)?.map_or(inner, |title| quote!(#title.into()));
    Ok(quote! {
        impl ::fastapi_compat::Decode for #name {
            const ACCEPTS: private::Accepts = private::Accepts::NONE;
            const SEQUENCE: bool = <#ty as private::Decode>::SEQUENCE;

            fn json_schema() -> private::RefOrSchema {
                <Self as private::Documented<_>>::schema()
            }

            fn name(_: &private::Constraints) -> ::std::borrow::Cow<'static, str> {
                #label
            }

            fn decode(
                input: &private::Value,
                _: &private::Constraints,
                at: &private::Loc<'_>,
                errors: &mut private::Errors,
            ) -> ::core::option::Option<Self> {
                private::decode_recursive(#is_alias, input, at, errors, |errors| {
                    private::Decode::decode(input, #constraints, at, errors).map(Self)
                })
            }

            fn absent() -> ::core::option::Option<Self> {
                <#ty as private::Decode>::absent().map(Self)
            }
        }

        impl<'de> serde::Deserialize<'de> for #name {
            fn deserialize<__D: serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
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
