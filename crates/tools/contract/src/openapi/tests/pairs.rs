//! Pairs of schemas, and what a change from the one to the other means.

use super::*;

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

/// The union of components as FastAPI writes it, with a title and a discriminator.
fn union(names: &[&str]) -> Value {
    let members: Vec<_> = names.iter().map(|name| reference(name)).collect();
    let mapping: serde_json::Map<_, _> =
        names.iter().map(|name| (name.to_lowercase(), reference(name)["$ref"].clone())).collect();
    let discriminator = json!({"propertyName": "kind", "mapping": mapping});
    json!({"title": "Pet", "oneOf": members, "discriminator": discriminator})
}

/// The rules and classes of a change of a schema whose documents have the animals as components.
fn of_animals(make: fn(&Value) -> Value, old: &Value, new: &Value) -> Vec<(Class, &'static str)> {
    let [old, new] = [old, new].map(|schema| with_components(make(schema), &animals()));
    changes(&old, &new).into_iter().map(|change| (change.class, change.rule)).collect()
}

#[test]
fn members_of_a_titled_union_with_a_discriminator_keep_their_names() {
    let pair = union(&["Cat", "Dog"]);
    for make in [request, response] {
        assert_eq!(of_animals(make, &pair, &union(&["Dog", "Cat"])), []);
        let mut typed = pair.clone();
        typed["type"] = json!("object");
        assert_eq!(of_animals(make, &pair, &typed), []);
    }
    let more = union(&["Cow", "Cat", "Dog"]);
    assert_eq!(of_animals(request, &pair, &more), [(NonBreaking, "union-member-added")]);
    assert_eq!(of_animals(response, &pair, &more), [(Breaking, "union-member-added")]);
    // One member changes, and is found under its name.
    let mut changed = animals();
    changed["Cat"]["properties"]["lives"]["type"] = json!("string");
    let old = with_components(response(&pair), &animals());
    let new = with_components(response(&union(&["Dog", "Cat"])), &changed);
    let found: Vec<_> = changes(&old, &new).into_iter().map(|c| (c.rule, c.path)).collect();
    assert_eq!(found, [("type-changed", "Cat.lives".to_owned())]);
}

#[test]
fn discriminators_come_go_and_change_their_keys() {
    let pair = union(&["Cat", "Dog"]);
    let mut without = pair.clone();
    without.as_object_mut().unwrap().shift_remove("discriminator");
    // Each member demands its own kind: the same values are sent.
    for make in [request, response] {
        for (old, new) in [(&pair, &without), (&without, &pair)] {
            let expected = [(NonBreaking, "discriminator-changed")];
            assert_eq!(of_animals(make, old, new), expected, "{old} becomes {new}");
        }
    }
    let mut renamed = pair.clone();
    renamed["discriminator"]["mapping"] = json!({
        "feline": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog",
    });
    let expected = [(Breaking, "discriminator-changed"), (NonBreaking, "discriminator-changed")];
    assert_eq!(of_animals(request, &pair, &renamed), expected);
    assert_eq!(of_animals(response, &pair, &renamed), expected);
    let mut fewer = pair.clone();
    fewer["discriminator"]["mapping"].as_object_mut().unwrap().shift_remove("cat");
    assert_eq!(of_animals(request, &pair, &fewer), [(Breaking, "discriminator-changed")]);
    assert_eq!(of_animals(response, &pair, &fewer), [(NonBreaking, "discriminator-changed")]);
    // Members without values of their own go by their names where no key is given.
    let mut plain = animals();
    for name in ["Cat", "Dog"] {
        plain[name]["properties"]["kind"] = json!({"type": "string"});
    }
    let named = |mapping: Value| {
        let mut schema = pair.clone();
        schema["discriminator"]["mapping"] = mapping;
        with_components(request(&schema), &plain)
    };
    let implicit = named(json!(null));
    let same = named(json!({"Cat": "Cat", "Dog": "Dog"}));
    assert_eq!(classes(&implicit, &same), []);
    let other = named(json!({"cat": "Cat", "Dog": "Dog"}));
    assert_eq!(classes(&implicit, &other), [Breaking, NonBreaking]);
    // A member that goes takes its key with it.
    let one = union(&["Cat", "Dog", "Cow"]);
    assert_eq!(of_animals(request, &one, &pair), [(Breaking, "union-member-removed")]);
}

#[test]
fn subtypes_are_reached_by_a_discriminator_alone() {
    let document = |kind: &str| {
        let mapping = json!({"cat": "#/components/schemas/Cat"});
        let components = json!({
            "Pet": {
                "type": "object", "properties": {"kind": {"type": "string"}},
                "discriminator": {"propertyName": "kind", "mapping": mapping},
            },
            "Cat": {"allOf": [reference("Pet"), {
                "type": "object", "properties": {"lives": {"type": kind}},
            }]},
        });
        with_components(response(&reference("Pet")), &components)
    };
    let found = changes(&document("string"), &document("integer"));
    let found: Vec<_> = found.into_iter().map(|c| (c.class, c.rule, c.path)).collect();
    assert_eq!(found, [(Breaking, "type-changed", "Cat.lives".to_owned())]);
}

#[test]
fn recursive_unions_take_no_longer_than_others() {
    let document = |style: &str, discriminator: Value, version: &str| {
        let names: Vec<_> = (0..6).map(|index| format!("M{index}")).collect();
        let members: Vec<_> = names.iter().map(|name| reference(name)).collect();
        // A property beside the union, so that no member is as its component is written.
        let union = json!({
            "title": "U", style: members, "required": ["x"], "discriminator": discriminator,
        });
        let mut components = json!({});
        for name in names {
            let kind = json!({"const": name});
            components[&name] = json!({"type": "object", "required": ["k"], "properties": {
                "k": kind, "a": union, "b": union, "c": union, "d": union,
            }});
        }
        let mut document = with_components(response(&union), &components);
        document["info"]["version"] = json!(version);
        document
    };
    let start = std::time::Instant::now();
    for style in ["oneOf", "anyOf"] {
        let by = json!({"propertyName": "k"});
        let [old, new] = ["1", "2"].map(|version| document(style, by.clone(), version));
        assert_eq!(classes(&old, &new), [Documentation]);
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
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

#[test]
fn large_unions_are_merged_member_by_member() {
    let union = |names: std::ops::Range<usize>, kind: &str| -> Value {
        let member = |index: usize| {
            let name = format!("f{index}");
            json!({"type": "object", "required": [name], "properties": {name: {"type": kind}}})
        };
        json!({"anyOf": names.map(member).collect::<Vec<_>>()})
    };
    let schema = |kind: &str| json!({"allOf": [union(0..30, "string"), union(30..50, kind)]});
    let (found, _) = both(&schema("string"), &schema("integer"));
    assert!(found.contains(&Breaking), "{found:?}");
}
