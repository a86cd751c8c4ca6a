//! How each type stands in the document.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde_json::{Value, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayItems, KnownFormat, SchemaFormat, SchemaType};
use utoipa::openapi::{
    ArrayBuilder, Discriminator, Object, OneOfBuilder, RefOr, Required, Schema, Type,
    schema::AnyOfBuilder,
};
use utoipa::{__dev::ComposeSchema, Number, PartialSchema, ToSchema};
use uuid::Uuid;

use super::collection::{self, is_output};
use super::visit::{
    has_default, inside_option, is_optional, location, null, of_keywords, set, typed,
};
use crate::choice::Fixed;
use crate::constraints::{self, Constraints};
use crate::dialect::{Switch, has};
#[cfg(feature = "email")]
use crate::email::EmailStr;
use crate::optional::Patch;
use crate::selected::Selected;
#[cfg(feature = "json-text")]
use crate::types::JsonText;
#[cfg(feature = "rust_decimal")]
use crate::types::Numeric;
#[cfg(feature = "url")]
use crate::types::{
    AmqpDsn, ClickHouseDsn, CockroachDsn, KafkaDsn, MariaDBDsn, MongoDsn, MySQLDsn, NatsDsn,
    PostgresDsn, RedisDsn, SnowflakeDsn,
};
#[cfg(feature = "url")]
use crate::types::{AnyHttpUrl, AnyUrl, AnyWebsocketUrl, FileUrl, FtpUrl, HttpUrl, WebsocketUrl};
#[cfg(feature = "datetime")]
use crate::types::{
    AwareDatetime, Date, DateTime, Duration, FutureDate, FutureDatetime, NaiveDatetime, PastDate,
    PastDatetime, Time,
};
use crate::types::{
    Base64Bytes, Base64Str, Base64UrlBytes, Base64UrlStr, ByteSize, ByteString, Decimal, Deque,
    FrozenSet, Integer, IpAnyAddress, IpAnyInterface, IpAnyNetwork, Ipv4Address, Ipv4Interface,
    Ipv4Network, Ipv6Address, Ipv6Interface, Ipv6Network, SecretBytes, SecretStr, Sequence,
    Storable, UploadFile, UuidOfVersion, VariadicTuple,
};

/// What the document can describe: every type with utoipa's [`ToSchema`], by `#[derive(Decode)]`,
/// by our `#[derive(Schema)]` or by utoipa's own derive, and what utoipa only knows inside its
/// macros: [`Uuid`], chrono's `DateTime<Utc>`, tuples, and collections of these.
///
/// `Via` is which of the two; the compiler finds it.
#[diagnostic::on_unimplemented(
    message = "the OpenAPI document cannot describe `{Self}`",
    label = "neither utoipa's `ToSchema` nor a type that the document knows",
    note = "add `#[derive(fastapi_compat::Schema)]` or `#[derive(utoipa::ToSchema)]` to it, or \
            `#[derive(fastapi_compat::Decode)]` if requests carry it, too"
)]
pub trait Documented<Via> {
    /// The schema, or a reference to it.
    fn schema() -> RefOr<Schema>;
}

/// By utoipa's [`ToSchema`].
#[derive(Debug)]
pub struct ViaToSchema;

impl<T: ToSchema + ?Sized> Documented<ViaToSchema> for T {
    fn schema() -> RefOr<Schema> {
        collection::documented::<T>()
    }
}

/// By [`Foreign`].
#[derive(Debug)]
pub struct ViaForeign<Via>(PhantomData<Via>);

impl<T: Foreign<Via> + ?Sized, Via> Documented<ViaForeign<Via>> for T {
    fn schema() -> RefOr<Schema> {
        T::foreign_schema()
    }
}

/// Types of other crates for which only utoipa itself could implement its trait, and what holds
/// them.
pub trait Foreign<Via> {
    /// The schema, or one with references in it.
    fn foreign_schema() -> RefOr<Schema>;
}

macro_rules! foreign {
    ($([$($generics:tt)*] $type:ty, $via:ty => $schema:expr;)*) => {$(
        impl<$($generics)*> Foreign<$via> for $type {
            fn foreign_schema() -> RefOr<Schema> {
                $schema
            }
        }
    )*};
}

/// A list, or a set.
pub(crate) fn array(items: RefOr<Schema>, is_set: bool) -> RefOr<Schema> {
    ArrayBuilder::new().items(items).unique_items(is_set).into()
}

