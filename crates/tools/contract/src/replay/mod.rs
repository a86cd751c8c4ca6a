//! Recorded traffic as cases: HAR files, access logs in the common and combined formats, and logs
//! with a JSON object in each line.

mod filter;
mod redact;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use comparison::Answer;
use regex::Regex;
use serde_json::Value;

pub use self::filter::Filter;
pub use self::redact::Redactor;
use crate::case::{Case, CaseError, Part};
use crate::run::Recorded;

/// Headers that the client makes for itself.
const OWN_HEADERS: [&str; 7] = [
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// What a recording holds.
#[derive(Debug, Default)]
pub struct Recording {
    /// Its requests, in the order in which they were sent.
    pub cases: Vec<Case>,
    /// How many entries are no requests that can be sent, by reason, with the number of the first.
    pub skipped: BTreeMap<&'static str, (usize, usize)>,
}

impl Recording {
    /// The entries that were skipped, in words; none if there are none.
    pub fn remark(&self) -> Option<String> {
        let reasons: Vec<_> = self
            .skipped
            .iter()
            .map(|(reason, (count, first))| format!("{count} × {reason} (first: entry {first})"))
            .collect();
        (!reasons.is_empty()).then(|| format!("skipped {}", reasons.join(", ")))
    }
}

/// Reads recorded requests, whichever the format. A request that was signed in is sent as `user`, a
/// variable that holds a token: recorded ones have expired. Entries that are no request of HTTP, and
/// those that the filter refuses, are skipped and counted. Secrets become variables, whose values the
/// redactor has.
///
/// # Errors
/// When the file cannot be read or holds no request.
pub fn load(
    path: &Path,
    user: Option<&str>,
    filter: &Filter,
    redactor: &mut Redactor,
) -> Result<Recording, CaseError> {
    let bytes =
        std::fs::read(path).map_err(|source| CaseError::Read { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let file =
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let har: Option<Value> = serde_json::from_str(text).ok();
    let entries = har.as_ref().and_then(|har| har["log"]["entries"].as_array());
    let recorded: Vec<(usize, Result<Entry, &'static str>)> = match entries {
        Some(entries) => (1..).zip(entries).map(|(n, entry)| (n, har_entry(entry, user))).collect(),
        None => (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(n, line)| (n, log_line(line, user)))
            .collect(),
    };
    let mut recording = Recording::default();
    for (number, entry) in recorded {
        let taken = entry.and_then(|Entry { mut case, host }| {
            if let Some(reason) = filter.refuses(&case.request, host.as_deref()) {
                return Err(reason);
            }
            redactor.take(&mut case);
            Ok(case)
        });
        match taken {
            Ok(case) => {
                let at = format!("{}:{number}", path.display());
                recording.cases.push(Case { at, is_tolerant: true, ..case });
            }
            Err(reason) => recording.skipped.entry(reason).or_insert((0, number)).0 += 1,
        }
    }
    for case in &mut recording.cases {
        redactor.finish(case);
        let number = case.at.rsplit(':').next().unwrap_or_default();
        case.name = format!("{file} {number}: {}", case.request);
    }
    if recording.cases.is_empty() {
        let remark = recording.remark().map(|remark| format!(": {remark}")).unwrap_or_default();
        let message = format!("no request in it{remark}");
        return Err(CaseError::Syntax { path: path.to_owned(), message });
    }
    Ok(recording)
}

/// A recorded request.
struct Entry {
    case: Case,
    /// To which host, if the recording says it.
    host: Option<String>,
}

/// Puts what a case file takes for a variable out of its way.
fn plain(text: &str) -> String {
    text.replace("${", "${'$'*1}{")
}

fn case(method: &str, url: &str) -> Result<Case, &'static str> {
    let method = method.to_uppercase();
    if method.is_empty() || !method.chars().all(|c| c.is_ascii_uppercase() || c == '-') {
        return Err("without a method");
    }
    // The path and the query of a whole URL.
    let target = match url.split_once("://") {
        Some(("http" | "https", rest)) => rest.find(['/', '?']).map_or("/", |at| &rest[at..]),
        Some((scheme, _)) if scheme.chars().all(char::is_alphanumeric) => {
            return Err("of another protocol than HTTP");
        }
        _ => url,
    };
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.starts_with('?') { format!("/{target}") } else { target.to_owned() };
    if !target.starts_with('/') {
        return Err("without a path");
    }
    Ok(Case { request: format!("{method} {}", plain(&target)), ..Case::default() })
}

/// The host of a whole URL, with its port.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(authority.rsplit('@').next()?.to_owned())
}

fn har_entry(entry: &Value, user: Option<&str>) -> Result<Entry, &'static str> {
    let request = &entry["request"];
    let text = |key: &str| request[key].as_str().ok_or("without a request");
    let mut case = case(text("method")?, text("url")?)?;
    if entry["response"]["status"] == 0 {
        return Err("that the browser gave up");
    }
    for header in request["headers"].as_array().into_iter().flatten() {
        let (Some(name), Some(value)) = (header["name"].as_str(), header["value"].as_str()) else {
            continue;
        };
        set_header(&mut case, name, value, user);
    }
    let body = &request["postData"];
    let media_type = body["mimeType"].as_str().unwrap_or_default();
    let pairs = body["params"].as_array().filter(|pairs| !pairs.is_empty());
    match (body["text"].as_str().filter(|text| !text.is_empty()), pairs) {
        (Some(text), _) if body["encoding"] == "base64" => {
            let bytes = BASE64_STANDARD.decode(text);
            let bytes = bytes.map_err(|_| "with a body that is no base64")?;
            case.hex = Some(hex(&bytes).join(" "));
        }
        (Some(text), _) => case.body = Some(plain(text)),
        (None, Some(pairs)) if media_type.starts_with("multipart/") => {
            if pairs.iter().any(|pair| pair["fileName"].is_string()) {
                return Err("with a file that is not in it");
            }
            // The boundary is our own.
            case.headers.remove("content-type");
            case.multipart = pairs.iter().map(part).collect();
            return Ok(Entry { case, host: host(text("url")?) });
        }
        (None, Some(pairs)) => {
            let pair = |pair: &Value| {
                let text = |key: &str| percent_encode(pair[key].as_str().unwrap_or_default());
                format!("{}={}", text("name"), text("value"))
            };
            case.form = Some(pairs.iter().map(pair).collect::<Vec<_>>().join("&"));
        }
        (None, None) => {}
    }
    if !media_type.is_empty() {
        case.headers.entry("content-type".into()).or_insert_with(|| plain(media_type));
    }
    case.recorded = recorded(entry);
    Ok(Entry { case, host: host(text("url")?) })
}

