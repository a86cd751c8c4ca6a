//! FastAPI's and pydantic's dialect of OpenAPI.

use serde_json::{Value, json};
use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOf, ArrayItems, KnownFormat, SchemaFormat, SchemaType,
};
use utoipa::openapi::{
    ArrayBuilder, Components, Content, Deprecated, Object, ObjectBuilder, OpenApi, Ref, RefOr,
    Required, Response, ResponseBuilder, Schema, Type,
};
use utoipa::{Modify, Number};

use super::visit::{
    children, each_kind, is_null, location, null, of_keywords, operations, remove, schemas_of, set,
    title_of, typed,
};
use crate::dialect::{Switch, has};

/// Rewrites a document of utoipa's into what FastAPI writes of the same operations and models:
///
/// - `anyOf` with null instead of `oneOf` and of lists of types, no formats of numbers but the
///   bounds of small integers, `propertyNames` only where they have an effect, tuples without `items`;
/// - titles of models, fields, parameters and answers;
/// - summaries, and the answer 422 with its schemas where an operation has anything to validate.
///
/// It changes nothing in a document that is in the dialect. Any document of utoipa's will do:
///
/// ```
/// use fastapi_compat::openapi::FastApi;
/// use utoipa::{OpenApi, ToSchema};
///
/// #[derive(ToSchema)]
/// struct Item {
///     owner_name: Option<String>,
/// }
///
/// #[utoipa::path(get, path = "/items/{id}", params(("id" = i32, Path)),
///     responses((status = 200, body = Item)))]
/// async fn read_item() {}
///
/// #[derive(OpenApi)]
/// #[openapi(paths(read_item), modifiers(&FastApi))]
/// struct Document;
///
/// let document = serde_json::to_value(Document::openapi()).unwrap();
/// assert_eq!(
///     document["components"]["schemas"]["Item"]["properties"]["owner_name"],
///     serde_json::json!({"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Owner Name"}),
/// );
/// assert!(document["paths"]["/items/{id}"]["get"]["responses"]["422"].is_object());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FastApi;

impl Modify for FastApi {
    fn modify(&self, document: &mut OpenApi) {
        let mut is_validated = false;
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            is_validated |= rewrite_operation(operation);
        }
        let mut components = document.components.take().unwrap_or_default();
        for (name, schema) in &mut components.schemas {
            rewrite(schema, true);
            name_model(schema, name);
        }
        if is_validated {
            for (name, schema) in validation_errors() {
                components.schemas.entry(name.to_owned()).or_insert(schema);
            }
        }
        document.components = Some(components).filter(|all| *all != Components::new());
    }
}

/// Gives whether the answer 422 is among its answers.
fn rewrite_operation(operation: &mut Operation) -> bool {
    operation.tags = operation.tags.take().filter(|tags| !tags.is_empty());
    operation.parameters = operation.parameters.take().filter(|all| !all.is_empty());
    if let (None, Some(id)) = (&operation.summary, &operation.operation_id) {
        operation.summary = Some(title(id));
    }
    schemas_of(operation, &mut |schema| rewrite(schema, false));
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            rewrite_parameter(parameter);
        }
    }
    let answer = operation.operation_id.as_deref().map(|id| format!("Response {}", title(id)));
    let responses = &mut operation.responses.responses;
    let successes = responses.iter_mut().filter(|(status, _)| status.starts_with('2'));
    for (_, response) in successes {
        if let (Some(title), RefOr::T(response)) = (&answer, response)
            && let Some(RefOr::T(content)) = response.content.get_mut("application/json")
            && let Some(schema) = &mut content.schema
            && *schema != typed(SchemaType::AnyValue).into()
        {
            name(schema, title);
        }
    }
    if operation.parameters.is_some() || operation.request_body.is_some() {
        explain(operation);
    }
    let responses = &operation.responses.responses;
    responses.get("422").is_some_and(|answer| *answer == validation_error().into())
}

/// Adds the answer 422, unless there is one.
pub(super) fn explain(operation: &mut Operation) {
    let responses = &mut operation.responses;
    let is_given = |key: &&str| {
        let merged = responses.extensions.as_ref().is_some_and(|all| all.contains_key(*key));
        merged || responses.responses.contains_key(*key)
    };
    if !["422", "4XX", "default"].iter().any(is_given) {
        responses.responses.insert("422".to_owned(), validation_error().into());
    }
}

