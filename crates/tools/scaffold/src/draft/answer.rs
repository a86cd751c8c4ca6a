//! What an operation answers.

use serde_json::{Value, json};

use super::types::{Types, Use};

/// A success: its status, what it is, and what the handler gives.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) description: Option<&'a str>,
    pub(super) ty: String,
}

pub(super) fn answer<'a>(types: &mut Types<'_>, operation: &'a Value, camel: &str) -> Answer<'a> {
    let responses = operation["responses"].as_object();
    let mut all = responses.into_iter().flatten().filter_map(|(status, response)| {
        let status: u16 = status.parse().ok()?;
        (100..600).contains(&status).then_some((status, response))
    });
    let good = all.clone().find(|(status, _)| (200..400).contains(status));
    let Some((status, response)) = good.or_else(|| all.next()) else {
        let reason = "its answer may be anything: the document describes none";
        types.note_key(operation, "responses", reason.to_owned(), true);
        return Answer { status: 200, description: None, ty: "Response".to_owned() };
    };
    let content: Vec<_> = response["content"].as_object().into_iter().flatten().collect();
    // No rule is lost with one that is nothing but bytes of a media type.
    let has_rules = !content.iter().all(|(_, content)| is_bytes(&content["schema"]));
    let loosely = |types: &mut Types<'_>, reason: String| {
        types.note(response, format!("its answer may be anything: {reason}"), has_rules);
        "Response".to_owned()
    };
    let is_bodiless = status < 200 || [204, 205, 304].contains(&status);
    let ty = match content.as_slice() {
        [_, ..] if is_bodiless => loosely(types, format!("a {status} has no body")),
        [] if status == 204 => "NoContent".to_owned(),
        [] if [303, 307, 308].contains(&status) => "Redirect".to_owned(),
        [] => "Body".to_owned(),
        // A function without an annotation.
        [(kind, content)] if *kind == "application/json" && is_any(content) => {
            "Response".to_owned()
        }
        [(kind, content)] if *kind == "application/json" => {
            let hint = format!("{camel}Answer");
            let title = content["schema"]["title"].as_str();
            format!("Json<{}>", types.alone(&content["schema"], &hint, Use::Written, title))
        }
        [(kind, content)] if *kind == "text/html" && is_text(content) => "Html<String>".to_owned(),
        [(kind, content)] if *kind == "text/plain" && is_text(content) => "String".to_owned(),
        [(kind, content)] if content["schema"] == json!({"type": "string"}) => {
            let constants = [("MEDIA_TYPE", format!("&'static str = {kind:?}"))];
            format!("MediaResponse<{}>", types.marker(kind, "MediaType", &constants))
        }
        [(kind, _)] => loosely(types, format!("it is of the media type {kind}")),
        _ => loosely(types, "it is of several media types".to_owned()),
    };
    Answer { status, description: response["description"].as_str(), ty }
}

fn is_any(content: &Value) -> bool {
    content.get("schema").is_none_or(|schema| *schema == json!({}))
}

/// Whether a schema says nothing of an answer, or no more than that it is a text or a file.
fn is_bytes(schema: &Value) -> bool {
    let said = ["type", "format", "contentMediaType", "title", "description"];
    schema.as_object().is_none_or(|schema| {
        schema.get("type").is_none_or(|kind| kind == "string")
            && schema.keys().all(|key| said.contains(&key.as_str()))
    })
}

fn is_text(content: &Value) -> bool {
    content["schema"]["type"] == "string"
}
