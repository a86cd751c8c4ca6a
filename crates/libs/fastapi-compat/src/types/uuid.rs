//! `UUID`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Uuid, Variant};

use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

impl Decode for Uuid {
    const ACCEPTS: Accepts = Accepts::NONE;

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "uuid".into()
    }

    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        if matches!(input, Value::Surrogates(_)) {
            return errors.not_unicode(at, input);
        }
        let Value::Str(text) = input else {
            let msg = "UUID input should be a string, bytes or UUID object";
            return errors.add("uuid_type", at, msg, input, &[]);
        };
        match Self::parse_str(text) {
            Ok(id) => {
                errors.fits(Exactness::Lax);
                Some(id)
            }
            Err(error) => {
                let is_older = has(Switch::UuidGroupsFromOne) || has(Switch::UuidPrefixIsNamed);
                let error = if is_older { older_reason(text) } else { error.to_string() };
                let msg = format!("Input should be a valid UUID, {error}");
                errors.add("uuid_parsing", at, msg, input, &[("error", error.into())])
            }
        }
    }
}

/// Why a text is no UUID, in the words of earlier releases of the library that pydantic leaves it to.
fn older_reason(text: &str) -> String {
    // What is of the length of a UUID in braces or in a URN is judged by the UUID in it.
    let text = match text.len() {
        38 => text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text),
        45 => text.strip_prefix("urn:uuid:").unwrap_or(text),
        _ => text,
    };
    let braced = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let (id, offset) = match (braced, text.strip_prefix("urn:uuid:")) {
        (Some(id), _) => (id, 1),
        (None, Some(id)) => (id, "urn:uuid:".len()),
        (None, None) => (text, 0),
    };
    if let Some((index, c)) = id.char_indices().find(|(_, c)| !c.is_ascii_hexdigit() && *c != '-') {
        let prefix = if has(Switch::UuidPrefixIsNamed) {
            "expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], "
        } else {
            ""
        };
        return format!("invalid character: {prefix}found `{c}` at {}", index + offset + 1);
    }
    let hyphens: Vec<_> = id.match_indices('-').map(|(index, _)| index).collect();
    if hyphens.is_empty() && offset == 0 {
        let length = text.len();
        return format!("invalid length: expected length 32 for simple format, found {length}");
    }
    let &[a, b, c, d] = hyphens.as_slice() else {
        return format!("invalid group count: expected 5, found {}", hyphens.len() + 1);
    };
    let groups = [(0, a, 8), (9, b, 4), (14, c, 4), (19, d, 4)];
    let wrong = groups.iter().position(|(start, end, length)| start + length != *end);
    let (group, length, expected) = match wrong {
        Some(group) => {
            let (start, end, length) = groups[group];
            // The library counts from where the group should begin.
            (group, end.wrapping_sub(start), length)
        }
        None => (4, text.len().wrapping_sub(24), 12),
    };
    format!("invalid group length in group {group}: expected {expected}, found {length}")
}

/// A UUID of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UuidOfVersion<const VERSION: usize>(pub Uuid);

/// `UUID1`.
pub type Uuid1 = UuidOfVersion<1>;
/// `UUID3`.
pub type Uuid3 = UuidOfVersion<3>;
/// `UUID4`.
pub type Uuid4 = UuidOfVersion<4>;
/// `UUID5`.
pub type Uuid5 = UuidOfVersion<5>;
/// `UUID6`.
pub type Uuid6 = UuidOfVersion<6>;
/// `UUID7`.
pub type Uuid7 = UuidOfVersion<7>;
/// `UUID8`.
pub type Uuid8 = UuidOfVersion<8>;

impl<const VERSION: usize> Decode for UuidOfVersion<VERSION> {
    const ACCEPTS: Accepts = Accepts::NONE;

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "uuid".into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let id = Uuid::decode(input, constraints, at, errors)?;
        if id.get_version_num() == VERSION && id.get_variant() == Variant::RFC4122 {
            return Some(Self(id));
        }
        let msg = format!("UUID version {VERSION} expected");
        errors.add("uuid_version", at, msg, input, &[("expected_version", VERSION.into())])
    }
}

impl<const VERSION: usize> fmt::Display for UuidOfVersion<VERSION> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const VERSION: usize> Serialize for UuidOfVersion<VERSION> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, const VERSION: usize> Deserialize<'de> for UuidOfVersion<VERSION> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_by_rules(deserializer)
    }
}
