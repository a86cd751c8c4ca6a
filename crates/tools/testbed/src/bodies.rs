//! The worst bodies that a service which reads JSON and forms can be sent: as long as it reads, and of
//! what takes most memory and time for each byte.

use std::fmt::Write;

use crate::root;

/// The largest body that the service reads, by default.
pub const LONGEST: usize = 2 * 1024 * 1024;

/// How many are sent at a time.
pub const AT_A_TIME: usize = 4;

pub const JSON: &str = "application/json";
pub const FORM: &str = "application/x-www-form-urlencoded";
pub const MULTIPART: &str = "multipart/form-data; boundary=x";

/// A body, and what it is made of.
#[derive(Clone, Debug)]
pub struct Body {
    pub name: &'static str,
    /// [`JSON`], [`FORM`] or [`MULTIPART`].
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// What the manifest allows the service, in MiB; nothing if it says nothing.
pub fn manifest_limit() -> Option<u64> {
    let manifest = root().join("k8s/components/molt/deployment.yaml");
    let manifest = std::fs::read_to_string(manifest).ok()?;
    let (_, limits) = manifest.split_once("limits:")?;
    let (_, memory) = limits.split_once("memory: ")?;
    memory.split_once("Mi")?.0.parse().ok()
}

/// Repeats something until a body is as long as it may be.
pub fn filled(start: &str, item: &str, separator: &str, end: &str) -> Vec<u8> {
    let room = LONGEST - start.len() - end.len() - item.len();
    let more = format!("{separator}{item}");
    format!("{start}{item}{}{end}", more.repeat(room / more.len())).into_bytes()
}

/// As many keys as there is room for, each different.
fn keys() -> Vec<u8> {
    let mut body = String::from("{\"\":0");
    for key in 0_u32.. {
        if body.len() > LONGEST - 20 {
            break;
        }
        _ = write!(body, ",\"{key:x}\":0");
    }
    (body + "}").into_bytes()
}

fn deep(inner: &str) -> String {
    format!("{{\"a\":{}{inner}{}}}", "[".repeat(959), "]".repeat(959))
}

/// All of them; those that take most memory or time come first.
pub fn worst() -> Vec<Body> {
    let mut all = Vec::new();
    for (content_type, bodies) in [(JSON, first()), (FORM, forms()), (MULTIPART, multipart())] {
        all.extend(bodies.into_iter().map(|(name, bytes)| Body { name, content_type, bytes }));
    }
    let more = more().into_iter();
    all.extend(more.map(|(name, bytes)| Body { name, content_type: JSON, bytes }));
    all
}

type Bodies = Vec<(&'static str, Vec<u8>)>;

fn first() -> Bodies {
    vec![
        ("zeros", filled("{\"a\":[", "0", ",", "]}")),
        ("errors", filled("{\"email\":[", "0", ",", "],\"password\":{},\"full_name\":0}")),
        ("keys", keys()),
        ("empty objects", filled("{\"a\":[", "{}", ",", "]}")),
    ]
}

fn forms() -> Bodies {
    vec![
        ("fields", filled("", "a", "&", "")),
        ("ampersands", filled("", "&", "", "")),
        ("a thousand fields", filled("", &"%01".repeat(690), "&", "")),
        ("plus signs", filled("username=", "+", "", "")),
    ]
}

fn multipart() -> Bodies {
    let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
    let file = "--x\r\nContent-Disposition: form-data; name=\"username\"; filename=\"f\"\r\n\r\n";
    vec![
        ("parts", filled("", part, "", "--x--\r\n")),
        ("a file", filled(file, "a\n", "", "\r\n--x--\r\n")),
        ("half delimiters", filled(file, "\r\n--", "", "")),
        ("dashes", filled("", "-", "", "")),
        ("a header", filled("--x\r\n", "a", "", "")),
        ("blanks of a header", filled("--x\r\na:", " ", "", "")),
    ]
}

fn more() -> Bodies {
    let zeros = String::from_utf8_lossy(&filled("{\"a\":[", "0", ",", "]}")).into_owned();
    let in_utf16 = zeros.encode_utf16().take(LONGEST / 2);
    vec![
        ("zeros alone", filled("[", "0", ",", "]")),
        ("empty lists", filled("{\"a\":[", "[]", ",", "]}")),
        ("empty texts", filled("{\"a\":[", "\"\"", ",", "]}")),
        ("floats that are written longer", filled("{\"a\":[", "1e15", ",", "]}")),
        ("objects of one field", filled("{\"a\":[", "{\"\":0}", ",", "]}")),
        ("one key", filled("{", "\"a\":0", ",", "}")),
        ("escapes", filled("{\"a\":\"", "\\u0001", "", "\"}")),
        ("blanks", filled("{", " ", "", "}")),
        ("a long text", filled("{\"email\":\"", "é", "", "@example.com\",\"token\":{}}")),
        // What the patterns of an address are matched against.
        ("dots", filled("{\"email\":\"", "a.", "", "@example.com\",\"password\":\"changethis\"}")),
        ("hyphens", filled("{\"email\":\"a@", "a-", "", "\",\"password\":\"changethis\"}")),
        ("an integer", filled("{\"a\":", "9", "", "}")),
        ("a decimal", filled("{\"a\":0.", "9", "", "}")),
        ("integers that are just short enough", filled("{\"a\":[", &"9".repeat(4300), ",", "]}")),
        ("deep", deep(&format!("\"{}\"", "x".repeat(LONGEST - 2000))).into_bytes()),
        ("too deep", filled("{\"a\":", "[", "", "")),
        ("deep again and again", filled("[", &deep("0"), ",", "]")),
        ("UTF-16", in_utf16.flat_map(u16::to_le_bytes).collect()),
        ("no text", vec![0xFF; LONGEST]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_as_long_as_the_service_reads() {
        for Body { name, bytes, .. } in worst() {
            assert!(bytes.len() <= LONGEST, "{name}: {}", bytes.len());
            // An item that did not fit once more is missing, of some thousand bytes.
            assert!(bytes.len() > LONGEST - 5000, "{name}: {}", bytes.len());
        }
    }
}
