//! Documents as a whole: operations, parameters, components, security.

use super::*;

fn parameters(path: &str, list: Value) -> Value {
    let mut document = item(json!({}));
    let mut get = json!({"responses": {"200": {"description": "ok"}}});
    get["parameters"] = list;
    document["paths"] = json!({});
    document["paths"][path]["get"] = get;
    document
}

#[test]
fn parameters_of_a_path_are_known_by_their_position() {
    let part = |name: &str, schema: Value| json!({"name": name, "in": "path", "required": true, "schema": schema});
    let (x, y) = (part("x", json!({"type": "integer"})), part("y", json!({"type": "string"})));
    let old = parameters("/a/{x}/{y}", json!([x, y]));
    assert_eq!(changes(&old, &old), []);
    assert_eq!(changes(&old, &parameters("/a/{x}/{y}", json!([y, x]))), []);
    let renamed = parameters(
        "/a/{y}/{x}",
        json!([part("x", json!({"type": "string"})), part("y", json!({"type": "integer"}))]),
    );
    assert_eq!(changes(&old, &renamed), []);
    let narrower = part("y", json!({"type": "string", "maxLength": 3}));
    let narrowed = changes(&old, &parameters("/a/{x}/{y}", json!([x, narrower])));
    assert_eq!(narrowed.len(), 1);
    assert_eq!((narrowed[0].class, &*narrowed[0].path), (Breaking, "GET /a/{x}/{y} path y"));
    assert_eq!(narrowed[0].rule, "upper-bound-lowered");
}

#[test]
fn templates_are_one_only_if_their_text_is() {
    let mut document = item(json!({}));
    document["paths"] = json!({
        "/t/{y}": {"get": {"responses": {"200": {"description": "ok"}}}},
        "/t/{y}.{format}": {"get": {
            "parameters": [{"name": "q", "in": "query", "required": true, "schema": {}}],
            "responses": {"200": {"description": "ok"}},
        }},
    });
    assert_eq!(changes(&document, &document), []);
}

#[test]
fn parameters_of_the_whole_path_count() {
    let old = |schema: Value| {
        item(json!({
            "parameters": [{"name": "x", "in": "path", "required": true, "schema": schema}],
            "get": {
                "parameters": [{"name": "y", "in": "path", "required": true, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "ok"}},
            },
        }))
    };
    let (wide, narrow) = (json!({"type": "integer"}), json!({"type": "integer", "maximum": 3}));
    assert_eq!(classes(&old(wide.clone()), &old(wide.clone())), []);
    assert_eq!(classes(&old(wide), &old(narrow)), [Breaking]);
}

#[test]
fn what_is_sent_counts_and_not_the_name_of_the_scheme() {
    let secured = |schemes: Value, security: Value| {
        let mut document = item(json!({"get": {"security": security, "responses": {}}}));
        document["components"] = json!({"securitySchemes": schemes});
        document
    };
    let bearer = json!({"type": "http", "scheme": "bearer"});
    let key = json!({"type": "apiKey", "in": "header", "name": "X-Key"});
    let oauth = json!({"type": "oauth2", "flows": {}});
    let s = |scheme: &Value| secured(json!({"s": scheme}), json!([{"s": []}]));
    assert_eq!(classes(&s(&bearer), &s(&key)), [Breaking]);
    let renamed = secured(json!({"t": bearer}), json!([{"t": []}]));
    assert_eq!(classes(&s(&bearer), &renamed), []);
    assert_eq!(
        classes(&s(&bearer), &secured(json!({"s": oauth}), json!([{"s": []}])))
            .iter()
            .filter(|c| **c == Breaking)
            .count(),
        0
    );
    let tokens = |name: &str, url: &str| {
        let flows = json!({"password": {"tokenUrl": url, "scopes": {}}});
        secured(json!({name: {"type": "oauth2", "flows": flows}}), json!([{name: []}]))
    };
    assert_eq!(classes(&tokens("s", "a"), &tokens("t", "a")), []);
    assert_eq!(classes(&tokens("s", "a"), &tokens("t", "b")), [NonBreaking]);
    let scopes = |scopes: Value| secured(json!({"s": oauth}), json!([{"s": scopes}]));
    assert_eq!(classes(&scopes(json!(["a", "b"])), &scopes(json!(["a"]))), [NonBreaking]);
    assert_eq!(classes(&scopes(json!(["a"])), &scopes(json!(["b", "a"]))), [Breaking]);
    let open = secured(json!({}), json!([]));
    assert_eq!(classes(&open, &s(&key)), [Breaking]);
    assert_eq!(classes(&s(&key), &open), [NonBreaking]);
}

