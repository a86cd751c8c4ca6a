//! What a person knows of axum works as axum documents it: its extractors and layers beside ours.
//! The README's table names these tests.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod extractors;
mod inputs;
mod layers;
mod router;
mod serving;

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{
    ConnectInfo, Extension, MatchedPath, Multipart, OriginalUri, Path as AxumPath,
    Query as AxumQuery, Request, State,
};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum_extra::TypedHeader;
use axum_extra::extract::CookieJar;
use axum_extra::headers::UserAgent;
use fastapi_compat::{
    Bearer, Call, Cookie, Decode, DryRun, Embedded, Errors, Form, Header, HttpError, Json,
    LocalAddr, Path, Query, RawBody, Router, WouldAct, get, post, put, routes,
};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use serde::Deserialize;
use tower::ServiceExt;

async fn send(app: &axum::Router, request: Request) -> (StatusCode, String, http::HeaderMap) {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, String::from_utf8(body.to_vec()).unwrap(), parts.headers)
}

fn request(method: &str, path: &str) -> Request {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

/// Status and body of a GET.
async fn read(app: &axum::Router, path: &str) -> (u16, String) {
    let (status, body, _) = send(app, request("GET", path)).await;
    (status.as_u16(), body)
}

fn ok(body: &str) -> (u16, String) {
    (200, body.to_owned())
}
