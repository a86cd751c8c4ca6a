//! Structs with named fields: pydantic's models.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    DeriveInput, Expr, ExprLit, ExprUnary, Field, FieldsNamed, GenericArgument, Ident, Lit, LitStr,
    PathArguments, Type, UnOp, parse_quote_spanned,
};

use crate::attributes::{
    Case, Constraints, Namespace, component, has_flag, items, notes, refuse_other_schema,
    refuse_other_serde, text, title,
};
use crate::{error, known, to_schema};

fn fields(input: &DeriveInput, fields: &FieldsNamed) -> syn::Result<Vec<ModelField>> {
    let of_type = items(&input.attrs)?;
    refuse_other_serde(&of_type, &["deny_unknown_fields", "rename", "rename_all"])?;
    refuse_other_schema(&of_type, &["component", "format", "extra"])?;
    let rename_all = Case::read(&of_type)?;
    fields.named.iter().map(|field| ModelField::read(field, rename_all)).collect()
}

fn forbids_extra(input: &DeriveInput) -> syn::Result<bool> {
    Ok(has_flag(&items(&input.attrs)?, Namespace::Serde, "deny_unknown_fields"))
}

/// Its schema.
pub(crate) fn schema(input: &DeriveInput, named: &FieldsNamed) -> syn::Result<TokenStream> {
    let (name, fields) = (&input.ident, fields(input, named)?);
    let (title, notes) = (title(input)?, notes(&input.attrs)?);
    let component = component(input)?;
    let forbids_extra = forbids_extra(input)?;
    let adds = fields.iter().map(|field| {
        let ModelField { ty, name, constraints, notes, .. } = field;
        let (known, presence) = (known(ty), field.presence());
        quote!(#known fields.add::<#ty, _>(#name, #constraints, #presence, #notes);)
    });
    let schema = quote! {
        private::component::<Self>(#component, #title, || {
            #[allow(unused_mut)] // of a model without fields
            let mut fields = private::FieldSchemas::default();
            #(#adds)*
            fields.finish(#forbids_extra, #notes)
        })
    };
    let to_schema = to_schema(name, &component, &schema);
    Ok(quote! {
        #to_schema

        impl private::utoipa::IntoParams for #name {
            fn into_params(
                parameter_in: impl Fn() -> ::core::option::Option<private::utoipa::openapi::path::ParameterIn>,
            ) -> ::std::vec::Vec<private::utoipa::openapi::path::Parameter> {
                private::parameters::<Self>(parameter_in())
            }
        }
    })
}

