//! Generated configurations and requests: Starlette's `CORSMiddleware` and [`CorsLayer`] answer the
//! same.

use axum::body::Body;
use axum::response::Response;
use fastapi_compat::layers::{CorsLayer, CorsOptions};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use crate::ask;

type Headers = Vec<(String, String)>;

#[derive(Clone, Debug)]
struct Case {
    options: CorsOptions,
    method: String,
    headers: Headers,
    status: u16,
    answer_headers: Headers,
}

fn strings(from: &'static [&'static str], max: usize) -> BoxedStrategy<Vec<String>> {
    vec(select(from).prop_map(str::to_owned), 0..=max).boxed()
}

const ORIGINS: &[&str] = &[
    "https://app.example.com",
    "https://app.example.com/",
    "http://localhost:5173",
    "HTTPS://APP.EXAMPLE.COM",
    "https://a.example.org",
    "https://b.example.org",
    "https://b.example.organic",
    "https://\u{e9}.example",
    "null",
    "",
    "*",
];

const METHODS: &[&str] =
    &["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY", "get", "PURGE", "X", "*"];

const HEADERS: &[&str] =
    &["X-Token", "x-token", "Authorization", "accept", "Content-Type", "X-\u{c9}", "*", ""];

/// What browsers and others put into `Access-Control-Request-Headers`.
const REQUESTED: &[&str] = &[
    "x-token",
    "X-TOKEN, authorization",
    "accept,accept-language ,\tcontent-language, Content-Type",
    "x-token,",
    "authorization x-token",
    "x-\u{e9}",
    "\u{a0}x-token",
    "unknown",
    "",
];

fn options() -> impl Strategy<Value = CorsOptions> {
    const REGEXES: &[&str] = &[
        r"https://.*\.example\.org",
        "https://a|https://b.example.org",
        "(?i)https://app.example.com",
        "",
        r"http://localhost:\d+\Z",
    ];
    (
        strings(ORIGINS, 3),
        prop_oneof![Just(vec!["GET".to_owned()]), strings(METHODS, 3)],
        strings(HEADERS, 3),
        any::<bool>(),
        option::of(select(REGEXES).prop_map(str::to_owned)),
        any::<bool>(),
        strings(&["X-Total", "x-request-id", "*"], 2),
        select(&[600, 0, -1, 86_400][..]),
    )
        .prop_map(
            |(
                allow_origins,
                allow_methods,
                allow_headers,
                allow_credentials,
                allow_origin_regex,
                allow_private_network,
                expose_headers,
                max_age,
            )| CorsOptions {
                allow_origins,
                allow_methods,
                allow_headers,
                allow_credentials,
                allow_origin_regex,
                allow_private_network,
                expose_headers,
                max_age,
            },
        )
}

fn cases() -> impl Strategy<Value = Case> {
    let named = |name: &'static str, values: &'static [&'static str]| {
        option::weighted(0.8, select(values).prop_map(move |v| (name.to_owned(), v.to_owned())))
    };
    let request = (
        named("origin", ORIGINS),
        named("access-control-request-method", METHODS),
        option::of(
            select(REQUESTED)
                .prop_map(|v| ("access-control-request-headers".to_owned(), v.to_owned())),
        ),
        option::weighted(
            0.2,
            Just(("access-control-request-private-network".to_owned(), "true".to_owned())),
        ),
        // Twice: the first one counts.
        option::weighted(0.1, Just(("origin".to_owned(), "https://a.example.org".to_owned()))),
    );
    let answer = vec(
        select(
            &[
                ("vary", "Accept"),
                ("vary", "Accept-Encoding, Origin"),
                ("vary", "*"),
                ("vary", ""),
                ("access-control-allow-origin", "https://own.example"),
                ("access-control-expose-headers", "X-Own"),
                ("access-control-allow-credentials", "false"),
                ("x-other", "1"),
            ][..],
        )
        .prop_map(|(name, value)| (name.to_owned(), value.to_owned())),
        0..4,
    );
    let methods = prop_oneof![Just("OPTIONS"), select(&["GET", "POST", "HEAD", "OPTIONS"][..])];
    (options(), methods, request, answer, select(&[200, 404, 500][..])).prop_map(
        |(options, method, (a, b, c, d, e), answer_headers, status)| Case {
            options,
            method: method.to_owned(),
            headers: [a, b, c, d, e].into_iter().flatten().collect(),
            status,
            answer_headers,
        },
    )
}

