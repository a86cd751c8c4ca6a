//! Secrets of recordings, which become variables.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::case::{Case, Variables};

/// The minimum length of a secret, in bytes, that is searched for where no name shows what a value is.
const LONG: usize = 8;

/// Takes secrets out of requests: cookies, tokens, keys and passwords become variables, the same value
/// always the same one.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    keeps: bool,
    /// The name of each value, as it is written in the recording.
    names: BTreeMap<String, String>,
}

impl Redactor {
    /// One that takes secrets out, or leaves everything as it is.
    pub fn new(takes: bool) -> Self {
        Self { keeps: !takes, ..Self::default() }
    }

    /// The variables with the values that were taken out.
    pub fn variables(&self) -> Variables {
        self.names.iter().map(|(value, name)| (name.clone(), value.clone())).collect()
    }

    /// Takes the secrets out of a request; those that are known only later are still in it, until
    /// [`Redactor::finish`].
    pub(super) fn take(&mut self, case: &mut Case) {
        if self.keeps {
            return;
        }
        case.request = self.query(&case.request);
        for (name, value) in &mut case.headers {
            *value = self.header(name, value);
        }
        if let Some(form) = &case.form {
            case.form = Some(self.pairs(form));
        }
        if let Some(body) = &case.body {
            let is_form = case.headers.get("content-type").is_some_and(|media_type| {
                media_type.starts_with("application/x-www-form-urlencoded")
            });
            case.body = Some(if is_form { self.pairs(body) } else { self.json(body) });
        }
        for part in &mut case.multipart {
            if is_secret(&part.name)
                && let Some(text) = &part.text
            {
                part.text = Some(self.variable(&part.name, text));
            }
        }
    }

    /// Removes known secrets everywhere.
    pub(super) fn finish(&self, case: &mut Case) {
        let mut known: Vec<_> =
            self.names.iter().filter(|(value, _)| value.len() >= LONG).collect();
        known.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let clean = |text: &mut String| {
            for (value, name) in &known {
                if text.contains(value.as_str()) {
                    *text = text.replace(value.as_str(), &format!("${{{name}}}"));
                }
            }
        };
        clean(&mut case.request);
        case.headers.values_mut().for_each(clean);
        for text in [&mut case.body, &mut case.form].into_iter().flatten() {
            clean(text);
        }
        for part in &mut case.multipart {
            part.text.iter_mut().for_each(clean);
        }
    }

    /// The variable in place of a value.
    fn variable(&mut self, name: &str, value: &str) -> String {
        if value.is_empty() || value.starts_with("${") {
            return value.to_owned();
        }
        if let Some(known) = self.names.get(value) {
            return format!("${{{known}}}");
        }
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        let plain = plain.trim_matches('_');
        let plain = if plain.is_empty() { "secret" } else { plain };
        let is_free = |name: &String| !self.names.values().any(|known| known == name);
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let free = std::iter::once(plain.to_owned()).chain(numbered).find(is_free);
        let free = free.unwrap_or_else(|| plain.to_owned());
        let reference = format!("${{{free}}}");
        self.names.insert(value.to_owned(), free);
        reference
    }

    fn header(&mut self, name: &str, value: &str) -> String {
        match name {
            "authorization" | "proxy-authorization" => match value.split_once(' ') {
                Some((scheme, value)) => {
                    let kind = if scheme.eq_ignore_ascii_case("bearer") { "token" } else { scheme };
                    format!("{scheme} {}", self.variable(kind, value))
                }
                None => self.variable(name, value),
            },
            "cookie" => {
                let cookies = value.split(';').map(|cookie| match cookie.trim().split_once('=') {
                    Some((name, value)) => format!("{name}={}", self.variable(name, value)),
                    None => cookie.trim().to_owned(),
                });
                cookies.collect::<Vec<_>>().join("; ")
            }
            "referer" => self.query(value),
            _ if is_secret(name) => self.variable(name, value),
            _ => self.tokens(value),
        }
    }

