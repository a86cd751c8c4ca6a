//! Pairs of schemas, and what a change from the one to the other means.

use super::*;

#[test]
fn what_narrows_breaks_requests_and_what_widens_breaks_responses() {
    let string = |key: &str, value: Value| json!({"type": "string", key: value});
    let integer = |key: &str, value: Value| json!({"type": "integer", key: value});
    let list = |key: &str, value: Value| json!({"type": "array", key: value});
    let fields = |key: &str, value: Value| json!({"type": "object", key: value});
    let (text, number, array) =
        (json!({"type": "string"}), json!({"type": "integer"}), json!({"type": "array"}));
    let map = json!({"type": "object"});
    for (narrow, wide) in [
        (number.clone(), json!({"type": "number"})),
        (text.clone(), json!({"type": ["string", "null"]})),
        (text.clone(), json!({"type": "string", "nullable": true})),
        (text.clone(), json!({"anyOf": [{"type": "string"}, {"type": "null"}]})),
        (text.clone(), json!({})),
        (text.clone(), json!(true)),
        (string("maxLength", json!(5)), string("maxLength", json!(6))),
        (string("minLength", json!(1)), text.clone()),
        (string("pattern", json!("^a")), text.clone()),
        (string("format", json!("uuid")), text.clone()),
        (
            string("format", json!("date-time")),
            json!({"anyOf": [string("format", json!("date-time")), {"type": "null"}]}),
        ),
        (string("contentEncoding", json!("base64")), text.clone()),
        (string("contentMediaType", json!("image/png")), text.clone()),
        (string("not", json!({"enum": ["x"]})), text.clone()),
        (integer("minimum", json!(1.0)), integer("minimum", json!(0))),
        (integer("exclusiveMinimum", json!(1)), integer("minimum", json!(1))),
        (
            json!({"type": "number", "minimum": 0, "exclusiveMinimum": true}),
            json!({"type": "number", "minimum": 0}),
        ),
        (integer("maximum", json!(3)), number.clone()),
        (integer("multipleOf", json!(4)), integer("multipleOf", json!(2))),
        (integer("format", json!("int32")), integer("format", json!("int64"))),
        (json!({"enum": ["a"]}), json!({"enum": ["a", "b"]})),
        (json!({"const": "a"}), json!({"enum": ["a", "b"]})),
        (json!({"enum": ["a"]}), text.clone()),
        (list("items", json!({"type": "integer", "maximum": 1})), list("items", number.clone())),
        (list("minItems", json!(1)), array.clone()),
        (list("maxItems", json!(1)), array.clone()),
        (list("uniqueItems", json!(true)), array.clone()),
        (list("prefixItems", json!([number])), array.clone()),
        (list("contains", json!({"const": 1})), array.clone()),
        (list("unevaluatedItems", json!(false)), array.clone()),
        (object(&["a!"]), object(&["a"])),
        (fields("required", json!(["a"])), map.clone()),
        (fields("minProperties", json!(1)), map.clone()),
        (fields("maxProperties", json!(1)), map.clone()),
        (fields("propertyNames", json!({"pattern": "^a"})), map.clone()),
        (fields("patternProperties", json!({"^a": {"type": "string"}})), map.clone()),
        (fields("dependentRequired", json!({"a": ["b"]})), map.clone()),
        (fields("unevaluatedProperties", json!(false)), map.clone()),
        (fields("additionalProperties", json!(false)), map.clone()),
        (fields("additionalProperties", number.clone()), map.clone()),
        (
            fields("additionalProperties", number.clone()),
            fields("additionalProperties", json!({"type": "number"})),
        ),
        (
            json!({"allOf": [object(&["a", "c"]), {"required": ["a"]}]}),
            json!({"allOf": [object(&["a", "c"])]}),
        ),
        (
            json!({"oneOf": [{"type": "string"}]}),
            json!({"oneOf": [{"type": "string"}, {"type": "boolean"}]}),
        ),
    ] {
        let expected = (vec![Breaking], vec![NonBreaking]);
        assert_eq!(both(&wide, &narrow), expected, "{wide} becomes {narrow}");
        let expected = (vec![NonBreaking], vec![Breaking]);
        assert_eq!(both(&narrow, &wide), expected, "{narrow} becomes {wide}");
        let same = (vec![], vec![]);
        assert_eq!((both(&narrow, &narrow), both(&wide, &wide)), (same.clone(), same));
    }
}

