//! What is hard to read: deep nesting, lone surrogates, numbers that are none, enormous ones, and other
//! encodings than UTF-8.

use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Keys, with their quotes.
pub(super) fn key() -> BoxedStrategy<String> {
    prop_oneof![
        4 => select(vec![r#""extra""#, r#""\ud800""#, r#""a\udfff""#, r#""\udc00\ud800""#, r#""\ud83d\ude00""#])
            .prop_map(ToOwned::to_owned),
        1 => ".{0,3}".prop_map(|text: String| serde_json::to_string(&text).unwrap_or_default()),
    ]
    .boxed()
}

/// A value without others in it.
fn scalar() -> BoxedStrategy<String> {
    prop_oneof![
        3 => select(vec!["NaN", "Infinity", "-Infinity", "-NaN", "1e999", "-1e999", "1e-999", "-0.0"])
            .prop_map(ToOwned::to_owned),
        3 => select(vec![
            r#""\ud800""#, r#""a\udfffb""#, r#""\udc00\ud800""#, r#""\ud83d\ude00""#,
            r#""\ud83d""#, r#""\\ud800""#, r#""\u0000""#, "\"\u{feff}\"",
        ])
        .prop_map(ToOwned::to_owned),
        3 => (18_usize..400, any::<bool>(), select(vec!["", ".0", ".5", "e5", "e-5"])).prop_map(
            |(digits, is_negative, end)| {
                let sign = if is_negative { "-" } else { "" };
                format!("{sign}{}{end}", "9".repeat(digits))
            }
        ),
    ]
    .boxed()
}

/// Lists and objects around a value.
fn nested() -> BoxedStrategy<String> {
    let leaf = prop_oneof![1 => scalar(), 3 => select(vec!["1", "\"a\"", "null"]).prop_map(ToOwned::to_owned)];
    let depth = prop_oneof![3 => 1_usize..20, 1 => 20_usize..300];
    (depth, 0..3, leaf)
        .prop_map(|(depth, kind, leaf)| match kind {
            0 => format!("{}{leaf}{}", "[".repeat(depth), "]".repeat(depth)),
            1 => format!("{}{leaf}{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
            _ => format!("{}{leaf}{}", "[{\"v\":".repeat(depth / 2), "}]".repeat(depth / 2)),
        })
        .boxed()
}

/// Any of these.
pub(super) fn value() -> BoxedStrategy<String> {
    prop_oneof![3 => scalar(), 1 => nested()].boxed()
}

/// A model in itself, up to where pydantic ends and beyond, with something wrong at the end of some.
pub(super) fn recursive() -> BoxedStrategy<String> {
    let depth =
        prop_oneof![3 => 1_usize..30, 2 => 30_usize..250, 3 => 250_usize..260, 1 => 260_usize..300];
    let step = select(vec![
        ("{\"name\":\"a\",\"parent\":", "}"),
        ("{\"name\":\"a\",\"children\":[", "]}"),
        ("{\"parent\":", "}"),
    ]);
    let leaf = prop_oneof![
        3 => Just("null".to_owned()),
        2 => Just("{\"name\":\"z\"}".to_owned()),
        1 => scalar(),
    ];
    (depth, step, leaf)
        .prop_map(|(depth, (open, close), leaf)| {
            format!("{}{leaf}{}", open.repeat(depth), close.repeat(depth))
        })
        .boxed()
}

/// Whether there may be a lone surrogate in a body.
pub(super) fn has_lone(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    text.contains("\\ud") || text.contains("\\uD") || text.contains(char::REPLACEMENT_CHARACTER)
}

/// A body, seldom in another encoding or with bytes that only Python's `surrogatepass` reads.
pub(super) fn encoded(body: BoxedStrategy<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    (body, proptest::option::weighted(0.05, (0..8, any::<Index>())))
        .prop_map(|(body, encoding)| {
            let Some((encoding, at)) = encoding else { return body };
            let insert = |bytes: &[u8]| {
                let (start, end) = body.split_at(at.index(body.len() + 1));
                [start, bytes, end].concat()
            };
            let Ok(text) = std::str::from_utf8(&body) else { return body };
            let units = || text.encode_utf16();
            match encoding {
                0 => [b"\xEF\xBB\xBF".as_slice(), &body].concat(),
                1 => std::iter::once(0xFEFF).chain(units()).flat_map(u16::to_le_bytes).collect(),
                2 => units().flat_map(u16::to_be_bytes).collect(),
                3 => units().flat_map(u16::to_le_bytes).collect(),
                4 => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
                5 => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
                6 => insert(b"\xED\xA0\x80"),
                _ => insert(b"\xFF"),
            }
        })
        .boxed()
}
