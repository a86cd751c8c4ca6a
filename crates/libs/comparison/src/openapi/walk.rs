//! Two documents, operation by operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::difference::Difference;
use super::names::pointer_step;
use super::overlay::Step;

pub(super) fn key(key: &str) -> Step {
    Step::Key(key.to_owned())
}

pub(super) fn below(at: &[Step], steps: &[&str]) -> Vec<Step> {
    at.iter().cloned().chain(steps.iter().map(|step| key(step))).collect()
}

/// On the way through two documents.
pub(super) struct Walk<'a> {
    pub(super) ours: &'a Value,
    pub(super) theirs: &'a Value,
    pub(super) loose: &'a [String],
    /// Pairs of schemas that have been compared.
    pub(super) seen: BTreeSet<(String, String)>,
    pub(super) found: Vec<Difference>,
}

impl Walk<'_> {
    pub(super) fn differ(
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

    pub(super) fn is_loose(&self, pointer: &str) -> bool {
        let covers = |loose: &String| {
            pointer
                .strip_prefix(loose.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.loose.iter().any(covers)
    }

    pub(super) fn operation(&mut self, ours: &Value, at: &[Step], theirs: &Value, pointer: &str) {
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
                    if schemes(both[0], self.ours) != schemes(both[1], self.theirs) {
                        self.differ(at, name, both, pointer, false);
                    }
                }
                _ => self.differ(at, name, both, pointer, true),
            }
        }
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
}

/// The kinds of the schemes that an operation names.
fn schemes(security: Option<&Value>, document: &Value) -> BTreeSet<String> {
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

/// The keys of two objects.
pub(super) fn keys<'v>(one: &'v Value, other: &'v Value) -> impl Iterator<Item = &'v str> {
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
