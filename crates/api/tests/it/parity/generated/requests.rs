//! What the requests are made of.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use reqwest::Method;

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) signed_in: bool,
}

impl Request {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: vec![], body: vec![], signed_in: true }
    }

    fn body(mut self, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        self.headers.push(("content-type", content_type.into()));
        self.body = body.into();
        self
    }

    fn json(method: Method, path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new(method, path).body("application/json", body)
    }
}

/// A request of any kind.
pub(super) fn requests() -> impl Strategy<Value = Request> {
    prop_oneof![
        4 => json_text().prop_map(|text| Request::json(Method::POST, "/api/v1/items/", text)),
        2 => bytes().prop_map(|body| Request::json(Method::POST, "/api/v1/items/", body)),
        4 => model(&["title", "description", "id", "x"])
            .prop_map(|body| Request::json(Method::POST, "/api/v1/items/", body)),
        2 => model(&["email", "is_active", "is_superuser", "full_name", "password"])
            .prop_map(|body| Request::json(Method::POST, "/api/v1/users/", body)),
        2 => model(&["email", "full_name"])
            .prop_map(|body| Request::json(Method::PATCH, "/api/v1/users/zz", body)),
        4 => email().prop_map(|email| {
            let path = format!("/api/v1/utils/test-email/?email_to={}", encode(&email));
            Request::new(Method::POST, path)
        }),
        3 => (integer(), integer()).prop_map(|(skip, limit)| {
            let query = format!("skip={}&limit={}", encode(&skip), encode(&limit));
            Request::new(Method::GET, format!("/api/v1/items/?{query}"))
        }),
        2 => pieces(&["skip", "limit", "=", "&", "1", "%31", "+", ";", "%", "%zz", "é"], 8)
            .prop_map(|query| Request::new(Method::GET, format!("/api/v1/items/?{query}"))),
        3 => uuid().prop_map(|id| {
            Request::new(Method::GET, format!("/api/v1/items/{}", encode(&id)))
        }),
        2 => (method(), path()).prop_map(|(method, path)| Request::new(method, path)),
        2 => authorization().prop_map(|value| {
            let request = Request::new(Method::GET, "/api/v1/users/me");
            Request { signed_in: false, headers: vec![("authorization", value.into())], ..request }
        }),
        2 => pieces(
            &["username", "password", "grant_type", "=", "=", "&", "&", "a", "+", "%40", "%FF", "%", ";"],
            12,
        )
        .prop_map(|form| {
            Request::new(Method::POST, "/api/v1/login/access-token")
                .body("application/x-www-form-urlencoded", form)
        }),
        2 => multipart().prop_map(|form| {
            Request::new(Method::POST, "/api/v1/login/access-token")
                .body("multipart/form-data; boundary=B", form)
        }),
        1 => pieces(&["application", "text", "/", "json", "+", ";", " ", "*", "x", "JSON"], 6)
            .prop_map(|value| {
                let request = Request::new(Method::POST, "/api/v1/items/");
                let headers = vec![("content-type", value.into_bytes())];
                Request { headers, body: br#"{"title":"a"}"#.to_vec(), ..request }
            }),
    ]
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A text put together from some of the pieces.
fn pieces(of: &'static [&'static str], max: usize) -> impl Strategy<Value = String> {
    vec(select(of), 0..=max).prop_map(|pieces| pieces.concat())
}

/// A text that is JSON, nearly.
fn json_text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"title\"",
        "\"title\":",
        "\"a\"",
        "\"",
        "\\",
        "\\u",
        "\\n",
        "\\ud83d\\ude00",
        "\\udc00",
        "\\u00e",
        "null",
        "true",
        "false",
        "nul",
        "NaN",
        "Infinity",
        "-",
        "0",
        "1",
        "9",
        ".",
        "e",
        "E",
        "+",
        " ",
        "\n",
        "\t",
        "é",
        "😀",
        "\u{b}",
        "'",
        "/",
    ];
    prop_oneof![
        pieces(PIECES, 10),
        (json_value(), 0..200_usize, select(PIECES)).prop_map(|(text, at, piece)| {
            // A valid text with one piece put in.
            let at = text.char_indices().map(|(i, _)| i).nth(at).unwrap_or(text.len());
            format!("{}{piece}{}", &text[..at], &text[at..])
        }),
        (json_value(), 0..200_usize).prop_map(|(text, at)| text.chars().take(at).collect()),
    ]
}

/// A JSON value in Python's grammar.
fn json_value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        select(&["null", "true", "false", "0", "-0", "1.0", "1e5", "1E-7", "\"\"", "[]", "{}"][..])
            .prop_map(str::to_owned),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        "-?[1-9][0-9]{0,40}",
        "-?[0-9]\\.[0-9]{1,20}([eE][+-]?[0-9]{1,3})?",
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            vec((select(&["a", "title", "é"][..]), inner), 0..4).prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(k, v)| format!("\"{k}\": {v}")).collect();
                format!("{{{}}}", fields.join(", "))
            }),
        ]
    })
}

