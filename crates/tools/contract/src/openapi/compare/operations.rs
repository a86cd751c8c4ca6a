//! Two versions of a service's operations.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::Value;

use super::schemas::DOCUMENTATION;
use super::{Comparison, Medium, Spot, same};
use crate::openapi::change::{Class, Direction, Shift};
use crate::openapi::document::{
    Operation, fields, flag, operations, operations_of, parameters_by_key, resolve, template, text,
};
use crate::openapi::normal::{Choice, Kind};

impl<'a> Comparison<'a> {
    /// Compares everything that is reached from the operations; returns their groups.
    pub(super) fn documents(&mut self) -> Vec<usize> {
        let (old, new) = (self.old.document, self.new.document);
        let whole = self.group("", false);
        let spot = |path: &str, direction: Direction| Spot {
            group: whole,
            path: path.to_owned(),
            direction,
            medium: Medium::Data,
            is_path: false,
            is_optional: true,
        };
        let info = spot("info", Direction::Request);
        self.documentation(&info, &old["info"], &new["info"]);
        if !same(old["info"].get("version"), new["info"].get("version")) {
            self.note(&info, "version-changed", Class::Documentation, "version changed");
        }
        self.servers(&spot("servers", Direction::Request), &old["servers"], &new["servers"]);
        self.schemes(&info);
        let mut groups = vec![whole];
        let (olds, news) = (operations(old), operations(new));
        self.matched(&mut groups, "", &olds, &news, Direction::Request);
        // Of webhooks the service is the client.
        let olds = operations_of(old, &old["webhooks"]);
        let news = operations_of(new, &new["webhooks"]);
        self.matched(&mut groups, "webhook ", &olds, &news, Direction::Response);
        groups
    }

    /// Compares the operations that are the same for a client, whatever their parameters are called.
    fn matched(
        &mut self,
        groups: &mut Vec<usize>,
        prefix: &str,
        olds: &[(String, &'a str, Operation<'a>)],
        news: &[(String, &'a str, Operation<'a>)],
        direction: Direction,
    ) {
        let exact: HashMap<&str, usize> =
            news.iter().enumerate().map(|(index, (name, ..))| (name.as_str(), index)).collect();
        let mut similar: HashMap<(&str, String), Vec<usize>> = HashMap::new();
        let known: BTreeSet<&str> = olds.iter().map(|(name, ..)| name.as_str()).collect();
        for (index, (name, path, operation)) in news.iter().enumerate().rev() {
            if !known.contains(name.as_str()) {
                similar.entry((operation.method, template(path))).or_default().push(index);
            }
        }
        let mut used = BTreeSet::new();
        let (path, medium) = (String::new(), Medium::Data);
        let root = Spot { group: 0, path, direction, medium, is_path: false, is_optional: true };
        for (name, path, before) in olds {
            let name = format!("{prefix}{name}");
            let group = self.group(&name, false);
            groups.push(group);
            let spot = Spot { group, path: name.clone(), ..root.clone() };
            let unprefixed = name.strip_prefix(prefix).unwrap_or(&name);
            let counterpart = exact
                .get(unprefixed)
                .copied()
                .or_else(|| similar.get_mut(&(before.method, template(path))).and_then(Vec::pop));
            let Some(counterpart) = counterpart else {
                let what = "the operation was removed";
                self.note(&spot, "operation-removed", Class::Breaking, what);
                continue;
            };
            used.insert(counterpart);
            let (_, other, after) = &news[counterpart];
            self.operation(&spot, [path, other], before, after);
        }
        for (index, (name, ..)) in news.iter().enumerate() {
            if !used.contains(&index) {
                let name = format!("{prefix}{name}");
                let group = self.group(&name, false);
                groups.push(group);
                let spot = Spot { group, path: name, ..root.clone() };
                self.note(&spot, "operation-added", Class::NonBreaking, "the operation is new");
            }
        }
    }

    pub(super) fn documentation(&mut self, spot: &Spot, old: &Value, new: &Value) {
        for (key, rule) in DOCUMENTATION {
            if !same(old.get(key), new.get(key)) {
                self.note(spot, rule, Class::Documentation, format!("{key} changed"));
            }
        }
        self.deprecation(spot, old.get("deprecated"), new.get("deprecated"));
        for key in fields(old).chain(fields(new)).map(|(key, _)| key).collect::<BTreeSet<_>>() {
            if key.starts_with("x-") && !same(old.get(key), new.get(key)) {
                self.note(
                    spot,
                    "extension-changed",
                    Class::Documentation,
                    format!("{key} changed"),
                );
            }
        }
    }

