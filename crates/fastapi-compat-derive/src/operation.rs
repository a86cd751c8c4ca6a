//! Handlers as operations.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{FnArg, Ident, ItemFn, LitInt, LitStr, ReturnType, Token, Type};

use crate::attributes::doc;
use crate::error;

struct Arguments {
    path: LitStr,
    status: Option<LitInt>,
    body: Option<LitStr>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self { path: input.parse()?, status: None, body: None };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "status" => arguments.status = Some(input.parse()?),
                "body" => arguments.body = Some(input.parse()?),
                _ => return Err(error(key, "only `status` and `body` may follow the path")),
            }
        }
        Ok(arguments)
    }
}

pub(crate) fn expand(
    method: &str,
    arguments: TokenStream,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    let Arguments { path, status, body } = syn::parse2(arguments)?;
    let handler: ItemFn = syn::parse2(item)?;
    let (name, visibility) = (&handler.sig.ident, &handler.vis);
    let method = format_ident!("{}", method.to_uppercase());
    let function = name.unraw().to_string();
    let doc = doc(&handler.attrs).unwrap_or_default();
    let status = status.map(|status| {
        quote!(.status(::fastapi_compat::__private::http::StatusCode::from_u16(#status).unwrap_or_default()))
    });
    let body = body.map(|body| quote!(.body_name(#body)));
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
    let validated = call.map(|_| quote!(.validated()));
    let call =
        call.map(|call| quote!(#call: ::fastapi_compat::__private::axum::extract::FromRequest<S>,));
    Ok(quote! {
        #visibility fn #name<S>(
            router: ::fastapi_compat::Router<S>,
        ) -> ::fastapi_compat::Router<S>
        where
            S: Clone + Send + Sync + 'static,
            #(#others: ::fastapi_compat::__private::axum::extract::FromRequestParts<S>,)*
            #call
        {
            #handler
            router.operation(
                ::fastapi_compat::__private::Outline::new(::fastapi_compat::__private::http::Method::#method, #path, #function)
                    .description(#doc)
                    #status
                    #body
                    #validated
                    .describes::<#inputs, ::fastapi_compat::__private::Answer<#answer>>(),
                #name,
            )
        }
    })
}

fn is_call(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|s| s.ident == "Call"))
}
