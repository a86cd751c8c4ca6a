//! Handlers as operations.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{FnArg, Ident, ItemFn, LitInt, LitStr, ReturnType, Token, Type};

use crate::attributes::doc;
use crate::{error, known};

struct Arguments {
    path: LitStr,
    /// The function's in Python, if it is not the handler's.
    name: Option<String>,
    /// Calls of `Outline`'s methods.
    outline: TokenStream,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self { path: input.parse()?, name: None, outline: TokenStream::new() };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let key: Ident = input.parse()?;
            if key == "deprecated" {
                arguments.outline.extend(quote!(.deprecated()));
                continue;
            }
            input.parse::<Token![=]>()?;
            arguments.outline.extend(match key.to_string().as_str() {
                "status" => {
                    let status: LitInt = input.parse()?;
                    quote!(.status(::fastapi_compat::__private::http::StatusCode::from_u16(#status).unwrap_or_default()))
                }
                "name" => {
                    arguments.name = Some(input.parse::<LitStr>()?.value());
                    continue;
                }
                "body" => {
                    let name: LitStr = input.parse()?;
                    quote!(.body_name(#name))
                }
                "id" | "summary" | "description" | "answer" => {
                    let text: LitStr = input.parse()?;
                    quote!(.#key(#text))
                }
                _ => {
                    let known = "`name`, `id`, `status`, `summary`, `description`, `answer`, `body`, `deprecated`";
                    return Err(error(key, &format!("only {known} may follow the path")));
                }
            });
        }
        Ok(arguments)
    }
}

pub(crate) fn expand(
    method: &str,
    arguments: TokenStream,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    let Arguments { path, name: function, outline } = syn::parse2(arguments)?;
    let handler: ItemFn = syn::parse2(item)?;
    let (name, visibility) = (&handler.sig.ident, &handler.vis);
    let method = format_ident!("{}", method.to_uppercase());
    let function = function.unwrap_or_else(|| name.unraw().to_string());
    let description = doc(&handler.attrs).map(|doc| quote!(.description(#doc)));
    let ReturnType::Type(_, answer) = &handler.sig.output else {
        return Err(error(name, "a handler needs an answer, such as `-> Json<Item>`"));
    };

    let types = handler.sig.inputs.iter().map(|argument| match argument {
        FnArg::Typed(argument) => Ok(&*argument.ty),
        FnArg::Receiver(receiver) => Err(error(receiver, "a handler is a function of its own")),
    });
    let types = types.collect::<syn::Result<Vec<_>>>()?;
    let unit = Type::Verbatim(quote!(()));
    let (call, others) = match types.split_last() {
        Some((last, others)) if is_call(last) => (Some(*last), others),
        _ => (None, types.as_slice()),
    };
    let inputs = call.unwrap_or(&unit);
    let known = [known(inputs), known(answer)].into_iter().collect::<TokenStream>();
    let validated = call.map(|_| quote!(.validated()));
    let call = call.map(
        |call| quote!(#call: ::fastapi_compat::__private::axum::extract::FromRequest<__State>,),
    );
    Ok(quote! {
        #visibility fn #name<__State>(
            router: ::fastapi_compat::Router<__State>,
        ) -> ::fastapi_compat::Router<__State>
        where
            __State: Clone + Send + Sync + 'static,
            #(#others: ::fastapi_compat::__private::axum::extract::FromRequestParts<__State>,)*
            #call
        {
            #handler
            router.operation(
                ::fastapi_compat::__private::Outline::new(::fastapi_compat::__private::http::Method::#method, #path, #function)
                    #description
                    #outline
                    #validated
                    .known(|| {
                        use ::fastapi_compat::__private as private;
                        #known
                    })
                    .describes::<#inputs, ::fastapi_compat::__private::Answer<#answer>, _, _>(),
                #name,
            )
        }
    })
}

fn is_call(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|s| s.ident == "Call"))
}
