//! Recorded answers in place of the reference, and what stands for the values in them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use comparison::Answer;
use regex::{Captures, Regex};
use serde_json::Value;

use crate::case::Recorded;
use crate::request::Request;

/// Headers of the transport of a recorded response: recorders decode bodies, and proxies between the
/// browser and the service add their own.
const OF_TRANSPORT: [&str; 10] = [
    "age",
    "alt-svc",
    "content-encoding",
    "content-length",
    "nel",
    "report-to",
    "server-timing",
    "vary",
    "via",
    "x-cache",
];

/// How far from its request a time may be to be one that the service made for it.
const NEAR: TimeDelta = TimeDelta::seconds(30);

impl Recorded {
    /// Both answers as they can be compared: without the headers of the transport of either, and with the
    /// times of the recorded one as if it had been given now.
    pub(super) fn comparable(
        &self,
        candidate: &Answer,
        now: DateTime<Utc>,
        moved: &mut Moved,
    ) -> (Answer, Answer) {
        let mut sides = [self.answer.clone(), candidate.clone()];
        for side in &mut sides {
            side.headers.retain(|name, _| !OF_TRANSPORT.contains(&&**name));
            if !self.has_body {
                side.body.clear();
            }
        }
        let [mut recorded, candidate] = sides;
        if let Some(at) = self.at {
            let mut shift = Shift { at, by: now - at, moved };
            for value in recorded.headers.values_mut().flatten() {
                *value = shift.text(value);
            }
            if let Ok(text) = std::str::from_utf8(&recorded.body) {
                recorded.body = shift.text(text).into_bytes();
            }
        }
        (recorded, candidate)
    }
}

static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let time = r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)((?:\.\d+)?)((?:Z|[+-]\d\d:?\d\d)?)";
    Regex::new(&format!(r"(?-u){time}|(eyJ[\w-]+)\.([\w-]+)\.([\w-]+)")).ok()
});

/// What stands for times and tokens of a recording, wherever they are.
pub(super) type Moved = BTreeMap<String, String>;

/// From the moment of a recording to another one.
struct Shift<'a> {
    at: DateTime<Utc>,
    by: TimeDelta,
    moved: &'a mut Moved,
}

impl Shift<'_> {
    fn text(&mut self, text: &str) -> String {
        let Some(pattern) = TIME.as_ref() else { return text.to_owned() };
        let shifted = pattern.replace_all(text, |found: &Captures<'_>| {
            let whole = found.get(0).map_or("", |whole| whole.as_str());
            if let Some(known) = self.moved.get(whole) {
                return known.clone();
            }
            let moved = if found.get(6).is_some() { self.token(found) } else { self.time(found) };
            if let Some(moved) = &moved {
                self.moved.insert(whole.to_owned(), moved.clone());
            }
            moved.unwrap_or_else(|| whole.to_owned())
        });
        shifted.into_owned()
    }

    /// A time near that of the recording, in the same form; none for any other.
    fn time(&self, found: &Captures<'_>) -> Option<String> {
        let part = |index: usize| found.get(index).map_or("", |part| part.as_str());
        let text = format!("{} {}{}", part(1), part(3), part(4));
        let naive = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
        let digits: String = part(5).chars().filter(char::is_ascii_digit).collect();
        let minutes = match (digits.get(..2), digits.get(2..)) {
            (Some(hours), Some(minutes)) => {
                hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?
            }
            _ => 0,
        };
        let offset = TimeDelta::minutes(if part(5).starts_with('-') { -minutes } else { minutes });
        if ((naive - offset).and_utc() - self.at).abs() > NEAR {
            return None;
        }
        let moved = naive + self.by;
        let fraction = match part(4).len().saturating_sub(1) {
            0 => String::new(),
            digits => {
                let nanos = format!("{:09}", moved.and_utc().timestamp_subsec_nanos());
                format!(".{}", nanos.get(..digits.min(9))?)
            }
        };
        Some(format!(
            "{}{}{}{fraction}{}",
            moved.format("%Y-%m-%d"),
            part(2),
            moved.format("%H:%M:%S"),
            part(5)
        ))
    }

    /// A token whose points in time are moved; its signature has lost its meaning.
    fn token(&self, found: &Captures<'_>) -> Option<String> {
        let claims = BASE64_URL_SAFE_NO_PAD.decode(&found[7]).ok()?;
        let mut claims: Value = serde_json::from_slice(&claims).ok()?;
        for name in ["exp", "iat", "nbf", "auth_time"] {
            if let Some(value) = claims.get_mut(name)
                && let Some(seconds) = value.as_i64()
            {
                *value = Value::from(seconds + self.by.num_seconds());
            }
        }
        let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
        Some(format!("{}.{claims}.{}", &found[6], &found[8]))
    }
}

