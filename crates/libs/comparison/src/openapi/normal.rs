//! A document in the form in which the newest FastAPI writes it.

use serde_json::{Map, Value, json};

use super::names::{METHODS, SCHEMAS, component};

/// How many references may follow each other.
const MAX_HOPS: usize = 16;

/// The annotations that stand beside a choice, not in it.
const ANNOTATIONS: [&str; 8] = [
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// The document as OpenAPI 3.1 has it: `nullable` and lists of types as `anyOf`, bounds as numbers,
/// `allOf` merged, parameters of a path at its operations, and nothing but schemas behind a
/// reference. What is no document stays a value without paths.
pub fn normal(document: &Value) -> Value {
    let mut result = document.clone();
    let Some(top) = result.as_object_mut() else { return json!({}) };
    let paths = top.get_mut("paths").and_then(Value::as_object_mut);
    for (_, item) in paths.into_iter().flatten() {
        *item = resolved(document, item);
        let shared = item.as_object_mut().and_then(|item| item.remove("parameters"));
        let Some(item) = item.as_object_mut() else { continue };
        item.retain(|method, operation| {
            operation.is_object() || !METHODS.contains(&method.as_str())
        });
        for method in METHODS {
            if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                normalise_operation(document, operation, shared.as_ref());
            }
        }
    }
    let schemas = result.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    for (_, schema) in schemas.into_iter().flatten() {
        normalise(document, schema, 0);
    }
    result
}

/// What a value refers to, if it is a reference to anything in the document.
fn resolved(document: &Value, value: &Value) -> Value {
    let mut value = value;
    for _ in 0..MAX_HOPS {
        let reference = value.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|text| document.pointer(text.strip_prefix('#')?));
        let Some(target) = target else { break };
        value = target;
    }
    value.clone()
}

fn normalise_operation(
    document: &Value,
    operation: &mut Map<String, Value>,
    shared: Option<&Value>,
) {
    let key = |one: &Value| (one["in"].clone(), one["name"].clone());
    let list = |value: Option<&Value>| -> Vec<Value> {
        let all = value.and_then(Value::as_array).into_iter().flatten();
        all.map(|one| resolved(document, one)).filter(Value::is_object).collect()
    };
    let mut parameters: Vec<Value> = Vec::new();
    for one in list(operation.get("parameters")).into_iter().chain(list(shared)) {
        let is_new = parameters.iter().all(|other| key(other) != key(&one));
        if is_new && one["name"].is_string() && one["in"].is_string() {
            parameters.push(one);
        }
    }
    for parameter in &mut parameters {
        // Of a parameter with a media type, the schema is that of its text.
        if parameter["schema"].is_null() {
            parameter["schema"] = json!({});
        }
        normalise(document, &mut parameter["schema"], 0);
    }
    if operation.contains_key("parameters") || !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = operation.get_mut("requestBody") {
        *body = resolved(document, body);
        contents(document, body);
    }
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for (_, response) in responses.into_iter().flatten() {
        *response = resolved(document, response);
        contents(document, response);
    }
    if !operation.contains_key("security") && document["security"].is_array() {
        operation.insert("security".to_owned(), document["security"].clone());
    }
}

/// The schemas of a body or an answer.
fn contents(document: &Value, value: &mut Value) {
    let contents = value.get_mut("content").and_then(Value::as_object_mut);
    for (_, content) in contents.into_iter().flatten() {
        if let Some(schema) = content.get_mut("schema") {
            normalise(document, schema, 0);
        }
    }
}

/// Deeper schemas stay as they are: no person and no program writes them.
const MAX_DEPTH: usize = 64;

/// What a reference adds to the depth: a model has few ancestors.
const HOP: usize = 8;

