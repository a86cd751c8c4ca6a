use serde_json::{Value, json};

use super::Class::{Breaking, Documentation, NonBreaking};
use super::{Class, compare};

/// A document with one operation, whose request and answer have these schemas.
fn document(request: &Value, response: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "a", "version": "1"},
        "paths": {"/items/": {"post": {
            "requestBody": {"required": true, "content": {"application/json": {"schema": request}}},
            "responses": {"200": {"content": {"application/json": {"schema": response}}}},
        }}},
    })
}

/// The classes of a change of the same schema in a request and in an answer.
fn classes(old: &Value, new: &Value) -> (Vec<Class>, Vec<Class>) {
    let plain = json!({});
    let of = |old: &Value, new: &Value| {
        compare(old, new).iter().map(|change| change.class).collect::<Vec<_>>()
    };
    (
        of(&document(old, &plain), &document(new, &plain)),
        of(&document(&plain, old), &document(&plain, new)),
    )
}

#[test]
fn what_narrows_breaks_requests_and_what_widens_breaks_answers() {
    for (narrow, wide) in [
        (json!({"type": "integer"}), json!({"type": "number"})),
        (json!({"type": "string"}), json!({"type": ["string", "null"]})),
        (json!({"type": "string"}), json!({"type": "string", "nullable": true})),
        (json!({"type": "string"}), json!({"anyOf": [{"type": "string"}, {"type": "null"}]})),
        (json!({"type": "string"}), json!({})),
        (json!({"type": "string", "maxLength": 5}), json!({"type": "string", "maxLength": 6})),
        (json!({"type": "string", "minLength": 1}), json!({"type": "string"})),
        (json!({"type": "string", "pattern": "^a"}), json!({"type": "string"})),
        (json!({"type": "string", "format": "uuid"}), json!({"type": "string"})),
        (json!({"type": "integer", "minimum": 1.0}), json!({"type": "integer", "minimum": 0})),
        (json!({"enum": ["a"]}), json!({"enum": ["a", "b"]})),
        (json!({"const": "a"}), json!({"enum": ["a", "b"]})),
        (
            json!({"type": "array", "items": {"type": "integer", "maximum": 1}}),
            json!({"type": "array", "items": {"type": "integer"}}),
        ),
        (
            json!({"type": "object", "properties": {"a": {}}, "required": ["a"]}),
            json!({"type": "object", "properties": {"a": {}}}),
        ),
        (json!({"type": "object", "additionalProperties": false}), json!({"type": "object"})),
        (
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            json!({"type": "object", "additionalProperties": {"type": "number"}}),
        ),
    ] {
        let expected = (vec![Breaking], vec![NonBreaking]);
        assert_eq!(classes(&wide, &narrow), expected, "{wide} becomes {narrow}");
        let expected = (vec![NonBreaking], vec![Breaking]);
        assert_eq!(classes(&narrow, &wide), expected, "{narrow} becomes {wide}");
    }
}

#[test]
fn what_becomes_something_else_breaks_both() {
    for (old, new) in [
        (json!({"type": "string"}), json!({"type": "integer"})),
        (json!({"type": "string", "format": "date"}), json!({"type": "string", "format": "uuid"})),
        (json!({"type": "integer", "multipleOf": 2}), json!({"type": "integer", "multipleOf": 3})),
        (json!({"type": "integer", "default": 1}), json!({"type": "integer", "default": 2})),
        (
            json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            json!({"type": "object", "properties": {}}),
        ),
    ] {
        assert_eq!(classes(&old, &new), (vec![Breaking], vec![Breaking]), "{old} becomes {new}");
    }
}

#[test]
fn new_fields_break_only_requests_that_must_have_them() {
    let old = json!({"type": "object", "properties": {"a": {}}});
    let optional = json!({"type": "object", "properties": {"a": {}, "b": {}}});
    let required = json!({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]});
    assert_eq!(classes(&old, &optional), (vec![NonBreaking], vec![NonBreaking]));
    assert_eq!(classes(&old, &required), (vec![Breaking], vec![NonBreaking]));
}

