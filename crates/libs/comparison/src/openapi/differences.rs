//! Where a document differs from an older one, operation by operation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value, json};

use super::normal::is_reference;
use super::overlay::{Overlay, Step, path};
use super::{METHODS, component, normal, pointer_step};

/// A key that is not the same in both documents.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The object that has the key, in the newer document.
    target: Vec<Step>,
    key: String,
    ours: Option<Value>,
    theirs: Option<Value>,
    /// Whether the key only explains, and decides over no request.
    is_annotation: bool,
    /// Whether it stands at a place that is known to be described otherwise.
    is_loose: bool,
}

impl Difference {
    /// Whether a client would send or read something else by it.
    pub fn is_fault(&self) -> bool {
        !self.is_annotation && !self.is_loose
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| match value {
            Some(value) => value.to_string().chars().take(300).collect(),
            None => "nothing".to_owned(),
        };
        let (ours, theirs) = (shown(&self.ours), shown(&self.theirs));
        write!(f, "{}: {}: {ours} instead of {theirs}", path(&self.target), self.key)
    }
}

/// What [`compare`] found.
#[derive(Clone, Debug)]
pub struct Comparison {
    theirs: Value,
    differences: Vec<Difference>,
    components: BTreeSet<String>,
}

impl Comparison {
    /// All differences, in the order of the newer document.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// The differences that an overlay must not hide: [`Difference::is_fault`].
    pub fn faults(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.is_fault())
    }

    /// The overlay that gives the newer document the words of the older one, where they only explain
    /// or where the place is known to be described otherwise.
    pub fn overlay(&self) -> Overlay {
        let mut overlay = Overlay::default();
        let mut carried = BTreeSet::new();
        for difference in self.differences.iter().filter(|difference| !difference.is_fault()) {
            let Difference { target, key, ours, theirs, .. } = difference;
            overlay.set(target, key, ours.is_some(), theirs.as_ref());
            self.reach(theirs.as_ref().unwrap_or(&Value::Null), &mut carried);
        }
        if !carried.is_empty() {
            let schemas: Map<String, Value> = carried
                .iter()
                .filter_map(|name| {
                    let schema = self.theirs["components"]["schemas"].get(name)?;
                    Some((name.clone(), schema.clone()))
                })
                .collect();
            overlay.set(&[], "components", false, Some(&json!({"schemas": schemas})));
        }
        overlay
    }

    /// The components that a value refers to and the newer document does not have.
    fn reach(&self, value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) if is_reference(text) => {
                if let Some((name, schema)) = component(&self.theirs, text)
                    && !self.components.contains(name)
                    && found.insert(name.to_owned())
                {
                    self.reach(schema, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.reach(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| self.reach(field, found)),
            _ => {}
        }
    }
}

/// Compares the operations of `ours` with those of `theirs`, which may be in any form that
/// [`normal`](super::normal) reads.
///
/// `loose` are JSON pointers into the normal form of `theirs`: places where `ours` may say something
/// else. Components may have other names. The names of security schemes, the order of parameters
/// and the description of FastAPI's own 422 are not compared.
pub fn compare(ours: &Value, theirs: &Value, loose: &[String]) -> Comparison {
    let theirs = normal(theirs);
    let mut walk =
        Walk { ours, theirs: &theirs, loose, seen: BTreeSet::new(), found: Vec::new() };
    for (path, item) in ours["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                let at = [key("paths"), key(path), key(method)];
                let pointer = format!("/paths{}/{method}", pointer_step(path));
                walk.operation(operation, &at, &theirs["paths"][path][method], &pointer);
            }
        }
    }
    let differences = walk.found;
    let components = ours["components"]["schemas"].as_object().into_iter().flat_map(Map::keys);
    let components = components.cloned().collect();
    Comparison { theirs, differences, components }
}

fn key(key: &str) -> Step {
    Step::Key(key.to_owned())
}

fn below(at: &[Step], steps: &[&str]) -> Vec<Step> {
    at.iter().cloned().chain(steps.iter().map(|step| key(step))).collect()
}

struct Walk<'a> {
    ours: &'a Value,
    theirs: &'a Value,
    loose: &'a [String],
    /// Pairs of schemas that have been compared.
    seen: BTreeSet<(String, String)>,
    found: Vec<Difference>,
}

/// A schema, or the one that it refers to, and where it is.
struct Layer<'a, P> {
    keywords: &'a Map<String, Value>,
    place: P,
}

