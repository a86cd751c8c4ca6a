//! Recorded traffic as cases: HAR files, access logs in the common and combined formats, and logs
//! with a JSON object in each line.

use std::path::Path;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;
use serde_json::Value;

use crate::case::{Case, CaseError};

/// Headers that the client makes for itself.
const OWN_HEADERS: [&str; 8] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Reads recorded requests, whichever the format, in the order in which they were sent. A request
/// that was signed in is sent as `user`, a variable that holds a token: recorded ones have expired.
///
/// # Errors
/// When the file cannot be read or holds no request.
pub fn load(path: &Path, user: Option<&str>) -> Result<Vec<Case>, CaseError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| CaseError::Read { path: path.to_owned(), source })?;
    let file =
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let har: Option<Value> = serde_json::from_str(&text).ok();
    let entries = har.as_ref().and_then(|har| har["log"]["entries"].as_array());
    let recorded: Vec<(usize, Option<Case>)> = match entries {
        Some(entries) => {
            (1..).zip(entries).map(|(n, entry)| (n, har_entry(&entry["request"], user))).collect()
        }
        None => (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(n, line)| (n, log_line(line, user)))
            .collect(),
    };
    let mut cases = Vec::new();
    for (number, case) in recorded {
        let Some(case) = case else {
            let message = format!(
                "entry {number} is no request: neither of a HAR file, nor of an access log, nor a \
                 JSON object with method and path"
            );
            return Err(CaseError::Syntax { path: path.to_owned(), message });
        };
        let name = format!("{file} {number}: {}", case.request);
        let at = format!("{}:{number}", path.display());
        cases.push(Case { name, at, is_tolerant: true, ..case });
    }
    if cases.is_empty() {
        return Err(CaseError::Syntax {
            path: path.to_owned(),
            message: "no request in it".into(),
        });
    }
    Ok(cases)
}

/// Puts what a case file takes for a variable out of its way.
fn plain(text: &str) -> String {
    text.replace("${", "${'$'*1}{")
}

fn case(method: &str, url: &str) -> Option<Case> {
    // The path and the query of a whole URL.
    let target = match url.split_once("://") {
        Some((_, rest)) => rest.find(['/', '?']).map_or("/", |at| &rest[at..]),
        None => url,
    };
    let is_method =
        !method.is_empty() && method.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    let target = target.split('#').next()?;
    (is_method && target.starts_with('/'))
        .then(|| Case { request: format!("{method} {}", plain(target)), ..Case::default() })
}

fn har_entry(request: &Value, user: Option<&str>) -> Option<Case> {
    let mut case = case(request["method"].as_str()?, request["url"].as_str()?)?;
    for header in request["headers"].as_array().into_iter().flatten() {
        let (Some(name), Some(value)) = (header["name"].as_str(), header["value"].as_str()) else {
            continue;
        };
        set_header(&mut case, name, value, user);
    }
    let body = &request["postData"];
    if let Some(text) = body["text"].as_str() {
        let decoded = (body["encoding"] == "base64").then(|| BASE64_STANDARD.decode(text).ok());
        match decoded {
            Some(bytes) => case.hex = Some(hex(&bytes?).join(" ")),
            None => case.body = Some(plain(text)),
        }
    } else if let Some(pairs) = body["params"].as_array() {
        let pair = |pair: &Value| {
            let text = |key: &str| percent_encode(pair[key].as_str().unwrap_or_default());
            format!("{}={}", text("name"), text("value"))
        };
        case.form = Some(pairs.iter().map(pair).collect::<Vec<_>>().join("&"));
    }
    if let Some(media_type) = body["mimeType"].as_str() {
        case.headers.entry("content-type".into()).or_insert_with(|| plain(media_type));
    }
    Some(case)
}

fn set_header(case: &mut Case, name: &str, value: &str, user: Option<&str>) {
    let name = name.to_lowercase();
    if name == "authorization" && value.starts_with("Bearer ") {
        case.user = user.map(ToOwned::to_owned);
    }
    // `:authority` and its like belong to HTTP/2.
    if !name.starts_with(':') && !OWN_HEADERS.contains(&&*name) {
        case.headers.insert(name, plain(value));
    }
}

/// The request line of the common and combined formats.
static ACCESS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\[[^\]]+\] "([A-Z-]+) (\S+)(?: HTTP/[\d.]+)?" \d{3} "#).ok());

