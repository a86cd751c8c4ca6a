//! The bodies and parameters of `probe_types.py`.

use proptest::prelude::*;

use super::Shape::{self, Dict, Either, Object, Of};
use super::{inner, list};

/// The body of an operation, if it is one of these.
pub(super) fn body(operation: &str) -> Option<Shape> {
    let v = |shape| Object(vec![("v", shape)]);
    let dict = |keys| v(Dict(keys, Box::new(Of("int"))));
    let validated = || Object(vec![("n", Of("small")), ("s", Of("small")), ("p", Of("str"))]);
    let data = || Object(vec![("n", Of("int")), ("s", Of("str"))]);
    Some(match operation {
        "names" | "names-forbid" => Object(vec![
            ("b", Of("int")),
            ("a", Of("small")),
            ("n", Of("small")),
            ("mm", Of("int")),
            ("kk", Of("int")),
            ("userName", Of("str")),
            ("user_name", Of("str")),
        ]),
        "extra-allow" | "extra-typed" => {
            Object(vec![("v", Of("small")), ("w", Of("str")), ("x", Of("small")), ("y", Of("any"))])
        }
        "not-null" => Object(vec![("v", Of("small")), ("w", Of("small")), ("f", Of("small"))]),
        "default-model" => Object(vec![("v", inner()), ("w", Dict("str", Box::new(Of("int"))))]),
        "strict" => Object(vec![
            ("i", Of("small")),
            ("f", Of("small")),
            ("s", Of("small")),
            ("b", Of("small")),
            ("items", list(Of("small"))),
            ("d", Dict("str", Box::new(Of("small")))),
            ("o", Of("small")),
            ("inner", inner()),
            ("t", Of("small")),
        ]),
        "strict-fields" => Object(vec![
            ("v", Of("small")),
            ("w", Of("small")),
            ("x", Of("small")),
            ("y", list(Of("small"))),
        ]),
        "literal-bool" | "enums" => {
            Object(vec![("v", Of("small")), ("w", Of("small")), ("x", Of("small"))])
        }
        "tags-int" => v(Object(vec![("t", Of("small")), ("n", Of("small"))])),
        "validated" => Object(vec![
            ("n", Of("small")),
            ("s", Of("small")),
            ("p", Of("str")),
            ("bad", Of("any")),
        ]),
        "annotations" => Object(vec![
            ("v", list(Of("small"))),
            ("w", Of("small")),
            ("x", Of("small")),
            ("y", Either(vec![validated(), Of("small")])),
        ]),
        "classes" => Object(vec![("v", data()), ("w", data())]),
        "data-class" => data(),
        "uuid-1" | "uuid-3" | "uuid-4" | "uuid-5" | "uuid-6" | "uuid-7" | "uuid-8" => {
            v(Of("uuids"))
        }
        "ip-4" | "ip-6" | "ip-any" | "network-4" | "network-6" | "network-any" | "interface-4"
        | "interface-6" | "interface-any" => v(Of("network")),
        "secret-str" | "secret-bytes" | "bytes" | "bytes-length" => v(Of("str")),
        "byte-size" => v(Of("size")),
        "base-64" | "base-64-str" | "base-64-url" | "base-64-url-str" => v(Of("base64")),
        "json-int" | "json-model" | "json-list" | "json-any" => v(Of("json")),
        "url-file" | "url-ftp" | "url-websocket" | "url-any-websocket" => {
            v(Either(vec![Of("url"), Of("urls")]))
        }
        "dict-dates" => dict("date"),
        "dict-datetimes" => dict("datetime"),
        "dict-times" => dict("time"),
        "dict-durations" => dict("timedelta"),
        "dict-uuid-4" => dict("uuids"),
        "union-ip" => v(Either(vec![Of("network"), Of("str")])),
        "union-ids" => v(Either(vec![Of("uuids"), Of("small")])),
        "default-body" | "hidden-body" => inner(),
        "encoded-dump" | "encoded-model" | "encoded-dict" => Object(vec![
            ("f", Of("float")),
            ("d", Of("decimal")),
            ("t", Of("timedelta")),
            ("at", Of("datetime")),
            ("time", Of("time")),
            ("day", Of("date")),
            ("items", list(Of("decimal"))),
            ("big", Of("int")),
        ]),
        "default-list" => list(Of("int")),
        operation => return named(operation),
    })
}

/// The bodies of `probe_names.py`.
fn named(operation: &str) -> Option<Shape> {
    let small = |name| (name, Of("small"));
    Some(match operation {
        "constrained" => Object(vec![
            small("i"),
            small("f"),
            ("d", Of("decimal")),
            ("day", Of("date")),
            ("items", list(Of("small"))),
            ("one", list(Of("small"))),
            ("same", list(Of("small"))),
            small("b"),
            ("s", Either(vec![Of("small"), Of("str")])),
            small("t"),
        ]),
        "signs" => Object(
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
                .map(|name| (name, Either(vec![Of("small"), Of("float")])))
                .into(),
        ),
        "strict-names" => Object(["a", "b", "c", "d", "e", "f"].map(small).into()),
        "configured" => Object(vec![
            ("s", Either(vec![Of("small"), Of("str")])),
            ("f", Of("float")),
            ("many", list(Of("small"))),
        ]),
        "loud" => Object(vec![("v", Either(vec![Of("small"), Of("str")]))]),
        "pascal" => Object(["FullName", "IsOn", "full_name"].map(small).into()),
        "snake" => Object(["full_name", "fullName", "n"].map(small).into()),
        "generated" => Object(["fullName", "isOn", "full_name", "FullName"].map(small).into()),
        "embedded" => Object(vec![("given", named("generated")?)]),
        "url-length" => Object(vec![("v", Either(vec![Of("url"), Of("url-any")]))]),
        "pydantic-dataclass" => Object(["n", "s"].map(small).into()),
        "discriminated-body" => {
            Object(vec![("kind", Of("kind")), ("lives", Of("int")), ("name", Of("str"))])
        }
        _ => return None,
    })
}

/// The names of a model's parameters, and some that it does not know.
pub(super) fn names() -> BoxedStrategy<&'static str> {
    prop_oneof![
        6 => Just("v"),
        2 => Just("w"),
        2 => Just("x_y"),
        2 => Just("x-y"),
        1 => Just("z"),
        2 => Just("Z_z"),
        2 => Just("a"),
        2 => Just("b"),
        1 => Just("c"),
        1 => Just("other"),
        1 => Just("X_Y"),
    ]
    .boxed()
}
