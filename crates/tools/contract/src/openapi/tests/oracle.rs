//! Single mutations of whole documents, of which is known what they mean.
//!
//! The documents are openapi.json of this repository and, where `CONTRACT_DOCUMENTS` names a folder,
//! every document in it. `CONTRACT_MUTATIONS` is how many mutations of each are tried.

use std::path::Path;

use fastrand::Rng;

use super::*;
use crate::openapi::{fields, operations, resolve};

/// The kinds of mutations, of which each is tried once where nothing else is asked for.
const KINDS: usize = 20;

/// How many mutations of a document are tried.
fn mutations_of(document: &Value) -> usize {
    match std::env::var("CONTRACT_MUTATIONS") {
        Ok(asked) => asked.parse().unwrap(),
        // Large documents take long in a debug build.
        Err(_) if document.to_string().len() > 400_000 => KINDS / 4,
        Err(_) => KINDS,
    }
}

/// The documents and their names.
fn documents() -> Vec<(String, Value)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../openapi/openapi.json");
    let mut files = vec![own];
    if let Some(folder) = std::env::var_os("CONTRACT_DOCUMENTS") {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut more: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        more.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
        more.sort();
        files.extend(more);
    }
    let read = |file: &Path| serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    files.iter().map(|file| (file.file_name().unwrap().display().to_string(), read(file))).collect()
}

/// The same document with the keys of every object in another order.
fn shuffled(value: &Value, rng: &mut Rng) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> =
                fields.iter().map(|(key, value)| (key.clone(), shuffled(value, rng))).collect();
            rng.shuffle(&mut fields);
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(|item| shuffled(item, rng)).collect(),
        other => other.clone(),
    }
}

#[test]
fn a_document_is_the_same_as_itself() {
    for (name, document) in documents() {
        let start = std::time::Instant::now();
        assert_eq!(changes(&document, &document), [], "{name}");
        for seed in 0..2 {
            let other = shuffled(&document, &mut Rng::with_seed(seed));
            assert_eq!(changes(&document, &other), [], "{name} with its keys in another order");
            let mut other = other;
            other["info"]["version"] = json!("another");
            let found: Vec<_> = changes(&document, &other).into_iter().map(|c| c.rule).collect();
            assert_eq!(found, ["version-changed"], "{name}");
        }
        println!("{name}: {:?} for five comparisons", start.elapsed());
    }
}

/// What a mutation is and what must be found: the worst class, and one of the rules.
struct Mutation {
    what: String,
    class: Class,
    rules: &'static [&'static str],
}

/// The operation at a name, to be changed.
fn operation_mut<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    let (method, path) = name.split_once(' ').unwrap();
    &mut document["paths"][path][method.to_lowercase()]
}

/// A body or response of JSON, written out where it is used, with an object that has properties.
fn object_of(document: &Value, operation: &Value, response: bool) -> Option<(String, Value)> {
    let (pointer, holder) = if response {
        let (status, response) =
            fields(&operation["responses"]).find(|(s, _)| s.starts_with('2'))?;
        (format!("/responses/{status}"), response)
    } else {
        ("/requestBody".to_owned(), &operation["requestBody"])
    };
    let used = &holder["content"]["application/json"]["schema"];
    let mut schema = resolve(document, used).clone();
    // What is said where it is used stays.
    for (key, value) in fields(used).filter(|(key, _)| *key != "$ref") {
        schema[key] = value.clone();
    }
    let is_plain = schema["type"] == "object"
        && schema["properties"].as_object().is_some_and(|p| !p.is_empty())
        && ["allOf", "anyOf", "oneOf", "discriminator"]
            .iter()
            .all(|key| schema.get(*key).is_none());
    is_plain.then(|| (format!("{pointer}/content/application~1json/schema"), schema))
}

