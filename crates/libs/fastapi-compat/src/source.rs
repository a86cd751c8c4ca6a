//! Models that are made from parameters: of a query, headers, cookies or a form.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::dialect::{Switch, has};
use crate::errors::{Errors, Loc};
use crate::field_names::Name;
use crate::model::{Fields, Model};
use crate::model_decode::decode_object;
use crate::value::Value;

/// Parameters from which a model may be made.
pub(crate) trait Source: Fields {
    /// What a parameter of this name is called here.
    fn key(&self, name: &Name) -> Cow<'static, str>;

    /// Whether it is a header.
    const OF_HEADERS: bool = false;

    /// Whether an empty value makes room for the next name, as in a form.
    const SKIPS_EMPTY: bool = false;

    /// Whether the name is there, even with an empty value.
    fn has(&self, key: &str) -> bool;

    /// The value of a field of a model.
    fn given(&self, name: &Name, all: bool) -> Option<Cow<'_, Value>> {
        self.get(name, all)
    }

    /// All other parameters, each once: those whose names are not `taken`.
    fn others(&self, taken: &[String]) -> IndexMap<String, Value>;
}

/// Decodes the parameters of a query, the headers, the cookies or a form: each field apart, or as one
/// model if Python has a class for it.
pub(crate) fn decode_parameters<M: Model>(
    source: &impl Source,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<M> {
    if !M::IS_MODEL {
        return M::from_fields(source, at, errors);
    }
    decode_source(source, at, errors)
}

fn decode_source<M: Model, S: Source>(source: &S, at: &Loc<'_>, errors: &mut Errors) -> Option<M> {
    let (mut object, mut taken) = (IndexMap::new(), Vec::new());
    let choices = if S::SKIPS_EMPTY {
        Switch::FormAliasChoicesAreNames
    } else {
        Switch::AliasChoicesAreNames
    };
    for field in M::FIELDS {
        // FastAPI knows a field with a path by its own name, and leaves the rest to pydantic.
        let with_path = field.names.iter().find(|name| !name.path.is_empty());
        let names = with_path.map_or_else(|| field.of_parameter(choices), std::slice::from_ref);
        let Some(first) = names.first() else { continue };
        let by_name = has(Switch::ParameterModelsByName) && !S::SKIPS_EMPTY;
        let key = |name: &Name| if by_name { field.own.text } else { name.text }.to_owned();
        let default = || {
            let default = field.default.filter(|_| has(Switch::ParameterDefaultsAreInput))?;
            Some(default())
                .filter(|default| !default.is_null())
                .and_then(|default| Value::from_json(default.to_string()))
        };
        if S::SKIPS_EMPTY {
            let mut found = None;
            for name in names {
                taken.push(source.key(name).into_owned());
                if let Some(value) = source.given(name, field.is_sequence) {
                    found = Some((key(name), value.into_owned()));
                    break;
                }
            }
            object.extend(found.or_else(|| Some((key(first), default()?))));
            continue;
        }
        let found = names.iter().find(|name| source.has(&source.key(name))).unwrap_or(first);
        let value = source.get(found, field.is_sequence).map(Cow::into_owned);
        if let Some(value) = value.or_else(default) {
            object.insert(key(found), value);
        }
        taken.push(source.key(found).into_owned());
        if by_name {
            taken.push(field.own.text.to_owned());
        }
        if has(Switch::UnconvertedHeadersAreExtra) {
            continue;
        }
        let unconverted = names.iter().filter(|name| source.key(name) != name.text);
        taken.extend(unconverted.map(|name| name.text.to_owned()));
    }
    for (name, value) in source.others(&taken) {
        object.insert(name, value);
    }
    let of_headers = S::OF_HEADERS && !has(Switch::HeaderModelsShowFields);
    decode_object(&object.into(), of_headers, at, errors)
}