#[test]
fn headers_of_responses_count_without_their_case() {
    let headers = |headers: Value| {
        item(json!({"get": {"responses": {"200": {"description": "ok", "headers": headers}}}}))
    };
    let one = |name: &str, kind: &str| headers(json!({name: {"schema": {"type": kind}}}));
    assert_eq!(classes(&one("X-A", "integer"), &one("x-a", "integer")), []);
    assert_eq!(classes(&one("X-A", "integer"), &one("X-A", "array")), [Breaking]);
    assert_eq!(classes(&one("X-A", "integer"), &headers(json!({}))), [Breaking]);
}

#[test]
fn a_change_in_a_component_is_reported_once_with_what_it_reaches() {
    let document = |kind: &str| {
        let tree = json!({"$ref": "#/components/schemas/T"});
        let mut document = request(&tree);
        document["paths"]["/y"] = response(&tree)["paths"]["/x"].clone();
        document["paths"]["/z"] = response(&tree)["paths"]["/x"].clone();
        document["components"]["schemas"]["T"] = json!({"type": "object", "properties": {
            "value": {"type": kind},
            "children": {"type": "array", "items": tree},
        }});
        document
    };
    let changes = changes(&document("integer"), &document("string"));
    let found: Vec<_> = changes.iter().map(|c| (&*c.path, c.operations.join(" "))).collect();
    assert_eq!(found, [("T.value", "POST /x".to_owned()), ("T.value", "GET /y GET /z".to_owned())]);
    assert_eq!(changes[0].component.as_deref(), Some("T"));
}

#[test]
fn what_cannot_be_followed_is_an_error_with_its_location() {
    let missing = response(&json!({"$ref": "#/components/schemas/Missing"}));
    let error = prepare(missing).unwrap_err();
    assert!(error.location.contains("/paths/~1x/get"), "{error}");
    assert!(error.message.contains("Missing"), "{error}");
    for document in [
        json!({"openapi": "3.1.0"}),
        json!({"openapi": "3.1.0", "paths": []}),
        item(json!([])),
        item(json!({"get": {"parameters": {}}})),
        item(json!({"get": {"parameters": [{}]}})),
        json!([]),
    ] {
        assert!(prepare(document.clone()).is_err(), "{document}");
    }
    assert!(prepare(response(&json!({"$ref": "other.json#/X"}))).is_err());
    // A schema that brings its own definitions, and a name that looks like a keyword.
    for schema in [
        json!({"$ref": "#/$defs/A", "$defs": {"A": {"type": "string"}}}),
        json!({"type": "object", "properties": {"$ref": {"type": "string"}, "example": {}}}),
        json!({"example": {"$ref": "nowhere"}}),
        json!({"$defs": {"A": {"$anchor": "a", "type": "string"}}, "$ref": "#a"}),
    ] {
        assert!(prepare(response(&schema)).is_ok(), "{schema}");
    }
}

#[test]
fn schemas_composed_of_themselves_end() {
    for schema in [
        json!({"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/A"}]}),
        json!({"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}]}),
        json!({"$ref": "#/components/schemas/A", "type": "string"}),
        json!({"oneOf": [{"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object"}]}]}),
        json!({"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}}),
        json!({"not": {"$ref": "#/components/schemas/A"}}),
    ] {
        let mut document = response(&json!({"$ref": "#/components/schemas/A"}));
        document["components"]["schemas"]["A"] = schema;
        let mut other = document.clone();
        other["info"]["version"] = json!("2");
        assert_eq!(classes(&document, &other), [Documentation]);
    }
}