fn part(pair: &Value) -> Part {
    let text = |key: &str| pair[key].as_str().map(plain);
    let name = text("name").unwrap_or_default();
    Part { name, content_type: text("contentType"), text: text("value"), ..Part::default() }
}

/// The answer in an entry of a HAR file.
fn recorded(entry: &Value) -> Option<Recorded> {
    let response = &entry["response"];
    let status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok())?;
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for header in response["headers"].as_array().into_iter().flatten() {
        if let (Some(name), Some(value)) = (header["name"].as_str(), header["value"].as_str())
            && !name.starts_with(':')
        {
            // Browsers write all cookies into one.
            let values = value.split('\n').map(ToOwned::to_owned);
            headers.entry(name.to_lowercase()).or_default().extend(values);
        }
    }
    let content = &response["content"];
    let text = content["text"].as_str();
    let body = match text {
        Some(text) if content["encoding"] == "base64" => BASE64_STANDARD.decode(text).ok(),
        text => text.map(|text| text.as_bytes().to_vec()),
    };
    let is_empty = content["size"].as_i64().unwrap_or(0) <= 0;
    let at = entry["startedDateTime"].as_str().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    let took = entry["time"].as_f64().filter(|ms| *ms > 0.0 && *ms < 1e9).unwrap_or(0.0);
    Some(Recorded {
        has_body: body.is_some() || is_empty,
        answer: Answer { status, headers, body: body.unwrap_or_default() },
        at: at.map(|at| at.to_utc()),
        took: Duration::from_secs_f64(took / 1000.0),
    })
}

fn set_header(case: &mut Case, name: &str, value: &str, user: Option<&str>) {
    let name = name.to_lowercase();
    if name == "authorization"
        && let Some(user) = user
    {
        case.user = Some(user.to_owned());
        return;
    }
    if name == "cookie"
        && let Some(cookies) = case.headers.get_mut("cookie")
    {
        // HTTP/2 sends each in a header of its own.
        cookies.push_str("; ");
        cookies.push_str(&plain(value));
        return;
    }
    // `:authority` and its like belong to HTTP/2.
    if !name.starts_with(':') && !OWN_HEADERS.contains(&&*name) {
        case.headers.insert(name, plain(value));
    }
}

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

