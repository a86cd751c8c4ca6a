//! What newer versions of FastAPI and pydantic write differently is no change.

use super::*;

#[test]
fn newer_versions_of_pydantic_and_fastapi_say_more_of_the_same() {
    let document = |name: &str, model: Value, loc: Value| {
        let reference = json!({"$ref": format!("#/components/schemas/{name}")});
        let mut document = request(&reference);
        document["paths"]["/y"] =
            response(&json!({"allOf": [reference], "title": "R"}))["paths"]["/x"].clone();
        document["components"]["schemas"] = json!({name: model, "ValidationError": loc});
        document
    };
    let old = json!({"title": "M", "type": "object", "required": ["a"], "properties": {
        "a": {"title": "A", "enum": ["x"], "type": "string"},
        "b": {"title": "B", "type": "integer", "exclusiveMinimum": 0.0},
        "c": {"$ref": "#/components/schemas/ValidationError"},
    }});
    let new = json!({"title": "M", "type": "object", "required": ["a"], "properties": {
        "a": {"title": "A", "const": "x", "type": "string"},
        "b": {"title": "B", "anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "null"}]},
        "c": {"anyOf": [{"$ref": "#/components/schemas/ValidationError"}, {"type": "null"}]},
    }});
    let error = |more: &[&str]| {
        let mut error = json!({"type": "object", "properties": {"msg": {"type": "string"}}});
        for name in more {
            error["properties"][*name] = json!({});
        }
        error
    };
    let mut old = document("M", old, error(&[]));
    old["openapi"] = json!("3.0.2");
    let new = document("app__models__M", new, error(&["input", "ctx"]));
    let breaking: Vec<_> =
        changes(&old, &new).into_iter().filter(|c| c.class != Documentation).collect();
    // What a model may hold besides is no part of the recognised changes.
    let expected: Vec<&str> =
        breaking.iter().map(|c| c.rule).filter(|rule| *rule != "property-added").collect();
    assert!(expected.is_empty(), "{breaking:#?}");
}

/// A document with the components of FastAPI, pydantic 1 or 2, that has one model.
fn of_fastapi(version: &str, properties: &Value, more: &Value) -> Value {
    let reference = json!({"$ref": "#/components/schemas/M"});
    let mut document = request(&reference);
    document["paths"]["/y"] = response(&reference)["paths"]["/x"].clone();
    document["openapi"] = json!(version);
    document["components"]["schemas"] = json!({
        "M": {"type": "object", "properties": properties},
        "ValidationError": {"type": "object", "properties": {"msg": {"type": "string"}}},
        "HTTPValidationError": {"type": "object"},
    });
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    schemas.extend(more.as_object().unwrap().clone());
    document
}

fn breaking(old: &Value, new: &Value) -> Vec<(&'static str, String)> {
    let found = changes(old, new).into_iter().filter(|change| change.class == Breaking);
    found.map(|change| (change.rule, change.path)).collect()
}

#[test]
fn null_that_only_a_newer_version_writes_differs_from_a_new_null() {
    let string = json!({"type": "string"});
    let nullable = json!({"anyOf": [{"type": "string"}, {"type": "null"}]});
    let list = |items: &Value| json!({"type": "array", "items": items});
    let properties = |of: &Value| json!({"a": of, "b": list(of), "c": {"type": "object", "additionalProperties": of}});
    let old = properties(&string);
    let new = of_fastapi("3.1.0", &properties(&nullable), &json!({}));
    let plain = of_fastapi("3.0.2", &old, &json!({}));
    assert_eq!(breaking(&plain, &new), []);
    // The same version of pydantic, or one that speaks of null already.
    let mut speaks = old.clone();
    speaks["d"] = json!({"type": "string", "nullable": true});
    let mut new_speaks = properties(&nullable);
    new_speaks["d"] = nullable;
    let new_speaks = of_fastapi("3.1.0", &new_speaks, &json!({}));
    for (old, new) in [
        (of_fastapi("3.1.0", &old, &json!({})), &new),
        (of_fastapi("3.0.2", &speaks, &json!({})), &new_speaks),
    ] {
        let rules: Vec<_> = breaking(&old, new).into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(rules, ["became-nullable"; 3]);
    }
    // pydantic 1 in a newer FastAPI.
    let color = |more: &str| json!({"Color": {"enum": ["a", "b"], "description": more}});
    let old = of_fastapi("3.1.0", &old, &color("An enumeration."));
    let mut new = new;
    new["components"]["schemas"]["Color"] = color("")["Color"].clone();
    assert_eq!(breaking(&old, &new), []);
}

#[test]
fn values_that_newer_versions_write_otherwise_are_the_same() {
    let old = json!({
        "price": {"type": "number", "default": 1.5},
        "time": {"type": "string", "format": "date-time", "default": "2020-01-01T00:00:00+00:00"},
        "url": {"type": "string", "format": "uri", "minLength": 1, "maxLength": 65536},
    });
    let string = json!({"type": "string"});
    let new = json!({
        "price": {"anyOf": [{"type": "number"}, string], "default": "1.50"},
        "time": {"type": "string", "format": "date-time", "default": "2020-01-01T00:00:00Z"},
        "url": {"type": "string", "format": "uri", "minLength": 1},
        "more": {"anyOf": [string, {"type": "null"}]},
    });
    let old = of_fastapi("3.0.2", &old, &json!({}));
    let new = of_fastapi("3.1.0", &new, &json!({}));
    // A decimal is a text in responses now.
    assert_eq!(breaking(&old, &new), [("union-member-added", "M.price".to_owned())]);
    let wait = |default: &str| {
        let wait = json!({"type": "string", "format": "duration", "default": default});
        of_fastapi("3.1.0", &json!({"wait": wait}), &json!({}))
    };
    assert_eq!(breaking(&wait("PT60S"), &wait("PT1M")), []);
    assert_eq!(breaking(&wait("P1DT1H"), &wait("PT25H")), []);
    assert_eq!(
        breaking(&wait("PT60S"), &wait("PT61S")),
        [("default-changed", "M.wait".to_owned())]
    );
}

#[test]
fn newer_versions_of_fastapi_write_keys_and_bounds_that_held_before() {
    let by = |names: Value| json!({"by": {"type": "object", "propertyNames": names}});
    let error = json!({"ValidationError": {"type": "object", "properties": {
        "msg": {"type": "string"}, "input": {}, "ctx": {"type": "object"},
    }}});
    let (old, names) = (json!({"by": {"type": "object"}}), by(json!({"enum": ["a", "b"]})));
    let before = of_fastapi("3.1.0", &old, &json!({}));
    assert_eq!(breaking(&before, &of_fastapi("3.1.0", &names, &error)), []);
    let same_version = of_fastapi("3.1.0", &names, &json!({}));
    assert_eq!(breaking(&before, &same_version), [("keyword-changed", "M.by".to_owned())]);
    // FastAPI 0.100 leaves out the bounds of a path's parameters.
    let document = |bound: Value, more: Value| {
        let null = json!({"n": {"anyOf": [{"type": "string"}, {"type": "null"}]}});
        let mut document = of_fastapi("3.1.0", &null, &more);
        let mut schema = json!({"type": "integer"});
        schema.as_object_mut().unwrap().extend(bound.as_object().unwrap().clone());
        let part = json!({"name": "i", "in": "path", "required": true, "schema": schema});
        document["paths"]["/z/{i}"] =
            json!({"get": {"parameters": [part], "responses": {"200": {"description": "ok"}}}});
        document
    };
    let bound = json!({"exclusiveMinimum": 0});
    let old = document(json!({}), json!({}));
    assert_eq!(breaking(&old, &document(bound.clone(), json!({"A-Input": {}}))), []);
    assert_eq!(
        breaking(&old, &document(bound, json!({}))),
        [("lower-bound-raised", "GET /z/{i} path i".to_owned())]
    );
}