/// A schema where utoipa takes no reference.
fn plain(schema: RefOr<Schema>) -> Schema {
    match schema {
        RefOr::Ref(schema) => of_keywords([("$ref".to_owned(), schema.ref_location.into())]),
        RefOr::T(schema) => schema,
    }
}

pub(crate) fn dictionary(names: RefOr<Schema>, values: RefOr<Schema>) -> RefOr<Schema> {
    let mut object = Object::new();
    object.property_names = Some(Box::new(plain(names)));
    object.additional_properties = Some(Box::new(values.into()));
    object.into()
}

/// As utoipa has it of an `Option`.
pub(crate) fn optional(schema: RefOr<Schema>) -> RefOr<Schema> {
    OneOfBuilder::new().item(null()).item(schema).into()
}

pub(crate) fn tuple<const N: usize>(items: [RefOr<Schema>; N]) -> RefOr<Schema> {
    let tuple = ArrayBuilder::new().items(ArrayItems::False).prefix_items(items.map(plain));
    tuple.min_items(Some(N)).max_items(Some(N)).into()
}

/// A map with a foreign value, or with a foreign key and any value.
#[derive(Debug)]
pub struct ViaValue<Via>(PhantomData<Via>);

#[cfg(feature = "json-text")]
foreign! {
    [T: Documented<Via>, Via] JsonText<T>, Via => json_text(T::schema());
}

foreign! {
    [] Uuid, () => text("uuid").into();
    [] Cow<'_, str>, () => typed(Type::String).into();
    [T: Documented<Via>, Via] &T, Via => T::schema();
    [T: Foreign<Via>, Via] Box<T>, Via => T::foreign_schema();
    [T: Foreign<Via>, Via] Option<T>, Via => optional(T::foreign_schema());
    [T: Foreign<Via>, Via] Vec<T>, Via => array(T::foreign_schema(), false);
    [T: Documented<Via>, Via] Selected<T>, Via => T::schema();
    [T: Documented<Via>, Via] FrozenSet<T>, Via => array(T::schema(), true);
    [T: Documented<Via>, Via] Deque<T>, Via => array(T::schema(), false);
    [T: Documented<Via>, Via] VariadicTuple<T>, Via => array(T::schema(), false);
    [T: Documented<Via>, Via] Sequence<T>, Via => array(T::schema(), false);
    [T: Foreign<Via>, Via] BTreeSet<T>, Via => array(T::foreign_schema(), true);
    [T: Foreign<Via>, Via, S] HashSet<T, S>, Via => array(T::foreign_schema(), true);
    [K: ToSchema, V: Foreign<Via>, Via, S] HashMap<K, V, S>, ViaValue<Via> =>
        dictionary(collection::documented::<K>(), V::foreign_schema());
    [K: ToSchema, V: Foreign<Via>, Via] BTreeMap<K, V>, ViaValue<Via> =>
        dictionary(collection::documented::<K>(), V::foreign_schema());
    [K: ToSchema, V: Foreign<Via>, Via] IndexMap<K, V>, ViaValue<Via> =>
        dictionary(collection::documented::<K>(), V::foreign_schema());
    [K: Foreign<Via>, V: Documented<OfValue>, Via, OfValue, S] HashMap<K, V, S>, (Via, OfValue) =>
        dictionary(K::foreign_schema(), V::schema());
    [K: Foreign<Via>, V: Documented<OfValue>, Via, OfValue] BTreeMap<K, V>, (Via, OfValue) =>
        dictionary(K::foreign_schema(), V::schema());
    [K: Foreign<Via>, V: Documented<OfValue>, Via, OfValue] IndexMap<K, V>, (Via, OfValue) =>
        dictionary(K::foreign_schema(), V::schema());
}

#[cfg(feature = "datetime")]
foreign! {
    [] chrono::DateTime<chrono::Utc>, () => text("date-time").into();
}

macro_rules! tuple {
    ($($T:ident $Via:ident)*) => {
        impl<$($T: Documented<$Via>, $Via),*> Foreign<($($Via,)*)> for ($($T,)*) {
            fn foreign_schema() -> RefOr<Schema> {
                tuple([$($T::schema()),*])
            }
        }
    };
}

