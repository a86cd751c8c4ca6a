//! A generated request that makes a difference, made smaller as long as it still does.

use serde_json::Value;

use crate::case::Case;

/// The case with one thing less, in the order in which it is worth trying.
pub(crate) fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    if let Some((path, query)) = case.request.split_once('?') {
        all.push(Case { request: path.to_owned(), ..case.clone() });
        let pairs: Vec<_> = query.split('&').collect();
        for index in (0..pairs.len()).filter(|_| pairs.len() > 1) {
            let request = format!("{path}?{}", without(&pairs, index).join("&"));
            all.push(Case { request, ..case.clone() });
        }
    }
    for name in case.headers.keys() {
        let mut headers = case.headers.clone();
        headers.remove(name);
        all.push(Case { headers, ..case.clone() });
    }
    if let Some(form) = &case.form {
        let pairs: Vec<_> = form.split('&').collect();
        for index in 0..pairs.len() {
            let form = Some(without(&pairs, index).join("&"));
            all.push(Case { form, ..case.clone() });
        }
    }
    if let Some(body) = &case.body {
        all.push(Case { body: None, ..case.clone() });
        let value: Option<Value> = serde_json::from_str(&quoted(body)).ok();
        for value in value.as_ref().map(smaller_values).unwrap_or_default() {
            all.push(Case { body: Some(unquoted(&value.to_string())), ..case.clone() });
        }
    }
    if case.user.is_some() {
        all.push(Case { user: None, ..case.clone() });
    }
    all
}

/// A body in JSON whose variables that stand for numbers are in quotes.
fn quoted(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        text.push_str(before);
        let is_number = before.trim_end().ends_with([':', ',', '[']);
        let variable = if is_number { format!("\"${{#{name}}}\"") } else { format!("${{{name}}}") };
        text.push_str(&variable);
        rest = after;
    }
    text + rest
}

/// A body in JSON whose variables that stand for numbers (`"${#id}"`) are without quotes: `${id}`.
pub(crate) fn unquoted(body: &str) -> String {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("\"${#") {
        let Some((name, after)) = after.split_once("}\"") else { break };
        text.push_str(before);
        text.extend(["${", name, "}"]);
        rest = after;
    }
    text + rest
}

fn without<'a>(pairs: &[&'a str], index: usize) -> Vec<&'a str> {
    let (before, after) = pairs.split_at(index);
    before.iter().chain(&after[1..]).copied().collect()
}

fn smaller_values(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(fields) => {
            let fewer = fields.keys().map(|key| {
                let mut fields = fields.clone();
                fields.shift_remove(key);
                Value::Object(fields)
            });
            let simpler = fields.iter().flat_map(|(key, value)| {
                smaller_values(value).into_iter().map(|value| {
                    let mut fields = fields.clone();
                    fields.insert(key.clone(), value);
                    Value::Object(fields)
                })
            });
            fewer.chain(simpler).collect()
        }
        Value::Array(items) => {
            let fewer = (0..items.len()).map(|index| {
                let mut items = items.clone();
                items.remove(index);
                Value::Array(items)
            });
            let simpler = items.iter().enumerate().flat_map(|(index, value)| {
                smaller_values(value).into_iter().map(move |value| {
                    let mut items = items.clone();
                    items[index] = value;
                    Value::Array(items)
                })
            });
            fewer.chain(simpler).collect()
        }
        // Half of the characters, so that none is split.
        Value::String(text) if !text.contains("${") => {
            let count = text.chars().count();
            let part = |from, to: usize| {
                Value::String(text.chars().skip(from).take(to - from).collect::<String>())
            };
            if count > 1 { vec![part(0, count / 2), part(count / 2, count)] } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_can_go() {
        let mut case = Case {
            request: "POST /items/?a=1&b=2".into(),
            body: Some(r#"{"title":"abcd","tags":[1,{"x":2}]}"#.into()),
            user: Some("alice".into()),
            ..Case::default()
        };
        case.headers.insert("x-a".into(), "1".into());
        // Always taking the first candidate ends with nothing.
        let mut steps = 0;
        while let Some(next) = smaller(&case).into_iter().next() {
            case = next;
            steps += 1;
        }
        assert_eq!((case.request.as_str(), case.body, case.user), ("POST /items/", None, None));
        assert!(steps < 10);
    }

    #[test]
    fn variables_without_quotes_stay_so() {
        let body = r#"{"lines":[{"id":${a},"n":1}],"b":"x${c}"}"#;
        assert_eq!(unquoted(&quoted(body)), body);
        let case = Case { body: Some(body.into()), ..Case::default() };
        let bodies: Vec<_> = smaller(&case).into_iter().filter_map(|case| case.body).collect();
        assert!(bodies.iter().any(|body| body == r#"{"lines":[{"id":${a}}],"b":"x${c}"}"#));
    }

    #[test]
    fn a_case_is_reduced_to_the_field_that_differs() {
        let differs = |case: &Case| {
            let body: Value = serde_json::from_str(case.body.as_deref()?).ok()?;
            body["title"].as_str()?.contains('x').then_some(())
        };
        let mut case = Case {
            body: Some(r#"{"a":1,"title":"aaaaxbbbb","b":{"c":[1,2,3]}}"#.into()),
            ..Case::default()
        };
        while let Some(next) = smaller(&case).into_iter().find(|c| differs(c).is_some()) {
            case = next;
        }
        assert_eq!(case.body.as_deref(), Some(r#"{"title":"x"}"#));
    }
}
