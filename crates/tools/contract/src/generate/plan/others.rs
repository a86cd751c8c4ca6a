//! Things of other users, and within other things than their own.

use super::variations::ALLOWED;
use super::{Generator, Unit};
use crate::generate::operation::collection;

impl Generator<'_> {
    /// Requests to things of other users, and to things within another than their own.
    pub(super) fn of_others(&mut self, index: usize) -> Vec<Unit> {
        let mut units = Vec::new();
        let Some(path) = self.resource_of(index) else { return units };
        let things = self.resources.get(&path).map(|r| r.things.clone()).unwrap_or_default();
        let operation = &self.operations[index];
        let (is_secured, is_write) = (operation.is_secured, operation.is_write());
        let users = if is_secured { self.users.len().max(1) } else { 0 };
        let is_creator = self.resources.contains_key(&collection(operation.path));
        let is_post = operation.method == "POST";
        let uses_up =
            is_write && !is_creator && operation.method != "PUT" && operation.method != "PATCH";
        for caller in 0..users {
            if !is_write {
                // The first user may see everything.
                for thing in things.iter().take(if caller == 0 { 2 } else { things.len() }) {
                    let draft = self.draft(index, caller, Some(thing), 0);
                    let remark = format!("of user {} by user {}", thing.user + 1, caller + 1);
                    units.push((ALLOWED, vec![self.case(index, draft, &remark)]));
                }
                continue;
            }
            for owner in (0..users).filter(|owner| *owner != caller) {
                let remark = format!("of user {} by user {}", owner + 1, caller + 1);
                let mut parents = vec![self.parent(&path, owner, 0)];
                if path.contains("{}") {
                    parents.push(self.parent(&path, caller, 0));
                }
                let numbers = if uses_up && is_post { 2 } else { 1 };
                let chosen =
                    parents.into_iter().flat_map(|p| (0..numbers).map(move |n| (p.clone(), n)));
                for (parent, number) in chosen {
                    let mut cases = Vec::new();
                    let mut thing = things.iter().find(|thing| thing.user == owner).cloned();
                    if uses_up || path.contains("{}") {
                        // The second has its flags unset.
                        let parent = parent.as_ref();
                        thing = Some(self.create(&path, owner, parent, number, &mut cases));
                    }
                    let draft = self.draft(index, caller, thing.as_ref(), 0);
                    cases.push(self.case(index, draft, &remark));
                    if let (Some(thing), Some(read)) = (&thing, self.of_thing(&path, "GET")) {
                        let draft = self.draft(read, owner, Some(thing), 0);
                        cases.push(self.case(read, draft, "what another user tried to change"));
                    }
                    units.push((ALLOWED, cases));
                }
            }
        }
        let parents: Vec<Vec<String>> =
            things.iter().map(|thing| thing.variables.clone()).collect();
        let is_within = self.operations[index].path_parameters().len() > 1;
        for thing in things.iter().filter(|thing| is_within && thing.variables.len() > 1).take(2) {
            let Some(other) = parents.iter().find(|other| other[0] != thing.variables[0]) else {
                continue;
            };
            let mut mixed = thing.clone();
            mixed.variables[0].clone_from(&other[0]);
            let draft = self.draft(index, 0, Some(&mixed), 0);
            units.push((ALLOWED, vec![self.case(index, draft, "within another than its own")]));
        }
        units
    }
}
