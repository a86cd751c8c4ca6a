//! Which fields and parameters hold ids of things that other operations create.

use serde_json::{Value, json};

use super::changes::parameter_schema;
use super::operation::{Operation, collection, key_of};
use super::samples::REFERS_TO;
use crate::openapi::{fields, resolve};

/// How names of ids end, after the name of a thing.
const ID_ENDINGS: [&str; 7] = ["_id", "-id", "Id", "ID", "_uuid", "Uuid", "_pk"];

/// What an owner is called, besides after the collection of users.
const PERSONS: [&str; 8] =
    ["owner", "author", "creator", "customer", "assignee", "member", "account", "person"];

/// Marks every field and parameter whose name is that of a collection with an id after it
/// (`product_id` where there is `POST /products`).
pub(super) fn mark(document: &mut Value, collections: &[String]) {
    match document {
        Value::Array(items) => items.iter_mut().for_each(|item| mark(item, collections)),
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                for (name, schema) in properties {
                    mark_one(name, schema, collections);
                }
            }
            let is_parameter = fields.get("in").is_some_and(|place| place != "path");
            if let Some(name) = fields.get("name").and_then(Value::as_str).map(ToOwned::to_owned)
                && is_parameter
                && let Some(schema) = fields.get_mut("schema")
            {
                mark_one(&name, schema, collections);
            }
            fields.values_mut().for_each(|value| mark(value, collections));
        }
        _ => {}
    }
}

fn mark_one(name: &str, schema: &mut Value, collections: &[String]) {
    let Some(collection) = collection_of(name, collections) else { return };
    let schema = match schema.get_mut("items") {
        Some(items) => items,
        None => schema,
    };
    if let Value::Object(fields) = schema {
        fields.insert(REFERS_TO.to_owned(), json!(collection));
    }
}

/// The collection whose things a name with an id at its end refers to.
pub(super) fn collection_of<'c>(name: &str, collections: &'c [String]) -> Option<&'c str> {
    let one = name.strip_suffix('s').filter(|one| one.ends_with(['d', 'D']));
    let name = one.unwrap_or(name);
    let word = ID_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))?.to_lowercase();
    let word = word.rsplit(['_', '-']).next().unwrap_or(&word);
    let is_plural = |many: &str, one: &str| {
        many == one
            || many.strip_suffix('s') == Some(one)
            || many.strip_suffix("es") == Some(one)
            || many.strip_suffix("ies").is_some_and(|stem| one.strip_suffix('y') == Some(stem))
    };
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let found = collections.iter().find(|path| is_plural(&last(path), word));
    let is_person = PERSONS.contains(&word);
    let found = found
        .or_else(|| collections.iter().find(|path| is_person && is_plural(&last(path), "user")));
    found.map(String::as_str)
}

/// Marks the fields that are called as the key under which things of a collection are found (`sku` where
/// there are `POST /items` and `GET /items/{sku}`), or end so, in the bodies and queries of other
/// operations than those on these things.
pub(super) fn mark_keys(document: &mut Value, collections: &[String]) {
    let operations = super::read(document);
    let mut marks: Vec<(String, String)> = Vec::new();
    for path in collections {
        let key = key_of(&operations, path).filter(|key| !is_id(key));
        let Some(key) = key else { continue };
        let is_own = |operation: &Operation<'_>| {
            let own = collection(operation.path);
            own == *path || own == format!("{path}/{{}}")
        };
        let (own, others): (Vec<_>, Vec<_>) = operations.iter().partition(|o| is_own(o));
        let mut found = Vec::new();
        for operation in others {
            find_keys(document, operation.body, key, 0, &mut found);
            for parameter in &operation.parameters {
                if parameter["in"] == "query" && is_called(parameter["name"].as_str(), key) {
                    found.push(parameter_schema(parameter));
                }
            }
        }
        let mut kept = Vec::new();
        for operation in own {
            find_keys(document, operation.body, key, 0, &mut kept);
        }
        found.retain(|schema| !kept.iter().any(|kept| std::ptr::eq(*kept, *schema)));
        let pointers = found.into_iter().filter_map(|schema| pointer_of(document, schema, ""));
        marks.extend(pointers.map(|pointer| (pointer, path.clone())));
    }
    for (pointer, path) in marks {
        if let Some(Value::Object(fields)) = document.pointer_mut(&pointer) {
            fields.insert(REFERS_TO.to_owned(), json!(path));
        }
    }
}

/// Whether a name is that of an id.
pub(super) fn is_id(name: &str) -> bool {
    ["id", "Id", "ID", "uuid", "pk"].contains(&name)
        || ID_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn is_called(name: Option<&str>, key: &str) -> bool {
    name.is_some_and(|name| name == key || name.ends_with(&format!("_{key}")))
}

/// Adds the schemas of the fields with a key's name, and of items of lists with it, at any depth.
fn find_keys<'a>(
    document: &'a Value,
    schema: &'a Value,
    key: &str,
    depth: usize,
    found: &mut Vec<&'a Value>,
) {
    let schema = resolve(document, schema);
    for (name, property) in fields(&schema["properties"]) {
        if is_called(Some(name), key) {
            found.push(property.get("items").unwrap_or(property));
        } else if depth < 4 {
            find_keys(document, property, key, depth + 1, found);
        }
    }
    let parts = ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| schema[*key].as_array());
    let parts = parts.flatten().chain(schema.get("items"));
    for part in parts.filter(|_| depth < 4) {
        find_keys(document, part, key, depth + 1, found);
    }
}

