use serde_json::{Value, json};

use super::Class::{Breaking, Documentation, NonBreaking};
use super::{Change, Class, compare, prepare, rules};

mod documents;
mod malformed;
mod oasdiff;
mod oracle;
mod pairs;
mod spellings;
mod unions;
mod versions;

/// The changes between two documents as they are written down.
fn changes(old: &Value, new: &Value) -> Vec<Change> {
    changes_of(&prepare(old.clone()).unwrap(), new)
}

/// The same, of an old document that is prepared.
fn changes_of(old: &Value, new: &Value) -> Vec<Change> {
    let changes = compare(old, &prepare(new.clone()).unwrap());
    for change in &changes {
        assert!(rules().any(|rule| rule.id == change.rule), "no rule {}", change.rule);
    }
    changes
}

fn item(item: Value) -> Value {
    let mut document =
        json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}});
    document["paths"]["/x"] = item;
    document
}

/// A document whose request has the schema.
fn request(schema: &Value) -> Value {
    item(json!({"post": {
        "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "ok"}},
    }}))
}

/// A document whose response has the schema.
fn response(schema: &Value) -> Value {
    item(json!({"get": {"responses": {"200": {
        "description": "ok", "content": {"application/json": {"schema": schema}},
    }}}}))
}

/// A document with one parameter.
fn parameter(parameter: &Value) -> Value {
    item(json!({"get": {"parameters": [parameter], "responses": {"200": {"description": "ok"}}}}))
}

fn classes(old: &Value, new: &Value) -> Vec<Class> {
    changes(old, new).iter().map(|change| change.class).collect()
}

/// The classes of a change of the same schema in a request and in a response.
fn both(old: &Value, new: &Value) -> (Vec<Class>, Vec<Class>) {
    (classes(&request(old), &request(new)), classes(&response(old), &response(new)))
}

/// A document whose components are these; `schema` is that of a request or a response.
fn with_components(mut document: Value, components: &Value) -> Value {
    document["components"]["schemas"] = components.clone();
    document
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Cat and Dog, each with its own kind.
fn animals() -> Value {
    let animal = |kind: &str, field: &str| {
        json!({"type": "object", "required": ["kind"], "properties": {
            "kind": {"const": kind, "type": "string"}, field: {"type": "integer"},
        }})
    };
    json!({"Cat": animal("cat", "lives"), "Dog": animal("dog", "age"), "Cow": animal("cow", "milk")})
}

/// An object with string properties; `!` marks required ones.
fn object(names: &[&str]) -> Value {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for name in names {
        properties.insert(name.trim_end_matches('!').to_owned(), json!({"type": "string"}));
        if let Some(name) = name.strip_suffix('!') {
            required.push(json!(name));
        }
    }
    json!({"type": "object", "properties": properties, "required": required})
}

#[test]
fn the_page_of_rules_is_that_of_the_code() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page == super::page(), "run `contract rules > crates/tools/contract/docs/rules.md`");
}
