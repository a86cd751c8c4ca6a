//! Requests to the operations of `port.rs`.

use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::requests::{Request, credentials, encode, header_value, request, text};

/// What a placeholder of a path or a query may be.
fn value(kind: &str) -> BoxedStrategy<String> {
    let plain = |texts: &'static [&'static str]| select(texts).prop_map(ToOwned::to_owned);
    let noise = plain(&[
        "",
        "a",
        "a b",
        "é",
        "雪",
        "1",
        "-1",
        "1.5",
        "a/b",
        "/",
        "a.b",
        "x",
        "@",
        ",",
        "1,2",
        "%",
        "?",
        "#",
        "\n",
        "a\n",
        "..",
        ".",
        "tail",
        "me",
        "{v}",
        "\\",
        "\"",
        "'",
        ";",
        "&=+",
        "\u{1f600}",
    ]);
    let numbers = prop_oneof![
        8 => (0..12_i64).prop_map(|number| number.to_string()),
        2 => (-10..10_000_i64).prop_map(|number| number.to_string()),
        1 => plain(&["00", "0012", "9999999", "1e3", "+1", "1_0", " 1", "x", "", "-0"]),
    ];
    match kind {
        "int" => prop_oneof![9 => numbers, 1 => noise].boxed(),
        "count" => prop_oneof![
            6 => (0..60_i64).prop_map(|number| number.to_string()),
            2 => plain(&["1000", "70000", "99999", "100001"]),
            1 => numbers,
        ]
        .boxed(),
        "float" => prop_oneof![
            6 => plain(&["1", "1.5", "0.1", "007.50", "1.", ".5", "1e5", "123456789.125"]),
            1 => numbers,
            1 => noise,
        ]
        .boxed(),
        "uuid" => prop_oneof![
            6 => plain(&[
                "00000000-0000-0000-0000-00000000000a",
                "0000000000000000000000000000000B",
                "00000000-0000-0000-0000-00000000000",
            ]),
            1 => noise,
        ]
        .boxed(),
        "status" => prop_oneof![
            6 => plain(&[
                "200", "201", "202", "203", "204", "205", "206", "207", "226", "300", "303", "304", "308",
                "400", "401", "402", "404", "409", "410", "412", "413", "414", "415", "416", "417", "418",
                "421", "422", "423", "425", "426", "428", "429", "431", "451", "500", "501", "503", "505",
                "511",
            ]),
            1 => plain(&["199", "299", "444", "600"]),
            1 => noise,
        ]
        .boxed(),
        "url" => prop_oneof![
            4 => plain(&[
                "/a b?雪=1&x=%20", "https://example.com/é#top", "/", "//a", "/%", "a[b]@c", "/<>\"`{}|\\^",
                "http://a:80/?q=a+b&c=d;e,f'g(h)*i!", "\r\n", "\u{7f}\u{80}\u{1f600}",
            ]),
            2 => "[ -~]{0,20}",
            1 => ".{0,8}",
        ]
        .boxed(),
        "key" => prop_oneof![
            8 => plain(&["a", "session", "a-b", "x.y", "A"]),
            1 => plain(&["", "a b", "path", "Expires", "é", "a=b", "a;b", "(a)"]),
        ]
        .boxed(),
        "value" => prop_oneof![
            4 => plain(&["abc", "", "a b", "a;b", "a,b", "\"q\"", "\\", "é", "\u{7f}\n\t", "(a)/<b>", "雪"]),
            2 => "[ -~]{0,12}",
            1 => ".{0,6}",
        ]
        .boxed(),
        "lines" => prop_oneof![
            4 => plain(&["a", "", "a\nb", "a\r\nb\rc", "é雪", "\u{1f600}", "\"q\"", "\u{2028}\u{7f}", "a\n"]),
            1 => ".{0,8}",
        ]
        .boxed(),
        "name" => prop_oneof![
            4 => plain(&["a.txt", "a b.pdf", "é.html", "a/b", "\"", "a.tar.gz", "", "a~_-.", "雪.png"]),
            1 => ".{0,8}",
        ]
        .boxed(),
        "file" => prop_oneof![
            12 => plain(&[
                "text.txt", "large.bin", "empty.css", "page.html", "index.html", "", "below", "below/",
                "below/a b.json", "below/index.html", "./text.txt", "below/../text.txt", "nothing",
            ]),
            2 => plain(&["../files/text.txt", "..", "../", "//text.txt", "text.txt/", "a\0b", "\\a"]),
            1 => noise,
        ]
        .boxed(),
        "kind" => plain(&[
            "text/plain", "text/csv", "application/json", "image/png", "IMAGE/PNG", "audio/x", "video/mp4",
            "application/grpc+proto", "text/event-stream", "font/woff2", "a",
        ])
        .boxed(),
        "path" => prop_oneof![
            3 => noise.clone(),
            3 => (noise.clone(), noise).prop_map(|(a, b)| format!("{a}/{b}")),
            1 => plain(&["a/tail", "a/tail/tail", "tail/tail", "12", "me", "1.5", "a//b/"]),
        ]
        .boxed(),
        _ => prop_oneof![4 => noise, 2 => text("str"), 1 => numbers].boxed(),
    }
}

