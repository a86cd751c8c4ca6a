//! Fingerprints by which a choice is found again in another document.

use std::fmt::Write as _;

use super::choice::{Additional, Choice, Parts};
use super::normaliser::Normaliser;
use super::number::canonical;

/// How deep a fingerprint looks into schemas that are written out.
const MAX_DEPTH: usize = 4;

impl<'a> Normaliser<'a> {
    /// A text that is the same for choices that look alike, with components by their names.
    pub(in crate::openapi) fn fingerprint(&self, choice: &Choice<'a>) -> String {
        self.of_choice(choice, 0)
    }

    fn of_choice(&self, choice: &Choice<'a>, depth: usize) -> String {
        let mut print = format!(
            "{} {:?} {:?} {:?} {:?} {} {:?}",
            choice.kind.name(),
            choice.values,
            choice.lower,
            choice.upper,
            choice.facets,
            choice.unique,
            choice.required,
        );
        if depth > MAX_DEPTH {
            return print;
        }
        let mut add = |name: &str, parts: &Parts<'a>| {
            _ = write!(print, " {name}={}", self.of_parts(parts, depth + 1));
        };
        add("items", &choice.items);
        for parts in &choice.prefix {
            add("prefix", parts);
        }
        for (name, parts) in &choice.properties {
            add(name, parts);
        }
        match &choice.additional {
            Additional::Anything => {}
            Additional::Nothing => print.push_str(" closed"),
            Additional::Values(parts) => add("*", parts),
        }
        if !choice.further.is_empty() {
            _ = write!(print, " and {}", choice.further.len());
        }
        for (key, values) in &choice.others {
            let values: Vec<_> = values.iter().map(|value| canonical(value)).collect();
            _ = write!(print, " {key}={values:?}");
        }
        print
    }

    fn of_parts(&self, parts: &Parts<'a>, depth: usize) -> String {
        if parts.is_empty() {
            return String::new();
        }
        if let (_, Some(name)) = self.target(parts) {
            return plain(name).to_owned();
        }
        let choices = self.choices(parts);
        let print = |choice: &Choice<'a>| match choice.label.filter(|_| choice.origin.is_some()) {
            Some(label) => plain(label).to_owned(),
            None => self.of_choice(choice, depth),
        };
        let mut prints: Vec<String> = choices.iter().map(|choice| print(choice)).collect();
        prints.sort();
        format!("({})", prints.join("|"))
    }
}

/// A name without what FastAPI adds to tell two models of one name apart.
pub(in crate::openapi) fn plain(name: &str) -> &str {
    let name = name.strip_suffix("-Input").or_else(|| name.strip_suffix("-Output")).unwrap_or(name);
    name.rsplit("__").next().unwrap_or(name)
}