fn log_line(line: &str, user: Option<&str>) -> Result<Entry, &'static str> {
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
    use super::*;

    fn recorded(name: &str, text: &str) -> Result<Recording, CaseError> {
        let path = std::env::temp_dir().join(format!("contract-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let recording = load(&path, Some("alice"), &Filter::default(), &mut Redactor::default());
        std::fs::remove_file(&path).unwrap();
        recording
    }

    fn loaded(name: &str, text: &str) -> Result<Vec<Case>, CaseError> {
        Ok(recorded(name, text)?.cases)
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
    fn odd_entries_are_skipped_and_counted() {
        let har = r#"{"log":{"entries":[
            {"request":{"method":"GET","url":"https://shop.test/a","headers":[
                {"name":"cookie","value":"a=1"},{"name":"cookie","value":"b=2"}]}},
            {"request":{"method":"GET","url":"data:image/png;base64,AAAA","headers":[]}},
            {"request":{"method":"GET","url":"wss://shop.test/ws","headers":[]}},
            {"request":{"method":"GET","url":"https://shop.test/b"},"response":{"status":0}}]}}"#;
        let recording = recorded("odd.har", har).unwrap();
        assert_eq!(recording.cases.len(), 1);
        assert_eq!(
            recording.cases[0].headers["cookie"], "a=${a}; b=${b}",
            "its secrets are variables"
        );
        let remark = recording.remark().unwrap();
        assert!(remark.contains("1 × of another protocol than HTTP (first: entry 3)"), "{remark}");
        let log = "127.0.0.1 - - [25/Nov/2026:02:00:00 +0000] \"-\" 408 0\n\
            ::1 - - [25/Nov/2026:02:00:00 +0000] \"\\x16\\x03\" 400 0\n\
            ::1 - - [25/Nov/2026:02:00:00 +0000] \"OPTIONS * HTTP/1.0\" 200 0\n\
            INFO:     127.0.0.1:51234 - \"GET /items/ HTTP/1.1\" 200 OK\n\
            INFO:     Application startup complete.\n\
            h2 2026-11-25T02:00:00.1Z app/lb 1.2.3.4:5 - 0 0 0 200 200 1 2 \"GET https://a.b:443/alb?x=1 HTTP/2.0\" \"c\"\n\
            {\"request\":\"post /nginx HTTP/1.1\"}\n\
            {\"request\":{\"method\":\"GET\",\"uri\":\"/caddy\",\"headers\":{\"X-N\":[\"1\"]}}}\n\
            {\"method\":\"GET\",\"path\":\"/a\",\"headers\":{\"x-n\":1}}\n";
        let recording = recorded("odd.log", log).unwrap();
        let requests: Vec<_> = recording.cases.iter().map(|case| &*case.request).collect();
        let expected = ["GET /items/", "GET /alb?x=1", "POST /nginx", "GET /caddy", "GET /a"];
        assert_eq!(requests, expected);
        assert_eq!(recording.cases[3].headers["x-n"], "1");
        assert_eq!(recording.skipped.values().map(|(count, _)| count).sum::<usize>(), 4);
    }

    /// One line of each server, as its default format writes it, and the host it names.
    #[test]
    fn logs_of_servers() {
        let lines = [
            // uvicorn, in a terminal and with a time of its own
            "\u{1b}[32mINFO\u{1b}[0m:     127.0.0.1:51234 - \"\u{1b}[1mGET /uvicorn HTTP/1.1\u{1b}[0m\" \u{1b}[32m200 OK\u{1b}[0m",
            "2026-11-25 02:00:00 INFO:     127.0.0.1:51234 - \"GET /uvicorn2?a=1 HTTP/1.1\" 422 Unprocessable Entity",
            // gunicorn
            "127.0.0.1 - - [25/Nov/2026:02:00:00 +0000] \"GET /gunicorn HTTP/1.1\" 200 5 \"-\" \"curl/8.1\"",
            // nginx
            "1.2.3.4 - bob [25/Nov/2026:02:00:00 +0000] \"POST /nginx HTTP/2.0\" 201 5 \"https://a.b/\" \"Mozilla/5.0 (X11; \\x22odd\\x22)\"",
            // Apache, with a virtual host before the client
            "shop.test:443 1.2.3.4 - - [25/Nov/2026:02:00:00 +0000] \"DELETE /apache/1 HTTP/1.1\" 204 - \"-\" \"-\"",
            "cdn.test:443 1.2.3.4 - - [25/Nov/2026:02:00:00 +0000] \"GET /cdn HTTP/1.1\" 200 1 \"-\" \"-\"",
            // ALB
            "https 2026-11-25T02:00:00.186641Z app/lb/50dc6c495c0c9188 1.2.3.4:2817 10.0.0.1:80 0.0 0.048 0.037 200 200 0 57 \"GET https://shop.test:443/alb HTTP/1.1\" \"curl/7.46.0\" ECDHE TLSv1.2 arn:aws:x \"Root=1\" \"shop.test\" \"-\" 0",
            "h2 2026-11-25T02:00:00.186641Z app/lb/50dc6c495c0c9188 1.2.3.4:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 0 5 \"GET https://other.test:443/alb2 HTTP/2.0\" \"c\" - - x \"R\" \"o\" \"-\" 0",
            // Caddy
            r#"{"level":"info","ts":1646861401.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"1.2.3.4","proto":"HTTP/2.0","method":"GET","host":"shop.test","uri":"/caddy?q=1","headers":{"User-Agent":["curl"],"Cookie":["REDACTED"]}},"status":200}"#,
            // nginx in JSON
            r#"{"time_local":"25/Nov/2026:02:00:00 +0000","host":"shop.test:8443","request_method":"PATCH","request_uri":"/json?x=1","status":"200"}"#,
            // Traefik
            r#"{"RequestHost":"cdn.test","RequestMethod":"GET","RequestPath":"/traefik","OriginStatus":200}"#,
        ];
        let path = std::env::temp_dir().join(format!("contract-{}-logs", std::process::id()));
        std::fs::write(&path, lines.join("\n")).unwrap();
        let filter = Filter { hosts: vec!["SHOP.test".into()], ..Filter::default() };
        let all = load(&path, None, &Filter::default(), &mut Redactor::default()).unwrap();
        let of_shop = load(&path, None, &filter, &mut Redactor::default()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(all.remark(), None);
        let requests = |recording: &Recording| {
            recording.cases.iter().map(|case| case.request.clone()).collect::<Vec<_>>()
        };
        let expected = [
            "GET /uvicorn",
            "GET /uvicorn2?a=1",
            "GET /gunicorn",
            "POST /nginx",
            "DELETE /apache/1",
            "GET /cdn",
            "GET /alb",
            "GET /alb2",
            "GET /caddy?q=1",
            "PATCH /json?x=1",
            "GET /traefik",
        ];
        assert_eq!(requests(&all), expected);
        let others = ["GET /cdn", "GET /alb2", "GET /traefik"];
        let expected: Vec<_> = expected.into_iter().filter(|line| !others.contains(line)).collect();
        assert_eq!(requests(&of_shop), expected, "those without a host are taken");
        assert_eq!(of_shop.remark().unwrap(), "skipped 3 × to other hosts (first: entry 6)");
    }

    /// What browsers write beside ordinary requests.
    #[test]
    fn forms_of_browsers() {
        let har = r#"{"log":{"creator":{"name":"Firefox"},"entries":[
            {"request":{"method":"POST","url":"https://a.b/form","headers":[],"postData":{
                "mimeType":"multipart/form-data; boundary=x","text":"","params":[
                    {"name":"title","value":"one"},{"name":"password","value":"hunter22"}]}}},
            {"request":{"method":"POST","url":"https://a.b/upload","headers":[],"postData":{
                "mimeType":"multipart/form-data; boundary=x","params":[
                    {"name":"file","fileName":"a.png","contentType":"image/png"}]}}},
            {"request":{"method":"POST","url":"https://a.b/text","headers":[
                {"name":"Content-Type","value":"application/x-www-form-urlencoded"}],"postData":{
                "mimeType":"application/x-www-form-urlencoded","text":"a=1&password=hunter22",
                "params":[{"name":"a","value":"1"}]}},
             "response":{"status":200,"headers":[{"name":"Set-Cookie","value":"a=1\nb=2"}],
                "content":{"size":3,"text":"AP9h","encoding":"base64"}},
             "startedDateTime":"2026-01-01T10:00:00.000Z","time":12.5},
            {"request":{"method":"GET","url":"blob:https://a.b/1","headers":[]}},
            {"request":{"method":"GET","url":"chrome-extension://x/y","headers":[]}}]}}"#;
        let recording = recorded("forms.har", har).unwrap();
        let [form, text] = &*recording.cases else { panic!("{:?}", recording.cases) };
        assert_eq!(form.multipart[0].text.as_deref(), Some("one"));
        assert_eq!(form.multipart[1].text.as_deref(), Some("${password}"));
        assert!(!form.headers.contains_key("content-type"), "the boundary is our own");
        assert_eq!(text.body.as_deref(), Some("a=1&password=${password}"));
        let answer = text.recorded.as_ref().unwrap();
        assert_eq!(answer.answer.headers["set-cookie"], ["a=1", "b=2"]);
        assert_eq!((&*answer.answer.body, answer.has_body), (&b"\x00\xffa"[..], true));
        assert_eq!(answer.took, Duration::from_micros(12_500));
        let reasons: Vec<_> = recording.skipped.keys().copied().collect();
        assert!(reasons.contains(&"with a file that is not in it"), "{reasons:?}");
        assert_eq!(recording.skipped.values().map(|(count, _)| count).sum::<usize>(), 3);
    }

    #[test]
    fn what_holds_no_request_is_reported() {
        let fault = loaded("bad.log", "GET /a\n").unwrap_err().to_string();
        assert!(fault.contains("no request in it: skipped 1 × of no known format"), "{fault}");
    }
}
