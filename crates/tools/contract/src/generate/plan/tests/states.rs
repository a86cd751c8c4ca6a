//! What is done to things, and in which of their states.

use super::*;

/// Students enrol in courses that their teacher has published.
#[test]
fn what_is_refused_in_one_state_is_tried_in_others_by_every_user() {
    let course = object(&json!({"id": {"type": "string"}, "title": {"type": "string"}}));
    let enrolment = object(&json!({"id": {"type": "string"}, "student": {"type": "string"}}));
    let title = json!({"title": {"type": "string"}});
    let paths = json!({
        "/courses": {"post": operation(&title, &course, None)},
        "/courses/{course_id}": {"get": operation(&Value::Null, &course, Some("course_id"))},
        "/courses/{course_id}/publish": {
            "post": operation(&Value::Null, &course, Some("course_id")),
        },
        "/courses/{course_id}/enrolments": {
            "post": operation(&Value::Null, &enrolment, Some("course_id")),
            "get": operation(&Value::Null, &json!({}), Some("course_id")),
        },
    });
    let mut published = BTreeSet::new();
    let sent = answered(&source(&paths, &["teacher", "student"]), |case| {
        let is_teacher = case.user.as_deref() == Some("teacher");
        let course = case.request.split('/').nth(2).unwrap_or_default().to_owned();
        match case.request.rsplit('/').next().unwrap_or_default() {
            "publish" if is_teacher => {
                if published.insert(course) {
                    200
                } else {
                    409
                }
            }
            "enrolments" if case.request.starts_with("POST") => {
                if is_teacher || !published.contains(&course) { 403 } else { 201 }
            }
            "courses" if !is_teacher => 403,
            _ => 200,
        }
    });
    let enrolled = sent.iter().filter(|(_, status)| *status == 201).count();
    assert!(enrolled > 5, "{sent:#?}");
}

#[test]
fn what_depends_on_a_thing_is_read_when_it_is_deleted() {
    let thing = object(&json!({"id": {"type": "string"}}));
    let title = json!({"title": {"type": "string"}});
    let of_project = json!({"title": {"type": "string"}, "project_id": {"type": "string"}});
    let one = |name: &str| {
        json!({
            "get": operation(&Value::Null, &thing, Some(name)),
            "delete": operation(&Value::Null, &json!({}), Some(name)),
        })
    };
    let paths = json!({
        "/projects": {"post": operation(&title, &thing, None)},
        "/projects/{project_id}": one("project_id"),
        "/projects/{project_id}/notes": {"post": operation(&title, &thing, Some("project_id"))},
        "/notes/{note_id}": one("note_id"),
        "/tasks": {"post": operation(&of_project, &thing, None)},
        "/tasks/{task_id}": one("task_id"),
    });
    let cases = accepted(&source(&paths, &["ann"]));
    let deleted = cases
        .iter()
        .position(|case| case.name.contains("with what depends on it"))
        .expect("it is deleted");
    for (kind, creator) in
        [("notes", "POST /projects/{project_id}/notes"), ("tasks", "POST /tasks")]
    {
        let before = captured(&cases[..deleted], creator);
        let read = |cases: &[Case]| {
            let of = cases.iter().filter(|case| case.request.starts_with(&format!("GET /{kind}/")));
            of.filter(|case| uses(&case.request, &before)).count()
        };
        assert!(read(&cases[deleted..deleted + 12]) > 0, "{kind}: {:#?}", &cases[deleted..]);
    }
    assert!(cases.iter().any(|case| case.name.contains("when nothing depends on it")));
}

