//! What a schema says by itself, without the schemas that it is composed of.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::LazyLock;

use serde_json::{Map, Number, Value};

use super::choice::{Additional, Bound, Choice, Kind};
use super::merge::tighten;
use super::number::canonical;
use super::syntax::{Extent, double_negation, list};

/// Keywords of which only a change is reported.
const OTHERS: [&str; 17] = [
    "not",
    "if",
    "then",
    "else",
    "$dynamicRef",
    "$recursiveRef",
    "contentSchema",
    "contains",
    "minContains",
    "maxContains",
    "unevaluatedItems",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
];

/// Patterns that are in every text.
const ANY_TEXT: [&str; 6] = ["", ".*", "^", "$", "^.*", "^.*$"];

/// The kinds that are every value together.
static EVERY: LazyLock<BTreeSet<Kind>> = LazyLock::new(|| {
    [Kind::Null, Kind::Boolean, Kind::Number, Kind::String, Kind::Array, Kind::Object].into()
});

/// One choice for each kind of value.
pub(super) fn choices<'a>(
    fields: &'a Map<String, Value>,
    extent: &dyn Fn(&'a Value) -> Extent,
    canonical: &dyn Fn(&Value) -> String,
) -> Vec<Rc<Choice<'a>>> {
    let whole = limits(fields, extent);
    let kinds = match fields.get("type") {
        Some(Value::String(kind)) => Kind::named(kind).into_iter().collect(),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(|kind| Kind::named(kind.as_str()?));
            kinds.collect::<BTreeSet<_>>()
        }
        _ => BTreeSet::new(),
    };
    let values = match (fields.get("enum").and_then(Value::as_array), fields.get("const")) {
        (Some(values), None) => Some(values.iter().collect::<Vec<_>>()),
        (None, Some(value)) => Some(vec![value]),
        (Some(values), Some(value)) => {
            Some(values.iter().filter(|one| canonical(one) == canonical(value)).collect())
        }
        (None, None) => None,
    };
    let Some(values) = values else {
        let kinds = if kinds.is_empty() { [Kind::Any].into() } else { kinds };
        let kinds = if kinds.is_superset(&EVERY) { [Kind::Any].into() } else { kinds };
        // Every integer is a number.
        let is_number = kinds.contains(&Kind::Number);
        let kinds = kinds.into_iter().filter(|kind| !(is_number && *kind == Kind::Integer));
        return kinds.map(|kind| Rc::new(Choice { kind, ..whole.clone() }.tidy())).collect();
    };
    let mut by_kind: BTreeMap<Kind, BTreeSet<String>> = BTreeMap::new();
    for value in values {
        let kind = Kind::of(value);
        let declared = if kind == Kind::Integer && !kinds.contains(&kind) {
            // 1 is a number too, among numbers.
            kinds.iter().copied().find(|declared| *declared == Kind::Number)
        } else {
            kinds.get(&kind).copied()
        };
        // `nullable` of OpenAPI 3.0 is taken for what its writers mean.
        let nullable = kind == Kind::Null && fields.get("nullable") == Some(&Value::Bool(true));
        if let Some(kind) = declared.or((kinds.is_empty() || nullable).then_some(kind)) {
            by_kind.entry(kind).or_default().insert(canonical(value));
        }
    }
    let choice = |(kind, values)| Choice { kind, values: Some(values), ..whole.clone() }.tidy();
    by_kind.into_iter().map(|entry| Rc::new(choice(entry))).collect()
}

