//! Responses as they are compared: decoded, without what belongs to the connection.

use std::collections::BTreeMap;
use std::pin::pin;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use comparison::Answer;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;

use crate::memory::Held;
use crate::statistics::Verdict;

/// A request once more.
pub(crate) fn request(parts: &Parts, body: &Bytes) -> Request<Body> {
    Request::from_parts(parts.clone(), Body::from(body.clone()))
}

/// The whole of a response.
///
/// # Errors
/// When its body fails, is longer than `limit` bytes, or there is no memory for it.
pub(crate) async fn read(
    response: Response,
    limit: usize,
    held: &mut Held,
) -> Result<Answer, Verdict> {
    let (head, body) = response.into_parts();
    let mut whole = BytesMut::new();
    let mut body = pin!(body);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Verdict::Uncompared)?;
        let Some(data) = frame.data_ref() else { continue };
        if whole.len() + data.len() > limit {
            return Err(Verdict::Uncompared);
        }
        if !held.grow(data.len()) {
            return Err(Verdict::Dropped);
        }
        whole.extend_from_slice(data);
    }
    answer(head.status, &head.headers, whole.freeze(), limit, held)
}

/// A response of which the body is here. One that is compressed is decoded.
///
/// # Errors
/// When there is no memory for that.
pub(crate) fn answer(
    status: StatusCode,
    headers: &HeaderMap,
    body: Bytes,
    limit: usize,
    held: &mut Held,
) -> Result<Answer, Verdict> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let value = value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
        all.entry(name.as_str().to_owned()).or_default().push(value);
    }
    // Redundant with the body, and a service in this process leaves it to the connection.
    all.remove("content-length");
    let mut answer = Answer { status: status.as_u16(), headers: all, body: body.into() };
    let encoding = answer.headers.get("content-encoding").map(|values| values.join(", "));
    if let Some(plain) = encoding.and_then(|encoding| decode(&encoding, &answer.body, limit)) {
        if !held.grow(plain.len()) {
            return Err(Verdict::Dropped);
        }
        answer.body = plain;
        answer.headers.remove("content-encoding");
    }
    // Middleware that compresses adds `accept-encoding` to `vary`, also where it has not compressed.
    if let Some(vary) = answer.headers.remove("vary") {
        let fields = vary.iter().flat_map(|value| value.split(',')).map(str::trim);
        let fields = fields.filter(|field| !field.eq_ignore_ascii_case("accept-encoding"));
        let fields = fields.collect::<Vec<_>>().join(", ");
        if !fields.is_empty() {
            answer.headers.insert("vary".to_owned(), vec![fields]);
        }
    }
    Ok(answer)
}

/// The body before it was compressed; none if the coding is unknown, or it decodes to nothing valid or
/// to more than `limit` bytes.
#[cfg(feature = "compression")]
fn decode(encoding: &str, body: &[u8], limit: usize) -> Option<Vec<u8>> {
    use std::io::Read;

    let mut decoder: Box<dyn Read + '_> = match encoding.trim().to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" => Box::new(flate2::read::MultiGzDecoder::new(body)),
        "deflate" => Box::new(flate2::read::ZlibDecoder::new(body)),
        "br" => Box::new(brotli_decompressor::Decompressor::new(body, 4096)),
        _ => return None,
    };
    let mut plain = Vec::new();
    decoder.by_ref().take(limit as u64 + 1).read_to_end(&mut plain).ok()?;
    (plain.len() <= limit).then_some(plain)
}

/// Without the feature `compression` every coding is unknown: bodies are compared as they are.
#[cfg(not(feature = "compression"))]
const fn decode(_encoding: &str, _body: &[u8], _limit: usize) -> Option<Vec<u8>> {
    None
}

#[cfg(test)]
#[cfg(feature = "compression")]
mod tests {
    use super::*;
    use crate::memory::Budget;

    const PLAIN: &str = r#"{"a":1}"#;
    /// `PLAIN`, by Python's gzip, zlib and brotli.
    const CODED: [(&str, &[u8]); 3] = [
        (
            "gzip",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabVJT\xb22\xac\x05\x00\xaf\xac\x1bV\x07\x00\x00\x00",
        ),
        ("deflate", b"x\x9c\xabVJT\xb22\xac\x05\x00\x08*\x02\t"),
        ("br", b"\x0b\x03\x80{\"a\":1}\x03"),
    ];

    fn coded(encoding: &str, body: &'static [u8], limit: usize) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("content-encoding", encoding.parse().unwrap());
        headers.insert("vary", "Origin, Accept-Encoding".parse().unwrap());
        let mut held = Budget::new(1000).part();
        let body = Bytes::from_static(body);
        answer(StatusCode::OK, &headers, body, limit, &mut held).unwrap()
    }

    #[test]
    fn what_is_compressed_is_decoded() {
        for (encoding, body) in CODED {
            let answer = coded(encoding, body, 100);
            assert_eq!(answer.body, PLAIN.as_bytes(), "{encoding}");
            assert_eq!(answer.headers.keys().collect::<Vec<_>>(), ["vary"], "{encoding}");
            assert_eq!(answer.headers["vary"], ["Origin"]);
            // Not for as long as it likes.
            assert_eq!(coded(encoding, body, 3).body, body, "{encoding}");
            assert_eq!(coded(encoding, b"no such thing", 100).body, b"no such thing", "{encoding}");
        }
        assert!(coded("zstd", b"x", 100).headers.contains_key("content-encoding"));
    }
}