/// Compiles if the constraints are those of their types.
pub(crate) fn checks(input: &DeriveInput, named: &FieldsNamed) -> syn::Result<TokenStream> {
    let checks = fields(input, named)?;
    let checks = checks.iter().map(|field| field.constraints.check(&field.ty));
    Ok(quote!(#(const _: () = { #checks };)*))
}

/// Compiles if the defaults are of their types, for a model that is not decoded.
pub(crate) fn default_checks(input: &DeriveInput, named: &FieldsNamed) -> syn::Result<TokenStream> {
    let checks = fields(input, named)?;
    let checks = checks.iter().filter_map(|field| {
        let (ty, value) = (&field.ty, field.default_value()?);
        // An answer may borrow its texts.
        let value = match (&field.default, ty) {
            (Some(text), Type::Reference(_)) => quote!(#text),
            _ => value,
        };
        Some(quote!(const _: fn() -> #ty = || #value;))
    });
    Ok(quote!(#(#checks)*))
}

pub(crate) fn decode(input: &DeriveInput, named: &FieldsNamed) -> syn::Result<TokenStream> {
    let (fields, forbids_extra) = (fields(input, named)?, forbids_extra(input)?);
    let name = &input.ident;
    let title = title(input)?;
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    // A field may be called like an argument of the function.
    let locals: Vec<_> =
        idents.iter().map(|ident| format_ident!("field_{}", ident.unraw())).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let names: Vec<_> = fields.iter().map(|field| &field.name).collect();
    let constraints: Vec<_> = fields.iter().map(|field| &field.constraints).collect();
    let absent = fields.iter().map(ModelField::absent);
    let serde_attributes = fields.iter().map(|field| field.serde_attributes(name));
    let default_functions = fields.iter().filter_map(ModelField::default_function);
    let (known, deny) = if forbids_extra {
        (
            quote!(::core::option::Option::Some(&[#(#names),*])),
            quote!(#[serde(deny_unknown_fields)]),
        )
    } else {
        (quote!(::core::option::Option::None), quote!())
    };

    Ok(quote! {
        impl #name {
            #(#default_functions)*
        }

        impl ::fastapi_compat::Model for #name {
            #[allow(unused_variables)] // of a model without fields
            fn from_fields(
                fields: &impl private::Fields,
                at: &private::Loc<'_>,
                errors: &mut private::Errors,
            ) -> ::core::option::Option<Self> {
                // Every field before any `?`: an answer names all errors.
                #(let #locals = private::decode_field(
                    fields, #names, #constraints, &#absent, at, errors,
                );)*
                ::core::option::Option::Some(Self { #(#idents: #locals?),* })
            }
        }

        impl ::fastapi_compat::Decode for #name {
            const ACCEPTS: private::Accepts = private::Accepts::NONE;

            fn json_schema() -> private::RefOrSchema {
                <Self as private::Documented<_>>::schema()
            }

            fn name(_: &private::Constraints) -> ::std::borrow::Cow<'static, str> {
                #title.into()
            }

            fn decode(
                input: &private::Value,
                _: &private::Constraints,
                at: &private::Loc<'_>,
                errors: &mut private::Errors,
            ) -> ::core::option::Option<Self> {
                private::decode_model(input, #known, at, errors)
            }
        }

        impl<'de> serde::Deserialize<'de> for #name {
            // Names that no type of the user's has: the fields are declared beside them.
            fn deserialize<__D: serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                #[derive(serde::Deserialize)]
                #[serde(crate = "private::serde")]
                #deny
                struct __Strict {
                    #(#serde_attributes #idents: #types,)*
                }
                let __Strict { #(#idents),* } =
                    deserializer.deserialize_map(private::ObjectOnly::<__Strict>::new())?;
                if true #(&& private::Decode::meets(&#idents, #constraints))* {
                    ::core::result::Result::Ok(Self { #(#idents),* })
                } else {
                    ::core::result::Result::Err(serde::de::Error::custom("constraint"))
                }
            }
        }
    })
}

/// The last name of a type, and what it is of: `Option` and `i64` of `Option<i64>`.
fn named(ty: &Type) -> Option<(&Ident, Option<&Type>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(inner)) => Some(inner),
            _ => None,
        },
        _ => None,
    };
    Some((&last.ident, inner))
}

/// A default for a field of the type: a literal for an `Option` is the value in it; one that is not
/// of the type is refused.
fn fitting(value: Expr, ty: &Type) -> syn::Result<Expr> {
    let literal = match &value {
        Expr::Lit(literal) => &literal.lit,
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match &**expr {
            Expr::Lit(literal) => &literal.lit,
            _ => return Ok(value),
        },
        _ => return Ok(value),
    };
    let (name, inner) = match named(ty) {
        Some((name, Some(inner))) if name == "Option" => (named(inner), true),
        name => (name, false),
    };
    let name = name.map(|(name, _)| name.to_string()).unwrap_or_default();
    let (kind, fits, example) = match name.as_str() {
        "String" => ("text", matches!(literal, Lit::Str(_)), "\"text\""),
        "bool" => ("boolean", matches!(literal, Lit::Bool(_)), "true"),
        "f64" => ("float", matches!(literal, Lit::Float(_)), "1.0"),
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => {
            ("integer", matches!(literal, Lit::Int(_)), "1")
        }
        _ => ("", true, ""),
    };
    if !fits {
        let shown = ty.to_token_stream().to_string().replace(' ', "");
        let message = format!(
            "the default of a field of type `{shown}` is of that type, such as \
             `default = {example}`: this is no {kind}"
        );
        return Err(error(&value, &message));
    }
    Ok(match (literal, inner) {
        (_, false) => value,
        (Lit::Str(text), true) => {
            let text = owned(text);
            parse_quote_spanned!(value.span()=> ::core::option::Option::Some(#text))
        }
        (_, true) => parse_quote_spanned!(value.span()=> ::core::option::Option::Some(#value)),
    })
}

/// A text as a `String`; if another type is needed, the compiler reports it at the attribute.
fn owned(text: &LitStr) -> TokenStream {
    if text.value().is_empty() {
        return quote_spanned!(text.span()=> ::std::string::String::new());
    }
    quote_spanned!(text.span()=> #text.to_owned())
}

struct ModelField {
    ident: Ident,
    ty: Type,
    /// On the wire.
    name: String,
    constraints: Constraints,
    default: Option<Expr>,
    /// Whether the document shows the default.
    shows_default: bool,
    required: bool,
    notes: TokenStream,
}

impl ModelField {
    fn read(field: &Field, rename_all: Case) -> syn::Result<Self> {
        let Some(ident) = field.ident.clone() else {
            return Err(error(field, "Decode needs named fields"));
        };
        let items = items(&field.attrs)?;
        refuse_other_serde(&items, &["rename"])?;
        let renamed = text(&items, Namespace::Serde, "rename");
        let default = items.iter().find(|item| {
            item.namespace == Namespace::Schema
                && (item.key == "default" || item.key == "default_factory")
        });
        Ok(Self {
            name: renamed.unwrap_or_else(|| rename_all.apply(&ident.unraw().to_string())),
            ty: field.ty.clone(),
            constraints: Constraints::read(
                &items,
                &["default", "default_factory", "required", "format", "extra"],
            )?,
            required: items.iter().any(|item| {
                item.key == "required"
                    && matches!(&item.value, Some(Expr::Lit(ExprLit {
                    lit: Lit::Bool(required), ..
                })) if required.value)
            }),
            shows_default: default.is_some_and(|item| item.key == "default"),
            default: match default.and_then(|item| item.value.clone()) {
                Some(value) => Some(fitting(value, &field.ty)?),
                None => None,
            },
            notes: notes(&field.attrs)?,
            ident,
        })
    }

    fn presence(&self) -> TokenStream {
        let ty = &self.ty;
        match &self.default {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if self.shows_default => {
                quote!(private::Presence::Default(::core::option::Option::Some(#text.into())))
            }
            Some(value) if self.shows_default => quote!(private::Presence::Default({
                let default: #ty = #value;
                ::core::option::Option::Some(private::serde_json::json!(default))
            })),
            Some(_) => quote!(private::Presence::Default(::core::option::Option::None)),
            None if self.required => quote!(private::Presence::Required),
            None => quote!(private::Presence::ByType),
        }
    }

    fn default_name(&self) -> Ident {
        format_ident!("__default_{}", self.ident.unraw())
    }

    fn default_value(&self) -> Option<TokenStream> {
        Some(match self.default.as_ref()? {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => owned(text),
            value => quote!(#value),
        })
    }

    fn default_function(&self) -> Option<TokenStream> {
        let (name, ty, value) = (self.default_name(), &self.ty, self.default_value()?);
        Some(quote! {
            #[allow(clippy::unnecessary_wraps)] // of a default that is not null
            fn #name() -> #ty { #value }
        })
    }

    fn absent(&self) -> TokenStream {
        let function = self.default_name();
        if self.default.is_some() {
            quote!(private::Absent::Default(Self::#function))
        } else if self.required {
            quote!(private::Absent::Required)
        } else {
            quote!(private::Absent::ByType)
        }
    }

    fn serde_attributes(&self, model: &Ident) -> TokenStream {
        let is = |name: &str| match &self.ty {
            Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == name),
            _ => false,
        };
        let name = &self.name;
        let default = if self.default.is_some() {
            let path = format!("{model}::{}", self.default_name());
            quote!(, default = #path)
        } else if self.required {
            quote!(, deserialize_with = "private::required")
        } else if is("Option") || is("Patch") {
            quote!(, default)
        } else {
            quote!()
        };
        quote!(#[serde(rename = #name #default)])
    }
}
