//! Redacts passwords, tokens and e-mail addresses in differences.

use std::sync::LazyLock;

use comparison::Difference;
use regex::Regex;

/// Tokens, hashes, addresses, and the values of fields that hold secrets.
static SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
        (?P<key> ["']? [\w-]* (?:password|token|secret|authorization|cookie|api-?key) [\w-]* ["']?
            \s* [:=] \s* )
            (?: "(?:[^"\\]|\\.)*"? | [^\s,&}\]"]+ )
        | (?P<scheme> \b(?:bearer|basic) \s+ ) \S+
        | \beyJ[\w-]+ (?:\.[\w-]+)*
        | \$(?:argon2\w*|2[aby])\$ [^\s"]*
        | [^\s"'<>@=&?/:]+ (?:@|%40) [^\s"'<>@&/]+"#,
    )
    .ok()
});

const HIDDEN: &str = "<redacted>";

pub(crate) fn text(text: &str) -> String {
    // Without the pattern nothing can be shown.
    let Some(secret) = &*SECRET else { return HIDDEN.to_owned() };
    secret
        .replace_all(text, |found: &regex::Captures<'_>| {
            let kept = found.name("key").or(found.name("scheme")).map_or("", |kept| kept.as_str());
            format!("{kept}{HIDDEN}")
        })
        .into_owned()
}

pub(crate) fn difference(Difference { path, reference, candidate }: Difference) -> Difference {
    let name = path.rsplit(['.', ' ']).next().unwrap_or_default().to_lowercase();
    let secrets =
        ["password", "token", "secret", "authorization", "cookie", "email", "key", "hash"];
    if secrets.iter().any(|secret| name.contains(secret)) {
        let hidden = |value: String| if value == "(absent)" { value } else { HIDDEN.to_owned() };
        return Difference { path, reference: hidden(reference), candidate: hidden(candidate) };
    }
    Difference { reference: text(&reference), candidate: text(&candidate), path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for shown in [
            r#"{"email":"me@b.co","password":"hunter2 \" x","n":1}"#,
            "username=me%40b.co&password=hunter2&scope=",
            "Bearer eyJhbGciOi.eyJzdWIi.c2ln hunter2",
            "hash $argon2id$v=19$m=1$hunter2$me of hunter2",
            "POST /password-recovery/me@b.co",
            r#""access_token": "eyJhbGciOi.eyJzdWIi.hunter2", "x": 1"#,
            "api-key: hunter2",
        ] {
            let redacted = text(shown);
            for secret in ["me@b.co", "me%40b.co", "eyJhbGci", "c2ln", "$argon2"] {
                assert!(!redacted.contains(secret), "{redacted}");
            }
            assert!(redacted.contains(HIDDEN), "{redacted}");
        }
        assert!(!text(r#"{"password":"hunter2 \" x","n":1}"#).contains("hunter2"));
        assert!(!text("password=hunter2&scope=").contains("hunter2"));
        assert!(!text("api-key: hunter2").contains("hunter2"));
        assert!(text(r#"{"password":"a","n":1}"#).ends_with(r#","n":1}"#));
        assert_eq!(text("GET /items/7?skip=1"), "GET /items/7?skip=1");
    }

    #[test]
    fn the_value_of_a_field_is_hidden_by_the_fields_name() {
        let difference = difference(Difference {
            path: "body.user.full_token".into(),
            reference: "\"abc\"".into(),
            candidate: "(absent)".into(),
        });
        assert_eq!(difference.reference, HIDDEN);
        assert_eq!(difference.candidate, "(absent)");
    }
}
