//! Two objects: their properties, and what they may hold besides.

use super::{Comparison, Spot};
use crate::openapi::change::{Class, Direction, Shift};
use crate::openapi::normal::{Additional, Choice, Kind, Parts};

impl<'a> Comparison<'a> {
    pub(super) fn objects(&mut self, spot: &Spot, old: &Choice<'a>, new: &Choice<'a>) {
        for (name, before) in &old.properties {
            let mut at = spot.at(&format!(".{name}"));
            at.is_optional = !old.required.contains(name);
            let Some(after) = new.properties.get(name) else {
                if self.is_visible(true, before, spot.direction) {
                    self.add(&at, "property-removed", Class::Breaking, "was removed");
                }
                continue;
            };
            let required = [old.required.contains(name), new.required.contains(name)];
            match [
                self.is_visible(true, before, spot.direction),
                self.is_visible(false, after, spot.direction),
            ] {
                [true, true] => {
                    self.necessity(&at, required);
                    self.schemas(&at, before, after);
                }
                [true, false] => {
                    let what = match spot.direction {
                        Direction::Request => "may only be read now",
                        Direction::Response => "may only be written now",
                    };
                    self.add(&at, "property-became-hidden", Class::Breaking, what);
                }
                [false, true] => self.new_property(&at, required[1]),
                [false, false] => {}
            }
        }
        for (name, after) in &new.properties {
            if old.properties.contains_key(name) || !self.is_visible(false, after, spot.direction) {
                continue;
            }
            // FastAPI's description of its own errors has grown.
            if spot.path == "ValidationError" && ["input", "ctx"].contains(name) {
                continue;
            }
            let at = spot.at(&format!(".{name}"));
            self.new_property(&at, new.required.contains(name));
            // What could be sent under this name before.
            if let Additional::Values(before) = &old.additional {
                self.schemas(&at, before, after);
            }
        }
        for name in old.required.union(&new.required) {
            // What is no property of both was dealt with above, but for names without a schema.
            if old.properties.contains_key(name) || new.properties.contains_key(name) {
                continue;
            }
            let required = [old.required.contains(name), new.required.contains(name)];
            self.necessity(&spot.at(&format!(".{name}")), required);
        }
        self.additional(spot, &old.additional, &new.additional);
    }

    fn new_property(&mut self, at: &Spot, is_required: bool) {
        if is_required && at.direction == Direction::Request {
            let what = "is new and required";
            self.add(at, "required-property-added", Class::Breaking, what);
        } else {
            self.add(at, "property-added", Class::NonBreaking, "is new");
        }
    }

    fn necessity(&mut self, at: &Spot, required: [bool; 2]) {
        match required {
            // pydantic 2 says of what it writes that it is there.
            [false, true] if self.upgrade.pydantic && at.direction == Direction::Response => {}
            [false, true] => {
                self.shift(at, "property-became-required", Shift::Narrower, "is required now");
            }
            [true, false] => {
                self.shift(at, "property-became-optional", Shift::Wider, "may be absent now");
            }
            _ => {}
        }
    }

    /// Whether a property is in values that travel in this direction.
    fn is_visible(&self, is_old: bool, parts: &Parts<'a>, direction: Direction) -> bool {
        let key = match direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        let side = if is_old { &self.old } else { &self.new };
        !parts.iter().any(|&part| side.is_marked(part, key))
    }

    fn additional(&mut self, spot: &Spot, old: &Additional<'a>, new: &Additional<'a>) {
        let [old, new] = [(&self.old, old), (&self.new, new)].map(|(side, additional)| {
            let Additional::Values(parts) = additional else { return additional.clone() };
            match side.choices(parts).as_slice() {
                [] => Additional::Nothing,
                [only] if only.kind == Kind::Any && only.is_plain() => Additional::Anything,
                _ => additional.clone(),
            }
        });
        let (rule, shift, what) = match (&old, &new) {
            (Additional::Values(before), Additional::Values(after)) => {
                return self.schemas(&spot.at(".*"), before, after);
            }
            (Additional::Nothing, Additional::Nothing)
            | (Additional::Anything, Additional::Anything) => return,
            (_, Additional::Nothing) => {
                ("additional-properties-forbidden", Shift::Narrower, "other fields are refused now")
            }
            (Additional::Nothing, _) => {
                ("additional-properties-allowed", Shift::Wider, "other fields are allowed now")
            }
            (Additional::Anything, _) => (
                "additional-properties-restricted",
                Shift::Narrower,
                "other fields may not be anything now",
            ),
            (_, Additional::Anything) => {
                ("additional-properties-freed", Shift::Wider, "other fields may be anything now")
            }
        };
        self.shift(spot, rule, shift, what);
    }
}
