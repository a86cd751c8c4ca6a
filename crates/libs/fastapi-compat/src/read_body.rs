//! Reads bodies within the limits of one and of all together.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::OwnedSemaphorePermit;

use crate::error_answer::unreadable_body;
use crate::layers::{BodyBudget, BodyLimit};
use crate::response::HttpError;

/// Bodies up to this size do not count towards the budget: the limit of requests at a time bounds them.
const FREE: usize = 4 * 1024;

/// A body that holds a part of the budget until nothing refers to its bytes any more.
struct Budgeted {
    bytes: Bytes,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Budgeted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads the whole body: 413 beyond the limit, 400 if the client breaks off, 503 if all bodies together
/// would be too large.
pub(crate) async fn read_body(parts: &Parts, body: Body) -> Result<Bytes, Response> {
    let limit = parts.extensions.get::<BodyLimit>().copied().unwrap_or_default();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    if announced.and_then(|v| v.parse().ok()).is_some_and(|length: usize| length > limit.0) {
        return Err(too_large());
    }
    let mut body = Limited::new(body, limit.0);
    // A body in one piece, as usual, is not copied; others are put together as they come.
    let (mut first, mut whole) = (Bytes::new(), Vec::new());
    let budget = parts.extensions.get::<BodyBudget>();
    let (mut length, mut permit) = (0, None::<OwnedSemaphorePermit>);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() { too_large() } else { unreadable_body() }
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if let Some(budget) = budget.filter(|_| length > FREE) {
            let more = if permit.is_some() { data.len() } else { length };
            let more = budget.take(more).map_err(|_| no_room())?;
            match &mut permit {
                Some(permit) => permit.merge(more),
                None => permit = Some(more),
            }
        }
        if first.is_empty() && whole.is_empty() {
            first = data;
        } else {
            if whole.is_empty() {
                whole.extend(std::mem::take(&mut first));
            }
            whole.extend_from_slice(&data);
        }
    }
    let bytes = if whole.is_empty() { first } else { whole.into() };
    Ok(match permit {
        Some(permit) => Bytes::from_owner(Budgeted { bytes, _permit: permit }),
        None => bytes,
    })
}

/// As [`too_large`], but it may have room in a second.
fn no_room() -> Response {
    let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
    let answer = HttpError::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"));
    (close, answer).into_response()
}

/// The rest of the body is not read, so the connection cannot be used again and is closed.
fn too_large() -> Response {
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
        .with_header(header::CONNECTION, HeaderValue::from_static("close"))
        .into_response()
}
