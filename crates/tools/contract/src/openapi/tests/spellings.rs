//! Equivalent spellings are no change.

use super::*;

#[test]
fn what_is_written_out_or_in_another_version_is_no_change() {
    let array = |more: Value| {
        let mut schema = json!({"type": "array"});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        schema
    };
    for (a, b) in [
        (
            array(json!({"contains": {"type": "string"}, "minContains": 1})),
            array(json!({"contains": {"type": "string"}})),
        ),
        (array(json!({"contains": {"type": "string"}, "minContains": 0})), array(json!({}))),
        (json!({"type": "object", "if": {"required": ["a"]}}), json!({"type": "object"})),
        (json!({"type": "object", "then": {"required": ["a"]}}), json!({"type": "object"})),
        (json!({"type": "number", "multipleOf": 1}), json!({"type": "integer"})),
        (json!({"type": "integer", "minimum": 0.5}), json!({"type": "integer", "minimum": 1})),
        (json!({"type": "integer", "maximum": 2.5}), json!({"type": "integer", "maximum": 2})),
        (
            json!({"type": "object", "dependencies": {"a": ["b"]}}),
            json!({"type": "object", "dependentRequired": {"a": ["b"]}}),
        ),
        (json!({"type": ["null", "boolean", "number", "string", "array", "object"]}), json!({})),
        (
            json!({"type": "string", "format": "byte"}),
            json!({"type": "string", "contentEncoding": "base64"}),
        ),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "string", "format": "uuid"}]}),
            json!({"type": "string"}),
        ),
        (
            json!({"type": "object", "propertyNames": {"type": "string", "minLength": 0}}),
            json!({"type": "object"}),
        ),
        (json!({"type": "string", "pattern": ".*"}), json!({"type": "string"})),
        (
            json!({"type": "object", "additionalProperties": {"anyOf": [{}, {"type": "null"}]}}),
            json!({"type": "object"}),
        ),
        (
            json!({"type": "object", "additionalProperties": {"not": {}}}),
            json!({"type": "object", "additionalProperties": false}),
        ),
    ] {
        assert_eq!(both(&a, &b), (vec![], vec![]), "{a} and {b}");
        assert_eq!(both(&b, &a), (vec![], vec![]), "{b} and {a}");
    }
    // A component that allows everything.
    let named = |make: fn(&Value) -> Value, values: Value| {
        let schema = json!({"type": "object", "additionalProperties": values});
        with_components(make(&schema), &json!({"J": {}}))
    };
    for make in [request, response] {
        let (a, b) = (named(make, reference("J")), named(make, json!(true)));
        assert_eq!((classes(&a, &b), classes(&b, &a)), (vec![], vec![]));
    }
    // Components of a union that are written out, under another name.
    let mut components = animals();
    components["Cat"]["title"] = json!("Cat[x]");
    components["Cat"]["properties"]["friend"] = reference("Dog");
    let mut cat = components["Cat"].clone();
    cat["properties"]["friend"] = components["Dog"].clone();
    let named = json!({"anyOf": [reference("Cat"), reference("Dog")]});
    let written = json!({"anyOf": [components["Dog"].clone(), cat]});
    for make in [request, response] {
        let [a, b] = [&named, &written].map(|schema| with_components(make(schema), &components));
        let found = |a, b| -> Vec<_> {
            let found = changes(a, b).into_iter();
            found.filter(|change| change.class != Documentation).collect()
        };
        assert_eq!((found(&a, &b), found(&b, &a)), (vec![], vec![]));
    }
}

#[test]
fn what_follows_from_the_rest_may_be_left_out() {
    let string = json!({"type": "string"});
    let pair = json!([{"type": "string"}, {"type": "integer"}]);
    let mut closed = object(&["a"]);
    closed["additionalProperties"] = json!(false);
    let mut unevaluated = object(&["a"]);
    unevaluated["unevaluatedProperties"] = json!(false);
    let composed = json!({"allOf": [object(&["a"])], "unevaluatedProperties": false});
    let names = |pattern: &str| json!({"type": "object", "patternProperties": {pattern: {"type": "integer"}}});
    let values = json!({"type": "object", "additionalProperties": {"type": "integer"}});
    let mut least = object(&["a!"]);
    least["minProperties"] = json!(1);
    for (a, b) in [
        (json!({"not": {"not": string}}), string.clone()),
        (unevaluated, closed.clone()),
        (composed, closed),
        (names(".*"), values.clone()),
        (names("^.*$"), values),
        (least, object(&["a!"])),
        (
            json!({"type": "array", "prefixItems": pair, "minItems": 2, "maxItems": 2}),
            json!({"type": "array", "prefixItems": pair, "minItems": 2, "items": false}),
        ),
        (
            json!({"type": "array", "items": pair, "additionalItems": false}),
            json!({"type": "array", "prefixItems": pair, "unevaluatedItems": false}),
        ),
        (json!({"type": "array", "items": false}), json!({"type": "array", "maxItems": 0})),
        (
            json!({"type": "integer", "format": "int32", "maximum": 2_147_483_647, "minimum": -2_147_483_648_i64}),
            json!({"type": "integer", "format": "int32"}),
        ),
        (
            json!({"allOf": [{"type": "array", "items": {"maxLength": 3}}, {"prefixItems": [string]}]}),
            json!({"type": "array", "items": {"maxLength": 3}, "prefixItems": [{"type": "string", "maxLength": 3}]}),
        ),
    ] {
        assert_eq!(both(&a, &b), (vec![], vec![]), "{a} and {b}");
        assert_eq!(both(&b, &a), (vec![], vec![]), "{b} and {a}");
    }
}

