//! Values that a service generates: which of the candidate stands for which of the reference.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use regex::Regex;
use serde_json::{Map, Value};

use crate::time::{self, Moment};

/// How far apart the expiry of two tokens may be, in seconds: they are not made at the same instant.
const TOKEN_TOLERANCE: f64 = 10.0;
/// The claims that are times; every other number is a value, such as a user's id.
const TIMES_IN_TOKENS: [&str; 4] = ["auth_time", "exp", "iat", "nbf"];
/// How far apart two times of one event may be unless another window is set, in milliseconds.
const WINDOW: i64 = 2_000;
/// How far apart times from before the run may be: the services start one after the other.
const START_TOLERANCE: i64 = 10 * 60_000;
/// How long before the run such times may be. What is older was given to both, and must be equal.
const BEFORE_START: i64 = 60 * 60_000;
/// The longest text whose values are recorded although both services sent the same, in bytes.
const RECORDED: usize = 1 << 20;

/// Which generated value of the candidate stands for which of the reference.
///
/// Values that have a format of their own (UUIDs, ULIDs, `ObjectId`s, times, JWTs) are found in the
/// responses; others have to be [captured](Pairs::capture). Equal values stand for themselves.
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    forward: HashMap<String, String>,
    backward: HashMap<String, String>,
    /// Pairs without a format to recognise them by, with the key under which they were seen.
    captured: HashMap<String, (String, String)>,
    /// Nothing is matched: equal or different.
    is_literal: bool,
    /// When the run began, in milliseconds since 1970.
    start: Option<i64>,
    window: Option<i64>,
    /// Both services had the same database at the start: what is older is equal.
    has_one_past: bool,
}

impl Pairs {
    /// The pairs of a run that begins now: times are held to a window around one another (2 s unless
    /// [set](Pairs::widen)); those that are older than the run must be equal, but for what the services
    /// made as they started.
    pub fn starting_now() -> Self {
        Self { start: Some(time::now()), ..Self::default() }
    }

    /// The pairs of two services that do the same from now on, each for itself, on one database: only
    /// values that they make up meanwhile stand for one another. Ids do not show when they were made:
    /// let [those that are there](Pairs::keep) stand for themselves, and look at [what was
    /// matched](Pairs::matched).
    pub fn from_one_past() -> Self {
        Self { start: Some(time::now() - WINDOW), has_one_past: true, ..Self::default() }
    }

    /// Lets the generated values in a text, and in the claims of its JWTs, stand for themselves.
    pub fn keep(&mut self, text: &str) {
        // One that stands for another already is found where it occurs.
        _ = equal(text, self);
        let tokens = GENERATED.find_iter(text).filter(|found| found.as_str().starts_with("eyJ"));
        let claims = tokens.filter_map(|token| {
            let claims = token.as_str().split('.').nth(1)?;
            String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
        });
        for claims in claims.collect::<Vec<_>>() {
            _ = equal(&claims, self);
        }
    }

    /// Ids and exact times of the reference that stand for others of the candidate, with those.
    pub fn matched(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.forward.iter().map(|(one, other)| (one.as_str(), other.as_str()));
        all.filter(|(one, other)| one != other)
    }

    /// The pairs of two services on one database: no value stands for another.
    pub fn literal() -> Self {
        Self { is_literal: true, ..Self::default() }
    }

    /// Lets times differ by at least so much from now on, where a response took long.
    pub fn widen(&mut self, window: Duration) {
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        self.window = Some(window.max(self.window.unwrap_or(WINDOW)));
    }

    /// Makes one value stand for the other from now on: as a whole value of a key named `key` or
    /// ending so (`id`, `order_id`, `orderId`), and as a segment of a path.
    ///
    /// Has no effect on equal values and on those that are recognised by their format.
    pub fn capture(&mut self, key: &str, reference: &str, candidate: &str) {
        if reference != candidate && !is_generated(reference) && !self.is_literal {
            let value = (candidate.to_owned(), key.to_owned());
            self.captured.insert(reference.to_owned(), value);
        }
    }

    fn matches(&mut self, reference: &str, candidate: &str) -> bool {
        let known = self.forward.get(reference).map(String::as_str);
        let known_back = self.backward.get(candidate).map(String::as_str);
        if known.is_none() && known_back.is_none() {
            self.forward.insert(reference.to_owned(), candidate.to_owned());
            self.backward.insert(candidate.to_owned(), reference.to_owned());
            return true;
        }
        known == Some(candidate) && known_back == Some(reference)
    }

