//! What others may do with a thing once they are members of it, and no longer when they are not.

use serde_json::Value;

use super::{Generator, Thing};
use crate::case::Case;
use crate::generate::draft::object;
use crate::generate::references::CURRENT_USERS;
use crate::openapi::{fields, resolve};

/// How many roles are tried.
const ROLES: usize = 5;

impl Generator<'_> {
    /// Makes the second user a member of a thing of the first in each role, and has that user do what can be
    /// done with it; then once more when the second is no member any more. Nothing if things have no members.
    pub(super) fn try_roles(&mut self, path: &str, cases: &mut Vec<Case>) {
        let Some(other) = (self.users.len() > 1).then_some(1) else { return };
        let within = self.within(path);
        let Some(members) = within.iter().find(|inner| self.names_a_user(inner)).cloned() else {
            return;
        };
        let creator = self.resources[&members].creator;
        let roles: Vec<Option<(String, Value)>> = fields(self.operations[creator].fields)
            .find_map(|(name, schema)| {
                let values = resolve(self.document, schema)["enum"].as_array()?;
                Some(
                    values
                        .iter()
                        .take(ROLES)
                        .map(|role| Some((name.clone(), role.clone())))
                        .collect(),
                )
            })
            .unwrap_or_else(|| vec![None]);
        let users = self.samples.created.get(CURRENT_USERS).cloned();
        for role in roles {
            let thing = self.create_own(path, 0, cases);
            let mut only = users.clone().unwrap_or_default();
            only.retain(|(user, _)| *user == other);
            self.samples.created.insert(CURRENT_USERS.to_owned(), only);
            let mut draft = self.creation(creator, 0, Some(&thing), 0);
            if let (Some((name, role)), Some(body)) = (role, object(&mut draft)) {
                body.insert(name, role);
            }
            let (case, member) = self.created(&members, 0, Some(&thing), &draft);
            self.restore([(CURRENT_USERS.to_owned(), users.clone())]);
            cases.push(case);
            self.use_as_member(path, &members, &thing, cases);
            if let Some(delete) = self.of_thing(&members, "DELETE") {
                let draft = self.draft(delete, 0, Some(&member), 0);
                cases.push(self.case(delete, draft, "who is no member any more"));
                self.use_as_member(path, &members, &thing, cases);
            }
        }
    }

    /// What the second user tries with a thing of the first.
    fn use_as_member(&mut self, path: &str, members: &str, thing: &Thing, cases: &mut Vec<Case>) {
        self.read_again(path, 1, thing, cases);
        for inner in self.within(path).into_iter().filter(|inner| inner != members) {
            let own = self.create(&inner, 1, Some(thing), 0, cases);
            self.read_again(&inner, 1, &own, cases);
        }
        let update = ["PATCH", "PUT"].iter().find_map(|method| self.of_thing(path, method));
        if let Some(update) = update {
            let draft = self.draft(update, 1, Some(thing), 1);
            cases.push(self.case(update, draft, "as a member"));
        }
    }

    /// Whether what creates the things of a collection names a user.
    fn names_a_user(&self, path: &str) -> bool {
        let creator = self.resources[path].creator;
        self.refers(path, CURRENT_USERS)
            || fields(self.operations[creator].fields)
                .any(|(name, _)| self.name_of(creator, name, 0).is_some())
    }
}
