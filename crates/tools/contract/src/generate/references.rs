//! Which fields and parameters hold ids of things that other operations create.

use serde_json::{Value, json};

use super::operation::{Operation, collection};
use super::samples::REFERS_TO;

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
    let endings = ["_ids", "_id", "Ids", "Id", "_uuid", "-id"];
    let word = endings.iter().find_map(|ending| name.strip_suffix(ending))?.to_lowercase();
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

/// The collections of which things can be created and are known by an id afterwards.
pub(super) fn collections(document: &Value, operations: &[Operation<'_>]) -> Vec<String> {
    let creators = operations.iter().filter(|operation| {
        operation.method == "POST" && operation.pointer_to(document, "id").is_some()
    });
    creators.map(|operation| collection(operation.path)).collect()
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
}