#[test]
fn what_becomes_something_else_breaks_both() {
    for (old, new) in [
        (json!({"type": "string"}), json!({"type": "integer"})),
        (json!({"type": "string"}), json!({"type": "array", "items": {"type": "string"}})),
        (json!({"type": "string", "format": "date"}), json!({"type": "string", "format": "uuid"})),
        (json!({"type": "string", "pattern": "^a"}), json!({"type": "string", "pattern": "^b"})),
        (json!({"type": "integer", "multipleOf": 2}), json!({"type": "integer", "multipleOf": 3})),
        (object(&["a"]), object(&[])),
        (
            json!({"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}),
            json!({"type": "object", "if": {"required": ["a"]}, "then": {"required": ["c"]}}),
        ),
    ] {
        assert_eq!(both(&old, &new), (vec![Breaking], vec![Breaking]), "{old} becomes {new}");
    }
}

#[test]
fn the_same_said_otherwise_is_no_change() {
    let composed = |parts: Value| json!({"allOf": parts});
    for (a, b) in [
        (composed(json!([object(&["a!"])])), object(&["a!"])),
        (composed(json!([object(&["a!"]), object(&["b!"])])), object(&["a!", "b!"])),
        (
            json!({"type": "integer", "exclusiveMinimum": 0, "maximum": 99}),
            json!({"type": "integer", "minimum": 1, "exclusiveMaximum": 100}),
        ),
        (
            json!({"type": "string", "format": "binary"}),
            json!({"type": "string", "contentMediaType": "application/octet-stream"}),
        ),
        (json!({"type": "string"}), json!({"type": "string", "minLength": 0})),
        (json!({"type": "string"}), json!({"type": "string", "nullable": false})),
        (json!({"type": "number", "default": 1}), json!({"type": "number", "default": 1.0})),
        (json!({"type": "number", "minimum": 1}), json!({"type": "number", "minimum": 1.0})),
        (
            json!({"type": ["string", "null"], "maxLength": 3}),
            json!({"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 3}]}),
        ),
        (json!({"anyOf": [{}, {"type": "null"}]}), json!({})),
        (json!({"enum": ["a", "b"]}), json!({"type": "string", "enum": ["b", "a"]})),
        (json!({"anyOf": [{"const": "a"}, {"const": "b"}]}), json!({"enum": ["a", "b"]})),
        (json!({"enum": ["a", null]}), json!({"anyOf": [{"const": "a"}, {"type": "null"}]})),
        (json!({"type": "boolean"}), json!({"enum": [true, false]})),
        (json!({"type": "object"}), json!({"type": "object", "additionalProperties": true})),
        (json!({"type": "object"}), json!({"type": "object", "additionalProperties": {}})),
        (json!({"type": "array"}), json!({"type": "array", "items": {}, "uniqueItems": false})),
        (
            json!({"type": "array", "items": [{"type": "string"}]}),
            json!({"type": "array", "prefixItems": [{"type": "string"}]}),
        ),
        (
            json!({"type": "number", "minimum": 0, "exclusiveMinimum": true}),
            json!({"type": "number", "exclusiveMinimum": 0}),
        ),
        (json!({"anyOf": [{"type": "integer"}, {"type": "number"}]}), json!({"type": "number"})),
        (
            json!({"anyOf": [{"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"type": "null"}]}),
            json!({"type": ["null", "integer", "string"]}),
        ),
    ] {
        assert_eq!(both(&a, &b), (vec![], vec![]), "{a} and {b}");
        assert_eq!(both(&b, &a), (vec![], vec![]), "{b} and {a}");
    }
}

#[test]
fn what_travels_one_way_counts_that_way() {
    let with = |key: &str| {
        let mut schema = object(&["a", "c!"]);
        schema["properties"]["c"][key] = json!(true);
        schema
    };
    let without = object(&["a"]);
    assert_eq!(both(&without, &with("readOnly")), (vec![], vec![NonBreaking]));
    assert_eq!(both(&without, &with("writeOnly")), (vec![Breaking], vec![]));
    assert_eq!(classes(&request(&with("readOnly")), &request(&object(&["a", "c!"]))), [Breaking]);
    let default = |value: i32| json!({"type": "integer", "default": value});
    assert_eq!(both(&default(1), &default(2)), (vec![Breaking], vec![Documentation]));
    let demanded = |value: i32| {
        let a = json!({"type": "integer", "default": value});
        json!({"type": "object", "required": ["a"], "properties": {"a": a}})
    };
    assert_eq!(both(&demanded(1), &demanded(2)), (vec![Documentation], vec![Documentation]));
    // Said beside a reference, or of all that a value may be but null.
    let composed = |key: &str, schema: Value| {
        let mut document = request(&json!({"type": "object", "required": ["b"], "properties": {
            "a": {"type": "string"}, "b": {key: [schema, {"type": "null"}]},
        }}));
        document["components"]["schemas"]["Z"] = json!({"type": "string"});
        document
    };
    let z = json!({"allOf": [reference("Z"), {"readOnly": true}]});
    let mut old = composed("anyOf", z.clone());
    old["paths"] = request(&object(&["a"]))["paths"].clone();
    assert_eq!(classes(&old, &composed("anyOf", z)), []);
    assert_eq!(classes(&old, &composed("anyOf", reference("Z"))), [Breaking]);
}

#[test]
fn new_fields_break_only_requests_that_must_have_them() {
    let old = object(&["a"]);
    assert_eq!(both(&old, &object(&["a", "b"])), (vec![NonBreaking], vec![NonBreaking]));
    assert_eq!(both(&old, &object(&["a", "b!"])), (vec![Breaking], vec![NonBreaking]));
}

#[test]
fn parameters_are_texts() {
    let q = |schema: Value| parameter(&json!({"name": "q", "in": "query", "schema": schema}));
    let plain = q(json!({"type": "string"}));
    assert_eq!(classes(&q(json!({"type": "integer"})), &plain), [NonBreaking]);
    assert_eq!(classes(&plain, &q(json!({"type": "integer"}))), [Breaking]);
    let list = |more: Value| {
        let mut list = json!({"name": "q", "in": "query", "schema": {"type": "array"}});
        list.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parameter(&list)
    };
    assert_eq!(classes(&list(json!({})), &list(json!({"style": "form", "explode": true}))), []);
    assert_eq!(classes(&list(json!({})), &list(json!({"explode": false}))), [Breaking]);
    let content = |kind: &str| {
        let content = json!({"application/json": {"schema": {"type": kind}}});
        parameter(&json!({"name": "q", "in": "query", "content": content}))
    };
    assert_eq!(classes(&content("string"), &content("integer")), [Breaking]);
}

#[test]
fn references_count_with_what_stands_beside_them() {
    let named = |beside: Value| {
        let mut schema = json!({"$ref": "#/components/schemas/T"});
        schema.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        let mut document = request(&schema);
        document["components"]["schemas"]["T"] = json!({"type": "string"});
        document
    };
    assert_eq!(classes(&named(json!({})), &named(json!({"maxLength": 3}))), [Breaking]);
    assert_eq!(classes(&named(json!({})), &named(json!({"description": "d"}))), [Documentation]);
    assert_eq!(classes(&named(json!({})), &request(&json!({"type": "string"}))), []);
    assert_eq!(
        classes(&request(&json!({"type": "string"})), &named(json!({"nullable": true}))),
        [NonBreaking]
    );
}

#[test]
fn keywords_that_are_compared_as_a_whole_are_not_confused_by_other_changes() {
    // Many of them, and a change elsewhere.
    let document = |version: &str| {
        let mut components = json!({"Color": {"enum": ["red", "green"]}});
        let mut properties = json!({});
        for index in 0..9 {
            let name = format!("M{index}");
            let next = reference(&format!("M{}", (index + 1) % 9));
            components[&name] = json!({"type": "object", "properties": {
                "by": {"type": "object", "propertyNames": reference("Color")},
                "no": {"not": next},
            }});
            properties[&name] = reference(&name);
        }
        let body = json!({"type": "object", "properties": properties});
        let mut document = with_components(request(&body), &components);
        document["info"]["version"] = json!(version);
        document
    };
    assert_eq!(classes(&document("1"), &document("2")), [Documentation]);
}

#[test]
fn keywords_that_are_compared_as_a_whole_narrow_and_widen() {
    let with = |key: &str, value: Value| json!({"type": ["object", "array"], key: value});
    let strings = |limit: u32| json!({"type": "string", "maxLength": limit});
    for (narrow, wide) in [
        (with("propertyNames", strings(3)), with("propertyNames", strings(4))),
        (
            with("patternProperties", json!({"^a": strings(3)})),
            with("patternProperties", json!({"^a": strings(4)})),
        ),
        (with("contains", strings(3)), with("contains", strings(4))),
        (
            with("dependentRequired", json!({"a": ["b", "c"]})),
            with("dependentRequired", json!({"a": ["b"]})),
        ),
        (
            json!({"type": "object", "not": {"properties": {"a": strings(4)}}}),
            json!({"type": "object", "not": {"properties": {"a": strings(3)}}}),
        ),
        (
            json!({"type": "array", "contains": strings(3), "minContains": 3}),
            json!({"type": "array", "contains": strings(3), "minContains": 2}),
        ),
        (json!({"type": "array", "contains": {}}), json!({"type": "array"})),
        (
            json!({"type": "object", "additionalProperties": false}),
            json!({
                "type": "object",
                "patternProperties": {"^a": strings(3)},
                "additionalProperties": false,
            }),
        ),
    ] {
        let expected = (vec![Breaking], vec![NonBreaking]);
        assert_eq!(both(&wide, &narrow), expected, "{wide} becomes {narrow}");
        let expected = (vec![NonBreaking], vec![Breaking]);
        assert_eq!(both(&narrow, &wide), expected, "{narrow} becomes {wide}");
    }
}

#[test]
fn a_new_property_counts_against_what_any_property_could_be() {
    let open = json!({"type": "object", "additionalProperties": {"type": "integer"}});
    let with = |kind: &str| {
        let mut schema = open.clone();
        schema["properties"] = json!({"a": {"type": kind}});
        schema
    };
    assert_eq!(
        both(&open, &with("string")),
        (vec![Breaking, NonBreaking], vec![Breaking, NonBreaking])
    );
    assert_eq!(both(&open, &with("integer")), (vec![NonBreaking], vec![NonBreaking]));
}