#[test]
fn operations_bodies_and_responses() {
    let base = item(json!({"post": {
        "requestBody": {"content": {"application/json": {"schema": {}}}},
        "responses": {"200": {"description": "ok"}, "404": {"description": "no"}},
    }}));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut new = base.clone();
        change(&mut new["paths"]["/x"]["post"]);
        changes(&base, &new).into_iter().map(|c| (c.class, c.rule)).collect::<Vec<_>>()
    };
    assert_eq!(
        with(&|post| post["requestBody"]["required"] = json!(true)),
        [(Breaking, "request-body-became-required")]
    );
    assert_eq!(
        with(&|post| post["responses"] = json!({"404": {"description": "no"}})),
        [(Breaking, "response-removed")]
    );
    assert_eq!(
        with(&|post| post["responses"] = json!({"200": {"description": "ok"}})),
        [(NonBreaking, "response-removed")]
    );
    assert_eq!(
        with(&|post| post["responses"]["201"] = json!({"description": "new"})),
        [(NonBreaking, "response-added")]
    );
    assert_eq!(
        with(&|post| post["operationId"] = json!("x")),
        [(Documentation, "operation-id-changed")]
    );
    assert_eq!(with(&|post| post["deprecated"] = json!(true)), [(Documentation, "deprecated")]);
    let xml = json!({"application/xml": {"schema": {}}});
    assert_eq!(
        with(&|post| post["requestBody"]["content"] = xml.clone()),
        [(Breaking, "media-type-removed"), (NonBreaking, "media-type-added")]
    );
    let utf8 = json!({"Application/JSON; charset=utf-8": {"schema": {}}});
    assert_eq!(with(&|post| post["requestBody"]["content"] = utf8.clone()), []);
    let mut removed = base.clone();
    removed["paths"] = json!({"/y": {"post": base["paths"]["/x"]["post"]}});
    let found: Vec<_> = changes(&base, &removed).into_iter().map(|c| c.rule).collect();
    assert_eq!(found, ["operation-removed", "operation-added"]);
    let hook = |kind: &str| {
        let mut document = base.clone();
        document["webhooks"] = json!({"h": {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": kind}}}}}}});
        document
    };
    // What the service sends may not be more than clients know.
    assert_eq!(classes(&hook("number"), &hook("integer")), [NonBreaking]);
    assert_eq!(classes(&hook("integer"), &hook("number")), [Breaking]);
}

#[test]
fn time_grows_with_the_size() {
    let document = |count: usize, text: &str| {
        let schema = json!({"$ref": "#/components/schemas/S"});
        let mut document = response(&schema);
        let path = document["paths"]["/x"].clone();
        for index in 0..count {
            document["paths"][format!("/p{index}")] = path.clone();
        }
        let fields: serde_json::Map<_, _> =
            (0..20).map(|index| (format!("f{index}"), json!({"type": "string"}))).collect();
        document["components"]["schemas"]["S"] = json!({"type": "object", "properties": fields});
        document["info"]["title"] = json!(text);
        document
    };
    let (old, new) = (document(2000, "a"), document(2000, "b"));
    let start = std::time::Instant::now();
    assert_eq!(classes(&old, &new), [Documentation]);
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn requests_belong_to_operations() {
    let mut document = item(json!({}));
    for path in ["/t/{y}", "/t/{y}.{format}", "/t/me"] {
        document["paths"][path] = json!({"get": {"responses": {}}});
    }
    for (request, operation) in [
        ("GET /t/7?q=1", Some("GET /t/{y}")),
        ("GET /t/me", Some("GET /t/me")),
        ("GET /t/", None),
        ("POST /t/7", None),
    ] {
        let found = crate::openapi::operation_of(&document, request);
        assert_eq!(found.as_deref(), operation, "{request}");
    }
    document["paths"].as_object_mut().unwrap().shift_remove("/t/{y}");
    let found = crate::openapi::operation_of(&document, "GET /t/7.png");
    assert_eq!(found.as_deref(), Some("GET /t/{y}.{format}"));
}

#[test]
fn a_more_specific_response_counts_against_the_one_it_was_before() {
    let of = |kind: &str| json!({"description": "r", "content": {"application/json": {"schema": {"type": kind}}}});
    let document = |responses: Value| item(json!({"get": {"responses": responses}}));
    let old = document(json!({"200": of("string"), "default": of("object")}));
    for status in ["404", "4XX"] {
        let with = |kind: &str| {
            let mut new = old.clone();
            new["paths"]["/x"]["get"]["responses"][status] = of(kind);
            new
        };
        assert_eq!(classes(&old, &with("integer")), [Breaking, NonBreaking]);
        assert_eq!(classes(&old, &with("object")), [NonBreaking]);
    }
    let range = document(json!({"4XX": of("object")}));
    let mut new = range.clone();
    new["paths"]["/x"]["get"]["responses"]["404"] = of("integer");
    assert_eq!(classes(&range, &new), [Breaking, NonBreaking]);
    // Another success is not what the default stands for.
    let mut new = old.clone();
    new["paths"]["/x"]["get"]["responses"]["201"] = of("integer");
    assert_eq!(classes(&old, &new), [NonBreaking]);
    // A range of which only one is left.
    let [range, one] = ["2XX", "200"].map(|status| document(json!({status: of("string")})));
    assert!(!classes(&range, &one).contains(&Breaking));
    // What is no status, in whatever script.
    let odd = document(json!({"éXX": of("string")}));
    assert_eq!(classes(&odd, &document(json!({"200": of("string")}))), [NonBreaking; 2]);
}

#[test]
fn how_a_single_value_is_exploded_says_nothing() {
    let q = |more: Value| {
        let mut q = json!({"name": "q", "in": "query"});
        q.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parameter(&q)
    };
    let string = json!({"type": "string"});
    assert_eq!(
        classes(&q(json!({"schema": string})), &q(json!({"schema": string, "explode": false}))),
        []
    );
    let header = |header: Value| {
        item(
            json!({"get": {"responses": {"200": {"description": "ok", "headers": {"X-H": header}}}}}),
        )
    };
    let content =
        |kind: &str| header(json!({"content": {"application/json": {"schema": {"type": kind}}}}));
    assert_eq!(classes(&content("integer"), &content("string")), [Breaking]);
    let list = |explode: bool| header(json!({"schema": {"type": "object"}, "explode": explode}));
    assert_eq!(classes(&list(false), &list(true)), [Breaking]);
}

#[test]
fn servers_of_operations_and_their_variables_count() {
    let document = |servers: Value, of_path: Value| {
        let mut document =
            item(json!({"servers": of_path, "get": {"responses": {"200": {"description": "ok"}}}}));
        document["servers"] = servers;
        document
    };
    let one = |url: &str| json!([{"url": url}]);
    let rules = |old: &Value, new: &Value| -> Vec<_> {
        changes(old, new).into_iter().map(|change| change.rule).collect()
    };
    let old = document(one("/a"), one("/b"));
    assert_eq!(rules(&old, &document(one("/a"), one("/b/"))), Vec::<&str>::new());
    let expected = ["server-removed", "server-added"];
    assert_eq!(rules(&old, &document(one("/a"), one("/c"))), expected);
    assert_eq!(rules(&old, &document(one("/a"), json!(null))), expected);
    let ports = |values: Value| {
        let port = json!({"default": "80", "enum": values});
        document(json!([{"url": "http://h:{port}/a", "variables": {"port": port}}]), json!(null))
    };
    assert_eq!(rules(&ports(json!(["80", "81"])), &ports(json!(["80"]))), ["server-removed"]);
}

#[test]
fn media_types_of_bytes_texts_and_ranges() {
    let answer = |media_type: &str, schema: Value| {
        item(json!({"get": {"responses": {"200": {
            "description": "ok", "content": {media_type: {"schema": schema}},
        }}}}))
    };
    let bytes = answer("application/octet-stream", json!({"type": "string", "format": "binary"}));
    assert_eq!(classes(&bytes, &answer("application/octet-stream", json!({}))), []);
    let string = json!({"type": "string"});
    let any = answer("*/*", string.clone());
    assert!(!classes(&any, &answer("application/json", string.clone())).contains(&Breaking));
    assert!(classes(&answer("application/json", string.clone()), &any).contains(&Breaking));
    let cbor = |schema: Value| {
        let media_type = "application/vnd.platform+cbor";
        item(
            json!({"post": {"requestBody": {"content": {media_type: {"schema": schema}}}, "responses": {}}}),
        )
    };
    assert_eq!(classes(&cbor(json!({"type": "integer"})), &cbor(string)), [Breaking]);
}

#[tokio::test]
async fn large_whole_numbers_are_distinguished() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("part.json");
    std::fs::write(part, r#"{"A": {"enum": [98765432109876543210987]}}"#).unwrap();
    let mut documents = Vec::new();
    for (name, last) in [("a", "3"), ("b", "4"), ("c", "3")] {
        let values = format!(r"[1, -1234567890123456789012{last}, 18446744073709551615]");
        let schema = format!(r#"{{"anyOf": [{{"enum": {values}}}, {{"$ref": "part.json#/A"}}]}}"#);
        let file = folder.path().join(name);
        let mut document = request(&json!(null)).to_string();
        document = document.replace(r#""schema":null"#, &format!(r#""schema":{schema}"#));
        std::fs::write(&file, document).unwrap();
        documents.push(crate::openapi::load(file.to_str().unwrap()).await.unwrap());
    }
    let found = compare(&documents[0], &documents[1]);
    let found: Vec<_> = found.iter().map(|change| (change.rule, &*change.what)).collect();
    let expected = [
        ("enum-value-removed", "-12345678901234567890123 is not allowed any more"),
        ("enum-value-added", "-12345678901234567890124 is allowed now"),
    ];
    assert_eq!(found, expected);
    assert_eq!(compare(&documents[0], &documents[2]), []);
    assert_eq!(both(&json!({"type": "integer", "enum": [1e20]}), &json!({"enum": [1e20]})).0, []);
}
