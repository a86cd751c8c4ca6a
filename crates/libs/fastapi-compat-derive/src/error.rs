//! Compile errors.

use quote::ToTokens;

/// An error that points at the tokens.
pub(crate) fn error(tokens: impl ToTokens, message: &str) -> syn::Error {
    syn::Error::new_spanned(tokens, message)
}
