//! The arguments of `#[get("/", …)]` and its like.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, LitBool, LitInt, LitStr, Token, bracketed};

use crate::error::error;

/// The arguments of an operation's attribute.
pub(crate) struct Arguments {
    pub(crate) path: LitStr,
    /// How many parameters the prefixes of the path will have.
    pub(crate) prefix_parameters: usize,
    /// The function's in Python, if it is not the handler's.
    pub(crate) name: Option<String>,
    /// Those of `api_route`.
    pub(crate) methods: Vec<LitStr>,
    /// Whether the path is only a name.
    pub(crate) is_webhook: bool,
    /// Calls of `Outline`'s methods.
    pub(crate) outline: TokenStream,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self {
            path: input.parse()?,
            prefix_parameters: 0,
            name: None,
            methods: Vec::new(),
            is_webhook: false,
            outline: TokenStream::new(),
        };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let key: Ident = input.parse()?;
            if key == "deprecated" {
                arguments.outline.extend(quote!(.deprecated()));
                continue;
            }
            if key == "webhook" {
                arguments.is_webhook = true;
                continue;
            }
            input.parse::<Token![=]>()?;
            arguments.outline.extend(match key.to_string().as_str() {
                "status" => {
                    let status: LitInt = input.parse()?;
                    let of_u16 =
                        quote!(::fastapi_compat::__private::http::StatusCode::from_u16(#status));
                    quote!(.status(#of_u16.unwrap_or_default()))
                }
                "prefix_parameters" => {
                    arguments.prefix_parameters = input.parse::<LitInt>()?.base10_parse()?;
                    continue;
                }
                "name" => {
                    arguments.name = Some(input.parse::<LitStr>()?.value());
                    continue;
                }
                "body" => {
                    let name: LitStr = input.parse()?;
                    quote!(.body_name(#name))
                }
                "methods" => {
                    arguments.methods = texts(input)?;
                    continue;
                }
                "tags" => {
                    let tags = texts(input)?;
                    quote!(.tags([#(#tags),*]))
                }
                "include_in_schema" => {
                    let is_included: LitBool = input.parse()?;
                    if is_included.value { quote!() } else { quote!(.hidden()) }
                }
                "responses" | "callbacks" | "openapi_extra" => {
                    let value: Expr = input.parse()?;
                    quote!(.#key(#value))
                }
                "id" | "summary" | "description" | "answer" => {
                    let text: LitStr = input.parse()?;
                    quote!(.#key(#text))
                }
                _ => {
                    let known = "`name`, `id`, `methods`, `status`, `tags`, `summary`, `description`, \
                                 `answer`, `body`, `deprecated`, `responses`, `callbacks`, \
                                 `openapi_extra`, `include_in_schema`, `webhook`, \
                                 `prefix_parameters`";
                    return Err(error(key, &format!("only {known} may follow the path")));
                }
            });
        }
        Ok(arguments)
    }
}

/// `["a", "b"]`
fn texts(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let inner;
    bracketed!(inner in input);
    let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&inner)?;
    Ok(texts.into_iter().collect())
}
