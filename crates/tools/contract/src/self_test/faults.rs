//! Kinds of faults, as rewrites have them.

use regex::Regex;
use serde_json::{Map, Value, json};

use comparison::Answer;

/// Puts the fault into an answer; `None` if it does not apply to this one.
type Inject = fn(&mut Answer) -> Option<()>;

/// Every kind with its name.
pub const KINDS: &[(&str, Inject)] = &[
    ("status: another success", |a| status(a, |status| (status < 300).then_some(status + 1))),
    ("status: another refusal", |a| status(a, |s| (400..500).contains(&s).then_some(s + 5))),
    ("status: 500", |a| status(a, |_| Some(500))),
    ("status: 204", |a| status(a, |_| Some(204))),
    ("header: Content-Type is removed", |a| a.headers.remove("content-type").map(drop)),
    ("header: Vary is removed", |a| a.headers.remove("vary").map(drop)),
    ("header: Allow is removed", |a| a.headers.remove("allow").map(drop)),
    ("header: Location is removed", |a| a.headers.remove("location").map(drop)),
    ("header: WWW-Authenticate is removed", |a| a.headers.remove("www-authenticate").map(drop)),
    ("header: one too many", |a| add_header(a, "x-powered-by", "rust")),
    ("header: a cookie too many", |a| add_header(a, "set-cookie", "a=b")),
    ("header: twice", |a| {
        let values = a.headers.get_mut("content-type")?;
        values.push(values.first()?.clone());
        Some(())
    }),
    ("header: another charset", |a| {
        header(a, "content-type", |value| Some(value.to_owned() + "; charset=utf-8"))
    }),
    ("header: another media type", |a| {
        header(a, "content-type", |value| Some(value.replace("json", "problem+json")))
    }),
    ("header: another case", |a| {
        header(a, "content-type", |value| Some(value.replace("application", "Application")))
    }),
    ("header: another Location", |a| {
        header(a, "location", |value| Some(value.trim_end_matches('/').to_owned()))
    }),
    ("header: a length that is off by one", |a| {
        header(a, "content-length", |v| Some((v.parse::<usize>().ok()? + 1).to_string()))
    }),
    ("body: empty", |a| bytes(a, Vec::clear)),
    ("body: truncated", |a| bytes(a, |body| body.truncate(body.len() - 1))),
    ("body: a line break at its end", |a| bytes(a, |body| body.push(b'\n'))),
    ("body: a byte order mark", |a| bytes(a, |body| drop(body.splice(0..0, *b"\xEF\xBB\xBF")))),
    ("body: white space", |a| text(a, |text| Some(text.replace("\":", "\": ")))),
    ("body: indented", |a| text(a, |text| serde_json::to_string_pretty(&parse(text)?).ok())),
    ("body: what is no ASCII escaped", |a| {
        text(a, |text| {
            let c = text.chars().find(|c| !c.is_ascii() && u32::from(*c) < 0x1_0000)?;
            Some(text.replace(c, &format!("\\u{:04x}", u32::from(c))))
        })
    }),
    ("body: Latin-1 for UTF-8", |a| {
        let body = String::from_utf8(a.body.clone()).ok().filter(|text| !text.is_ascii())?;
        a.body = body.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
        Some(())
    }),
    ("body: slashes escaped", |a| text(a, |text| Some(text.replace('/', "\\/")))),
    ("body: escaped for HTML", |a| text(a, |text| Some(text.replace('\'', "&#39;")))),
    ("object: a field is removed", |a| object(a, |object| object.pop_last().map(drop))),
    ("object: a field too many", |a| {
        object(a, |object| object.insert("extra".into(), Value::Null).map_or(Some(()), |_| None))
    }),
    ("object: a field has another name", |a| {
        object(a, |object| {
            let (key, value) = object.pop_last()?;
            object.insert(key.to_uppercase() + "_", value);
            Some(())
        })
    }),
    ("object: the fields in another order", |a| {
        object(a, |object| {
            let reversed: Map<_, _> = std::mem::take(object).into_iter().rev().collect();
            *object = reversed;
            (object.len() > 1).then_some(())
        })
    }),
    ("object: null is left out", |a| {
        object(a, |object| {
            let fields = object.len();
            object.retain(|_, value| !value.is_null());
            (object.len() < fields).then_some(())
        })
    }),
    ("object: an empty text for null", |a| values(a, |v| v.is_null().then(|| json!("")))),
    ("value: null", |a| values(a, |v| v.is_string().then_some(Value::Null))),
    ("value: a text for a number", |a| values(a, |v| v.is_number().then(|| json!(v.to_string())))),
    ("value: a number for a truth", |a| values(a, |v| v.as_bool().map(|b| json!(u8::from(b))))),
    ("value: a text for a truth", |a| values(a, |v| v.as_bool().map(|b| json!(b.to_string())))),
    ("value: the other truth", |a| values(a, |v| v.as_bool().map(|b| json!(!b)))),
    ("number: a float for an integer", |a| values(a, |v| Some(json!(float(v.as_i64()?))))),
    ("number: off by one", |a| values(a, |v| Some(json!(v.as_i64()?.checked_add(1)?)))),
    ("number: negative", |a| {
        values(a, |v| v.as_i64().filter(|n| *n != 0)?.checked_neg().map(|n| json!(n)))
    }),
    ("text: a space at its end", |a| texts(a, |text| Some(text.to_owned() + " "))),
    ("text: in capitals", |a| texts(a, |text| Some(text.to_uppercase()))),
    ("text: without its full stop", |a| texts(a, |t| t.strip_suffix('.').map(ToOwned::to_owned))),
    ("text: a letter is removed", |a| {
        texts(a, |text| {
            let mut chars = text.chars();
            chars.next_back()?;
            Some(chars.as_str().to_owned())
        })
    }),
    ("list: the other way round", |a| lists(a, |list| list.reverse())),
    ("list: the last is removed", |a| lists(a, |list| drop(list.pop()))),
    ("list: the first is removed", |a| lists(a, |list| drop(list.drain(..1)))),
    ("list: the first twice", |a| lists(a, |list| list.extend(list.first().cloned()))),
    ("list: empty", |a| lists(a, Vec::clear)),
    ("id: in capitals", |a| replace(a, ID, str::to_uppercase)),
    ("id: without hyphens", |a| replace(a, ID, |id| id.replace('-', ""))),
    ("id: in braces", |a| replace(a, ID, |id| format!("{{{id}}}"))),
    ("id: no hexadecimal digits", |a| {
        replace(a, ID, |id| {
            let nil = id.chars().map(|c| if c == '-' { '-' } else { 'z' });
            nil.collect()
        })
    }),
    ("id: another version", |a| {
        replace(a, ID, |id| {
            let version = if id.get(14..15) == Some("7") { "4" } else { "7" };
            let (start, end) = (id.get(..14).unwrap_or_default(), id.get(15..).unwrap_or_default());
            format!("{start}{version}{end}")
        })
    }),
    ("ids: swapped", |a| {
        let text = std::str::from_utf8(&a.body).ok()?;
        let ids = Regex::new(ID).ok()?;
        let mut found = ids.find_iter(text).map(|found| found.as_str().to_owned());
        let (first, second) = (found.next()?, found.next()?);
        if first == second {
            return None;
        }
        let swapped = text.replace(&first, "\0").replace(&second, &first).replace('\0', &second);
        a.body = swapped.into_bytes();
        Some(())
    }),
    ("time: an hour off", |a| {
        replace(a, r"\d{4}-\d\d-\d\d[T ]\d\d:", |time| {
            let hour = time.get(11..13).and_then(|hour| hour.parse::<u32>().ok()).unwrap_or(0);
            let hour = if hour == 23 { 22 } else { hour + 1 };
            format!("{}{hour:02}:", time.get(..11).unwrap_or_default())
        })
    }),
    ("time: a day that does not exist", |a| {
        replace(a, r"\d{4}-\d\d-\d\d[T ]", |time| {
            let end = time.get(10..).unwrap_or_default();
            format!("{}02-30{end}", time.get(..5).unwrap_or_default())
        })
    }),
    ("time: another offset", |a| {
        replace(a, r":\d\d(\.\d+)?(Z|\+00:00)", |time| {
            let time = time.trim_end_matches('Z').trim_end_matches("+00:00");
            format!("{time}+02:00")
        })
    }),
    ("time: without its fraction", |a| {
        replace(a, r"(:\d\d)\.\d+(Z|[+-])", |time| {
            let (seconds, rest) = time.split_once('.').unwrap_or((time, ""));
            seconds.to_owned() + rest.trim_start_matches(|c: char| c.is_ascii_digit())
        })
    }),
    ("time: milliseconds", |a| replace(a, r"\.\d{6}", |fraction| fraction[..4].to_owned())),
    ("time: +00:00 for Z", |a| replace(a, r"\d\dZ", |time| time.replace('Z', "+00:00"))),
    ("time: a space for the T", |a| replace(a, r"\d\dT\d\d:", |time| time.replace('T', " "))),
    ("time: without a zone", |a| replace(a, r":\d\d(\.\d+)?Z", |time| time.replace('Z', ""))),
    ("time: in seconds since 1970", |a| {
        replace(a, r#""\d{4}-\d\d-\d\dT[^"]+""#, |_| "1767323045".to_owned())
    }),
    ("token: another header", |a| {
        replace(a, r"eyJ[\w-]+\.", |_| "eyJhbGciOiJub25lIn0.".to_owned())
    }),
    ("token: without its signature", |a| {
        replace(a, r"(eyJ[\w-]+\.[\w-]+)\.[\w-]+", |token| {
            token.rsplit_once('.').map_or(token, |(rest, _)| rest).to_owned()
        })
    }),
];

/// A UUID in lower case.
pub(super) const ID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

fn status(answer: &mut Answer, change: fn(u16) -> Option<u16>) -> Option<()> {
    let status = change(answer.status).filter(|status| *status != answer.status)?;
    answer.status = status;
    Some(())
}

fn add_header(answer: &mut Answer, name: &str, value: &str) -> Option<()> {
    let unknown = answer.headers.insert(name.to_owned(), vec![value.to_owned()]).is_none();
    unknown.then_some(())
}

fn header(answer: &mut Answer, name: &str, change: fn(&str) -> Option<String>) -> Option<()> {
    let value = answer.headers.get_mut(name)?.first_mut()?;
    let changed = change(value).filter(|changed| changed != value)?;
    *value = changed;
    Some(())
}

fn bytes(answer: &mut Answer, change: fn(&mut Vec<u8>)) -> Option<()> {
    if answer.body.is_empty() {
        return None;
    }
    change(&mut answer.body);
    Some(())
}

fn text(answer: &mut Answer, change: fn(&str) -> Option<String>) -> Option<()> {
    let text = std::str::from_utf8(&answer.body).ok()?;
    let changed = change(text).filter(|changed| changed != text)?;
    answer.body = changed.into_bytes();
    Some(())
}

fn replace(answer: &mut Answer, pattern: &str, change: fn(&str) -> String) -> Option<()> {
    let text = std::str::from_utf8(&answer.body).ok()?;
    let found = Regex::new(pattern).ok()?.find(text)?;
    let changed =
        format!("{}{}{}", &text[..found.start()], change(found.as_str()), &text[found.end()..]);
    (changed != text).then(|| answer.body = changed.into_bytes())
}

fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

#[expect(clippy::cast_precision_loss, reason = "what is written is another number")]
fn float(integer: i64) -> f64 {
    integer as f64
}

/// Changes the body as JSON.
fn body(answer: &mut Answer, change: impl FnOnce(&mut Value) -> Option<()>) -> Option<()> {
    let mut value = parse(std::str::from_utf8(&answer.body).ok()?)?;
    change(&mut value)?;
    let changed = value.to_string().into_bytes();
    (changed != answer.body).then(|| answer.body = changed)
}

/// Changes the innermost first object.
fn object(answer: &mut Answer, change: fn(&mut Fields) -> Option<()>) -> Option<()> {
    fn innermost(value: &mut Value) -> Option<&mut Fields> {
        match value {
            Value::Array(items) => items.iter_mut().find_map(innermost),
            Value::Object(fields) => match fields.values().position(holds_object) {
                Some(at) => fields.values_mut().nth(at).and_then(innermost),
                None => Some(fields),
            },
            _ => None,
        }
    }
    body(answer, |value| change(innermost(value)?))
}

type Fields = Map<String, Value>;

fn holds_object(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_object),
        Value::Object(_) => true,
        _ => false,
    }
}