/// Makes one mutation of the kind, if the operation has what it takes.
#[expect(clippy::too_many_lines, reason = "a list of mutations")]
fn mutate(document: &mut Value, name: &str, kind: usize, rng: &mut Rng) -> Option<Mutation> {
    let original = document.clone();
    let operation = operation_mut(document, name);
    let mutation =
        |what: &str, class, rules| Some(Mutation { what: format!("{name}: {what}"), class, rules });
    let q = |required: bool, schema: Value| json!({"name": "mutated-q", "in": "query", "required": required, "schema": schema});
    let add = |operation: &mut Value, parameter: Value| match operation["parameters"].as_array_mut()
    {
        Some(list) => list.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    };
    match kind {
        0 => {
            let (method, path) = name.split_once(' ')?;
            document["paths"][path].as_object_mut()?.remove(&method.to_lowercase())?;
            mutation("removed", Breaking, &["operation-removed"])
        }
        1 => {
            add(operation, q(true, json!({"type": "integer"})));
            mutation("a required parameter", Breaking, &["required-parameter-added"])
        }
        2 => {
            add(operation, q(false, json!({})));
            mutation("an optional parameter", NonBreaking, &["parameter-added"])
        }
        3 => {
            let parameters = operation["parameters"].as_array_mut()?;
            let index = parameters.iter().position(|p| p["in"] == "query")?;
            parameters.remove(index);
            mutation("a parameter removed", Breaking, &["parameter-removed"])
        }
        4 => {
            let parameters = operation["parameters"].as_array_mut()?;
            let optional = |p: &&mut Value| p["in"] == "query" && p["required"] != true;
            parameters.iter_mut().find(optional)?["required"] = json!(true);
            mutation("a parameter required", Breaking, &["parameter-became-required"])
        }
        5 | 6 => {
            let is_response = kind == 6;
            let (pointer, mut schema) = object_of(&original, operation, is_response)?;
            let names: Vec<_> =
                fields(&schema["properties"]).map(|(name, _)| name.clone()).collect();
            let name = &names[rng.usize(..names.len())];
            let hidden = if is_response { "writeOnly" } else { "readOnly" };
            if resolve(&original, &schema["properties"][name])[hidden] == true {
                return None;
            }
            schema["properties"].as_object_mut()?.remove(name);
            if let Some(required) = schema["required"].as_array_mut() {
                required.retain(|other| other != name);
            }
            *operation.pointer_mut(&pointer)? = schema;
            mutation("a property removed", Breaking, &["property-removed"])
        }
        7 | 8 => {
            let is_response = kind == 8;
            let (pointer, mut schema) = object_of(&original, operation, is_response)?;
            schema["properties"]["mutated_p"] = json!({"type": "string"});
            match schema["required"].as_array_mut() {
                Some(required) => required.push(json!("mutated_p")),
                None => schema["required"] = json!(["mutated_p"]),
            }
            *operation.pointer_mut(&pointer)? = schema;
            if is_response {
                mutation("a new property in a response", NonBreaking, &["property-added"])
            } else {
                mutation("a required property", Breaking, &["required-property-added"])
            }
        }
        9 | 10 => {
            let (pointer, mut schema) = object_of(&original, operation, kind == 10)?;
            let is_typed = |(_, p): &(&String, &Value)| {
                p["type"].is_string() && p["readOnly"] != true && p["writeOnly"] != true
            };
            let (name, property) = fields(&schema["properties"]).find(is_typed)?;
            let other = if property["type"] == "boolean" { "array" } else { "boolean" };
            let name = name.clone();
            schema["properties"][&name] = json!({"type": other});
            *operation.pointer_mut(&pointer)? = schema;
            mutation("another type", Breaking, &["type-changed"])
        }
        11 => {
            let responses = operation["responses"].as_object_mut()?;
            let status = responses.keys().find(|status| status.starts_with('2'))?.clone();
            responses.remove(&status);
            mutation("a response removed", Breaking, &["response-removed"])
        }
        12 => {
            operation["responses"]["418"] = json!({"description": "new"});
            mutation("a new response", NonBreaking, &["response-added"])
        }
        13 => {
            operation["description"] = json!("mutated");
            mutation("another description", Documentation, &["description-changed"])
        }
        14 => {
            operation["security"] = json!([{"mutated": []}]);
            let scheme = json!({"type": "apiKey", "in": "header", "name": "mutated"});
            document["components"]["securitySchemes"]["mutated"] = scheme;
            mutation("other security", Breaking, &["security-tightened"])
        }
        15 | 16 => {
            let (pointer, mut schema) = object_of(&original, operation, kind == 16)?;
            let is_text = |(_, p): &(&String, &Value)| {
                p["type"] == "string"
                    && p.get("enum").is_none()
                    && p.get("const").is_none()
                    && p.get("maxLength").is_none()
                    && p["readOnly"] != true
                    && p["writeOnly"] != true
            };
            let (name, _) = fields(&schema["properties"]).find(is_text)?;
            let name = name.clone();
            schema["properties"][&name]["maxLength"] = json!(2);
            *operation.pointer_mut(&pointer)? = schema;
            let class = if kind == 15 { Breaking } else { NonBreaking };
            mutation("a limit", class, &["upper-bound-lowered"])
        }
        17 => {
            let (pointer, schema) = object_of(&original, operation, true)?;
            *operation.pointer_mut(&pointer)? = json!({"anyOf": [schema, {"type": "null"}]});
            mutation("a response may be null", Breaking, &["became-nullable"])
        }
        18 => {
            let (pointer, schema) = object_of(&original, operation, false)?;
            *operation.pointer_mut(&pointer)? = json!({"allOf": [schema]});
            mutation("written out in allOf", Documentation, &[])
        }
        _ => {
            operation["requestBody"].as_object()?;
            operation.as_object_mut()?.remove("requestBody");
            mutation("the body removed", Breaking, &["request-body-removed"])
        }
    }
}

#[test]
fn mutations_are_what_they_are() {
    let mut disagreements = Vec::new();
    let mut count = 0;
    for (name, document) in documents() {
        let mut rng = Rng::with_seed(7);
        let prepared = prepare(document.clone()).unwrap();
        let names: Vec<_> = operations(&document).into_iter().map(|(name, ..)| name).collect();
        let mutations = mutations_of(&document);
        let mut tried = 0;
        for attempt in 0..mutations * 20 {
            let operation = &names[rng.usize(..names.len())];
            let mut mutated = document.clone();
            let Some(mutation) = mutate(&mut mutated, operation, attempt % KINDS, &mut rng) else {
                continue;
            };
            tried += 1;
            let found = changes_of(&prepared, &mutated);
            let is_class = found.iter().map(|change| change.class).min();
            let is_rule = mutation.rules.is_empty()
                || found.iter().any(|change| mutation.rules.contains(&change.rule));
            let is_right = if mutation.rules.is_empty() {
                found.is_empty()
            } else {
                is_class == Some(mutation.class)
            };
            if !is_right || !is_rule {
                println!("{name}: {}: {found:#?}", mutation.what);
                disagreements.push(format!("{name}: {}", mutation.what));
            }
            if tried == mutations {
                break;
            }
        }
        println!("{name}: {tried} mutations");
        count += tried;
    }
    assert!(
        disagreements.is_empty(),
        "{} of {count}:\n{}",
        disagreements.len(),
        disagreements.join("\n")
    );
    assert!(count >= KINDS, "{count}");
}
