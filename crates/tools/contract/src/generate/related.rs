//! Values for a parameter that have to do with what was created: rows that a list filters by, where it
//! goes on, parts of texts that it searches, fields that it orders by.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::operation::{Operation, collection};
use super::schema::{kind, non_null, parameter_schema};
use super::text::{plain, swapped};
use crate::openapi::resolve;
use crate::valid::is_valid;

/// How many values of one kind are taken from what was created, for a parameter.
const RELATED: usize = 6;

/// What parameters that count rows are called, which take no id of one.
const COUNTS: [&str; 8] = ["limit", "size", "count", "page", "offset", "skip", "per", "top"];

/// What was sent and created before.
pub(super) struct Related<'s> {
    pub(super) document: &'s Value,
    /// The users who created things, and the variables with their ids, by collection.
    pub(super) created: &'s BTreeMap<String, Vec<(usize, String)>>,
    /// The values of fields that were sent, by their names.
    pub(super) sent: &'s BTreeMap<String, Vec<Value>>,
}

impl<'s> Related<'s> {
    /// Values for a parameter that have to do with what was created: those of a field that it
    /// filters by, parts of texts that it searches, fields that it orders by.
    pub(super) fn values(
        &self,
        operation: &Operation<'s>,
        name: &str,
        schema: &Value,
    ) -> Vec<(String, Value)> {
        let words = tokens(name);
        let mut values: Vec<(String, Value)> = Vec::new();
        let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        if has(&["sort", "order", "ordering", "orderby", "sortby"]) {
            for field in operation.returned_fields(self.document).into_iter().take(8) {
                for text in [field.to_owned(), format!("-{field}"), format!("{field}:desc")] {
                    values.push(("a field to order by".to_owned(), text.into()));
                }
            }
        }
        let is_search = searches(&words);
        // Where a list goes on, or what it filters by, may be one of its rows.
        let rows = self.created.get(&collection(operation.path));
        let of_id = resolve(self.document, non_null(schema));
        let is_id = ["integer", "string"].contains(&kind(of_id))
            && of_id.get("enum").is_none()
            && matches!(of_id["format"].as_str(), None | Some("uuid"));
        let is_count = has(&COUNTS);
        if let Some(rows) = rows.filter(|_| operation.method == "GET" && is_id && !is_count) {
            let chosen = [rows.first(), rows.get(rows.len() / 2), rows.last()];
            for (_, variable) in chosen.into_iter().flatten() {
                let sign = if kind(of_id) == "integer" { "#" } else { "" };
                values
                    .push(("the id of a row".to_owned(), format!("${{{sign}{variable}}}").into()));
            }
        }
        let is_time = matches!(of_id["format"].as_str(), Some("date" | "date-time" | "time"));
        for (field, sent) in self.sent {
            let times = sent.iter().filter(|_| is_time).filter_map(|value| as_time(of_id, value));
            values.extend(times.map(|time| ("a known one".to_owned(), time.into())));
            let is_of_field = tokens(field).iter().any(|token| words.contains(token));
            for value in sent.iter().filter(|_| is_of_field || is_search) {
                let value = match value {
                    Value::Array(items) if schema["type"] != "array" => {
                        items.first().unwrap_or(&Value::Null)
                    }
                    value => value,
                };
                let text = value.as_str().filter(|text| !text.starts_with("${"));
                if let Some(text) = text.filter(|text| text.chars().count() > 3) {
                    let start: String = text.chars().take(3).collect();
                    let middle: String = text.chars().skip(1).take(2).collect();
                    for part in [start, swapped(text), middle] {
                        values.push(("a part of a known one".to_owned(), part.into()));
                    }
                }
                values.push(("a known one".to_owned(), value.clone()));
                if schema["type"] == "array" || schema["anyOf"][0]["type"] == "array" {
                    values.push(("a known one in a list".to_owned(), json!([value])));
                }
            }
        }
        if is_search {
            let parts = ["%", "_", "e", "text", "TEXT", "alpha"];
            values.extend(parts.map(|text| ("a part of a text".to_owned(), json!(text))));
        }
        if kind(resolve(self.document, non_null(schema))) == "array" {
            let mut known: Vec<Value> = Vec::new();
            for item in values.iter().filter_map(|(_, value)| value.get(0)) {
                if !known.contains(item) {
                    known.push(item.clone());
                }
            }
            let pairs = known.windows(2).map(|pair| ("two known ones".to_owned(), json!(pair)));
            values.extend(pairs.collect::<Vec<_>>());
        }
        values.retain(|(_, value)| !value.is_null() && is_valid(self.document, schema, value));
        let mut seen: Vec<Value> = Vec::new();
        values.retain(|(_, value)| {
            let is_new = !seen.contains(value);
            seen.push(value.clone());
            is_new
        });
        // Some of each kind.
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        values.retain(|(what, _)| {
            let count = kinds.entry(what.clone()).or_default();
            *count += 1;
            *count <= RELATED
        });
        values
    }