/// Everything but the kind and the values.
fn limits<'a>(fields: &'a Map<String, Value>, extent: &dyn Fn(&'a Value) -> Extent) -> Choice<'a> {
    let mut choice = Choice::of(Kind::Any);
    choice.label = fields.get("title").and_then(Value::as_str);
    choice.discriminator = fields.get("discriminator");
    bounds(fields, &mut choice);
    for key in ["pattern", "multipleOf", "contentEncoding"] {
        let has_meaning = |value: &&Value| {
            !value.is_null() && !value.as_str().is_some_and(|text| ANY_TEXT.contains(&text))
        };
        if let Some(value) = fields.get(key).filter(has_meaning) {
            choice.facets.entry(key).or_default().insert(canonical(value));
        }
    }
    format(fields, &mut choice);
    choice.unique = fields.get("uniqueItems") == Some(&Value::Bool(true));
    arrays(fields, extent, &mut choice);
    if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
        let properties = properties.iter().map(|(name, schema)| (name.as_str(), vec![schema]));
        choice.properties = properties.collect();
    }
    if let Some(required) = fields.get("required").and_then(Value::as_array) {
        choice.required = required.iter().filter_map(Value::as_str).collect();
    }
    choice.additional = match fields.get("additionalProperties") {
        Some(values) => match extent(values) {
            Extent::Everything => Additional::Anything,
            Extent::Something => Additional::Values(vec![values]),
            Extent::Nothing => Additional::Nothing,
        },
        None => Additional::Anything,
    };
    let every_name = every_name(fields).filter(|schema| extent(schema) != Extent::Everything);
    if let Some(schema) = every_name {
        choice.properties.values_mut().for_each(|parts| parts.push(schema));
        choice.additional = match extent(schema) {
            Extent::Nothing => Additional::Nothing,
            _ => Additional::Values(vec![schema]),
        };
    }
    others(fields, &mut choice);
    choice
}

/// The schema of a pattern that every name is like, if it is the only one.
fn every_name(fields: &Map<String, Value>) -> Option<&Value> {
    let patterns = fields.get("patternProperties")?.as_object()?;
    let (pattern, schema) = patterns.iter().next().filter(|_| patterns.len() == 1)?;
    ANY_TEXT.contains(&pattern.as_str()).then_some(schema)
}

/// Whether `unevaluatedProperties` and `unevaluatedItems` are about what is not named, as far as it
/// is known which schemas apply.
pub(super) fn is_evaluated(fields: &Map<String, Value>) -> bool {
    !["if", "dependentSchemas", "dependencies", "contains", "$dynamicRef", "$recursiveRef"]
        .iter()
        .any(|key| fields.contains_key(*key))
}

/// Applies `unevaluatedProperties` and `unevaluatedItems` to a choice of all that a schema says.
pub(super) fn close<'a>(
    choice: &mut Choice<'a>,
    fields: &'a Map<String, Value>,
    extent: &dyn Fn(&'a Value) -> Extent,
) {
    if let Some(values) = fields.get("unevaluatedProperties")
        && matches!(choice.additional, Additional::Anything)
        && !choice.others.contains_key("patternProperties")
    {
        choice.additional = match extent(values) {
            Extent::Everything => Additional::Anything,
            Extent::Something => Additional::Values(vec![values]),
            Extent::Nothing => Additional::Nothing,
        };
    }
    if let Some(values) = fields.get("unevaluatedItems")
        && choice.items.is_empty()
    {
        rest(choice, Some(values), extent);
    }
}

/// What the items are that have no schema of their own.
fn rest<'a>(
    choice: &mut Choice<'a>,
    items: Option<&'a Value>,
    extent: &dyn Fn(&'a Value) -> Extent,
) {
    let Some(schema) = items else { return };
    match extent(schema) {
        Extent::Everything => {}
        Extent::Something => choice.items = vec![schema],
        // There are none.
        Extent::Nothing => {
            let bound = Bound { value: choice.prefix.len().into(), exclusive: false };
            tighten(&mut choice.upper, "maxItems", &bound, false);
        }
    }
}

