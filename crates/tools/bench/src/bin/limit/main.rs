//! The limit: five operations of the service on bare hyper and pipelined tokio-postgres, with no
//! framework and no pool. What is faster than this is not a matter of the service's code any more.
//!
//! It does the service's work: the token, the caller and their rights, the same statements, the same
//! header fields and bodies, a line of the log and the metrics. What it leaves out is what the service
//! has beyond that: validation with FastAPI's errors, timeouts, budgets of memory, admission, CORS beyond `Vary`,
//! requests that outlive their clients.

mod database;
mod log;
mod wire;

use std::convert::Infallible;
use std::error::Error;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, SubsecRound, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use sha2::Sha256;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::database::Connection;
use crate::log::{Answered, Log, Operation};
use crate::wire::{Description, ItemCreate, ItemPublic, ItemUpdate, UserPublic};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

type Parameters<'a, const N: usize> = [&'a (dyn ToSql + Sync); N];

const CONNECTIONS: usize = 8;

/// The longest body, in bytes.
const BODY_LIMIT: u64 = 2 * 1024 * 1024;

/// The longest part of a token, in bytes.
const PART: usize = 512;

/// What `SECURITY_HEADERS` adds, and CORS.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::VARY, HeaderValue::from_static("Origin")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")),
];

struct Limit {
    connections: Vec<Connection>,
    next: AtomicUsize,
    key: Hmac<Sha256>,
    log: Log,
}

/// What the log says of a request.
struct Known {
    operation: Operation,
    user: Option<Uuid>,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, serve())
}