fn validation_error() -> Response {
    let content = Content::new(Some(Ref::from_schema_name("HTTPValidationError")));
    let answer = ResponseBuilder::new().description("Validation Error");
    answer.content("application/json", content).build()
}

fn validation_errors() -> [(&'static str, RefOr<Schema>); 2] {
    let text = |title| ObjectBuilder::new().title(Some(title)).schema_type(Type::String);
    let list = |title, items: RefOr<Schema>| ArrayBuilder::new().title(Some(title)).items(items);
    let mut step = AnyOf::new();
    step.items = vec![typed(Type::String).into(), typed(Type::Integer).into()];
    let mut error = ObjectBuilder::new()
        .title(Some("ValidationError"))
        .property("loc", list("Location", Schema::from(step).into()))
        .property("msg", text("Message"))
        .property("type", text("Error Type"));
    if !has(Switch::ValidationErrorWithoutInput) {
        error = error
            .property("input", text("Input").schema_type(SchemaType::AnyValue))
            .property("ctx", text("Context").schema_type(Type::Object));
    }
    let error = error.required("loc").required("msg").required("type");
    let errors = list("Detail", Ref::from_schema_name("ValidationError").into());
    let all = ObjectBuilder::new().title(Some("HTTPValidationError")).property("detail", errors);
    [("HTTPValidationError", all.into()), ("ValidationError", error.into())]
}

/// FastAPI gives the description of a parameter to its schema, too.
fn rewrite_parameter(parameter: &mut Parameter) {
    let Some(schema) = &mut parameter.schema else { return };
    if parameter.required != Required::True {
        in_all_of(schema);
    }
    name(schema, &title(&parameter.name));
    let (mut description, mut deprecated) = (None, false);
    if let RefOr::T(kind) = &*schema {
        each_kind!(kind, kind => {
            description.clone_from(&kind.description);
            let kept = kind.extensions.as_ref().and_then(|kept| kept.get("deprecated"));
            deprecated = kept == Some(&json!(true));
        });
        if let Schema::Object(Object { deprecated: Some(Deprecated::True), .. }) = kind {
            deprecated = true;
        }
    } else if let RefOr::Ref(reference) = schema {
        description = Some(reference.description.clone()).filter(|text| !text.is_empty());
    }
    match (&parameter.description, description) {
        (None, description) => parameter.description = description,
        (Some(description), None) => set(schema, "description", description.clone().into()),
        (Some(_), Some(_)) => {}
    }
    match parameter.deprecated {
        Some(Deprecated::True) if !deprecated && !has(Switch::ParameterSchemasAreCurrent) => {
            set(schema, "deprecated", true.into());
        }
        Some(Deprecated::True) => {}
        _ => parameter.deprecated = deprecated.then_some(Deprecated::True),
    }
    if has(Switch::ParameterSchemasAreCurrent) {
        remove(schema, "deprecated");
    }
}

/// Puts a reference in `allOf`, if that is where one of the dialect stands that has a default.
pub(super) fn in_all_of(schema: &mut RefOr<Schema>) {
    if location(schema).is_none() || !has(Switch::ReferencesInAllOf) {
        return;
    }
    let Value::Object(mut keywords) = json!(schema) else { return };
    if let Some(reference) = keywords.remove("$ref") {
        let all_of = ("allOf".to_owned(), json!([{"$ref": reference}]));
        *schema = of_keywords([all_of]).into();
        for (keyword, value) in keywords {
            set(schema, &keyword, value);
        }
    }
}

fn is_in_all_of(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            object.extensions.as_ref().is_some_and(|kept| kept.contains_key("allOf"))
        }
        _ => false,
    }
}

/// The same for one with other keywords beside it.
fn with_others_in_all_of(schema: &mut RefOr<Schema>) {
    let has_others = |schema: &RefOr<Schema>| match json!(schema) {
        Value::Object(keywords) => keywords.len() > 1,
        _ => false,
    };
    if location(schema).is_some() && has_others(schema) {
        in_all_of(schema);
    }
}

/// Gives a schema the title that it has at its position, if it has none of its own.
pub(super) fn name(schema: &mut RefOr<Schema>, title: &str) {
    if location(schema).is_none() && title_of(schema).is_none() {
        set(schema, "title", title.into());
    }
}

