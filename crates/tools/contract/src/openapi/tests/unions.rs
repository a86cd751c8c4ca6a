//! Unions: their members, discriminators, and what extends a component.

use super::*;

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

#[test]
fn subtypes_without_a_key_go_by_their_names() {
    let document = |base: &str, kind: &str, names: &[&str]| {
        let mut components = json!({"Pet": {
            "type": ["object", "null"], "properties": {"kind": {"type": "string"}},
            "discriminator": {"propertyName": "kind"},
        }});
        components["Pet"]["type"] = json!(base);
        for name in names {
            let own = json!({"type": "object", "properties": {"lives": {"type": kind}}});
            components[*name] = json!({"allOf": [reference("Pet"), own]});
        }
        // A subtype of a subtype.
        components["Lion"] = json!({"allOf": [reference("Cat"), {
            "type": "object", "properties": {"mane": {"type": kind}},
        }]});
        let mut document = with_components(
            response(&json!({"type": "array", "items": reference("Pet")})),
            &components,
        );
        if base == "nullable" {
            document["components"]["schemas"]["Pet"]["type"] = json!(["object", "null"]);
        }
        document
    };
    let found = |old: &Value, new: &Value| -> Vec<_> {
        changes(old, new).into_iter().map(|c| (c.class, c.rule, c.path)).collect()
    };
    for base in ["object", "nullable"] {
        let old = document(base, "string", &["Cat"]);
        let changed = found(&old, &document(base, "integer", &["Cat"]));
        let expected = ["Cat.lives", "Lion.lives", "Lion.mane"]
            .map(|path| (Breaking, "type-changed", path.to_owned()));
        assert_eq!(changed, expected);
        let more = document(base, "string", &["Cat", "Dog"]);
        assert_eq!(found(&old, &more)[0].0, Breaking);
        assert_eq!(found(&old, &more)[0].1, "discriminator-changed");
        assert_eq!(found(&more, &old)[0].0, NonBreaking);
    }
}

#[test]
fn members_of_a_one_of_exclude_each_other() {
    let union = |key: &str, members: &Value| json!({key: members});
    let string = |key: &str, value: Value| json!({"type": "string", key: value});
    for members in [
        json!([object(&["a"]), object(&["b"])]),
        json!([object(&["a!"]), object(&["b!"])]),
        json!([{"type": "number"}, {"type": "integer", "minimum": 5}]),
        json!([{"type": "string"}, string("format", json!("uuid"))]),
        json!([{"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}}]),
        json!([{"type": "integer", "maximum": 5}, {"type": "integer", "minimum": 5}]),
    ] {
        let (any, one) = (union("anyOf", &members), union("oneOf", &members));
        assert_eq!(both(&any, &one), (vec![Breaking], vec![NonBreaking]), "{members}");
        assert_eq!(both(&one, &any), (vec![NonBreaking], vec![Breaking]), "{members}");
        assert_eq!(both(&one, &one), (vec![], vec![]), "{members}");
    }
    let tagged = |kind: &str| json!({"type": "object", "required": ["k"], "properties": {"k": {"const": kind}}});
    let mut closed = object(&["a"]);
    closed["additionalProperties"] = json!(false);
    for members in [
        json!([{"type": "string"}, {"type": "integer"}]),
        json!([tagged("a"), tagged("b")]),
        json!([closed, object(&["b!"])]),
        json!([{"const": "a"}, {"const": "b"}]),
        json!([{"type": "integer", "maximum": 5}, {"type": "integer", "exclusiveMinimum": 5}]),
        json!([string("format", json!("date")), string("format", json!("uuid"))]),
        json!([{"type": ["string", "null"]}, {"type": ["integer", "null"]}]),
    ] {
        let (any, one) = (union("anyOf", &members), union("oneOf", &members));
        assert_eq!((both(&any, &one), both(&one, &any)), Default::default(), "{members}");
    }
}

#[test]
fn a_closed_part_of_an_all_of_forbids_what_the_others_have() {
    let mut closed = object(&["b"]);
    closed["additionalProperties"] = json!(false);
    let composed = json!({"allOf": [object(&["a"]), closed]});
    let mut flat = object(&["a", "b"]);
    flat["additionalProperties"] = json!(false);
    assert_eq!(both(&composed, &closed), (vec![], vec![]));
    assert_eq!(both(&flat, &composed), (vec![Breaking], vec![Breaking]));
    assert_eq!(both(&composed, &flat), (vec![NonBreaking], vec![NonBreaking]));
    // What it holds other properties to holds for those of the others.
    let mut short = object(&["b"]);
    short["additionalProperties"] = json!({"maxLength": 3});
    let composed = json!({"allOf": [object(&["a"]), short]});
    let mut written = short.clone();
    written["properties"]["a"] = json!({"type": "string", "maxLength": 3});
    assert_eq!(both(&composed, &written), (vec![], vec![]));
    // Taken literally it would allow nothing.
    let meant = |kind: &str| {
        let mut named = object(&["a!"]);
        named["properties"]["a"]["type"] = json!(kind);
        json!({"type": "object", "additionalProperties": false, "allOf": [named]})
    };
    assert_eq!(both(&meant("string"), &meant("integer")), (vec![Breaking], vec![Breaking]));
}

#[test]
fn unions_that_are_too_large_to_merge_are_compared_each() {
    let union = |names: std::ops::Range<usize>, kind: &str| -> Value {
        let member = |index: usize| {
            let name = format!("f{index}");
            json!({"type": "object", "required": [name], "properties": {name: {"type": kind}}})
        };
        json!({"anyOf": names.map(member).collect::<Vec<_>>()})
    };
    let schema = |kind: &str| json!({"allOf": [union(0..80, "string"), union(80..140, kind)]});
    let (found, _) = both(&schema("string"), &schema("integer"));
    assert!(found.contains(&Breaking), "{found:?}");
    assert_eq!(both(&schema("string"), &schema("string")), (vec![], vec![]));
}
