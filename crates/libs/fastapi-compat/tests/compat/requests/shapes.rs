//! The bodies and parameters of `probe_shapes.py`.

use proptest::prelude::*;

use super::Shape::{self, Dict, Either, Object, Of, Tuple};
use super::{inner, list};

/// The body of an operation, if it is one of these.
pub(super) fn body(operation: &str) -> Option<Shape> {
    let v = |shape| Object(vec![("v", shape)]);
    let small = || Of("small");
    let record = || Object(vec![("a", small())]);
    let pet = || {
        Object(vec![
            ("kind", Of("kind-of-pet")),
            ("color", Of("color-of-pet")),
            ("lives", small()),
            ("name", small()),
            ("n", small()),
        ])
    };
    let dictionary = || Dict("key", Box::new(small()));
    let point = || {
        let fields = Object(vec![("x", small()), ("name", small()), ("inner", inner())]);
        Either(vec![Tuple(vec![small(), small(), inner()]), list(small()), fields])
    };
    let size = || {
        let fields = Object(vec![("width", small()), ("heightCm", small())]);
        Either(vec![Tuple(vec![small(), small()]), list(small()), fields])
    };
    Some(match operation {
        "named-tuples" | "named-tuple" => Object(vec![("v", point()), ("w", list(size()))]),
        "union-named-tuples" => Object(vec![
            ("v", Either(vec![point(), inner()])),
            ("w", Either(vec![point(), inner()])),
            ("x", Either(vec![size(), dictionary()])),
        ]),
        "union-exact" => Object(vec![
            ("v", Either(vec![record(), dictionary()])),
            ("w", Either(vec![record(), dictionary()])),
            ("x", list(Either(vec![record(), dictionary()]))),
            ("y", Either(vec![record(), dictionary()])),
            ("z", small()),
        ]),
        "alias-paths" | "alias-paths-forbid" | "alias-paths-allow" => Object(vec![
            ("x", Object(vec![("y", Either(vec![list(small()), list(small()), dictionary()]))])),
            ("b", small()),
            ("names", Either(vec![list(small()), small()])),
            ("c", small()),
            ("o", small()),
            ("only", small()),
            ("user", Either(vec![Object(vec![("name", Of("str"))]), small()])),
        ]),
        "discriminated" => Object(vec![
            ("v", Either(vec![pet(), pet(), small()])),
            ("w", list(Either(vec![pet(), small()]))),
        ]),
        "nested-discriminators" => v(pet()),
        "wrapped" => Object(vec![
            ("n", Either(vec![small(), Of("skip")])),
            ("s", small()),
            ("items", Either(vec![small(), list(small())])),
            ("x", small()),
        ]),
        "wrapped-models" => {
            let whole = || {
                let fields = Object(vec![("n", small()), ("bad", small())]);
                Either(vec![Object(vec![("n", small())]), fields, small()])
            };
            Object(vec![("v", whole()), ("w", whole())])
        }
        "url-strict" => {
            let url = || Either(vec![Of("url"), Of("urls"), Of("dsn")]);
            Object(vec![("v", url()), ("w", url())])
        }
        "frozen-set"
        | "frozen-set-bounds"
        | "deque"
        | "deque-bounds"
        | "variadic-tuple"
        | "variadic-tuple-bounds"
        | "sequence"
        | "sequence-bounds"
        | "mutable-sequence"
        | "abstract-set"
        | "mutable-set"
        | "union-deque"
        | "union-sequences" => v(Either(vec![list(small()), list(small()), small()])),
        "mapping" | "mutable-mapping" => v(Either(vec![dictionary(), dictionary(), small()])),
        operation if operation.starts_with("dsn") => v(Of("dsn")),
        _ => return None,
    })
}

/// Whether the parameters of an operation are small numbers and texts.
pub(super) fn is_small(operation: &str) -> bool {
    ["frozen-set", "deque", "variadic-tuple", "sequence"]
        .into_iter()
        .any(|name| operation.starts_with(name))
}

/// The names of parameters that are read by paths, and some others.
pub(super) fn names() -> BoxedStrategy<&'static str> {
    prop_oneof![
        3 => Just("names"),
        2 => Just("x"),
        2 => Just("b"),
        2 => Just("c"),
        2 => Just("o"),
        1 => Just("w"),
        1 => Just("v"),
        1 => Just("user"),
        1 => Just("only"),
    ]
    .boxed()
}
