//! Which cases a run sends: `--only` and `--skip`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::case::{Case, Variables};
use crate::openapi::{Operation, like, operation_of, operations};
use crate::run::Options;

/// A pattern with `*` for anything, which must fit as a whole.
///
/// `case:`, `operation:`, `path:` and `tag:` before it restrict what is matched; without them any of the
/// name of the case, its operation (`GET /items/{id}` or the operationId) and its path.
#[derive(Clone, Debug)]
struct Pattern {
    kind: Option<&'static str>,
    text: String,
}

impl Pattern {
    fn of(text: &str) -> Self {
        let kinds = ["case", "operation", "path", "tag"];
        let prefixed = text.split_once(':').and_then(|(prefix, rest)| {
            Some((*kinds.iter().find(|kind| **kind == prefix)?, rest.to_owned()))
        });
        match prefixed {
            Some((kind, text)) => Self { kind: Some(kind), text },
            None => Self { kind: None, text: text.to_owned() },
        }
    }

    fn fits(&self, properties: &Properties) -> bool {
        properties.iter().any(|(kind, value)| {
            self.kind.map_or(*kind != "tag", |wanted| wanted == *kind) && like(&self.text, value)
        })
    }
}

/// Which cases are sent.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Vec<Pattern>,
    skip: Vec<Pattern>,
}

impl Selection {
    pub fn new(only: &[String], skip: &[String]) -> Self {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::of(text)).collect();
        Self { only: patterns(only), skip: patterns(skip) }
    }

    /// Whether every case is sent.
    pub fn is_all(&self) -> bool {
        self.only.is_empty() && self.skip.is_empty()
    }

    /// The operations of a document of which some request may be selected. The names of cases are known
    /// only later: a pattern that fits no operation may fit one of them.
    pub fn operations(&self, document: &Value) -> BTreeSet<String> {
        let all: Vec<(String, Properties)> = operations(document)
            .into_iter()
            .map(|(name, path, found)| {
                let mut properties = of_operation(path, &found);
                properties.push(("operation", name.clone()));
                (name, properties)
            })
            .collect();
        let is_of_cases = |pattern: &Pattern| {
            pattern.kind.is_none_or(|kind| kind == "case")
                && !all.iter().any(|(_, properties)| pattern.fits(properties))
        };
        let may_be_any = self.only.is_empty() || self.only.iter().any(is_of_cases);
        let is_wanted = |properties: &Properties| {
            (may_be_any || self.only.iter().any(|pattern| pattern.fits(properties)))
                && !self.skip.iter().any(|pattern| pattern.fits(properties))
        };
        let wanted = all.iter().filter(|(_, properties)| is_wanted(properties));
        wanted.map(|(name, _)| name.clone()).collect()
    }

    /// The cases that are selected, in their order, and those before them that they need: that capture
    /// what they use, and with kept cookies the first of each user, which signs in. Requests of `users`
    /// are sent after them.
    pub fn of(
        &self,
        cases: Vec<Case>,
        users: &[String],
        document: Option<&Value>,
        options: &Options,
    ) -> Vec<Case> {
        if self.is_all() {
            return cases;
        }
        let mut first: BTreeMap<String, usize> = BTreeMap::new();
        for (position, case) in cases.iter().enumerate().filter(|_| options.keeps_cookies) {
            first.entry(case.user.clone().unwrap_or_default()).or_insert(position);
        }
        let of_user = |user: &String| Case { user: Some(user.clone()), ..Case::default() };
        let uses = |case: &Case| options.uses(case, &Variables::new());
        let mut needed: BTreeSet<String> = users.iter().flat_map(|u| uses(&of_user(u))).collect();
        let mut senders: BTreeSet<String> = users.iter().cloned().collect();
        let mut selected: Vec<Case> = Vec::new();
        for (position, case) in cases.into_iter().enumerate().rev() {
            let properties = properties(&case, document);
            let user = case.user.clone().unwrap_or_default();
            let is_wanted = (self.only.is_empty() || self.only.iter().any(|p| p.fits(&properties)))
                && !self.skip.iter().any(|pattern| pattern.fits(&properties));
            let gives = case.capture.keys().any(|name| needed.contains(name))
                || senders.contains(&user) && first.get(&user) == Some(&position);
            if is_wanted || gives {
                for name in case.capture.keys() {
                    needed.remove(name);
                }
                needed.extend(uses(&case));
                senders.insert(user);
                selected.push(case);
            }
        }
        selected.reverse();
        selected
    }
}

