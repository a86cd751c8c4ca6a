//! Cases as data: files that people write and review.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_saphyr::Spanned;

use comparison::{Answer, Difference};

/// Values that earlier answers left behind or a table gives, by name; `${name}` stands for them.
pub type Variables = BTreeMap<String, String>;

/// One request, or one for each row of its table.
///
/// In all texts `${name}` stands for a variable and `${'a'*256}` for a text so many times.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows; as the ledger calls it.
    pub name: String,
    /// `METHOD /path?query`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request: String,
    /// Instead of a request: a query whose rows both databases must give. It says their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// Instead of a request: how many e-mails must have come since the last look into the sinks;
    /// they are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mails: Option<usize>,
    /// The variable that holds the bearer token to send.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Headers to send; `none` takes one away that would be there otherwise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A body in JSON; strings in it may hold variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// A body as it stands; JSON unless a header says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// A body of any bytes, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// A url-encoded form as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The parts of a multipart form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub multipart: Vec<Part>,
    /// What to keep of a JSON answer: variable and JSON pointer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capture: BTreeMap<String, String>,
    /// The variables of each repetition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub each: Vec<Variables>,
    /// The status that both must answer, where the comparison alone would not say enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What must be in the answer besides, of both or of a service alone.
    #[serde(default, skip_serializing_if = "Expect::is_empty")]
    pub expect: Expect,
    /// Whether the answers are compared as JSON values, the order of keys left aside.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unordered: bool,
    /// The operation of a generated case.
    #[serde(skip)]
    pub operation: Option<String>,
    /// Whether what is not there to be captured is made up.
    #[serde(skip)]
    pub is_tolerant: bool,
    /// Where it is written: `items.yaml:7:3`.
    #[serde(skip)]
    pub at: String,
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

/// What an answer must hold.
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

#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {message}")]
    Syntax { path: PathBuf, message: String },
    #[error("{at}: case '{case}': {fault}")]
    Fault { at: String, case: String, fault: String },
}

impl Case {
    /// Reads a file, or all files of a folder in the order of their names.
    pub fn load(path: &Path) -> Result<Vec<Self>, CaseError> {
        let read = |source| CaseError::Read { path: path.to_owned(), source };
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(read)?;
            let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml"));
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
        let placed = cases.into_iter().map(|Spanned { value, referenced, .. }| {
            let at = format!("{}:{}:{}", path.display(), referenced.line(), referenced.column());
            Self { at, ..value }.checked()
        });
        placed.collect()
    }

