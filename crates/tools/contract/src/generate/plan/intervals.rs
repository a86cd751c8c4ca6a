//! When things are: what begins where something else ends, and what cannot be at the same time.

use chrono::{DateTime, NaiveDate, TimeDelta};
use serde_json::{Value, json};

use super::Generator;
use crate::case::Case;
use crate::generate::draft::object;
use crate::generate::operation::Operation;
use crate::generate::related::as_time;
use crate::generate::schema::parameter_schema;
use crate::valid::is_valid;

impl Generator<'_> {
    /// A request that creates another thing at the time of the first, which may not be possible. None if
    /// its things have no time.
    pub(super) fn at_the_same_time(&mut self, path: &str) -> Option<Case> {
        if self.resources[path].is_product {
            return None;
        }
        let creator = self.resources[path].creator;
        let parent = self.parent(path, 0, 0);
        let mut draft = self.made_up(creator, |this| this.creation(creator, 0, parent.as_ref(), 0));
        let is_moment = |value: &Value| {
            value.as_str().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok())
        };
        let has_time = object(&mut draft)?.values().any(is_moment);
        has_time.then(|| self.case(creator, draft, "at the time of the first"))
    }

    /// A request that creates another thing, later, that refers to what the first does, which may be taken.
    /// None if its things refer to nothing that requests create.
    pub(super) fn with_the_same(&mut self, path: &str) -> Option<Case> {
        if self.resources[path].is_product || self.referred_by(path).is_empty() {
            return None;
        }
        let creator = self.resources[path].creator;
        let parent = self.parent(path, 0, 0);
        let draft = self.made_up(creator, |this| {
            this.later(|this| this.creation(creator, 0, parent.as_ref(), 0))
        });
        Some(self.case(creator, draft, "with what the first has"))
    }

    /// Makes something with other texts than the examples, of which each may be there once.
    fn made_up<T>(&mut self, creator: usize, make: impl FnOnce(&mut Self) -> T) -> T {
        let is_new = self.made_up.insert(creator);
        let made = make(self);
        if is_new {
            self.made_up.remove(&creator);
        }
        made
    }

    /// The moment of a row, for the only parameter of a request that is one; of several each has to come
    /// after the one before.
    pub(super) fn known_moment(
        &self,
        operation: &Operation<'_>,
        parameter: &Value,
    ) -> Option<String> {
        let is_moment = |parameter: &Value| {
            let format = parameter_schema(parameter)["format"].as_str();
            matches!(format, Some("date" | "date-time"))
        };
        let count = operation.parameters.iter().filter(|other| is_moment(other)).count();
        if count != 1 || !is_moment(parameter) {
            return None;
        }
        let schema = parameter_schema(parameter);
        let mut moments = self.sent.values().flatten().filter_map(|sent| as_time(schema, sent));
        moments.find(|moment| is_valid(self.document, schema, &json!(moment)))
    }

    /// A body with the values of the first thing that was created, but as much later as that takes: the
    /// first of its moments is the other's second. None if it has no two.
    pub(super) fn adjoining(&mut self, index: usize) -> Option<Case> {
        if self.operations[index].method != "POST" {
            return None;
        }
        let parent = self.thing(index, 0, 0);
        let mut draft = self.draft(index, 0, parent.as_ref(), 0);
        let body = object(&mut draft)?;
        let mut texts = body.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        let (first, start, second, end) = texts.by_ref().find_map(|(first, start)| {
            let mut later = body.iter().skip_while(|(name, _)| *name != first).skip(1);
            later.find_map(|(second, value)| {
                let end = value.as_str()?;
                after(start, end).map(|_| (first.clone(), start, second.clone(), end))
            })
        })?;
        let (start, end) = (Value::from(end), Value::from(after(start, end)?));
        body.insert(first, start);
        body.insert(second, end);
        Some(self.case(index, draft, "from where another ends"))
    }
}

/// The moment that comes as long after the second as that after the first. None if it does not, or they
/// are no moments.
fn after(first: &str, second: &str) -> Option<String> {
    let whole = || {
        let (first, second) =
            (DateTime::parse_from_rfc3339(first).ok()?, DateTime::parse_from_rfc3339(second).ok()?);
        let taken = Some(second - first).filter(|taken| *taken > TimeDelta::zero())?;
        Some(second.checked_add_signed(taken)?.to_rfc3339())
    };
    let day = || {
        let (first, second) = (first.parse::<NaiveDate>().ok()?, second.parse::<NaiveDate>().ok()?);
        let taken = Some(second - first).filter(|taken| *taken > TimeDelta::zero())?;
        Some(second.checked_add_signed(taken)?.to_string())
    };
    whole().or_else(day)
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn the_next_is_as_long() {
        let times = ("2026-01-02T23:30:00Z", "2026-01-03T01:30:00+01:00");
        assert_eq!(after(times.0, times.1).unwrap(), "2026-01-03T02:30:00+01:00");
        assert_eq!(after("2026-01-30", "2026-02-02").unwrap(), "2026-02-05");
        for (first, second) in [(times.1, times.0), ("2026-02-02", "2026-02-02"), ("a", "b")] {
            assert_eq!(after(first, second), None);
        }
    }
}