    fn same_time(&mut self, a: &str, b: &str, reference: &Moment, candidate: &Moment) -> bool {
        if !reference.has_form_of(candidate) {
            return false;
        }
        // Two events may share a second, but no microsecond.
        let is_exact = reference.is_exact() && candidate.is_exact();
        if is_exact && (self.forward.contains_key(a) || self.backward.contains_key(b)) {
            return self.matches(a, b);
        }
        let apart = (reference.millis - candidate.millis).abs();
        let is_near = match self.start {
            None => apart <= START_TOLERANCE,
            Some(start) if reference.millis < start || candidate.millis < start => {
                if self.has_one_past {
                    return a == b;
                }
                let earliest = reference.millis.min(candidate.millis);
                apart <= START_TOLERANCE && earliest >= start - BEFORE_START
            }
            Some(_) => apart <= self.window.unwrap_or(WINDOW),
        };
        is_near && (!is_exact || self.matches(a, b))
    }
}

/// What has a format of its own: JWTs, UUIDs with and without dashes, times, ULIDs, `ObjectId`s,
/// ids after the name of their kind (`inv_8c41…`, `tsk_nk4gX2jZjcrvKBXP`), the header `traceparent`, HTTP
/// dates, and seconds to nanoseconds since 1970 of this time.
static GENERATED: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    Regex::new(
        r"(?x-u)
        eyJ[\w-]+\.[\w-]+\.[\w-]+
        | \b00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b
        | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}
        | [0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}
        | \b[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab][0-9a-f]{15}\b
        | \d{4}-\d\d-\d\d[T\ ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?
        | \b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),\ \d\d\ [A-Z][a-z]{2}\ \d{4}\ \d\d:\d\d:\d\d\ GMT
        | \b[0-7][0-9A-HJKMNP-TV-Z]{25}\b
        | \b[0-9a-f]{24}\b
        | \b[a-z]{2,12}_[0-9A-Za-z]{12,64}\b
        | \b1[6-9]\d{8}(?:\d{3}){0,3}\b",
    )
    .expect("the pattern is valid")
});

/// Everything that can be captured, and what is recognised by its format.
static WORD: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    Regex::new(&format!(r"(?x-u) {} | (?u:[\w-]+)", GENERATED.as_str().replace("(?x-u)", "")))
        .expect("the pattern is valid")
});

fn is_generated(text: &str) -> bool {
    GENERATED.find(text).is_some_and(|found| found.len() == text.len())
}

/// Whether two texts are equal but for generated values that match.
pub(crate) fn same_text(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    if pairs.is_literal {
        return reference == candidate;
    }
    if reference == candidate {
        return reference.len() > RECORDED || equal(reference, pairs);
    }
    let pattern = if pairs.captured.is_empty() { &GENERATED } else { &WORD };
    let literals = |text| pattern.split(text).collect::<Vec<_>>();
    if literals(reference) != literals(candidate) {
        return false;
    }
    let values = |text| pattern.find_iter(text).collect::<Vec<_>>();
    values(reference).into_iter().zip(values(candidate)).all(|(a, b)| {
        if is_generated(a.as_str()) {
            same_generated(a.as_str(), b.as_str(), pairs)
        } else {
            a.as_str() == b.as_str()
                || pairs.captured.get(a.as_str()).is_some_and(|(known, key)| {
                    known == b.as_str() && is_within(reference, a.range(), key)
                })
        }
    })
}

/// The fewest characters of a session's key, and of how many kinds they are at least: what people write
/// has fewer.
const KEY_LENGTH: usize = 16;
const KEY_CHARACTERS: usize = 8;

/// Whether two headers `Set-Cookie` are equal but for a key that each service made up for a session: as
/// long, of the same alphabet, and standing for one another from now on.
pub(crate) fn same_cookie(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    let parts = |line: &str| {
        let (name, rest) = line.split_once('=')?;
        let (value, attributes) = rest.split_at(rest.find(';').unwrap_or(rest.len()));
        Some((name.to_owned(), value.to_owned(), attributes.to_owned()))
    };
    let is_key = |value: &str| {
        let kinds: HashSet<char> = value.chars().collect();
        value.len() >= KEY_LENGTH
            && kinds.len() >= KEY_CHARACTERS
            && value.contains(|c: char| c.is_ascii_digit())
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~+/=%".contains(&byte))
    };
    // A session that the cookie itself holds, signed, is not made up.
    let held = |value: &str| {
        value.starts_with("eyJ").then(|| value.split('.').next().unwrap_or_default().to_owned())
    };
    let is_hex = |value: &str| value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (Some((name, a, rest)), Some((other, b, other_rest))) =
        (parts(reference), parts(candidate))
    else {
        return false;
    };
    !pairs.is_literal
        && name == other
        && is_key(&a)
        && is_key(&b)
        && a.len() == b.len()
        && is_hex(&a) == is_hex(&b)
        && held(&a) == held(&b)
        && same_text(&rest, &other_rest, pairs)
        && pairs.matches(&a, &b)
}

/// Records that the values of a text that both services sent stand for themselves; false if one of
/// them stands for another already.
fn equal(text: &str, pairs: &mut Pairs) -> bool {
    GENERATED.find_iter(text).all(|found| {
        let value = found.as_str();
        match time::parse(value) {
            // Times of two events may be the same by chance unless they are exact.
            Some(moment) if !moment.is_exact() => true,
            _ if value.starts_with("eyJ") => true,
            _ => pairs.matches(value, value),
        }
    })
}

