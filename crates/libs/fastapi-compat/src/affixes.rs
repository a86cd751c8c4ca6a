//! A map by the literal text in a path's pattern: what a text begins and ends with, and what it holds between.

use std::borrow::Cow;

use aho_corasick::AhoCorasick;

/// The literal text around parameters. A text matches that begins with the prefix, ends with the suffix
/// and holds `middle` between them; more literal text between is left to the regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literals<'a> {
    pub(crate) prefix: Cow<'a, str>,
    /// The longest between two parameters; empty if there is none.
    pub(crate) middle: Cow<'a, str>,
    pub(crate) suffix: Cow<'a, str>,
}

/// Values by [`Literals`]; [`Self::finish`] has to be called after the last was added.
pub(crate) struct Affixes<T> {
    /// The lengths of the prefixes and suffixes that there are, each pair once.
    lengths: Vec<(usize, usize)>,
    /// Sorted by prefix and suffix.
    entries: Vec<Entry<T>>,
}

/// Values of one prefix and suffix.
struct Entry<T> {
    prefix: Box<str>,
    suffix: Box<str>,
    /// That without anything between.
    any: Option<T>,
    /// Sorted by what stands between.
    middles: Vec<(Box<str>, T)>,
    /// For all of `middles`, by their positions.
    search: Option<AhoCorasick>,
}

impl<T> Default for Affixes<T> {
    fn default() -> Self {
        Self { lengths: Vec::new(), entries: Vec::new() }
    }
}

impl<T> Affixes<T> {
    fn position(&self, prefix: &str, suffix: &str) -> Result<usize, usize> {
        self.entries
            .binary_search_by(|entry| (&*entry.prefix, &*entry.suffix).cmp(&(prefix, suffix)))
    }

    /// Prepares the searches.
    pub(crate) fn finish(&mut self) {
        for entry in &mut self.entries {
            let middles = entry.middles.iter().map(|(middle, _)| middle.as_bytes());
            // One is found faster without; without a search each is tried, which is slower and no less right.
            entry.search = if middles.len() > 1 { AhoCorasick::new(middles).ok() } else { None };
        }
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().flat_map(|entry| {
            entry.any.iter_mut().chain(entry.middles.iter_mut().map(|(_, value)| value))
        })
    }

    /// Calls `visit` once with every value whose literals a text has.
    pub(crate) fn each<'a>(&'a self, text: &str, mut visit: impl FnMut(&'a T)) {
        for &(prefix, suffix) in &self.lengths {
            let Some(end) = text.len().checked_sub(suffix).filter(|&end| prefix <= end) else {
                continue;
            };
            let (Some(before), Some(between), Some(after)) =
                (text.get(..prefix), text.get(prefix..end), text.get(end..))
            else {
                continue;
            };
            if let Ok(at) = self.position(before, after) {
                self.entries[at].each(between, &mut visit);
            }
        }
    }
}

impl<T: Default> Affixes<T> {
    pub(crate) fn get_or_insert(&mut self, literals: &Literals<'_>) -> &mut T {
        let Literals { prefix, middle, suffix } = literals;
        let lengths = (prefix.len(), suffix.len());
        if !self.lengths.contains(&lengths) {
            self.lengths.push(lengths);
        }
        let at = self.position(prefix, suffix).unwrap_or_else(|at| {
            let (prefix, suffix) = ((**prefix).into(), (**suffix).into());
            let entry = Entry { prefix, suffix, any: None, middles: Vec::new(), search: None };
            self.entries.insert(at, entry);
            at
        });
        let entry = &mut self.entries[at];
        if middle.is_empty() {
            return entry.any.get_or_insert_default();
        }
        let at = entry.middles.binary_search_by(|(known, _)| (**known).cmp(middle));
        let at = at.unwrap_or_else(|at| {
            entry.middles.insert(at, ((**middle).into(), T::default()));
            at
        });
        &mut entry.middles[at].1
    }
}

impl<T> Entry<T> {
    fn each<'a>(&'a self, between: &str, visit: &mut impl FnMut(&'a T)) {
        self.any.iter().for_each(&mut *visit);
        let Some(search) = &self.search else {
            for (middle, value) in &self.middles {
                if between.contains(&**middle) {
                    visit(value);
                }
            }
            return;
        };
        // The same text may occur several times.
        let mut is_seen = vec![false; self.middles.len()];
        for found in search.find_overlapping_iter(between) {
            let at = found.pattern().as_usize();
            if !std::mem::replace(&mut is_seen[at], true) {
                visit(&self.middles[at].1);
            }
        }
    }
}
