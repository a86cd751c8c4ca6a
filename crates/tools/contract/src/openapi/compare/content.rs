//! What bodies and responses hold, by media type.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::operations::parts;
use super::{Comparison, Medium, Spot, same};
use crate::openapi::change::{Class, Direction, Shift};
use crate::openapi::document::{fields, flag, media_type};
use crate::openapi::normal::{Choice, Kind, Normaliser, Parts};

impl<'a> Comparison<'a> {
    pub(super) fn content(&mut self, spot: &Spot, old: &'a Value, new: &'a Value) {
        let by_type = |content: &'a Value| -> Vec<(String, &'a Value)> {
            fields(content).map(|(name, value)| (media_type(name), value)).collect()
        };
        let (olds, news) = (by_type(old), by_type(new));
        let mut used = BTreeSet::new();
        for &(ref name, before) in &olds {
            let exact = news.iter().find(|(other, _)| other == name);
            let range = || match spot.direction {
                Direction::Request => news.iter().find(|(other, _)| covers(other, name)),
                Direction::Response => news.iter().find(|(other, _)| covers(name, other)),
            };
            let Some(&(ref other, after)) = exact.or_else(range) else {
                let what = format!("{name} was removed");
                self.add(spot, "media-type-removed", Class::Breaking, what);
                continue;
            };
            used.insert(other);
            let several = olds.len() > 1 && news.len() > 1;
            let at = if several { spot.at(&format!(" {name}")) } else { spot.clone() };
            let at = Spot { medium: Medium::of(name), ..at };
            let are_bytes = name.starts_with("application/octet-stream")
                && is_bytes(&self.old.choices(&parts(before)))
                && is_bytes(&self.new.choices(&parts(after)));
            if !are_bytes {
                self.schemas(&at, &parts(before), &parts(after));
            }
            for (key, rule) in [("example", "example-changed"), ("examples", "example-changed")] {
                if !same(before.get(key), after.get(key)) {
                    self.note(&at, rule, Class::Documentation, format!("{key} changed"));
                }
            }
            if at.medium == Medium::Text {
                self.encodings(&at, before, after);
            }
        }
        for (name, _) in &news {
            if !used.contains(name) && !olds.iter().any(|(other, _)| other == name) {
                let what = format!("{name} is new");
                self.add(spot, "media-type-added", Class::NonBreaking, what);
            }
        }
    }

    /// Compares how the parts of a form are encoded.
    fn encodings(&mut self, spot: &Spot, old: &'a Value, new: &'a Value) {
        let [before, after] = [old, new].map(|media| &media["encoding"]);
        let names = fields(before).chain(fields(after)).map(|(name, _)| name.as_str());
        for name in names.collect::<BTreeSet<_>>() {
            let at = spot.at(&format!(".{name}"));
            let types = content_types(&self.old, old, name);
            let others = content_types(&self.new, new, name);
            let is_in = |types: &BTreeSet<String>, one: &String| {
                types.iter().any(|known| known == one || covers(known, one))
            };
            let is_less = types.iter().any(|one| !is_in(&others, one));
            let is_more = others.iter().any(|one| !is_in(&types, one));
            let list = |types: &BTreeSet<String>| {
                types.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
            };
            let what = format!("its part was {} and is {} now", list(&types), list(&others));
            match (is_less, is_more) {
                (true, true) => self.shift(&at, "encoding-changed", Shift::Other, what),
                (true, false) => self.shift(&at, "encoding-changed", Shift::Narrower, what),
                (false, true) => self.shift(&at, "encoding-changed", Shift::Wider, what),
                (false, false) => {}
            }
            let [one, other] = [before, after].map(|of| &of[name]);
            let is_same = same(one.get("headers"), other.get("headers"));
            if written(one) != written(other) || !is_same {
                let what = "its part is written in another way now";
                self.shift(&at, "encoding-changed", Shift::Other, what);
            }
        }
    }
}

/// How a part of a form is written, defaults included.
fn written(encoding: &Value) -> (&str, bool, bool) {
    let style = encoding["style"].as_str().unwrap_or("form");
    let explode = encoding["explode"].as_bool().unwrap_or(style == "form");
    (style, explode, flag(encoding, "allowReserved"))
}

/// The media types that a part of a form may have, defaults included.
fn content_types<'a>(side: &Normaliser<'a>, media: &'a Value, name: &str) -> BTreeSet<String> {
    if let Some(types) = media["encoding"][name]["contentType"].as_str() {
        return types.split(',').map(|name| media_type(name.trim())).collect();
    }
    let mut types = BTreeSet::new();
    for body in side.choices(&parts(media)).iter() {
        if let Some(parts) = body.properties.get(name) {
            usual_types(side, parts, &mut types, true);
        }
    }
    types
}

/// The media types of parts for which none is named.
fn usual_types<'a>(
    side: &Normaliser<'a>,
    parts: &Parts<'a>,
    types: &mut BTreeSet<String>,
    may_be_list: bool,
) {
    for choice in side.choices(parts).iter() {
        let has = |key: &str, value: &str| {
            choice.facets.get(key).is_some_and(|of| value.is_empty() || of.contains(value))
        };
        let media_types = choice.facets.get("contentMediaType");
        let usual = match choice.kind {
            Kind::Null => continue,
            Kind::Array if may_be_list => {
                usual_types(side, &choice.items, types, false);
                continue;
            }
            Kind::Object | Kind::Array => "application/json",
            Kind::String if media_types.is_some() => {
                types.extend(media_types.into_iter().flatten().cloned());
                continue;
            }
            Kind::String if has("format", "binary") || has("contentEncoding", "") => {
                "application/octet-stream"
            }
            Kind::Any => "application/octet-stream",
            _ => "text/plain",
        };
        types.insert(usual.to_owned());
    }
}

/// Media types whose values are written as texts.
const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", "multipart/form-data"];

impl Medium {
    fn of(media_type: &str) -> Self {
        let main = media_type.split(';').next().unwrap_or_default();
        if FORMS.contains(&main) {
            Self::Text
        } else if main.ends_with("+xml") || main.ends_with("/xml") {
            Self::Xml
        } else {
            Self::Data
        }
    }
}

/// Whether a range of media types holds another.
fn covers(range: &str, other: &str) -> bool {
    let group = range.strip_suffix("/*");
    group.is_some_and(|group| group == "*" || other.split('/').next() == Some(group))
}

/// Whether a schema is one of the two ways to say that a body is bytes.
fn is_bytes(choices: &[Rc<Choice<'_>>]) -> bool {
    let [only] = choices else { return false };
    let is_binary = only.facets.get("format").is_some_and(|format| format.contains("binary"));
    (only.kind == Kind::Any && only.is_plain()) || (only.kind == Kind::String && is_binary)
}
