//! Lines of logs: the common and combined formats, uvicorn's, ALB's, and JSON.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::{Entry, case, host, plain, set_header};

/// The request line of the common and combined formats, of uvicorn's and of ALB's logs.
static ACCESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let line = r#""([A-Za-z-]+) (\S+)(?: HTTP/[\d.]+)?""#;
    let common = format!(r"\[[^\]]+\] {line} \d{{3}} ");
    let uvicorn = format!(r"\bINFO:? +(?:\S+ - )+{line} \d{{3}} ");
    let balancer = format!(r"^(?:https?|h2|grpcs) \d{{4}}-\S+ .*? {line} ");
    Regex::new(&format!("(?:{common}|{uvicorn}|{balancer})")).ok()
});

/// Escape sequences for colours in terminals.
static COLOURS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\x1b\[[\d;]*m").ok());

/// A line of a log whose request is broken: TLS bytes, or none at all.
static BROKEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\[[^\]]+\] "[^"]*" \d{3} "#).ok());

pub(super) fn entry(line: &str, user: Option<&str>) -> Result<Entry, &'static str> {
    let plain_line = COLOURS.as_ref().map(|pattern| pattern.replace_all(line, ""));
    let line = plain_line.as_deref().unwrap_or(line);
    let padded = format!("{line} ");
    if let Some(found) = ACCESS.as_ref().and_then(|pattern| pattern.captures(&padded)) {
        let mut parts = found.iter().skip(1).flatten();
        let (method, target) = (parts.next(), parts.next());
        if let (Some(method), Some(target)) = (method, target) {
            // Apache and nginx write a quote and a backslash so.
            let target = target.as_str().replace("\\x22", "%22").replace("\\x5C", "%5C");
            // Apache writes the virtual host before the client.
            let before: Vec<_> = padded.split(" [").next().unwrap_or_default().split(' ').collect();
            let virtual_host = match before.as_slice() {
                [name, _, _, _] => Some((*name).to_owned()),
                _ => None,
            };
            let case = case(method.as_str(), &target)?;
            return Ok(Entry { case, host: host(&target).or(virtual_host) });
        }
    }
    if BROKEN.as_ref().is_some_and(|pattern| pattern.is_match(&padded)) {
        return Err("without a request");
    }
    let entry: Value = serde_json::from_str(line).map_err(|_| "of no known format")?;
    // Caddy has the request in an object, nginx the line of it in a text.
    let request = if entry["request"].is_object() { &entry["request"] } else { &entry };
    let text = |keys: &[&str]| keys.iter().find_map(|key| request[*key].as_str());
    let whole = entry["request"].as_str().and_then(|line| line.split_once(' '));
    let method = text(&["method", "request_method", "verb", "http_method", "RequestMethod"]);
    let path = text(&["request_uri", "uri", "url", "path", "target", "RequestPath"]);
    let host = path.and_then(host).or_else(|| {
        let names = ["host", "http_host", "server_name", "vhost", "RequestHost"];
        text(&names).map(ToOwned::to_owned)
    });
    let (method, path) = match (method, path, whole) {
        (Some(method), Some(path), _) => (method, path),
        (_, _, Some((method, rest))) => (method, rest.split(' ').next().unwrap_or(rest)),
        _ => return Err("without method and path"),
    };
    let mut case = case(method, path)?;
    if let Some(query) = text(&["query", "query_string", "args"])
        && !query.is_empty()
        && !case.request.contains('?')
    {
        case.request = format!("{}?{}", case.request, plain(query.trim_start_matches('?')));
    }
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            match value {
                Value::String(value) => set_header(&mut case, name, value, user),
                Value::Number(value) => set_header(&mut case, name, &value.to_string(), user),
                _ => {}
            }
        }
    }
    let entry = request;
    case.body = match ["body", "request_body"].map(|key| &entry[key]) {
        [Value::String(body), _] | [_, Value::String(body)] => Some(plain(body)),
        [Value::Null, Value::Null] => None,
        [Value::Null, body] | [body, _] => Some(plain(&body.to_string())),
    };
    Ok(Entry { case, host })
}
