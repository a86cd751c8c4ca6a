//! Requests on a condition: `If-Match` and `If-None-Match`.

use super::Generator;
use crate::case::Case;

impl Generator<'_> {
    /// Requests on a condition: with the tag that an answer had, with one that is out of date, and with
    /// any. None if an operation is not about one thing.
    pub(super) fn with_tags(&mut self, index: usize) -> Option<Vec<Case>> {
        let method = self.operations[index].method.clone();
        if !["GET", "PUT", "PATCH", "DELETE"].contains(&&*method) {
            return None;
        }
        let path = self.resource_of(index)?;
        let read = if method == "GET" { index } else { self.of_thing(&path, "GET")? };
        let mut cases = Vec::new();
        let mut thing = self.thing(index, 0, 0);
        if method == "DELETE" {
            thing = Some(self.create_own(&path, 0, &mut cases));
        }
        let variable = self.variable();
        let draft = self.draft(read, 0, thing.as_ref(), 0);
        let mut case = self.case(read, draft, "whose tag is kept");
        case.capture.insert(variable.clone(), "header etag".to_owned());
        cases.push(case);
        let kept = format!("${{{variable}}}");
        let other = "\"none\"".to_owned();
        let any = "*".to_owned();
        let tags: Vec<(&str, String, &str)> = if method == "GET" {
            let listed = format!("{other}, {kept}");
            let weak = format!("W/{kept}");
            [(kept, "its tag"), (weak, "its tag as a weak one"), (listed, "one of several tags")]
                .into_iter()
                .chain([(other, "another tag"), (any, "any tag")])
                .map(|(tag, what)| ("if-none-match", tag, what))
                .collect()
        } else {
            vec![
                ("if-match", other, "another tag"),
                ("if-none-match", any.clone(), "no tag"),
                ("if-match", any, "any tag"),
                ("if-match", kept.clone(), "its tag"),
                ("if-match", kept, "its tag again"),
            ]
        };
        for (header, tag, what) in tags {
            // The rows differ, so that each changes something.
            let mut draft = self.draft(index, 0, thing.as_ref(), cases.len());
            draft.headers.retain(|name, _| !name.eq_ignore_ascii_case(header));
            draft.headers.insert(header.to_owned(), tag);
            cases.push(self.case(index, draft, &format!("if it has {what}")));
            if what == "any tag" && method != "GET" && method != "DELETE" {
                // Its tag is another now.
                let draft = self.draft(read, 0, thing.as_ref(), 0);
                let mut case = self.case(read, draft, "whose tag is kept again");
                case.capture.insert(variable.clone(), "header etag".to_owned());
                cases.push(case);
            }
        }
        Some(cases)
    }
}
