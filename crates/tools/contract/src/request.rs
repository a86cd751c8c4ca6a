//! Cases as requests: variables filled in, bodies built, expectations checked.

use std::collections::BTreeMap;

use comparison::{Answer, Difference};
use serde_json::Value;

use crate::case::{Case, CaseError, Part, Variables};
use crate::hex::unhex;

/// A request with all its variables filled in.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: BTreeMap<String, String>,
    pub body: Option<Vec<u8>>,
}

impl Case {
    /// The expectations of the case that the response does not meet: path, expected, actual.
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
        let fill = |text: &str| fill(text, &variables).map_err(|message| self.invalid(message));
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

    /// The request with its variables filled in: those of earlier responses, then those of the row,
    /// which may refer to the former.
    pub fn request(&self, known: &Variables, row: &Variables) -> Result<Request, CaseError> {
        let invalid = |message: String| self.invalid(message);
        let mut variables = known.clone();
        for (name, value) in row {
            variables.insert(name.clone(), fill(value, known).map_err(invalid)?);
        }
        let fill = |text: &str| fill(text, &variables).map_err(invalid);
        let line = fill(&self.request)?;
        let (method, target) = line
            .split_once(' ')
            .ok_or_else(|| self.invalid(format!("'{line}' is not a method and a path")))?;
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
            Some(unhex(&fill(hex)?).map_err(invalid)?)
        } else if let Some(form) = &self.form {
            content_type("application/x-www-form-urlencoded");
            Some(fill(form)?.into_bytes())
        } else if !self.multipart.is_empty() {
            content_type(&format!("multipart/form-data; boundary={BOUNDARY}"));
            let mut body = Vec::new();
            for part in &self.multipart {
                part.write(&mut body, &|text| fill(text)).map_err(invalid)?;
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

/// The boundary of multipart forms.
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

/// Replaces `${name}` by values; `${'a'*256}` repeats a text, for lengths at a limit. `${env:NAME}` has
/// the name `env:NAME` among the variables.
pub(crate) fn fill(text: &str, variables: &Variables) -> Result<String, String> {
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
            let value = variables.get(name).ok_or_else(|| match name.strip_prefix("env:") {
                Some(name) => format!("the environment has no variable '{name}'"),
                None => format!(
                    "'{name}' has no value: no case before captured it, and no --variable, --secret \
                     or --sign-in gives it"
                ),
            })?;
            filled.push_str(value);
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Fills in the strings of a JSON value, which stay strings.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let variables = Variables::from([("id".to_owned(), "7".to_owned())]);
        assert_eq!(fill("/items/${id}/${'ab'*2}", &variables), Ok("/items/7/abab".into()));
        assert!(fill("${other}", &variables).unwrap_err().contains("other"));
    }
}