/// What a pattern may fit: its kind and its value.
type Properties = Vec<(&'static str, String)>;

/// Those of a case, with those of its operation.
fn properties(case: &Case, document: Option<&Value>) -> Properties {
    let operation = document.and_then(|document| operation_of(document, &case.request));
    let operation = operation.unwrap_or_else(|| case.operation());
    let path = case.request.split_once(' ').map_or("", |(_, target)| target);
    let path = path.split('?').next().unwrap_or_default();
    let mut properties = vec![("case", case.name.clone()), ("path", path.to_owned())];
    for (name, template, found) in document.map(operations).unwrap_or_default() {
        if name == operation {
            properties.extend(of_operation(template, &found));
        }
    }
    properties.push(("operation", operation));
    properties
}

/// The tags and the operationId that a document gives an operation.
fn of_operation(path: &str, operation: &Operation<'_>) -> Properties {
    let tags = operation.value["tags"].as_array().into_iter().flatten();
    let tags = tags.filter_map(Value::as_str).map(|tag| ("tag", tag.to_owned()));
    let id = operation.value["operationId"].as_str().map(|id| ("operation", id.to_owned()));
    [("path", path.to_owned())].into_iter().chain(id).chain(tags).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selected(only: &[&str], skip: &[&str]) -> Vec<String> {
        let case = |name: &str, request: &str, capture: &str, user: Option<&str>| Case {
            name: name.into(),
            request: request.into(),
            capture: [(capture.to_owned(), "/id".to_owned())]
                .into_iter()
                .filter(|(name, _)| !name.is_empty())
                .collect(),
            user: user.map(ToOwned::to_owned),
            ..Case::default()
        };
        let cases = vec![
            case("sign in", "POST /login", "alice", None),
            case("another", "POST /login", "bob", None),
            case("create", "POST /items/", "item", Some("alice")),
            case("read", "GET /items/${item}?a=1", "", Some("alice")),
            case("health", "GET /health", "", None),
            case("me", "GET /me", "", Some("carol")),
        ];
        let document = json!({"openapi": "3.1.0", "paths": {
            "/items/{id}": {"get": {"operationId": "read_item", "tags": ["items"]}},
            "/items/": {"post": {"tags": ["items"]}},
        }});
        let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let selection = Selection::new(&texts(only), &texts(skip));
        let options = Options {
            sign_in: vec!["carol=cookie:session:${bob}".parse().unwrap()],
            ..Options::default()
        };
        let selected = selection.of(cases, &[], Some(&document), &options);
        selected.into_iter().map(|case| case.name).collect()
    }

    #[test]
    fn who_sends_what_comes_later_signs_in() {
        let case = |name: &str, user: Option<&str>, capture: &[&str]| Case {
            name: name.into(),
            request: "POST /login".into(),
            capture: capture.iter().map(|name| ((*name).into(), "/token".into())).collect(),
            user: user.map(Into::into),
            ..Case::default()
        };
        let cases = vec![
            case("by token", None, &["ann"]),
            case("by cookie", Some("bea"), &[]),
            case("again", Some("bea"), &[]),
            case("another", Some("carl"), &[]),
        ];
        let selection = Selection::new(&["GET /items".into()], &[]);
        let users = ["ann", "bea"].map(ToOwned::to_owned);
        let names = |keeps_cookies| {
            let options = Options { keeps_cookies, ..Options::default() };
            let selected = selection.of(cases.clone(), &users, None, &options);
            selected.into_iter().map(|case| case.name).collect::<Vec<_>>()
        };
        assert_eq!(names(false), ["by token"]);
        assert_eq!(names(true), ["by token", "by cookie"]);
    }

    #[test]
    fn cases_come_with_what_they_need() {
        for pattern in ["read", "GET /items/{id}", "read_item", "path:/items/{id}"] {
            assert_eq!(selected(&[pattern], &[]), ["sign in", "create", "read"], "{pattern}");
        }
        assert_eq!(selected(&["tag:items"], &["case:read"]), ["sign in", "create"]);
        assert_eq!(selected(&[], &["POST *", "path:/items/*"]), ["another", "health", "me"]);
        assert_eq!(selected(&["tag:nothing"], &[]), [""; 0]);
    }
}
