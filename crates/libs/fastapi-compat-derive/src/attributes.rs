//! The attributes of fields, variants and types.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Expr, ExprLit, Ident, Lit, Meta, Token};

use crate::error::error;

/// `key`, `key = value` or `key(key = value, …)` in an attribute; only values that are expressions are
/// kept.
pub(crate) struct Item {
    pub key: Ident,
    pub value: Option<Expr>,
    /// What stands in parentheses.
    pub group: Option<Vec<Self>>,
    pub namespace: Namespace,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespace {
    Schema,
    Serde,
}

struct Parsed(Ident, Option<Expr>, Option<Vec<Self>>);

impl Parse for Parsed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let (mut value, mut group) = (None, None);
        if input.peek(syn::token::Paren) {
            let tokens = input.parse::<proc_macro2::Group>()?.stream();
            // What is no list of keys is not ours.
            let inner = Punctuated::<Self, Token![,]>::parse_terminated.parse2(tokens);
            group = Some(inner.map(|inner| inner.into_iter().collect()).unwrap_or_default());
        } else if input.parse::<Option<Token![=]>>()?.is_some() {
            value = Some(input.parse()?);
        }
        Ok(Self(key, value, group))
    }
}

impl Parsed {
    fn into_item(self, namespace: Namespace) -> Item {
        let Self(key, value, group) = self;
        let group =
            group.map(|group| group.into_iter().map(|inner| inner.into_item(namespace)).collect());
        Item { key, value, group, namespace }
    }
}

/// Everything that stands in our attributes, in order.
pub(crate) fn items(attributes: &[Attribute]) -> syn::Result<Vec<Item>> {
    let mut items = Vec::new();
    for attribute in attributes {
        let namespace = match attribute.path().get_ident().map(ToString::to_string).as_deref() {
            Some("schema" | "decode") => Namespace::Schema,
            Some("serde") => Namespace::Serde,
            _ => continue,
        };
        let parsed =
            attribute.parse_args_with(Punctuated::<Parsed, Token![,]>::parse_terminated)?;
        items.extend(parsed.into_iter().map(|parsed| parsed.into_item(namespace)));
    }
    Ok(items)
}

/// Whether utoipa's derive gives the schema: `#[decode(schema = false)]`.
pub(crate) fn leaves_schema(attributes: &[Attribute]) -> syn::Result<bool> {
    let is_false = |item: &Item| matches!(&item.value, Some(Expr::Lit(ExprLit { lit: Lit::Bool(given), .. })) if !given.value);
    let own = attributes.iter().filter(|attribute| attribute.path().is_ident("decode")).cloned();
    let own = items(&own.collect::<Vec<_>>())?;
    Ok(own.iter().any(|item| item.key == "schema" && is_false(item)))
}

/// Takes out the attributes of utoipa's derive, which are called as ours.
pub(crate) fn without_schema(mut input: DeriveInput) -> DeriveInput {
    let strip = |attributes: &mut Vec<Attribute>| {
        attributes.retain(|attribute| !attribute.path().is_ident("schema"));
    };
    strip(&mut input.attrs);
    match &mut input.data {
        Data::Struct(data) => data.fields.iter_mut().for_each(|field| strip(&mut field.attrs)),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                strip(&mut variant.attrs);
                variant.fields.iter_mut().for_each(|field| strip(&mut field.attrs));
            }
        }
        Data::Union(_) => {}
    }
    input
}

/// The text of `key = "text"` in a namespace.
pub(crate) fn text(items: &[Item], namespace: Namespace, key: &str) -> Option<String> {
    items.iter().find_map(|item| match &item.value {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. }))
            if item.namespace == namespace && item.key == key =>
        {
            Some(text.value())
        }
        _ => None,
    })
}