    fn operation(
        &mut self,
        spot: &Spot,
        paths: [&str; 2],
        old: &Operation<'a>,
        new: &Operation<'a>,
    ) {
        self.documentation(spot, old.value, new.value);
        if old.servers().is_some() || new.servers().is_some() {
            let of = |operation: &Operation<'a>, document: &'a Value| {
                operation.servers().unwrap_or(&document["servers"])
            };
            let (before, after) = (of(old, self.old.document), of(new, self.new.document));
            self.servers(&spot.at(" servers"), before, after);
        }
        self.parameters(spot, paths, old, new);
        self.body(spot, &old.value["requestBody"], &new.value["requestBody"]);
        self.responses(spot, &old.value["responses"], &new.value["responses"]);
        self.security(spot, old, new);
        self.callbacks(spot, &old.value["callbacks"], &new.value["callbacks"]);
    }

    fn callbacks(&mut self, spot: &Spot, old: &'a Value, new: &'a Value) {
        let direction = spot.direction.reversed();
        let mut groups = Vec::new();
        for (name, before) in fields(old) {
            let after = new.get(name).unwrap_or(&Value::Null);
            let (old, new) = (self.old.document, self.new.document);
            let olds = operations_of(old, resolve(old, before));
            let news = operations_of(new, resolve(new, after));
            let prefix = format!("{} callback {name} ", spot.path);
            self.matched(&mut groups, &prefix, &olds, &news, direction);
        }
        for (name, _) in fields(new).filter(|(name, _)| old.get(*name).is_none()) {
            let what = format!("the callback {name} is new");
            self.note(spot, "operation-added", Class::NonBreaking, what);
        }
        self.groups[spot.group].links.extend(groups);
    }

    fn parameters(
        &mut self,
        spot: &Spot,
        paths: [&str; 2],
        old: &Operation<'a>,
        new: &Operation<'a>,
    ) {
        let olds = parameters_by_key(paths[0], old.parameters(self.old.document));
        let news = parameters_by_key(paths[1], new.parameters(self.new.document));
        let spot_of = |parameter: &Value| {
            let path = format!(" {} {}", text(parameter, "in"), text(parameter, "name"));
            let is_path = text(parameter, "in") == "path";
            let is_optional = !flag(parameter, "required");
            Spot { medium: Medium::Text, is_path, is_optional, ..spot.at(&path) }
        };
        for (key, &before) in &olds {
            let at = spot_of(before);
            let Some(&after) = news.get(key) else {
                let what = "the parameter was removed";
                self.add(&at, "parameter-removed", Class::Breaking, what);
                continue;
            };
            self.documentation(&at, before, after);
            let required = |parameter: &Value| flag(parameter, "required");
            match (required(before), required(after)) {
                (false, true) => {
                    self.shift(
                        &at,
                        "parameter-became-required",
                        Shift::Narrower,
                        "is required now",
                    );
                }
                (true, false) => {
                    let what = "is not required any more";
                    self.shift(&at, "parameter-became-optional", Shift::Wider, what);
                }
                _ => {}
            }
            match (flag(before, "allowEmptyValue"), flag(after, "allowEmptyValue")) {
                (true, false) => {
                    let what = "may not be empty any more";
                    self.shift(&at, "parameter-style-changed", Shift::Narrower, what);
                }
                (false, true) => {
                    self.shift(&at, "parameter-style-changed", Shift::Wider, "may be empty now");
                }
                _ => {}
            }
            self.written(&at, before, after);
        }
        for (key, after) in &news {
            if !olds.contains_key(key) {
                let at = spot_of(after);
                if flag(after, "required") {
                    let what = "a new parameter that is required";
                    self.shift(&at, "required-parameter-added", Shift::Narrower, what);
                } else {
                    self.add(&at, "parameter-added", Class::NonBreaking, "a new parameter");
                }
            }
        }
    }

    /// Compares what a parameter or a header holds, and how it is written.
    fn written(&mut self, spot: &Spot, before: &'a Value, after: &'a Value) {
        let is_scalar = is_scalar(&self.old.choices(&parts(before)))
            || is_scalar(&self.new.choices(&parts(after)));
        let [old, new] = [before, after].map(|parameter| style(parameter, is_scalar));
        if old != new {
            let what = format!("was written as {old} and is as {new} now");
            self.shift(spot, "parameter-style-changed", Shift::Other, what);
        }
        match (before.get("content"), after.get("content")) {
            (None, None) => self.schemas(spot, &parts(before), &parts(after)),
            (Some(old), Some(new)) => self.content(spot, old, new),
            _ => {
                let what = "is written in another format now";
                self.shift(spot, "parameter-style-changed", Shift::Other, what);
            }
        }
    }

    fn body(&mut self, spot: &Spot, old: &'a Value, new: &'a Value) {
        let (old, new) = (resolve(self.old.document, old), resolve(self.new.document, new));
        let at = spot.at(" body");
        let (rule, class, what) = match (old.is_null(), new.is_null()) {
            (true, true) => return,
            (true, false) if flag(new, "required") => (
                "required-request-body-added",
                Shift::Narrower.class(spot.direction),
                "a new body that is required",
            ),
            (true, false) => ("request-body-added", Class::NonBreaking, "a new body"),
            (false, true) => ("request-body-removed", Class::Breaking, "the body was removed"),
            (false, false) => {
                self.documentation(&at, old, new);
                match (flag(old, "required"), flag(new, "required")) {
                    (false, true) => self.shift(
                        &at,
                        "request-body-became-required",
                        Shift::Narrower,
                        "is required now",
                    ),
                    (true, false) => self.shift(
                        &at,
                        "request-body-became-optional",
                        Shift::Wider,
                        "is not required any more",
                    ),
                    _ => {}
                }
                return self.content(&at, &old["content"], &new["content"]);
            }
        };
        self.add(&at, rule, class, what);
    }

