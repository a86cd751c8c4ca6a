//! The format of case files, which people write and review.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use comparison::Answer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::Spanned;

/// Values captured from earlier responses or given by a table, by name; `${name}` refers to them.
pub type Variables = BTreeMap<String, String>;

/// One request, or one for each row of its table.
///
/// In all texts `${name}` stands for a variable and `${'a'*256}` for a text so many times.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The name, by which the ledger refers to it.
    pub name: String,
    /// `METHOD /path?query`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request: String,
    /// Instead of a request: a query that must return the same rows from both databases. It must
    /// order them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// Instead of a request: the number of e-mails that must have arrived since the last such case;
    /// they are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mails: Option<usize>,
    /// The variable that holds the bearer token to send.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Headers to send; `none` removes one that would be sent otherwise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A body in JSON; strings in it may hold variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// A body as text; JSON unless a header specifies another type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// A body of any bytes, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// An URL-encoded form as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The parts of a multipart form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub multipart: Vec<Part>,
    /// What to keep of a response: a variable, and a JSON pointer into the body, `header NAME` or
    /// `cookie NAME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capture: BTreeMap<String, String>,
    /// The variables of each repetition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<Variables>,
    /// The status that both must return, where the comparison alone would not be enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What else the response must contain, of both or of a service alone.
    #[serde(default, skip_serializing_if = "Expect::is_empty")]
    pub expect: Expect,
    /// Whether bodies are compared as JSON values, regardless of the order of keys.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unordered: bool,
    /// The operation of a generated case.
    #[serde(skip)]
    pub operation: Option<String>,
    /// Whether the earlier value stays when the response lacks it, or a placeholder where there is none.
    #[serde(skip)]
    pub is_tolerant: bool,
    /// Where it is written: `items.yaml:7:3`.
    #[serde(skip)]
    pub at: String,
    /// The answer of a recording.
    #[serde(skip)]
    pub recorded: Option<Recorded>,
}

/// A part of a multipart form.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub name: String,
    /// Makes it a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// What it holds, as text or in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
}

/// What a response must contain.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Headers and their values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON pointers into the body and the values there; null also for what is absent.
    #[serde(default)]
    pub json: BTreeMap<String, Value>,
}

impl Expect {
    fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.json.is_empty()
    }
}

/// A recorded answer.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub answer: Answer,
    /// Whether the recording has the body.
    pub has_body: bool,
    /// When the request was sent.
    pub at: Option<DateTime<Utc>>,
    pub took: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {message}")]
    Syntax { path: PathBuf, message: String },
    #[error("{}{message}", origin(.at, .case))]
    Invalid { at: String, case: String, message: String },
}

/// Which case an error is of, before what is wrong; one that was made is in no file.
pub(crate) fn origin(at: &str, case: &str) -> String {
    if at.is_empty() { format!("case '{case}': ") } else { format!("{at}: case '{case}': ") }
}

impl Case {
    /// Reads a file, or all files of a folder in the order of their names.
    pub fn load(path: &Path) -> Result<Vec<Self>, CaseError> {
        let read = |source| CaseError::Read { path: path.to_owned(), source };
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(read)?;
            let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            files.retain(|file| file.extension().is_some_and(|e| e == "yaml" || e == "yml"));
            files.sort();
            return files
                .iter()
                .map(|file| Self::load(file))
                .collect::<Result<Vec<_>, _>>()
                .map(|files| files.into_iter().flatten().collect());
        }
        let text = std::fs::read_to_string(path).map_err(read)?;
        let cases: Vec<Spanned<Self>> = serde_saphyr::from_str(&text).map_err(|error| {
            CaseError::Syntax { path: path.to_owned(), message: error.to_string() }
        })?;
        let located = cases.into_iter().map(|Spanned { value, referenced, .. }| {
            let at = format!("{}:{}:{}", path.display(), referenced.line(), referenced.column());
            Self { at, ..value }.checked()
        });
        located.collect()
    }

    /// A case is a request or a query for effects, and has at most one body.
    fn checked(self) -> Result<Self, CaseError> {
        let subjects = [!self.request.is_empty(), self.sql.is_some(), self.mails.is_some()];
        let bodies = [
            self.json.is_some(),
            self.body.is_some(),
            self.hex.is_some(),
            self.form.is_some(),
            !self.multipart.is_empty(),
        ];
        let count = |of: &[bool]| of.iter().filter(|is| **is).count();
        if count(&subjects) != 1 {
            return Err(self.invalid("it needs one of request, sql and mails"));
        }
        if count(&bodies) > 1 {
            return Err(self.invalid("it has more than one of json, body, hex, form and multipart"));
        }
        Ok(self)
    }

    pub(crate) fn invalid(&self, message: impl Into<String>) -> CaseError {
        CaseError::Invalid { at: self.at.clone(), case: self.name.clone(), message: message.into() }
    }

    /// Whether it has expectations, so that it can be checked on one service alone.
    pub fn has_expectation(&self) -> bool {
        self.status.is_some() || !self.expect.is_empty()
    }

    /// Whether it queries effects of requests instead of sending one.
    pub const fn is_effect(&self) -> bool {
        self.sql.is_some() || self.mails.is_some()
    }

    /// Whether it sends a request that changes nothing.
    pub fn is_safe(&self) -> bool {
        let method = self.request.split(' ').next().unwrap_or_default();
        ["GET", "HEAD", "OPTIONS"].contains(&method)
    }

    /// The names of the variables that it uses, with those that the values of its row use.
    pub fn uses(&self, row: &Variables) -> BTreeSet<String> {
        let written = serde_json::to_string(self).unwrap_or_default();
        let texts = row.values().map(String::as_str).chain([&*written]);
        let used = texts.flat_map(names).map(ToOwned::to_owned);
        used.chain(self.user.clone()).collect()
    }

    /// The method and the path of the request, with variables as parameters: `GET /items/{id}`.
    pub fn operation(&self) -> String {
        if let Some(operation) = &self.operation {
            return operation.clone();
        }
        if self.is_effect() {
            return if self.sql.is_some() { "database" } else { "e-mails" }.to_owned();
        }
        let line = self.request.split('?').next().unwrap_or_default();
        if line.starts_with("${") { "other requests".to_owned() } else { line.replace("${", "{") }
    }

    /// One case for each row of the table.
    pub fn expand(self) -> Vec<(Self, Variables)> {
        if self.each.is_empty() {
            return vec![(self, Variables::new())];
        }
        let rows = self.each.clone();
        rows.into_iter()
            .enumerate()
            .map(|(index, row)| {
                (Self { name: format!("{} [{}]", self.name, index + 1), ..self.clone() }, row)
            })
            .collect()
    }
}

/// Cases as a file for people to go on with; JSON is YAML, and a case can always be written.
pub fn case_file(cases: &[Case]) -> String {
    let line = |case| format!("- {}\n", serde_json::to_string(case).unwrap_or_default());
    cases.iter().map(line).collect()
}

/// The names of the variables to which a text refers, `env:NAME` for those of the environment.
pub(crate) fn names(text: &str) -> impl Iterator<Item = &str> {
    let references = text.split("${").skip(1);
    references
        .filter_map(|rest| Some(rest.split_once('}')?.0))
        .filter(|name| !name.starts_with('\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused() {
        let case: Result<Vec<Case>, _> =
            serde_saphyr::from_str("- name: a\n  request: GET /\n  jsno: {}\n");
        assert!(case.unwrap_err().to_string().contains("jsno"));
    }
}
