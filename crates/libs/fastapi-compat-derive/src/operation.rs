//! Handlers as operations.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{
    Expr, FnArg, Ident, ItemFn, LitBool, LitInt, LitStr, Path, ReturnType, Token, Type,
    TypeImplTrait, Visibility, bracketed,
};

use crate::attributes::doc;
use crate::{error, known, written};

struct Arguments {
    path: LitStr,
    /// How many parameters the prefixes of the path will have.
    prefix_parameters: usize,
    /// The function's in Python, if it is not the handler's.
    name: Option<String>,
    /// Those of `api_route`.
    methods: Vec<LitStr>,
    /// Whether the path is only a name.
    is_webhook: bool,
    /// Calls of `Outline`'s methods.
    outline: TokenStream,
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
                    quote!(.status(::fastapi_compat::__private::http::StatusCode::from_u16(#status).unwrap_or_default()))
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

/// A segment that is a parameter for axum and literal text for Starlette, and what to write instead.
fn foreign_parameter(segment: &str) -> Option<(String, String)> {
    let braced = segment.strip_prefix("{*").and_then(|rest| rest.strip_suffix('}'));
    if let Some(name) = braced {
        return Some((format!("axum's `{segment}`"), format!("{{{name}:path}}")));
    }
    let (kind, name) = segment.split_at_checked(1).filter(|(_, name)| !name.is_empty())?;
    let right = match kind {
        ":" => format!("{{{name}}}"),
        "*" => format!("{{{name}:path}}"),
        _ => return None,
    };
    Some((format!("`{segment}` of axum before 0.8"), right))
}

/// The parameters of a path as Starlette reads them, `{name}` or `{name:convertor}`.
fn path_parameters(path: &LitStr, is_webhook: bool) -> syn::Result<Vec<String>> {
    let (text, mut names) = (path.value(), Vec::new());
    // A callback's begins with an expression, `{$callback_url}`.
    let is_path = text.is_empty() || text.starts_with('/') || text.starts_with("{$");
    if !is_path && !is_webhook {
        return Err(error(path, "a path begins with `/`"));
    }
    if let Some((wrong, right)) = text.split('/').find_map(foreign_parameter) {
        let message = format!(
            "{wrong} would be literal text: a parameter is written `{right}` here, as in Starlette"
        );
        return Err(error(path, &message));
    }
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once('{') {
        rest = after;
        let Some((inner, after)) = rest.split_once('}') else { break };
        let (name, convertor) = inner.split_once(':').unwrap_or((inner, "str"));
        if !is_name(name) || !is_name(convertor) {
            continue;
        }
        if !["str", "path", "int", "float", "uuid"].contains(&convertor) {
            let message = format!(
                "unknown path convertor `{convertor}`: Starlette has `str`, `path`, `int`, `float` \
                 and `uuid`"
            );
            return Err(error(path, &message));
        }
        if names.iter().any(|other| other == name) {
            return Err(error(path, &format!("the parameter `{name}` stands twice in the path")));
        }
        names.push(name.to_owned());
        rest = after;
    }
    Ok(names)
}

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

/// Whether there is an `impl Trait` in a type.
struct HasImpl(bool);

impl Visit<'_> for HasImpl {
    fn visit_type_impl_trait(&mut self, _: &TypeImplTrait) {
        self.0 = true;
    }
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

/// What is wrong with a signature, as compile errors.
fn assertions(
    name: &Ident,
    path: &LitStr,
    parameters: &[String],
    prefix_parameters: usize,
    types: &[&Type],
) -> TokenStream {
    let count = parameters.len() + prefix_parameters;
    let route = path.value();
    let names = parameters.join(", ");
    let has = match (count, prefix_parameters) {
        (0, _) => "no path parameters".to_owned(),
        (1, 0) => "one path parameter".to_owned(),
        (_, 0) => format!("{count} path parameters"),
        _ => format!("{count} path parameters with those of its prefix"),
    };
    let write = match (parameters, prefix_parameters) {
        ([], 0) => "leave `Path` away".to_owned(),
        ([one], 0) => format!("write `Path({one}): Path<T>`"),
        (_, 0) => {
            let types: Vec<_> = ('A'..='Z').take(count).map(String::from).collect();
            format!("write `Path(({names})): Path<({})>`", types.join(", "))
        }
        _ => format!("write `Path<(…)>` with {count} types"),
    };
    let arity = format!(
        "the route `{route}` of `{name}` has {has}, and its `Path` takes another number: {write}; \
         parameters of an `APIRouter`'s prefix are counted by `prefix_parameters = 1` in the attribute"
    );
    let together = format!(
        "`{name}` takes inputs that FastAPI checks together: put them into one `Call` at the end, \
         `Call(caller, (Query(q), Json(body))): Call<Caller, (Query<Q>, Json<B>)>`, with `()` for \
         no dependency"
    );
    let last =
        format!("`Call` is the last argument of `{name}`: extractors of axum stand before it");
    // `assert!` takes braces for format arguments.
    let [arity, together, last] =
        [arity, together, last].map(|text| text.replace('{', "{{").replace('}', "}}"));
    let before = types.split_last().map_or(&[][..], |(_, before)| before);
    quote! {
        const _: () = {
            let taken = 0 #(+ private::Probe::<#types>::PATH_PARAMETERS)*;
            assert!(taken == 0 || taken == #count, #arity);
            let inputs = 0 #(+ (private::Probe::<#types>::IS_INPUT || private::Probe::<#types>::IS_CALL) as usize)*;
            let described = 0 #(+ (private::Probe::<#types>::IS_DESCRIBED && !private::Probe::<#types>::IS_OF_AXUM) as usize)*;
            assert!(inputs == 0 || described <= 1, #together);
            assert!(!(false #(|| private::Probe::<#before>::IS_CALL)*), #last);
        };
    }
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
