//! The derive of `fastapi-compat`: see `fastapi_compat::Decode`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Data, DeriveInput, Expr, Field, Fields, Ident, Lit, Token, Type};

/// Makes a struct a model: `Decode` and `Model`, which explain every error, and `Deserialize`, the
/// fast path for what needs no leniency.
///
/// Attributes of a field:
/// - `#[schema(min_length, max_length, minimum, maximum, pattern, default)]`, or `#[param(…)]` in a
///   model of parameters: read from here as by utoipa;
/// - `#[decode(storable = 255)]`: refuses what a column of that length cannot hold.
#[proc_macro_derive(Decode, attributes(decode, schema, param))]
pub fn derive_decode(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => &fields.named,
            _ => {
                return Err(error(&input.ident, "Decode needs a struct with named fields"));
            }
        },
        _ => {
            return Err(error(&input.ident, "Decode can be derived for structs only"));
        }
    };
    let fields = fields.iter().map(ModelField::parse).collect::<syn::Result<Vec<_>>>()?;
    let name = &input.ident;
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let names: Vec<_> = idents.iter().map(ToString::to_string).collect();
    let constraints: Vec<_> = fields.iter().map(ModelField::constraints).collect();
    let defaults = fields.iter().map(ModelField::default);
    let serde_attributes = fields.iter().map(|field| field.serde_attribute(name));
    let default_functions = fields.iter().filter_map(ModelField::default_function);

    Ok(quote! {
        const _: () = {
            use ::fastapi_compat::__private::{self as private, serde};

            impl #name {
                #(#default_functions)*
            }

            impl ::fastapi_compat::Model for #name {
                fn from_fields(
                    fields: &impl private::Fields,
                    at: &private::Loc<'_>,
                    errors: &mut private::Errors,
                ) -> ::core::option::Option<Self> {
                    // Every field before any `?`: an answer names all errors.
                    #(let #idents = private::decode_field(
                        fields, #names, &#constraints, #defaults, at, errors,
                    );)*
                    ::core::option::Option::Some(Self { #(#idents: #idents?),* })
                }
            }

            impl ::fastapi_compat::Decode for #name {
                fn decode(
                    input: &private::Value,
                    _: &private::Constraints,
                    at: &private::Loc<'_>,
                    errors: &mut private::Errors,
                ) -> ::core::option::Option<Self> {
                    private::decode_model(input, at, errors)
                }
            }

            impl<'de> serde::Deserialize<'de> for #name {
                fn deserialize<D: serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::core::result::Result<Self, D::Error> {
                    #[derive(serde::Deserialize)]
                    #[serde(crate = "private::serde")]
                    struct Strict {
                        #(#serde_attributes #idents: #types,)*
                    }
                    let Strict { #(#idents),* } =
                        deserializer.deserialize_map(private::ObjectOnly::<Strict>::new())?;
                    if #(private::Decode::meets(&#idents, &#constraints))&&* {
                        ::core::result::Result::Ok(Self { #(#idents),* })
                    } else {
                        ::core::result::Result::Err(serde::de::Error::custom("constraint"))
                    }
                }
            }
        };
    })
}

/// `key`, `key = value` or `key(…)` in an attribute; only values that are expressions are kept.
struct FieldOption {
    key: Ident,
    value: Option<Expr>,
}

impl Parse for FieldOption {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let mut value = None;
        if input.peek(syn::token::Paren) {
            input.parse::<proc_macro2::Group>()?;
        } else if input.parse::<Option<Token![=]>>()?.is_some() {
            if key == "value_type" {
                input.parse::<Type>()?;
            } else {
                value = Some(input.parse()?);
            }
        }
        Ok(Self { key, value })
    }
}

struct ModelField {
    ident: Ident,
    ty: Type,
    constraints: Vec<(Ident, TokenStream)>,
    default: Option<Lit>,
}

impl ModelField {
    fn parse(field: &Field) -> syn::Result<Self> {
        let Some(ident) = field.ident.clone() else {
            return Err(error(field, "Decode needs named fields"));
        };
        let mut parsed =
            Self { ident, ty: field.ty.clone(), constraints: Vec::new(), default: None };
        for attribute in &field.attrs {
            let ours = attribute.path().is_ident("decode");
            if !ours && !["schema", "param"].iter().any(|name| attribute.path().is_ident(name)) {
                continue;
            }
            let options = attribute
                .parse_args_with(Punctuated::<FieldOption, Token![,]>::parse_terminated)?;
            for option in options {
                parsed.read(option, ours)?;
            }
        }
        Ok(parsed)
    }

    fn read(&mut self, option: FieldOption, ours: bool) -> syn::Result<()> {
        let FieldOption { key, value } = option;
        let tokens = match (key.to_string().as_str(), value) {
            ("min_length" | "max_length" | "minimum" | "maximum", Some(value)) => quote!(#value),
            ("storable", Some(value)) if ours => value.into_token_stream(),
            ("pattern", Some(value)) => quote!(private::Pattern(#value)),
            ("default", Some(Expr::Lit(literal))) if !ours => {
                self.default = Some(literal.lit);
                return Ok(());
            }
            (_, _) if ours => {
                return Err(error(key, "expected `storable = <n>`"));
            }
            _ => return Ok(()), // utoipa's own
        };
        self.constraints.push((key, tokens));
        Ok(())
    }

    fn constraints(&self) -> TokenStream {
        let (keys, values): (Vec<_>, Vec<_>) =
            self.constraints.iter().map(|(key, value)| (key, value)).unzip();
        if keys.is_empty() {
            return quote!(private::Constraints::NONE);
        }
        quote!(private::Constraints {
            #(#keys: ::core::option::Option::Some(#values),)*
            ..private::Constraints::NONE
        })
    }

    fn default_name(&self) -> Ident {
        quote::format_ident!("__default_{}", self.ident)
    }

    fn default_function(&self) -> Option<TokenStream> {
        let (name, ty) = (self.default_name(), &self.ty);
        let value = match self.default.as_ref()? {
            Lit::Str(text) => quote!(#text.to_owned()),
            literal => quote!(#literal),
        };
        Some(quote!(fn #name() -> #ty { #value }))
    }

    fn default(&self) -> TokenStream {
        let function = self.default_name();
        if self.default.is_some() {
            quote!(::core::option::Option::Some(Self::#function))
        } else {
            quote!(::core::option::Option::None)
        }
    }

    fn serde_attribute(&self, model: &Ident) -> TokenStream {
        let is = |name: &str| match &self.ty {
            Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == name),
            _ => false,
        };
        if self.default.is_some() {
            let path = format!("{model}::{}", self.default_name());
            quote!(#[serde(default = #path)])
        } else if is("Option") || is("Patch") {
            quote!(#[serde(default)])
        } else {
            quote!()
        }
    }
}

fn error(tokens: impl ToTokens, message: &str) -> syn::Error {
    syn::Error::new_spanned(tokens, message)
}
