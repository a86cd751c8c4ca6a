//! What is not drafted as the old service has it, and why.

use std::collections::BTreeSet;

use super::attributes::comment;
use super::document::Document;

/// A part of an operation or of a model.
#[derive(Clone, Debug)]
pub(super) struct Loose {
    /// What has it.
    pub(super) owner: Owner,
    /// What is drafted otherwise, in words, and why.
    pub(super) reason: String,
    /// Where it is in the old document.
    pub(super) pointer: Option<String>,
    /// Whether more is accepted than by the old service; else only the document says something else.
    pub(super) accepts_more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// By its position among the chosen ones.
    Operation(usize),
    /// By its base name.
    Component(String),
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Looseness(Vec<Loose>);

impl Looseness {
    pub(super) fn add(&mut self, loose: Loose) {
        let is_new = self.0.iter().all(|other| {
            (&other.owner, &other.reason, &other.pointer)
                != (&loose.owner, &loose.reason, &loose.pointer)
        });
        if is_new {
            self.0.push(loose);
        }
    }

    /// The pointers at which our document may say something else than the old one.
    pub(super) fn pointers(&self) -> BTreeSet<String> {
        self.0.iter().filter_map(|loose| loose.pointer.clone()).collect()
    }

    /// Comments for the code of an owner.
    pub(super) fn comments(&self, owner: &Owner) -> String {
        let own = self.0.iter().filter(|loose| loose.owner == *owner);
        let reasons: BTreeSet<&str> = own.map(|loose| loose.reason.as_str()).collect();
        let line = |reason: &&str| format!("// Loose: {}\n", comment(reason));
        reasons.iter().map(line).collect()
    }

    /// Why an operation accepts more than the old service, by the components that its requests hold.
    pub(super) fn of(&self, operation: usize, requests: &BTreeSet<String>) -> Vec<String> {
        let mut reasons = BTreeSet::new();
        for loose in self.0.iter().filter(|loose| loose.accepts_more) {
            let concerns = match &loose.owner {
                Owner::Operation(index) => *index == operation,
                Owner::Component(name) => requests.contains(name),
            };
            if concerns {
                reasons.insert(loose.reason.clone());
            }
        }
        reasons.into_iter().collect()
    }
}

/// All components that a value refers to, by their base names.
pub(super) fn reach(
    document: &Document<'_>,
    value: &serde_json::Value,
    found: &mut BTreeSet<String>,
) {
    match value {
        serde_json::Value::Array(items) => {
            for item in items {
                reach(document, item, found);
            }
        }
        serde_json::Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(serde_json::Value::as_str);
            if let Some((name, schema)) = reference.and_then(|name| document.component(name))
                && found.insert(document.base(name).to_owned())
            {
                reach(document, schema, found);
            }
            for value in fields.values() {
                reach(document, value, found);
            }
        }
        _ => {}
    }
}

/// The components of an operation's requests.
pub(super) fn requested(
    document: &Document<'_>,
    operation: &serde_json::Value,
) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let all = operation.as_object().into_iter().flatten();
    for (_, value) in all.filter(|(key, _)| ["parameters", "requestBody"].contains(&key.as_str())) {
        reach(document, value, &mut found);
    }
    found
}