/// What a service answers where the recording has other values: ids and tokens of its own. Later
/// requests of the recording are sent with them.
#[derive(Clone, Debug, Default)]
pub(super) struct Learned {
    /// Long values, which mean the same wherever they are.
    anywhere: BTreeMap<String, String>,
    /// Short ids, which are segments of paths.
    segments: BTreeMap<String, String>,
}

/// From which length on a value is not one by chance.
const LONG: usize = 12;

impl Learned {
    /// Takes what differs between the recorded body and that of the service.
    pub(super) fn learn(&mut self, recorded: &[u8], answered: &[u8]) {
        let parse = |body| serde_json::from_slice::<Value>(body).ok();
        if let (Some(recorded), Some(answered)) = (parse(recorded), parse(answered)) {
            self.values("", &recorded, &answered);
        }
    }

    fn values(&mut self, key: &str, recorded: &Value, answered: &Value) {
        match (recorded, answered) {
            (Value::Object(a), Value::Object(b)) => {
                for (key, a) in a {
                    if let Some(b) = b.get(key) {
                        self.values(key, a, b);
                    }
                }
            }
            (Value::Array(a), Value::Array(b)) => {
                a.iter().zip(b).for_each(|(a, b)| self.values(key, a, b));
            }
            (Value::String(a), Value::String(b)) if a != b => {
                if a.len() >= LONG && !a.contains(char::is_whitespace) {
                    self.anywhere.insert(a.clone(), b.clone());
                } else if is_id(key) && !a.is_empty() {
                    self.segments.insert(a.clone(), b.clone());
                }
            }
            (Value::Number(a), Value::Number(b)) if a != b && is_id(key) => {
                self.segments.insert(a.to_string(), b.to_string());
            }
            _ => {}
        }
    }

    /// Puts the service's values into a request.
    pub(super) fn replace(&self, request: &mut Request) {
        let anywhere = |text: &str| {
            let mut text = text.to_owned();
            for (recorded, own) in &self.anywhere {
                if text.contains(recorded.as_str()) {
                    text = text.replace(recorded.as_str(), own);
                }
            }
            text
        };
        let (path, query) = match request.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&*request.target, None),
        };
        let segments = path
            .split('/')
            .map(|segment| self.segments.get(segment).map_or(segment, String::as_str));
        let path = segments.collect::<Vec<_>>().join("/");
        let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        request.target = anywhere(&target);
        for value in request.headers.values_mut() {
            *value = anywhere(value);
        }
        if let Some(body) = &mut request.body
            && let Ok(text) = std::str::from_utf8(body)
        {
            *body = anywhere(text).into_bytes();
        }
    }
}

fn is_id(key: &str) -> bool {
    key == "id" || key.ends_with("_id") || key.ends_with("Id")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn times_of_the_recording_move_and_others_stay() {
        let at = moment("2026-01-01T10:00:00Z");
        let mut moved = Moved::new();
        let by = moment("2026-03-01T12:30:00Z") - at;
        let mut shift = Shift { at, by, moved: &mut moved };
        for (text, expected) in [
            ("2026-01-01T10:00:01.250Z", "2026-03-01T12:30:01.250Z"),
            ("2026-01-01 12:00:01+02:00", "2026-03-01 14:30:01+02:00"),
            ("2026-01-01T10:00:00.123456", "2026-03-01T12:30:00.123456"),
            ("2025-12-31T10:00:01Z", "2025-12-31T10:00:01Z"),
        ] {
            assert_eq!(shift.text(text), expected);
        }
        let (at, by) = (at + TimeDelta::minutes(9), by + TimeDelta::seconds(1));
        let mut later = Shift { at, by, moved: &mut moved };
        assert_eq!(
            later.text("2026-01-01T10:00:01.250Z"),
            "2026-03-01T12:30:01.250Z",
            "a known one"
        );
    }

    #[test]
    fn own_values_replace_recorded_ones() {
        let mut learned = Learned::default();
        learned.learn(
            br#"{"id":7,"token":"old-token-1234","items":[{"owner_id":3,"n":1}]}"#,
            br#"{"id":9,"token":"new-token-5678","items":[{"owner_id":4,"n":2}]}"#,
        );
        let mut request = Request {
            method: "GET".into(),
            target: "/users/3/items/7?page=7".into(),
            headers: [("authorization".to_owned(), "Bearer old-token-1234".to_owned())].into(),
            body: Some(b"{\"count\":7}".to_vec()),
        };
        learned.replace(&mut request);
        assert_eq!(request.target, "/users/4/items/9?page=7");
        assert_eq!(request.headers["authorization"], "Bearer new-token-5678");
        assert_eq!(request.body.unwrap(), b"{\"count\":7}");
    }
}
