//! What is not as the specification has it is refused, with its location.

use super::*;
use crate::openapi::FormError;

/// Where a document with the schema is malformed, as a pointer from that schema, and why.
fn error_of(schema: &Value) -> FormError {
    let deep = json!({"type": "object", "properties": {"a": {"type": "array", "items": {
        "anyOf": [{"type": "null"}, schema],
    }}}});
    let error = prepare(request(&deep)).expect_err("the schema is refused");
    let way = "#/paths/~1x/post/requestBody/content/application~1json/schema\
        /properties/a/items/anyOf/1";
    let location = error.location.strip_prefix(way).expect(&error.location).to_owned();
    FormError { location, ..error }
}

#[test]
fn keywords_of_schemas_at_every_level() {
    for (schema, location, message) in [
        (json!("string"), "", "is a text and must be a schema: an object or a boolean"),
        (json!({"allOf": {}}), "/allOf", "is an object and must be a list"),
        (
            json!({"anyOf": ["a"]}),
            "/anyOf/0",
            "is a text and must be a schema: an object or a boolean",
        ),
        (json!({"properties": ["a"]}), "/properties", "is a list and must be an object"),
        (json!({"required": "a"}), "/required", "is a text and must be a list of names"),
        (json!({"required": ["a", 1]}), "/required/1", "is a number and must be a name"),
        (json!({"enum": "a"}), "/enum", "is a text and must be a list"),
        (json!({"maxLength": "3"}), "/maxLength", "is a text and must be a number"),
        (
            json!({"exclusiveMinimum": "3"}),
            "/exclusiveMinimum",
            "is a text and must be a number or a boolean",
        ),
        (json!({"pattern": 3}), "/pattern", "is a number and must be a text"),
        (json!({"nullable": "true"}), "/nullable", "is a text and must be a boolean"),
        (
            json!({"not": {"items": 1}}),
            "/not/items",
            "is a number and must be a schema: an object or a boolean",
        ),
        (json!({"$ref": 1}), "/$ref", "is a number and must be a text"),
        (json!({"discriminator": "kind"}), "/discriminator", "is a text and must be an object"),
        (json!({"discriminator": {}}), "/discriminator", "has no `propertyName`"),
        (
            json!({"dependentRequired": {"a": "b"}}),
            "/dependentRequired/a",
            "is a text and must be a list of names",
        ),
    ] {
        let error = FormError { location: location.to_owned(), message: message.to_owned() };
        assert_eq!(error_of(&schema), error, "{schema}");
    }
    let error = error_of(&json!({"type": "strin"}));
    assert_eq!(error.location, "/type");
    assert!(error.message.starts_with("`strin` is no type"), "{error}");
    assert_eq!(error_of(&json!({"type": ["string", 1]})).location, "/type/1");
    // What generators write, and names that are no keywords.
    for schema in [
        json!({"type": "string", "maxLength": null, "enum": null, "items": null}),
        json!({"type": "object", "properties": {"type": {"type": "string"}, "enum": true}}),
        json!({"type": "string", "required": true, "example": {"type": 1}, "x-type": {"type": 1}}),
        json!({"default": {"$ref": 1}, "const": {"type": 1}, "type": "object"}),
    ] {
        let document = prepare(request(&schema)).unwrap();
        assert_eq!(compare(&document, &document), []);
    }
}

#[test]
fn parts_of_documents_at_every_level() {
    let get = |key: &str, value: Value| item(json!({"get": {"responses": {}, key: value}}));
    let components = |key: &str, value: Value| {
        let mut document = item(json!({}));
        document["components"] = json!({key: {"A": value}});
        document
    };
    let of_get = |rest: &str| format!("#/paths/~1x/get/{rest}");
    let answer = json!({"200": {"description": "", "headers": {"H": {"schema": 1}}}});
    let callback = json!({"c": {"/y": {"post": {"responses": {"200": "ok"}}}}});
    for (document, location) in [
        (json!({"openapi": "3.1.0", "paths": []}), "#/paths".to_owned()),
        (item(json!([])), "#/paths/~1x".to_owned()),
        (item(json!({"get": "a"})), "#/paths/~1x/get".to_owned()),
        (get("responses", json!({"200": "ok"})), of_get("responses/200")),
        (get("responses", answer), of_get("responses/200/headers/H/schema")),
        (get("callbacks", callback), of_get("callbacks/c/~1y/post/responses/200")),
        (get("parameters", json!({})), of_get("parameters")),
        (get("parameters", json!([{"name": "a"}])), of_get("parameters/0")),
        (get("requestBody", json!({"content": []})), of_get("requestBody/content")),
        (get("requestBody", json!({"required": "yes"})), of_get("requestBody/required")),
        (get("security", json!({"nope": []})), of_get("security")),
        (get("servers", json!("/a")), of_get("servers")),
        (components("schemas", json!("a")), "#/components/schemas/A".to_owned()),
        (components("responses", json!([])), "#/components/responses/A".to_owned()),
        (
            components("securitySchemes", json!({"type": 1})),
            "#/components/securitySchemes/A/type".to_owned(),
        ),
    ] {
        let error = prepare(document.clone()).unwrap_err();
        assert_eq!(error.location, location, "{error}: {document}");
    }
    let mut secured = components("securitySchemes", json!({"type": "http", "scheme": "basic"}));
    secured["security"] = json!([{}, {"A": []}]);
    assert!(prepare(secured).is_ok());
}

#[test]
fn what_a_reference_leads_to_is_what_it_must_be() {
    // Not where components are looked for.
    let mut document = response(&json!({"$ref": "#/x-schemas/A"}));
    document["x-schemas"] = json!({"A": {"properties": {"a": {"type": "strin"}}}});
    assert_eq!(prepare(document).unwrap_err().location, "#/x-schemas/A/properties/a/type");
    let error = prepare(response(&json!({"$ref": "#"}))).unwrap_err();
    assert!(error.location.ends_with("/schema"), "{error}");
    assert_eq!(error.message, "refers to the whole document");
    let [a, b] = ["A", "B"].map(reference);
    for schemas in [
        json!({"A": a}),
        json!({"A": b, "B": a}),
        json!({"A": {"$ref": b["$ref"], "title": "t"}, "B": a}),
    ] {
        let error = prepare(with_components(response(&a), &schemas)).unwrap_err();
        assert!(error.message.ends_with("which leads only to itself"), "{schemas}: {error}");
    }
    let mut parameter = parameter(&json!({"$ref": "#/components/parameters/P"}));
    parameter["components"]["parameters"]["P"] = json!({"$ref": "#/components/parameters/P"});
    assert!(prepare(parameter).unwrap_err().message.ends_with("which leads only to itself"));
}
