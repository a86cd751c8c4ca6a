//! The writes that pass, to know whether one may have changed what another one found.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use serde_json::Value;

use crate::lock::lock;

/// How long and how many writes that have ended are remembered.
const REMEMBERED: Duration = Duration::from_mins(1);
const MAX: usize = 10_000;
/// The shortest text that may name something.
const SHORTEST: usize = 3;
/// Of how many things a write is known to be; one that names more may be about anything.
const MAX_NAMES: usize = 64;

/// Hashes of what a request names: its path, its caller, the ids and texts in it.
pub(crate) type Names = HashSet<u64>;

#[derive(Debug)]
struct Write {
    number: u64,
    /// None if they are not known: it may be about anything.
    names: Option<Names>,
    begun: Instant,
    ended: Option<Instant>,
}

/// The writes of this process, by when they began.
#[derive(Debug, Default)]
pub(crate) struct Writes(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    writes: VecDeque<Write>,
    next: u64,
    /// Those that began before are forgotten.
    forgotten: Option<Instant>,
}

/// A write, until it has a response.
#[derive(Debug)]
pub(crate) struct Passing {
    writes: Arc<Writes>,
    pub(crate) number: u64,
}

impl Drop for Passing {
    fn drop(&mut self) {
        let mut known = lock(&self.writes.0);
        if let Some(write) = known.find(self.number) {
            write.ended = Some(Instant::now());
        }
    }
}

impl Known {
    fn find(&mut self, number: u64) -> Option<&mut Write> {
        let index = self.writes.binary_search_by_key(&number, |write| write.number).ok()?;
        self.writes.get_mut(index)
    }
}

impl Writes {
    /// Begins a write.
    pub(crate) fn begin(self: &Arc<Self>) -> Passing {
        let mut known = lock(&self.0);
        while let Some(first) = known.writes.front()
            && (known.writes.len() >= MAX
                || first.ended.is_some_and(|ended| ended.elapsed() > REMEMBERED))
        {
            known.forgotten = Some(Instant::now());
            known.writes.pop_front();
        }
        let number = known.next;
        known.next += 1;
        let begun = Instant::now();
        known.writes.push_back(Write { number, names: None, begun, ended: None });
        Passing { writes: Arc::clone(self), number }
    }

    /// What a write names.
    pub(crate) fn name(&self, number: u64, names: Names) {
        if let Some(write) = lock(&self.0).find(number) {
            write.names = Some(names);
        }
    }

    /// Whether no other write was under way at the same time that names the same as this one, which has
    /// ended.
    pub(crate) fn was_alone(&self, number: u64) -> bool {
        let mut known = lock(&self.0);
        let Some(write) = known.find(number) else { return false };
        let (begun, Some(ended), Some(names)) = (write.begun, write.ended, write.names.clone())
        else {
            return false;
        };
        let is_other = |other: &Write| {
            let is_then = other.begun <= ended && other.ended.is_none_or(|ended| ended >= begun);
            let is_about = |other: &Names| !other.is_disjoint(&names);
            other.number != number && is_then && other.names.as_ref().is_none_or(is_about)
        };
        known.forgotten.is_none_or(|forgotten| forgotten < begun)
            && !known.writes.iter().any(is_other)
    }
}

/// What a request names; nothing if that is too much to remember.
pub(crate) fn names(parts: &Parts, body: &[u8]) -> Option<Names> {
    let mut names = Names::new();
    let mut add = |text: &str| {
        if text.len() >= SHORTEST && names.len() <= MAX_NAMES {
            let mut hasher = DefaultHasher::new();
            text.to_lowercase().hash(&mut hasher);
            names.insert(hasher.finish());
        }
    };
    add(parts.uri.path());
    for segment in parts.uri.path().split('/') {
        // Those that are ids, not the names of collections.
        if segment.bytes().any(|byte| byte.is_ascii_digit() || byte == b'@' || byte == b'%') {
            add(segment);
        }
    }
    for name in [AUTHORIZATION, COOKIE] {
        for value in parts.headers.get_all(name) {
            let value = String::from_utf8_lossy(value.as_bytes());
            add(&value);
            let claims =
                value.split('.').nth(1).and_then(|it| BASE64_URL_SAFE_NO_PAD.decode(it).ok());
            if let Some(claims) = claims.and_then(|it| serde_json::from_slice(&it).ok()) {
                texts(&claims, &mut add);
            }
        }
    }
    if let Ok(body) = serde_json::from_slice(body) {
        texts(&body, &mut add);
    } else {
        let body = String::from_utf8_lossy(body);
        body.split(['&', '=', '\n', '\r', '"', ' ']).for_each(add);
    }
    Some(names).filter(|names| names.len() <= MAX_NAMES)
}

/// The texts in a JSON value.
fn texts(value: &Value, add: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => add(text),
        Value::Number(number) => add(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, add)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, add)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, token: &str, body: &str) -> Names {
        let request = http::Request::post(path).header(AUTHORIZATION, token).body(()).unwrap();
        names(&request.into_parts().0, body.as_bytes()).unwrap()
    }

    #[test]
    fn too_many_names_are_none() {
        let parts = http::Request::post("/items/").body(()).unwrap().into_parts().0;
        let body = |count: usize| format!("{:?}", (1000..1000 + count).collect::<Vec<_>>());
        assert_eq!(names(&parts, body(60).as_bytes()).unwrap().len(), 61);
        assert!(names(&parts, body(1000).as_bytes()).is_none());
    }

    #[test]
    fn writes_are_about_what_they_name() {
        let change =
            of("/items/7c0ffee", "Bearer one", r#"{"title":"a chair","owner":"one@b.co"}"#);
        for (related, other) in [
            (true, of("/items/7c0ffee", "Bearer two", "{}")),
            (true, of("/comments/", "Bearer two", r#"{"item":"7c0ffee"}"#)),
            (true, of("/comments/", "Bearer one", "{}")),
            (true, of("/users/", "Bearer two", "email=one@b.co&title=")),
            (false, of("/items/8c0ffee", "Bearer two", r#"{"title":"a table"}"#)),
        ] {
            assert_eq!(!change.is_disjoint(&other), related, "{other:?}");
        }
    }

    #[test]
    fn others_of_the_same_time_disturb() {
        let writes = Arc::<Writes>::default();
        let (one, other) = (writes.begin(), writes.begin());
        let number = one.number;
        writes.name(number, of("/items/1234", "Bearer one", ""));
        assert!(!writes.was_alone(number), "it has not ended");
        drop(one);
        assert!(!writes.was_alone(number), "the other may be about anything");
        writes.name(other.number, of("/items/5678", "Bearer two", ""));
        assert!(writes.was_alone(number));
        writes.name(other.number, of("/items/5678", "Bearer one", ""));
        assert!(!writes.was_alone(number));
        // One after it.
        let other = other.number;
        let later = writes.begin();
        writes.name(later.number, of("/items/1234", "Bearer one", ""));
        writes.name(other, of("/items/5678", "Bearer two", ""));
        assert!(writes.was_alone(number));
    }
}