#[test]
fn before_3_1_nothing_counts_beside_a_reference() {
    let document = |version: &str, beside: Value| {
        let mut schema = reference("T");
        schema.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        let schema = json!({"type": "object", "properties": {"a": schema}});
        let mut document = with_components(request(&schema), &json!({"T": {"type": "string"}}));
        document["openapi"] = json!(version);
        document
    };
    for beside in [json!({"maxLength": 3}), json!({"default": "a"}), json!({"readOnly": true})] {
        let of = |version: &str| {
            classes(&document(version, json!({})), &document(version, beside.clone()))
        };
        assert_eq!(of("3.0.3"), [], "{beside}");
        assert_ne!(of("3.1.0"), [], "{beside}");
    }
}

#[test]
fn a_single_value_is_a_list_of_one_in_a_query() {
    let q = |schema: Value| parameter(&json!({"name": "q", "in": "query", "schema": schema}));
    let list = |items: Value| q(json!({"type": "array", "items": items}));
    let string = json!({"type": "string"});
    assert_eq!(classes(&q(string.clone()), &list(string.clone())), [NonBreaking]);
    assert_eq!(classes(&q(string.clone()), &list(json!({"type": "integer"}))), [Breaking]);
    let two = json!({"type": "array", "items": string, "minItems": 2});
    assert_eq!(classes(&q(string.clone()), &q(two)), [Breaking]);
    assert_eq!(classes(&list(string.clone()), &q(string)), [Breaking]);
    // The same texts.
    let numbers = q(json!({"type": "integer", "enum": [1, 2]}));
    assert_eq!(classes(&numbers, &q(json!({"type": "string", "enum": ["2", "1"]}))), []);
    assert_eq!(classes(&numbers, &q(json!({"enum": ["1"]}))), [Breaking]);
}

#[test]
fn encodings_of_the_parts_of_a_form_have_defaults_and_ranges() {
    let form = |encoding: Value| {
        let file = json!({"type": "string", "format": "binary"});
        let tags = json!({"type": "array", "items": {"type": "string"}});
        let schema = json!({"type": "object", "properties": {"file": file, "tags": tags}});
        item(json!({"post": {"responses": {}, "requestBody": {"content": {
            "multipart/form-data": {"schema": schema, "encoding": encoding},
        }}}}))
    };
    let file = |types: &str| form(json!({"file": {"contentType": types}}));
    let none = form(json!({}));
    for same in [
        file("application/octet-stream"),
        form(json!({"tags": {"contentType": "text/plain", "style": "form", "explode": true}})),
    ] {
        assert_eq!((classes(&none, &same), classes(&same, &none)), (vec![], vec![]));
    }
    for (narrow, wide) in [("image/png", "image/png, image/jpeg"), ("image/png", "image/*")] {
        assert_eq!(classes(&file(narrow), &file(wide)), [NonBreaking]);
        assert_eq!(classes(&file(wide), &file(narrow)), [Breaking]);
    }
    assert_eq!(classes(&none, &file("image/png")), [Breaking]);
    let exploded = |explode: bool| form(json!({"tags": {"explode": explode}}));
    assert_eq!(classes(&none, &exploded(false)), [Breaking]);
}

#[test]
fn a_dynamic_reference_with_one_target_is_a_reference() {
    let document = |kind: &str| {
        let node = json!({"$dynamicAnchor": "node", "type": "object", "properties": {
            "value": {"type": kind}, "next": {"$dynamicRef": "#node"},
        }});
        with_components(response(&json!({"$dynamicRef": "#node"})), &json!({"Node": node}))
    };
    let found: Vec<_> = changes(&document("string"), &document("integer"))
        .into_iter()
        .map(|change| (change.rule, change.path))
        .collect();
    assert_eq!(found, [("type-changed", "Node.value".to_owned())]);
}

#[test]
fn elements_of_xml_have_names() {
    let of = |media_type: &str, xml: Value| {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string", "xml": xml}}});
        item(json!({"get": {"responses": {"200": {
            "description": "ok", "content": {media_type: {"schema": schema}},
        }}}}))
    };
    for (media_type, expected) in [
        ("application/xml", vec![Breaking]),
        ("application/atom+xml; charset=utf-8", vec![Breaking]),
        ("application/json", vec![]),
    ] {
        for xml in [json!({"name": "b"}), json!({"attribute": true}), json!({"wrapped": true})] {
            assert_eq!(classes(&of(media_type, json!({})), &of(media_type, xml)), expected);
        }
        let usual = json!({"name": "a", "attribute": false});
        assert_eq!(classes(&of(media_type, json!({})), &of(media_type, usual)), []);
    }
}

#[test]
fn a_reference_alone_in_a_union_is_that_reference() {
    let document = |schema: Value| {
        let x = json!({"X": {"type": "object", "title": "X", "description": "d"}});
        with_components(response(&json!({"type": "object", "properties": {"a": schema}})), &x)
    };
    for key in ["allOf", "anyOf", "oneOf"] {
        let (plain, wrapped) = (document(reference("X")), document(json!({key: [reference("X")]})));
        assert_eq!((classes(&plain, &wrapped), classes(&wrapped, &plain)), (vec![], vec![]));
    }
}
