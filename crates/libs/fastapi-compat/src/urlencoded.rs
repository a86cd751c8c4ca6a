//! Names and values as a query, a form or a cookie header carries them, and Starlette's limits.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::characters::decode_replacing;
use crate::dialect::{Switch, has};
use crate::field_names::Name;
use crate::model::Fields;
use crate::source::Source;
use crate::value::Value;

/// Named values of which the last counts, or all for a list.
pub(crate) struct Parameters(pub Vec<(String, Value)>);

impl Fields for Parameters {
    fn get(&self, name: &Name, all: bool) -> Option<Cow<'_, Value>> {
        let mut values = self.0.iter().filter(|(key, _)| key == name.text).map(|(_, value)| value);
        if !all {
            return values.next_back().map(Cow::Borrowed);
        }
        let values: Vec<_> = values.cloned().collect();
        (!values.is_empty()).then(|| Cow::Owned(values.into()))
    }

    fn whole(&self) -> &Value {
        &Value::Null
    }

    fn alias_choices(&self) -> Option<Switch> {
        Some(Switch::AliasChoicesAreNames)
    }
}

impl Source for Parameters {
    fn key(&self, name: &Name) -> Cow<'static, str> {
        name.text.into()
    }

    fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| name == key)
    }

    fn others(&self, taken: &[String]) -> IndexMap<String, Value> {
        let pairs = self.0.iter().map(|(name, value)| (name.clone(), value.clone()));
        grouped(pairs, taken)
    }
}

/// Those whose names are not `taken`, each name once: with its value, or with a list of several.
pub(crate) fn grouped(
    pairs: impl Iterator<Item = (String, Value)>,
    taken: &[String],
) -> IndexMap<String, Value> {
    let mut groups = IndexMap::<_, Vec<_>>::new();
    for (name, value) in pairs.filter(|(name, _)| !taken.contains(name)) {
        groups.entry(name).or_default().push(value);
    }
    let is_single = has(Switch::ExtraParametersAreSingle);
    let value = |mut values: Vec<Value>| match values.len() {
        1 => values.remove(0),
        2.. if is_single => values.pop().unwrap_or(Value::Null),
        _ => values.into(),
    };
    groups.into_iter().map(|(name, values)| (name, value(values))).collect()
}

/// Why a form is refused: the detail of a 400.
pub(crate) type Refusal = String;

/// Starlette's limits: the number of fields and files of a form, and the bytes of a field.
pub(crate) const MAX_FIELDS: usize = 1000;
pub(crate) const MAX_FIELD: usize = 1024 * 1024;

pub(crate) fn check_limits(form: &[u8]) -> Result<(), Refusal> {
    let fields = form.split(|&byte| byte == b'&').filter(|field| !field.is_empty());
    for (index, field) in fields.enumerate() {
        let equals = usize::from(field.contains(&b'='));
        if field.len() - equals > MAX_FIELD {
            return Err(format!("Field exceeded maximum size of {}KB.", MAX_FIELD / 1024));
        }
        if index == MAX_FIELDS {
            return Err(format!("Too many fields. Maximum number of fields is {MAX_FIELDS}."));
        }
    }
    Ok(())
}

/// Splits a query or an url-encoded form as `urllib.parse.parse_qsl` does, keeping empty values.
pub(crate) fn pairs(text: &[u8]) -> Vec<(String, Value)> {
    text.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let mut half = || unquote_plus(halves.next().unwrap_or_default());
            (half(), half().into())
        })
        .collect()
}

/// Percent-decoding in which `+` is a space; what is not UTF-8 becomes U+FFFD.
fn unquote_plus(text: &[u8]) -> String {
    let spaced: Vec<u8> = text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
    let bytes: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    decode_replacing(&bytes)
}
