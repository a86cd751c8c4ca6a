//! Where a service is to be reached.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Comparison, Spot};
use crate::openapi::change::Class;
use crate::openapi::document::fields;

impl Comparison<'_> {
    pub(super) fn servers(&mut self, spot: &Spot, old: &Value, new: &Value) {
        let urls = |servers: &Value| -> BTreeSet<String> {
            servers.as_array().into_iter().flatten().flat_map(addresses_of).collect()
        };
        let (before, after) = (urls(old), urls(new));
        let or_root =
            |urls: BTreeSet<String>| if urls.is_empty() { [String::new()].into() } else { urls };
        let (before, after) = (or_root(before), or_root(after));
        for url in before.difference(&after) {
            let what = format!("the server '{url}' was removed");
            self.note(spot, "server-removed", Class::NonBreaking, what);
        }
        for url in after.difference(&before) {
            let what = format!("the server '{url}' is new");
            self.note(spot, "server-added", Class::Documentation, what);
        }
    }
}

/// The addresses of a server: one for each value of its variables.
fn addresses_of(server: &Value) -> Vec<String> {
    const MAX_URLS: usize = 64;
    let Some(url) = server["url"].as_str() else { return Vec::new() };
    let mut urls = vec![url.trim_end_matches('/').to_owned()];
    for (name, variable) in fields(&server["variables"]) {
        let values: Vec<&str> = match variable["enum"].as_array() {
            Some(values) => values.iter().filter_map(Value::as_str).collect(),
            None => variable["default"].as_str().into_iter().collect(),
        };
        if values.is_empty() || urls.len() * values.len() > MAX_URLS {
            continue;
        }
        let placeholder = format!("{{{name}}}");
        let with = |url: &String| -> Vec<String> {
            values.iter().map(|value| url.replace(&placeholder, value)).collect()
        };
        urls = urls.iter().flat_map(with).collect();
    }
    urls
}
