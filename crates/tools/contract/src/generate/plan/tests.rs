//! What requests take from answers, on services that are no more than their statuses.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::case::Case;
use crate::generate::{Source, accepted, answered};

/// An operation, secured, with a body of these properties if it is given one.
fn operation(body: &Value, result: &Value, parameter: Option<&str>) -> Value {
    let mut operation = json!({
        "security": [{"token": []}],
        "responses": {"200": {"content": {"application/json": {"schema": result}}}},
    });
    if body.is_object() {
        let schema = json!({"type": "object", "properties": body, "required": names(body)});
        operation["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
    }
    if let Some(name) = parameter {
        let schema = json!({"type": "string"});
        operation["parameters"] =
            json!([{"name": name, "in": "path", "required": true, "schema": schema}]);
    }
    operation
}

fn names(properties: &Value) -> Vec<&String> {
    properties.as_object().into_iter().flat_map(|fields| fields.keys()).collect()
}

fn object(properties: &Value) -> Value {
    json!({"type": "object", "properties": properties})
}

fn source(paths: &Value, users: &[&str]) -> Source {
    source_of(paths, users, 400)
}

fn source_of(paths: &Value, users: &[&str], count: usize) -> Source {
    let users: Vec<String> = users.iter().map(|user| (*user).to_owned()).collect();
    Source::new(&json!({"openapi": "3.1.0", "info": {}, "paths": paths}), &users, count, 1)
}

/// The variables that the cases of an operation capture.
fn captured<'c>(cases: &'c [Case], operation: &str) -> BTreeSet<&'c str> {
    let of = cases.iter().filter(|case| case.operation.as_deref() == Some(operation));
    of.flat_map(|case| case.capture.keys()).map(String::as_str).collect()
}

fn uses(text: &str, variables: &BTreeSet<&str>) -> bool {
    variables.iter().any(|variable| text.contains(&format!("${{{variable}}}")))
}

#[test]
fn a_field_with_the_name_of_a_key_is_a_key() {
    let text = json!({"type": "string"});
    let item = object(&json!({"sku": text, "name": text}));
    let row = object(&json!({"from_sku": text, "amount": {"type": "integer"}}));
    let rows = json!({"rows": {"type": "array", "minItems": 1, "items": row}});
    let paths = json!({
        "/items": {"post": operation(&json!({"sku": text, "name": text}), &item, None)},
        "/items/{sku}": {"get": operation(&Value::Null, &item, Some("sku"))},
        "/moves": {"post": operation(&json!({"sku": text}), &json!({}), None)},
        "/bulk": {"post": operation(&rows, &json!({}), None)},
    });
    let cases = accepted(&source(&paths, &["ann"]));
    let keys = captured(&cases, "POST /items");
    for request in ["POST /moves", "POST /bulk"] {
        let bodies = cases.iter().filter(|case| case.request == request);
        let with = bodies.filter_map(|case| case.body.as_deref()).filter(|body| uses(body, &keys));
        assert!(with.count() > 3, "{request}: {cases:#?}");
    }
    // Its own key is a new one each time.
    let own = cases.iter().filter(|case| case.request == "POST /items");
    assert!(!own.filter_map(|case| case.body.as_deref()).any(|body| uses(body, &keys)));
}

#[test]
fn ids_of_what_nothing_creates_come_from_its_list() {
    let invoice = object(&json!({"id": {"type": "string"}, "total": {"type": "integer"}}));
    for (list, pointer) in [
        (object(&json!({"data": {"type": "array", "items": invoice}})), "/data/0/id"),
        (json!({"type": "array", "items": invoice}), "/0/id"),
        (json!({}), "/*/0/id"),
    ] {
        let paths = json!({
            "/invoices": {"get": operation(&Value::Null, &list, None)},
            "/invoices/{invoice_id}/pay": {
                "post": operation(&Value::Null, &invoice, Some("invoice_id")),
            },
        });
        let cases = accepted(&source(&paths, &["ann", "ben"]));
        let ids = captured(&cases, "GET /invoices");
        assert!(cases.iter().any(|case| case.capture.values().any(|place| place == pointer)));
        let paid = cases.iter().filter(|case| case.request.ends_with("/pay"));
        assert!(paid.filter(|case| uses(&case.request, &ids)).count() > 2, "{pointer}: {cases:#?}");
    }
}

