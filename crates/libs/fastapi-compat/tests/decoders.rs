//! Whatever bytes come, the decoders answer: no panic, no 500. Mutations of bodies that are right. And
//! what a database has given is written as pydantic writes it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]
#![expect(dead_code, reason = "models are decoded and not read")]

use axum::body::Body;
use fastapi_compat::{
    Call, Date, DateTime, Decimal, Decode, Duration, EmailStr, Form, HttpUrl, Json, Query, Router,
    Time, UploadFile, post, routes,
};
use http::{Request, StatusCode};
use proptest::prelude::*;
use tower::ServiceExt;

#[derive(Decode)]
struct Everything {
    #[schema(ge = 0, le = 1000)]
    whole: i64,
    real: Option<f64>,
    #[schema(min_length = 1, max_length = 20)]
    text: String,
    email: Option<EmailStr>,
    url: Option<HttpUrl>,
    id: Option<uuid::Uuid>,
    date: Option<Date>,
    time: Option<Time>,
    moment: Option<DateTime>,
    span: Option<Duration>,
    exact: Option<Decimal>,
    is_it: Option<bool>,
    list: Option<Vec<Inner>>,
}

#[derive(Decode)]
struct Inner {
    n: i32,
    deep: Option<Vec<Option<String>>>,
}

#[derive(Decode)]
struct Upload {
    file: UploadFile,
    note: Option<String>,
}

#[derive(Decode)]
struct Search {
    n: Option<i64>,
    q: Option<String>,
}

#[post("/json")]
async fn json(Call((), Json(_)): Call<(), Json<Everything>>) -> Json<bool> {
    Json(true)
}

#[post("/form")]
async fn form(Call((), Form(_)): Call<(), Form<Search>>) -> Json<bool> {
    Json(true)
}

#[post("/upload")]
async fn upload(Call((), Form(_)): Call<(), Form<Upload>>) -> Json<bool> {
    Json(true)
}

#[post("/query")]
async fn query(Call((), Query(_)): Call<(), Query<Search>>) -> Json<bool> {
    Json(true)
}

const MULTIPART: &str = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"f\"\r\n\
    content-type: text/plain\r\n\r\nabc\r\n--x\r\ncontent-disposition: form-data; name=\"note\"\r\n\
    \r\nn\r\n--x--\r\n";

/// Right requests, from which all others are made.
const CORPUS: [(&str, &str, &str); 5] = [
    (
        "/json",
        "application/json",
        r#"{"whole": 7, "real": 1.5e3, "text": "é\ud83d\ude00\n", "email": "a@example.com",
        "url": "https://example.com/a?b#c", "id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "date": "2024-02-29", "time": "23:59:59.999Z", "moment": "2024-02-29T12:00:00+01:00",
        "span": "P3DT12H30M5S", "exact": "1.10", "is_it": "yes",
        "list": [{"n": 1, "deep": [null, "x"]}]}"#,
    ),
    ("/form", "application/x-www-form-urlencoded", "n=7&q=a%20b+%F0%9F%98%80&q=&=x"),
    ("/upload", "multipart/form-data; boundary=x", MULTIPART),
    ("/form", "multipart/form-data; boundary=x", MULTIPART),
    ("/query", "text/plain", ""),
];

/// What decoders stumble over.
const TOKENS: [&[u8]; 22] = [
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"1e999",
    b"-0",
    b"NaN",
    b"-Infinity",
    b"null",
    b"%",
    b"%ff%00",
    b"&",
    b"\r\n--x\r\n",
    b"99999999999999999999999999",
];

