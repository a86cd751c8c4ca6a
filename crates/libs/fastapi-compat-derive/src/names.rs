//! The names by which a field is read.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, Lit};

use crate::error::error;

/// A name of a field, or a path to it.
pub(crate) struct FieldName {
    /// The name; of a path that of the field in Rust.
    pub text: String,
    /// Whether a header of that name has `-` for `_`.
    pub converts_underscores: bool,
    /// `AliasPath`; empty for a name.
    pub path: Vec<AliasStep>,
}

/// A step of an `AliasPath`.
pub(crate) enum AliasStep {
    Key(String),
    Index(usize),
}

const NO_ALIAS: &str = "an alias is a name, `\"b\"`, or a path that begins with a name, \
                        `[\"names\", 0]`, in which positions are counted from the start; several are \
                        `(\"b\", [\"names\", 0])`";

impl FieldName {
    pub(crate) fn of_text(text: String) -> Self {
        Self { text, converts_underscores: false, path: Vec::new() }
    }

    /// The names of `validation_alias = …` of a field that is called `plain` in Rust.
    pub(crate) fn of_choices(alias: &Expr, plain: &str) -> syn::Result<Vec<Self>> {
        match alias {
            Expr::Tuple(choices) if !choices.elems.is_empty() => {
                choices.elems.iter().map(|choice| Self::of_choice(choice, plain)).collect()
            }
            alias => Ok(vec![Self::of_choice(alias, plain)?]),
        }
    }

    fn of_choice(alias: &Expr, plain: &str) -> syn::Result<Self> {
        let path = match alias {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                return Ok(Self::of_text(text.value()));
            }
            Expr::Array(steps) => &steps.elems,
            other => return Err(error(other, NO_ALIAS)),
        };
        let path = path.iter().map(|step| match step {
            Expr::Lit(ExprLit { lit: Lit::Str(key), .. }) => Ok(AliasStep::Key(key.value())),
            Expr::Lit(ExprLit { lit: Lit::Int(index), .. }) => {
                Ok(AliasStep::Index(index.base10_parse()?))
            }
            other => Err(error(other, NO_ALIAS)),
        });
        let path: Vec<_> = path.collect::<syn::Result<_>>()?;
        match path.first() {
            Some(AliasStep::Key(_)) => {
                Ok(Self { text: plain.to_owned(), converts_underscores: false, path })
            }
            _ => Err(error(alias, NO_ALIAS)),
        }
    }
}

impl ToTokens for FieldName {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { text, converts_underscores, path } = self;
        tokens.extend(quote!(private::Name {
            text: #text,
            converts_underscores: #converts_underscores,
            path: &[#(#path),*],
        }));
    }
}

impl ToTokens for AliasStep {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(match self {
            Self::Key(key) => quote!(private::AliasStep::Key(#key)),
            Self::Index(index) => quote!(private::AliasStep::Index(#index)),
        });
    }
}
