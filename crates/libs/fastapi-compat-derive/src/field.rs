//! The fields of a model.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Expr, ExprLit, ExprUnary, Field, GenericArgument, Ident, Lit, LitStr, PathArguments, Type,
    UnOp, parse_quote_spanned,
};

use crate::attributes::{Item, Namespace, expression, is_false, items, notes, part, texts};
use crate::case::Case;
use crate::constraints::Constraints;
use crate::error::error;
use crate::names::FieldName;
use crate::refused::{refuse_more_than_wrap, refuse_other_serde};

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
pub(crate) fn owned(text: &LitStr) -> TokenStream {
    quote_spanned!(text.span()=> private::default_text(#text))
}

/// A field of a model.
pub(crate) struct ModelField {
    pub ident: Ident,
    pub ty: Type,
    /// What it is read by, the first name first.
    names: Vec<FieldName>,
    /// Its name in Python.
    own: FieldName,
    /// What it is written as.
    pub written: String,
    pub constraints: Constraints,
    pub default: Option<Expr>,
    /// Whether the document shows the default.
    shows_default: bool,
    required: bool,
    /// `T = None` of a type that is not nullable: it may be absent, but is not null.
    not_null: bool,
    before: Option<Expr>,
    after: Option<Expr>,
    wrap: Option<Expr>,
    pub notes: TokenStream,
}

impl ModelField {
    pub(crate) fn read(
        field: &Field,
        cases: (Case, Case),
        keeps_underscores: bool,
    ) -> syn::Result<Self> {
        let Some(ident) = field.ident.clone() else {
            return Err(error(field, "Decode needs named fields"));
        };
        let items = items(&field.attrs)?;
        refuse_other_serde(&items, &["rename", "alias", "deserialize"])?;
        refuse_more_than_wrap(&items)?;
        let plain = ident.unraw().to_string();
        let keeps_underscores = keeps_underscores || is_false(&items, "convert_underscores")?;
        let renamed = part(&items, "rename", "deserialize");
        let names = if let Some(alias) = expression(&items, "validation_alias") {
            let is_other =
                |item: &&Item| item.key == "alias" || (item.key == "rename" && renamed.is_some());
            if let Some(other) = items.iter().find(is_other) {
                let message = "`validation_alias` has all names that the field is read by; \
                               `#[serde(rename(serialize = \"…\"))]` is the one it is written by";
                return Err(error(&other.key, message));
            }
            FieldName::of_choices(alias, &plain)?
        } else {
            let first = renamed.unwrap_or_else(|| cases.0.apply(&plain));
            let texts = std::iter::once(first).chain(texts(&items, "alias"));
            texts.map(FieldName::of_text).collect()
        };
        let names = names.into_iter().map(|name| {
            let converts = name.text == plain && !keeps_underscores;
            FieldName { converts_underscores: converts, ..name }
        });
        let default = items.iter().find(|item| {
            item.namespace == Namespace::Schema
                && (item.key == "default" || item.key == "default_factory")
        });
        let not_null = is_false(&items, "nullable")?;
        if not_null
            && !matches!(named(&field.ty), Some((name, _)) if name == "Option" || name == "Patch")
        {
            let message = "what need not be given and is not null is an `Option`: `nullable = false` is \
                           Python's `x: T = None`";
            return Err(error(&field.ty, message));
        }
        Ok(Self {
            names: names.collect(),
            own: FieldName {
                converts_underscores: !keeps_underscores,
                ..FieldName::of_text(plain.clone())
            },
            written: part(&items, "rename", "serialize").unwrap_or_else(|| cases.1.apply(&plain)),
            ty: field.ty.clone(),
            constraints: Constraints::read(
                &items,
                &[
                    "default",
                    "default_factory",
                    "required",
                    "format",
                    "extra",
                    "nullable",
                    "before",
                    "after",
                    "wrap",
                    "validation_alias",
                    "convert_underscores",
                ],
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
            not_null,
            before: expression(&items, "before").cloned(),
            after: expression(&items, "after").cloned(),
            wrap: expression(&items, "wrap").cloned(),
            notes: notes(&field.attrs)?,
            ident,
        })
    }

    /// What it is read by in the document: the first name that is no path.
    pub(crate) fn name(&self) -> &str {
        let text = self.names.iter().find(|name| name.path.is_empty());
        text.or(self.names.first()).map_or("", |name| &name.text)
    }

    pub(crate) fn has_path(&self) -> bool {
        self.names.iter().any(|name| !name.path.is_empty())
    }

    fn names(&self) -> TokenStream {
        let names = &self.names;
        quote!(&[#(#names),*])
    }

    /// What a request may call it, and what it is when it is not given.
    pub(crate) fn field_names(&self) -> TokenStream {
        let (ty, names, own) = (&self.ty, self.names(), &self.own);
        let default = self.shown_default().map_or_else(
            || quote!(::core::option::Option::None),
            |default| quote!(::core::option::Option::Some(|| #default)),
        );
        quote!(private::FieldNames {
            names: #names,
            own: #own,
            is_sequence: <#ty as private::Decode>::SEQUENCE,
            default: #default,
        })
    }

    /// How it is decoded.
    pub(crate) fn rules(&self) -> TokenStream {
        let (names, own, absent) = (self.names(), &self.own, self.absent());
        let [before, after, wrap] = self.validators();
        quote!(private::FieldRules {
            names: #names, own: #own, absent: #absent, before: #before, after: #after, wrap: #wrap,
        })
    }

    fn validators(&self) -> [TokenStream; 3] {
        [&self.before, &self.after, &self.wrap].map(|path| {
            path.as_ref().map_or_else(
                || quote!(::core::option::Option::None),
                |path| quote!(::core::option::Option::Some(#path)),
            )
        })
    }

    /// The default as JSON, if the document shows it.
    fn shown_default(&self) -> Option<TokenStream> {
        let ty = &self.ty;
        self.default.as_ref().filter(|_| self.shows_default).map(|value| match value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                quote!(private::serde_json::Value::from(#text))
            }
            value => quote!({
                let default: #ty = #value;
                private::serde_json::json!(default)
            }),
        })
    }

    pub(crate) fn presence(&self) -> TokenStream {
        match (self.shown_default(), &self.default) {
            (Some(default), _) => {
                quote!(private::Presence::Default(::core::option::Option::Some(#default)))
            }
            (None, Some(_)) => quote!(private::Presence::Default(::core::option::Option::None)),
            (None, None) if self.required => quote!(private::Presence::Required),
            (None, None) => quote!(private::Presence::ByType),
        }
    }

    fn default_name(&self) -> Ident {
        format_ident!("__default_{}", self.ident.unraw())
    }

    pub(crate) fn default_value(&self) -> Option<TokenStream> {
        Some(match self.default.as_ref()? {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => owned(text),
            value => quote!(#value),
        })
    }

    pub(crate) fn default_function(&self) -> Option<TokenStream> {
        let (name, ty, value) = (self.default_name(), &self.ty, self.default_value()?);
        Some(quote! {
            #[allow(clippy::unnecessary_wraps)] // of a default that is not null
            fn #name() -> #ty { #value }
        })
    }

    /// Whether serde reads it by a function of its own.
    pub(crate) fn has_function(&self) -> bool {
        self.before.is_some() || self.after.is_some() || self.wrap.is_some() || self.not_null
    }

    fn read_name(&self) -> Ident {
        format_ident!("__read_{}", self.ident.unraw())
    }

    pub(crate) fn read_function(&self) -> Option<TokenStream> {
        let (name, ty, constraints) = (self.read_name(), &self.ty, &self.constraints);
        let [before, after, _] = self.validators();
        let read = match &self.wrap {
            Some(wrap) => quote!(private::deserialize_wrapped(deserializer, #constraints, #wrap)),
            None => {
                quote!(private::deserialize_field(deserializer, #constraints, #before, #after))
            }
        };
        self.has_function().then(|| {
            quote! {
                fn #name<'de, __D: serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::core::result::Result<#ty, __D::Error> {
                    #read
                }
            }
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

    pub(crate) fn serde_attributes(&self, model: &Ident) -> TokenStream {
        let is = |name: &str| matches!(named(&self.ty), Some((last, _)) if last == name);
        let name = self.name();
        let aliases =
            self.names.iter().skip(1).map(|FieldName { text, .. }| quote!(, alias = #text));
        let default = if self.default.is_some() {
            let path = format!("{model}::{}", self.default_name());
            quote!(, default = #path)
        } else if self.required {
            quote!()
        } else if is("Option") || is("Patch") {
            quote!(, default)
        } else {
            quote!()
        };
        let read = if self.has_function() {
            let path = format!("{model}::{}", self.read_name());
            quote!(, deserialize_with = #path)
        } else if self.required {
            quote!(, deserialize_with = "private::required")
        } else {
            quote!()
        };
        quote!(#[serde(rename = #name #(#aliases)* #default #read)])
    }
}