async fn serve() -> Result<()> {
    let url = std::env::var("DATABASE_URL")?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(&url).await?);
    }
    let key = Hmac::new_from_slice(std::env::var("SECRET_KEY")?.as_bytes())?;
    let (next, log) = (AtomicUsize::new(0), Log::default());
    let limit = Rc::new(Limit { connections, next, key, log });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("Limit listens on http://{} ", listener.local_addr()?);
    let logging = Rc::clone(&limit);
    tokio::task::spawn_local(async move {
        loop {
            tokio::time::sleep(log::PAUSE).await;
            logging.log.flush();
        }
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let limit = Rc::clone(&limit);
        let service = service_fn(move |request| {
            let limit = Rc::clone(&limit);
            async move { Ok::<_, Infallible>(limit.answer(request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new();
        tokio::task::spawn_local(connection.serve_connection(TokioIo::new(stream), service));
    }
}

impl Limit {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let start = Instant::now();
        let request_id = self.log.request_id();
        let method = request.method().clone();
        let mut known = Known { operation: Operation::None, user: None };
        let mut body = Vec::with_capacity(256);
        let written = self.write(request, &mut body, &mut known).await;
        let status = if written.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.reserve(HEADERS.len() + 4);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(HEADERS);
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        let Known { operation, user } = known;
        let (status, took) = (status.as_u16(), start.elapsed());
        let answered = Answered { method, operation, user, status, took };
        self.log.answered(now(), &request_id, &answered);
        response
    }

    async fn write(
        &self,
        request: Request<Incoming>,
        out: &mut Vec<u8>,
        known: &mut Known,
    ) -> Option<()> {
        let Some(path) = request.uri().path().strip_prefix("/api/v1/") else {
            (request.uri().path() == "/metrics").then_some(())?;
            out.extend_from_slice(self.log.metrics().as_bytes());
            return Some(());
        };
        if path == "utils/health-check/" {
            known.operation = Operation::HealthCheck;
            out.extend_from_slice(b"true");
            return Some(());
        }
        let caller = self.caller(request.headers())?;
        known.user = Some(caller);
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = &self.connections[next % CONNECTIONS];
        match (request.method(), path.strip_prefix("items/")) {
            (&Method::GET, Some("")) => {
                known.operation = Operation::ReadItems;
                let limit = request.uri().query()?.strip_prefix("limit=")?.parse::<i64>().ok()?;
                list(connection, caller, limit, out).await
            }
            (&Method::GET, Some(id)) => {
                known.operation = Operation::ReadItem;
                let id = Uuid::try_parse(id).ok()?;
                let values: Parameters<'_, 2> = [&caller, &id];
                let row = connection.client.query_one(&connection.item, &values).await.ok()?;
                json(out, &accessible(&row, caller)?)
            }
            (&Method::POST, Some("")) => {
                known.operation = Operation::CreateItem;
                let body = body(request).await?;
                create(connection, caller, &body, out).await
            }
            (&Method::PUT, Some(id)) => {
                known.operation = Operation::UpdateItem;
                let id = Uuid::try_parse(id).ok()?;
                let body = body(request).await?;
                update(connection, caller, id, &body, out).await
            }
            (&Method::POST, None) if path == "login/test-token" => {
                known.operation = Operation::TestToken;
                let row = connection.client.query_one(&connection.user, &[&caller]).await.ok()?;
                json(out, &UserPublic::of(&row)?)
            }
            _ => None,
        }
    }

    fn caller(&self, headers: &http::HeaderMap) -> Option<Uuid> {
        #[derive(Deserialize)]
        struct Header<'a> {
            alg: &'a str,
        }
        #[derive(Deserialize)]
        struct Claims {
            exp: i64,
            sub: Uuid,
        }
        let token = headers.get(header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")?;
        let dot = token.iter().rposition(|&byte| byte == b'.')?;
        let (signed, signature) = (token.get(..dot)?, token.get(dot + 1..)?);
        let mut parts = signed.split(|&byte| byte == b'.');
        let (mut header, mut claims, mut tag) = ([0; PART], [0; PART], [0; PART]);
        let tag = decode(signature, &mut tag)?;
        self.key.clone().chain_update(signed).verify_slice(tag).ok()?;
        let header: Header<'_> =
            serde_json::from_slice(decode(parts.next()?, &mut header)?).ok()?;
        let claims: Claims = serde_json::from_slice(decode(parts.next()?, &mut claims)?).ok()?;
        (header.alg == "HS256" && claims.exp > now().timestamp()).then_some(claims.sub)
    }
}

fn decode<'a>(text: &[u8], out: &'a mut [u8; PART]) -> Option<&'a [u8]> {
    let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text, out).ok()?;
    out.get(..length)
}

async fn body(request: Request<Incoming>) -> Option<Bytes> {
    let body = request.into_body();
    (body.size_hint().upper()? <= BODY_LIMIT).then_some(())?;
    Some(body.collect().await.ok()?.to_bytes())
}

async fn list(connection: &Connection, caller: Uuid, limit: i64, out: &mut Vec<u8>) -> Option<()> {
    let client = &connection.client;
    let (whose, page): (Parameters<'_, 1>, Parameters<'_, 3>) =
        ([&caller], [&caller, &0_i64, &limit]);
    // Both in one round trip; a superuser takes another.
    let (user, mut rows) = futures_util::try_join!(
        client.query_one(&connection.caller, &whose),
        client.query(&connection.own_items, &page),
    )
    .ok()?;
    user.get::<_, bool>(1).then_some(())?;
    if user.get(2) {
        rows = client.query(&connection.all_items, &page).await.ok()?;
    }
    out.reserve(256 * rows.len());
    out.extend_from_slice(br#"{"data":["#);
    for (n, item) in rows.iter().filter_map(|row| ItemPublic::of(row, 1)).enumerate() {
        if n > 0 {
            out.push(b',');
        }
        json(out, &item)?;
    }
    out.extend_from_slice(br#"],"count":"#);
    json(out, &rows.first()?.get::<_, i64>(0))?;
    out.push(b'}');
    Some(())
}

async fn create(
    connection: &Connection,
    caller: Uuid,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Option<()> {
    let new: ItemCreate<'_> = serde_json::from_slice(body).ok()?;
    new.is_valid().then_some(())?;
    let (id, now) = (Uuid::new_v4(), now());
    let values: Parameters<'_, 5> = [&id, &new.title, &new.description, &caller, &now];
    let row = connection.client.query_one(&connection.create, &values).await.ok()?;
    row.get::<_, bool>(1).then_some(())?;
    let ItemCreate { title, description } = new;
    json(out, &ItemPublic { title, description, id, owner_id: caller, created_at: Some(now) })
}

async fn update(
    connection: &Connection,
    caller: Uuid,
    id: Uuid,
    body: &[u8],
    out: &mut Vec<u8>,
) -> Option<()> {
    let update: ItemUpdate<'_> = serde_json::from_slice(body).ok()?;
    update.is_valid().then_some(())?;
    let row = connection.client.query_one(&connection.item, &[&caller, &id]).await.ok()?;
    accessible(&row, caller)?;
    let (is_given, description) = match update.description {
        Description::Unchanged => (false, None),
        Description::Is(description) => (true, description),
    };
    let values: Parameters<'_, 4> = [&id, &update.title, &is_given, &description];
    let row = connection.client.query_one(&connection.update, &values).await.ok()?;
    json(out, &ItemPublic::of(&row, 0)?)
}

/// The item of a row that begins with the caller; none if they may not see it.
fn accessible(row: &tokio_postgres::Row, caller: Uuid) -> Option<ItemPublic<'_>> {
    let (is_active, is_superuser): (bool, bool) = (row.get(1), row.get(2));
    let item = ItemPublic::of(row, 3)?;
    (is_active && (is_superuser || item.owner_id == caller)).then_some(item)
}

fn json(out: &mut Vec<u8>, value: &impl serde::Serialize) -> Option<()> {
    serde_json::to_writer(out, value).ok()
}

fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "the limit does without the domain")]
    Utc::now().trunc_subsecs(6)
}