tuple!(A ViaA);
tuple!(A ViaA B ViaB);
tuple!(A ViaA B ViaB C ViaC);
tuple!(A ViaA B ViaB C ViaC D ViaD);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH I ViaI);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH I ViaI J ViaJ);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH I ViaI J ViaJ K ViaK);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH I ViaI J ViaJ K ViaK L ViaL);

fn text(format: &str) -> Object {
    let mut text = typed(Type::String);
    text.format = Some(SchemaFormat::Custom(format.to_owned()));
    text
}

/// An URL, which is never empty.
#[cfg(feature = "url")]
fn url(max_length: Option<usize>) -> Object {
    let mut url = text("uri");
    (url.min_length, url.max_length) = (Some(1), max_length);
    url
}

/// A URL with several hosts.
#[cfg(feature = "url")]
fn multi_host_url() -> Object {
    let mut url = text("multi-host-uri");
    url.min_length = Some(1);
    url
}

fn file() -> Object {
    let mut file = typed(Type::String);
    if has(Switch::BinaryFormat) {
        file.format = Some(SchemaFormat::KnownFormat(KnownFormat::Binary));
        return file;
    }
    "application/octet-stream".clone_into(&mut file.content_media_type);
    file
}

/// Bytes in an encoding.
fn encoded(mut bytes: Object, format: &str) -> Object {
    bytes.format = Some(SchemaFormat::Custom(format.to_owned()));
    bytes
}

/// JSON in a text, which is what it holds in an answer.
#[cfg(feature = "json-text")]
pub(crate) fn json_text(inner: RefOr<Schema>) -> RefOr<Schema> {
    if is_output() {
        return inner;
    }
    let mut schema = typed(Type::String).into();
    set(&mut schema, "contentMediaType", "application/json".into());
    set(&mut schema, "contentSchema", json!(inner));
    schema
}

/// What is written into requests only.
fn secret(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    set(&mut schema, "format", "password".into());
    set(&mut schema, "writeOnly", true.into());
    schema
}

/// Read from texts with a unit and integers, written as an integer.
fn byte_size() -> RefOr<Schema> {
    let mut number = typed(Type::Integer);
    number.minimum = Some(Number::Int(0));
    if is_output() {
        return number.into();
    }
    let mut text = typed(Type::String);
    text.pattern = Some(crate::types::BYTE_SIZE.to_owned());
    AnyOfBuilder::new().item(text).item(number).into()
}

/// Read from numbers and texts, written as a text.
fn decimal() -> RefOr<Schema> {
    let mut text = typed(Type::String);
    if has(Switch::DecimalPattern) {
        text.pattern = Some(decimal_pattern(None, None));
    }
    if is_output() {
        return text.into();
    }
    AnyOfBuilder::new().item(typed(Type::Number)).item(text).into()
}

/// What a text of a decimal looks like with so many digits and decimal places.
fn decimal_pattern(digits: Option<u64>, places: Option<u64>) -> String {
    let rest = match (digits, places) {
        (Some(digits), Some(places)) => {
            let (whole, all) = (digits.saturating_sub(places), digits + 1);
            format!(
                r"(?:\d{{0,{whole}}}|(?=[\d.]{{1,{all}}}0*$)\d{{0,{whole}}}\.\d{{0,{places}}}0*$)"
            )
        }
        (Some(digits), None) => {
            let all = digits + 1;
            format!(r"(?:\d{{0,{digits}}}|(?=[\d.]{{1,{all}}}0*$)\d*\.\d*0*$)")
        }
        (None, Some(places)) => format!(r"\d*\.?\d{{0,{places}}}0*$"),
        (None, None) => r"\d*\.?\d*$".to_owned(),
    };
    format!(r"^(?!^[-+.]*$)[+-]?0*{rest}")
}

/// utoipa's traits for our own types, which stand where they are used.
macro_rules! schemas {
    ($([$($generics:tt)*] $type:ty => $schema:expr;)*) => {$(
        impl<$($generics)*> ComposeSchema for $type {
            fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
                collection::inlined::<Self>(|| $schema.into())
            }
        }

        impl<$($generics)*> ToSchema for $type {}
    )*};
}

