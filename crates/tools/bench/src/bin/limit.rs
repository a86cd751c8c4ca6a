//! The limit: three operations of the service on bare hyper and pipelined tokio-postgres, with no
//! framework, no pool and no validation beyond what their valid requests need. What is faster than
//! this is not a matter of the service's code any more.

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, SubsecRound, Utc};
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use sha2::Sha256;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};
use uuid::Uuid;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

type Parameters<'a, const N: usize> = [&'a (dyn ToSql + Sync); N];

const CONNECTIONS: usize = 8;

struct Connection {
    client: Client,
    item: Statement,
    user: Statement,
    count: Statement,
    list: Statement,
    create: Statement,
}

struct Limit {
    connections: Vec<Connection>,
    next: AtomicUsize,
    key: Hmac<Sha256>,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, serve())
}

async fn serve() -> Result<()> {
    let url = std::env::var("DATABASE_URL")?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::task::spawn_local(connection);
        connections.push(Connection {
            item: client
                .prepare(
                    r#"SELECT is_active, is_superuser, item.id, title, description, owner_id,
                    item.created_at FROM "user" AS caller LEFT JOIN item ON item.id = $2
                    WHERE caller.id = $1"#,
                )
                .await?,
            user: client.prepare(r#"SELECT is_active FROM "user" WHERE id = $1"#).await?,
            count: client.prepare("SELECT count(*) FROM item WHERE owner_id = $1").await?,
            list: client
                .prepare(
                    "SELECT id, title, description, owner_id, created_at FROM item
                    WHERE owner_id = $1 ORDER BY created_at DESC, id OFFSET 0 LIMIT $2",
                )
                .await?,
            create: client
                .prepare(
                    r#"WITH caller AS (SELECT id, is_active FROM "user" WHERE id = $4),
                    created AS (INSERT INTO item (id, title, description, owner_id, created_at)
                    SELECT $1, $2, $3, id, $5 FROM caller WHERE is_active)
                    SELECT is_active FROM caller"#,
                )
                .await?,
            client,
        });
    }
    let key = Hmac::new_from_slice(std::env::var("SECRET_KEY")?.as_bytes())?;
    let limit = Rc::new(Limit { connections, next: AtomicUsize::new(0), key });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("Limit listens on http://{} ", listener.local_addr()?);
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
        let mut body = String::new();
        let mut response = Response::new(Full::default());
        if self.write(request, &mut body).await.is_none() {
            *response.status_mut() = http::StatusCode::NOT_FOUND;
        }
        let json = http::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        *response.body_mut() = Full::from(body);
        response
    }

    async fn write(&self, request: Request<Incoming>, out: &mut String) -> Option<()> {
        let path = request.uri().path().strip_prefix("/api/v1/")?;
        if path == "utils/health-check/" {
            out.push_str("true");
            return Some(());
        }
        let caller = self.caller(request.headers())?;
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = &self.connections[next % CONNECTIONS];
        let client = &connection.client;
        match (request.method(), path.strip_prefix("items/")?) {
            (&Method::GET, "") => {
                let limit = request.uri().query()?.strip_prefix("limit=")?.parse::<i64>().ok()?;
                // All three in one round trip.
                let (whose, page): (Parameters<1>, Parameters<2>) = ([&caller], [&caller, &limit]);
                let (user, count, items) = futures_util::try_join!(
                    client.query_one(&connection.user, &whose),
                    client.query_one(&connection.count, &whose),
                    client.query(&connection.list, &page),
                )
                .ok()?;
                user.get::<_, bool>(0).then_some(())?;
                out.push_str(r#"{"data":["#);
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    write_row(out, item, 0)?;
                }
                write!(out, r#"],"count":{}}}"#, count.get::<_, i64>(0)).ok()
            }
            (&Method::GET, id) => {
                let id = Uuid::parse_str(id).ok()?;
                let row = client.query_one(&connection.item, &[&caller, &id]).await.ok()?;
                let owner: Option<Uuid> = row.get(5);
                (row.get(0) && (row.get(1) || owner? == caller)).then_some(())?;
                write_row(out, &row, 2)
            }
            (&Method::POST, "") => {
                let body = request.into_body().collect().await.ok()?.to_bytes();
                let new: ItemCreate = serde_json::from_slice(&body).ok()?;
                let (id, now) = (Uuid::new_v4(), now());
                let row = client
                    .query_one(
                        &connection.create,
                        &[&id, &new.title, &new.description, &caller, &now],
                    )
                    .await
                    .ok()?;
                row.get::<_, bool>(0).then_some(())?;
                write_item(out, new.title, new.description, id, caller, now)
            }
            _ => None,
        }
    }

    fn caller(&self, headers: &http::HeaderMap) -> Option<Uuid> {
        #[derive(Deserialize)]
        struct Claims {
            exp: i64,
            sub: Uuid,
        }
        let token = headers.get(header::AUTHORIZATION)?.as_bytes().strip_prefix(b"Bearer ")?;
        let dot = token.iter().rposition(|&byte| byte == b'.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(&token[dot + 1..]).ok()?;
        self.key.clone().chain_update(&token[..dot]).verify_slice(&signature).ok()?;
        let claims = token[..dot].split(|&byte| byte == b'.').nth(1)?;
        let claims: Claims =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        (claims.exp > now().timestamp()).then_some(claims.sub)
    }
}

#[derive(Deserialize)]
struct ItemCreate<'a> {
    #[serde(borrow)]
    title: &'a str,
    description: Option<&'a str>,
}

fn write_row(out: &mut String, row: &Row, first: usize) -> Option<()> {
    write_item(
        out,
        row.get(first + 1),
        row.get(first + 2),
        row.get(first),
        row.get(first + 3),
        row.get(first + 4),
    )
}

fn write_item(
    out: &mut String,
    title: &str,
    description: Option<&str>,
    id: Uuid,
    owner: Uuid,
    created_at: DateTime<Utc>,
) -> Option<()> {
    let title = serde_json::to_string(title).ok()?;
    let description = serde_json::to_string(&description).ok()?;
    write!(
        out,
        r#"{{"title":{title},"description":{description},"id":"{id}","owner_id":"{owner}","created_at":"{}"}}"#,
        created_at.format("%Y-%m-%dT%H:%M:%S%.6fZ")
    )
    .ok()
}

fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "the limit does without the domain")]
    Utc::now().trunc_subsecs(6)
}