#[derive(Clone, Debug)]
enum Mutation {
    Set(prop::sample::Index, u8),
    Truncate(prop::sample::Index),
    Remove(prop::sample::Index),
    Double(prop::sample::Index, usize),
    Insert(prop::sample::Index, &'static [u8]),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let position = any::<prop::sample::Index>;
    prop_oneof![
        (position(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        position().prop_map(Mutation::Truncate),
        position().prop_map(Mutation::Remove),
        (position(), 1..40usize).prop_map(|(at, length)| Mutation::Double(at, length)),
        (position(), prop::sample::select(TOKENS.as_slice()))
            .prop_map(|(at, token)| Mutation::Insert(at, token)),
    ]
}

fn mutated(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        bytes.push(b' ');
    }
    let length = bytes.len();
    match mutation {
        Mutation::Set(at, byte) => bytes[at.index(length)] = *byte,
        Mutation::Truncate(at) => bytes.truncate(at.index(length)),
        Mutation::Remove(at) => drop(bytes.remove(at.index(length))),
        Mutation::Double(at, more) => {
            let at = at.index(length);
            let copied = bytes[at..(at + more).min(length)].to_vec();
            bytes.splice(at..at, copied);
        }
        Mutation::Insert(at, token) => {
            let at = at.index(length);
            bytes.splice(at..at, token.iter().copied());
        }
    }
}

thread_local! {
    static SERVICE: (tokio::runtime::Runtime, axum::Router) = {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let app = Router::new().routes(routes![json, form, upload, query]);
        (runtime, app.with_state(()))
    };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(20_000)
    ))]

    #[test]
    fn whatever_comes_is_answered(
        (path, kind, body) in prop::sample::select(CORPUS.as_slice()),
        mutations in prop::collection::vec(mutation(), 0..8),
        in_query in any::<bool>(),
    ) {
        let mut bytes = body.as_bytes().to_vec();
        for mutation in &mutations {
            mutated(&mut bytes, mutation);
        }
        let plain = |byte: &&u8| in_query && byte.is_ascii_graphic() && **byte != b'#';
        let search: String = bytes.iter().filter(plain).map(|&byte| char::from(byte)).collect();
        let request = Request::post(format!("{path}?{search}"))
            .header("content-type", kind)
            .body(Body::from(bytes));
        // What is no URI does not get here.
        let Ok(request) = request else { return Ok(()) };
        let answer = SERVICE.with(|(runtime, app)| runtime.block_on(app.clone().oneshot(request)));
        let status = answer.unwrap().status();
        prop_assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[test]
fn times_of_chrono_are_written_as_pydantic_writes_them() {
    let day = chrono::NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    let written = |moment: DateTime| serde_json::to_string(&moment).unwrap();
    let moment = day.and_hms_nano_opt(1, 2, 3, 4_005_999).unwrap();
    assert_eq!(written(moment.into()), "\"2024-02-29T01:02:03.004005\"");
    assert_eq!(written(moment.and_utc().into()), "\"2024-02-29T01:02:03.004005Z\"");
    let moment = day.and_hms_opt(0, 0, 0).unwrap();
    assert_eq!(written(moment.and_utc().into()), "\"2024-02-29T00:00:00Z\"");
}

mod by_hand {
    use std::borrow::Cow;

    use axum::body::{Body, to_bytes};
    use fastapi_compat::openapi::{Info, RefOrSchema};
    use fastapi_compat::{
        Call, Constraints, Decode, Errors, Json, Loc, Router, Value, decode_by_rules, post, routes,
    };
    use http::Request;
    use tower::ServiceExt;

    /// A text with `a` in it; serde's derive would take any.
    struct WithA(String);

    impl Decode for WithA {
        fn name(_: &Constraints) -> Cow<'static, str> {
            "with-a".into()
        }

        fn decode(
            input: &Value,
            _: &Constraints,
            at: &Loc<'_>,
            errors: &mut Errors,
        ) -> Option<Self> {
            match input {
                Value::Str(text) if text.contains('a') => Some(Self(text.to_string())),
                _ => errors.add("with_a", at, "Input should have an a", input, &[]),
            }
        }

        fn json_schema() -> RefOrSchema {
            String::json_schema()
        }
    }

    decode_by_rules!(WithA);

    #[derive(Decode)]
    struct Model {
        v: WithA,
    }

    #[post("/field")]
    async fn field(Call((), Json(model)): Call<(), Json<Model>>) -> String {
        model.v.0
    }

    #[post("/body")]
    async fn body(Call((), Json(body)): Call<(), Json<WithA>>) -> String {
        body.0
    }

    #[tokio::test]
    async fn rules_by_hand_are_those_of_fields_and_bodies() {
        let router: Router = Router::new().routes(routes![field, body]);
        let info = Info { title: "T", version: "1", token_url: "" };
        let document = serde_json::to_value(router.document(&info).unwrap()).unwrap();
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Model"]["properties"]["v"]["type"], "string");
        let app: axum::Router = router.with_state(());
        for (path, given, status, answer) in [
            ("/field", r#"{"v": "abc"}"#, 200, "abc"),
            ("/field", r#"{"v": "bcd"}"#, 422, r#"["body","v"]"#),
            ("/body", r#""abc""#, 200, "abc"),
            ("/body", r#""bcd""#, 422, r#"["body"]"#),
        ] {
            let request = Request::post(path).header("content-type", "application/json");
            let request = request.body(Body::from(given)).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{path} {given}");
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let body = String::from_utf8_lossy(&body);
            assert!(body.contains(answer), "{path} {given}: {body}");
        }
    }
}