    /// A case is a request or a look at what requests left behind, and has one body at the most.
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
            return Err(self.fault("it needs one of request, sql and mails"));
        }
        if count(&bodies) > 1 {
            return Err(self.fault("it has more than one of json, body, hex, form and multipart"));
        }
        Ok(self)
    }

    pub(crate) fn fault(&self, fault: impl Into<String>) -> CaseError {
        CaseError::Fault { at: self.at.clone(), case: self.name.clone(), fault: fault.into() }
    }

    /// Whether it looks at what requests left behind.
    pub const fn is_effect(&self) -> bool {
        self.sql.is_some() || self.mails.is_some()
    }

    /// The method and the path of the request, without what changes: `GET /items/{id}`.
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

    /// What the case expects and the answer is not: the place, what is expected, what is there.
    pub fn unmet(
        &self,
        answer: &Answer,
        variables: &Variables,
        row: &Variables,
    ) -> Result<Vec<Difference>, CaseError> {
        let variables: Variables = variables
            .iter()
            .chain(row)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let fill = |text: &str| fill(text, &variables).map_err(|fault| self.fault(fault));
        let mut unmet = Vec::new();
        let mut expect = |path: String, expected: String, found: String| {
            if expected != found {
                let (reference, candidate) = (expected, found);
                unmet.push(Difference { path, reference, candidate });
            }
        };
        if let Some(status) = self.status {
            expect("expected status".into(), status.to_string(), answer.status.to_string());
        }
        for (name, value) in &self.expect.headers {
            let found = answer.headers.get(&name.to_lowercase());
            let found = found.map_or("(absent)".into(), |values| values.join(" | "));
            expect(format!("expected header {name}"), fill(value)?, found);
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        for (pointer, value) in &self.expect.json {
            let found = body.pointer(pointer).unwrap_or(&Value::Null);
            let value = fill_json(value, &fill)?;
            expect(format!("expected {pointer}"), value.to_string(), found.to_string());
        }
        Ok(unmet)
    }

    /// The request with its variables filled in: those of earlier answers, then those of the row,
    /// which may speak of the former.
    pub fn request(&self, known: &Variables, row: &Variables) -> Result<Request, CaseError> {
        let fault = |fault: String| self.fault(fault);
        let mut variables = known.clone();
        for (name, value) in row {
            variables.insert(name.clone(), fill(value, known).map_err(fault)?);
        }
        let fill = |text: &str| fill(text, &variables).map_err(fault);
        let line = fill(&self.request)?;
        let (method, target) = line
            .split_once(' ')
            .ok_or_else(|| self.fault(format!("'{line}' is not a method and a path")))?;
        let mut headers = BTreeMap::new();
        let mut content_type = |value: &str| {
            headers.insert("content-type".to_owned(), value.to_owned());
        };
        let body = if let Some(json) = &self.json {
            content_type("application/json");
            let json = fill_json(json, &fill)?;
            Some(json.to_string().into_bytes())
        } else if let Some(body) = &self.body {
            content_type("application/json");
            Some(fill(body)?.into_bytes())
        } else if let Some(hex) = &self.hex {
            content_type("application/json");
            Some(unhex(&fill(hex)?).map_err(fault)?)
        } else if let Some(form) = &self.form {
            content_type("application/x-www-form-urlencoded");
            Some(fill(form)?.into_bytes())
        } else if !self.multipart.is_empty() {
            content_type(&format!("multipart/form-data; boundary={BOUNDARY}"));
            let mut body = Vec::new();
            for part in &self.multipart {
                part.write(&mut body, &|text| fill(text)).map_err(fault)?;
            }
            body.extend(format!("--{BOUNDARY}--\r\n").bytes());
            Some(body)
        } else {
            None
        };
        if let Some(user) = &self.user {
            let token = fill(&format!("${{{}}}", fill(user)?))?;
            headers.insert("authorization".into(), format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            match fill(value)? {
                none if none == "none" => headers.remove(&name.to_lowercase()),
                value => headers.insert(name.to_lowercase(), value),
            };
        }
        Ok(Request { method: method.to_owned(), target: target.to_owned(), headers, body })
    }
}

/// What stands between the parts of a multipart form.
const BOUNDARY: &str = "contract-6f1c2b";

impl Part {
    fn write(
        &self,
        body: &mut Vec<u8>,
        fill: &impl Fn(&str) -> Result<String, CaseError>,
    ) -> Result<(), String> {
        let fill = |text: &str| fill(text).map_err(|error| error.to_string());
        let name = fill(&self.name)?;
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"").bytes(),
        );
        if let Some(filename) = &self.filename {
            body.extend(format!("; filename=\"{}\"", fill(filename)?).bytes());
        }
        if let Some(content_type) = &self.content_type {
            body.extend(format!("\r\nContent-Type: {}", fill(content_type)?).bytes());
        }
        body.extend(b"\r\n\r\n");
        match (&self.text, &self.hex) {
            (Some(_), Some(_)) => return Err(format!("part '{name}' has text and hex")),
            (Some(text), None) => body.extend(fill(text)?.bytes()),
            (None, Some(hex)) => body.extend(unhex(&fill(hex)?)?),
            (None, None) => {}
        }
        body.extend(b"\r\n");
        Ok(())
    }
}

/// A request that is ready to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: BTreeMap<String, String>,
    pub body: Option<Vec<u8>>,
}

/// Puts values in the place of `${name}`; `${'a'*256}` repeats a text, for lengths at a limit.
fn fill(text: &str, variables: &Variables) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("'${{{after}' is not closed"))?;
        filled.push_str(before);
        if let Some((text, count)) = name.strip_prefix('\'').and_then(|n| n.split_once("'*")) {
            let count = count.parse().map_err(|_| format!("'{count}' is not a count"))?;
            filled.push_str(&text.repeat(count));
        } else {
            let value = variables.get(name).ok_or_else(|| format!("'{name}' has no value"))?;
            filled.push_str(value);
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Fills in the strings of a JSON value, which stay strings whatever comes in.
fn fill_json<E>(value: &Value, fill: &impl Fn(&str) -> Result<String, E>) -> Result<Value, E> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| fill_json(item, fill)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let fields =
                fields.iter().map(|(key, value)| Ok((key.clone(), fill_json(value, fill)?)));
            Value::Object(fields.collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    })
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    text.split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).map_err(|_| format!("'{byte}' is not a byte")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let variables = Variables::from([("id".to_owned(), "7".to_owned())]);
        assert_eq!(fill("/items/${id}/${'ab'*2}", &variables), Ok("/items/7/abab".into()));
        assert!(fill("${other}", &variables).unwrap_err().contains("other"));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let case: Result<Vec<Case>, _> =
            serde_saphyr::from_str("- name: a\n  request: GET /\n  jsno: {}\n");
        assert!(case.unwrap_err().to_string().contains("jsno"));
    }
}