/// Where in a document a value of it stands.
fn pointer_of(value: &Value, wanted: &Value, at: &str) -> Option<String> {
    if std::ptr::eq(value, wanted) {
        return Some(at.to_owned());
    }
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| pointer_of(item, wanted, &format!("{at}/{index}"))),
        Value::Object(fields) => fields.iter().find_map(|(name, field)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            pointer_of(field, wanted, &format!("{at}/{name}"))
        }),
        _ => None,
    }
}

/// The collections of which things can be created and are known by an id afterwards.
pub(super) fn collections(document: &Value, operations: &[Operation<'_>]) -> Vec<String> {
    let creators = operations.iter().filter(|operation| {
        let key = key_of(operations, &collection(operation.path)).unwrap_or("id");
        is_creator(document, operations, operation) && operation.pointer_to(document, key).is_some()
    });
    creators.map(|operation| collection(operation.path)).collect()
}

/// Whether a `POST` adds a thing to a collection. Other than those that act on a thing, it has a path
/// below which single things are found, or which lists them; or what it returns has an id and is not
/// the thing in its own path.
pub(super) fn is_creator(
    document: &Value,
    operations: &[Operation<'_>],
    operation: &Operation<'_>,
) -> bool {
    let path = collection(operation.path);
    if operation.method != "POST" || path.ends_with("{}") {
        return false;
    }
    let is_collection = |other: &Operation<'_>| {
        let mut positions = 0..other.path_parameters().len();
        positions.any(|position| {
            other.collection(position).is_some_and(|known| {
                // What is created within another thing may be found in a collection of its own.
                known == path || (path.contains("{}") && last_word(&known) == last_word(&path))
            })
        })
    };
    let is_list = |other: &Operation<'_>| other.method == "GET" && collection(other.path) == path;
    if operations.iter().any(|other| is_collection(other) || is_list(other)) {
        return true;
    }
    let item = path.rsplit_once('/').map_or("", |(item, _)| item);
    let returns_the_same = |other: &Operation<'_>| {
        let other_path = collection(other.path);
        let is_of_item = other_path == item
            || (other.method == "POST" && Some(&*other_path) == item.strip_suffix("/{}"));
        is_of_item && other.result == operation.result
    };
    operation.result["properties"].is_object()
        && operation.pointer_to(document, "id").is_some()
        && !operations.iter().any(returns_the_same)
}

/// The last segment of a path.
pub(super) fn last_word(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_refers_to_a_collection() {
        let collections =
            ["/users", "/api/categories", "/products/{}/boxes"].map(ToOwned::to_owned);
        for (name, collection) in [
            ("user_id", Some("/users")),
            ("ownerId", Some("/users")),
            ("category_id", Some("/api/categories")),
            ("box_ids", Some("/products/{}/boxes")),
            ("parent_box_id", Some("/products/{}/boxes")),
            ("user", None),
            ("id", None),
            ("order_id", None),
        ] {
            assert_eq!(collection_of(name, &collections), collection, "{name}");
        }
    }

    #[test]
    fn an_action_is_no_creator() {
        let result = |name: &str| {
            let schema = json!({"$ref": format!("#/components/schemas/{name}")});
            json!({"responses": {"201": {"content": {"application/json": {"schema": schema}}}}})
        };
        let with_id = json!({"type": "object", "properties": {"id": {"type": "integer"}}});
        let mut other = with_id.clone();
        other["properties"]["amount"] = json!({"type": "integer"});
        let nothing = json!({"responses": {"204": {"description": "done"}}});
        let document = json!({
            "paths": {
                "/boxes": {"post": result("Box")},
                "/boxes/{box_id}": {"get": result("Box"), "post": result("Box")},
                "/boxes/{box_id}/seal": {"post": result("Box")},
                "/boxes/{box_id}/open": {"post": nothing},
                "/boxes/{box_id}/items": {"post": nothing},
                "/boxes/{box_id}/weighings": {"post": result("Weighing")},
                "/boxes/{box_id}/notes": {"post": nothing, "get": nothing},
                "/items/{item_id}": {"get": nothing},
                "/weighings": {"post": result("Weighing")},
                "/leave": {"post": nothing},
            },
            "components": {"schemas": {"Box": with_id, "Weighing": other}},
        });
        let operations = crate::generate::read(&document);
        let mut creators: Vec<_> = operations
            .iter()
            .filter(|operation| is_creator(&document, &operations, operation))
            .map(|operation| operation.path)
            .collect();
        creators.sort_unstable();
        let right = [
            "/boxes",
            "/boxes/{box_id}/items",
            "/boxes/{box_id}/notes",
            "/boxes/{box_id}/weighings",
            "/weighings",
        ];
        assert_eq!(creators, right);
    }
}