/// A shop in which an order is made of a cart with something in it, paid once and refunded then.
#[test]
fn an_order_is_made_of_a_cart_and_refunded_when_it_is_paid() {
    let cart = object(&json!({"id": {"type": "string"}}));
    let text = json!({"type": "string"});
    let order = json!({"$ref": "#/components/schemas/Order"});
    let act = |of: &str| json!({"post": operation(&json!({"note": text}), &order, Some(of))});
    let paths = json!({
        "/carts": {"post": operation(&json!({"note": text}), &cart, None)},
        "/carts/{cart_id}/items": {
            "post": operation(&json!({"note": text}), &json!({}), Some("cart_id")),
            "get": operation(&Value::Null, &json!({}), Some("cart_id")),
        },
        "/carts/{cart_id}/checkout": act("cart_id"),
        "/orders/{number}": {"get": operation(&Value::Null, &order, Some("number"))},
        "/orders/{number}/refund": act("number"),
        "/orders/{number}/pay": act("number"),
    });
    let document = json!({"openapi": "3.1.0", "info": {}, "paths": paths, "components": {
        "schemas": {"Order": object(&json!({"number": {"type": "string"}}))},
    }});
    let source = Source::new(&document, &["ann".to_owned()], 600, 1);
    let (mut filled, mut used, mut paid) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let sent = answered(&source, |case| {
        let parts: Vec<&str> = case.request.split('/').collect();
        let [_, _, thing, action] = parts[..] else { return 200 };
        let thing = thing.to_owned();
        let is_done = match action {
            "items" => {
                filled.insert(thing);
                true
            }
            "checkout" => filled.contains(&thing) && used.insert(thing),
            "pay" => thing.contains("generated") && paid.insert(thing),
            "refund" => paid.contains(&thing),
            _ => true,
        };
        if is_done { 200 } else { 409 }
    });
    let done = |ending: &str| {
        let of = sent.iter().filter(|(case, _)| case.request.ends_with(ending));
        of.filter(|(_, status)| *status == 200).count()
    };
    assert!(done("/checkout") > 10, "{}", done("/checkout"));
    // Not only in the life cycle: what it takes is learned.
    let varied = sent.iter().filter(|(case, status)| {
        *status == 200 && case.request.ends_with("/refund") && case.name.contains("note: ")
    });
    assert!(varied.count() > 5, "{}", done("/refund"));
}

#[test]
fn what_can_be_taken_once_is_made_anew() {
    let thing = object(&json!({"id": {"type": "string"}}));
    let loan = json!({"copy_id": {"type": "string"}});
    let paths = json!({
        "/copies": {"post": operation(&json!({"shelf": {"type": "string"}}), &thing, None)},
        "/loans": {"post": operation(&loan, &thing, None)},
        "/loans/{loan_id}": {"get": operation(&Value::Null, &thing, Some("loan_id"))},
        "/loans/{loan_id}/return": {
            "post": operation(&Value::Null, &thing, Some("loan_id")),
        },
    });
    let mut lent = BTreeSet::new();
    let sent = answered(&source(&paths, &["ann"]), |case| {
        let is_loan = case.request == "POST /loans";
        if !is_loan || lent.insert(case.body.clone()) { 200 } else { 409 }
    });
    // Each return is of a loan of its own.
    let loans = sent.iter().filter(|(case, _)| {
        case.request == "POST /loans"
            && case.body.as_deref().is_some_and(|body| body.contains("generated"))
    });
    let (made, refused): (Vec<_>, Vec<_>) = loans.partition(|(_, status)| *status == 200);
    assert!(made.len() > 15 && refused.len() < made.len(), "{} {}", made.len(), refused.len());
}

#[test]
fn each_state_is_followed_by_each_other_and_back() {
    let ticket = object(&json!({"id": {"type": "string"}}));
    let states = ["new", "open", "closed"];
    let status = json!({"status": {"type": "string", "enum": states}});
    let paths = json!({
        "/tickets": {"post": operation(&json!({"title": {"type": "string"}}), &ticket, None)},
        "/tickets/{ticket_id}": {
            "get": operation(&Value::Null, &ticket, Some("ticket_id")),
            "patch": operation(&status, &ticket, Some("ticket_id")),
        },
    });
    let cases = accepted(&source(&paths, &["ann"]));
    let mut sent: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for case in cases.iter().filter(|case| case.request.starts_with("PATCH")) {
        let body = case.body.as_deref().unwrap_or_default();
        let state = states.into_iter().find(|state| body.contains(state));
        sent.entry(&case.request).or_default().extend(state);
    }
    for (a, b) in [("new", "open"), ("new", "closed"), ("open", "closed")] {
        let is_there = sent.values().any(|sent| sent.windows(3).any(|of| of == [a, b, a]));
        assert!(is_there, "{a} {b}: {sent:?}");
    }
}
