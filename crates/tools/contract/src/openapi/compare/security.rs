//! What an operation demands of its callers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Comparison, Spot, same};
use crate::openapi::change::Class;
use crate::openapi::document::{Operation, fields, resolve};

/// One alternative of a security requirement: the schemes, each with its scopes.
type Alternative = BTreeMap<String, BTreeSet<String>>;

impl<'a> Comparison<'a> {
    pub(super) fn security(&mut self, spot: &Spot, old: &Operation<'a>, new: &Operation<'a>) {
        let before = alternatives(self.old.document, old);
        let after = alternatives(self.new.document, new);
        let authorizes = |alternatives: &[Alternative], credentials: &Alternative| {
            alternatives.iter().any(|demand| {
                demand.iter().all(|(scheme, scopes)| {
                    let sent = credentials.get(scheme).or_else(|| {
                        // A key in that header may be any credentials.
                        let is_key = scheme == "header authorization";
                        let mut sent = credentials.iter().filter(|_| is_key);
                        sent.find(|(other, _)| other.starts_with("Authorization: ")).map(|of| of.1)
                    });
                    sent.is_some_and(|granted| scopes.is_subset(granted))
                })
            })
        };
        let refused: Vec<_> = before.iter().filter(|one| !authorizes(&after, one)).collect();
        let is_looser = after.iter().any(|one| !authorizes(&before, one));
        let more = |a: &[Alternative]| a.iter().map(show).collect::<Vec<_>>().join(", or ");
        let what = format!("was {} and is {} now", more(&before), more(&after));
        if !refused.is_empty() {
            let what = format!("callers with {} are refused: {what}", show(refused[0]));
            self.note(spot, "security-tightened", Class::Breaking, what);
        } else if is_looser {
            self.note(spot, "security-loosened", Class::NonBreaking, what);
        }
    }

    /// Where tokens are to be had.
    pub(super) fn schemes(&mut self, spot: &Spot) {
        let schemes = |document: &'a Value| &document["components"]["securitySchemes"];
        let (old, new) = (self.old.document, self.new.document);
        for (name, before) in fields(schemes(old)) {
            let before = resolve(old, before);
            let same_kind =
                |after: &Value| demand(name, resolve(new, after)) == demand(name, before);
            // The name of a scheme is not sent: a new one that demands the same stands for it.
            let renamed = || {
                let mut others = fields(schemes(new)).filter(|(other, after)| {
                    schemes(old).get(*other).is_none() && same_kind(after)
                });
                let found = others.next().map(|(_, after)| after);
                found.filter(|_| others.next().is_none())
            };
            let Some(after) = schemes(new).get(name).or_else(renamed) else { continue };
            let after = resolve(new, after);
            let spot = Spot { path: format!("security {name}"), ..spot.clone() };
            for key in ["flows", "openIdConnectUrl"] {
                if !same(before.get(key), after.get(key)) {
                    let what = format!("{key} changed: tokens are to be had otherwise");
                    self.note(&spot, "security-flow-changed", Class::NonBreaking, what);
                }
            }
            for key in ["description", "bearerFormat"] {
                if !same(before.get(key), after.get(key)) {
                    let what = format!("{key} changed");
                    self.note(&spot, "description-changed", Class::Documentation, what);
                }
            }
        }
    }
}

fn show(alternative: &Alternative) -> String {
    if alternative.is_empty() {
        return "nothing".to_owned();
    }
    let one = |(scheme, scopes): (&String, &BTreeSet<String>)| {
        let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
        if scopes.is_empty() { scheme.clone() } else { format!("{scheme} ({})", scopes.join(", ")) }
    };
    alternative.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// The ways in; one that demands nothing if all callers are let in.
fn alternatives(document: &Value, operation: &Operation<'_>) -> Vec<Alternative> {
    let security = operation.value.get("security").or_else(|| document.get("security"));
    let list = security.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let one = |requirement: &Value| -> Alternative {
        let demands = fields(requirement).map(|(name, scopes)| {
            let scheme =
                resolve(document, &document["components"]["securitySchemes"][name.as_str()]);
            let scopes = scopes.as_array().into_iter().flatten();
            let scopes = scopes.filter_map(|scope| Some(scope.as_str()?.to_owned()));
            (demand(name, scheme), scopes.collect())
        });
        let mut alternative = Alternative::new();
        for (scheme, scopes) in demands {
            let known: &mut BTreeSet<String> = alternative.entry(scheme).or_default();
            let scopes: BTreeSet<String> = scopes;
            known.extend(scopes);
        }
        alternative
    };
    if list.is_empty() { vec![Alternative::new()] } else { list.iter().map(one).collect() }
}

/// What a client has to send.
fn demand(name: &str, scheme: &Value) -> String {
    let text = |key: &str| scheme[key].as_str().unwrap_or_default();
    match text("type") {
        "http" => format!("Authorization: {}", text("scheme").to_lowercase()),
        // Their tokens are sent as bearer tokens.
        "oauth2" | "openIdConnect" => "Authorization: bearer".to_owned(),
        "apiKey" if text("in") == "header" => format!("header {}", text("name").to_lowercase()),
        "apiKey" => format!("{} {}", text("in"), text("name")),
        "mutualTLS" => "a client certificate".to_owned(),
        _ => format!("the undefined scheme {name}"),
    }
}