/// Removes the last field.
trait PopLast {
    fn pop_last(&mut self) -> Option<(String, Value)>;
}

impl PopLast for Fields {
    fn pop_last(&mut self) -> Option<(String, Value)> {
        let key = self.keys().next_back()?.clone();
        let value = self.remove(&key)?;
        Some((key, value))
    }
}

/// Changes the first value to which the change applies.
fn values(answer: &mut Answer, change: fn(&Value) -> Option<Value>) -> Option<()> {
    fn first(value: &mut Value, change: fn(&Value) -> Option<Value>) -> Option<()> {
        if let Some(changed) = change(value) {
            *value = changed;
            return Some(());
        }
        match value {
            Value::Array(items) => items.iter_mut().find_map(|item| first(item, change)),
            Value::Object(fields) => fields.values_mut().find_map(|field| first(field, change)),
            _ => None,
        }
    }
    body(answer, |value| first(value, change))
}

/// Changes the first text to which the change applies.
fn texts(answer: &mut Answer, change: fn(&str) -> Option<String>) -> Option<()> {
    fn first(value: &mut Value, change: fn(&str) -> Option<String>) -> Option<()> {
        match value {
            Value::String(text) => {
                let changed = change(text).filter(|changed| changed != text)?;
                *text = changed;
                Some(())
            }
            Value::Array(items) => items.iter_mut().find_map(|item| first(item, change)),
            Value::Object(fields) => fields.values_mut().find_map(|field| first(field, change)),
            _ => None,
        }
    }
    body(answer, |value| first(value, change))
}

