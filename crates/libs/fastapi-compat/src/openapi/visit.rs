//! What utoipa's five kinds of schemas have in common.

use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, Discriminator, SchemaFormat, SchemaType,
};
use utoipa::openapi::{Deprecated, Object, Ref, RefOr, Schema, Type};

/// Where the document keeps its components.
pub(super) const SCHEMAS: &str = "#/components/schemas/";

/// The same expression for each kind of schema; what utoipa adds one day is passed over.
macro_rules! each_kind {
    ($schema:expr, $kind:ident => $body:expr) => {
        match $schema {
            Schema::Array($kind) => $body,
            Schema::Object($kind) => $body,
            Schema::OneOf($kind) => $body,
            Schema::AllOf($kind) => $body,
            Schema::AnyOf($kind) => $body,
            _ => {}
        }
    };
}
pub(super) use each_kind;

/// An object of this type, to be filled.
pub(super) fn typed(kind: impl Into<SchemaType>) -> Object {
    Object::with_type(kind)
}

/// `{"type": "null"}`
pub(super) fn null() -> RefOr<Schema> {
    typed(Type::Null).into()
}

pub(super) fn is_null(schema: &RefOr<Schema>) -> bool {
    *schema == null()
}

/// A schema that consists of these keywords, whether utoipa has fields for them or not.
pub(super) fn of_keywords(keywords: impl IntoIterator<Item = (String, Value)>) -> Schema {
    let mut schema = typed(SchemaType::AnyValue);
    schema.extensions = Some(keywords.into_iter().collect());
    schema.into()
}

/// A `$ref` as a schema: unlike utoipa's `Ref` it fits wherever a schema does, also for the names
/// of properties, and takes any keyword beside it. [`normalise`] makes a `Ref` of it where one fits.
pub(super) fn reference(location: String) -> RefOr<Schema> {
    of_keywords([("$ref".to_owned(), location.into())]).into()
}

/// Where a reference points to, if it is one.
pub(super) fn location(schema: &RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(reference) => Some(&reference.ref_location),
        RefOr::T(Schema::Object(object)) => object.extensions.as_ref()?.get("$ref")?.as_str(),
        RefOr::T(_) => None,
    }
}

/// Makes utoipa's `Ref` of references that have nothing beside them for which it has no field.
pub(super) fn normalise(schema: &mut RefOr<Schema>) {
    if let RefOr::T(inner) = schema {
        children(inner, &mut normalise);
        if let Schema::Object(object) = inner
            && let Some(location) = location(&RefOr::T(Schema::Object(object.clone())))
        {
            let mut reference = Ref::new(location);
            reference.title.clone_from(&object.title);
            reference.default.clone_from(&object.default);
            reference.description = object.description.clone().unwrap_or_default();
            if json!(reference) == json!(object) {
                *schema = RefOr::Ref(reference);
            }
        }
    }
}

/// Visits the schemas directly below one.
pub(super) fn children(schema: &mut Schema, visit: &mut dyn FnMut(&mut RefOr<Schema>)) {
    let plain = |schema: &mut Schema, visit: &mut dyn FnMut(&mut RefOr<Schema>)| {
        let mut child = RefOr::T(std::mem::take(schema));
        visit(&mut child);
        *schema = match child {
            RefOr::T(schema) => schema,
            RefOr::Ref(r) => of_keywords([("$ref".to_owned(), r.ref_location.into())]),
        };
    };
    match schema {
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                visit(items);
            }
            array.prefix_items.iter_mut().for_each(|item| plain(item, visit));
        }
        Schema::Object(object) => {
            object.properties.values_mut().for_each(&mut *visit);
            if let Some(AdditionalProperties::RefOr(values)) =
                object.additional_properties.as_deref_mut()
            {
                visit(values);
            }
            if let Some(names) = object.property_names.as_deref_mut() {
                plain(names, visit);
            }
        }
        Schema::OneOf(choices) => choices.items.iter_mut().for_each(visit),
        Schema::AllOf(choices) => choices.items.iter_mut().for_each(visit),
        Schema::AnyOf(choices) => choices.items.iter_mut().for_each(visit),
        _ => {}
    }
}

/// Visits what a schema refers to, at any depth.
pub(super) fn references(schema: &mut RefOr<Schema>, visit: &mut dyn FnMut(&mut String)) {
    fn texts(value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
        match value {
            Value::String(text) if text.starts_with(SCHEMAS) => visit(text),
            Value::Array(items) => items.iter_mut().for_each(|item| texts(item, visit)),
            Value::Object(fields) => fields.values_mut().for_each(|field| texts(field, visit)),
            _ => {}
        }
    }
    match schema {
        RefOr::Ref(reference) => visit(&mut reference.ref_location),
        RefOr::T(schema) => {
            children(schema, &mut |child| references(child, visit));
            if let Schema::OneOf(choices) = schema {
                let mapping =
                    |of: &mut Discriminator| of.mapping.values_mut().for_each(&mut *visit);
                choices.discriminator.as_mut().map(mapping);
            }
            let mut texts =
                |kept: &mut Extensions| kept.values_mut().for_each(|value| texts(value, visit));
            each_kind!(schema, kind => { kind.extensions.as_mut().map(&mut texts); });
        }
    }
}