fn header(value: &str) -> HeaderValue {
    let bytes: Vec<u8> = value.chars().map(|c| u8::try_from(c).unwrap()).collect();
    HeaderValue::from_bytes(&bytes).unwrap()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

async fn ours(case: &Case) -> Value {
    let layer = CorsLayer::new(&case.options).unwrap();
    let (status, headers) = (case.status, case.answer_headers.clone());
    let application = service_fn(move |_: Request<Body>| {
        let mut response = Response::new(Body::from("the application's"));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in &headers {
            response.headers_mut().append(name.parse::<HeaderName>().unwrap(), header(value));
        }
        async { Ok::<_, std::convert::Infallible>(response) }
    });
    let mut request = Request::builder().method(&*case.method);
    for (name, value) in &case.headers {
        request = request.header(name, header(value));
    }
    let request = request.body(Body::empty()).unwrap();
    let response = layer.layer(application).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
        .collect();
    let body = text(&body.collect().await.unwrap().to_bytes());
    json!({"status": parts.status.as_u16(), "headers": headers, "body": body})
}

fn starlettes(case: &Case) -> Value {
    let options = &case.options;
    ask(&json!({
        "middleware": "cors",
        "options": {
            "allow_origins": options.allow_origins,
            "allow_methods": options.allow_methods,
            "allow_headers": options.allow_headers,
            "allow_credentials": options.allow_credentials,
            "allow_origin_regex": options.allow_origin_regex,
            "allow_private_network": options.allow_private_network,
            "expose_headers": options.expose_headers,
            "max_age": options.max_age,
        },
        "request": {"method": case.method, "headers": case.headers},
        "answer": {"status": case.status, "headers": case.answer_headers},
    }))
}

/// Headers have no order among different names. The length is hyper's to write.
fn comparable(mut answer: Value) -> Value {
    let headers = answer["headers"].as_array_mut().unwrap();
    headers.retain(|header| header[0] != "content-length");
    headers.sort_by_key(|header| header[0].as_str().map(str::to_owned));
    answer
}

#[test]
fn starlette_answers_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let config = ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() };
    let (mut preflights, mut refused, mut allowed) = (0, 0, 0);
    proptest::test_runner::TestRunner::new(config)
        .run(&cases(), |case| {
            let expected = comparable(starlettes(&case));
            prop_assert_eq!(&comparable(runtime.block_on(ours(&case))), &expected);
            Ok(())
        })
        .unwrap();
    // What is generated reaches every kind of answer.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..3000 {
        let case = cases().new_tree(&mut runner).unwrap().current();
        let answer = runtime.block_on(ours(&case));
        match answer["body"].as_str().unwrap() {
            "OK" => preflights += 1,
            "the application's" => {
                let headers = answer["headers"].as_array().unwrap();
                allowed +=
                    usize::from(headers.iter().any(|h| h[0] == "access-control-allow-origin"));
            }
            _ => refused += 1,
        }
    }
    assert!(preflights > 10 && refused > 10 && allowed > 10, "{preflights} {refused} {allowed}");
}

#[test]
fn what_no_header_can_carry_is_refused() {
    let refused = |options| CorsLayer::new(&options).unwrap_err().to_string();
    let expression = Some("(".to_owned());
    let message = refused(CorsOptions { allow_origin_regex: expression, ..CorsOptions::default() });
    assert!(message.starts_with("allow_origin_regex: "), "{message}");
    let expose_headers = vec!["a\nb".to_owned()];
    let message = refused(CorsOptions { expose_headers, ..CorsOptions::default() });
    assert_eq!(message, r#"expose_headers: "a\nb" cannot be written into a header"#);
}
