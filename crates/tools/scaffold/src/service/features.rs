//! Rust without a feature of cargo: `#[cfg(feature = "…")]` is resolved in the source, so that a service
//! without a part has no trace of it.

use std::collections::BTreeSet;
use std::ops::Range;

use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Lit, Meta, Token};

/// What is left of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    Text(String),
    /// The whole file was behind a feature: `#![cfg(feature = "…")]`.
    Nothing,
}

/// The source without what needs one of the features, and without the attributes that need none of
/// them.
///
/// # Errors
/// When it cannot be parsed, or a feature is named where it cannot be resolved.
pub(super) fn resolve(source: &str, features: &[&str]) -> Result<Resolved, String> {
    let is_named =
        |text: &str| features.iter().any(|name| text.contains(&format!("feature = \"{name}\"")));
    if !is_named(source) {
        return Ok(Resolved::Text(source.to_owned()));
    }
    let file = syn::parse_file(source).map_err(|error| error.to_string())?;
    let mut resolver = Resolver { source, features, edits: BTreeSet::new(), error: None };
    if file.attrs.iter().any(|attribute| resolver.evaluate(attribute) == Some(false)) {
        return Ok(Resolved::Nothing);
    }
    resolver.visit_file(&file);
    if let Some(error) = resolver.error {
        return Err(error);
    }
    let mut text = source.to_owned();
    // From the end, so that what is before stays where it is; what is within another goes with it.
    let mut last = usize::MAX;
    let outer: Vec<(usize, usize)> = resolver.edits.iter().copied().collect();
    for &(start, end) in outer.iter().rev() {
        let is_within =
            outer.iter().any(|other| *other != (start, end) && other.0 <= start && end <= other.1);
        if !is_within && end <= last {
            text.replace_range(start..end, "");
            last = start;
        }
    }
    if is_named(&text) {
        return Err("a feature is named where it cannot be resolved, in a macro perhaps".to_owned());
    }
    Ok(Resolved::Text(text))
}

struct Resolver<'a> {
    source: &'a str,
    features: &'a [&'a str],
    /// Where what goes begins and ends.
    edits: BTreeSet<(usize, usize)>,
    error: Option<String>,
}

impl Resolver<'_> {
    /// Whether something with these attributes stays; what goes is noted.
    fn stays(&mut self, node: &impl ToTokens) -> bool {
        let tokens = node.to_token_stream();
        let outer = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            input.parse::<proc_macro2::TokenStream>()?;
            Ok(attributes)
        };
        let Ok(attributes) = outer.parse2(tokens.clone()) else { return true };
        for attribute in &attributes {
            match self.evaluate(attribute) {
                Some(false) => {
                    let range = tokens.span().byte_range();
                    self.remove(range, true);
                    return false;
                }
                Some(true) => self.remove(attribute.span().byte_range(), false),
                None => {}
            }
        }
        true
    }

    /// Whether the attribute's condition holds without the features; nothing if it is none, or of
    /// something else.
    fn evaluate(&mut self, attribute: &Attribute) -> Option<bool> {
        if !attribute.path().is_ident("cfg") {
            return None;
        }
        let condition: Meta = attribute.parse_args().ok()?;
        self.holds(&condition)
    }

    fn holds(&mut self, condition: &Meta) -> Option<bool> {
        match condition {
            Meta::NameValue(pair) if pair.path.is_ident("feature") => {
                let syn::Expr::Lit(literal) = &pair.value else { return None };
                let Lit::Str(name) = &literal.lit else { return None };
                self.features.contains(&name.value().as_str()).then_some(false)
            }
            Meta::List(list) => {
                let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
                let all: Vec<_> = parse.parse2(list.tokens.clone()).ok()?.into_iter().collect();
                let all: Vec<_> = all.iter().map(|one| self.holds(one)).collect();
                let is_known = all.iter().any(Option::is_some);
                let result = if list.path.is_ident("not") {
                    all.first().copied().flatten().map(|holds| !holds)
                } else if list.path.is_ident("all") {
                    if all.contains(&Some(false)) { Some(false) } else { together(&all) }
                } else if list.path.is_ident("any") {
                    if all.contains(&Some(true)) { Some(true) } else { together(&all) }
                } else {
                    return None;
                };
                if result.is_none() && is_known {
                    self.error = Some("a condition names several features".to_owned());
                }
                result
            }
            _ => None,
        }
    }

    /// Notes a range, with the comma and the rest of the line after it.
    fn remove(&mut self, range: Range<usize>, is_whole: bool) {
        let Range { start, mut end } = range;
        let rest = &self.source[end..];
        let after = rest.trim_start();
        if is_whole && after.starts_with(',') {
            end += rest.len() - after.len() + 1;
        }
        let rest = &self.source[end..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        end += blank;
        if self.source[end..].starts_with('\n') {
            end += 1;
        }
        // Its indentation.
        let before = &self.source[..start];
        let mut start = before.trim_end_matches([' ', '\t']).len();
        // The comment right above something is about it.
        while is_whole && start > 0 {
            let above = self.source[..start - 1].rfind('\n').map_or(0, |newline| newline + 1);
            if !self.source[above..start].trim_start().starts_with("// ") {
                break;
            }
            start = above;
        }
        self.edits.insert((start, end));
    }
}

