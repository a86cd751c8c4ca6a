//! Changes that a team has accepted.

use std::path::Path;

use super::change::Change;

/// Accepted changes: by the id of a rule, and where they are.
#[derive(Clone, Debug, Default)]
pub struct Ignore(Vec<(String, Option<String>)>);

impl Ignore {
    /// Adds `RULE`, `RULE@PLACE` or `@PLACE`; `*` in either stands for anything.
    pub fn add(&mut self, text: &str) {
        let (rule, place) = match text.trim().split_once('@') {
            Some((rule, place)) => (rule, Some(place.to_owned())),
            None => (text.trim(), None),
        };
        let rule = if rule.is_empty() { "*" } else { rule };
        self.0.push((rule.to_owned(), place));
    }

    /// Adds the lines of a file; those that begin with `#` are comments.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn add_file(&mut self, path: &Path) -> std::io::Result<()> {
        let text = std::fs::read_to_string(path)?;
        let lines = text.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).for_each(|l| self.add(l));
        Ok(())
    }

    /// Whether the change is accepted: its path, its component or all operations that it reaches are
    /// at the place.
    pub fn covers(&self, change: &Change) -> bool {
        self.0.iter().any(|(rule, place)| {
            let at = |place: &String| {
                let here = |text: &str| like(place, text) || like(&format!("{place} *"), text);
                let reached = &change.operations;
                here(&change.path)
                    || change.component.as_deref().is_some_and(here)
                    || (!reached.is_empty() && reached.iter().all(|operation| here(operation)))
            };
            like(rule, change.rule) && place.as_ref().is_none_or(at)
        })
    }
}

/// Whether a text is like a pattern in which `*` stands for anything.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(like("GET /items/*", "GET /items/{id} query q"));
        assert!(like("*.title", "Item.title") && like("a*b*c", "a12b3c") && like("*", ""));
        assert!(!like("a*b", "ac") && !like("a", "ab") && !like("a*b*b", "ab"));
    }
}