    /// Whole numbers that were sent in fields with a word of this one's name, and those next to them: points
    /// where there is a maximum of points.
    pub(super) fn near_known(&self, name: &str, schema: &Value) -> Vec<Value> {
        let of = resolve(self.document, non_null(schema));
        if !["integer", "number"].contains(&kind(of)) {
            return Vec::new();
        }
        let words = tokens(name);
        let is_related = |field: &&String| {
            *field != name && tokens(field).iter().any(|word| words.contains(word))
        };
        let fields = self.sent.keys().filter(is_related);
        let numbers = fields.filter_map(|field| self.sent[field].iter().find_map(Value::as_i64));
        numbers
            .take(2)
            .flat_map(|number| [number, number.saturating_add(1), number.saturating_sub(1)])
            .map(Value::from)
            .collect()
    }
}

/// The words of a name, without endings of the plural: `min_price`, `minPrice` and `filter[prices]`.
fn tokens(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && c.is_alphanumeric()
        {
            word.extend(c.to_lowercase());
        }
    }
    let is_name = |word: &String| !word.is_empty() && !["is", "id", "at", "has"].contains(&&**word);
    words.retain(is_name);
    let singular = |word: &String| word.strip_suffix('s').unwrap_or(word).to_owned();
    words.iter().map(singular).collect()
}

/// What was sent as the moment that a parameter takes: of a time its day, where it takes days.
pub(super) fn as_time(schema: &Value, sent: &Value) -> Option<String> {
    let text = sent.as_str().filter(|text| !text.starts_with("${"))?;
    let is_moment = |text: &str| chrono::DateTime::parse_from_rfc3339(text).is_ok();
    match schema["format"].as_str()? {
        "date" if is_moment(text) => Some(text.chars().take(10).collect()),
        _ => Some(text.to_owned()),
    }
}

/// Whether a parameter with a name of these words searches texts.
fn searches(words: &[String]) -> bool {
    const SEARCH: [&str; 8] =
        ["q", "query", "search", "term", "text", "filter", "contains", "like"];
    words.iter().any(|word| SEARCH.contains(&word.as_str()))
}

/// The value with which a parameter selects a row, if it is one that filters by a field of it.
pub(super) fn selecting(
    document: &Value,
    parameter: &Value,
    row: &Map<String, Value>,
) -> Option<String> {
    let words = tokens(parameter["name"].as_str()?);
    let schema = parameter_schema(parameter);
    let is_written = |text: &&str| !text.starts_with("${");
    if searches(&words) {
        let mut texts = row.values().filter_map(Value::as_str).filter(is_written);
        let text = texts.find(|text| text.chars().count() > 3)?;
        return Some(text.chars().skip(1).collect());
    }
    let (_, value) =
        row.iter().find(|(field, _)| tokens(field).iter().any(|word| words.contains(word)))?;
    let is_list = kind(resolve(document, non_null(schema))) == "array";
    let value = match value {
        Value::Array(items) if is_list => json!(items.first()?),
        value => value.clone(),
    };
    let sent = if is_list { json!([value]) } else { value.clone() };
    let is_known = !value.is_null()
        && !value.is_object()
        && (value.as_str().is_some_and(|text| text.starts_with("${"))
            || is_valid(document, schema, &sent));
    is_known.then(|| plain(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_words() {
        assert_eq!(tokens("min_price"), ["min", "price"]);
        assert_eq!(tokens("minPrice"), ["min", "price"]);
        assert_eq!(tokens("filter[tags]"), ["filter", "tag"]);
        assert_eq!(tokens("owner_id"), ["owner"]);
    }
}