#[test]
fn what_a_person_is_given_names_a_user() {
    let user = object(&json!({"username": {"type": "string"}}));
    let order = object(&json!({"id": {"type": "string"}}));
    let text = json!({"type": "string"});
    let paths = json!({
        "/me": {
            "get": operation(&Value::Null, &user, None),
            "patch": operation(&json!({"username": text}), &user, None),
        },
        "/orders": {"post": operation(&json!({"title": text}), &order, None)},
        "/orders/{order_id}/assign": {
            "post": operation(&json!({"username": text}), &order, Some("order_id")),
        },
    });
    let cases = accepted(&source(&paths, &["ann", "ben"]));
    let users = captured(&cases, "GET /me");
    assert_eq!(users.len(), 2);
    let assigned = cases.iter().filter(|case| case.request.ends_with("/assign"));
    let with = assigned.filter_map(|case| case.body.as_deref()).filter(|body| uses(body, &users));
    assert!(with.count() > 3, "{cases:#?}");
    // A name of one's own is no other's.
    let own = cases.iter().filter(|case| case.request.starts_with("PATCH"));
    assert!(!own.filter_map(|case| case.body.as_deref()).any(|body| uses(body, &users)));
}

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
fn an_update_sends_the_version_that_was_shown_last() {
    let page = object(&json!({
        "id": {"type": "string"}, "title": {"type": "string"}, "version": {"type": "integer"},
    }));
    let update = json!({"title": {"type": "string"}, "expected_version": {"type": "integer"}});
    let paths = json!({
        "/pages": {"post": operation(&json!({"title": {"type": "string"}}), &page, None)},
        "/pages/{page_id}": {
            "get": operation(&Value::Null, &page, Some("page_id")),
            "put": operation(&update, &page, Some("page_id")),
        },
    });
    let cases = accepted(&source(&paths, &["ann"]));
    let shown: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| &case.capture)
        .filter(|(_, pointer)| *pointer == "/version")
        .map(|(variable, _)| variable.as_str())
        .collect();
    let bodies: Vec<_> = cases
        .iter()
        .filter(|case| case.request.starts_with("PUT"))
        .filter_map(|case| case.body.as_deref())
        .collect();
    let with = bodies.iter().filter(|body| uses(body, &shown)).count();
    // Others are tried as well.
    assert!(with > 10 && with < bodies.len(), "{with} of {bodies:#?}");
    // The same variable is kept of the thing, of its reads and of its updates.
    for request in ["POST", "GET", "PUT"] {
        let of = cases.iter().filter(|case| case.request.starts_with(request));
        assert!(of.flat_map(|case| case.capture.keys()).any(|v| shown.contains(v.as_str())));
    }
}

#[test]
fn what_depends_on_a_thing_is_read_when_it_is_gone() {
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

#[test]
fn a_text_that_names_a_thing_is_sent_where_it_is_asked_for() {
    let thing = object(&json!({"id": {"type": "string"}}));
    let text = json!({"type": "string"});
    let paths = json!({
        "/coupons": {"post": operation(&json!({"code": text, "note": text}), &thing, None)},
        "/carts": {"post": operation(&json!({"note": text, "coupon_code": text}), &thing, None)},
        "/carts/{cart_id}/apply-coupon": {
            "post": operation(&json!({"code": text}), &thing, Some("cart_id")),
        },
    });
    let cases = accepted(&source(&paths, &["ann"]));
    let field = |case: &Case, name: &str| {
        let body: Value = serde_json::from_str(case.body.as_deref()?).ok()?;
        body[name].as_str().map(ToOwned::to_owned)
    };
    let codes: BTreeSet<String> = cases
        .iter()
        .filter(|case| case.request == "POST /coupons" && !case.capture.is_empty())
        .filter_map(|case| field(case, "code"))
        .collect();
    for (ending, name) in [("/carts", "coupon_code"), ("/apply-coupon", "code")] {
        let sent = cases.iter().filter(|case| case.request.ends_with(ending));
        let known = sent.filter_map(|case| field(case, name)).filter(|code| codes.contains(code));
        assert!(known.count() > 3, "{ending}");
    }
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
fn users_are_known_by_what_shows_them() {
    let text = json!({"type": "string"});
    let user = object(&json!({"id": text, "username": text}));
    let thing = object(&json!({"id": text}));
    let roles = json!({"type": "string", "enum": ["owner", "viewer"]});
    let member = json!({"user_id": text, "role": roles});
    let paths = json!({
        "/me": {"get": operation(&Value::Null, &object(&json!({"data": user})), None)},
        "/teams": {"post": operation(&json!({"title": text}), &thing, None)},
        "/teams/{team_id}": {
            "get": operation(&Value::Null, &thing, Some("team_id")),
            "patch": operation(&json!({"title": text}), &thing, Some("team_id")),
        },
        "/teams/{team_id}/members": {
            "post": operation(&member, &thing, Some("team_id")),
            "get": operation(&Value::Null, &json!({}), Some("team_id")),
        },
        "/teams/{team_id}/notes": {
            "post": operation(&json!({"title": text}), &thing, Some("team_id")),
            "get": operation(&Value::Null, &json!({}), Some("team_id")),
        },
    });
    let cases = accepted(&source_of(&paths, &["ann", "ben"], 600));
    let first = &cases[0];
    assert_eq!((first.request.as_str(), first.capture.len()), ("GET /me", 2));
    let ids = captured(&cases, "GET /me");
    let members = cases.iter().filter(|case| case.request.ends_with("/members"));
    let with = members.filter_map(|case| case.body.as_deref()).filter(|body| uses(body, &ids));
    assert!(with.count() > 10);
    // In each role the second user does what can be done with a team of the first.
    for role in ["owner", "viewer"] {
        let teams = cases.iter().enumerate().filter(|(_, case)| {
            let body = case.body.as_deref().unwrap_or_default();
            case.request.ends_with("/members") && body.contains(role)
        });
        let is_used = |(position, case): (usize, &Case)| {
            let team = case.request.replace("/members", "").replace("POST", "PATCH");
            let after = &cases[position..];
            after.iter().any(|case| case.request == team && case.name.contains("as a member"))
        };
        assert!(teams.into_iter().any(is_used), "{role}");
    }
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
