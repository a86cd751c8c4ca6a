//! `str`, `EmailStr`.

use std::borrow::Cow;

use crate::constraints::{Accepts, Constraints};
use crate::decode::Decode;
#[cfg(feature = "email")]
use crate::email::EmailStr;
#[cfg(feature = "email")]
use crate::errors::Exactness;
use crate::errors::{Errors, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

impl Decode for String {
    const ACCEPTS: Accepts =
        Accepts::LENGTH.and(Accepts::TEXT).and(Accepts::STRICT).and(Accepts::IN_STRICT);

    json_schema!();

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        if constraints.restricts_a_text() { "constrained-str" } else { "str" }.into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let text = match input {
            Value::Str(_) if errors.is_not_utf8 => return errors.not_unicode(at, input),
            Value::Str(text) => text.as_str(),
            // Python keeps them; here U+FFFD stands for each of their bytes.
            Value::Surrogates(text)
                if !constraints.restricts_a_text() && constraints.storable.is_none() =>
            {
                text.as_str()
            }
            Value::Surrogates(_) => return errors.not_unicode(at, input),
            _ => {
                let msg = "Input should be a valid string";
                return errors.add("string_type", at, msg, input, &[]);
            }
        };
        let text = if constraints.strip_whitespace { text.trim() } else { text };
        let length = text.chars().count();
        if let Some(min) = constraints.min_length.filter(|&min| length < min) {
            let msg = format!("String should have at least {min} character{}", plural(min));
            return errors.add("string_too_short", at, msg, input, &[("min_length", min.into())]);
        }
        let max_length = constraints.max_length.or(constraints.storable);
        if let Some(max) = max_length.filter(|&max| length > max) {
            let msg = format!("String should have at most {max} character{}", plural(max));
            return errors.add("string_too_long", at, msg, input, &[("max_length", max.into())]);
        }
        if let Some(pattern) = constraints.pattern.filter(|pattern| !pattern.matches(text)) {
            let msg = format!("String should match pattern '{}'", pattern.text);
            let ctx = [("pattern", pattern.text.into())];
            return errors.add("string_pattern_mismatch", at, msg, input, &ctx);
        }
        if constraints.storable.is_some() && text.contains('\0') {
            let msg = "String should not contain the character U+0000";
            return errors.add("string_nul", at, msg, input, &[]);
        }
        Some(if constraints.to_lower {
            text.to_lowercase()
        } else if constraints.to_upper {
            text.to_uppercase()
        } else {
            text.to_owned()
        })
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        // Most texts are shorter in bytes than the limit is in characters: no need to count those.
        let fits = |max| self.len() <= max || self.chars().count() <= max;
        let changes = constraints.to_lower
            || constraints.to_upper
            || (constraints.strip_whitespace && self.trim() != self);
        !changes
            && constraints.min_length.is_none_or(|min| self.chars().take(min).count() == min)
            && constraints.max_length.is_none_or(fits)
            && constraints.storable.is_none_or(|max| fits(max) && !self.contains('\0'))
            && constraints.pattern.is_none_or(|pattern| pattern.matches(self))
    }
}

pub(crate) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// A text that a `varchar(N)` can hold, where there are no attributes of a field: in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storable<const N: usize>(pub String);

impl<const N: usize> Decode for Storable<N> {
    const ACCEPTS: Accepts = Accepts::NONE;

    json_schema!();

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        String::name(constraints)
    }

    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        let constraints = Constraints { storable: Some(N), ..Constraints::NONE };
        String::decode(input, &constraints, at, errors).map(Self)
    }
}

#[cfg(feature = "email")]
impl Decode for EmailStr {
    const ACCEPTS: Accepts = Accepts::LENGTH.and(Accepts::IN_STRICT);

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "function-after[_validate(), str]".into()
    }

    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        // A length that is always there: what holds a lone surrogate is no text then.
        let constraints = Constraints { min_length: Some(0), ..Constraints::NONE };
        let text = String::decode(input, &constraints, at, errors)?;
        match Self::parse(&text) {
            Ok(email) => {
                errors.fits(Exactness::Lax);
                Some(email)
            }
            Err(reason) => {
                let msg = format!("value is not a valid email address: {reason}");
                errors.add("value_error", at, msg, input, &[("reason", reason.into())])
            }
        }
    }
}
