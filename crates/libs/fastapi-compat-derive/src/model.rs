//! Structs with named fields: pydantic's models.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{DeriveInput, FieldsNamed, Ident, Type};

use crate::attributes::{
    Item, Namespace, component, expression, function_name, has_flag, is_false, items, notes, title,
};
use crate::case::Case;
use crate::error::error;
use crate::field::ModelField;
use crate::refused::{refuse_more_than_wrap, refuse_other_schema, refuse_other_serde};
use crate::to_schema::{known, to_schema};

/// What stands above the struct.
struct ModelRules {
    items: Vec<Item>,
    forbids_extra: bool,
    is_strict: bool,
    /// It is a model where it is the parameters of a query, too.
    is_model: bool,
}

impl ModelRules {
    fn read(input: &DeriveInput) -> syn::Result<Self> {
        let items = items(&input.attrs)?;
        refuse_other_serde(
            &items,
            &["deny_unknown_fields", "rename", "rename_all", "deserialize"],
        )?;
        let known = [
            "component",
            "format",
            "extra",
            "model",
            "strict",
            "typed_dict",
            "dataclass",
            "named_tuple",
            "before",
            "after",
            "wrap",
            "convert_underscores",
        ];
        refuse_other_schema(&items, &known)?;
        refuse_more_than_wrap(&items)?;
        if let Some(renamed) =
            items.iter().find(|item| item.key == "rename" && item.value.is_none())
        {
            return Err(error(&renamed.key, "a type has one name: `rename = \"…\"`"));
        }
        let has = |flag: &str| has_flag(&items, Namespace::Schema, flag);
        let forbids_extra = has_flag(&items, Namespace::Serde, "deny_unknown_fields");
        Ok(Self {
            forbids_extra,
            is_strict: has("strict"),
            is_model: forbids_extra
                || [
                    "model",
                    "strict",
                    "typed_dict",
                    "dataclass",
                    "named_tuple",
                    "before",
                    "after",
                    "wrap",
                ]
                .into_iter()
                .any(has),
            items,
        })
    }

    fn is_named_tuple(&self) -> bool {
        has_flag(&self.items, Namespace::Schema, "named_tuple")
    }