schemas! {
    [] Integer => typed(Type::Integer);
    [] Decimal => decimal();
    [const N: usize] Storable<N> => typed(Type::String);
    [] UploadFile => file();
    [] crate::Value => typed(SchemaType::AnyValue);
    [] ByteSize => byte_size();
    [] ByteString => file();
    [] Base64Bytes => encoded(file(), "base64");
    [] Base64Str => text("base64");
    [] Base64UrlBytes => encoded(file(), "base64url");
    [] Base64UrlStr => text("base64url");
    [] SecretStr => secret(typed(Type::String).into());
    [] SecretBytes => secret(file().into());
    [] Ipv4Address => text("ipv4");
    [] Ipv6Address => text("ipv6");
    [] IpAnyAddress => text("ipvanyaddress");
    [] Ipv4Interface => text("ipv4interface");
    [] Ipv6Interface => text("ipv6interface");
    [] IpAnyInterface => text("ipvanyinterface");
    [] Ipv4Network => text("ipv4network");
    [] Ipv6Network => text("ipv6network");
    [] IpAnyNetwork => text("ipvanynetwork");
    [const VERSION: usize] UuidOfVersion<VERSION> => text(&format!("uuid{VERSION}"));
}

#[cfg(feature = "datetime")]
schemas! {
    [] Date => text("date");
    [] DateTime => text("date-time");
    [] Time => text("time");
    [] Duration => text("duration");
    [] AwareDatetime => text("date-time");
    [] NaiveDatetime => text("date-time");
    [] PastDatetime => text("date-time");
    [] FutureDatetime => text("date-time");
    [] PastDate => text("date");
    [] FutureDate => text("date");
}

#[cfg(feature = "email")]
schemas! {
    [] EmailStr => text("email");
}

#[cfg(feature = "rust_decimal")]
schemas! {
    [const PLACES: u32] Numeric<PLACES> => decimal();
}

#[cfg(feature = "url")]
schemas! {
    [] AnyUrl => url(None);
    [] HttpUrl => url(Some(2083));
    [] AnyHttpUrl => url(None);
    [] FileUrl => url(None);
    [] FtpUrl => url(None);
    [] WebsocketUrl => url(Some(2083));
    [] AnyWebsocketUrl => url(None);
    [] AmqpDsn => url(None);
    [] ClickHouseDsn => url(None);
    [] CockroachDsn => url(None);
    [] KafkaDsn => url(None);
    [] MariaDBDsn => url(None);
    [] MongoDsn => multi_host_url();
    [] MySQLDsn => url(None);
    [] NatsDsn => multi_host_url();
    [] PostgresDsn => multi_host_url();
    [] RedisDsn => url(None);
    [] SnowflakeDsn => url(None);
}

/// As of an `Option`.
impl<T: ComposeSchema> ComposeSchema for Patch<T> {
    fn compose(generics: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        Option::<T>::compose(generics)
    }
}

impl<T: ToSchema> ToSchema for Patch<T>
where
    Self: PartialSchema,
{
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<T: Foreign<Via>, Via> Foreign<Via> for Patch<T> {
    fn foreign_schema() -> RefOr<Schema> {
        optional(T::foreign_schema())
    }
}

/// What a literal or an enumeration may be.
pub fn choices(values: &[Fixed]) -> RefOr<Schema> {
    let are = |kind: fn(&Fixed) -> bool| values.iter().all(kind);
    let mut schema = typed(if are(|value| matches!(value, Fixed::Str(_))) {
        Type::String.into()
    } else if are(|value| matches!(value, Fixed::Int(_))) {
        Type::Integer.into()
    } else if are(|value| matches!(value, Fixed::Bool(_))) {
        Type::Boolean.into()
    } else {
        SchemaType::AnyValue
    });
    schema.enum_values = Some(values.iter().map(json).collect());
    if let ([value], true) = (values, has(Switch::ConstantsAreEnumerations)) {
        schema.extensions = Some([("const", json(value))].into_iter().collect());
    }
    schema.into()
}

/// What a literal may be: if that is one value, a constant.
pub fn literal(values: &[Fixed]) -> RefOr<Schema> {
    let mut schema = choices(values);
    if let ([value], RefOr::T(Schema::Object(object))) = (values, &mut schema) {
        if !has(Switch::ConstantsAreEnumerations) {
            object.enum_values = None;
        }
        object.extensions = Some([("const", json(value))].into_iter().collect());
    }
    schema
}

fn json(value: &Fixed) -> Value {
    match value {
        Fixed::Str(text) => json!(text),
        Fixed::Int(value) => json!(value),
        Fixed::Bool(value) => json!(value),
    }
}

/// What a union may be whose discriminator is a function.
pub fn one_of(choices: Vec<RefOr<Schema>>) -> RefOr<Schema> {
    choices.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item).into()
}