/// The text of `key(part = "text")` or, for both parts, of `key = "text"`, in serde's attributes.
pub(crate) fn part(items: &[Item], key: &str, part: &str) -> Option<String> {
    let whole = text(items, Namespace::Serde, key);
    whole.or_else(|| {
        let mut groups = items.iter().filter(|item| item.namespace == Namespace::Serde);
        let group = groups.find(|item| item.key == key && item.group.is_some())?;
        text(group.group.as_deref()?, Namespace::Serde, part)
    })
}

/// The texts of all `key = "text"` in serde's attributes.
pub(crate) fn texts(items: &[Item], key: &str) -> Vec<String> {
    let named = items.iter().filter(|item| item.namespace == Namespace::Serde && item.key == key);
    named.filter_map(|item| text(std::slice::from_ref(item), Namespace::Serde, key)).collect()
}

/// The expression of `key = expression` in our attributes.
pub(crate) fn expression<'i>(items: &'i [Item], key: &str) -> Option<&'i Expr> {
    let mut ours = items.iter().filter(|item| item.namespace == Namespace::Schema);
    ours.find(|item| item.key == key)?.value.as_ref()
}

/// Whether `key = false` stands in our attributes.
pub(crate) fn is_false(items: &[Item], key: &str) -> syn::Result<bool> {
    match expression(items, key) {
        None => Ok(false),
        Some(Expr::Lit(ExprLit { lit: Lit::Bool(given), .. })) => Ok(!given.value),
        Some(other) => Err(error(other, "`true` or `false` stands here")),
    }
}

/// Code for the optional function `key = path` of our attributes.
pub(crate) fn function(items: &[Item], key: &str) -> TokenStream {
    expression(items, key).map_or_else(
        || quote!(::core::option::Option::None),
        |path| quote!(::core::option::Option::Some(#path)),
    )
}

/// The last name of the path of the function `key = path`.
pub(crate) fn function_name(items: &[Item], key: &str) -> Option<String> {
    match expression(items, key)? {
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.unraw().to_string()),
        _ => Some("<lambda>".to_owned()),
    }
}

pub(crate) fn has_flag(items: &[Item], namespace: Namespace, key: &str) -> bool {
    items.iter().any(|item| item.namespace == namespace && item.key == key)
}

/// The doc comment, as Python would clean it.
pub(crate) fn doc(attributes: &[Attribute]) -> Option<String> {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// What the document shows beside the schema, as JSON: the doc comment, the format, and `extra`.
pub(crate) fn notes(attributes: &[Attribute]) -> syn::Result<TokenStream> {
    let items = items(attributes)?;
    let named =
        [("description", doc(attributes)), ("format", text(&items, Namespace::Schema, "format"))];
    let named = named
        .into_iter()
        .filter_map(|(key, text)| text.map(|text| quote!(notes[#key] = #text.into();)));
    let extra =
        items.iter().filter(|item| item.namespace == Namespace::Schema && item.key == "extra");
    let extra = extra
        .filter_map(|item| item.value.as_ref())
        .map(|extra| quote!({
            if let (private::serde_json::Value::Object(notes), private::serde_json::Value::Object(extra)) =
                (&mut notes, #extra)
            {
                notes.extend(extra);
            }
        }));
    let notes: Vec<_> = named.chain(extra).collect();
    if notes.is_empty() {
        return Ok(quote!(private::serde_json::Value::Null));
    }
    Ok(quote!({
        let mut notes = private::serde_json::json!({});
        #(#notes)*
        notes
    }))
}

/// What a type is called in Python: as in Rust, or as `#[serde(rename = "…")]` has it.
pub(crate) fn title(input: &DeriveInput) -> syn::Result<String> {
    let renamed = text(&items(&input.attrs)?, Namespace::Serde, "rename");
    Ok(renamed.unwrap_or_else(|| input.ident.unraw().to_string()))
}

/// What the component of a type is called: as the type in Python, or as `#[schema(component = "…")]`
/// has it.
pub(crate) fn component(input: &DeriveInput) -> syn::Result<String> {
    let named = text(&items(&input.attrs)?, Namespace::Schema, "component");
    named.map_or_else(|| title(input), Ok)
}