/// The words of a schema that a validator heeds.
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
    fn differ(
        &mut self,
        at: &[Step],
        key: &str,
        [ours, theirs]: [Option<&Value>; 2],
        pointer: &str,
        is_annotation: bool,
    ) {
        if same(ours, theirs) {
            return;
        }
        self.found.push(Difference {
            target: at.to_vec(),
            key: key.to_owned(),
            ours: ours.cloned(),
            theirs: theirs.cloned(),
            is_annotation,
            is_loose: self.is_loose(&format!("{pointer}{}", pointer_step(key))),
        });
    }

    fn is_loose(&self, pointer: &str) -> bool {
        let covers = |place: &String| {
            pointer.strip_prefix(place.as_str()).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('/')
            })
        };
        self.loose.iter().any(covers)
    }

    fn operation(&mut self, ours: &Value, at: &[Step], theirs: &Value, pointer: &str) {
        for name in keys(ours, theirs) {
            let both = [ours.get(name), theirs.get(name)];
            match name {
                "parameters" => self.parameters(both, at, pointer),
                "requestBody" => {
                    let [Some(one), Some(other)] = both else {
                        self.differ(at, name, both, pointer, false);
                        continue;
                    };
                    let at = below(at, &[name]);
                    let pointer = format!("{pointer}/{name}");
                    let required = |body: &Value| json!(body["required"] == true);
                    if required(one) != required(other) {
                        let both = [one.get("required"), other.get("required")];
                        self.differ(&at, "required", both, &pointer, false);
                    }
                    self.contents(one, &at, other, &pointer);
                }
                "responses" => {
                    let null = Value::Null;
                    let [one, other] = both.map(|value| value.unwrap_or(&null));
                    self.responses(one, &below(at, &[name]), other, &format!("{pointer}/{name}"));
                }
                "security" => {
                    if self.schemes(both[0], self.ours) != self.schemes(both[1], self.theirs) {
                        self.differ(at, name, both, pointer, false);
                    }
                }
                _ => self.differ(at, name, both, pointer, true),
            }
        }
    }

    /// The kinds of the schemes that an operation names.
    fn schemes(&self, security: Option<&Value>, document: &Value) -> BTreeSet<String> {
        let schemes = &document["components"]["securitySchemes"];
        let demands = security.and_then(Value::as_array).into_iter().flatten();
        let kind = |demand: &Value| {
            let names = demand.as_object().into_iter().flat_map(Map::keys);
            let kinds = names.map(|name| {
                let scheme = &schemes[name];
                let text = |key: &str| scheme[key].as_str().unwrap_or_default().to_lowercase();
                ["type", "scheme", "in", "name"].map(text).join(" ")
            });
            kinds.collect::<Vec<_>>().join(" and ")
        };
        demands.map(kind).collect()
    }

    fn parameters(&mut self, both: [Option<&Value>; 2], at: &[Step], pointer: &str) {
        let list = |value: Option<&'_ Value>| {
            let all = value.and_then(Value::as_array).into_iter().flatten().enumerate();
            let all = all.map(|(index, one)| {
                let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
                let name = text("name");
                let name = if text("in") == "header" { name.to_lowercase() } else { name };
                ((text("in"), name), index)
            });
            all.collect::<BTreeMap<_, _>>()
        };
        let [ours, theirs] = both.map(list);
        if ours.keys().ne(theirs.keys()) {
            self.differ(at, "parameters", both, pointer, false);
            return;
        }
        if ours.is_empty() {
            // An empty list is none.
            self.differ(at, "parameters", both, pointer, true);
        }
        let [Some(our_list), Some(their_list)] = both else { return };
        for (name, index) in ours {
            let (one, other) = (&our_list[index], &their_list[theirs[&name]]);
            let mut at = below(at, &["parameters"]);
            at.push(Step::Index(index));
            let pointer = format!("{pointer}/parameters/{}", theirs[&name]);
            for name in keys(one, other) {
                let both = [one.get(name), other.get(name)];
                match (name, both) {
                    ("schema", [Some(one), Some(other)]) => {
                        self.schema(one, &below(&at, &[name]), other, &format!("{pointer}/schema"));
                    }
                    ("required", _) => {
                        let is_required = both.map(|one| one == Some(&json!(true)));
                        if is_required[0] != is_required[1] {
                            self.differ(&at, name, both, &pointer, false);
                        }
                    }
                    ("content" | "schema", _) => self.differ(&at, name, both, &pointer, false),
                    _ => self.differ(&at, name, both, &pointer, true),
                }
            }
        }
    }

    fn contents(&mut self, ours: &Value, at: &[Step], theirs: &Value, pointer: &str) {
        for name in keys(ours, theirs).filter(|name| *name != "required") {
            let both = [ours.get(name), theirs.get(name)];
            if name != "content" {
                self.differ(at, name, both, pointer, true);
                continue;
            }
            let empty = json!({});
            let [one, other] = both.map(|content| content.unwrap_or(&empty));
            if keys(one, one).collect::<BTreeSet<_>>() != keys(other, other).collect() {
                self.differ(at, name, both, pointer, false);
                continue;
            }
            for kind in keys(one, other) {
                let (one, other) = (&one[kind], &other[kind]);
                let at = below(at, &[name, kind]);
                let pointer = format!("{pointer}/{name}{}", pointer_step(kind));
                for key in keys(one, other) {
                    let both = [one.get(key), other.get(key)];
                    match (key, both) {
                        ("schema", [Some(one), Some(other)]) => {
                            let at = below(&at, &[key]);
                            self.schema(one, &at, other, &format!("{pointer}/{key}"));
                        }
                        ("schema", _) => self.differ(&at, key, both, &pointer, false),
                        _ => self.differ(&at, key, both, &pointer, true),
                    }
                }
            }
        }
    }

    fn responses(&mut self, ours: &Value, at: &[Step], theirs: &Value, pointer: &str) {
        let is_fastapis = |response: Option<&Value>| {
            response.is_some_and(|response| {
                response.pointer("/content/application~1json/schema/$ref")
                    == Some(&json!("#/components/schemas/HTTPValidationError"))
            })
        };
        for status in keys(ours, theirs) {
            let both = [ours.get(status), theirs.get(status)];
            match both {
                _ if status == "422" && is_fastapis(both[0]) && is_fastapis(both[1]) => {}
                [Some(one), Some(other)] if status != "422" => {
                    let pointer = format!("{pointer}/{status}");
                    self.contents(one, &below(at, &[status]), other, &pointer);
                }
                // What else an operation may answer, no type says.
                [None, Some(_)] => self.differ(at, status, both, pointer, true),
                _ => self.differ(at, status, both, pointer, status == "422"),
            }
        }
    }

    fn schema(&mut self, ours: &Value, at: &[Step], theirs: &Value, pointer: &str) {
        let our_layers = self.our_layers(ours, at);
        let their_layers = self.their_layers(theirs, pointer);
        let pair = (
            our_layers.iter().map(|layer| path(&layer.place)).collect::<String>(),
            their_layers.iter().map(|layer| layer.place.as_str()).collect::<String>(),
        );
        if self.seen.contains(&pair) {
            return;
        }
        if their_layers.iter().any(|layer| self.is_loose(&layer.place)) {
            let (count, seen) = (self.found.len(), self.seen.clone());
            self.seen.insert(pair);
            self.layers(&our_layers, &their_layers);
            // What is wrong elsewhere, in a component, is noted there.
            let is_same = self.found[count..].iter().all(|difference| {
                difference.is_annotation
                    || (difference.is_loose && !difference.target.starts_with(at))
            });
            if !is_same && ours != theirs {
                self.seen = seen;
                self.found.truncate(count);
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
        layers(ours, schema, at.to_vec(), |name| {
            vec![key("components"), key("schemas"), key(name)]
        })
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
            // What only they say, is said where they say it.
            let is_outside = their_layer == Some(0) && theirs.len() > 1;
            let fallback = if is_outside { ours.first() } else { ours.last() };
            let (Some(layer), Some(fallback)) = (our_layer.or(fallback), ours.first()) else {
                continue;
            };
            let their_layer = their_layer.and_then(|index| theirs.get(index));
            let pointer = their_layer.or(theirs.last()).map_or("", |layer| layer.place.as_str());
            let both =
                [our_layer.and_then(|layer| layer.keywords.get(name)), their_layer.and_then(|layer| layer.keywords.get(name))];
            // A word that is not theirs at a reference is taken away where it stands.
            let at = if our_layer.is_some() { &layer.place } else if is_outside { &fallback.place } else { &layer.place };
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

/// Whether two schemas accept the same whatever this word is in them.
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
    place: P,
    of: impl Fn(&str) -> P,
) -> Vec<Layer<'v, P>> {
    let mut layers = Vec::new();
    let (mut schema, mut place) = (schema, place);
    while let Some(keywords) = schema.as_object() {
        layers.push(Layer { keywords, place });
        let reference = keywords.get("$ref").and_then(Value::as_str);
        let next = reference.and_then(|reference| component(document, reference));
        let Some((name, next)) = next.filter(|_| layers.len() < 8) else { break };
        (schema, place) = (next, of(name));
    }
    layers
}

/// The keys of two objects.
fn keys<'v>(one: &'v Value, other: &'v Value) -> impl Iterator<Item = &'v str> {
    let mut names: Vec<&str> = Vec::new();
    let fields = [one, other].into_iter().filter_map(Value::as_object);
    for name in fields.flat_map(Map::keys) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.into_iter()
}

/// Whether two values are the same; 1 and 1.0 are.
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    fn values(one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| values(a, b))
            }
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| values(a, b)))
            }
            (one, other) => one == other,
        }
    }
    match (one, other) {
        (Some(one), Some(other)) => values(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}
