//! Two schemas, keyword by keyword.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::difference::Difference;
use super::names::{component, pointer_step};
use super::overlay::{Step, path};
use super::walk::{Walk, below, key, keys};

/// A schema, or the one that it refers to, and where it is.
struct Layer<'a, P> {
    keywords: &'a Map<String, Value>,
    location: P,
}

/// The keywords that decide which values are valid, beside those that have a comparison of their own.
const RULES: [&str; 29] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentMediaType",
    "default",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "uniqueItems",
];

impl<'a> Walk<'a> {
    pub(super) fn schema(&mut self, ours: &Value, at: &[Step], theirs: &Value, pointer: &str) {
        let our_layers = self.our_layers(ours, at);
        let their_layers = self.their_layers(theirs, pointer);
        let pair = (
            our_layers.iter().map(|layer| path(&layer.location)).collect::<String>(),
            their_layers.iter().map(|layer| layer.location.as_str()).collect::<String>(),
        );
        if self.seen.contains(&pair) {
            return;
        }
        if their_layers.iter().any(|layer| self.is_loose(&layer.location)) {
            let (count, seen) = (self.found.len(), self.seen.clone());
            self.seen.insert(pair);
            self.layers(&our_layers, &their_layers);
            // What is wrong elsewhere, in a component, is noted there.
            let is_same = self.found[count..].iter().all(|difference| {
                difference.is_annotation
                    || (difference.is_loose && !difference.target.starts_with(at))
            });
            if !is_same && ours != theirs {
                // Of one component, what differs in it is noted there.
                let reference = ours.get("$ref");
                if reference.is_some() && reference == theirs.get("$ref") {
                    let found = self.found.split_off(count);
                    self.found.extend(found.into_iter().filter(|one| !one.target.starts_with(at)));
                } else {
                    self.seen = seen;
                    self.found.truncate(count);
                }
                self.replace(ours, at, theirs);
            }
            return;
        }
        self.seen.insert(pair);
        self.layers(&our_layers, &their_layers);
    }

    /// All keys of a schema that is known to be another one.
    fn replace(&mut self, ours: &Value, at: &[Step], theirs: &Value) {
        for name in keys(ours, theirs) {
            let [ours, theirs] = [ours.get(name), theirs.get(name)];
            if ours != theirs {
                self.found.push(Difference {
                    target: at.to_vec(),
                    key: name.to_owned(),
                    ours: ours.cloned(),
                    theirs: theirs.cloned(),
                    is_annotation: false,
                    is_loose: true,
                });
            }
        }
    }

    fn our_layers(&self, schema: &'a Value, at: &[Step]) -> Vec<Layer<'a, Vec<Step>>> {
        let ours = self.ours;
        layers(ours, schema, at.to_vec(), |name| vec![key("components"), key("schemas"), key(name)])
    }

    fn their_layers<'t>(&self, schema: &'t Value, pointer: &str) -> Vec<Layer<'t, String>>
    where
        'a: 't,
    {
        let theirs: &'t Value = self.theirs;
        layers(theirs, schema, pointer.to_owned(), |name| {
            format!("/components/schemas{}", pointer_step(name))
        })
    }