#[test]
fn the_same_said_otherwise_is_no_difference() {
    let named = |schema: Value| {
        let mut document = document(&json!({"$ref": "#/components/schemas/A"}), &json!({}));
        document["components"]["schemas"]["A"] = schema;
        document
    };
    let item = json!({"type": "object", "properties": {
        "n": {"type": "integer", "maximum": 100},
        "more": {"type": "array", "items": {"$ref": "#/components/schemas/A"}},
    }});
    let mut inlined = document(&item, &json!({}));
    inlined["components"]["schemas"]["A"] = item.clone();
    assert_eq!(compare(&named(item.clone()), &inlined), []);
    let mut float = item.clone();
    float["properties"]["n"]["maximum"] = json!(100.0);
    assert_eq!(compare(&named(item), &named(float)), []);
    let choice = |order: [&str; 2]| json!({"anyOf": [{"type": order[0]}, {"type": order[1]}]});
    let nothing = (vec![], vec![]);
    assert_eq!(classes(&choice(["string", "null"]), &choice(["null", "string"])), nothing);
    let (list, any_of) = (json!({"type": ["string", "null"]}), choice(["string", "null"]));
    assert_eq!(classes(&list, &any_of), nothing);
}

#[test]
fn a_schema_within_itself_is_compared_once() {
    let tree = |kind: &str| {
        let mut document = document(&json!({"$ref": "#/components/schemas/T"}), &json!({}));
        document["components"]["schemas"]["T"] = json!({"type": "object", "properties": {
            "value": {"type": kind},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/T"}},
        }});
        document
    };
    let changes = compare(&tree("integer"), &tree("string"));
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].path, "POST /items/ body.value");
}

/// Changes the document by a patch: null removes.
fn classes_of_patch(old: &Value, patch: &Value) -> Vec<(Class, String)> {
    fn apply(value: &mut Value, patch: &Value) {
        match patch {
            Value::Object(fields) => {
                for (name, patch) in fields {
                    if patch.is_null() {
                        value.as_object_mut().unwrap().remove(name);
                    } else {
                        apply(&mut value[name], patch);
                    }
                }
            }
            patch => *value = patch.clone(),
        }
    }
    let mut new = old.clone();
    apply(&mut new, patch);
    compare(old, &new).into_iter().map(|change| (change.class, change.path)).collect()
}

#[test]
fn operations_parameters_bodies_and_answers() {
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    let q =
        |required: bool| json!({"name": "q", "in": "query", "required": required, "schema": {}});
    let mut old = document(&json!({"type": "string"}), &json!({"type": "string"}));
    old["paths"]["/items/{id}"] = json!({
        "parameters": [id],
        "get": {"summary": "Get", "parameters": [q(false)], "responses": {"200": {}, "404": {}}},
    });
    let get = |patch: Value| json!({"paths": {"/items/{id}": {"get": patch}}});
    let name = || "GET /items/{id}".to_owned();
    let path = |rest: &str| format!("GET /items/{{id}} {rest}");
    let cases = [
        (json!({"paths": {"/items/{id}": null}}), vec![(Breaking, name())]),
        (json!({"paths": {"/x": {"get": {}}}}), vec![(NonBreaking, "GET /x".to_owned())]),
        (get(json!({"summary": "Got"})), vec![(Documentation, name())]),
        (get(json!({"parameters": [q(true)]})), vec![(Breaking, path("query q"))]),
        (get(json!({"parameters": []})), vec![(Breaking, path("query q"))]),
        (
            get(json!({"parameters": [q(false), {"name": "r", "in": "query"}]})),
            vec![(NonBreaking, path("query r"))],
        ),
        (get(json!({"responses": {"200": null}})), vec![(Breaking, path("200"))]),
        (get(json!({"responses": {"404": null}})), vec![(NonBreaking, path("404"))]),
        (get(json!({"security": [{"key": []}]})), vec![(Breaking, name())]),
        (
            json!({"paths": {"/items/": {"post": {"requestBody": {"content": {"application/json": null}}}}}}),
            vec![(Breaking, "POST /items/ body".to_owned())],
        ),
        (
            json!({"paths": {"/items/": {"post": {"requestBody": {"required": false}}}}}),
            vec![(NonBreaking, "POST /items/ body".to_owned())],
        ),
    ];
    for (patch, expected) in cases {
        assert_eq!(classes_of_patch(&old, &patch), expected, "{patch}");
    }

    // The parameters of a path may be called otherwise.
    let mut renamed = old.clone();
    let mut item = renamed["paths"].as_object_mut().unwrap().remove("/items/{id}").unwrap();
    item["parameters"][0]["name"] = json!("key");
    renamed["paths"]["/items/{key}"] = item;
    assert_eq!(compare(&old, &renamed), []);
}