fn normalise(document: &Value, schema: &mut Value, depth: usize) {
    let Some(keywords) = schema.as_object_mut() else {
        *schema = if *schema == false { json!({"not": {}}) } else { json!({}) };
        return;
    };
    if depth > MAX_DEPTH {
        return;
    }
    for key in ["properties", "patternProperties"] {
        let fields = keywords.get_mut(key).and_then(Value::as_object_mut);
        for (_, field) in fields.into_iter().flatten() {
            normalise(document, field, depth + 1);
        }
        if keywords.get(key).is_some_and(|fields| !fields.is_object()) {
            keywords.remove(key);
        }
    }
    // Tuples before OpenAPI 3.1.
    if let Some(Value::Array(_)) = keywords.get("items")
        && let Some(items) = keywords.remove("items")
    {
        keywords.entry("prefixItems").or_insert(items);
    }
    for key in ["allOf", "anyOf", "oneOf", "prefixItems"] {
        let choices = keywords.get_mut(key).and_then(Value::as_array_mut);
        for choice in choices.into_iter().flatten() {
            normalise(document, choice, depth + 1);
        }
        if keywords.get(key).is_some_and(|all| all.as_array().is_none_or(Vec::is_empty)) {
            keywords.remove(key);
        }
    }
    for key in ["items", "additionalProperties", "propertyNames", "not", "contains"] {
        if let Some(inner) = keywords.get_mut(key).filter(|inner| !inner.is_boolean()) {
            normalise(document, inner, depth + 1);
        }
    }
    for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        match keywords.get(exclusive) {
            Some(Value::Bool(true)) => {
                keywords.remove(exclusive);
                if let Some(value) = keywords.remove(bound) {
                    keywords.insert(exclusive.to_owned(), value);
                }
            }
            Some(Value::Bool(false)) => {
                keywords.remove(exclusive);
            }
            _ => {}
        }
    }
    merge_all_of(document, keywords, depth);
    single_choice(keywords, "anyOf");
    types(keywords);
    null(keywords);
}

/// One schema instead of several that hold all at once, if they are one, or objects.
fn merge_all_of(document: &Value, keywords: &mut Map<String, Value>, depth: usize) {
    let Some(Value::Array(parts)) = keywords.get("allOf") else { return };
    if let [one] = parts.as_slice() {
        let one = one.clone();
        keywords.remove("allOf");
        if keywords.get("type").is_some_and(|kind| Some(kind) == one.get("type"))
            || one.get("$ref").is_some()
        {
            keywords.remove("type");
        }
        for (key, value) in one.as_object().into_iter().flatten() {
            keywords.entry(key.clone()).or_insert_with(|| value.clone());
        }
        return;
    }
    let mut merged = Map::new();
    for part in parts {
        if !object(document, part, &mut merged, depth) {
            return;
        }
    }
    keywords.remove("allOf");
    for (key, value) in merged {
        match (keywords.get_mut(&key), value) {
            (Some(Value::Object(fields)), Value::Object(more)) => {
                for (name, value) in more {
                    fields.entry(name).or_insert(value);
                }
            }
            (Some(Value::Array(all)), Value::Array(more)) => {
                let more: Vec<_> = more.into_iter().filter(|one| !all.contains(one)).collect();
                all.extend(more);
            }
            (Some(_), _) => {}
            (None, value) => {
                keywords.insert(key, value);
            }
        }
    }
}

