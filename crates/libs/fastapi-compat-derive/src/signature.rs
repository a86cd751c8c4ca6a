//! What a handler's signature has to be.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit::Visit;
use syn::{Ident, LitStr, Type, TypeImplTrait};

/// Whether there is an `impl Trait` in a type.
pub(crate) struct HasImpl(pub(crate) bool);

impl Visit<'_> for HasImpl {
    fn visit_type_impl_trait(&mut self, _: &TypeImplTrait) {
        self.0 = true;
    }
}

/// What is wrong with a signature, as compile errors.
pub(crate) fn assertions(
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
    let no_model = format!(
        "`{name}` takes a model from its path: `Path` takes the types of its fields, `Path<(A, B)>`, in the \
         order of the path"
    );
    // `assert!` takes braces for format arguments.
    let [arity, together, last, no_model] =
        [arity, together, last, no_model].map(|text| text.replace('{', "{{").replace('}', "}}"));
    let before = types.split_last().map_or(&[][..], |(_, before)| before);
    quote! {
        const _: () = {
            let taken = 0 #(+ private::Probe::<#types>::PATH_PARAMETERS)*;
            assert!(taken < private::NO_PATH_PARAMETER, #no_model);
            assert!(taken == 0 || taken == #count, #arity);
            let inputs = 0 #(+ (private::Probe::<#types>::IS_INPUT || private::Probe::<#types>::IS_CALL) as usize)*;
            let described = 0 #(+ (private::Probe::<#types>::IS_DESCRIBED && !private::Probe::<#types>::IS_OF_AXUM) as usize)*;
            assert!(inputs == 0 || described <= 1, #together);
            assert!(!(false #(|| private::Probe::<#before>::IS_CALL)*), #last);
        };
    }
}
