//! Which operations create things, and in which collections these are found.

use serde_json::Value;

use super::operation::{Operation, collection, key_of};
use super::references::last_word;

/// What signing in is called, at the end of a path.
const SIGN_INS: [&str; 7] =
    ["login", "token", "signin", "sign-in", "sign_in", "access-token", "authenticate"];

/// The collections of which things can be created and are known by an id afterwards.
pub(super) fn collections(document: &Value, operations: &[Operation<'_>]) -> Vec<String> {
    let creators = operations.iter().filter(|operation| {
        let key = key_of(operations, &collection(operation.path)).unwrap_or("id");
        is_creator(document, operations, operation) && operation.pointer_to(document, key).is_some()
    });
    let mut paths: Vec<String> = creators.map(|operation| collection(operation.path)).collect();
    paths.extend(products(document, operations).into_iter().map(|product| product.path));
    paths
}

/// Things that a request makes of others, and that are found in a collection to which nothing else is
/// added: `POST /carts/{id}/checkout` answers with an order, as `GET /orders/{id}` does.
pub(super) struct Product {
    /// The operation that makes them.
    pub(super) creator: usize,
    pub(super) path: String,
    /// Where its response has the id.
    pub(super) pointer: String,
}

pub(super) fn products(document: &Value, operations: &[Operation<'_>]) -> Vec<Product> {
    let creators: Vec<String> = operations
        .iter()
        .filter(|operation| is_creator(document, operations, operation))
        .map(|operation| collection(operation.path))
        .collect();
    let product = |(creator, operation): (usize, &Operation<'_>)| {
        let own = collection(operation.path);
        let is_made = operation.method == "POST"
            && !own.ends_with("{}")
            && operation.result["properties"].is_object()
            && key_of(operations, &own).is_none()
            && (operation.path_parameters().is_empty() || !creators.contains(&own));
        if !is_made {
            return None;
        }
        operations.iter().find_map(|read| {
            let last = read.path_parameters().len().checked_sub(1)?;
            let path = read.collection(last)?;
            let is_shown = read.method == "GET"
                && read.path.trim_end_matches('/').ends_with('}')
                && std::ptr::eq(read.result, operation.result)
                && !creators.contains(&path)
                // What is within a thing that is not known cannot be found.
                && !path.contains("{}");
            if !is_shown {
                return None;
            }
            let pointer = operation.pointer_to(document, read.path_parameters()[last])?;
            Some(Product { creator, path, pointer })
        })
    };
    operations.iter().enumerate().filter_map(product).collect()
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
    if operation.method != "POST" || path.ends_with("{}") || SIGN_INS.contains(&last_word(&path)) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let operations = crate::generate::operation::read(&document);
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