/// A model or an enumeration bears the name of its component, and shows that it has no fields.
fn name_model(schema: &mut RefOr<Schema>, title: &str) {
    let RefOr::T(Schema::Object(object)) = &*schema else { return };
    let is_object = object.schema_type == SchemaType::Type(Type::Object);
    let is_dictionary = object
        .additional_properties
        .as_deref()
        .is_some_and(|values| *values != AdditionalProperties::FreeForm(false));
    let keeps = |keyword| object.extensions.as_ref().is_some_and(|kept| kept.contains_key(keyword));
    let is_model = is_object && !is_dictionary && !keeps("patternProperties");
    let is_empty = is_model && object.properties.is_empty() && !keeps("properties");
    if is_model || object.enum_values.is_some() {
        name(schema, title);
    }
    if is_empty {
        set(schema, "properties", json!({}));
    }
}

/// Rewrites a schema, in which FastAPI writes bounds as floats if it is a component's.
pub(super) fn rewrite(schema: &mut RefOr<Schema>, is_component: bool) {
    with_others_in_all_of(schema);
    let RefOr::T(inner) = schema else { return };
    children(inner, &mut |child| rewrite(child, is_component));
    let optional = match inner {
        Schema::Array(array) => {
            if !array.prefix_items.is_empty() && array.items == ArrayItems::False {
                // utoipa's arrays always have a schema of their items.
                if let Value::Object(mut keywords) = json!(array) {
                    keywords.remove("items");
                    *inner = of_keywords(keywords);
                }
                None
            } else {
                without_null(&mut array.schema_type).then(|| inner.clone().into())
            }
        }
        Schema::Object(object) => {
            rewrite_object(object, is_component);
            without_null(&mut object.schema_type).then(|| inner.clone().into())
        }
        Schema::OneOf(choices) => {
            let mut other = choices.items.iter().filter(|choice| !is_null(choice));
            match (other.next(), other.next()) {
                (Some(other), None) if choices.items.len() == 2 => Some(other.clone()),
                _ => None,
            }
        }
        _ => None,
    };
    if let Some(choice) = optional {
        *schema = or_null(schema, choice);
    }
}

/// Takes null out of a list of types.
fn without_null(types: &mut SchemaType) -> bool {
    let SchemaType::Array(all) = types else { return false };
    let count = all.len();
    all.retain(|kind| *kind != Type::Null);
    let had_null = all.len() < count;
    if let [kind] = &all[..] {
        *types = SchemaType::Type(kind.clone());
    }
    had_null
}

/// `anyOf` the choice and null, with the annotations outside; a union takes null among its own.
fn or_null(schema: &RefOr<Schema>, mut choice: RefOr<Schema>) -> RefOr<Schema> {
    let mut annotations = Vec::new();
    if let Value::Object(keywords) = json!(schema) {
        // Beside `oneOf` stands only what belongs to both choices.
        let is_choice = keywords.contains_key("oneOf");
        annotations.extend(keywords.into_iter().filter(|(keyword, _)| match keyword.as_str() {
            "title" | "description" | "default" | "examples" | "deprecated" => true,
            keyword => is_choice && keyword != "oneOf",
        }));
    }
    // What was inside an object of two types stands outside now.
    if let RefOr::T(inner @ (Schema::Object(_) | Schema::Array(_))) = &mut choice
        && !matches!(schema, RefOr::T(Schema::OneOf(_)))
    {
        each_kind!(inner, kind => {
            (kind.description, kind.default) = (None, None);
            kind.examples.clear();
        });
        match inner {
            Schema::Object(kind) => (kind.title, kind.deprecated) = (None, None),
            Schema::Array(kind) => (kind.title, kind.deprecated) = (None, None),
            _ => {}
        }
    }
    let mut union = match choice {
        RefOr::T(Schema::AnyOf(union)) => union,
        choice => {
            let mut union = AnyOf::new();
            union.items.push(choice);
            union
        }
    };
    union.items.push(null());
    let mut union = Schema::AnyOf(union).into();
    for (keyword, value) in annotations {
        set(&mut union, &keyword, value);
    }
    union
}