/// Replaces each `<kind>` by a value, encoded.
fn filled(pattern: &str, keeps_slashes: bool) -> BoxedStrategy<String> {
    let mut parts = Vec::new();
    for (index, part) in pattern.split('<').enumerate() {
        let (kind, rest) =
            if index == 0 { ("", part) } else { part.split_once('>').unwrap_or((part, "")) };
        if index > 0 {
            let value = value(kind).prop_map(move |value| {
                let encoded = encode(&value);
                // Slashes and commas as they stand, at times.
                if keeps_slashes {
                    encoded.replace("%2F", "/").replace("%2C", ",")
                } else {
                    encoded
                }
            });
            parts.push(value.boxed());
        }
        parts.push(Just(rest.to_owned()).boxed());
    }
    parts.prop_map(|parts| parts.concat()).boxed()
}

/// What is sent to an operation: methods, paths, queries, and which headers.
fn target(
    operation: &str,
) -> (&'static [&'static str], String, &'static [&'static str], &'static str) {
    let get: &[&str] = &["GET"];
    let name = operation.split("/{").next().unwrap_or_default();
    let path = |pattern: &str| pattern.to_owned();
    match name {
        "path/tile" => (get, path("/path/tile/<int>/<int>,<any>@<float>x"), &[], ""),
        "path/pair" => (get, path("/path/pair/<float>,<float>"), &[], ""),
        "path/dotted" => (get, path("/path/dotted/<any>.<any>"), &[], ""),
        "path/six" => (get, path("/path/six/<int>/<int>/<int>/<int>/<int>/<int>"), &[], ""),
        "path/tail" => (get, path("/path/tail/<path>/tail"), &[], ""),
        "path/prefixed/v{major}.{minor}" | "path/prefixed/v" => {
            (get, path("/path/prefixed/v<int>.<int>/<path>"), &[], "")
        }
        "path/ordered" => (get, path("/path/ordered/<path>"), &[], ""),
        "path/ordered/me" => (get, path("/path/ordered/me"), &[], ""),
        "path/slash" => (get, path("/path/slash/<float>/<uuid>/"), &[], ""),
        "method/head" => (&["HEAD"], path("/method/head/<int>"), &[], ""),
        "method/options" => (&["OPTIONS"], path("/method/options"), &[], "item"),
        "method/trace" => (&["TRACE"], path("/method/trace"), &["q=<int>"], ""),
        "method/patch" => (&["PATCH"], path("/method/patch/<int>"), &[], "item"),
        "method/several" => {
            (&["GET", "POST", "DELETE", "PUT"], path("/method/several/<int>"), &[], "")
        }
        "method/split" => (&["GET", "POST", "PUT"], path("/method/split"), &[], ""),
        "security/optional" | "security/scoped" | "security/password" | "security/code"
        | "security/open-id" | "security/digest" | "security/jwt" | "security/realm" => {
            (get, format!("/{name}"), &["number=<any>"], "credentials")
        }
        "depends/nested" => {
            (get, path("/depends/nested/<int>"), &["page=<int>", "size=<int>", "q=<any>"], "tokens")
        }
        "depends/path" => (get, path("/depends/path/<int>"), &["q=<int>"], ""),
        "depends/uncached" => (get, path("/depends/uncached"), &["n=<int>", "q=<int>"], ""),
        "depends/both" => (&["POST"], path("/depends/both/<int>"), &[], "item"),
        "answer/error" => (get, path("/answer/error/<int>"), &[], ""),
        "answer/status" => (get, path("/answer/status/<status>"), &[], ""),
        "answer/redirect" | "answer/redirect-303" | "answer/redirect-own" => {
            (get, format!("/{name}"), &["to=<url>"], "")
        }
        "answer/cookie" => {
            (get, path("/answer/cookie"), &["key=<key>", "value=<value>", "kind=<int>"], "")
        }
        "answer/html" | "answer/plain" | "answer/xml" | "answer/csv" | "answer/any" => {
            (get, format!("/{name}"), &["v=<any>"], "")
        }
        "answer/stream" | "answer/events-many" => (get, format!("/{name}"), &["n=<int>"], ""),
        "answer/events" | "answer/lines" | "answer/lines-untyped" => {
            (get, format!("/{name}"), &["n=<int>", "text=<lines>"], "")
        }
        "answer/events-own" => (get, path("/answer/events-own"), &["text=<lines>"], ""),
        "answer/file" | "answer/file-missing" => (get, format!("/{name}"), &[], "ranges"),
        "answer/file-head" => (&["HEAD"], path("/answer/file-head"), &[], "ranges"),
        "answer/file-named" => (get, path("/answer/file-named"), &["name=<name>"], "ranges"),
        "answer/background" => (&["POST"], path("/answer/background"), &["v=<int>"], ""),
        "answer/selected" | "answer/left-out" | "answer/chosen" | "document/explained" => {
            (get, format!("/{name}"), &["v=<int>"], "")
        }
        "document/responses" | "document/hidden" => (get, format!("/{name}/<int>"), &[], ""),
        "document/extra" => (&["POST"], path("/document/extra"), &["q=<int>"], "item"),
        "document/callbacks" => {
            (&["POST"], path("/document/callbacks"), &["callback_url=<any>"], "item")
        }
        "ws/echo" => (get, path("/ws/echo/<int>"), &["q=<int>"], "socket"),
        "ws/token" => (get, path("/ws/token"), &[], "socket"),
        "mount/sub" | "mount/no-redirects" => {
            (&["GET", "POST"], format!("/{name}/<sub>"), &[], "sub")
        }
        "mount/static" => {
            (&["GET", "GET", "HEAD", "POST"], path("/mount/static/<file>"), &[], "ranges")
        }
        "frontend/auto" | "frontend/pages" | "frontend/index" | "frontend/none" => {
            let file = format!("/{name}/<file>");
            (&["GET", "GET", "HEAD", "POST"], path(&file), &[], "pages")
        }
        "mount/html" => {
            (&["GET", "GET", "HEAD", "POST"], path("/mount/html/<file>"), &[], "ranges")
        }
        "layer/gzip"
        | "layer/gzip-excluded"
        | "layer/trusted"
        | "layer/trusted-exactly"
        | "layer/https" => (get, format!("/{name}/<layer>"), &["kind=<kind>"], "layers"),
        "v1/included" if operation.ends_with("given") => {
            (&["POST"], path("/v1/included/<any>/given"), &[], "numbers")
        }
        "v1/included" => (get, path("/v1/included/<any>/items/<int>"), &[], "credentials"),
        name => (get, format!("/{name}"), &[], ""),
    }
}

