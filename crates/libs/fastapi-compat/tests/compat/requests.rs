//! Requests of every kind for each operation: valid, on the edge, and broken.

mod hard;
mod shapes;
mod types;

use std::sync::LazyLock;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::prelude::*;
use proptest::sample::select;

/// A request as it goes over the wire, and the operation that it is meant for.
#[derive(Clone)]
pub(crate) struct Request {
    pub operation: String,
    pub bytes: Vec<u8>,
}

/// Written as it is kept for the next time.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.bytes.escape_ascii())
    }
}

/// What a value looks like.
#[derive(Clone, Debug)]
enum Shape {
    /// One of the samples of this name.
    Of(&'static str),
    List(Box<Shape>),
    /// Sometimes with one too many.
    Tuple(Vec<Shape>),
    Dict(&'static str, Box<Shape>),
    Object(Vec<(&'static str, Shape)>),
    Either(Vec<Shape>),
}

use Shape::{Dict, Either, List, Object, Of, Tuple};

fn list(of: Shape) -> Shape {
    List(Box::new(of))
}

fn inner() -> Shape {
    Object(vec![("name", Of("str")), ("count", Of("int"))])
}

/// The body of an operation.
fn body(operation: &str) -> Shape {
    let v = |shape| Object(vec![("v", shape)]);
    match operation {
        "list" | "set" | "set-bounds" => v(list(Of("int"))),
        "list-bounds" | "list-constrained" => v(list(Of("str"))),
        "list-nested" => v(list(list(Of("bool")))),
        "dict" => v(Dict("str", Box::new(Of("int")))),
        "dict-keys" => v(Dict("int", Box::new(Of("float")))),
        "dict-uuid" => v(Dict("uuid", Box::new(Of("int")))),
        "dict-enum" => v(Dict("enum-str", Box::new(Of("int")))),
        "dict-short" | "dict-pattern" => v(Dict("str", Box::new(Of("int")))),
        "enum-one" => v(Of("literal-one")),
        "dict-bounds" => v(Dict("str", Box::new(Of("str")))),
        "tuple" => v(Tuple(vec![Of("int"), Of("str"), Of("bool")])),
        "nested" => Object(vec![("inner", inner()), ("others", list(inner())), ("maybe", inner())]),
        "recursive" => {
            let leaf = || Object(vec![("name", Of("str")), ("parent", Of("any"))]);
            let node = || {
                Object(vec![("name", Of("str")), ("parent", leaf()), ("children", list(leaf()))])
            };
            Object(vec![("name", Of("str")), ("parent", node()), ("children", list(node()))])
        }
        "named" => Object(vec![
            ("at", Of("int")),
            ("errors", Of("str")),
            ("fields", Of("bool")),
            ("type", Of("str")),
            ("input", Of("int")),
            ("self", Of("int")),
        ]),
        "alias" => Object(vec![("userName", Of("str")), ("item-count", Of("int"))]),
        "camel" => Object(vec![("fullName", Of("str")), ("isOn", Of("bool"))]),
        "forbid" => Object(vec![("v", Of("int")), ("w", Of("str")), ("x", Of("any"))]),
        "defaults" => Object(vec![("v", Of("int")), ("w", Of("str"))]),
        "nullable" => v(Of("str")),
        "optional" => v(Of("int")),
        "union-scalar" | "union-constrained" => v(Either(vec![Of("int"), Of("str")])),
        "union-number" => v(Either(vec![Of("int"), Of("float"), Of("bool")])),
        "union-list" => v(Either(vec![list(Of("int")), Of("int")])),
        "union-date" => v(Either(vec![Of("date"), Of("int"), Of("enum-str")])),
        "union-tags" => {
            v(Object(vec![("kind", Of("kind")), ("lives", Of("int")), ("wings", Of("int"))]))
        }
        "union-model" => v(Object(vec![("a", Of("int")), ("b", Of("str")), ("c", Of("float"))])),
        "union-tagged" => {
            v(Object(vec![("kind", Of("kind")), ("lives", Of("int")), ("name", Of("str"))]))
        }
        "root" => {
            Object(vec![("v", list(Of("int"))), ("w", Either(vec![list(Of("int")), Of("bool")]))])
        }
        "generic" => v(Object(vec![
            ("items", Either(vec![list(inner()), list(Of("int"))])),
            ("total", Of("int")),
        ])),
        "described" => Object(vec![("v", Of("int")), ("w", Of("str")), ("color", Of("enum-str"))]),
        "list-of-models" => list(inner()),
        "optional-model" | "nothing" => inner(),
        "scalar" => Of("int"),
        "optional-scalar" => Of("str"),
        "patch" => Object(vec![("title", Of("str")), ("price", Of("float"))]),
        "several" => {
            Object(vec![("inner", inner()), ("importance", Of("int")), ("note", Of("str"))])
        }
        operation => shapes::body(operation)
            .or_else(|| types::body(operation))
            .unwrap_or_else(|| v(Of(family(operation)))),
    }
}

/// The samples for an operation whose value is one scalar.
fn family(operation: &str) -> &'static str {
    const FAMILIES: [&str; 20] = [
        "str",
        "int",
        "float",
        "bool",
        "decimal",
        "datetime",
        "date",
        "timedelta",
        "time",
        "uuid",
        "email",
        "url",
        "enum-str",
        "enum-int",
        "literal-str",
        "literal-one",
        "literal-int",
        "any",
        "union",
        "optional",
    ];
    FAMILIES.into_iter().find(|family| operation.starts_with(family)).unwrap_or("any")
}

/// Values as they stand in JSON, from `samples.txt`: below the names of their families, one a line.
fn samples(family: &str) -> &'static [&'static str] {
    static SAMPLES: LazyLock<Vec<(&str, Vec<&str>)>> = LazyLock::new(|| {
        let families = [
            include_str!("samples.txt"),
            include_str!("samples_types.txt"),
            include_str!("samples_shapes.txt"),
        ];
        let families = families.into_iter().flat_map(|samples| samples.split("== "));
        let families = families.filter_map(|family| {
            let (names, samples) = family.split_once('\n')?;
            Some((names, samples.lines().filter(|sample| !sample.is_empty()).collect()))
        });
        families.collect()
    });
    let named =
        |name: &str| SAMPLES.iter().find(|(names, _)| names.split(' ').any(|known| known == name));
    named(family).or_else(|| named("any")).map_or(&[], |(_, samples)| samples)
}

/// What stands where something else should.
fn noise() -> impl Strategy<Value = String> {
    prop_oneof![
        16 => select(samples("any")).prop_map(ToOwned::to_owned),
        6 => select(samples("int")).prop_map(ToOwned::to_owned),
        6 => select(samples("str")).prop_map(ToOwned::to_owned),
        3 => any::<i64>().prop_map(|value| value.to_string()),
        3 => (any::<f64>()).prop_filter_map("finite", |value| {
            value.is_finite().then(|| serde_json::to_string(&value).unwrap_or_default())
        }),
        1 => (4295_usize..4305).prop_map(|digits| "9".repeat(digits)),
        1 => select(vec![900_usize, 940, 1000, 2000]).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
        5 => hard::value(),
        3 => ".{0,6}".prop_map(|text: String| serde_json::to_string(&text).unwrap_or_default()),
        3 => "[0-9:.TZ+ eE_-]{0,12}".prop_map(|text: String| format!("\"{text}\"")),
    ]
}

/// A JSON text of a shape, with some noise in it.
fn json(shape: Shape) -> BoxedStrategy<String> {
    let right = match shape {
        Of(family) => select(samples(family)).prop_map(ToOwned::to_owned).boxed(),
        List(of) => proptest::collection::vec(json(*of), 0..5)
            .prop_map(|items| format!("[{}]", items.join(",")))
            .boxed(),
        Tuple(items) => {
            let items: Vec<_> = items.into_iter().map(json).collect();
            (items, proptest::option::weighted(0.1, noise()), 0..10_usize)
                .prop_map(|(mut items, more, missing)| {
                    if missing < items.len() && missing == 1 {
                        items.pop();
                    }
                    items.extend(more);
                    format!("[{}]", items.join(","))
                })
                .boxed()
        }
        Dict(keys, values) => {
            let known = select(samples(keys)).prop_map(|key| {
                if key.starts_with('"') { key.to_owned() } else { format!("\"{key}\"") }
            });
            let key = prop_oneof![15 => known, 1 => hard::key()];
            proptest::collection::vec((key, json(*values)), 0..4)
                .prop_map(|entries| {
                    let entries: Vec<_> =
                        entries.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                    format!("{{{}}}", entries.join(","))
                })
                .boxed()
        }
        Object(fields) => {
            let fields: Vec<_> = fields
                .into_iter()
                .map(|(name, shape)| {
                    let value = json(shape);
                    proptest::option::weighted(0.85, value)
                        .prop_map(move |value| value.map(|value| format!("\"{name}\":{value}")))
                        .boxed()
                })
                .collect();
            let extra = (prop_oneof![3 => Just("\"extra\"".to_owned()), 1 => hard::key()], noise());
            (fields, proptest::option::weighted(0.1, extra))
                .prop_map(|(fields, extra)| {
                    let mut fields: Vec<_> = fields.into_iter().flatten().collect();
                    fields.extend(extra.map(|(key, value)| format!("{key}:{value}")));
                    format!("{{{}}}", fields.join(","))
                })
                .boxed()
        }
        Either(shapes) => proptest::strategy::Union::new(shapes.into_iter().map(json)).boxed(),
    };
    prop_oneof![9 => right, 1 => noise()].boxed()
}

/// The text of a parameter: what a sample is without its quotes.
pub(crate) fn text(operation: &str) -> BoxedStrategy<String> {
    let family = match operation {
        "list" | "set" | "optional" | "defaults" => "int",
        "list-bounds" | "nullable" => "str",
        "union-scalar" | "described" | "three" | "four" | "no-content" | "text" | "elsewhere" => {
            "int"
        }
        "rest" | "part" => "str",
        operation if operation.starts_with("model") || shapes::is_small(operation) => "small",
        "json" => "json",
        "arguments" => "small",
        operation => family(operation),
    };
    let plain = |sample: String| serde_json::from_str(&sample).unwrap_or(sample);
    prop_oneof![
        8 => select(samples(family)).prop_map(move |sample| plain(sample.to_owned())),
        1 => noise().prop_map(plain),
        1 => ".{0,6}",
    ]
    .boxed()
}

pub(crate) fn encode(text: &str) -> String {
    percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string()
}

/// `v=1&v=2&w=3`, encoded.
fn pairs(operation: &str) -> BoxedStrategy<String> {
    let name = prop_oneof![8 => Just("v"), 1 => Just("w"), 1 => Just("the-color")].boxed();
    let is_model = operation.starts_with("model");
    let (name, more) = match operation {
        "model-paths" => (shapes::names(), 9),
        "arguments" => (select(vec!["f", "s", "d", "i", "ii"]).boxed(), 5),
        _ if is_model => (types::names(), 7),
        _ => (name, 4),
    };
    proptest::collection::vec((name, text(operation)), 0..more)
        .prop_map(|pairs| {
            let pairs: Vec<_> =
                pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
            pairs.join("&")
        })
        .boxed()
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    if !body.is_empty() || method != "GET" {
        bytes.extend(format!("content-length: {}\r\n", body.len()).bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// What may stand in a header: no control characters, one byte for each character.
pub(crate) fn header_value(text: &str) -> Vec<u8> {
    let bytes = text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok());
    let visible: Vec<_> = bytes.filter(|byte| *byte >= 0x20 && *byte != 0x7F).collect();
    visible.trim_ascii().to_vec()
}

/// A JSON text, seldom with a byte missing, doubled or changed.
fn damaged(json: BoxedStrategy<String>) -> BoxedStrategy<Vec<u8>> {
    let damage = (any::<proptest::sample::Index>(), any::<u8>(), 0..3);
    (json, proptest::option::weighted(0.05, damage))
        .prop_map(|(json, damage)| {
            let mut bytes = json.into_bytes();
            if let Some((at, byte, kind)) = damage.filter(|_| !bytes.is_empty()) {
                let at = at.index(bytes.len());
                match kind {
                    0 => drop(bytes.remove(at)),
                    1 => bytes.insert(at, byte),
                    _ => bytes[at] = byte,
                }
            }
            bytes
        })
        .boxed()
}

/// A multipart form with a text and files, in parts that may be odd.
fn multipart() -> BoxedStrategy<Vec<u8>> {
    let name = select(vec!["file", "file", "note", "note", "more", "other", ""]);
    let filename = prop_oneof![
        2 => Just(None),
        3 => select(vec!["a.txt", "", "ä b.png", "..\\x", "a\\\"b"]).prop_map(Some),
    ];
    let content_type = select(vec![None, Some("text/plain"), Some("image/png; q=1"), Some("")]);
    let content = prop_oneof![
        select(vec!["", "x", "xy", "text\r\nmore", "--B", "\r\n--", "é"])
            .prop_map(|text| text.as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    let part =
        (name, filename, content_type, content).prop_map(|(name, filename, kind, content)| {
            let filename = filename.map(|filename| format!("; filename=\"{filename}\""));
            let kind = kind.map(|kind| format!("Content-Type: {kind}\r\n"));
            let head = format!(
                "--B\r\nContent-Disposition: form-data; name=\"{name}\"{}\r\n{}\r\n",
                filename.unwrap_or_default(),
                kind.unwrap_or_default()
            );
            [head.as_bytes(), &content, b"\r\n"].concat()
        });
    let note =
        Just(b"--B\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nabc\r\n".to_vec());
    let file = Just(
        b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nabc\r\n"
            .to_vec(),
    );
    let valid = (note, file, proptest::collection::vec(part.clone(), 0..2))
        .prop_map(|(note, file, more)| [note, file, more.concat()].concat());
    let end = prop_oneof![8 => Just("--B--\r\n"), 1 => Just("--B--"), 1 => Just("")];
    let parts = prop_oneof![
        1 => valid,
        2 => proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat()),
    ];
    (parts, end).prop_map(|(parts, end)| [parts.as_slice(), end.as_bytes()].concat()).boxed()
}

/// What callers say of themselves.
pub(crate) fn credentials() -> BoxedStrategy<Vec<u8>> {
    let scheme = select(vec!["Bearer", "bearer", "Basic", "basic", "BASIC", "Digest", ""]);
    let space = select(vec![" ", "  ", ""]);
    let parameter = prop_oneof![
        select(vec![
            "abc", "a b", "", "YTpi", "YTpi=", "YTo=", "YQ==", "Og==", "4pyTOmE=", "Y T p i",
            "YTpi!"
        ])
        .prop_map(ToOwned::to_owned),
        "[A-Za-z0-9+/]{0,9}={0,3}",
        "[ -~]{0,12}",
    ];
    (scheme, space, parameter)
        .prop_map(|(scheme, space, parameter)| header_value(&format!("{scheme}{space}{parameter}")))
        .boxed()
}

fn security(path: String) -> BoxedStrategy<Vec<u8>> {
    let authorization = proptest::option::weighted(0.9, credentials());
    let key = proptest::option::weighted(0.8, text("str"));
    let cookie = proptest::option::weighted(0.8, text("str"));
    (authorization, key, cookie, proptest::option::weighted(0.8, text("int")))
        .prop_map(move |(authorization, key, cookie, number)| {
            let key = key.map(|key| header_value(&key));
            let cookie = cookie.map(|key| header_value(&format!("k={key}")));
            let mut headers: Vec<(&str, &[u8])> = Vec::new();
            if let Some(value) = &authorization {
                headers.push(("authorization", value));
            }
            if let Some(value) = &key {
                headers.push(("x-key", value));
            }
            if let Some(value) = &cookie {
                headers.push(("cookie", value));
            }
            let query = number.map(|number| format!("?number={}", encode(&number)));
            let method = if path.ends_with("api-key") { "POST" } else { "GET" };
            request(method, &format!("{path}{}", query.unwrap_or_default()), &headers, b"")
        })
        .boxed()
}

/// A request that misses: another method, another path, a slash too many.
fn astray(path: &str) -> BoxedStrategy<Vec<u8>> {
    let method = select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]);
    let segments =
        path.split('/').map(|segment| if segment.starts_with('{') { "1" } else { segment });
    let path = segments.collect::<Vec<_>>().join("/");
    let suffix = select(vec!["", "/", "//", "/x", "?v=1", "/?v=1", "%2F", "%0A", "x"]);
    (method, suffix)
        .prop_map(move |(method, suffix)| request(method, &format!("{path}{suffix}"), &[], b""))
        .boxed()
}

/// The requests to an operation.
fn requests_to(operation: String) -> BoxedStrategy<Request> {
    let (kind, name) = operation.split_once('/').unwrap_or((&operation, ""));
    let (name, parameters) = name.split_once("/{").unwrap_or((name, ""));
    let (name, more) = (name.to_owned(), parameters.matches('{').count());
    let path = format!("/{}", operation.split("/{").next().unwrap_or_default());
    let bytes = match kind {
        "body" => {
            let content_type = prop_oneof![
                30 => Just("application/json"),
                1 => Just("application/vnd.api+json; charset=utf-8"),
                1 => Just("text/plain"),
            ];
            let valid = json(body(&name));
            let json = if name == "recursive" {
                prop_oneof![1 => valid, 1 => hard::recursive()].boxed()
            } else {
                valid
            };
            let body = hard::encoded(damaged(json));
            // Their messages name the code of a lone surrogate, which is not kept.
            let body = if ["base-64-str", "base-64-url-str"].contains(&name.as_str()) {
                body.prop_filter("lone surrogates", |body| !hard::has_lone(body)).boxed()
            } else {
                body
            };
            (body, content_type)
                .prop_map(move |(body, content_type)| {
                    let headers = [("content-type", content_type.as_bytes())];
                    request("POST", &path, &headers, &body)
                })
                .boxed()
        }
        "path" => proptest::collection::vec(text(&name), more + 1)
            .prop_map(move |values| {
                let values: Vec<_> = values.iter().map(|value| encode(value)).collect();
                let values = values.join("/");
                let values = if name == "part" { format!("{values}.json") } else { values };
                let method = if name == "no-content" { "DELETE" } else { "GET" };
                request(method, &format!("{path}/{values}"), &[], b"")
            })
            .boxed(),
        "query" => pairs(&name)
            .prop_map(move |query| request("GET", &format!("{path}?{query}"), &[], b""))
            .boxed(),
        "form" if name == "file" || name == "bytes" => {
            let kind = select(vec![
                "multipart/form-data; boundary=B",
                "multipart/form-data; boundary=B",
                "multipart/form-data; boundary=\"B\"; charset=latin-1",
                "multipart/form-data",
                "application/x-www-form-urlencoded",
            ]);
            (multipart(), kind)
                .prop_map(move |(form, kind)| {
                    request("POST", &path, &[("content-type", kind.as_bytes())], &form)
                })
                .boxed()
        }
        "security" => security(path),
        "form" => pairs(&name)
            .prop_map(move |form| {
                let kind: &[u8] = b"application/x-www-form-urlencoded";
                request("POST", &path, &[("content-type", kind)], form.as_bytes())
            })
            .boxed(),
        "header" => {
            let header = prop_oneof![8 => Just("v"), 1 => Just("w"), 1 => Just("V")].boxed();
            let is_model = name.starts_with("model");
            let (header, more) = if is_model { (types::names(), 7) } else { (header, 3) };
            proptest::collection::vec((header, text(&name)), 0..more)
                .prop_map(move |headers| {
                    let headers: Vec<_> =
                        headers.iter().map(|(name, text)| (*name, header_value(text))).collect();
                    let headers: Vec<_> =
                        headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
                    request("GET", &path, &headers, b"")
                })
                .boxed()
        }
        "cookie" => {
            let cookie = prop_oneof![8 => Just("v"), 1 => Just("w"), 1 => Just(" v ")].boxed();
            let cookie = (
                if name.starts_with("model") { types::names() } else { cookie },
                text(&name),
                prop_oneof![6 => Just(""), 1 => Just("\""), 1 => Just(";")],
            );
            proptest::collection::vec(cookie, 0..3)
                .prop_map(move |cookies| {
                    let cookies: Vec<_> = cookies
                        .iter()
                        .map(|(name, text, quote)| format!("{name}={quote}{text}{quote}"))
                        .collect();
                    let value = header_value(&cookies.join("; "));
                    request("GET", &path, &[("cookie", &value)], b"")
                })
                .boxed()
        }
        _ => {
            let parts = (text("int"), text("float"), text("str"), text("str"), json(inner()));
            let given = proptest::collection::vec(prop::bool::weighted(0.8), 4);
            (parts, given)
                .prop_map(|((v, q, token, session, body), given)| {
                    let query = if given[0] { format!("?q={}", encode(&q)) } else { String::new() };
                    let path = format!("/everything/{}{query}", encode(&v));
                    let token = header_value(&token);
                    let cookie = [b"session=", header_value(&session).as_slice()].concat();
                    let mut headers: Vec<(&str, &[u8])> =
                        vec![("content-type", b"application/json")];
                    if given[1] {
                        headers.push(("x-token", &token));
                    }
                    if given[2] {
                        headers.push(("cookie", &cookie));
                    }
                    let body = if given[3] { body } else { String::new() };
                    request("PUT", &path, &headers, body.as_bytes())
                })
                .boxed()
        }
    };
    let bytes = prop_oneof![30 => bytes, 1 => astray(&format!("/{operation}"))];
    bytes.prop_map(move |bytes| Request { operation: operation.clone(), bytes }).boxed()
}

/// Requests to all operations, each as often as the others.
pub(crate) fn requests(operations: &[String]) -> impl Strategy<Value = Request> + use<> {
    proptest::strategy::Union::new(operations.iter().cloned().map(requests_to))
}