/// The operations of a path.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
    [get, put, post, delete, options, head, patch, trace].into_iter().flatten()
}

/// The schemas of an operation: of its parameters, of its body, of its answers.
pub(super) fn schemas_of(operation: &mut Operation, visit: &mut dyn FnMut(&mut RefOr<Schema>)) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameter.schema.iter_mut().for_each(&mut *visit);
        }
    }
    let mut contents = Vec::new();
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        contents.extend(body.content.values_mut());
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            contents.extend(response.content.values_mut());
        }
    }
    for content in contents {
        if let RefOr::T(content) = content {
            content.schema.iter_mut().chain(&mut content.item_schema).for_each(&mut *visit);
        }
    }
}

pub(super) fn title_of(schema: &RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(reference) => reference.title.as_deref(),
        RefOr::T(Schema::Array(array)) => array.title.as_deref(),
        RefOr::T(Schema::Object(object)) => object.title.as_deref(),
        RefOr::T(Schema::OneOf(choices)) => choices.title.as_deref(),
        RefOr::T(Schema::AllOf(choices)) => choices.title.as_deref(),
        RefOr::T(Schema::AnyOf(choices)) => choices.extensions.as_ref()?.get("title")?.as_str(),
        RefOr::T(_) => None,
    }
}

/// Sets a keyword of a schema, whatever stood there: in utoipa's field, if there is one.
pub(super) fn set(schema: &mut RefOr<Schema>, keyword: &str, value: Value) {
    if let RefOr::Ref(plain) = schema {
        let Ref { ref_location, title, default, description, .. } = plain;
        let mut object = typed(SchemaType::AnyValue);
        object.extensions = Some([("$ref", ref_location.as_str())].into_iter().collect());
        object.title = title.take();
        object.default = default.take();
        object.description = Some(std::mem::take(description)).filter(|text| !text.is_empty());
        *schema = object.into();
    }
    let RefOr::T(inner) = schema else { return };
    match (keyword, value, &mut *inner) {
        ("description", Value::String(text), kind) => {
            each_kind!(kind, kind => kind.description = Some(text));
        }
        ("default", value, kind) => each_kind!(kind, kind => kind.default = Some(value)),
        ("examples", Value::Array(values), kind) => {
            each_kind!(kind, kind => kind.examples = values);
        }
        ("title", Value::String(text), Schema::Array(kind)) => kind.title = Some(text),
        ("title", Value::String(text), Schema::Object(kind)) => kind.title = Some(text),
        ("title", Value::String(text), Schema::OneOf(kind)) => kind.title = Some(text),
        ("title", Value::String(text), Schema::AllOf(kind)) => kind.title = Some(text),
        ("format", Value::String(text), Schema::Object(kind)) => {
            kind.format = Some(SchemaFormat::Custom(text));
        }
        ("deprecated", Value::Bool(true), Schema::Object(kind)) => {
            kind.deprecated = Some(Deprecated::True);
        }
        (keyword, value, kind) => {
            if let Value::Object(keywords) = json!(kind)
                && keywords.contains_key(keyword)
            {
                *kind = of_keywords(keywords);
            }
            each_kind!(kind, kind => {
                kind.extensions.get_or_insert_default().insert(keyword.to_owned(), value);
            });
        }
    }
}

/// Takes a keyword off a schema.
pub(super) fn remove(schema: &mut RefOr<Schema>, keyword: &str) {
    if let RefOr::T(inner) = schema
        && let Value::Object(mut keywords) = json!(inner)
        && keywords.remove(keyword).is_some()
    {
        *inner = of_keywords(keywords);
    }
}

/// Whether it shows a default.
pub(super) fn has_default(schema: &RefOr<Schema>) -> bool {
    let kind = match schema {
        RefOr::Ref(reference) => return reference.default.is_some(),
        RefOr::T(kind) => kind,
    };
    let mut has_default = false;
    each_kind!(kind, kind => has_default = kind.default.is_some());
    has_default
}

/// The schema inside an `Option`, and whether there is one: utoipa writes `oneOf` null and it.
pub(super) fn inside_option(schema: &mut RefOr<Schema>) -> (&mut RefOr<Schema>, bool) {
    if is_optional(schema)
        && let RefOr::T(Schema::OneOf(choices)) = schema
    {
        return (&mut choices.items[1], true);
    }
    (schema, false)
}

pub(super) fn is_optional(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::OneOf(choices))
        if choices.items.len() == 2 && is_null(&choices.items[0]))
}
