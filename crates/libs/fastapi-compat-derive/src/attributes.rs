//! The attributes of fields, variants and types.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, ExprUnary, Ident, Lit, Meta, Token, Type, UnOp,
};

use crate::error;

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

/// A validator around the rules stands alone: in Python the order of the declarations would say which
/// of several comes first.
pub(crate) fn refuse_more_than_wrap(items: &[Item]) -> syn::Result<()> {
    let other = ["before", "after"].into_iter().find_map(|key| expression(items, key));
    match (expression(items, "wrap"), other) {
        (Some(_), Some(other)) => {
            let message = "`wrap` stands without `before` and `after`: what they do is done before and \
                           after its function calls the handler";
            Err(error(other, message))
        }
        _ => Ok(()),
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

const NO_ATTRIBUTE: &str = "no attribute of a schema in this position, or its value is missing; the \
                            documentation of fastapi_compat::Decode lists them all";

/// Refuses attributes of ours that have no effect in this position; those of `known` have one.
pub(crate) fn refuse_other_schema(items: &[Item], known: &[&str]) -> syn::Result<()> {
    let other = items.iter().find(|item| {
        let key = item.key.to_string();
        // `#[decode(schema = false)]` has its effect before.
        item.namespace == Namespace::Schema && key != "schema" && !known.contains(&key.as_str())
    });
    other.map_or(Ok(()), |item| Err(error(&item.key, NO_ATTRIBUTE)))
}

/// The constraints of a field, of a variant or of a newtype.
pub(crate) struct Constraints {
    values: Vec<TokenStream>,
    keys: Vec<Ident>,
}

impl Constraints {
    /// Reads the constraints; `others` are the keys with a value that may stand beside them.
    pub(crate) fn read(items: &[Item], others: &[&str]) -> syn::Result<Self> {
        let (mut constraints, mut keys) = (Vec::new(), Vec::new());
        for item @ Item { key, value, .. } in
            items.iter().filter(|item| item.namespace == Namespace::Schema)
        {
            let value = match (key.to_string().as_str(), value) {
                ("ge" | "le" | "gt" | "lt" | "multiple_of", Some(value)) => {
                    let number = number(value);
                    quote!(::core::option::Option::Some(#number))
                }
                (
                    "min_length" | "max_length" | "max_digits" | "decimal_places" | "storable"
                    | "allow_inf_nan",
                    Some(value),
                ) => quote!(::core::option::Option::Some(#value)),
                ("pattern", Some(value)) => {
                    let pattern = pattern(value)?;
                    quote!(::core::option::Option::Some(#pattern))
                }
                ("strip_whitespace" | "to_lower" | "to_upper" | "strict", None) => quote!(true),
                ("nullable", Some(_)) if others.contains(&"nullable") => {
                    if is_false(std::slice::from_ref(item), "nullable")? {
                        constraints.push(quote!(not_null: true));
                    }
                    continue;
                }
                (name, Some(_)) if others.contains(&name) => continue,
                _ => {
                    return Err(error(key, NO_ATTRIBUTE));
                }
            };
            constraints.push(quote!(#key: #value));
            keys.push(key.clone());
        }
        Ok(Self { values: constraints, keys })
    }

    /// Compiles if values of the type have what is constrained.
    pub(crate) fn check(&self, ty: &Type) -> TokenStream {
        let checks = self.keys.iter().map(|key| {
            let (accepts, of) = match key.to_string().as_str() {
                "min_length" | "max_length" => ("LENGTH", "strings, lists, sets, dicts and URLs"),
                "ge" | "le" | "gt" | "lt" => ("BOUNDS", "numbers, dates and times"),
                "multiple_of" => ("MULTIPLE", "numbers"),
                "max_digits" | "decimal_places" => ("DIGITS", "decimals"),
                "allow_inf_nan" => ("INFINITY", "floats and decimals"),
                "strict" => {
                    ("STRICT", "what has a JSON type of its own: strings, numbers, booleans")
                }
                _ => ("TEXT", "strings"),
            };
            let accepts = Ident::new(accepts, key.span());
            let name = ty.to_token_stream().to_string().replace(' ', "");
            let message = format!(
                "`{key}` does not constrain a value of type `{name}`, but {of}; what a type with \
                 constraints of its own demands stands at its declaration"
            );
            let message = message.replace('{', "{{").replace('}', "}}");
            quote_spanned! {key.span()=>
                const _: () = assert!(
                    private::Accepted::<#ty>::ACCEPTS.has(private::Accepts::#accepts),
                    #message
                );
            }
        });
        quote! {
            #[allow(unused_imports)]
            use private::AcceptsAny as _;
            #(#checks)*
        }
    }
}

/// A reference to constants that live as long as the program.
impl ToTokens for Constraints {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let constraints = &self.values;
        if constraints.is_empty() {
            tokens.extend(quote!(&private::Constraints::NONE));
            return;
        }
        tokens.extend(quote!({
            static CONSTRAINTS: private::Constraints = private::Constraints {
                #(#constraints,)*
                ..private::Constraints::NONE
            };
            &CONSTRAINTS
        }));
    }
}

/// A number as an integer, as a float and as it stands in the code.
fn number(value: &Expr) -> TokenStream {
    let (sign, literal) = match value {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => ("-", &**expr),
        value => ("", value),
    };
    let text = match literal {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) => literal.base10_digits().to_owned(),
        Expr::Lit(ExprLit { lit: Lit::Float(literal), .. }) => literal.base10_digits().to_owned(),
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => {
            let text = literal.value();
            return quote!(private::Number { text: #text, int: 0, float: 0.0 });
        }
        _ => {
            return quote!(private::Number {
                text: "", int: (#value) as i64, float: (#value) as f64,
            });
        }
    };
    let text = format!("{sign}{text}");
    let float: f64 = text.parse().unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "a bound of a float is no integer")]
    let int = text.parse().unwrap_or(float as i64);
    quote!(private::Number { text: #text, int: #int, float: #float })
}

fn pattern(value: &Expr) -> syn::Result<TokenStream> {
    let Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) = value else {
        return Err(error(value, "the pattern must stand here as a string"));
    };
    if let Err(reason) = regex_syntax::Parser::new().parse(&literal.value()) {
        return Err(error(literal, &format!("no regular expression: {reason}")));
    }
    Ok(quote!({
        static PATTERN: private::Pattern = private::Pattern {
            text: #literal,
            regex: ::std::sync::LazyLock::new(|| private::regex(#literal)),
        };
        &PATTERN
    }))
}

/// Refuses attributes of serde that the derives do not know: ignored, they would be a surprise.
pub(crate) fn refuse_other_serde(items: &[Item], known: &[&str]) -> syn::Result<()> {
    /// Those whose parts may be named apart.
    const PARTS: [&str; 2] = ["rename", "rename_all"];
    /// What only concerns writing.
    const WRITING: [&str; 6] =
        ["untagged", "serialize_with", "skip_serializing_if", "crate", "bound", "into"];
    let other = items.iter().find(|item| {
        let name = item.key.to_string();
        let is_known = known.contains(&name.as_str())
            && (item.group.is_none()
                || (PARTS.contains(&name.as_str()) && known.contains(&"deserialize")));
        item.namespace == Namespace::Serde && !is_known && !WRITING.contains(&name.as_str())
    });
    let Some(Item { key, .. }) = other else { return Ok(()) };
    let instead = match key.to_string().as_str() {
        "default" => "write `#[schema(default = …)]` or `#[schema(default_factory = …)]`",
        "flatten" => {
            "write the fields here, as they stand on the wire; all others are kept by one \
                      field, `#[serde(flatten)] extra: IndexMap<String, Value>`"
        }
        "alias" => "only fields of models have several names",
        "rename" | "rename_all" => "it has one name here, `rename = \"…\"`",
        _ => "it is not supported",
    };
    Err(error(key, &format!("serde's `{key}` would not be heeded here: {instead}")))
}

/// How serde's `rename_all` writes the names of fields and variants.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    AsItStands,
    Lower,
    Upper,
    /// Whether the first word is capitalised.
    Joined(bool),
    Separated(char, bool),
}

impl Case {
    pub(crate) fn read(items: &[Item]) -> syn::Result<Self> {
        Self::read_part(items, "deserialize")
    }

    /// The case of `rename_all = "…"`, or of a part of it, `rename_all(serialize = "…")`.
    pub(crate) fn read_part(items: &[Item], name: &str) -> syn::Result<Self> {
        let found = items
            .iter()
            .find(|item| item.namespace == Namespace::Serde && item.key == "rename_all");
        let Some(item) = found else { return Ok(Self::AsItStands) };
        Ok(match part(items, "rename_all", name).as_deref() {
            None if item.group.is_some() => Self::AsItStands,
            Some("lowercase") => Self::Lower,
            Some("UPPERCASE") => Self::Upper,
            Some("PascalCase") => Self::Joined(true),
            Some("camelCase") => Self::Joined(false),
            Some("snake_case") => Self::Separated('_', false),
            Some("SCREAMING_SNAKE_CASE") => Self::Separated('_', true),
            Some("kebab-case") => Self::Separated('-', false),
            Some("SCREAMING-KEBAB-CASE") => Self::Separated('-', true),
            _ => return Err(error(&item.key, "no case that serde knows")),
        })
    }

    /// Writes `dark_blue` or `DarkBlue` in this case.
    pub(crate) fn apply(self, name: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        for part in name.split('_') {
            for (index, c) in part.chars().enumerate() {
                match words.last_mut() {
                    Some(word) if index > 0 && !c.is_uppercase() => word.push(c),
                    _ => words.push(c.to_string()),
                }
            }
        }
        let capitalised = |word: &str| {
            let mut chars = word.chars();
            let first = chars.next().map(|c| c.to_uppercase().to_string());
            first.unwrap_or_default() + chars.as_str()
        };
        match self {
            Self::AsItStands => name.to_owned(),
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
            Self::Joined(first) => words
                .iter()
                .enumerate()
                .map(|(index, word)| {
                    let word = word.to_lowercase();
                    if first || index > 0 { capitalised(&word) } else { word }
                })
                .collect(),
            Self::Separated(separator, upper) => {
                let name = words.join(&separator.to_string());
                if upper { name.to_uppercase() } else { name.to_lowercase() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Case;

    #[test]
    fn names_are_written_as_serde_writes_them() {
        for (case, field, variant) in [
            (Case::AsItStands, "dark_blue", "DarkBlue"),
            (Case::Joined(false), "darkBlue", "darkBlue"),
            (Case::Joined(true), "DarkBlue", "DarkBlue"),
            (Case::Separated('_', false), "dark_blue", "dark_blue"),
            (Case::Separated('-', true), "DARK-BLUE", "DARK-BLUE"),
        ] {
            assert_eq!(case.apply("dark_blue"), field);
            assert_eq!(case.apply("DarkBlue"), variant);
        }
    }
}