fn log_line(line: &str, user: Option<&str>) -> Option<Case> {
    if let Some(found) = ACCESS.as_ref()?.captures(&format!("{line} ")) {
        // Apache and nginx write a quote and a backslash so.
        return case(&found[1], &found[2].replace("\\x22", "%22").replace("\\x5C", "%5C"));
    }
    let entry: Value = serde_json::from_str(line).ok()?;
    let text = |keys: &[&str]| keys.iter().find_map(|key| entry[*key].as_str());
    let method = text(&["method", "request_method", "verb", "http_method"])?;
    let path = text(&["path", "request_uri", "uri", "url", "target"])?;
    let mut case = case(method, path)?;
    if let Some(query) = text(&["query", "query_string", "args"])
        && !query.is_empty()
        && !case.request.contains('?')
    {
        case.request = format!("{}?{}", case.request, plain(query.trim_start_matches('?')));
    }
    let no_headers = serde_json::Map::new();
    for (name, value) in entry["headers"].as_object().unwrap_or(&no_headers) {
        set_header(&mut case, name, value.as_str()?, user);
    }
    case.body = match ["body", "request_body"].map(|key| &entry[key]) {
        [Value::String(body), _] | [_, Value::String(body)] => Some(plain(body)),
        [Value::Null, Value::Null] => None,
        [Value::Null, body] | [body, _] => Some(plain(&body.to_string())),
    };
    Some(case)
}

pub(crate) fn hex(bytes: &[u8]) -> Vec<String> {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn percent_encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Cases as a file for people to go on with; JSON is YAML, and a case can always be written.
pub fn case_file(cases: &[Case]) -> String {
    let line = |case| format!("- {}\n", serde_json::to_string(case).unwrap_or_default());
    cases.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn loaded(name: &str, text: &str) -> Result<Vec<Case>, CaseError> {
        let path = std::env::temp_dir().join(format!("contract-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let cases = load(&path, Some("alice"));
        std::fs::remove_file(&path).unwrap();
        cases
    }

    #[test]
    fn a_har_file() {
        let har = r#"{"log": {"entries": [
            {"request": {"method": "GET", "url": "https://a.b/items/?q=%20#x", "headers": [
                {"name": "Authorization", "value": "Bearer old"},
                {"name": ":authority", "value": "a.b"},
                {"name": "X-Kind", "value": "${x}"}]}},
            {"request": {"method": "POST", "url": "https://a.b/items/", "headers": [],
                "postData": {"mimeType": "application/json", "text": "{\"a\":1}"}}},
            {"request": {"method": "POST", "url": "https://a.b/login", "headers": [],
                "postData": {"mimeType": "application/x-www-form-urlencoded",
                    "params": [{"name": "a b", "value": "&"}]}}}
        ]}}"#;
        let cases = loaded("a.har", har).unwrap();
        assert_eq!(cases[0].request, "GET /items/?q=%20");
        assert_eq!(cases[0].user.as_deref(), Some("alice"));
        let variables = [("alice".to_owned(), "token".to_owned())].into();
        let request = cases[0].request(&variables, &BTreeMap::new()).unwrap();
        assert_eq!(request.headers["x-kind"], "${x}");
        assert_eq!(cases[1].body.as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(cases[2].form.as_deref(), Some("a%20b=%26"));
    }

    #[test]
    fn access_logs() {
        let log = "127.0.0.1 - - [25/Nov/2026:02:00:00 +0000] \"GET /a?b=1 HTTP/1.1\" 200 4\n\
            ::1 - bob [25/Nov/2026:02:00:00 +0000] \"DELETE /a/7 HTTP/2.0\" 204 0 \"-\" \"curl\"\n";
        let cases = loaded("access.log", log).unwrap();
        let requests: Vec<_> = cases.iter().map(|case| case.request.as_str()).collect();
        assert_eq!(requests, ["GET /a?b=1", "DELETE /a/7"]);
        let json = r#"{"method":"PUT","path":"/a","query":"b=2","body":{"c":null}}
            {"request_method":"POST","request_uri":"/d","request_body":"x=1",
             "headers":{"Content-Type":"text/plain"}}"#
            .replace(",\n             ", ",");
        let cases = loaded("json.log", &json).unwrap();
        assert_eq!(cases[0].request, "PUT /a?b=2");
        assert_eq!(cases[0].body.as_deref(), Some(r#"{"c":null}"#));
        assert_eq!(cases[1].headers["content-type"], "text/plain");
    }

    #[test]
    fn what_is_no_request_is_reported() {
        let fault = loaded("bad.log", "GET /a\n").unwrap_err().to_string();
        assert!(fault.contains("entry 1 is no request"), "{fault}");
    }
}