type Headers = Vec<(&'static str, Vec<u8>)>;

/// A header, if it is sent.
type Given = (&'static str, Option<Vec<u8>>);

/// The headers of a kind, and the body.
fn headers(kind: &'static str) -> BoxedStrategy<(Headers, Vec<u8>)> {
    let header = |name: &'static str, weight: f64, value: BoxedStrategy<String>| {
        weighted(weight, value)
            .prop_map(move |value| (name, value.map(|value| header_value(&value))))
    };
    let pick = |texts: &'static [&'static str]| select(texts).prop_map(ToOwned::to_owned).boxed();
    let all = |headers: Vec<BoxedStrategy<Given>>| {
        headers.prop_map(|headers| {
            headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .filter(|(_, value)| !value.is_empty())
                .collect::<Headers>()
        })
    };
    let json = |texts: &'static [&'static str]| {
        select(texts).prop_map(|text| {
            (vec![("content-type", b"application/json".to_vec())], text.as_bytes().to_vec())
        })
    };
    let key = || {
        prop_oneof![4 => pick(&["abc", "", "é", "a b"]), 1 => text("str")]
            .prop_map(|key| key.replace(['\r', '\n'], ""))
            .boxed()
    };
    let token = || {
        weighted(0.9, prop_oneof![
            3 => credentials(),
            2 => pick(&["Bearer abc", "Bearer token", "Digest a=b", "bEaReR x", "Bearer é", "Bearer"])
                .prop_map(|text| header_value(&text)),
        ])
        .prop_map(|value| ("authorization", value))
        .boxed()
    };
    match kind {
        "item" => json(&[
            r#"{"name":"a","price":2}"#,
            r#"{"name":"a"}"#,
            r#"{"price":"x"}"#,
            "{}",
            "[]",
            "",
            "{",
        ])
        .boxed(),
        "numbers" => {
            (json(&["[1,2]", "[]", "[\"x\"]", "{}", "", "["]), header("x-key", 0.8, key()))
                .prop_map(|((mut headers, body), (name, key))| {
                    headers.extend(key.filter(|key| !key.is_empty()).map(|key| (name, key)));
                    (headers, body)
                })
                .boxed()
        }
        "credentials" => all(vec![
            token(),
            header("x-key", 0.7, key()).boxed(),
            header("cookie", 0.7, key().prop_map(|key| format!("k={key}")).boxed()).boxed(),
        ])
        .prop_map(|headers| (headers, Vec::new()))
        .boxed(),
        "tokens" => all(vec![
            header("x-token", 0.8, pick(&["abc", "token", "é"])).boxed(),
            header("x-size", 0.4, value("int")).boxed(),
        ])
        .prop_map(|headers| (headers, Vec::new()))
        .boxed(),
        "ranges" => all(vec![
            header("range", 0.7, range()).boxed(),
            header("if-range", 0.2, pick(&[ETAG, MODIFIED, "W/\"a\"", "x"])).boxed(),
            header("if-none-match", 0.2, pick(&[ETAG, "*", "\"x\"", "W/\"x\", \"y\"", ""])).boxed(),
            header(
                "if-modified-since",
                0.3,
                pick(&[
                    MODIFIED,
                    "Tue, 14 Nov 2023 22:13:19 GMT",
                    "Tue, 14 Nov 2023 22:13:21 GMT",
                    "Tuesday, 14-Nov-23 22:13:20 GMT",
                    "Tue Nov 14 22:13:20 2023",
                    "14 Nov 2033",
                    "x",
                ]),
            )
            .boxed(),
        ])
        .prop_map(|headers| (headers, Vec::new()))
        .boxed(),
        "pages" => all(vec![
            header(
                "accept",
                0.8,
                pick(&[
                    "text/html",
                    "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
                    "application/json, TEXT/HTML; charset=utf-8; q=0.5",
                    "text/html;q=0",
                    "text/html; q=0.0, application/xhtml+xml;Q=\"0\"",
                    "text/html;q=x",
                    "text/html;q=",
                    "application/json",
                    "*/*",
                    "text",
                    "",
                ]),
            )
            .boxed(),
            header("range", 0.2, range()).boxed(),
            header("if-none-match", 0.1, pick(&[ETAG, "*"])).boxed(),
        ])
        .prop_map(|headers| (headers, Vec::new()))
        .boxed(),
        "socket" => (
            all(vec![
                token(),
                header("cookie", 0.5, pick(&["session=abc", "session=", "other=1"])).boxed(),
            ]),
            weighted(0.9, Just(())),
        )
            .prop_map(|(mut headers, is_socket)| {
                if is_socket.is_some() {
                    headers.extend([
                        ("upgrade", b"websocket".to_vec()),
                        ("connection", b"Upgrade".to_vec()),
                        ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ==".to_vec()),
                        ("sec-websocket-version", b"13".to_vec()),
                    ]);
                }
                (headers, Vec::new())
            })
            .boxed(),
        "layers" => all(vec![
            header(
                "accept-encoding",
                0.7,
                pick(&[
                    "gzip",
                    "gzip, deflate",
                    "deflate",
                    "identity;q=1, gzip;q=0",
                    "x-gzip",
                    "GZIP",
                ]),
            )
            .boxed(),
            header("range", 0.2, range()).boxed(),
        ])
        .prop_map(|headers| (headers, Vec::new()))
        .boxed(),
        _ => Just((Vec::new(), Vec::new())).boxed(),
    }
}

