//! Requests under construction, and the cases made of them.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::operation::Operation;
use super::schema::is_file;
use super::text::{is_json, plain};
use crate::case::{Case, Part};
use crate::shrink::unquoted;

/// A request under construction.
#[derive(Clone, Default)]
pub(super) struct Draft {
    pub(super) path: BTreeMap<String, String>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Body>,
    pub(super) user: Option<String>,
    /// The names of files, by their fields, if they are not the usual.
    pub(super) filenames: BTreeMap<String, String>,
    /// Whether the slash at the end of the path is left out, or added.
    pub(super) has_other_slash: bool,
    /// The method, if it is not the operation's.
    pub(super) method: Option<&'static str>,
    /// What the case keeps of the response, by variable.
    pub(super) captures: BTreeMap<String, String>,
    pub(super) changes: Vec<String>,
}

/// The body of a draft.
#[derive(Clone)]
pub(super) enum Body {
    Json(Value),
    Form(Map<String, Value>),
    Parts(Map<String, Value>),
    Text(String),
}

/// The fields of the body, if it has fields.
pub(super) fn object(draft: &mut Draft) -> Option<&mut Map<String, Value>> {
    match &mut draft.body {
        Some(Body::Json(Value::Object(body)) | Body::Form(body) | Body::Parts(body)) => Some(body),
        _ => None,
    }
}

/// How the names of the variables begin that the requests themselves capture.
pub(super) const VARIABLE: &str = "generated";

/// Whether a text begins with one of these variables, `${generated7}`, or as a number `${#generated7}`.
fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix("${").map(|name| name.strip_prefix('#').unwrap_or(name));
    name.and_then(|name| name.strip_prefix(VARIABLE)?.split_once('}'))
        .is_some_and(|(digits, _)| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Keeps what only looks like a variable, as examples in documents do, from being replaced.
fn literal(text: &str) -> String {
    let mut parts = text.split("${");
    let mut literal = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_variable = is_variable(&format!("${{{part}"));
        literal.extend([if is_variable { "${" } else { "${'$'*1}{" }, part]);
    }
    literal
}

/// Percent-encodes a text, unless it is a variable.
fn encoded(text: &str) -> String {
    if is_variable(text) {
        return text.replace("${#", "${");
    }
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn pairs<'p>(pairs: impl Iterator<Item = (&'p str, String)>) -> String {
    let pairs: Vec<_> =
        pairs.map(|(key, value)| format!("{}={}", encoded(key), encoded(&value))).collect();
    pairs.join("&")
}

/// The case that sends the draft.
pub(super) fn finish(operation: &Operation<'_>, draft: &Draft) -> Case {
    let mut path = operation.path.to_owned();
    for (name, value) in &draft.path {
        path = path.replace(&format!("{{{name}}}"), &encoded(value));
    }
    if draft.has_other_slash {
        path = path.strip_suffix('/').map_or_else(|| format!("{path}/"), ToOwned::to_owned);
    }
    if !draft.query.is_empty() {
        let query = draft.query.iter().map(|(key, value)| (key.as_str(), value.clone()));
        path = format!("{path}?{}", pairs(query));
    }
    let changes = if draft.changes.is_empty() { "valid".into() } else { draft.changes.join(", ") };
    let mut case = Case {
        name: format!("generated: {}: {changes}", operation.name),
        request: format!("{} {path}", draft.method.unwrap_or(&operation.method)),
        operation: Some(operation.name.clone()),
        user: draft.user.clone(),
        capture: draft.captures.clone(),
        headers: draft.headers.iter().map(|(k, value)| (k.clone(), literal(value))).collect(),
        is_tolerant: true,
        ..Case::default()
    };
    let is_form = operation.media_type.is_some_and(|media_type| !is_json(media_type));
    if let Some(media_type) = operation.media_type.filter(|name| is_json(name))
        && media_type != "application/json"
    {
        case.headers.entry("content-type".to_owned()).or_insert_with(|| media_type.to_owned());
    }
    match &draft.body {
        Some(Body::Json(body)) => case.body = Some(literal(&unquoted(&body.to_string()))),
        Some(Body::Form(body)) => {
            case.form = Some(pairs(body.iter().map(|(key, value)| (key.as_str(), plain(value)))));
        }
        Some(Body::Parts(body)) => {
            let filename = |name: &str| {
                let given = draft.filenames.get(name).map_or("file.bin", String::as_str);
                is_file(&operation.fields[name]).then(|| given.to_owned())
            };
            let part = |(name, value): (&String, &Value)| Part {
                name: name.clone(),
                filename: filename(name),
                text: Some(literal(&plain(value))),
                ..Part::default()
            };
            case.multipart = body.iter().map(part).collect();
        }
        Some(Body::Text(text)) if is_form => case.form = Some(literal(text)),
        Some(Body::Text(text)) => case.body = Some(literal(text)),
        None => {}
    }
    case
}

#[cfg(test)]
mod tests {
    use super::{encoded, literal};

    #[test]
    fn what_only_looks_like_a_variable_is_sent_as_it_is() {
        for variable in ["${generated7}", "a ${generated7} b${generated12}"] {
            assert_eq!(literal(variable), variable);
        }
        assert_eq!(literal("${HOME}/${generated1"), "${'$'*1}{HOME}/${'$'*1}{generated1");
        assert_eq!(encoded("${#generated7}"), "${generated7}");
        assert_eq!(encoded("${GENERATED7}"), "%24%7BGENERATED7%7D");
    }
}