    fn layers(&mut self, ours: &[Layer<'_, Vec<Step>>], theirs: &[Layer<'_, String>]) {
        let mut names: Vec<&str> = Vec::new();
        let all = ours.iter().map(|layer| layer.keywords);
        for keywords in all.chain(theirs.iter().map(|layer| layer.keywords)) {
            for name in keywords.keys().map(String::as_str) {
                if name != "$ref" && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        for name in names {
            let our_layer = ours.iter().find(|layer| layer.keywords.contains_key(name));
            let their_layer = theirs.iter().position(|layer| layer.keywords.contains_key(name));
            // A keyword that only theirs has, beside a reference, is added beside our reference: in the
            // component it would apply wherever that is referred to.
            let is_outside = their_layer == Some(0) && theirs.len() > 1;
            let fallback = if is_outside { ours.first() } else { ours.last() };
            let (Some(layer), Some(fallback)) = (our_layer.or(fallback), ours.first()) else {
                continue;
            };
            let their_layer = their_layer.and_then(|index| theirs.get(index));
            let pointer = their_layer.or(theirs.last()).map_or("", |layer| layer.location.as_str());
            let both = [
                our_layer.and_then(|layer| layer.keywords.get(name)),
                their_layer.and_then(|layer| layer.keywords.get(name)),
            ];
            // A text that is theirs at a reference is set at ours: others refer to the component, too. A
            // keyword that is not theirs there is removed where it stands.
            let is_plain = both.iter().flatten().all(|one| !one.is_object() && !one.is_array());
            let is_set_here = is_outside && (our_layer.is_none() || is_plain);
            let at = if is_set_here { &fallback.location } else { &layer.location };
            let all = [keywords_of(ours), keywords_of(theirs)];
            self.keyword(name, both, &at.clone(), pointer, &all);
        }
    }

    fn keyword(
        &mut self,
        name: &str,
        both: [Option<&Value>; 2],
        at: &[Step],
        pointer: &str,
        all: &[Map<String, Value>; 2],
    ) {
        let inner = format!("{pointer}/{name}");
        match (name, both) {
            ("properties" | "patternProperties", _) => {
                let empty = json!({});
                let [ours, theirs] = both.map(|fields| fields.unwrap_or(&empty));
                if both.contains(&None) {
                    let is_empty = ours == theirs;
                    return self.differ(at, name, both, pointer, is_empty);
                }
                let at = below(at, &[name]);
                for field in keys(ours, theirs) {
                    match [ours.get(field), theirs.get(field)] {
                        [Some(one), Some(other)] => {
                            let inner = format!("{inner}{}", pointer_step(field));
                            self.schema(one, &below(&at, &[field]), other, &inner);
                        }
                        both => self.differ(&at, field, both, &inner, false),
                    }
                }
            }
            (
                "items" | "additionalProperties" | "propertyNames" | "not" | "contains",
                [Some(one @ Value::Object(_)), Some(other @ Value::Object(_))],
            ) => self.schema(one, &below(at, &[name]), other, &inner),
            (
                "anyOf" | "oneOf" | "allOf" | "prefixItems",
                [Some(Value::Array(ours)), Some(Value::Array(theirs))],
            ) if ours.len() == theirs.len() => {
                for (index, (one, other)) in ours.iter().zip(theirs).enumerate() {
                    let mut at = below(at, &[name]);
                    at.push(Step::Index(index));
                    self.schema(one, &at, other, &format!("{inner}/{index}"));
                }
            }
            ("required", _) => {
                let set = |value: Option<&Value>| -> BTreeSet<String> {
                    let all = value.and_then(Value::as_array).into_iter().flatten();
                    all.filter_map(Value::as_str).map(str::to_owned).collect()
                };
                if set(both[0]) != set(both[1]) {
                    self.differ(at, name, both, pointer, false);
                }
            }
            ("discriminator", _) => {
                let tags = |value: Option<&Value>| {
                    let mapping = value?.get("mapping")?.as_object()?;
                    Some(mapping.keys().cloned().collect::<BTreeSet<_>>())
                };
                if tags(both[0]) != tags(both[1]) || both.contains(&None) {
                    self.differ(at, name, both, pointer, true);
                }
            }
            _ => {
                let is_rule = RULES.contains(&name) || name == "type";
                let is_annotation = !is_rule || means_nothing(name, both, all);
                self.differ(at, name, both, pointer, is_annotation);
            }
        }
    }
}

/// Whether two schemas accept the same values, whatever this keyword is in each.
fn means_nothing(name: &str, both: [Option<&Value>; 2], all: &[Map<String, Value>; 2]) -> bool {
    let absent_or = |values: &[Value]| both.into_iter().flatten().all(|one| values.contains(one));
    let is_file = |keywords: &Map<String, Value>| {
        keywords.get("type") == Some(&json!("string"))
            && (keywords.get("format") == Some(&json!("binary"))
                || keywords.get("contentMediaType") == Some(&json!("application/octet-stream")))
    };
    let values = |keywords: &Map<String, Value>| match keywords.get("enum") {
        Some(values) => Some(values.clone()),
        None => keywords.get("const").map(|value| json!([value])),
    };
    match name {
        "additionalProperties" => absent_or(&[json!(true), json!({})]),
        "default" => absent_or(&[Value::Null]),
        "uniqueItems" => absent_or(&[json!(false)]),
        "format" | "contentMediaType" => all.iter().all(is_file),
        "enum" | "const" => {
            let [ours, theirs] = [&all[0], &all[1]].map(values);
            ours == theirs
        }
        // Beside an enumeration it says nothing.
        "type" => {
            let [ours, theirs] = [&all[0], &all[1]].map(values);
            ours.is_some() && ours == theirs && both.contains(&None)
        }
        // No URL is empty.
        "minLength" => {
            absent_or(&[json!(1)])
                && all.iter().all(|keywords| keywords.get("format") == Some(&json!("uri")))
        }
        "items" => absent_or(&[json!({}), json!(true)]),
        _ => false,
    }
}

fn keywords_of<P>(layers: &[Layer<'_, P>]) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in layers.iter().flat_map(|layer| layer.keywords) {
        all.entry(name.clone()).or_insert_with(|| value.clone());
    }
    all
}

/// A schema and those that it refers to, one after the other.
fn layers<'v, P>(
    document: &'v Value,
    schema: &'v Value,
    location: P,
    of: impl Fn(&str) -> P,
) -> Vec<Layer<'v, P>> {
    let mut layers = Vec::new();
    let (mut schema, mut location) = (schema, location);
    while let Some(keywords) = schema.as_object() {
        layers.push(Layer { keywords, location });
        let reference = keywords.get("$ref").and_then(Value::as_str);
        let next = reference.and_then(|reference| component(document, reference));
        let Some((name, next)) = next.filter(|_| layers.len() < 8) else { break };
        (schema, location) = (next, of(name));
    }
    layers
}
