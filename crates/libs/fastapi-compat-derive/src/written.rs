//! Types that would be written otherwise than pydantic writes them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Field, Type};

use crate::attributes::{self, Namespace};
use crate::to_schema::inner_types;

/// Refuses a type that its own `Serialize` writes otherwise than pydantic does: chrono's moments. A field
/// with a `serialize_with` is written by that.
pub(crate) fn written(ty: &Type, attributes: &[Attribute]) -> syn::Result<TokenStream> {
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
pub(crate) fn writing_checks(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields: Vec<&Field> = match &input.data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(data) => data.variants.iter().flat_map(|variant| &variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    fields.into_iter().map(|field| written(&field.ty, &field.attrs)).collect()
}
