//! What becomes of things when that which they are within, or refer to, is deleted.

use super::states::outer_of;
use super::{Generator, Thing};
use crate::case::Case;

impl Generator<'_> {
    /// Deletes a thing with all that can be within it or refer to it, reads them, deletes them, and then
    /// deletes it once more: it may have been refused because of them. No cases if there can be none.
    pub(super) fn cascade(&mut self, path: &str, delete: usize, cases: &mut Vec<Case>) {
        let parent = self.parent(path, 0, 0);
        let mut made = Vec::new();
        let thing = self.create(path, 0, parent.as_ref(), 0, &mut made);
        let mut dependents: Vec<(String, Thing)> = Vec::new();
        for inner in self.within(path) {
            let own = self.create(&inner, 0, Some(&thing), 0, &mut made);
            for innermost in self.within(&inner) {
                let outer = outer_of(&innermost, &own);
                let within = self.create(&innermost, 0, Some(&outer), 0, &mut made);
                dependents.push((innermost, within));
            }
            dependents.push((inner, own));
        }
        dependents.extend(self.refer_to(path, 0, &thing, &mut made));
        if dependents.is_empty() {
            return;
        }
        cases.extend(made);
        let draft = self.draft(delete, 0, Some(&thing), 0);
        cases.push(self.case(delete, draft, "with what depends on it"));
        self.read_all(path, 0, &thing, cases);
        for (collection, dependent) in &dependents {
            self.read_again(collection, 0, dependent, cases);
        }
        for (collection, dependent) in &dependents {
            if let Some(delete) = self.of_thing(collection, "DELETE") {
                let draft = self.draft(delete, 0, Some(dependent), 0);
                cases.push(self.case(delete, draft, "what depended on another"));
            }
        }
        let draft = self.draft(delete, 0, Some(&thing), 0);
        cases.push(self.case(delete, draft, "when nothing depends on it"));
    }
}