    /// What kind of class it is in Python, as far as its errors tell.
    fn kind(&self, title: &str) -> TokenStream {
        if has_flag(&self.items, Namespace::Schema, "typed_dict") {
            quote!(private::ModelKind::TypedDict)
        } else if has_flag(&self.items, Namespace::Schema, "dataclass") {
            quote!(private::ModelKind::Dataclass(#title))
        } else if self.is_named_tuple() {
            quote!(private::ModelKind::NamedTuple(#title))
        } else {
            quote!(private::ModelKind::Model(#title))
        }
    }

    /// What the model is called where it is a choice of a union.
    fn label(&self, title: &str) -> String {
        let function = |key| function_name(&self.items, key);
        match (function("after"), function("wrap")) {
            (Some(function), _) => format!("function-after[{function}(), {title}]"),
            (None, Some(function)) => format!("function-wrap[{function}()]"),
            (None, None) => title.to_owned(),
        }
    }
}

fn fields(
    input: &DeriveInput,
    fields: &FieldsNamed,
) -> syn::Result<(Vec<ModelField>, Option<ExtraField>)> {
    let of_type = items(&input.attrs)?;
    let cases = (Case::read(&of_type)?, Case::read_part(&of_type, "serialize")?);
    let keeps_underscores = is_false(&of_type, "convert_underscores")?;
    let (mut known, mut extra) = (Vec::new(), None);
    for field in &fields.named {
        let of_field = items(&field.attrs)?;
        if has_flag(&of_field, Namespace::Serde, "flatten") {
            refuse_other_serde(&of_field, &["flatten"])?;
            refuse_other_schema(&of_field, &[])?;
            let Some(ident) = field.ident.clone() else { continue };
            if extra.replace(ExtraField { ident, ty: field.ty.clone() }).is_some() {
                return Err(error(field, "one field keeps what has no field of its own"));
            }
        } else {
            known.push(ModelField::read(field, cases, keeps_underscores)?);
        }
    }
    if let (Some(_), Some(deny)) =
        (&extra, of_type.iter().find(|item| item.key == "deny_unknown_fields"))
    {
        let message =
            "either all other fields are kept, by `#[serde(flatten)]`, or they are forbidden";
        return Err(error(&deny.key, message));
    }
    Ok((known, extra))
}

/// Its schema.
pub(crate) fn schema(input: &DeriveInput, named: &FieldsNamed) -> syn::Result<TokenStream> {
    let rules = ModelRules::read(input)?;
    let (name, (fields, extra)) = (&input.ident, fields(input, named)?);
    let (title, notes) = (title(input)?, notes(&input.attrs)?);
    let component = component(input)?;
    let forbids_extra = rules.forbids_extra;
    let adds = fields.iter().map(|field| {
        let ModelField { ty, written, constraints, notes, .. } = field;
        let (name, known, presence) = (field.name(), known(ty), field.presence());
        quote!(#known fields.add::<#ty, _>(#name, #written, #constraints, #presence, #notes);)
    });
    let keeps = extra.map(|ExtraField { ty, .. }| {
        let known = known(&ty);
        quote!(#known fields.keep_extra::<#ty, _>();)
    });
    let finish = if rules.is_named_tuple() {
        quote!(fields.finish_tuple(#notes))
    } else {
        quote!(fields.finish(#forbids_extra, #notes))
    };
    let title = if rules.is_named_tuple() {
        quote!(::core::option::Option::<&'static str>::None)
    } else {
        quote!(#title)
    };
    let schema = quote! {
        private::component::<Self>(#component, #title, || {
            #[allow(unused_mut)] // of a model without fields
            let mut fields = private::FieldSchemas::default();
            #(#adds)*
            #keeps
            #finish
        })
    };
    let to_schema = to_schema(name, &component, &schema);
    let renamed = fields.iter().filter(|field| field.has_path()).map(|field| {
        let (name, own) = (field.name(), field.ident.unraw().to_string());
        quote!((#name, #own))
    });
    let (own_names, written): (Vec<_>, Vec<_>) =
        fields.iter().map(|field| (field.ident.unraw().to_string(), &field.written)).unzip();
    let serialize = rules.is_named_tuple().then(|| serialize_items(name, &fields));
    Ok(quote! {
        #to_schema

        #serialize

        impl private::Fielded for #name {
            const NAMES: &'static [(&'static str, &'static str)] = &[#((#own_names, #written)),*];
        }

        impl private::utoipa::IntoParams for #name {
            fn into_params(
                parameter_in: impl Fn() -> ::core::option::Option<private::utoipa::openapi::path::ParameterIn>,
            ) -> ::std::vec::Vec<private::utoipa::openapi::path::Parameter> {
                private::parameters::<Self>(parameter_in(), &[#(#renamed),*])
            }
        }
    })
}

/// A named tuple is written as a list.
fn serialize_items(name: &Ident, fields: &[ModelField]) -> TokenStream {
    let (idents, length) = (fields.iter().map(|field| &field.ident), fields.len());
    quote! {
        impl serde::Serialize for #name {
            fn serialize<__S: serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                let mut items = serde::Serializer::serialize_tuple(serializer, #length)?;
                #(serde::ser::SerializeTuple::serialize_element(&mut items, &self.#idents)?;)*
                serde::ser::SerializeTuple::end(items)
            }
        }
    }
}

/// Compiles if the constraints are those of their types.
pub(crate) fn checks(input: &DeriveInput, named: &FieldsNamed) -> syn::Result<TokenStream> {
    let (fields, _) = fields(input, named)?;
    let checks = fields.iter().map(|field| field.constraints.check(&field.ty));
    let strict =
        fields.iter().filter(|_| ModelRules::read(input).is_ok_and(|rules| rules.is_strict));
    let strict = strict.map(|field| {
        let (ty, shown) = (&field.ty, field.ty.to_token_stream().to_string().replace(' ', ""));
        let message = format!(
            "no JSON has a value of type `{shown}` in strict mode: pydantic refuses all; a strict model \
             has strings, numbers, booleans, literals, models, and lists and dicts of them"
        );
        let message = message.replace('{', "{{").replace('}', "}}");
        quote_spanned! {ty.span()=>
            const _: () = {
                #[allow(unused_imports)]
                use private::AcceptsAny as _;
                assert!(
                    private::Accepted::<#ty>::ACCEPTS.has(private::Accepts::IN_STRICT),
                    #message
                );
            };
        }
    });
    Ok(quote!(#(const _: () = { #checks };)* #(#strict)*))
}

/// Compiles if the defaults are of their types, for a model that is not decoded.
pub(crate) fn default_checks(input: &DeriveInput, named: &FieldsNamed) -> syn::Result<TokenStream> {
    let (checks, _) = fields(input, named)?;
    let checks = checks.iter().filter_map(|field| {
        let (ty, value) = (&field.ty, field.default_value()?);
        // An answer may borrow its texts.
        let value = match (&field.default, ty) {
            (Some(text), Type::Reference(_)) => quote!(#text),
            _ => value,
        };
        Some(quote!(const _: fn() -> #ty = || #value;))
    });
    Ok(quote!(#(#checks)*))
}

pub(crate) fn decode(input: &DeriveInput, named: &FieldsNamed) -> syn::Result<TokenStream> {
    let rules = ModelRules::read(input)?;
    let (fields, extra) = fields(input, named)?;
    let name = &input.ident;
    let title = title(input)?;
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    // A field may be called like an argument of the function.
    let local = |ident: &Ident| format_ident!("field_{}", ident.unraw());
    let locals: Vec<_> = idents.iter().map(|&ident| local(ident)).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let field_rules: Vec<_> = fields.iter().map(ModelField::rules).collect();
    let names = fields.iter().map(ModelField::field_names);
    let constraints: Vec<_> = fields.iter().map(|field| &field.constraints).collect();
    let functions =
        fields.iter().flat_map(|field| [field.default_function(), field.read_function()]);
    let functions = functions.flatten();
    let extra_kind = match &extra {
        Some(_) => quote!(Kept),
        None if rules.forbids_extra || rules.is_named_tuple() => quote!(Forbidden),
        None => quote!(Ignored),
    };
    let extra_ident: Vec<_> = extra.iter().map(|extra| &extra.ident).collect();
    let extra_local: Vec<_> = extra_ident.iter().map(|&ident| local(ident)).collect();
    let extra_type: Vec<_> = extra.iter().map(|extra| &extra.ty).collect();
    let has_paths = fields.iter().any(ModelField::has_path);
    let is_model = rules.is_model || extra.is_some() || has_paths;
    let accepts = if rules.is_named_tuple() { quote!(NONE) } else { quote!(IN_STRICT) };
    let (is_strict, kind, label) = (rules.is_strict, rules.kind(&title), rules.label(&title));
    let (before, after) = validators(&rules);
    let wrap = expression(&rules.items, "wrap").map(|function| {
        quote! {
            const WRAP: ::core::option::Option<private::Wrap<Self>> =
                ::core::option::Option::Some(#function);
        }
    });
    let deserialize = deserialize(name, &rules, &fields, extra.as_ref());

    Ok(quote! {
        impl #name {
            #(#functions)*
        }

        impl ::fastapi_compat::Model for #name {
            const FIELDS: &'static [private::FieldNames] = &[#(#names),*];
            const EXTRA: private::Extra = private::Extra::#extra_kind;
            const IS_MODEL: bool = #is_model;
            const IS_STRICT: bool = #is_strict;
            const KIND: private::ModelKind = #kind;
            #wrap

            #[allow(unused_variables)] // of a model without fields
            fn from_fields(
                fields: &impl private::Fields,
                at: &private::Loc<'_>,
                errors: &mut private::Errors,
            ) -> ::core::option::Option<Self> {
                // Every field before any `?`: an answer names all errors.
                #(let #locals = private::decode_field::<#types>(
                    fields, &#field_rules, #constraints, at, errors,
                );)*
                #(let #extra_local = private::decode_extra::<Self, #extra_type>(fields, at, errors);)*
                ::core::option::Option::Some(Self {
                    #(#idents: #locals?,)*
                    #(#extra_ident: #extra_local?),*
                })
            }

            #before

            #after
        }

        impl ::fastapi_compat::Decode for #name {
            const ACCEPTS: private::Accepts = private::Accepts::#accepts;
            const PATH_PARAMETERS: usize = private::NO_PATH_PARAMETER;

            fn json_schema() -> private::RefOrSchema {
                <Self as private::Documented<_>>::schema()
            }

            fn name(_: &private::Constraints) -> ::std::borrow::Cow<'static, str> {
                #label.into()
            }

            fn decode(
                input: &private::Value,
                _: &private::Constraints,
                at: &private::Loc<'_>,
                errors: &mut private::Errors,
            ) -> ::core::option::Option<Self> {
                private::decode_model(input, at, errors)
            }
        }

        impl<'de> serde::Deserialize<'de> for #name {
            // Names that no type of the user's has: the fields are declared beside them.
            fn deserialize<__D: serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                #deserialize
            }
        }
    })
}

/// The model's own validators, as functions of `Model`.
fn validators(rules: &ModelRules) -> (Option<TokenStream>, Option<TokenStream>) {
    let before = expression(&rules.items, "before").map(|function| {
        quote! {
            fn before(
                input: &private::Value,
            ) -> ::core::result::Result<::core::option::Option<private::Value>, private::Invalid> {
                let before: fn(
                    &private::Value,
                ) -> ::core::result::Result<private::Value, private::Invalid> = #function;
                before(input).map(::core::option::Option::Some)
            }
        }
    });
    let after = expression(&rules.items, "after").map(|function| {
        quote! {
            fn after(self) -> ::core::result::Result<Self, private::Invalid> {
                let after: fn(Self) -> ::core::result::Result<Self, private::Invalid> = #function;
                after(self)
            }
        }
    });
    (before, after)
}

/// How serde reads the model.
fn deserialize(
    name: &Ident,
    rules: &ModelRules,
    fields: &[ModelField],
    extra: Option<&ExtraField>,
) -> TokenStream {
    let is_given = |key: &str| expression(&rules.items, key).is_some();
    let has_paths = fields.iter().any(ModelField::has_path);
    if is_given("before") || is_given("wrap") || rules.is_named_tuple() || has_paths {
        return quote!(private::deserialize_by_rules(deserializer));
    }
    let (idents, types): (Vec<_>, Vec<_>) =
        fields.iter().map(|field| (&field.ident, &field.ty)).unzip();
    let serde_attributes = fields.iter().map(|field| field.serde_attributes(name));
    let (extra_ident, extra_type): (Vec<_>, Vec<_>) =
        extra.iter().map(|extra| (&extra.ident, &extra.ty)).unzip();
    // Those that are read by a function of their own are checked by it.
    let plain = fields.iter().filter(|field| !field.has_function());
    let (met, met_constraints): (Vec<_>, Vec<_>) =
        plain.map(|field| (&field.ident, &field.constraints)).unzip();
    let deny = rules.forbids_extra.then(|| quote!(#[serde(deny_unknown_fields)]));
    let made = if is_given("after") {
        quote!(private::Model::after(Self { #(#idents,)* #(#extra_ident),* })
            .map_err(|_| serde::de::Error::custom("validator")))
    } else {
        quote!(::core::result::Result::Ok(Self { #(#idents,)* #(#extra_ident),* }))
    };
    quote! {
        #[derive(serde::Deserialize)]
        #[serde(crate = "private::serde")]
        #deny
        struct __Strict {
            #(#serde_attributes #idents: #types,)*
            #(#[serde(flatten)] #extra_ident: #extra_type,)*
        }
        let __Strict { #(#idents,)* #(#extra_ident),* } =
            deserializer.deserialize_map(private::ObjectOnly::<__Strict>::new())?;
        if true #(&& private::Decode::meets(&#met, #met_constraints))* {
            #made
        } else {
            ::core::result::Result::Err(serde::de::Error::custom("constraint"))
        }
    }
}

/// The field that keeps what has no field of its own.
struct ExtraField {
    ident: Ident,
    ty: Type,
}