const MODIFIED: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
/// That of `text.txt`.
const ETAG: &str = "\"f004797b8b401462ae9dbb8146ab6baf\"";

fn range() -> BoxedStrategy<String> {
    let number = || {
        prop_oneof![
            4 => (0..130_u32).prop_map(|number| number.to_string()),
            2 => (0..160_000_u32).prop_map(|number| number.to_string()),
            1 => select(vec!["", " 5 ", "+3", "1_0", "x", "-2", "99999999999999999999999"])
                .prop_map(ToOwned::to_owned),
        ]
    };
    let one = prop_oneof![
        4 => (number(), number()).prop_map(|(start, end)| format!("{start}-{end}")),
        2 => number().prop_map(|start| format!("{start}-")),
        2 => number().prop_map(|end| format!("-{end}")),
        1 => select(vec!["", "-", "x", " "]).prop_map(ToOwned::to_owned),
    ];
    let units = select(vec!["bytes=", "bytes=", "bytes=", "Bytes =", "items=", "bytes"]);
    (units, proptest::collection::vec(one, 1..4))
        .prop_map(|(units, ranges)| format!("{units}{}", ranges.join(",")))
        .boxed()
}

/// What the router of a layer or of a sub-application serves.
fn below(path: &str) -> String {
    path.replace("<layer>", "").replace("<sub>", "")
}

