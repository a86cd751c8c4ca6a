//! Depth and size: nothing that is sent overflows a stack, in any profile, and no answer grows beyond
//! its limits.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]
#![expect(dead_code, reason = "models are decoded and not read")]

use axum::body::Body;
use fastapi_compat::{
    Call, Decode, Embedded, Integer, Json, MAX_ERRORS, MAX_EXPLANATION, Router, Value, post, routes,
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use indexmap::IndexMap;
use serde_json::json;
use tower::ServiceExt;

/// A model in itself, with fields that make the frames of its functions large.
#[derive(Decode, serde::Serialize)]
struct Node {
    next: Option<Box<Node>>,
    a: Option<String>,
    b: Option<Vec<i64>>,
    c: Option<IndexMap<String, f64>>,
    d: Option<Integer>,
    e: Option<uuid::Uuid>,
}

/// A model that holds another model in itself: it does not count.
#[derive(Decode)]
struct Outer {
    node: Node,
}

/// Two models in each other: each counts.
#[derive(Decode)]
struct Even {
    next: Option<Box<Odd>>,
}

#[derive(Decode)]
struct Odd {
    next: Option<Box<Even>>,
}

#[derive(Decode)]
#[serde(rename = "Lists")]
struct Lists(Vec<Lists>);

#[derive(Decode)]
enum Tree {
    List(Vec<Tree>),
    Map(IndexMap<String, Tree>),
    Number(Integer),
}

/// A model in a union in itself: only the model counts.
#[derive(Decode)]
struct Parent {
    next: Option<Child>,
}

#[derive(Decode)]
enum Child {
    Parent(Box<Parent>),
    Text(String),
}

#[derive(Decode)]
struct Anything {
    any: Value,
    token: String,
}

#[derive(Decode)]
struct Texts {
    texts: Vec<String>,
}

macro_rules! operations {
    ($($path:literal $name:ident $type:ty),* $(,)?) => {
        $(
            #[post($path)]
            async fn $name(Call((), Json(_)): Call<(), Json<$type>>) -> Json<bool> {
                Json(true)
            }
        )*

        fn app() -> axum::Router {
            Router::new().routes(routes![$($name,)* echo, nested, embedded]).with_state(())
        }
    };
}

operations!(
    "/node" node Node,
    "/outer" outer Outer,
    "/even" even Even,
    "/lists" lists Lists,
    "/parent" parent Parent,
    "/tree" tree Tree,
    "/anything" anything Anything,
    "/texts" texts Texts,
);

#[post("/echo")]
async fn echo(Call((), Json(any)): Call<(), Json<Value>>) -> Json<Value> {
    Json(any)
}

#[post("/nested")]
async fn nested(Call((), Json(node)): Call<(), Json<Node>>) -> Json<Node> {
    Json(node)
}

#[post("/embedded")]
async fn embedded(Call((), Embedded(_)): Call<(), Embedded<Outer>>) -> Json<bool> {
    Json(true)
}

/// The status and the body of the answer, on threads with the stack that tokio's have.
fn send(path: &str, body: impl Into<Body>) -> (StatusCode, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.body(body.into()).unwrap();
    let answer = runtime.block_on(runtime.spawn(async move {
        let response = app().oneshot(request).await.unwrap();
        let length = http_body::Body::size_hint(response.body()).exact();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(length, Some(body.len() as u64), "the length is known before it is written");
        (status, String::from_utf8(body.to_vec()).unwrap())
    }));
    answer.unwrap()
}

fn nest(open: &str, times: usize, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

/// The 422 of a model that is nested too deep.
fn too_deep(loc: &[&str], input: &str) -> String {
    let loc = serde_json::to_string(loc).unwrap();
    format!(
        r#"{{"detail":[{{"type":"recursion_depth_exceeded","loc":{loc},"msg":"Recursion error - maximum validation depth exceeded","input":{input}}}]}}"#
    )
}

#[test]
fn models_in_themselves_end_where_pydantics_do() {
    let body = |times| nest(r#"{"next":"#, times, "null", "}");
    for path in ["/node", "/even"] {
        assert_eq!(send(path, body(254)), (StatusCode::OK, "true".into()), "{path}");
        for times in [255, 256, 900, 959, 960] {
            let mut loc = vec!["next"; 255];
            loc[0] = "body";
            let expected = too_deep(&loc, &body(times - 254));
            let expected = (StatusCode::UNPROCESSABLE_ENTITY, expected);
            assert_eq!(send(path, body(times)), expected, "{path} {times}");
        }
        for times in [961, 10_000, 200_000] {
            assert_eq!(send(path, body(times)).0, StatusCode::BAD_REQUEST, "{path} {times}");
        }
    }
}

#[test]
fn what_is_around_them_does_not_count() {
    let body = |times| format!(r#"{{"node":{}}}"#, nest(r#"{"next":"#, times, "null", "}"));
    for path in ["/outer", "/embedded"] {
        assert_eq!(send(path, body(254)).0, StatusCode::OK, "{path}");
        let (status, answer) = send(path, body(255));
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert!(answer.contains("recursion_depth_exceeded"), "{path}: {answer}");
    }
}

#[test]
fn a_union_between_models_does_not_count() {
    let body = |times| nest(r#"{"next":"#, times, "\"x\"", "}");
    assert_eq!(send("/parent", body(254)), (StatusCode::OK, "true".into()));
    let (status, answer) = send("/parent", body(255));
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.contains("recursion_depth_exceeded"), "{answer}");
}

#[test]
fn an_answer_of_the_greatest_depth_is_written() {
    let body = nest(r#"{"next":"#, 254, "null", "}");
    assert_eq!(send("/nested", body).0, StatusCode::OK);
}

#[test]
fn root_models_and_unions_end_as_well() {
    assert_eq!(send("/lists", nest("[", 254, "", "]")).0, StatusCode::OK);
    let (status, answer) = send("/lists", nest("[", 255, "", "]"));
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.contains("recursion_depth_exceeded"), "{answer}");
    assert_eq!(send("/tree", nest("[", 254, "", "]")).0, StatusCode::OK);
    // Each level echoes its input, and tells of two choices that it is not.
    for times in [255, 958, 960] {
        let (status, answer) = send("/tree", nest(r#"{"a":"#, times, "\"x\"", "}"));
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.contains("recursion_depth_exceeded"), "{times}");
        assert!(answer.len() < 5_000_000, "{times}: {}", answer.len());
    }
}

#[test]
fn values_of_any_depth_are_read_echoed_and_written() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let inner = nest(open, 959, "1e-7", close);
        let body = format!(r#"{{"any":{inner}}}"#);
        let (status, answer) = send("/anything", body);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "the token is missing");
        assert!(answer.contains(&nest(open, 959, "1e-07", close)));
        let body = nest(open, 960, "1e-7", close);
        assert_eq!(send("/echo", body.clone()), (StatusCode::OK, body));
        assert_eq!(send("/echo", nest(open, 961, "1", close)).0, StatusCode::BAD_REQUEST);
        assert_eq!(send("/echo", open.repeat(400_000)).0, StatusCode::BAD_REQUEST);
    }
}

#[test]
fn a_large_body_is_echoed_as_a_small_one() {
    // Beyond what is decoded at once, and beyond what is written at once.
    for count in [1, 1000, 100_000, 1_000_000] {
        let items = vec!["0"; count].join(",");
        let (status, answer) = send("/anything", format!(r#"{{"any": [{items}]}}"#));
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let expected = format!(
            r#"{{"detail":[{{"type":"missing","loc":["body","token"],"msg":"Field required","input":{{"any":[{items}]}}}}]}}"#
        );
        assert!(answer == expected, "{count}");
    }
}

#[test]
fn errors_are_all_named_up_to_the_limit() {
    let answer = |count: usize| {
        let items = vec!["0"; count].join(",");
        let (status, answer) = send("/texts", format!(r#"{{"texts":[{items}]}}"#));
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()
    };
    for (given, named) in
        [(MAX_ERRORS, MAX_ERRORS), (MAX_ERRORS + 1, MAX_ERRORS), (500_000, MAX_ERRORS)]
    {
        let answer = answer(given);
        let details = answer["detail"].as_array().unwrap();
        assert_eq!(details.len(), named);
        let last = json!({
            "type": "string_type",
            "loc": ["body", "texts", named - 1],
            "msg": "Input should be a valid string",
            "input": 0,
        });
        assert_eq!(details.last(), Some(&last));
    }
}

#[test]
fn long_locations_are_not_repeated_without_end() {
    let key = "k".repeat(1_000_000);
    let items = vec!["\"x\""; 100_000].join(",");
    let body = format!(r#"{{"next":{{"c":{{"{key}":[{items}]}},"b":[{items}]}}}}"#);
    let (status, answer) = send("/node", body);
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.len() < 3 * MAX_EXPLANATION, "{}", answer.len());
    let body = format!(r#"{{"{key}":[[[[{items}]]]]}}"#);
    assert_eq!(send("/tree", body).0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn lone_surrogates_are_refused_only_where_a_text_is_constrained() {
    let (status, _) = send("/anything", r#"{"any": "\ud800", "token": "a\ud800"}"#);
    assert_eq!(status, StatusCode::OK);
}

#[test]
fn integers_of_any_length_can_be_put_into_json() {
    let integer: Integer = "1234567890123456789012345".parse().unwrap();
    assert_eq!(json!({"i": integer})["i"].as_f64(), Some(1.234_567_890_123_456_8e24));
    let answer = Value::from([("i", Value::from(integer.clone()))]);
    assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"i":1234567890123456789012345}"#);
    let keyed = IndexMap::from([(integer, 1)]);
    assert_eq!(serde_json::to_string(&keyed).unwrap(), r#"{"1234567890123456789012345":1}"#);
}

/// Types that are called like what the derive declares.
mod names {
    use fastapi_compat::Decode;

    #[derive(Decode)]
    pub(crate) struct Strict {
        #[schema(default = 1)]
        pub(crate) a: i64,
    }

    #[derive(Decode, Clone, Copy, Debug, PartialEq)]
    pub(crate) enum D {
        On,
        Off,
    }

    #[derive(Decode, Clone, Copy, Debug, PartialEq)]
    #[expect(clippy::upper_case_acronyms, reason = "it is called so on purpose")]
    pub(crate) enum VALUES {
        A,
    }

    #[derive(Decode)]
    pub(crate) struct Settings {
        pub(crate) strict: Strict,
        pub(crate) d: D,
        pub(crate) values: VALUES,
    }
}

#[test]
fn types_may_be_called_as_the_user_likes() {
    let body = r#"{"strict":{},"d":"Off","values":"A"}"#;
    let settings: names::Settings = serde_json::from_str(body).unwrap();
    assert_eq!((settings.strict.a, settings.d), (1, names::D::Off));
    assert_eq!(settings.values, names::VALUES::A);
}
