//! Which fields and parameters hold ids of things that other operations create.

use serde_json::{Value, json};

use super::operation::{Operation, collection, key_of, read};
use super::schema::{REFERS_TO, kind, non_null, parameter_schema};
use crate::openapi::{fields, resolve};

/// How names of ids end, after the name of a thing.
const ID_ENDINGS: [&str; 7] = ["_id", "-id", "Id", "ID", "_uuid", "Uuid", "_pk"];

/// What an owner is called, besides after the collection of users.
pub(super) const PERSONS: [&str; 8] =
    ["owner", "author", "creator", "customer", "assignee", "member", "account", "person"];

/// What another thing of the same kind is called.
const PARENTS: [&str; 7] =
    ["parent", "reply_to", "in_reply_to", "duplicate_of", "replaces", "previous", "blocked_by"];

/// The key of the ids of users that only an operation such as `GET /me` returns.
pub(super) const CURRENT_USERS: &str = "current-users";

/// Marks the fields with ids of users, where no request creates users.
pub(super) fn mark_users(document: &mut Value, collections: &[String]) {
    let users = "/users".to_owned();
    if collection_of("user_id", collections).is_none() {
        mark_as(document, &[users], Some(CURRENT_USERS));
    }
}

/// Marks every field and parameter whose name is that of a collection with an id after it
/// (`product_id` where there is `POST /products`).
pub(super) fn mark(document: &mut Value, collections: &[String]) {
    mark_as(document, collections, None);
}

/// The same; each is marked as a reference to `mark`, if that is given.
fn mark_as(document: &mut Value, collections: &[String], mark: Option<&str>) {
    match document {
        Value::Array(items) => {
            for item in items {
                mark_as(item, collections, mark);
            }
        }
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                for (name, schema) in properties {
                    mark_one(name, schema, collections, mark);
                }
            }
            let is_parameter = fields.get("in").is_some_and(|location| location != "path");
            if let Some(name) = fields.get("name").and_then(Value::as_str).map(ToOwned::to_owned)
                && is_parameter
                && let Some(schema) = fields.get_mut("schema")
            {
                mark_one(&name, schema, collections, mark);
            }
            fields.values_mut().for_each(|value| mark_as(value, collections, mark));
        }
        _ => {}
    }
}

fn mark_one(name: &str, schema: &mut Value, collections: &[String], mark: Option<&str>) {
    let Some(collection) = collection_of(name, collections) else { return };
    let schema = match schema.get_mut("items") {
        Some(items) => items,
        None => schema,
    };
    if let Value::Object(fields) = schema {
        fields.entry(REFERS_TO.to_owned()).or_insert(json!(mark.unwrap_or(collection)));
    }
}

/// The collection whose things a name with an id at its end refers to.
pub(super) fn collection_of<'c>(name: &str, collections: &'c [String]) -> Option<&'c str> {
    let one = name.strip_suffix('s').filter(|one| one.ends_with(['d', 'D']));
    let name = one.unwrap_or(name);
    let word = ID_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))?.to_lowercase();
    let word = word.rsplit(['_', '-']).next().unwrap_or(&word);
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
    let operations = read(document);
    let mut marks: Vec<(String, String)> = Vec::new();
    for path in collections {
        let key = key_of(&operations, path).filter(|key| !is_id(key));
        let Some(key) = key else { continue };
        let (own, others): (Vec<_>, Vec<_>) =
            operations.iter().partition(|operation| is_of(operation, path));
        let mut found = Vec::new();
        // What is found under a key of the same name has one of its own, unless it is within something.
        let has_own = |operation: &Operation<'_>| {
            let other = collection(operation.path);
            let other = other.strip_suffix("/{}").unwrap_or(&other);
            key_of(&operations, other) == Some(key)
                && other.matches("{}").count() <= path.matches("{}").count()
        };
        for operation in others.into_iter().filter(|operation| !has_own(operation)) {
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
    apply(document, marks);
}

