//! Structs with one field: a type with constraints of its own.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{DeriveInput, Expr, ExprLit, Field, Lit, Type};

use crate::attributes::{
    Item, Namespace, component, expression, function, function_name, items, notes, text,
};
use crate::constraints::Constraints;
use crate::field::owned;
use crate::refused::{refuse_more_than_wrap, refuse_other_schema};
use crate::to_schema::{known, to_schema};

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
    let known =
        ["format", "extra", "nullable", "default", "default_factory", "before", "after", "wrap"];
    let items = items(&field.attrs)?;
    refuse_more_than_wrap(&items)?;
    Constraints::read(&items, &known)
}

/// The default of a body that need not be given.
fn default(items: &[Item]) -> Option<TokenStream> {
    let default = expression(items, "default").or_else(|| expression(items, "default_factory"))?;
    Some(match default {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => owned(text),
        value => quote!(#value),
    })
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
    let mut inner = quote!(#known private::constrained::<#ty, _>(#constraints, #of_field));
    let of_items = items(&field.attrs)?;
    if let (Some(default), Some(_)) = (default(&of_items), expression(&of_items, "default")) {
        inner = quote! {{
            let mut schema = { #inner };
            let default: #ty = #default;
            private::note(
                &mut schema,
                private::serde_json::json!({ "default": default }),
            );
            schema
        }};
    }
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
    let of_items = items(&field.attrs)?;
    let (before, after) = (function(&of_items, "before"), function(&of_items, "after"));
    let mut label = quote!(<#ty as private::Decode>::name(#constraints));
    if let Some(function) = function_name(&of_items, "wrap") {
        let wrapped = format!("function-wrap[{function}()]");
        label = quote!(#wrapped.into());
    }
    for kind in ["after", "before"] {
        if let Some(function) = function_name(&of_items, kind) {
            label =
                quote!(::std::format!("function-{}[{}(), {}]", #kind, #function, #label).into());
        }
    }
    let inner = quote! { private::recursive_name::<Self>(|| #label) };
    let absent = default(&of_items).map_or_else(
        || quote!(<#ty as private::Decode>::absent().map(Self)),
        |default| {
            quote!({
                let default: #ty = #default;
                ::core::option::Option::Some(Self(default))
            })
        },
    );
    // What is generic may hold this type itself.
    let is_plain = matches!(ty, Type::Path(path) if path.path.segments.iter().all(|segment| segment.arguments.is_none()));
    let accepts = if is_plain {
        quote!(<#ty as private::Decode>::ACCEPTS.in_strict())
    } else {
        quote!(private::Accepts::NONE)
    };
    let (decode, read) = match expression(&of_items, "wrap") {
        Some(wrap) => (
            quote!(private::decode_wrapped::<#ty>(input, #constraints, #wrap, at, errors)),
            quote!(private::deserialize_wrapped::<#ty, __D>(deserializer, #constraints, #wrap)),
        ),
        None => (
            quote!(private::decode_validated::<#ty>(
                input, #constraints, #before, #after, at, errors,
            )),
            quote!(private::deserialize_field::<#ty, __D>(
                deserializer, #constraints, #before, #after,
            )),
        ),
    };
    let is_alias = root(input)?.is_none();
    let label = root(input)?.map_or(inner, |title| quote!(#title.into()));
    Ok(quote! {
        impl ::fastapi_compat::Decode for #name {
            const ACCEPTS: private::Accepts = #accepts;
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
                    #decode.map(Self)
                })
            }

            fn absent() -> ::core::option::Option<Self> {
                #absent
            }
        }

        impl<'de> serde::Deserialize<'de> for #name {
            fn deserialize<__D: serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                #read.map(Self)
            }
        }
    })
}
