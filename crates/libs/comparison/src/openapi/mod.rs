//! When two OpenAPI documents describe the same operations.
//!
//! [`normal`] reads any document of FastAPI's as one of OpenAPI 3.1; [`compare`] finds where a document
//! that a program makes of its types differs from an older one; an [`Overlay`] adds what
//! the older one says and no type does; a [`PathTemplate`] matches the paths of requests.

mod difference;
mod differences;
mod names;
mod normal;
mod overlay;
mod schema;
mod template;
mod text;
mod walk;

pub use difference::Difference;
pub use differences::{Comparison, compare};
pub use names::{METHODS, pointer_step};
pub use normal::normal;
pub use overlay::{Overlay, OverlayError};
pub use template::PathTemplate;
pub use text::{DecodeError, decode};

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document(schema: &Value, components: &Value) -> Value {
        let content = json!({"application/json": {"schema": schema}});
        let operation = json!({"operationId": "a", "responses": {"200": {"description": "", "content": content}}});
        json!({"openapi": "3.1.0", "paths": {"/a": {"get": operation}}, "components": {"schemas": components}})
    }

    fn contract_changes(ours: &Value, theirs: &Value, loose: &[&str]) -> Vec<String> {
        let loose: Vec<String> = loose.iter().map(|&one| one.to_owned()).collect();
        compare(ours, theirs, &loose).contract_changes().map(Difference::to_string).collect()
    }

    #[test]
    fn what_pydantic_1_writes_becomes_what_pydantic_2_writes() {
        let schema = |schema: Value| {
            let theirs = document(
                &schema,
                &json!({"A": {"type": "object", "properties": {"a": {}}, "required": ["a"]}}),
            );
            normal(&theirs)["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]
                ["schema"]
                .clone()
        };
        for (given, expected) in [
            (
                json!({"type": "string", "nullable": true, "title": "T"}),
                json!({"title": "T", "anyOf": [{"type": "string"}, {"type": "null"}]}),
            ),
            (
                json!({"type": ["integer", "null"], "minimum": 1}),
                json!({"anyOf": [{"minimum": 1, "type": "integer"}, {"type": "null"}]}),
            ),
            (
                json!({"allOf": [{"$ref": "#/components/schemas/A"}], "default": 1}),
                json!({"default": 1, "$ref": "#/components/schemas/A"}),
            ),
            (
                json!({"type": "number", "minimum": 1, "exclusiveMinimum": true, "exclusiveMaximum": false}),
                json!({"type": "number", "exclusiveMinimum": 1}),
            ),
            (
                json!({"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object", "properties": {"b": {}}}]}),
                json!({"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]}),
            ),
            (
                json!({"type": "array", "items": [{"type": "string"}]}),
                json!({"type": "array", "prefixItems": [{"type": "string"}]}),
            ),
            (
                json!({"enum": ["a", null], "nullable": true}),
                json!({"anyOf": [{"enum": ["a"]}, {"type": "null"}]}),
            ),
            (json!(true), json!({})),
        ] {
            assert_eq!(schema(given), expected);
        }
    }

    #[test]
    fn a_rule_is_part_of_the_contract_and_an_annotation_is_taken_over() {
        let ours = document(
            &json!({"$ref": "#/components/schemas/A"}),
            &json!({
                "A": {"type": "object", "title": "A", "properties": {"n": {"type": "integer", "title": "N"}}}
            }),
        );
        let theirs = |field: Value| {
            document(
                &json!({"$ref": "#/components/schemas/B"}),
                &json!({
                    "B": {"type": "object", "properties": {"n": field}, "x-a": [1]}
                }),
            )
        };
        let same = theirs(json!({"type": "integer", "title": "Number", "description": ""}));
        assert_eq!(contract_changes(&ours, &same, &[]), [""; 0]);
        let comparison = compare(&ours, &same, &[]);
        assert_eq!(comparison.differences().len(), 4);
        let overlaid = comparison.overlay().apply(ours.clone()).unwrap();
        assert!(compare(&overlaid, &same, &[]).differences().is_empty());

        // One that stands beside a reference is not the component's.
        let components = json!({"A": {"type": "object", "title": "A"}});
        let [ours, titled] = [
            json!({"type": "array", "items": {"$ref": "#/components/schemas/A"}}),
            json!({"type": "array", "items": {"$ref": "#/components/schemas/A", "title": "First"}}),
        ]
        .map(|schema| document(&schema, &components));
        let overlaid = compare(&ours, &titled, &[]).overlay().apply(ours).unwrap();
        assert_eq!(overlaid["components"]["schemas"]["A"]["title"], "A");
        assert!(compare(&overlaid, &titled, &[]).differences().is_empty());
    }

    #[test]
    fn a_known_difference_is_accepted_where_it_is_known() {
        let ours = document(
            &json!({"$ref": "#/components/schemas/A"}),
            &json!({
                "A": {"type": "object", "title": "A", "properties": {"n": {"type": "integer", "title": "N"}}}
            }),
        );
        let other = document(
            &json!({"$ref": "#/components/schemas/B"}),
            &json!({"B": {
                "type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "x-a": [1]
            }}),
        );
        assert_eq!(
            contract_changes(&ours, &other, &[]),
            ["$['components']['schemas']['A']['properties']['n']: minimum: nothing instead of 1"],
        );
        let pointer = "/components/schemas/B/properties/n";
        assert_eq!(contract_changes(&ours, &other, &[pointer]), [""; 0]);
        assert_eq!(
            contract_changes(&ours, &other, &["/components/schemas/B/properties/nn"]).len(),
            1
        );
        let comparison = compare(&ours, &other, &[pointer.to_owned()]);
        let overlaid = comparison.overlay().apply(ours).unwrap();
        assert!(compare(&overlaid, &other, &[]).differences().is_empty());
    }

    #[test]
    fn a_place_that_is_described_otherwise_brings_its_components() {
        let ours = document(&json!({}), &json!({}));
        let theirs = document(
            &json!({"type": "array", "items": {"$ref": "#/components/schemas/A"}}),
            &json!({
                "A": {"type": "object", "properties": {"again": {"$ref": "#/components/schemas/A"}}}
            }),
        );
        assert_eq!(contract_changes(&ours, &theirs, &[]).len(), 2);
        let pointer = "/paths/~1a/get/responses/200/content".to_owned();
        let comparison = compare(&ours, &theirs, &[pointer]);
        assert_eq!(comparison.contract_changes().count(), 0);
        let overlaid = comparison.overlay().apply(ours).unwrap();
        assert!(overlaid["components"]["schemas"]["A"].is_object());
        assert!(compare(&overlaid, &theirs, &[]).differences().is_empty());
    }
}
