//! Handlers as operations.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{FnArg, Ident, ItemFn, LitStr, Path, ReturnType, Token, Type, Visibility};

use crate::arguments::Arguments;
use crate::attributes::doc;
use crate::error::error;
use crate::path::path_parameters;
use crate::signature::{HasImpl, assertions};
use crate::to_schema::known;
use crate::written::written;

/// The method that an outline begins with, which others replace.
fn first_method(attribute: &str) -> Ident {
    match attribute {
        "api_route" | "websocket" => format_ident!("GET"),
        method => format_ident!("{}", method.to_uppercase()),
    }
}

/// The call of `Outline` that replaces its method.
fn chosen_methods(attribute: &str, methods: &[LitStr], path: &LitStr) -> syn::Result<TokenStream> {
    match (attribute, methods) {
        ("websocket", []) => Ok(quote!(.websocket())),
        ("api_route", []) => Err(error(path, "say `methods = [\"GET\", …]` after the path")),
        ("api_route", methods) => {
            const KNOWN: [&str; 8] =
                ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
            let idents = methods.iter().map(|method| {
                let name = method.value();
                if KNOWN.contains(&name.as_str()) {
                    Ok(format_ident!("{name}"))
                } else {
                    Err(error(method, &format!("a method is one of {}", KNOWN.join(", "))))
                }
            });
            let idents = idents.collect::<syn::Result<Vec<_>>>()?;
            Ok(quote!(.methods([#(private::http::Method::#idents),*])))
        }
        (_, []) => Ok(quote!()),
        (_, [method, ..]) => {
            Err(error(method, "several methods are for `#[api_route(\"/\", methods = [\"GET\"])]`"))
        }
    }
}

/// The name of the type beside a handler: that of utoipa's attribute.
fn marker(name: &Ident) -> Ident {
    format_ident!("__path_{}", name.unraw(), span = name.span())
}

pub(crate) fn expand(
    method: &str,
    arguments: TokenStream,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    let arguments: Arguments = syn::parse2(arguments)?;
    let handler: ItemFn = syn::parse2(item)?;
    let operation = operation(method, arguments, &handler);
    // The function stays even if there is something wrong: one error is enough.
    let operation = operation.unwrap_or_else(|error| error.to_compile_error());
    Ok(quote!(#handler #operation))
}

fn operation(method: &str, arguments: Arguments, handler: &ItemFn) -> syn::Result<TokenStream> {
    let Arguments { path, prefix_parameters, name: function, methods, is_webhook, outline } =
        arguments;
    let path = &path;
    let chosen = chosen_methods(method, &methods, path)?;
    let outline = quote!(#outline #chosen);
    let (name, visibility) = (&handler.sig.ident, &handler.vis);
    if !handler.sig.generics.params.is_empty() {
        let message = "an operation cannot be generic: its types stand in the document; write a \
                       function for each";
        return Err(error(&handler.sig.generics, message));
    }
    if handler.sig.asyncness.is_none() {
        return Err(error(handler.sig.fn_token, "a handler is an `async fn`"));
    }
    let parameters = path_parameters(path, is_webhook)?;
    let method = first_method(method);
    let function = function.unwrap_or_else(|| name.unraw().to_string());
    let description = doc(&handler.attrs).map(|doc| quote!(.description(#doc)));
    let ReturnType::Type(_, answer) = &handler.sig.output else {
        return Err(error(name, "a handler needs an answer, such as `-> Json<Item>`"));
    };
    // What it is, only the compiler knows.
    let mut has_impl = HasImpl(false);
    has_impl.visit_type(answer);
    let (answer, known, written) = if has_impl.0 {
        (quote!(::fastapi_compat::__private::axum::response::Response), None, None)
    } else {
        (answer.to_token_stream(), Some(known(answer)), Some(written(answer, &[])?))
    };

    let types = handler.sig.inputs.iter().map(|argument| match argument {
        FnArg::Typed(argument) => Ok(&*argument.ty),
        FnArg::Receiver(receiver) => Err(error(receiver, "a handler is a function of its own")),
    });
    let types = types.collect::<syn::Result<Vec<_>>>()?;
    for ty in &types {
        let mut has_impl = HasImpl(false);
        has_impl.visit_type(ty);
        if has_impl.0 {
            return Err(error(ty, "an argument of a handler needs a type with a name"));
        }
    }
    let marker = marker(name);
    let checks =
        types.iter().map(|ty| quote_spanned!(ty.span()=> private::Probe::<#ty>::new().check();));
    let is_call = last_is_call(&types);
    let assertions = assertions(name, path, &parameters, prefix_parameters, &types);
    let for_utoipa = for_utoipa(&marker);
    let visibility = match visibility {
        Visibility::Inherited => quote!(),
        visibility => visibility.to_token_stream(),
    };
    Ok(quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types)] // called as the function
        #[derive(Clone, Copy)]
        #visibility struct #marker;

        const _: () = {
            use ::fastapi_compat::__private as private;
            #[allow(unused_imports)] // by handlers of which all types are known
            use private::{Unknown as _, UnknownAnswer as _};

            impl ::fastapi_compat::PathOperation for #marker {
                fn outline() -> private::Outline {
                    let mut outline = private::Outline::new(private::http::Method::#method, #path, #function)
                        #description
                        #outline;
                    if #is_call {
                        outline = outline.validated();
                    }
                    if private::AnswerProbe::<#answer>::SETS_STATUS {
                        outline = outline.sets_status();
                    }
                    outline.described_by(
                        0 #(+ private::Probe::<#types>::PATH_PARAMETERS)*,
                        |operation| {
                            #((private::Probe::<#types>::DESCRIBE)(operation);)*
                            #known
                            <private::Answer<#answer> as private::Describe<_>>::describe(operation);
                        },
                    )
                }
            }

            #for_utoipa

            #[allow(dead_code, clippy::unused_unit)] // it is compiled, never called
            fn check() {
                #(#checks)*
            }

            #assertions

            #written
        };
    })
}

/// What utoipa-axum's `routes!` and `OpenApiRouter` require of the type beside a handler.
fn for_utoipa(marker: &Ident) -> TokenStream {
    quote! {
        impl private::utoipa::Path for #marker {
            fn methods() -> ::std::vec::Vec<private::utoipa::openapi::path::HttpMethod> {
                <Self as ::fastapi_compat::PathOperation>::outline().plain_methods()
            }

            fn path() -> ::std::string::String {
                <Self as ::fastapi_compat::PathOperation>::outline().plain_path()
            }

            fn operation() -> private::utoipa::openapi::path::Operation {
                <Self as ::fastapi_compat::PathOperation>::outline().plain().0
            }
        }

        impl private::utoipa::__dev::SchemaReferences for #marker {
            fn schemas(
                schemas: &mut ::std::vec::Vec<(::std::string::String, private::RefOrSchema)>,
            ) {
                schemas.extend(<Self as ::fastapi_compat::PathOperation>::outline().plain().1);
            }
        }

        impl<'t> private::utoipa::__dev::Tags<'t> for #marker {
            fn tags() -> ::std::vec::Vec<&'t str> {
                ::std::vec::Vec::new()
            }
        }
    }
}

/// Whether the last argument is `Call`, as an expression.
fn last_is_call(types: &[&Type]) -> TokenStream {
    types.last().map_or_else(|| quote!(false), |last| quote!(private::Probe::<#last>::IS_CALL))
}

/// The handlers of `routes![read_items, items::create_item]`.
struct Handlers(Punctuated<Path, Token![,]>);

impl Parse for Handlers {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Punctuated::parse_terminated_with(input, Path::parse_mod_style).map(Self)
    }
}

pub(crate) fn routes(input: TokenStream) -> syn::Result<TokenStream> {
    let Handlers(handlers) = syn::parse2(input)?;
    let with = handlers.iter().map(|handler| {
        let mut path = handler.clone();
        if let Some(last) = path.segments.last_mut() {
            last.ident = marker(&last.ident);
        }
        quote!(.with_each((&::fastapi_compat::__private::Marker::<#path>::new()).outlines(), &#handler))
    });
    Ok(quote! {{
        #[allow(unused_imports)] // by no operation
        use ::fastapi_compat::__private::{OwnOutline as _, UtoipaOutline as _};
        ::fastapi_compat::Routes::new()#(#with)*
    }})
}