fn rewrite_object(object: &mut Object, is_component: bool) {
    if object.schema_type.is_any_value() && object.default == Some(Value::Null) {
        // `()` of utoipa
        let unit = utoipa::openapi::schema::empty();
        if Schema::Object(object.clone()) == unit {
            *object = typed(Type::Null);
        }
    }
    bound_integers(object);
    for (keyword, bound) in [
        ("minimum", &mut object.minimum),
        ("maximum", &mut object.maximum),
        ("exclusiveMinimum", &mut object.exclusive_minimum),
        ("exclusiveMaximum", &mut object.exclusive_maximum),
        ("multipleOf", &mut object.multiple_of),
    ] {
        #[expect(clippy::cast_precision_loss, reason = "Python's floats are not wider")]
        let float = match bound {
            Some(Number::Float(float)) => *float,
            Some(Number::Int(int)) if is_component => *int as f64,
            Some(Number::UInt(int)) if is_component => *int as f64,
            _ => continue,
        };
        // utoipa writes 1.0 as 1.
        *bound = None;
        object.extensions.get_or_insert_default().insert(keyword.to_owned(), json!(float));
    }
    rewrite_names(object);
    if let Some(values) = object.additional_properties.as_deref_mut()
        && *values == AdditionalProperties::RefOr(typed(SchemaType::AnyValue).into())
    {
        *values = AdditionalProperties::FreeForm(true);
    }
    for (field, schema) in &mut object.properties {
        if !is_model_or_null(schema) {
            name(schema, &title(field));
        }
    }
}

/// The bounds of small integers, instead of their formats.
fn bound_integers(object: &mut Object) {
    let Some(SchemaFormat::KnownFormat(format)) = &object.format else { return };
    let bounds = match format {
        KnownFormat::Int8 => Some((i8::MIN.into(), i8::MAX.into())),
        KnownFormat::Int16 => Some((i16::MIN.into(), i16::MAX.into())),
        KnownFormat::Int32 => Some((i32::MIN.into(), i32::MAX.into())),
        KnownFormat::UInt8 => Some((0, u8::MAX.into())),
        KnownFormat::UInt16 => Some((0, u16::MAX.into())),
        KnownFormat::UInt32 => Some((0, i64::from(u32::MAX))),
        KnownFormat::Int64 | KnownFormat::UInt64 | KnownFormat::Float | KnownFormat::Double => None,
        _ => return,
    };
    object.format = None;
    if let Some((min, max)) = bounds {
        let number = |bound: i64| isize::try_from(bound).ok().map(Number::Int);
        object.minimum = object.minimum.take().or_else(|| number(min));
        object.maximum = object.maximum.take().or_else(|| number(max));
    }
}

/// Only texts with constraints and references describe the names of properties.
fn rewrite_names(object: &mut Object) {
    let Some(names) = object.property_names.take() else { return };
    let names = RefOr::T(*names);
    let shows_names = !has(Switch::NoPropertyNames);
    if location(&names).is_some() && !shows_names {
        return;
    }
    if location(&names).is_some() {
        object.property_names = Some(Box::new(Schema::from(names)));
        return;
    }
    let RefOr::T(Schema::Object(mut names)) = names else { return };
    if !matches!(names.schema_type, SchemaType::Type(Type::String) | SchemaType::AnyValue) {
        return;
    }
    (names.schema_type, names.title) = (SchemaType::AnyValue, None);
    if let Some(pattern) = names.pattern.take() {
        let values = object.additional_properties.take();
        let properties = json!({pattern: values});
        let kept = object.extensions.get_or_insert_default();
        kept.insert("patternProperties".to_owned(), properties);
    }
    if names != typed(SchemaType::AnyValue) && shows_names {
        object.property_names = Some(Box::new(names.into()));
    }
}

/// A model or an enumeration has a title of its own, and so has an optional one.
fn is_model_or_null(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::AnyOf(choices)) => match &choices.items[..] {
            [model, other] => location(model).is_some() && is_null(other),
            _ => false,
        },
        schema => location(schema).is_some() || is_in_all_of(schema),
    }
}

/// `full_name` becomes `Full Name`, as Python's `str.title` does it.
pub(super) fn title(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|c| if c == '_' { ' ' } else { c })
        .map(|c| {
            let cased = if start { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            start = !c.is_alphabetic();
            cased
        })
        .collect()
}
