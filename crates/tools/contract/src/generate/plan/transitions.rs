//! From each state of a thing into each other, where a request names the state.

use serde_json::Value;

use super::Generator;
use crate::case::Case;
use crate::generate::draft::object;
use crate::openapi::{fields, resolve};

/// What the field with a state is called.
const STATES: [&str; 4] = ["status", "state", "stage", "phase"];
/// How many pairs of states are tried of an operation.
const PAIRS: usize = 10;

impl Generator<'_> {
    /// For each two states a thing that is brought from one into the other and back, and read each time.
    /// Nothing if an operation names no state.
    pub(super) fn transitions(&mut self, index: usize) -> Vec<Vec<Case>> {
        let operation = &self.operations[index];
        let field = fields(operation.fields).find_map(|(name, schema)| {
            let values = states(self.document, schema)?;
            let is_alone = fields(operation.fields).count() == 1;
            (STATES.contains(&name.as_str()) || is_alone).then(|| (name.clone(), values))
        });
        let own = field.filter(|_| operation.is_write() && operation.method != "DELETE");
        let (Some((name, states)), Some(path)) = (own, self.resource_of(index)) else {
            return Vec::new();
        };
        let user = self.actor(index);
        let pairs = states.iter().enumerate();
        let pairs = pairs.flat_map(|(at, a)| states[at + 1..].iter().map(move |b| (a, b)));
        let pairs: Vec<_> = pairs.take(PAIRS).collect();
        let mut units = Vec::new();
        for (from, to) in pairs {
            let mut cases = Vec::new();
            let thing = self.create_own(&path, user, &mut cases);
            for state in [from, to, from] {
                let mut draft = self.draft(index, user, Some(&thing), 0);
                self.reduce(index, &mut draft);
                if let Some(body) = object(&mut draft) {
                    body.insert(name.clone(), state.clone());
                }
                cases.push(self.case(index, draft, &format!("{name} {state}")));
                self.read_again(&path, user, &thing, &mut cases);
            }
            units.push(cases);
        }
        units
    }
}

/// The states that a schema names; none if it names fewer than three.
fn states(document: &Value, schema: &Value) -> Option<Vec<Value>> {
    let schema = resolve(document, schema);
    let choices = ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let mut all = choices.map(|choice| resolve(document, choice)).chain([schema]);
    let values = all.find_map(|choice| choice["enum"].as_array())?;
    (values.len() > 2 && values.iter().all(Value::is_string)).then(|| values.clone())
}
