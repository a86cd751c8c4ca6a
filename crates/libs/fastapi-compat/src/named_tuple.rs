//! `NamedTuple`: fields in the order of a list.

use std::borrow::Cow;

use crate::errors::{Errors, Exactness, Loc};
use crate::field_names::{FieldNames, Name};
use crate::model::{Fields, Model};
use crate::types::too_long;
use crate::value::{Array, Value};

/// The fields as items of a list.
struct ItemFields<'a> {
    items: &'a Array,
    whole: &'a Value,
    fields: &'static [FieldNames],
}

impl Fields for ItemFields<'_> {
    fn get(&self, name: &Name, _: bool) -> Option<Cow<'_, Value>> {
        self.items.iter().nth(self.position(name)?)
    }

    fn whole(&self) -> &Value {
        self.whole
    }

    fn position(&self, name: &Name) -> Option<usize> {
        let is_it = |field: &FieldNames| field.names.first().is_some_and(|it| it.text == name.text);
        self.fields.iter().position(is_it)
    }

    fn are_counted(&self) -> bool {
        false
    }
}

/// Decodes a named tuple from a list of its fields, of which the last may be missing.
pub(crate) fn decode_items<M: Model>(
    items: &Array,
    whole: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<M> {
    errors.fits(Exactness::Lax);
    let (max, actual) = (M::FIELDS.len(), items.len());
    if actual > max {
        return too_long("NamedTuple", max, Some(actual), whole, at, errors);
    }
    M::from_fields(&ItemFields { items, whole, fields: M::FIELDS }, at, errors)
}
