//! The memory for copies of bodies that wait to be compared: one budget for all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::HeaderMap;

/// The bytes that all copies may take together.
#[derive(Debug)]
pub(crate) struct Budget {
    max: usize,
    used: AtomicUsize,
    peak: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, used: AtomicUsize::new(0), peak: AtomicUsize::new(0) })
    }

    /// A part of it, of no bytes yet.
    pub(crate) fn part(self: &Arc<Self>) -> Held {
        Held { budget: Arc::clone(self), bytes: 0 }
    }

    /// The bytes that are held, and the most that ever were.
    pub(crate) fn used(&self) -> (usize, usize) {
        (self.used.load(Ordering::Relaxed), self.peak.load(Ordering::Relaxed))
    }
}

/// Bytes of a [`Budget`], given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Held {
    /// Takes so many bytes more. Returns whether there is room for them.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let budget = &self.budget;
        let grown = budget.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(bytes).filter(|used| *used <= budget.max)
        });
        if let Ok(before) = grown {
            self.bytes += bytes;
            budget.peak.fetch_max(before + bytes, Ordering::Relaxed);
        }
        grown.is_ok()
    }

    /// Grows to so many bytes in all.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        self.grow(bytes.saturating_sub(self.bytes))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// About the bytes that headers take.
pub(crate) fn of_headers(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_given_back() {
        let budget = Budget::new(10);
        let (mut one, mut other) = (budget.part(), budget.part());
        assert!(one.grow(4) && one.grow_to(6) && other.grow(4));
        assert!(!other.grow(1), "it is used up");
        drop(one);
        assert_eq!(budget.used(), (4, 10));
        assert!(other.grow(6));
        drop(other);
        assert_eq!(budget.used(), (0, 10));
    }
}
