//! HAR files and access logs.

use std::path::Path;

use contract::replay::{Filter, Redactor, read};

/// A recording is read or refused, with as many cases and skipped entries as it has; each case is a
/// request that can be sent, and reading it again gives the same.
pub fn read_or_refused(bytes: &[u8]) {
    let path = Path::new("recording");
    let read = |user| read(bytes, path, user, &Filter::default(), &mut Redactor::new(true));
    let Ok(recording) = read(Some("admin")) else { return };
    for case in &recording.cases {
        let (method, target) = case.request.split_once(' ').expect("a method and a target");
        assert!(!method.is_empty() && target.starts_with('/'), "{}", case.request);
        assert!(!case.headers.contains_key("content-length"), "{:?}", case.headers);
        if case.user.is_some() {
            assert!(!case.headers.contains_key("authorization"), "{:?}", case.headers);
        }
    }
    let again = read(Some("admin")).expect("what was read is read again");
    assert_eq!(again.skipped, recording.skipped);
    let requests = |cases: &[contract::case::Case]| -> Vec<String> {
        cases.iter().map(|case| case.request.clone()).collect()
    };
    assert_eq!(requests(&again.cases), requests(&recording.cases));
}