/// An object with some of the fields, of any type.
fn model(fields: &'static [&'static str]) -> impl Strategy<Value = String> {
    let value = prop_oneof![
        2 => json_value(),
        2 => "\\PC{0,12}".prop_map(|text| serde_json::Value::from(text).to_string()),
        1 => (250..260_usize).prop_map(|n| format!("\"{}\"", "é".repeat(n))),
        1 => select(&["\"yes\"", "\"off\"", "\"T\"", "2", "0.0", "\" 1\"", "\"a@b.co\"", "\"\\u0000\""][..])
            .prop_map(str::to_owned),
    ];
    vec((select(fields), value), 0..6).prop_map(|fields| {
        let fields: Vec<_> = fields.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

/// Bytes in some encoding, or in none.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..8),
        json_value().prop_map(|text| text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        json_value().prop_map(|text| text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        json_value()
            .prop_map(|text| { text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect() }),
        json_value().prop_map(|text| [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        (json_value(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        }),
    ]
}

fn email() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a",
        "B",
        "1",
        ".",
        ".",
        "@",
        "@",
        "@b.co",
        "-",
        "--",
        "_",
        "+",
        "xn--",
        "xn--bcher-kva",
        "co",
        "example",
        "test",
        "localhost",
        " ",
        "\"",
        "\\",
        "<",
        ">",
        "(",
        ",",
        "'",
        "é",
        "ß",
        "日本",
        "א",
        "ب",
        "١",
        "۱",
        "\u{301}",
        "\u{200d}",
        "\u{b7}",
        "。",
        "ａ",
        "\u{a0}",
        "[",
        "]",
        "[1.2.3.4]",
        "\t",
        "\u{0}",
        "😀",
        "İ",
        "ǅ",
        "ﬁ",
        "\u{ad}",
        "・",
        "ァ",
        "Ⅳ",
        "℡",
    ];
    prop_oneof![
        pieces(PIECES, 8),
        (pieces(PIECES, 3), pieces(PIECES, 4))
            .prop_map(|(local, domain)| format!("{local}@{domain}.co")),
        "\\PC{1,3}@\\PC{1,3}\\.com",
        ("[a-z]{1,3}", "[\\p{L}\\p{N}\\p{M}]{1,4}")
            .prop_map(|(local, domain)| format!("{local}@{domain}.com")),
        ("[a-z]{55,66}", "[a-z]{60,64}").prop_map(|(l, d)| format!("{l}@{d}.{d}.{d}.co")),
    ]
}

fn integer() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ +\\-]{0,2}[0-9_]{0,4}(\\.[0-9]{0,2})?[ \n]?",
        "-?[0-9]{17,22}(\\.0)?",
        "\\PC{0,3}",
        select(&["true", "1e3", "0x1", "", "1_", "_1", "1__0", "\u{a0}1", "\u{1680}1", "١"][..])
            .prop_map(str::to_owned),
    ]
}

fn uuid() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[0-9a-f]{7,9}-?[0-9a-f]{4}-?[0-9a-f]{3,5}-?[0-9a-f]{4}-?[0-9a-f]{11,13}",
        "(urn:uuid:|\\{)?[0-9a-g]{32}\\}?",
        "[0-9a-f\\-]{1,50}",
        "\\PC{1,6}",
    ]
}

fn multipart() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "--B\r\n",
        "--B\r\n",
        "--B--",
        "\r\n",
        "\r\n\r\n",
        "\r\n--B",
        "--",
        "\r",
        "\n",
        " ",
        "é",
        "Content-Disposition: form-data",
        "; name=\"username\"",
        "; name=password",
        "X: y",
        ":",
        "; filename=\"x\"",
        "; name=\"a;b\\\"c\"",
        "text",
        "--B\r\nContent-Disposition: form-data; \
         name=\"username\"\r\n\r\nvalue\r\n",
    ];
    pieces(PIECES, 10)
}

fn method() -> impl Strategy<Value = Method> {
    select(vec![
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::HEAD,
        Method::TRACE,
    ])
}

fn path() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "/",
        "/",
        "/",
        "items",
        "users",
        "me",
        "password",
        "signup",
        "login",
        "access-token",
        "x",
        "%2F",
        "%69tems",
        "%20",
        "%",
        "é",
        "?",
        "a=b",
        "utils",
        "health-check",
        ";",
        ":",
        "~",
    ];
    pieces(PIECES, 6).prop_map(|rest| format!("/api/v1/{rest}"))
}

fn authorization() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "Bearer",
        "bearer",
        "Basic",
        " ",
        "  ",
        "\t",
        "x",
        "eyJhbGciOiJIUzI1NiJ9",
        ".",
        "e30",
        "==",
    ];
    // RFC 9110 has parsers drop white space at the end; uvicorn's keeps a tab, which no service
    // behind another parser can know.
    pieces(PIECES, 7).prop_map(|value| value.trim_end().to_owned())
}