/// What all of them are, if it is the same and known.
fn together(all: &[Option<bool>]) -> Option<bool> {
    let first = all.first().copied().flatten()?;
    all.iter().all(|one| *one == Some(first)).then_some(first)
}

macro_rules! where_attributes_are {
    ($($method:ident $node:ident)*) => {
        impl<'ast> Visit<'ast> for Resolver<'_> {
            $(fn $method(&mut self, node: &'ast syn::$node) {
                if self.stays(node) {
                    visit::$method(self, node);
                }
            })*
        }
    };
}

where_attributes_are!(
    visit_arm Arm
    visit_expr Expr
    visit_field Field
    visit_field_pat FieldPat
    visit_field_value FieldValue
    visit_fn_arg FnArg
    visit_impl_item ImplItem
    visit_item Item
    visit_stmt Stmt
    visit_trait_item TraitItem
    visit_variant Variant
);

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"//! Docs.

#[cfg(feature = "one")]
mod one;
mod two;

/// Docs.
#[cfg(feature = "one")]
pub use one::{A, B};

#[derive(Debug)]
enum E {
    #[cfg(feature = "one")]
    One(std::collections::HashMap<u8, u8>),
    Two,
}

fn f(#[cfg(feature = "one")] a: u8, e: &E) -> u8 {
    #[cfg(feature = "one")]
    g(a);
    // This stays.
    #[cfg(not(feature = "one"))]
    let x = 1;
    // Why.
    // And how.
    #[cfg(all(feature = "one", feature = "three"))]
    if a == 0 {
        return 0;
    }
    match e {
        #[cfg(feature = "one")]
        E::One(_) => {
            0
        }
        E::Two => S {
            #[cfg(feature = "one")]
            a: 1,
            #[cfg(feature = "three")]
            b: x,
        }.b,
    }
}
"#;

    const WITHOUT: &str = r#"//! Docs.

mod two;


#[derive(Debug)]
enum E {
    Two,
}

fn f(e: &E) -> u8 {
    // This stays.
    let x = 1;
    match e {
        E::Two => S {
            #[cfg(feature = "three")]
            b: x,
        }.b,
    }
}
"#;

    #[test]
    fn what_needs_a_feature_goes_with_it() {
        let Resolved::Text(text) = resolve(SOURCE, &["one"]).unwrap() else { unreachable!() };
        let lines = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
        assert_eq!(lines(&text), lines(WITHOUT), "{text}");
        assert_eq!(resolve(SOURCE, &["two"]).unwrap(), Resolved::Text(SOURCE.to_owned()));
        assert_eq!(
            resolve("#![cfg(feature = \"one\")]\nfn f() {}\n", &["one"]).unwrap(),
            Resolved::Nothing
        );
    }

    #[test]
    fn what_cannot_be_resolved_is_refused() {
        for source in [
            "fn f() { m! { #[cfg(feature = \"one\")] a } }",
            "fn f() -> bool { cfg!(feature = \"one\") }",
            "#[cfg(any(feature = \"one\", unix))]\nfn f() {}",
            "#[cfg(feature = \"one\")] fn f( {}",
        ] {
            assert!(resolve(source, &["one"]).is_err(), "{source}");
        }
    }
}
