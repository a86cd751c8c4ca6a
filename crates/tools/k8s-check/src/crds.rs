//! The published definitions of custom resources (`CustomResourceDefinition`), as their projects
//! release them: every object of a kind that one of them defines is validated against its schema.

use std::path::Path;

use serde_json::{Value, json};

use crate::manifests::{Manifests, Object};
use crate::{BoxError, Errors};

/// Schemas by API version and kind.
pub(crate) struct Definitions(Vec<Definition>);

struct Definition {
    api_version: String,
    kind: String,
    schema: jsonschema::Validator,
}

impl Definitions {
    /// Reads every YAML file of a folder.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, or no file defines anything.
    pub(crate) fn read(folder: &Path) -> Result<Self, BoxError> {
        let mut definitions = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                definitions.extend(parse(&std::fs::read_to_string(&path)?)?);
            }
        }
        if definitions.is_empty() {
            return Err(format!("{} has no CustomResourceDefinition", folder.display()).into());
        }
        Ok(Self(definitions))
    }

    /// How many objects of a stage are defined here, and what is wrong with them.
    pub(crate) fn check(&self, all: &Manifests) -> (usize, Errors) {
        let defined = |object: &Object| {
            self.0
                .iter()
                .find(|one| one.api_version == object.api_version() && one.kind == object.kind())
        };
        let mut checked = 0;
        let mut errors = Errors::new();
        for object in all.custom() {
            let Some(definition) = defined(object) else { continue };
            checked += 1;
            errors.extend(
                definition
                    .schema
                    .iter_errors(&object.value)
                    .map(|error| format!("{}: {}: {error}", object.id(), error.instance_path())),
            );
        }
        (checked, errors)
    }
}

/// The served versions that a file defines.
fn parse(text: &str) -> Result<Vec<Definition>, BoxError> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text)?;
    let mut definitions = Vec::new();
    for document in documents.iter().filter(|one| one["kind"] == "CustomResourceDefinition") {
        let text = |pointer: &str| {
            document.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        for version in document["spec"]["versions"].as_array().into_iter().flatten() {
            let name = version["name"].as_str().unwrap_or_default();
            let mut schema = version["schema"]["openAPIV3Schema"].clone();
            // These are the API server's, and no definition spells them out.
            for field in ["apiVersion", "kind", "metadata"] {
                schema["properties"][field] = json!({});
            }
            strict(&mut schema);
            definitions.push(Definition {
                api_version: format!("{}/{name}", text("/spec/group")),
                kind: text("/spec/names/kind"),
                schema: jsonschema::validator_for(&schema)?,
            });
        }
    }
    Ok(definitions)
}

/// From a structural schema to one of JSON: fields that it does not name are refused, as
/// `kubectl apply` does, and what only Kubernetes knows is translated or left out.
fn strict(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    if fields.get("x-kubernetes-int-or-string") == Some(&json!(true)) {
        fields.remove("type");
        fields.insert("type".into(), json!(["integer", "string"]));
    }
    if let Some(kind) = fields.get("type").filter(|_| fields.get("nullable") == Some(&json!(true)))
    {
        let kind = json!([kind, "null"]);
        fields.insert("type".into(), kind);
    }
    let takes_any = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if fields.contains_key("properties")
        && !fields.contains_key("additionalProperties")
        && !takes_any
    {
        fields.insert("additionalProperties".into(), json!(false));
    }
    // Formats such as int32 are OpenAPI's; `anyOf` and its like only repeat what is above them.
    fields.remove("format");
    for name in ["anyOf", "oneOf", "allOf", "not"] {
        fields.remove(name);
    }
    for name in ["items", "additionalProperties"] {
        if let Some(inner) = fields.get_mut(name) {
            strict(inner);
        }
    }
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(strict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing}
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: {type: string, pattern: '^[0-9]+Gi$'}
                port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
                labels: {type: object, additionalProperties: {type: string}}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}
";

    fn errors(spec: &str) -> Errors {
        let definitions = Definitions(parse(DEFINITION).unwrap());
        let object = format!(
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: a}}\nspec: {spec}\n"
        );
        let (checked, errors) = definitions.check(&Manifests::read("molt", &object).unwrap());
        assert_eq!(checked, 1);
        errors
    }

    #[test]
    fn a_published_schema_is_applied_strictly() {
        let good = "{size: 1Gi, port: http, labels: {a: b}, free: {a: 1}}";
        assert_eq!(errors(good), Errors::new());
        for bad in [
            "{}",
            "{size: 1}",
            "{size: 1Mi}",
            "{size: 1Gi, sise: 1Gi}",
            "{size: 1Gi, port: true}",
            "{size: 1Gi, labels: {a: 1}}",
        ] {
            assert_eq!(errors(bad).len(), 1, "{bad}: {:?}", errors(bad));
        }
    }
}
