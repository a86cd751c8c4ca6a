//! Entries of HAR files.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;
use comparison::Answer;
use serde_json::Value;

use super::{Entry, case, host, plain, set_header};
use crate::case::{Part, Recorded};
use crate::hex::hex;

pub(super) fn entry(entry: &Value, user: Option<&str>) -> Result<Entry, &'static str> {
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

fn percent_encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