/// Changes the first list that has items.
fn lists(answer: &mut Answer, change: fn(&mut Vec<Value>)) -> Option<()> {
    fn first(value: &mut Value) -> Option<&mut Vec<Value>> {
        match value {
            Value::Array(items) if !items.is_empty() => Some(items),
            Value::Object(fields) => fields.values_mut().find_map(first),
            _ => None,
        }
    }
    body(answer, |value| {
        change(first(value)?);
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// An answer to which nearly everything applies.
    fn answer() -> Answer {
        let id = |digit: &str| format!("{}-0000-4000-8000-{}", digit.repeat(8), digit.repeat(12));
        let body = json!({
            "text": "it's é/", "n": 7, "on": true, "none": null, "id": id("a"), "owner": id("b"),
            "at": "2026-01-02T03:04:05.123456Z", "list": [1, 2], "message": "Not found.",
            "token": "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln",
        });
        let header = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
        Answer {
            status: 200,
            headers: BTreeMap::from([
                header("content-type", "application/json"),
                header("content-length", "7"),
                header("vary", "Origin"),
                header("allow", "GET"),
                header("location", "http://a/b/"),
                header("www-authenticate", "Bearer"),
            ]),
            body: body.to_string().into_bytes(),
        }
    }

    #[test]
    fn every_kind_changes_something() {
        for (kind, inject) in KINDS {
            let mut faulty = answer();
            if *kind == "status: another refusal" {
                faulty.status = 404;
            }
            let before = faulty.clone();
            assert!(inject(&mut faulty).is_some(), "'{kind}' did not apply");
            let same = faulty.status == before.status
                && faulty.headers == before.headers
                && faulty.body == before.body;
            assert!(!same, "'{kind}' changed nothing");
        }
        assert!(KINDS.len() >= 40);
    }
}
