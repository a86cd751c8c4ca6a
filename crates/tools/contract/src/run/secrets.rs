//! Values that no report and no output may show.

use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use comparison::{Answer, Difference};

use crate::outcome::Outcome;

/// What stands for a secret wherever it is shown.
pub(super) const REDACTED: &str = "***";

/// The secrets of a run; copies share them, so that those that a run learns are known to all.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Arc<RwLock<Vec<String>>>);

impl Secrets {
    /// Keeps a value out of sight from now on, as it is and as it is written in URLs, forms, JSON and
    /// Base64.
    pub fn add(&self, value: &str) {
        if value.is_empty() {
            return;
        }
        let json = serde_json::Value::from(value).to_string();
        let query: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let percent =
            percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        let forms = [
            value.to_owned(),
            json.trim_matches('"').to_owned(),
            percent.to_string(),
            query,
            BASE64_STANDARD.encode(value).trim_end_matches('=').to_owned(),
        ];
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms {
            if !known.contains(&form) {
                known.push(form);
            }
        }
        // A secret may hold another one.
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// The text without secrets.
    pub fn redact(&self, text: &str) -> String {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = text.to_owned();
        for secret in known.iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        text
    }

    /// Whether a response shows a secret.
    pub(super) fn occur(&self, answer: &Answer) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() {
            return false;
        }
        let body = String::from_utf8_lossy(&answer.body);
        let mut texts = answer.headers.values().flatten().map(String::as_str).chain([&*body]);
        texts.any(|text| known.iter().any(|secret| text.contains(secret.as_str())))
    }

    /// An outcome that can be shown. Differences of responses that show secrets are truncated
    /// parts of them, and shown without their values.
    pub(super) fn outcome(&self, outcome: &mut Outcome, has_secrets: bool) {
        for text in [&mut outcome.case, &mut outcome.request, &mut outcome.operation] {
            *text = self.redact(text);
        }
        for Difference { path, reference, candidate } in &mut outcome.differences {
            *path = self.redact(path);
            let is_status = path.ends_with("status") || path == "time";
            for text in [reference, candidate] {
                let whole = self.redact(text);
                let is_part = has_secrets && !is_status && whole == *text && text.len() > 40;
                *text = if is_part {
                    format!("{REDACTED} (the response holds a secret)")
                } else {
                    whole
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form() {
        let secrets = Secrets::default();
        secrets.add("p&s \"w\"");
        for text in
            ["p&s \"w\"", r#"p&s \"w\""#, "p%26s%20%22w%22", "p%26s+%22w%22", "cCZzICJ3Ig=="]
        {
            let shown = secrets.redact(&format!("a {text} z"));
            assert!(shown.starts_with("a ***") && shown.ends_with(" z"), "{text}: {shown}");
        }
    }

    #[test]
    fn the_longer_of_two_secrets_goes_first() {
        let secrets = Secrets::default();
        secrets.add("abc");
        secrets.add("abcdef");
        assert_eq!(secrets.redact("abcdef abc"), "*** ***");
    }
}