/// Marks what stands at pointers, unless it is marked already.
fn apply(document: &mut Value, marks: Vec<(String, String)>) {
    for (pointer, mark) in marks {
        if let Some(Value::Object(fields)) = document.pointer_mut(&pointer) {
            fields.entry(REFERS_TO.to_owned()).or_insert(json!(mark));
        }
    }
}

/// Whether an operation is on a collection, or on one thing of it.
fn is_of(operation: &Operation<'_>, path: &str) -> bool {
    let own = collection(operation.path);
    own.strip_suffix("/{}").unwrap_or(&own) == path
}

/// Whether a word is another in the plural, or the same.
fn is_plural(many: &str, one: &str) -> bool {
    many == one
        || many.strip_suffix('s') == Some(one)
        || many.strip_suffix("es") == Some(one)
        || many.strip_suffix("ies").is_some_and(|stem| one.strip_suffix('y') == Some(stem))
}

/// Marks the fields that hold what a thing of a collection was given as one of its texts: `coupon_code`
/// where `POST /coupons` takes a `code`, and `code` in what is done at `/carts/{id}/coupon`.
pub(super) fn mark_values(document: &mut Value, collections: &[String]) {
    let operations = read(document);
    let mut marks: Vec<(String, String)> = Vec::new();
    for path in collections {
        let creator = operations.iter().find(|o| o.method == "POST" && collection(o.path) == *path);
        let Some(creator) = creator else { continue };
        let word = last_word(path).to_lowercase();
        let texts: Vec<&str> = fields(creator.fields)
            .filter(|(_, schema)| is_plain_text(document, schema))
            .map(|(name, _)| name.as_str())
            .collect();
        for operation in operations.iter().filter(|operation| !is_of(operation, path)) {
            let is_about = operation.is_write()
                && operation.path.split('/').skip(2).any(|part| {
                    part.split(['-', '_']).any(|part| is_plural(&word, &part.to_lowercase()))
                });
            let in_body = fields(operation.fields).map(|(name, schema)| (name.as_str(), schema));
            let in_query = operation.parameters.iter().filter(|known| known["in"] == "query");
            let in_query = in_query
                .filter_map(|known| Some((known["name"].as_str()?, parameter_schema(known))));
            for (name, schema) in in_body.chain(in_query) {
                let value = texts.iter().find(|text| {
                    let own = name.strip_suffix(**text);
                    let one = own.and_then(|rest| rest.strip_suffix('_'));
                    one.is_some_and(|one| is_plural(&word, one)) || (is_about && own == Some(""))
                });
                let Some(text) = value.filter(|_| is_plain_text(document, schema)) else {
                    continue;
                };
                let pointer = pointer_of(document, schema, "");
                marks.extend(pointer.map(|pointer| (pointer, format!("{path}#{text}"))));
            }
        }
    }
    apply(document, marks);
}

/// Whether a schema is of any text, or null.
fn is_plain_text(document: &Value, schema: &Value) -> bool {
    let schema = resolve(document, non_null(schema));
    schema.get(REFERS_TO).is_none()
        && kind(schema) == "string"
        && schema.get("enum").is_none()
        && schema.get("const").is_none()
        && schema.get("format").is_none()
}

/// Marks the fields of a thing with the id of another of its kind: what it is a part of, or an answer to.
pub(super) fn mark_parents(document: &mut Value, collections: &[String]) {
    let operations = read(document);
    let mut marks: Vec<(String, String)> = Vec::new();
    for operation in &operations {
        let own = collection(operation.path);
        let own = own.strip_suffix("/{}").unwrap_or(&own);
        let last = last_word(own);
        let path = collections
            .iter()
            .find(|path| *path == own)
            .or_else(|| collections.iter().find(|path| last_word(path) == last));
        let Some(path) = path else { continue };
        for (name, schema) in fields(operation.fields) {
            let word = ID_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
            if word.is_some_and(|word| PARENTS.contains(&word)) && schema.get(REFERS_TO).is_none() {
                let pointer = pointer_of(document, schema, "");
                marks.extend(pointer.map(|pointer| (pointer, path.clone())));
            }
        }
    }
    apply(document, marks);
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
}