/// Whether a captured value may stand here: as the whole value of its key, or in a path.
fn is_within(text: &str, range: Range<usize>, key: &str) -> bool {
    let (before, after) = (&text[..range.start], &text[range.end..]);
    if before.is_empty() && after.is_empty() {
        return true;
    }
    let in_path = before.ends_with('/') && !before.ends_with("://");
    if in_path && (after.is_empty() || after.starts_with(['/', '?', '"', '#'])) {
        return true;
    }
    let before = before.strip_suffix('"').unwrap_or(before).trim_end();
    let Some(before) = before.strip_suffix(':') else { return false };
    let Some(before) = before.trim_end().strip_suffix('"') else { return false };
    let name = before.rsplit('"').next().unwrap_or_default();
    let ending = name.len().checked_sub(key.len()).and_then(|at| name.get(at..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case(key))
}

fn same_generated(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    if reference == candidate {
        return equal(reference, pairs);
    }
    if reference.starts_with("eyJ") {
        return same_token(reference, candidate, pairs);
    }
    if let (Some((kind, a)), Some((other, b))) = (prefixed(reference), prefixed(candidate)) {
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        return kind == other
            && a.len() == b.len()
            && is_hex(a) == is_hex(b)
            && is_random(a)
            && is_random(b)
            && pairs.matches(reference, candidate);
    }
    let is_number = reference.bytes().all(|byte| byte.is_ascii_digit());
    match (time::parse(reference), time::parse(candidate)) {
        (Some(a), Some(b)) => return pairs.same_time(reference, candidate, &a, &b),
        (None, None) if !looks_like_time(reference) => {}
        _ => return false,
    }
    // The format must be the same: digits may differ, nothing else.
    let format = |text: &str| -> String {
        let digit = |c: char| if c.is_ascii_hexdigit() { '0' } else { c };
        if text.len() == 26 { "ULID".to_owned() } else { text.chars().map(digit).collect() }
    };
    !is_number
        && format(reference) == format(candidate)
        && version(reference) == version(candidate)
        && (is_upper(reference) == is_upper(candidate)
            || is_lower(reference) == is_lower(candidate))
        && pairs.matches(reference, candidate)
}

/// An id after the name of its kind, and that name.
fn prefixed(text: &str) -> Option<(&str, &str)> {
    let (kind, id) = text.split_once('_')?;
    let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_id = id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_kind && is_id).then_some((kind, id))
}

/// Whether a text is no words: it has digits among its letters, not only at its end as what is counted, or
/// as many capitals as chance brings.
fn is_random(text: &str) -> bool {
    let count = |is: fn(&u8) -> bool| text.bytes().filter(is).count();
    let is_digit = |c: char| c.is_ascii_digit();
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
        || text.trim_end_matches(is_digit).contains(is_digit)
        || (count(u8::is_ascii_uppercase) > 3 && count(u8::is_ascii_lowercase) > 3)
}

fn looks_like_time(text: &str) -> bool {
    text.contains(':')
}

fn is_upper(text: &str) -> bool {
    !text.contains(|c: char| c.is_ascii_lowercase())
}

fn is_lower(text: &str) -> bool {
    !text.contains(|c: char| c.is_ascii_uppercase())
}

/// The version and the variant of a UUID.
fn version(text: &str) -> Option<(char, bool)> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    let is_uuid = digits.len() == 32 && matches!(text.len(), 32 | 36);
    is_uuid.then(|| (digits[12], matches!(digits[16], '8' | '9' | 'a' | 'b' | 'A' | 'B')))
}

/// Two tokens are the same if their headers are, and their claims but for the instant.
fn same_token(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    let parts = |token: &str| {
        let mut parts = token.split('.');
        let header = parts.next()?.to_owned();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        let claims: Map<String, Value> = serde_json::from_slice(&claims).ok()?;
        Some((header, claims, parts.next()?.len()))
    };
    let (Some((header, claims, signature)), Some((other_header, other_claims, other_signature))) =
        (parts(reference), parts(candidate))
    else {
        return false;
    };
    header == other_header
        && signature == other_signature
        && claims.keys().eq(other_claims.keys())
        && claims.iter().zip(other_claims.values()).all(|((name, a), b)| match (a, b) {
            (Value::Number(a), Value::Number(b)) if TIMES_IN_TOKENS.contains(&name.as_str()) => {
                match (a.as_f64(), b.as_f64()) {
                    (Some(a), Some(b)) => (a - b).abs() <= TOKEN_TOLERANCE,
                    _ => false,
                }
            }
            (Value::String(a), Value::String(b)) => same_text(a, b, pairs),
            (a, b) => a == b,
        })
}

#[cfg(test)]
mod tests;