/// What a union may be; with a discriminator and the tags of its models.
pub fn any_of(choices: Vec<RefOr<Schema>>, tags: Option<(&str, &[Fixed])>) -> RefOr<Schema> {
    let Some((discriminator, tags)) = tags else {
        let union = AnyOfBuilder::new();
        return choices.into_iter().fold(union, AnyOfBuilder::item).into();
    };
    let targets = choices.iter().map(|choice| location(choice).map(str::to_owned));
    let mapping = tags.iter().map(|tag| tag.text()).zip(targets);
    // A union in this one has no name.
    let mapping: Vec<_> = mapping.filter_map(|(tag, target)| Some((tag, target?))).collect();
    let union = OneOfBuilder::new()
        .discriminator(Some(Discriminator::with_mapping(discriminator, mapping)));
    let mut models = choices;
    // A model may have several tags.
    models.dedup();
    models.into_iter().fold(union, OneOfBuilder::item).into()
}

/// Adds the constraints of a field to the schema of its type.
fn constrain(schema: &mut RefOr<Schema>, constraints: &Constraints) {
    if constraints.not_null {
        let (inner, _) = inside_option(schema);
        *schema = std::mem::take(inner);
    }
    let Constraints { min_length: min, max_length: max, .. } = *constraints;
    let number = |number: Option<constraints::Number>| {
        let number = number?;
        // A bound of a decimal stands in the code as a text, a constant only as a value.
        Some(match (number.text.parse::<isize>(), number.text.parse::<f64>()) {
            (Ok(value), _) => Number::Int(value),
            (Err(_), Ok(value)) => Number::Float(value),
            _ => match isize::try_from(number.int) {
                Ok(value) if number.float.fract() == 0.0 => Number::Int(value),
                _ => Number::Float(number.float),
            },
        })
    };
    match inside_option(schema).0 {
        RefOr::T(Schema::Object(object)) => match &object.schema_type {
            SchemaType::Type(Type::Integer | Type::Number) => {
                for (bound, keyword) in [
                    (constraints.ge, &mut object.minimum),
                    (constraints.le, &mut object.maximum),
                    (constraints.gt, &mut object.exclusive_minimum),
                    (constraints.lt, &mut object.exclusive_maximum),
                    (constraints.multiple_of, &mut object.multiple_of),
                ] {
                    if let Some(bound) = number(bound) {
                        *keyword = Some(bound);
                    }
                }
            }
            SchemaType::Type(Type::String) => {
                object.min_length = min.or(object.min_length);
                object.max_length = max.or(object.max_length);
                if let Some(pattern) = constraints.pattern {
                    object.pattern = Some(pattern.text.to_owned());
                }
                let (digits, places) = (constraints.max_digits, constraints.decimal_places);
                if (digits.is_some() || places.is_some()) && object.pattern.is_some() {
                    object.pattern = Some(decimal_pattern(digits, places));
                }
            }
            SchemaType::Type(Type::Object) => {
                object.min_properties = min.or(object.min_properties);
                object.max_properties = max.or(object.max_properties);
            }
            _ => {}
        },
        RefOr::T(Schema::Array(array)) if array.prefix_items.is_empty() => {
            array.min_items = min.or(array.min_items);
            array.max_items = max.or(array.max_items);
        }
        RefOr::T(Schema::AnyOf(choices)) => {
            choices.items.iter_mut().for_each(|choice| constrain(choice, constraints));
        }
        _ => {}
    }
}

/// Adds what pydantic calls `json_schema_extra`: it takes precedence over the schema.
pub fn note(schema: &mut RefOr<Schema>, notes: Value) {
    if let Value::Object(notes) = notes {
        for (keyword, value) in notes {
            set(schema, &keyword, value);
        }
    }
}

/// The schema of a type with constraints, and what else the document shows of it.
pub fn constrained<T: Documented<Via> + ?Sized, Via>(
    constraints: &Constraints,
    notes: Value,
) -> RefOr<Schema> {
    let mut schema = T::schema();
    constrain(&mut schema, constraints);
    note(&mut schema, notes);
    schema
}

