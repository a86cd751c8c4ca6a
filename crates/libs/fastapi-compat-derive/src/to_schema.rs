//! utoipa's traits of types, and what makes the types in them known.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{GenericArgument, Ident, PathArguments, Type};

/// utoipa's traits, which give a schema.
pub(crate) fn to_schema(name: &Ident, title: &str, schema: &TokenStream) -> TokenStream {
    quote! {
        impl private::utoipa::__dev::ComposeSchema for #name {
            fn compose(
                _: ::std::vec::Vec<private::RefOrSchema>,
            ) -> private::RefOrSchema {
                #schema
            }
        }

        impl private::utoipa::ToSchema for #name {
            fn name() -> ::std::borrow::Cow<'static, str> {
                private::component_name(#title).into()
            }

            fn schemas(
                schemas: &mut ::std::vec::Vec<(::std::string::String, private::RefOrSchema)>,
            ) {
                private::nested::<Self>(schemas);
            }
        }
    }
}

/// The types that stand in the angle brackets, the parentheses or behind the reference of another.
pub(crate) fn inner_types(ty: &Type) -> Vec<&Type> {
    fn arguments<'a>(ty: &'a Type, found: &mut Vec<&'a Type>) {
        match ty {
            Type::Path(path) => {
                for segment in &path.path.segments {
                    if let PathArguments::AngleBracketed(arguments_of) = &segment.arguments {
                        for argument in &arguments_of.args {
                            if let GenericArgument::Type(inner) = argument {
                                found.push(inner);
                                arguments(inner, found);
                            }
                        }
                    }
                }
            }
            Type::Tuple(tuple) => {
                for inner in &tuple.elems {
                    found.push(inner);
                    arguments(inner, found);
                }
            }
            Type::Reference(reference) => arguments(&reference.elem, found),
            _ => {}
        }
    }
    let mut found = Vec::new();
    arguments(ty, &mut found);
    found
}

/// Makes types with utoipa's derive known, which the schemas of collections do not name.
pub(crate) fn known(ty: &Type) -> TokenStream {
    let found = inner_types(ty);
    quote!({
        #[allow(unused_imports)]
        use private::{HasNone as _, HasSchema as _};
        #((&private::Lookup::<#found>::default()).make_known();)*
    })
}
