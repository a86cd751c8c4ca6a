//! What requests take from the answers before them.

use super::*;

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
        assert!(cases.iter().any(|case| case.capture.values().any(|source| source == pointer)));
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
