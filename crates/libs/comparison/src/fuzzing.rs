//! What the fuzz targets call (`crates/libs/fastapi-compat/fuzz`): what must hold for any two answers.

#![expect(clippy::expect_used, reason = "a target ends so")]

use std::collections::BTreeMap;

use serde_json::Value;

use crate::openapi::{Overlay, PathTemplate, decode};
use crate::{Answer, Pairs, compare, time};

/// The first line is the reference's body, and a path template, the rest the candidate's and a path.
pub fn answers(bytes: &[u8]) {
    let line = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let (first, rest) = bytes.split_at(line);
    let rest = rest.get(1..).unwrap_or_default();

    let answer = |body: &[u8]| {
        let set_cookie = vec![String::from_utf8_lossy(body).into_owned()];
        let headers = BTreeMap::from([("set-cookie".to_owned(), set_cookie)]);
        Answer { status: 200, headers, body: body.to_vec() }
    };
    let (reference, candidate) = (answer(first), answer(rest));
    for unordered in [false, true] {
        let differences = compare(&reference, &candidate, unordered, &mut Pairs::starting_now());
        let is_json = !unordered || serde_json::from_slice::<Value>(first).is_ok();
        assert!(differences.is_empty() || first != rest || !is_json, "{differences:?}");
        let shown = differences.iter().map(|difference| difference.reference.len()).sum::<usize>();
        assert!(shown <= 64 * (bytes.len() + 64), "{shown} bytes are shown of {}", bytes.len());
    }

    let (first, rest) = (String::from_utf8_lossy(first), String::from_utf8_lossy(rest));
    let template = PathTemplate::new(&first);
    let matches = template.matches(&rest);
    if !first.contains('{') {
        assert_eq!(matches, first == rest);
    }
    _ = time::parse(&rest);
    _ = decode(bytes.to_vec());
    if let Ok(overlay) = Overlay::read(&first) {
        let again = Overlay::read(&overlay.to_text("a title"));
        assert_eq!(again.expect("what was written is read"), overlay);
        if let Ok(document) = serde_json::from_str(&rest) {
            _ = overlay.apply(document);
        }
    }
}