/// Keywords that are kept as they are written, but for those that say nothing.
fn others<'a>(fields: &'a Map<String, Value>, choice: &mut Choice<'a>) {
    for key in OTHERS {
        let Some((key, value)) = fields.get_key_value(key) else { continue };
        let has = |key: &str| fields.contains_key(key);
        let is_number = |number: u64| value.as_u64() == Some(number);
        let says_nothing = match (key.as_str(), value) {
            ("not", negated) => double_negation(negated).is_some(),
            ("patternProperties", _) if every_name(fields).is_some() => true,
            ("unevaluatedProperties" | "unevaluatedItems", _) if is_evaluated(fields) => true,
            // Even a list of anything must hold one.
            ("contains", _) => {
                fields.get("minContains").and_then(Value::as_u64) == Some(0) && !has("maxContains")
            }
            ("minContains", _) => {
                is_number(1) || !has("contains") || (is_number(0) && !has("maxContains"))
            }
            ("maxContains", _) => !has("contains"),
            ("if", _) => !has("then") && !has("else"),
            ("then" | "else", _) if !has("if") => true,
            ("propertyNames", Value::Object(fields)) => {
                fields.is_empty() || (fields.len() == 1 && fields.contains_key("type"))
            }
            (_, Value::Object(fields)) => fields.is_empty(),
            (_, value) => matches!(value, Value::Bool(true) | Value::Null),
        };
        if says_nothing {
            continue;
        }
        let every = |is: fn(&Value) -> bool| value.as_object().is_some_and(|f| f.values().all(is));
        let key = match key.as_str() {
            // Before 2019-09 the two were one keyword.
            "dependencies" if every(Value::is_array) => "dependentRequired",
            "dependencies" if every(Value::is_object) => "dependentSchemas",
            key => key,
        };
        choice.others.entry(key).or_default().push(value);
    }
}

fn bounds<'a>(fields: &'a Map<String, Value>, choice: &mut Choice<'a>) {
    let number = |key: &str| match fields.get(key) {
        Some(Value::Number(number)) => Some(number.clone()),
        _ => None,
    };
    let flag = |key: &str| fields.get(key) == Some(&Value::Bool(true));
    let bound = |value: Number, exclusive: bool| Bound { value, exclusive };
    for key in ["minimum", "minLength", "minItems", "minProperties"] {
        if let Some(value) = number(key) {
            // OpenAPI 3.0 has a flag beside the limit.
            let exclusive = key == "minimum" && flag("exclusiveMinimum");
            tighten(&mut choice.lower, key, &bound(value, exclusive), true);
        }
    }
    for key in ["maximum", "maxLength", "maxItems", "maxProperties"] {
        if let Some(value) = number(key) {
            let exclusive = key == "maximum" && flag("exclusiveMaximum");
            tighten(&mut choice.upper, key, &bound(value, exclusive), false);
        }
    }
    if let Some(value) = number("exclusiveMinimum") {
        tighten(&mut choice.lower, "minimum", &bound(value, true), true);
    }
    if let Some(value) = number("exclusiveMaximum") {
        tighten(&mut choice.upper, "maximum", &bound(value, true), false);
    }
}

/// `format` and `contentMediaType`, which say the same of binary texts and of JSON in a text.
fn format(fields: &Map<String, Value>, choice: &mut Choice<'_>) {
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    let media_type = text("contentMediaType");
    let format = match (text("format"), media_type) {
        (None, Some("application/octet-stream")) => Some("binary"),
        (None, Some("application/json")) => Some("json-string"),
        // What OpenAPI 3.0 calls a format is an encoding since.
        (Some("byte" | "base64"), _) => {
            let encoding = canonical(&Value::from("base64"));
            choice.facets.entry("contentEncoding").or_default().insert(encoding);
            None
        }
        (format, _) => format,
    };
    if let Some(format) = format {
        choice.facets.entry("format").or_default().insert(format.to_owned());
    }
    let is_given = matches!(media_type, Some("application/octet-stream" | "application/json"));
    if let Some(media_type) = media_type.filter(|_| !is_given) {
        choice.facets.entry("contentMediaType").or_default().insert(media_type.to_owned());
    }
}

fn arrays<'a>(
    fields: &'a Map<String, Value>,
    extent: &dyn Fn(&'a Value) -> Extent,
    choice: &mut Choice<'a>,
) {
    // Before 2020-12 a list of schemas in `items` was what `prefixItems` is now.
    let (prefix, items) = match fields.get("items") {
        Some(Value::Array(prefix)) => (prefix.as_slice(), fields.get("additionalItems")),
        items => (list(fields, "prefixItems"), items),
    };
    choice.prefix = prefix.iter().map(|schema| vec![schema]).collect();
    rest(choice, items, extent);
}