    /// A URL or a request line.
    fn query(&mut self, text: &str) -> String {
        match text.split_once('?') {
            Some((path, query)) => format!("{}?{}", self.tokens(path), self.pairs(query)),
            None => self.tokens(text),
        }
    }

    fn pairs(&mut self, text: &str) -> String {
        let pairs = text.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) if is_secret(name) => {
                format!("{name}={}", self.variable(name, value))
            }
            _ => self.tokens(pair),
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// The values of fields whose names say that they are secret; the text stays as it is otherwise.
    fn json(&mut self, text: &str) -> String {
        let Some(pattern) = FIELD.as_ref() else { return text.to_owned() };
        let mut clean = String::new();
        let mut end = 0;
        for found in pattern.captures_iter(text) {
            let (Some(name), Some(value)) = (found.get(1), found.get(2)) else { continue };
            clean.push_str(&text[end..value.start()]);
            if is_secret(name.as_str()) {
                clean.push_str(&self.variable(name.as_str(), value.as_str()));
            } else {
                clean.push_str(value.as_str());
            }
            end = value.end();
        }
        clean.push_str(&text[end..]);
        self.tokens(&clean)
    }

    /// Everything that has the shape of a JWT.
    fn tokens(&mut self, text: &str) -> String {
        let Some(pattern) = TOKEN.as_ref() else { return text.to_owned() };
        let mut clean = String::new();
        let mut end = 0;
        for found in pattern.find_iter(text) {
            clean.push_str(&text[end..found.start()]);
            clean.push_str(&self.variable("token", found.as_str()));
            end = found.end();
        }
        clean.push_str(&text[end..]);
        clean
    }
}

/// A field of a JSON object with a text as its value.
static FIELD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#""([^"\\]+)"\s*:\s*"((?:[^"\\]|\\.)*)""#).ok());

static TOKEN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*").ok());

/// Whether a name says that the value is secret.
fn is_secret(name: &str) -> bool {
    const WITHIN: [&str; 17] = [
        "accesskey",
        "apikey",
        "authorization",
        "cardnumber",
        "codeverifier",
        "credential",
        "csrf",
        "cvv",
        "passphrase",
        "passwd",
        "password",
        "privatekey",
        "secret",
        "sessionid",
        "signature",
        "token",
        "xsrf",
    ];
    const WHOLE: [&str; 11] =
        ["auth", "bearer", "jwt", "key", "otp", "pin", "pwd", "session", "sid", "sig", "xauth"];
    // Pages are continued with tokens that open nothing.
    const HARMLESS: [&str; 4] = ["nexttoken", "nextpagetoken", "pagetoken", "continuationtoken"];
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    !HARMLESS.contains(&&*name)
        && (WHOLE.contains(&&*name) || WITHIN.iter().any(|part| name.contains(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_secret() {
        for name in
            ["Password", "new_password", "X-Api-Key", "access_token", "client-secret", "sid"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["monkey", "page_token", "title", "passenger", "author", "keyboard"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn one_value_is_one_variable() {
        let mut redactor = Redactor::default();
        let mut case = Case {
            request: "POST /a?access_token=abcdefgh1&b=1".into(),
            body: Some(r#"{"password": "p\"w", "deep": {"token": "abcdefgh1"}, "n": "x"}"#.into()),
            headers: [("cookie", "sid=s1; theme=dark"), ("referer", "https://a.b/?x=abcdefgh1")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..Case::default()
        };
        redactor.take(&mut case);
        redactor.finish(&mut case);
        assert_eq!(case.request, "POST /a?access_token=${access_token}&b=1");
        let body = r#"{"password": "${password}", "deep": {"token": "${access_token}"}, "n": "x"}"#;
        assert_eq!(case.body.as_deref(), Some(body));
        assert_eq!(case.headers["cookie"], "sid=${sid}; theme=${theme}");
        assert_eq!(case.headers["referer"], "https://a.b/?x=${access_token}");
        assert_eq!(redactor.variables()["password"], r#"p\"w"#);
    }
}
