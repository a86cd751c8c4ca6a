//! Structs with named fields: pydantic's models.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    DeriveInput, Expr, ExprLit, ExprUnary, Field, FieldsNamed, GenericArgument, Ident, Lit, LitStr,
    PathArguments, Type, UnOp, parse_quote_spanned,
};

use crate::attributes::{
    Case, Constraints, Item, Namespace, component, expression, function_name, has_flag, is_false,
    items, notes, part, refuse_other_schema, refuse_other_serde, texts, title,
};
use crate::{error, known, to_schema};

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
            "before",
            "after",
            "convert_underscores",
        ];
        refuse_other_schema(&items, &known)?;
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
                || ["model", "strict", "typed_dict", "dataclass", "before", "after"]
                    .into_iter()
                    .any(has),
            items,
        })
    }

    /// What kind of class it is in Python, as far as its errors tell.
    fn kind(&self, title: &str) -> TokenStream {
        if has_flag(&self.items, Namespace::Schema, "typed_dict") {
            quote!(private::ModelKind::TypedDict)
        } else if has_flag(&self.items, Namespace::Schema, "dataclass") {
            quote!(private::ModelKind::Dataclass(#title))
        } else {
            quote!(private::ModelKind::Model(#title))
        }
    }

    /// What the model is called where it is a choice of a union.
    fn label(&self, title: &str) -> String {
        match function_name(&self.items, "after") {
            Some(function) => format!("function-after[{function}(), {title}]"),
            None => title.to_owned(),
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
    let schema = quote! {
        private::component::<Self>(#component, #title, || {
            #[allow(unused_mut)] // of a model without fields
            let mut fields = private::FieldSchemas::default();
            #(#adds)*
            #keeps
            fields.finish(#forbids_extra, #notes)
        })
    };
    let to_schema = to_schema(name, &component, &schema);
    Ok(quote! {
        #to_schema

        impl private::utoipa::IntoParams for #name {
            fn into_params(
                parameter_in: impl Fn() -> ::core::option::Option<private::utoipa::openapi::path::ParameterIn>,
            ) -> ::std::vec::Vec<private::utoipa::openapi::path::Parameter> {
                private::parameters::<Self>(parameter_in())
            }
        }
    })
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
        None if rules.forbids_extra => quote!(Forbidden),
        None => quote!(Ignored),
    };
    let extra_ident: Vec<_> = extra.iter().map(|extra| &extra.ident).collect();
    let extra_local: Vec<_> = extra_ident.iter().map(|&ident| local(ident)).collect();
    let extra_type: Vec<_> = extra.iter().map(|extra| &extra.ty).collect();
    let is_model = rules.is_model || extra.is_some();
    let (is_strict, kind, label) = (rules.is_strict, rules.kind(&title), rules.label(&title));
    let (before, after) = validators(&rules);
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
            const ACCEPTS: private::Accepts = private::Accepts::IN_STRICT;

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
    if is_given("before") {
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

/// The last name of a type, and what it is of: `Option` and `i64` of `Option<i64>`.
fn named(ty: &Type) -> Option<(&Ident, Option<&Type>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => match arguments.args.first() {
            Some(GenericArgument::Type(inner)) => Some(inner),
            _ => None,
        },
        _ => None,
    };
    Some((&last.ident, inner))
}

/// A default for a field of the type: a literal for an `Option` is the value in it; one that is not
/// of the type is refused.
fn fitting(value: Expr, ty: &Type) -> syn::Result<Expr> {
    let literal = match &value {
        Expr::Lit(literal) => &literal.lit,
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match &**expr {
            Expr::Lit(literal) => &literal.lit,
            _ => return Ok(value),
        },
        _ => return Ok(value),
    };
    let (name, inner) = match named(ty) {
        Some((name, Some(inner))) if name == "Option" => (named(inner), true),
        name => (name, false),
    };
    let name = name.map(|(name, _)| name.to_string()).unwrap_or_default();
    let (kind, fits, example) = match name.as_str() {
        "String" => ("text", matches!(literal, Lit::Str(_)), "\"text\""),
        "bool" => ("boolean", matches!(literal, Lit::Bool(_)), "true"),
        "f64" => ("float", matches!(literal, Lit::Float(_)), "1.0"),
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => {
            ("integer", matches!(literal, Lit::Int(_)), "1")
        }
        _ => ("", true, ""),
    };
    if !fits {
        let shown = ty.to_token_stream().to_string().replace(' ', "");
        let message = format!(
            "the default of a field of type `{shown}` is of that type, such as \
             `default = {example}`: this is no {kind}"
        );
        return Err(error(&value, &message));
    }
    Ok(match (literal, inner) {
        (_, false) => value,
        (Lit::Str(text), true) => {
            let text = owned(text);
            parse_quote_spanned!(value.span()=> ::core::option::Option::Some(#text))
        }
        (_, true) => parse_quote_spanned!(value.span()=> ::core::option::Option::Some(#value)),
    })
}

/// A name of a field, and whether a header has `-` for each `_` in it.
fn name_of((text, converts): &(String, bool)) -> TokenStream {
    quote!(private::Name { text: #text, converts_underscores: #converts })
}

/// A text as a `String`; if another type is needed, the compiler reports it at the attribute.
fn owned(text: &LitStr) -> TokenStream {
    if text.value().is_empty() {
        return quote_spanned!(text.span()=> ::std::string::String::new());
    }
    quote_spanned!(text.span()=> #text.to_owned())
}

struct ModelField {
    ident: Ident,
    ty: Type,
    /// What it is read by, the first name first, and whether a header of that name has `-` for `_`.
    names: Vec<(String, bool)>,
    /// The same of its name in Python.
    own: (String, bool),
    /// What it is written as.
    written: String,
    constraints: Constraints,
    default: Option<Expr>,
    /// Whether the document shows the default.
    shows_default: bool,
    required: bool,
    /// `T = None` of a type that is not nullable: it may be absent, but is not null.
    not_null: bool,
    before: Option<Expr>,
    after: Option<Expr>,
    notes: TokenStream,
}

impl ModelField {
    fn read(field: &Field, cases: (Case, Case), keeps_underscores: bool) -> syn::Result<Self> {
        let Some(ident) = field.ident.clone() else {
            return Err(error(field, "Decode needs named fields"));
        };
        let items = items(&field.attrs)?;
        refuse_other_serde(&items, &["rename", "alias", "deserialize"])?;
        let plain = ident.unraw().to_string();
        let first = part(&items, "rename", "deserialize").unwrap_or_else(|| cases.0.apply(&plain));
        let keeps_underscores = keeps_underscores || is_false(&items, "convert_underscores")?;
        let names = std::iter::once(first).chain(texts(&items, "alias")).map(|name| {
            let converts = name == plain && !keeps_underscores;
            (name, converts)
        });
        let default = items.iter().find(|item| {
            item.namespace == Namespace::Schema
                && (item.key == "default" || item.key == "default_factory")
        });
        let not_null = is_false(&items, "nullable")?;
        if not_null
            && !matches!(named(&field.ty), Some((name, _)) if name == "Option" || name == "Patch")
        {
            let message = "what need not be given and is not null is an `Option`: `nullable = false` is \
                           Python's `x: T = None`";
            return Err(error(&field.ty, message));
        }
        Ok(Self {
            names: names.collect(),
            own: (plain.clone(), !keeps_underscores),
            written: part(&items, "rename", "serialize").unwrap_or_else(|| cases.1.apply(&plain)),
            ty: field.ty.clone(),
            constraints: Constraints::read(
                &items,
                &[
                    "default",
                    "default_factory",
                    "required",
                    "format",
                    "extra",
                    "nullable",
                    "before",
                    "after",
                    "convert_underscores",
                ],
            )?,
            required: items.iter().any(|item| {
                item.key == "required"
                    && matches!(&item.value, Some(Expr::Lit(ExprLit {
                    lit: Lit::Bool(required), ..
                })) if required.value)
            }),
            shows_default: default.is_some_and(|item| item.key == "default"),
            default: match default.and_then(|item| item.value.clone()) {
                Some(value) => Some(fitting(value, &field.ty)?),
                None => None,
            },
            not_null,
            before: expression(&items, "before").cloned(),
            after: expression(&items, "after").cloned(),
            notes: notes(&field.attrs)?,
            ident,
        })
    }

    /// What it is read by and what errors call it.
    fn name(&self) -> &str {
        self.names.first().map_or("", |(name, _)| name)
    }

    fn names(&self) -> TokenStream {
        let names = self.names.iter().map(name_of);
        quote!(&[#(#names),*])
    }

    /// What a request may call it, and what it is when it is not given.
    fn field_names(&self) -> TokenStream {
        let (ty, names, own) = (&self.ty, self.names(), name_of(&self.own));
        let default = match &self.default {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if self.shows_default => {
                quote!(::core::option::Option::Some(|| private::serde_json::json!(#text)))
            }
            Some(value) if self.shows_default => quote!(::core::option::Option::Some(|| {
                let default: #ty = #value;
                private::serde_json::json!(default)
            })),
            _ => quote!(::core::option::Option::None),
        };
        quote!(private::FieldNames {
            names: #names,
            own: #own,
            is_sequence: <#ty as private::Decode>::SEQUENCE,
            default: #default,
        })
    }

    /// How it is decoded.
    fn rules(&self) -> TokenStream {
        let (names, own, absent) = (self.names(), name_of(&self.own), self.absent());
        let [before, after] = self.validators();
        quote!(private::FieldRules {
            names: #names,
            own: #own,
            absent: #absent,
            before: #before,
            after: #after,
        })
    }

    fn validators(&self) -> [TokenStream; 2] {
        [&self.before, &self.after].map(|path| {
            path.as_ref().map_or_else(
                || quote!(::core::option::Option::None),
                |path| quote!(::core::option::Option::Some(#path)),
            )
        })
    }

    fn presence(&self) -> TokenStream {
        let ty = &self.ty;
        match &self.default {
            Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if self.shows_default => {
                quote!(private::Presence::Default(::core::option::Option::Some(#text.into())))
            }
            Some(value) if self.shows_default => quote!(private::Presence::Default({
                let default: #ty = #value;
                ::core::option::Option::Some(private::serde_json::json!(default))
            })),
            Some(_) => quote!(private::Presence::Default(::core::option::Option::None)),
            None if self.required => quote!(private::Presence::Required),
            None => quote!(private::Presence::ByType),
        }
    }

    fn default_name(&self) -> Ident {
        format_ident!("__default_{}", self.ident.unraw())
    }

    fn default_value(&self) -> Option<TokenStream> {
        Some(match self.default.as_ref()? {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => owned(text),
            value => quote!(#value),
        })
    }

    fn default_function(&self) -> Option<TokenStream> {
        let (name, ty, value) = (self.default_name(), &self.ty, self.default_value()?);
        Some(quote! {
            #[allow(clippy::unnecessary_wraps)] // of a default that is not null
            fn #name() -> #ty { #value }
        })
    }

    /// Whether serde reads it by a function of its own.
    fn has_function(&self) -> bool {
        self.before.is_some() || self.after.is_some() || self.not_null
    }

    fn read_name(&self) -> Ident {
        format_ident!("__read_{}", self.ident.unraw())
    }

    fn read_function(&self) -> Option<TokenStream> {
        let (name, ty, constraints) = (self.read_name(), &self.ty, &self.constraints);
        let [before, after] = self.validators();
        self.has_function().then(|| {
            quote! {
                fn #name<'de, __D: serde::Deserializer<'de>>(
                    deserializer: __D,
                ) -> ::core::result::Result<#ty, __D::Error> {
                    private::deserialize_field(deserializer, #constraints, #before, #after)
                }
            }
        })
    }

    fn absent(&self) -> TokenStream {
        let function = self.default_name();
        if self.default.is_some() {
            quote!(private::Absent::Default(Self::#function))
        } else if self.required {
            quote!(private::Absent::Required)
        } else {
            quote!(private::Absent::ByType)
        }
    }

    fn serde_attributes(&self, model: &Ident) -> TokenStream {
        let is = |name: &str| matches!(named(&self.ty), Some((last, _)) if last == name);
        let name = self.name();
        let aliases = self.names.iter().skip(1).map(|(name, _)| quote!(, alias = #name));
        let default = if self.default.is_some() {
            let path = format!("{model}::{}", self.default_name());
            quote!(, default = #path)
        } else if self.required {
            quote!()
        } else if is("Option") || is("Patch") {
            quote!(, default)
        } else {
            quote!()
        };
        let read = if self.has_function() {
            let path = format!("{model}::{}", self.read_name());
            quote!(, deserialize_with = #path)
        } else if self.required {
            quote!(, deserialize_with = "private::required")
        } else {
            quote!()
        };
        quote!(#[serde(rename = #name #(#aliases)* #default #read)])
    }
}
