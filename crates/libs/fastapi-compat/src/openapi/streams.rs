//! Answers that are streams, in the document.

use serde_json::{Value, json};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{RefOr, Schema, Type};

use super::answers::Answer;
use super::collection;
use super::dialect::{name, rewrite, title};
use super::documented::Documented;
use super::operation::{Describe, OperationDocument};
use super::visit::{of_keywords, typed};
use crate::stream::{EventSourceResponse, JsonLines, Untyped};

/// `EventSourceResponse`, of which the items are known.
impl<T: Documented<Via>, Via> Describe<Via> for Answer<EventSourceResponse<T>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        let mut content = collection::output(T::schema);
        name(&mut content, &item_title(operation));
        operation.stream("text/event-stream", event(Some(content)));
    }
}

/// `EventSourceResponse`, of which the items are not known.
impl Describe for Answer<EventSourceResponse<Untyped>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.stream("text/event-stream", event(None));
    }
}

/// JSON Lines, of which the items are known.
impl<T: Documented<Via>, Via> Describe<Via> for Answer<JsonLines<T>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        let mut item = collection::output(T::schema);
        name(&mut item, &item_title(operation));
        operation.stream("application/jsonl", item);
    }
}

/// JSON Lines, of which the items are not known.
impl Describe for Answer<JsonLines<Untyped>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.stream("application/jsonl", typed(SchemaType::AnyValue).into());
    }
}

fn item_title(operation: &OperationDocument<'_>) -> String {
    format!("Streamitem {}", title(operation.id))
}

/// FastAPI's schema of an event, whose data may be JSON of a schema. It is in the dialect already, in
/// which its properties have no titles.
fn event(content: Option<RefOr<Schema>>) -> RefOr<Schema> {
    let mut event = json!({
        "type": "object",
        "properties": {
            "data": {"type": "string"},
            "event": {"type": "string"},
            "id": {"type": "string"},
            "retry": {"type": "integer", "minimum": 0},
        },
    });
    if let Some(mut content) = content {
        rewrite(&mut content, false);
        let data = &mut event["properties"]["data"];
        data["contentMediaType"] = "application/json".into();
        data["contentSchema"] = json!(content);
        event["required"] = json!(["data"]);
    }
    let Value::Object(event) = event else { return typed(Type::Object).into() };
    of_keywords(event).into()
}
