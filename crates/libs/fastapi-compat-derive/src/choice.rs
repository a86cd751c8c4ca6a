//! Enums of names or numbers: pydantic's enumerations and literals.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, DeriveInput, Expr, ExprLit, Lit, Variant};

use crate::attributes::{
    Item, Namespace, component, expression, has_flag, items, notes, text, title,
};
use crate::case::Case;
use crate::error::error;
use crate::refused::{refuse_other_schema, refuse_other_serde};
use crate::to_schema::to_schema;

/// The values on the wire.
fn values(input: &DeriveInput, data: &DataEnum) -> syn::Result<Vec<TokenStream>> {
    let of_type = items(&input.attrs)?;
    refuse_other_serde(&of_type, &["rename", "rename_all"])?;
    // A literal has no component of its own that could show more than its values.
    let shown: &[&str] = if is_literal(&of_type) {
        &["literal"]
    } else {
        &["component", "format", "extra", "plain"]
    };
    refuse_other_schema(&of_type, shown)?;
    let rename_all = Case::read(&of_type)?;
    let value = |variant: &Variant| {
        let items = items(&variant.attrs)?;
        refuse_other_serde(&items, &["rename"])?;
        refuse_other_schema(&items, &["value"])?;
        let renamed = text(&items, Namespace::Serde, "rename");
        if let Some(value) = expression(&items, "value") {
            return fixed(value);
        }
        Ok(match (&variant.discriminant, renamed) {
            (Some((_, number)), None) => quote!(private::Fixed::Int(#number)),
            (_, Some(text)) => quote!(private::Fixed::Str(#text)),
            (None, None) => {
                let text = rename_all.apply(&variant.ident.to_string());
                quote!(private::Fixed::Str(#text))
            }
        })
    };
    data.variants.iter().map(value).collect()
}

/// A value that may stand in a `Literal` or an `Enum`.
pub(crate) fn fixed(value: &Expr) -> syn::Result<TokenStream> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => {
            Ok(quote!(private::Fixed::Bool(#value)))
        }
        Expr::Lit(ExprLit { lit: Lit::Str(value), .. }) => Ok(quote!(private::Fixed::Str(#value))),
        Expr::Lit(ExprLit { lit: Lit::Int(_), .. }) | Expr::Unary(_) => {
            Ok(quote!(private::Fixed::Int(#value)))
        }
        other => Err(error(other, "a text, an integer, `true` or `false` stands here")),
    }
}

fn is_literal(of_type: &[Item]) -> bool {
    has_flag(of_type, Namespace::Schema, "literal")
}

/// Its schema: a literal is inlined, an enumeration is a component.
pub(crate) fn schema(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let (title, values) = (title(input)?, values(input, data)?);
    let component = component(input)?;
    let schema = if is_literal(&items(&input.attrs)?) {
        quote!(private::inlined::<Self>(|| private::literal(&[#(#values),*])))
    } else {
        let notes = notes(&input.attrs)?;
        quote! {
            private::component::<Self>(#component, #title, || {
                let mut schema = private::choices(&[#(#values),*]);
                private::note(&mut schema, #notes);
                schema
            })
        }
    };
    Ok(to_schema(&input.ident, &component, &schema))
}

pub(crate) fn decode(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let values = values(input, data)?;
    let (name, variants) = (&input.ident, data.variants.iter().map(|variant| &variant.ident));
    let title = title(input)?;
    let of_type = items(&input.attrs)?;
    let is = |kind: &str| values.iter().filter(|value| value.to_string().contains(kind)).count();
    let (numbers, texts) = (is("Fixed :: Int"), is("Fixed :: Str"));
    let is_mixed = numbers != values.len() && texts != values.len();
    let mut accepts = quote!(NONE);
    let (decode, label) = if is_literal(&of_type) {
        accepts = quote!(IN_STRICT);
        (quote!(decode_literal), quote!(private::name("literal", &__VALUES).into()))
    } else if is_mixed || has_flag(&of_type, Namespace::Schema, "plain") {
        let label = format!("enum[{title}]");
        (quote!(decode_plain_enum), quote!(#label.into()))
    } else {
        let label = format!("{}-enum[{title}]", if numbers > 0 { "int" } else { "str" });
        (quote!(decode_enum), quote!(#label.into()))
    };
    let count = values.len();
    Ok(quote! {
        static __VALUES: [private::Fixed; #count] = [#(#values),*];

        impl ::fastapi_compat::Decode for #name {
            const ACCEPTS: private::Accepts = private::Accepts::#accepts;

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
                let position = private::#decode(input, &__VALUES, at, errors)?;
                [#(Self::#variants),*].into_iter().nth(position)
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
