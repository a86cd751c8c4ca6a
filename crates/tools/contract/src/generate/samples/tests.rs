//! Values of schemas.

use serde_json::json;

use super::*;

/// For each schema the first values that should be valid are.
#[test]
fn valid_values_are_valid() {
    for schema in [
        json!({"type": "string", "maxLength": 2}),
        json!({"type": "string", "minLength": 60}),
        json!({"type": "string", "pattern": "^\\d{5}$"}),
        json!({"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$", "maxLength": 8}),
        json!({"type": "string", "format": "email"}),
        json!({"type": "string", "format": "date-time"}),
        json!({"type": "string", "format": "date"}),
        json!({"type": "string", "format": "uuid"}),
        json!({"type": "string", "enum": ["a", "b"]}),
        json!({"type": "integer", "maximum": -3}),
        json!({"type": "integer", "exclusiveMinimum": 0}),
        json!({"type": "integer", "minimum": 7, "multipleOf": 5}),
        json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        json!({"type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 0.1}),
        json!({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3}),
        json!({"type": ["null", "integer"]}),
        json!({"anyOf": [{"type": "null"}, {"type": "string", "pattern": "^a+$"}]}),
        json!({"type": "object", "additionalProperties": {"type": "integer"}}),
        json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "object", "required": ["zip"], "properties": {
                "zip": {"type": "string", "pattern": "^\\d{5}$"},
            }},
            "b": {"oneOf": [{"const": "x"}, {"type": "boolean"}]},
        }}),
    ] {
        let document = Value::Null;
        let mut samples = Samples::new(&document, MAX_VARIANTS);
        for number in 0..12 {
            let value = samples.nth(&schema, number);
            assert!(is_valid(&document, &schema, &value), "{schema}: {value}");
        }
    }
}

#[test]
fn texts_of_rows_are_unique() {
    let schema = json!({"type": "string", "maxLength": 4});
    let mut samples = Samples::new(&Value::Null, MAX_VARIANTS);
    let texts: std::collections::BTreeSet<_> =
        (0..50).map(|number| samples.nth(&schema, number).to_string()).collect();
    assert_eq!(texts.len(), 50);
}

#[test]
fn fields_of_a_form_are_in_ascending_order() {
    let moment = json!({"type": "string", "format": "date-time"});
    let owner = json!({"type": "integer", REFERS_TO: "/people"});
    let schema = json!({"type": "object", "required": ["from", "to", "start", "end", "day"],
    "properties": {
        "from": owner, "start": moment, "least": {"type": "integer"},
        "end": {"anyOf": [moment, {"type": "null"}]}, "to": owner,
        "most": {"type": "integer"}, "until": {"type": "string", "format": "date"},
    }});
    let mut samples = Samples::new(&Value::Null, MAX_VARIANTS);
    let ids = ["generated1", "generated2"].map(|id| (0, id.to_owned()));
    samples.created.insert("/people".to_owned(), ids.to_vec());
    for number in 0..8 {
        let value = samples.nth(&schema, number);
        assert_ne!(value["from"], value["to"], "{value}");
        if let (Some(start), Some(end)) = (value["start"].as_str(), value["end"].as_str()) {
            // Each pair has one offset.
            assert!(start[start.len() - 1..] == end[end.len() - 1..] && start < end, "{value}");
        }
        if let (Some(min), Some(max)) = (value["least"].as_i64(), value["most"].as_i64()) {
            assert!(min < max, "{value}");
        }
    }
}

#[test]
fn a_decimal_is_a_number_in_either_form() {
    let schema = json!({"anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"},
    ]});
    let mut samples = Samples::new(&Value::Null, MAX_VARIANTS);
    let values: Vec<_> = (0..8).map(|number| samples.nth(&schema, number)).collect();
    assert!(values.iter().any(Value::is_string) && values.iter().any(Value::is_number));
    for value in values {
        assert!(plain(&value).parse::<f64>().is_ok(), "{value}");
    }
}

#[test]
fn a_model_that_refers_to_itself_comes_to_an_end() {
    let again = json!({"$ref": "#/components/schemas/Node"});
    let node = json!({"type": "object", "properties": {
        "nodes": {"type": "array", "items": again},
        "parent": {"anyOf": [again, {"type": "null"}]},
    }});
    let document = json!({"components": {"schemas": {"Node": node}}});
    let mut samples = Samples::new(&document, MAX_VARIANTS);
    let value = samples.nth(&document["components"]["schemas"]["Node"], 0);
    assert_eq!(value["nodes"][0]["nodes"].as_array().map(Vec::len), Some(1));
    assert!(value.to_string().len() < 10_000, "{value}");
    let variants = samples.variants(&document["components"]["schemas"]["Node"]);
    assert!(variants.len() <= MAX_VARIANTS, "{}", variants.len());
}
