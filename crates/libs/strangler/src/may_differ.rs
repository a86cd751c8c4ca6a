//! Where the answers of the services may differ.

use comparison::Difference;

/// A path without the positions in lists: `body.items[3].at` is one of `body.items[*].at`.
pub(crate) fn pattern(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        pattern.push_str(before);
        let behind = after.trim_start_matches(|c: char| c.is_ascii_digit());
        if let Some(behind) = behind.strip_prefix(']') {
            pattern.push_str("[*]");
            rest = behind;
        } else {
            pattern.push('[');
            rest = after;
        }
    }
    pattern.push_str(rest);
    pattern
}

/// Whether a text is a pattern of paths: `header <name>`, `status`, or `body` or `message` with a path within it.
pub(crate) fn is_pattern(text: &str) -> bool {
    let is_path = |rest: &str| rest.is_empty() || (rest.len() > 1 && rest.starts_with(['.', '[']));
    let is_within = |whole: &str| text.strip_prefix(whole).is_some_and(is_path);
    match text.strip_prefix("header ") {
        Some(name) => http::HeaderName::from_lowercase(name.as_bytes()).is_ok(),
        None => text == "status" || is_within("body") || is_within("message"),
    }
}

/// Whether the path of a difference has one of these patterns, or is within one.
pub(crate) fn may(difference: &Difference, patterns: &[String]) -> bool {
    if patterns.is_empty() {
        return false;
    }
    let found = pattern(&difference.path);
    patterns.iter().any(|known| {
        let rest = found.strip_prefix(known.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_hold_what_is_within_them() {
        let difference = |path: &str| Difference {
            path: path.to_owned(),
            reference: String::new(),
            candidate: String::new(),
        };
        for (path, known, expected) in [
            ("body.items[3].at", "body.items[*].at", true),
            ("body.items[3].at.zone", "body.items[*].at", true),
            ("body.items[3].attic", "body.items[*].at", false),
            ("body[0][12]", "body[*][*]", true),
            ("body.items", "body.items[*].at", false),
            ("header x-cache", "header x-cache", true),
            ("body (order of keys)", "body", true),
            ("status", "body", false),
        ] {
            assert_eq!(may(&difference(path), &[known.to_owned()]), expected, "{path} in {known}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in
            ["status", "body", "body.a", "body[*].a", "message.subject", "header x-cache"]
        {
            assert!(is_pattern(pattern), "{pattern}");
        }
        for other in ["", "bodies", "body.", "header", "header X", "header a b", "x-cache"] {
            assert!(!is_pattern(other), "{other}");
        }
    }
}