/// Whether a field must be given.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// By its type: optional ones need not.
    ByType,
    /// It must, even if it is optional.
    Required,
    /// It need not, and has a default, which the document shows if it is known.
    Default(Option<Value>),
}

/// The fields of a model on their way into the document.
#[derive(Default)]
pub struct FieldSchemas(Object);

impl FieldSchemas {
    /// Adds a field, with its names in requests and in answers; `notes` are what the document shows
    /// beside its type.
    pub fn add<T: Documented<Via> + ?Sized, Via>(
        &mut self,
        name: &str,
        written: &str,
        constraints: &Constraints,
        presence: Presence,
        notes: Value,
    ) {
        let name = if is_output() { written } else { name };
        let mut schema = T::schema();
        let is_required = match presence {
            Presence::ByType => !is_optional(&schema) && !has_default(&schema),
            Presence::Required => true,
            Presence::Default(_) => false,
        };
        constrain(&mut schema, constraints);
        note(&mut schema, notes);
        if let Presence::Default(Some(default)) = presence {
            set(&mut schema, "default", default);
        }
        if is_required {
            self.0.required.push(name.to_owned());
        }
        self.0.properties.insert(name.to_owned(), schema);
    }

    /// What has no field is kept, by a dictionary of this type.
    pub fn keep_extra<T: Documented<Via> + ?Sized, Via>(&mut self) {
        if let RefOr::T(Schema::Object(dictionary)) = T::schema() {
            self.0.additional_properties = dictionary.additional_properties;
        }
    }

    /// The named tuple of these fields.
    pub fn finish_tuple(self, notes: Value) -> RefOr<Schema> {
        let Self(object) = self;
        let (min, max) = (object.required.len(), object.properties.len());
        let items = object.properties.into_iter().map(|(name, mut schema)| {
            if location(inside_option(&mut schema).0).is_none() {
                super::dialect::name(&mut schema, &super::dialect::title(&name));
            }
            plain(schema)
        });
        let tuple = ArrayBuilder::new().items(ArrayItems::False).prefix_items(items);
        let min = Some(min).filter(|&min| min > 0);
        let mut schema = tuple.min_items(min).max_items(Some(max)).into();
        note(&mut schema, notes);
        schema
    }

    /// The model of these fields.
    pub fn finish(self, forbids_extra: bool, notes: Value) -> RefOr<Schema> {
        let Self(mut object) = self;
        if forbids_extra {
            let free_form = utoipa::openapi::schema::AdditionalProperties::FreeForm(false);
            object.additional_properties = Some(Box::new(free_form));
        }
        let mut schema = object.into();
        note(&mut schema, notes);
        schema
    }
}

/// The fields of a model as parameters, for [`IntoParams`](utoipa::IntoParams); `renamed` are those that
/// have another name as a parameter, with that.
pub fn parameters<T: ToSchema>(
    location: Option<ParameterIn>,
    renamed: &[(&str, &str)],
) -> Vec<Parameter> {
    let RefOr::T(Schema::Object(model)) = collection::written_out::<T>() else {
        return Vec::new();
    };
    let location = location.unwrap_or(ParameterIn::Query);
    let parameter = |(name, schema): (String, RefOr<Schema>)| {
        let is_required = model.required.contains(&name);
        let other = renamed.iter().find(|(from, _)| *from == name);
        ParameterBuilder::new()
            .name(other.map_or(name.as_str(), |(_, to)| to))
            .parameter_in(location.clone())
            .required(if is_required { Required::True } else { Required::False })
            .schema(Some(schema))
            .build()
    };
    model.properties.clone().into_iter().map(parameter).collect()
}

/// Finds out whether a type has utoipa's trait, where the code of a derive cannot know it.
#[derive(Debug)]
pub struct Lookup<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Default for Lookup<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// The type has it: it is made known, so that it becomes a component where it is used.
pub trait HasSchema {
    /// Makes it known.
    fn make_known(&self);
}

impl<T: ToSchema + ?Sized> HasSchema for Lookup<T> {
    fn make_known(&self) {
        collection::know::<T>();
    }
}

/// It has not.
pub trait HasNone {
    /// Does nothing.
    fn make_known(&self);
}

impl<T: ?Sized> HasNone for &Lookup<T> {
    fn make_known(&self) {}
}