/// Adds the fields of a schema, and gives whether it is an object.
fn object(document: &Value, part: &Value, merged: &mut Map<String, Value>, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    if let Some(reference) = part.get("$ref").and_then(Value::as_str) {
        let Some((_, target)) = component(document, reference) else { return false };
        let mut target = target.clone();
        normalise(document, &mut target, depth + HOP);
        if let Some(keywords) = target.as_object_mut() {
            keywords.remove("title");
            keywords.remove("description");
        }
        return object(document, &target, merged, depth + HOP);
    }
    let known = ["properties", "required", "type", "additionalProperties"];
    let is_object = part.get("properties").is_some()
        || part.get("type") == Some(&json!("object"))
        || part.as_object().is_some_and(|part| {
            part.keys().all(|key| ANNOTATIONS.contains(&key.as_str()) || key == "required")
        });
    let is_plain = part.as_object().is_some_and(|part| {
        part.keys().all(|key| known.contains(&key.as_str()) || ANNOTATIONS.contains(&key.as_str()))
    });
    if !is_object || !is_plain {
        return false;
    }
    for (key, value) in part.as_object().into_iter().flatten() {
        match (merged.get_mut(key), value) {
            (Some(Value::Object(fields)), Value::Object(more)) if key == "properties" => {
                fields.extend(more.clone());
            }
            (Some(Value::Array(all)), Value::Array(more)) if key == "required" => {
                all.extend(more.clone());
            }
            (Some(_), _) => {}
            (None, value) => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    true
}

/// A choice of one is that one.
fn single_choice(keywords: &mut Map<String, Value>, key: &str) {
    let Some([one]) = keywords.get(key).and_then(Value::as_array).map(Vec::as_slice) else {
        return;
    };
    let one = one.clone();
    if one == json!({"type": "null"}) {
        return;
    }
    keywords.remove(key);
    for (key, value) in one.as_object().into_iter().flatten() {
        keywords.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// A list of types as a choice of schemas.
fn types(keywords: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = keywords.get("type") else { return };
    let types = types.clone();
    keywords.remove("type");
    match types.as_slice() {
        [] => {}
        [one] => {
            keywords.insert("type".to_owned(), one.clone());
        }
        types => {
            let inner = take_rules(keywords);
            let choices = types.iter().map(|kind| {
                let mut choice = inner.clone();
                let allowed = words_of(kind.as_str().unwrap_or_default());
                choice.retain(|key, _| {
                    key.starts_with("x-") || allowed.contains(&key.as_str()) || key == "enum"
                });
                if *kind == "null" {
                    choice.clear();
                }
                choice.insert("type".to_owned(), kind.clone());
                Value::Object(choice)
            });
            let choices: Vec<Value> = choices.collect();
            keywords.insert("anyOf".to_owned(), choices.into());
        }
    }
}

/// Takes out everything that is no annotation.
fn take_rules(keywords: &mut Map<String, Value>) -> Map<String, Value> {
    let all = std::mem::take(keywords);
    let (outside, inside): (Map<_, _>, Map<_, _>) =
        all.into_iter().partition(|(key, _)| ANNOTATIONS.contains(&key.as_str()));
    *keywords = outside;
    inside
}

/// The rules that a type has.
fn words_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "string" => &["minLength", "maxLength", "pattern", "format", "contentMediaType"],
        "integer" | "number" => {
            &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "format"]
        }
        "array" => &["items", "prefixItems", "minItems", "maxItems", "uniqueItems"],
        "object" => &[
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "propertyNames",
            "minProperties",
            "maxProperties",
        ],
        _ => &[],
    }
}

/// What may be null, as a choice.
fn null(keywords: &mut Map<String, Value>) {
    let mut is_nullable = false;
    if let Some(Value::Bool(given)) = keywords.get("nullable") {
        is_nullable = *given;
        keywords.remove("nullable");
    }
    if keywords.get("const") == Some(&Value::Null) && keywords.get("enum").is_none() {
        keywords.remove("const");
        keywords.insert("type".to_owned(), "null".into());
        return;
    }
    if let Some(Value::Array(values)) = keywords.get_mut("enum")
        && values.len() > 1
        && values.contains(&Value::Null)
    {
        values.retain(|value| !value.is_null());
        is_nullable = true;
    }
    if !is_nullable || keywords.get("type") == Some(&json!("null")) {
        return;
    }
    let nothing = json!({"type": "null"});
    if let Some(Value::Array(choices)) = keywords.get_mut("anyOf") {
        if !choices.contains(&nothing) {
            choices.push(nothing);
        }
        return;
    }
    let inside = take_rules(keywords);
    if inside.is_empty() {
        return;
    }
    keywords.insert("anyOf".to_owned(), json!([inside, nothing]));
}

/// Whether a text refers to a schema.
pub(super) fn is_reference(text: &str) -> bool {
    text.starts_with(SCHEMAS)
}
