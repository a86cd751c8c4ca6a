//! Faults that are made of what the candidate answered before: values that are valid on their own, and
//! wrong where they stand.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use comparison::Answer;
use regex::Regex;
use serde_json::Value;

use super::faults::ID;

static IDS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ID).ok());
static TOKENS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"eyJ[\w-]+\.[\w-]+\.[\w-]+").ok());

/// The ids and the tokens of earlier answers.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    ids: BTreeSet<String>,
    /// By their text, with the claim `sub`.
    tokens: Vec<(String, Value)>,
}

impl Earlier {
    /// Adds those of an answer.
    pub(super) fn record(&mut self, answer: &Answer) {
        let Some(text) = text(answer) else { return };
        self.ids.extend(found(&IDS, text).map(ToOwned::to_owned));
        for token in found(&TOKENS, text) {
            // One of each subject is enough.
            if let Some(subject) = subject(token)
                && self.tokens.iter().all(|(_, known)| *known != subject)
            {
                self.tokens.push((token.to_owned(), subject));
            }
        }
    }

    /// The answer with a valid UUID of the same version in place of the first one that an earlier answer
    /// held. None if there is none: where an id is seen first, any valid one may be right.
    pub(super) fn another_id(&self, answer: &Answer) -> Option<Answer> {
        let id = found(&IDS, text(answer)?).find(|id| self.ids.contains(*id))?;
        let (rest, last) = id.split_at_checked(id.len() - 1)?;
        let other = (u32::from_str_radix(last, 16).ok()? + 1) % 16;
        replaced(answer, id, &format!("{rest}{other:x}"))
    }

    /// The answer with a token that the candidate signed earlier, for another subject. None if there is
    /// none.
    pub(super) fn another_subject(&self, answer: &Answer) -> Option<Answer> {
        let token = found(&TOKENS, text(answer)?).next()?;
        let own = subject(token)?;
        let (other, _) = self.tokens.iter().find(|(_, subject)| *subject != own)?;
        replaced(answer, token, other)
    }
}

fn text(answer: &Answer) -> Option<&str> {
    std::str::from_utf8(&answer.body).ok()
}

fn found<'t>(
    pattern: &'static LazyLock<Option<Regex>>,
    text: &'t str,
) -> impl Iterator<Item = &'t str> {
    let pattern = pattern.as_ref();
    pattern.into_iter().flat_map(|pattern| pattern.find_iter(text)).map(|found| found.as_str())
}

/// The answer with one text in place of the first occurrence of another.
fn replaced(answer: &Answer, from: &str, to: &str) -> Option<Answer> {
    let body = text(answer)?.replacen(from, to, 1).into_bytes();
    (body != answer.body).then(|| Answer { body, ..answer.clone() })
}

/// The claim `sub` of a token; none if it has none, or cannot be read.
fn subject(token: &str) -> Option<Value> {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("sub").cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Answer { status: 200, headers: [].into(), body: body.into() }
    }

    fn token(subject: &str, signature: &str) -> String {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let claims = format!(r#"{{"sub":"{subject}"}}"#);
        format!("{}.{}.{signature}", part(r#"{"alg":"HS256"}"#), part(&claims))
    }

    #[test]
    fn an_id_is_replaced_where_it_was_seen_before() {
        let first = answer(r#"{"id":"aaaaaaaa-0000-4000-8000-00000000000f"}"#);
        let mut earlier = Earlier::default();
        assert!(earlier.another_id(&first).is_none());
        earlier.record(&first);
        let other = earlier.another_id(&first).unwrap();
        assert_eq!(other.body, br#"{"id":"aaaaaaaa-0000-4000-8000-000000000000"}"#);
        let unknown = answer(r#"{"id":"bbbbbbbb-0000-4000-8000-00000000000f"}"#);
        assert!(earlier.another_id(&unknown).is_none());
    }

    #[test]
    fn a_token_is_replaced_by_one_of_another_subject() {
        let of =
            |subject, signature| answer(&format!(r#"{{"token":"{}"}}"#, token(subject, signature)));
        let mut earlier = Earlier::default();
        earlier.record(&of("ann", "c2ln"));
        assert!(earlier.another_subject(&of("ann", "bGF0ZXI")).is_none());
        let other = earlier.another_subject(&of("ben", "b3RoZXI")).unwrap();
        assert_eq!(other.body, of("ann", "c2ln").body);
    }
}
