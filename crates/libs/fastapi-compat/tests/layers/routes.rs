//! Generated tables of routes and requests to them: Starlette chooses the same route, with the same
//! parameters, refuses the same methods and redirects to the same paths.

use axum::body::Body;
use axum::extract::RawPathParams;
use fastapi_compat::openapi::Outline;
use fastapi_compat::{Router, Routes};
use http::{Method, Request, header};
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::ask;

/// A part of a route's path.
#[derive(Clone, Debug)]
enum Piece {
    Literal(String),
    Parameter(&'static str),
}

#[derive(Clone, Debug)]
struct Case {
    routes: Vec<(&'static str, String)>,
    requests: Vec<(&'static str, String)>,
}

/// A few characters, so that texts meet.
fn literal() -> impl Strategy<Value = Piece> {
    "[ab1.\\-é]{1,3}|/|/|/".prop_map(Piece::Literal)
}

fn piece() -> impl Strategy<Value = Piece> {
    let convertor = select(&["", "", "", ":str", ":path", ":int", ":float", ":uuid"][..]);
    prop_oneof![literal(), convertor.prop_map(Piece::Parameter)]
}

/// Routes of which some differ in one literal alone. Python's expressions take time by the power of the
/// number of parameters.
fn routes() -> impl Strategy<Value = Vec<Vec<Piece>>> {
    let family = (vec(piece(), 1..5), any::<Index>(), vec(literal(), 0..4));
    vec(family, 1..6).prop_map(|families| {
        let mut routes = Vec::new();
        for (pieces, at, literals) in families {
            for literal in literals {
                let mut sibling = pieces.clone();
                sibling[at.index(pieces.len())] = literal;
                routes.push(sibling);
            }
            routes.push(pieces);
        }
        routes
    })
}

/// The path of a route, whose parameters have the names `a`, `b` and so on.
fn template(pieces: &[Piece]) -> String {
    let mut names = 'a'..;
    pieces.iter().fold("/".to_owned(), |path, piece| match piece {
        Piece::Literal(text) => path + text,
        Piece::Parameter(convertor) => match names.next() {
            Some(name) => path + &format!("{{{name}{convertor}}}"),
            None => path,
        },
    })
}

/// A path that may match: texts for the parameters, and what is changed then.
fn request(pieces: &[Piece], texts: &[String], change: &(u8, Index, char)) -> String {
    let mut texts = texts.iter();
    let path = pieces.iter().fold("/".to_owned(), |path, piece| match piece {
        Piece::Literal(text) => path + text,
        Piece::Parameter(_) => path + texts.next().map_or("a", String::as_str),
    });
    let mut characters: Vec<_> = path.chars().collect();
    let at = 1 + change.1.index(characters.len());
    match change.0 {
        0 => characters.insert(at, change.2),
        1 if at < characters.len() => _ = characters.remove(at),
        2 => characters.push('/'),
        3 => characters.push('\n'),
        4 if characters.len() > 1 => _ = characters.pop(),
        _ => {}
    }
    let path = String::from_iter(characters);
    // As a client may encode it; `/` is the same as `%2F` for Starlette.
    let encoded =
        path.split('/').map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
    encoded
        .collect::<Vec<_>>()
        .join(if change.0 == 5 { "%2F" } else { "/" })
        .replacen("%2F", "/", 1)
}

fn cases() -> impl Strategy<Value = Case> {
    let method = || select(&["GET", "GET", "POST"][..]);
    let text = prop_oneof![
        "[ab1.\\-é/\n]{0,4}",
        "[ab1.\\-é]{1,3}",
        "[0-9]{1,3}",
        "[0-9]\\.[0-9]",
        "[0-9a-fA-F]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "[0-9a-f]{32}",
    ];
    let change = (0..12_u8, any::<Index>(), select(&['a', '1', '-', '.', '/', '\n'][..]));
    let request_ = (any::<Index>(), vec(text, 4), change, method());
    (routes(), vec(method(), 20), vec(request_, 40)).prop_map(|(routes, methods, requests)| Case {
        requests: requests
            .iter()
            .map(|(of, texts, change, method)| {
                (*method, request(&routes[of.index(routes.len())], texts, change))
            })
            .collect(),
        routes: methods.into_iter().zip(routes.iter().map(|pieces| template(pieces))).collect(),
    })
}

fn router(routes: &[(&str, String)]) -> axum::Router {
    let mut table = Routes::new();
    for (position, (method, path)) in routes.iter().enumerate() {
        let method: Method = method.parse().unwrap();
        let handler = async move |parameters: RawPathParams| {
            let texts: Vec<_> = parameters.iter().map(|(_, text)| text.to_owned()).collect();
            json!([position, texts]).to_string()
        };
        table = table.with(Outline::new(method, path, "operation"), handler);
    }
    Router::new().routes(table).with_state(())
}

async fn ours(case: &Case) -> Value {
    let app = router(&case.routes);
    let mut answers = Vec::new();
    for (method, path) in &case.requests {
        let request = Request::builder().method(*method).uri(path).header("host", "h");
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
        let header = |name| parts.headers.get(name).map(|value| value.to_str().unwrap());
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        let (allow, location) = (header(header::ALLOW), header(header::LOCATION));
        answers.push(json!([parts.status.as_u16(), allow, location, body]));
    }
    answers.into()
}

fn starlettes(case: &Case) -> Value {
    ask(&json!({"middleware": "routes", "routes": case.routes, "requests": case.requests}))
}

/// Without the spaces in Python's JSON, and without empty parameters, which axum's extractors leave out.
fn comparable(mut answers: Value) -> Value {
    for answer in answers.as_array_mut().unwrap() {
        if let Ok(body) = serde_json::from_str(answer[3].as_str().unwrap()) {
            answer[3] = body;
        }
        if let Some(texts) = answer[3].get_mut(1).and_then(Value::as_array_mut) {
            texts.retain(|text| text != "");
        }
    }
    answers
}

#[test]
fn starlette_chooses_the_same_route() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let config = ProptestConfig {
        cases: 60,
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Default::default()
    };
    proptest::test_runner::TestRunner::new(config)
        .run(&cases(), |case| {
            let (ours, theirs) = (runtime.block_on(ours(&case)), starlettes(&case));
            let (ours, theirs) = (comparable(ours), comparable(theirs));
            for (at, request) in case.requests.iter().enumerate() {
                prop_assert_eq!(&ours[at], &theirs[at], "{:?} to {:?}", request, case.routes);
            }
            Ok(())
        })
        .unwrap();
    // What is generated reaches every kind of answer, and routes that are not the first.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut statuses = std::collections::BTreeMap::new();
    let mut later = 0;
    for _ in 0..20 {
        let case = cases().new_tree(&mut runner).unwrap().current();
        for answer in comparable(runtime.block_on(ours(&case))).as_array().unwrap() {
            *statuses.entry(answer[0].as_u64().unwrap()).or_insert(0) += 1;
            later += usize::from(answer[3][0].as_u64() > Some(0) && answer[3][1][1].is_string());
        }
    }
    let seen = |status: u64| statuses.get(&status).is_some_and(|count| *count > 5);
    assert!([200, 307, 404, 405].into_iter().all(seen) && later > 5, "{statuses:?} {later}");
}
