//! Enums whose variants hold one value each: unions.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{DataEnum, DeriveInput, Expr, Fields, Ident, Type};

use crate::attributes::{Item, Namespace, expression, function_name, items, text};
use crate::choice::fixed;
use crate::constraints::Constraints;
use crate::error::error;
use crate::refused::{refuse_other_schema, refuse_other_serde};
use crate::to_schema::{known, to_schema};

/// What gives the tag of a value.
enum TagOf {
    /// A field of it.
    Field(String),
    /// A function: the path, and the name that errors show.
    Function(Expr, String),
}

struct Choices<'a> {
    discriminator: Option<TagOf>,
    variants: Vec<&'a Ident>,
    types: Vec<&'a Type>,
    tags: Vec<TokenStream>,
    constraints: Vec<Constraints>,
}

fn tag_of(items: &[Item]) -> Option<TagOf> {
    if let Some(field) = text(items, Namespace::Schema, "discriminator") {
        return Some(TagOf::Field(field));
    }
    let function = expression(items, "discriminator")?.clone();
    Some(TagOf::Function(function, function_name(items, "discriminator")?))
}

fn read<'a>(input: &DeriveInput, data: &'a DataEnum) -> syn::Result<Choices<'a>> {
    let of_type = items(&input.attrs)?;
    refuse_other_schema(&of_type, &["discriminator"])?;
    let mut choices = Choices {
        discriminator: tag_of(&of_type),
        variants: vec![],
        types: vec![],
        tags: vec![],
        constraints: vec![],
    };
    for variant in &data.variants {
        let field = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => &fields.unnamed[0],
            _ => {
                let msg = "a union's variants hold one value each: `Text(String)`";
                return Err(error(variant, msg));
            }
        };
        let items = items(&variant.attrs)?;
        refuse_other_serde(&items, &["rename"])?;
        let renamed = text(&items, Namespace::Serde, "rename");
        choices.tags.push(match expression(&items, "tag") {
            Some(tag) if choices.discriminator.is_none() => {
                return Err(error(tag, "only a union with a discriminator has tags"));
            }
            Some(tag) => fixed(tag)?,
            None => {
                let tag = renamed.unwrap_or_else(|| variant.ident.to_string());
                quote!(private::Fixed::Str(#tag))
            }
        });
        choices.constraints.push(Constraints::read(&items, &["tag"])?);
        choices.variants.push(&variant.ident);
        choices.types.push(&field.ty);
    }
    Ok(choices)
}

/// Its schema.
pub(crate) fn schema(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let Choices { discriminator, types, tags, constraints, .. } = read(input, data)?;
    let name = input.ident.unraw().to_string();
    let known = types.iter().map(|ty| known(ty));
    let make = match discriminator {
        None => quote!(private::any_of(schemas.into(), ::core::option::Option::None)),
        Some(TagOf::Field(field)) => quote!(private::any_of(
            schemas.into(),
            ::core::option::Option::Some((#field, &[#(#tags),*])),
        )),
        Some(TagOf::Function(..)) => quote!(private::one_of(schemas.into())),
    };
    let schema = quote! {
        private::union::<Self>(#name, || {
            #(#known)*
            let schemas = [#(private::constrained::<#types, _>(
                #constraints,
                private::serde_json::Value::Null,
            )),*];
            #make
        })
    };
    Ok(to_schema(&input.ident, &name, &schema))
}

/// Compiles if the constraints are those of their types.
pub(crate) fn checks(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let Choices { types, constraints, .. } = read(input, data)?;
    let checks = constraints.iter().zip(types).map(|(constraints, ty)| constraints.check(ty));
    Ok(quote!(#(const _: () = { #checks };)*))
}

pub(crate) fn decode(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let Choices { discriminator, variants, types, tags, constraints } = read(input, data)?;
    let name = &input.ident;
    let positions = 0..variants.len();
    let kind = if discriminator.is_some() { "tagged-union" } else { "union" };
    // What is generic, a `Box`, may hold one.
    let is_plain = |ty: &&Type| matches!(ty, Type::Path(path) if path.path.segments.iter().all(|segment| segment.arguments.is_none()));
    let is_by_field = matches!(discriminator, Some(TagOf::Field(_)));
    let tagged = types.iter().copied().filter(|ty| is_by_field && is_plain(ty));
    let check = quote! {
        const _: () = {
            const fn has_tags<__M: private::Tagged>() {}
            #(has_tags::<#tagged>();)*
        };
    };
    let is_tagged = is_by_field.then(|| quote!(impl private::Tagged for #name {}));
    let find = match &discriminator {
        None => None,
        Some(TagOf::Field(field)) => {
            Some(quote!(private::tag(input, #field, &[#(#tags),*], at, errors)))
        }
        Some(TagOf::Function(function, shown)) => Some(quote!(
            private::tag_by(input, (#function, #shown), &[#(#tags),*], at, errors)
        )),
    };
    let decode = if let Some(find) = find {
        quote! {
            let (position, tag) = #find?;
            let at = tag.below(at);
            match position {
                #(#positions => {
                    private::Decode::decode(input, #constraints, &at, errors).map(Self::#variants)
                })*
                _ => ::core::option::Option::None,
            }
        }
    } else {
        quote! {
            let mut union = private::Union::new(input, at);
            #(union.choice(#constraints, Self::#variants, errors);)*
            union.finish(errors)
        }
    };
    Ok(quote! {
        #check

        #is_tagged

        impl ::fastapi_compat::Decode for #name {
            const ACCEPTS: private::Accepts = private::Accepts::NONE;

            fn json_schema() -> private::RefOrSchema {
                <Self as private::Documented<_>>::schema()
            }

            fn name(_: &private::Constraints) -> ::std::borrow::Cow<'static, str> {
                private::recursive_name::<Self>(|| {
                    let names = [#(<#types as private::Decode>::name(#constraints)),*];
                    ::std::format!("{}[{}]", #kind, names.join(",")).into()
                })
            }

            fn decode(
                input: &private::Value,
                _: &private::Constraints,
                at: &private::Loc<'_>,
                errors: &mut private::Errors,
            ) -> ::core::option::Option<Self> {
                private::decode_recursive(true, input, at, errors, |errors| { #decode })
            }
        }

        impl<'de> serde::Deserialize<'de> for #name {
            fn deserialize<__D: serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                private::deserialize_by_rules(deserializer)
            }
        }
    })
}