fn requests_to(operation: String) -> BoxedStrategy<Request> {
    let (methods, path, query, kind) = target(&operation);
    let path = if path.contains("<layer>") {
        let base = below(&path);
        prop_oneof![
            4 => filled(&format!("{base}text/<count>"), false),
            3 => filled(&format!("{base}stream/<count>"), false),
            3 => filled(&format!("{base}files/<file>"), true),
            1 => filled(&format!("{base}text/1/"), false),
        ]
        .boxed()
    } else if path.contains("<sub>") {
        let base = below(&path);
        let root = base.trim_end_matches('/').to_owned();
        prop_oneof![
            4 => filled(&format!("{base}items/<int>"), false),
            1 => select(vec!["slash", "slash/", "", "nothing", "items", "items/1/", "slash//", "%2F"])
                .prop_map(move |rest| format!("{base}{rest}")),
            1 => Just(root),
        ]
        .boxed()
    } else {
        prop_oneof![filled(&path, true), filled(&path, false)].boxed()
    };
    let pairs: Vec<_> = query.iter().map(|pair| weighted(0.85, filled(pair, false))).collect();
    let query = pairs.prop_map(|pairs| pairs.into_iter().flatten().collect::<Vec<_>>().join("&"));
    let astray = (
        select(vec!["", "", "", "", "", "", "", "", "/", "//", "x", "%0A", "%2F"]),
        select(vec![true, true, true, true, true, true, true, true, true, true, false]),
    );
    let other = select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"]);
    let host = prop_oneof![
        8 => Just("test"),
        2 => select(vec!["www.test", "example.com", "www.example.com", "a.example.org", "TEST:80", "test:443", "test:8000", "[::1]:80", "a b", "é", "test:x"]),
    ];
    let is_layer = kind == "layers";
    (select(methods), path, query, headers(kind), astray, other, host)
        .prop_map(move |(method, path, query, (headers, body), (suffix, is_own), other, host)| {
            let method = if is_own || kind == "socket" { method } else { other };
            let mut target = format!("{path}{suffix}");
            if !query.is_empty() {
                target = format!("{target}?{query}");
            }
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
            let mut bytes = request(method, &target, &headers, &body);
            let is_host = !host.contains(' ') && !host.ends_with('x');
            let is_trusted = operation.starts_with("layer/trusted");
            if is_layer && host.is_ascii() && (is_host || is_trusted) {
                let text = String::from_utf8_lossy(&bytes).replacen(
                    "host: test",
                    &format!("host: {host}"),
                    1,
                );
                bytes = text.into_bytes();
            }
            Request { operation: operation.clone(), bytes }
        })
        .boxed()
}

/// Requests to all operations, each as often as the others.
pub(crate) fn requests(operations: &[String]) -> BoxedStrategy<Request> {
    proptest::strategy::Union::new(operations.iter().cloned().map(requests_to)).boxed()
}