    fn responses(&mut self, spot: &Spot, old: &'a Value, new: &'a Value) {
        let spot = Spot { direction: spot.direction.reversed(), ..spot.clone() };
        for (status, before) in fields(old).filter(|(status, _)| !status.starts_with("x-")) {
            let at = spot.at(&format!(" {status}"));
            let range = status.get(..1).map(|digit| format!("{digit}XX")).unwrap_or_default();
            let after = [status.as_str(), &range, "default"].iter().find_map(|key| new.get(*key));
            let Some(after) = after else {
                if let Some(class) = status.strip_suffix("XX")
                    && fields(new).any(|(other, _)| other.starts_with(class))
                {
                    let what = "only certain responses of the range are left";
                    self.add(&at, "response-removed", Class::NonBreaking, what);
                    continue;
                }
                let is_awaited = status.starts_with('2') || status == "default";
                let class = if is_awaited { Class::Breaking } else { Class::NonBreaking };
                self.add(&at, "response-removed", class, "the response was removed");
                continue;
            };
            let before = resolve(self.old.document, before);
            let after = resolve(self.new.document, after);
            self.response(&at, before, after);
        }
        let is_success = |status: &str| status.starts_with('2');
        let has_success = fields(old).any(|(status, _)| is_success(status));
        for (status, after) in fields(new).filter(|(status, _)| !status.starts_with("x-")) {
            if old.get(status).is_some() {
                continue;
            }
            let at = spot.at(&format!(" {status}"));
            self.add(&at, "response-added", Class::NonBreaking, "a new response");
            // What clients take it for that know only the range, or the response to everything else.
            let range = status.get(..1).map(|digit| format!("{digit}XX")).unwrap_or_default();
            let default = old.get("default").filter(|_| !(has_success && is_success(status)));
            if let Some(before) = old.get(&range).or(default) {
                let before = resolve(self.old.document, before);
                let after = resolve(self.new.document, after);
                self.response(&at, before, after);
            }
        }
    }

    fn response(&mut self, spot: &Spot, old: &'a Value, new: &'a Value) {
        self.documentation(spot, old, new);
        self.content(spot, &old["content"], &new["content"]);
        self.headers(spot, &old["headers"], &new["headers"]);
    }

    fn headers(&mut self, spot: &Spot, old: &'a Value, new: &'a Value) {
        let by_name = |headers: &'a Value, document: &'a Value| -> HashMap<String, &'a Value> {
            fields(headers)
                .map(|(name, header)| (name.to_lowercase(), resolve(document, header)))
                .collect()
        };
        let olds = by_name(old, self.old.document);
        let news = by_name(new, self.new.document);
        for (name, &before) in &olds {
            let mut at = spot.at(&format!(" header {name}"));
            at.medium = Medium::Text;
            let Some(&after) = news.get(name) else {
                self.add(&at, "response-header-removed", Class::Breaking, "the header was removed");
                continue;
            };
            self.documentation(&at, before, after);
            if flag(before, "required") && !flag(after, "required") {
                let what = "the header may be absent now";
                self.shift(&at, "response-header-became-optional", Shift::Wider, what);
            }
            self.written(&at, before, after);
        }
        for name in news.keys().filter(|name| !olds.contains_key(*name)) {
            let at = spot.at(&format!(" header {name}"));
            self.add(&at, "response-header-added", Class::NonBreaking, "the header is new");
        }
    }
}

/// The schema of a parameter, a header or a media type; none if it may be anything.
pub(super) fn parts(value: &Value) -> Vec<&Value> {
    value.get("schema").into_iter().collect()
}

/// Whether all that a union allows is written as one text.
fn is_scalar(choices: &[Rc<Choice<'_>>]) -> bool {
    choices.iter().all(|choice| !matches!(choice.kind, Kind::Any | Kind::Array | Kind::Object))
}

/// How a parameter is written, defaults included.
fn style(parameter: &Value, is_scalar: bool) -> String {
    let usual =
        if ["query", "cookie"].contains(&text(parameter, "in")) { "form" } else { "simple" };
    let style = parameter["style"].as_str().unwrap_or(usual);
    // A single value has no parts to separate.
    let explode = !is_scalar && parameter["explode"].as_bool().unwrap_or(style == "form");
    let reserved = if flag(parameter, "allowReserved") { " with reserved characters" } else { "" };
    format!("{style}{}{reserved}", if explode { " (exploded)" } else { "" })
}
