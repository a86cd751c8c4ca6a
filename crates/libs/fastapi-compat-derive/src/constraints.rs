//! The constraints in attributes, as code.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, ExprUnary, Ident, Lit, Type, UnOp};

use crate::attributes::{Item, Namespace, is_false};
use crate::error::error;
use crate::refused::NO_ATTRIBUTE;

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
