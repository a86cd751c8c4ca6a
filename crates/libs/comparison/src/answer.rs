//! A response and what one differs in from another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

/// A response, as received.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The values of each header by its name in lower case, in the order received.
    pub headers: BTreeMap<String, Vec<String>>,
    /// The whole body. It serialises as text, with U+FFFD for what is not UTF-8.
    #[serde(serialize_with = "as_text")]
    pub body: Vec<u8>,
}

fn as_text<S: Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

/// One difference between two answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What differs: `status`, `header <name>`, `body.<path>` or `body, byte <offset>`.
    #[serde(alias = "place")]
    pub path: String,
    /// The reference's value, shortened if it is long; `(absent)` if it has none.
    pub reference: String,
    /// The candidate's value, in the same form.
    pub candidate: String,
}

impl Difference {
    /// Whether it is at the other's path, within it, or around it.
    pub fn overlaps(&self, other: &Self) -> bool {
        let holds = |outer: &str, inner: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        holds(&self.path, &other.path) || holds(&other.path, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_hold_what_is_within_them() {
        let at = |path: &str| Difference {
            path: path.to_owned(),
            reference: String::new(),
            candidate: String::new(),
        };
        for (one, other, expected) in [
            ("body.a", "body.a", true),
            ("body.a", "body.a.b", true),
            ("body.a[3]", "body.a", true),
            ("body.a", "body.ab", false),
            ("body.a.b", "body.a.c", false),
            ("status", "body", false),
        ] {
            assert_eq!(at(one).overlaps(&at(other)), expected, "{one}, {other}");
        }
    }
}
