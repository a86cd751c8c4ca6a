//! Two lists: what their items may be.

use super::{Comparison, Spot};
use crate::openapi::change::Shift;
use crate::openapi::normal::{Choice, Parts};

impl<'a> Comparison<'a> {
    pub(super) fn arrays(&mut self, spot: &Spot, old: &Choice<'a>, new: &Choice<'a>) {
        match (old.unique, new.unique) {
            (false, true) => {
                self.shift(
                    spot,
                    "unique-items-required",
                    Shift::Narrower,
                    "items must be unique now",
                );
            }
            (true, false) => {
                let what = "items need not be unique now";
                self.shift(spot, "unique-items-dropped", Shift::Wider, what);
            }
            _ => {}
        }
        for index in 0..old.prefix.len().max(new.prefix.len()) {
            // What a tuple does not name is as every other item.
            let item = |choice: &Choice<'a>| -> Parts<'a> {
                choice.prefix.get(index).unwrap_or(&choice.items).clone()
            };
            self.items(&spot.at(&format!("[{index}]")), &item(old), &item(new));
        }
        self.items(&spot.at("[]"), &old.items, &new.items);
    }

    fn items(&mut self, spot: &Spot, old: &Parts<'a>, new: &Parts<'a>) {
        if !old.is_empty() || !new.is_empty() {
            self.schemas(spot, old, new);
        }
    }
}
