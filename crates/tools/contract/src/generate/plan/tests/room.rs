//! What is left out where there is little room.

use super::*;

#[test]
fn what_is_refused_everywhere_leaves_room() {
    let thing = object(&json!({"id": {"type": "string"}}));
    let title = json!({"title": {"type": "string"}});
    let mut paths = json!({});
    for number in 0..20 {
        let path = format!("/things{number}");
        paths[&path] = json!({"post": operation(&title, &thing, None)});
        for action in ["open", "close", "lock", "unlock", "lend", "return", "seal", "weigh"] {
            paths[format!("{path}/{{thing_id}}/{action}")] =
                json!({"post": operation(&Value::Null, &thing, Some("thing_id"))});
        }
        paths[format!("{path}/{{thing_id}}/parts")] = json!({"post": operation(&title, &json!({}), Some("thing_id")),
                "get": operation(&Value::Null, &json!({}), Some("thing_id"))});
    }
    let is_part =
        |case: &Case| case.request.starts_with("POST") && case.request.ends_with("/parts");
    let source = source_of(&paths, &["ann", "ben"], 900);
    let sent = answered(&source, |case| if is_part(case) { 409 } else { 200 });
    assert!(sent.len() <= 900, "{}", sent.len());
    let of = |what: &str| sent.iter().filter(|(case, _)| case.name.contains(what)).count();
    // All of them would be 160.
    assert!((1..=80).contains(&of("before what it may allow")));
    let others = sent.iter().filter(|(case, _)| case.request.ends_with("/lock")).count();
    assert!(others > 20, "{others}");
}

/// Scenarios and what is allowed leave too little room for all else.
#[test]
fn limits_of_what_is_within_fields_are_passed_in_few_requests() {
    let thing = object(&json!({"id": {"type": "string"}}));
    let mut body = json!({
        "address": object(&json!({"zip": {"type": "string", "pattern": "^\\d{5}$"}})),
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}},
        "size": object(&json!({"width": {"type": "number", "exclusiveMinimum": 0}})),
    });
    for number in 0..20 {
        body[format!("text{number}")] = json!({"type": "string", "minLength": 1, "maxLength": 50});
    }
    let mut paths = json!({});
    for number in 0..4 {
        let path = format!("/things{number}");
        paths[&path] = json!({
            "get": operation(&Value::Null, &json!({"type": "array", "items": thing}), None),
            "post": operation(&body, &thing, None),
        });
        paths[format!("{path}/{{thing_id}}")] = json!({
            "get": operation(&Value::Null, &thing, Some("thing_id")),
            "put": operation(&body, &thing, Some("thing_id")),
            "delete": operation(&Value::Null, &json!({}), Some("thing_id")),
        });
    }
    let cases = accepted(&source_of(&paths, &["ann", "ben"], 600));
    let bodies: Vec<Value> =
        cases.iter().filter_map(|case| serde_json::from_str(case.body.as_deref()?).ok()).collect();
    let sent = |is: &dyn Fn(&Value) -> bool| bodies.iter().filter(|body| is(body)).count();
    let length = |value: &Value| value.as_str().map(str::len);
    assert!(sent(&|body| length(&body["address"]["zip"]) == Some(4)) > 1);
    assert!(sent(&|body| length(&body["tags"][0]) == Some(21)) > 1);
    assert!(sent(&|body| body["size"]["width"] == 0) > 1);
}

/// Limits come first: also of what is done with a thing.
#[test]
fn what_a_request_is_about_is_created_before_it() {
    let thing = object(&json!({"id": {"type": "string"}}));
    let include = json!({"type": "array", "items": {"type": "string", "enum": ["a", "b"]}});
    let paths = json!({
        "/things": {"post": operation(&json!({"title": {"type": "string"}}), &thing, None)},
        "/things/{thing_id}/find":
            {"post": operation(&json!({"include": include}), &json!({}), Some("thing_id"))},
    });
    let cases = accepted(&source(&paths, &["ann"]));
    assert!(cases.iter().any(|case| case.name.ends_with("an item: none of its values")));
    let mut known = BTreeSet::new();
    for case in &cases {
        let used = case.uses(&std::collections::BTreeMap::new());
        let of_others = used.iter().filter(|name| name.starts_with("generated"));
        assert!(of_others.clone().all(|name| known.contains(name)), "{}: {used:?}", case.name);
        known.extend(case.capture.keys().cloned());
    }
}
