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
