//! How long a request holds a thread of the runtime.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use api::config::{Settings, SettingsArgs};
use api::{App, start};
use axum::body::{Body as HttpBody, to_bytes};
use axum::extract::Request;
use bytes::Bytes;
use clap::Parser;
use storage::Database;
use testbed::bodies::{Body, JSON};
use tower::Service;
use trials::{API, BoxError};

use crate::scenario::{Extent, Scenario};

/// The longest time for which a request may hold a thread of the runtime. Builds without optimisation take
/// many times as long.
const MAX_POLL: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 50 });

/// A poll during which something else had the processor is longer than it need be: the shortest of so
/// many attempts counts.
const ATTEMPTS: usize = 3;

/// How much of a body arrives at once, in bytes, as in the service.
const PIECE: usize = 64 * 1024;

const ANY_ID: &str = "/items/00000000-0000-4000-8000-000000000000";

/// Every operation that reads JSON.
const OF_JSON: [(&str, &str); 8] = [
    ("POST", "/users/signup"),
    ("POST", "/reset-password/"),
    ("POST", "/private/users/"),
    ("POST", "/users/"),
    ("PATCH", "/users/me"),
    ("PATCH", "/users/me/password"),
    ("POST", "/items/"),
    ("PUT", ANY_ID),
];

const OF_FORMS: [(&str, &str); 1] = [("POST", "/login/access-token")];

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    settings: SettingsArgs,
}

/// A future, with the longest time that one call of its `poll` took.
struct Timed<F> {
    inner: Pin<Box<F>>,
    longest: Duration,
}

impl<F: Future> Future for Timed<F> {
    type Output = (F::Output, Duration);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let start = Instant::now();
        let polled = self.inner.as_mut().poll(context);
        self.longest = self.longest.max(start.elapsed());
        polled.map(|output| (output, self.longest))
    }
}

/// Sends a request to the service and reads the answer. Gives its status, and the longest poll.
async fn send<S>(service: &S, request: Request) -> Result<(u16, Duration), BoxError>
where
    S: Service<Request, Response = axum::response::Response, Error = std::convert::Infallible>
        + Clone,
{
    let mut service = service.clone();
    let inner = Box::pin(async move {
        let answer = service.call(request).await.unwrap_or_else(|never| match never {});
        let status = answer.status().as_u16();
        to_bytes(answer.into_body(), usize::MAX).await.map(|_| status)
    });
    let (status, longest) = Timed { inner, longest: Duration::ZERO }.await;
    Ok((status?, longest))
}

fn request(
    (method, path): (&str, &str),
    token: &str,
    body: Option<&Body>,
) -> Result<Request, BoxError> {
    let request = axum::http::Request::builder().method(method).uri(format!("{API}{path}"));
    let request = request.header("host", "x").header("authorization", format!("Bearer {token}"));
    let Some(Body { content_type, bytes, .. }) = body else {
        return Ok(request.body(HttpBody::empty())?);
    };
    let request =
        request.header("content-type", *content_type).header("content-length", bytes.len());
    let pieces: Vec<_> = bytes.chunks(PIECE).map(Bytes::copy_from_slice).collect();
    let pieces = pieces.into_iter().map(Ok::<_, std::io::Error>);
    Ok(request.body(HttpBody::from_stream(futures_util::stream::iter(pieces)))?)
}

/// The service in this process, and a token of its superuser.
async fn in_this_process(folder: &std::path::Path) -> Result<(App, String), BoxError> {
    let url = format!("--database-url=sqlite:///{}/polls.db", folder.display());
    let settings = Settings::new(&Args::try_parse_from(["chaos", &url])?.settings)?;
    let database = Database::connect(&settings.database.url, None, settings.database.pool)?;
    database.migrate().await?;
    let (app, _outbox) = start::service(settings, database.into_storage())?;
    app.create_first_superuser().await?;
    let superuser = app.storage.user_by_email(&app.settings.auth.first_superuser).await?;
    let superuser = superuser.ok_or("there is no superuser")?;
    let token = app.tokens.access_token(superuser.id)?;
    Ok((app, token))
}

/// The worst bodies, to every operation that reads one: none holds a thread of the runtime for long, and
/// what others send is answered in between.
pub(crate) async fn held_workers(extent: Extent) -> Result<Scenario, BoxError> {
    let folder = tempfile::tempdir()?;
    let (app, token) = in_this_process(folder.path()).await?;
    let service = api::app(&app)?;
    let mut scenario = Scenario { name: "held-workers", ..Scenario::default() };
    let mut longest = (Duration::ZERO, String::new());
    let bodies = testbed::bodies::worst();
    for body in &bodies[..extent.pick(4, bodies.len())] {
        let operations = if body.content_type == JSON { &OF_JSON[..] } else { &OF_FORMS[..] };
        for operation in operations {
            let what = format!("{} to {} {}", body.name, operation.0, operation.1);
            let mut shortest = Duration::MAX;
            for _ in 0..ATTEMPTS {
                scenario.bad += 1;
                let (status, longest) =
                    send(&service, request(*operation, &token, Some(body))?).await?;
                scenario.server_errors += u64::from(status == 500);
                if status == 401 || status == 403 || status > 500 {
                    scenario.wrong.push(format!("{what}: {status}"));
                }
                shortest = shortest.min(longest);
                if shortest <= MAX_POLL / 2 {
                    break;
                }
            }
            if shortest > MAX_POLL {
                scenario.wrong.push(format!("{what} held a thread for {shortest:.0?}"));
            }
            longest = longest.max((shortest, what));
        }
        let ordinary = send(&service, request(("GET", "/users/me"), &token, None)?).await?;
        scenario.requests += 1;
        scenario.failed += u64::from(ordinary.0 != 200);
    }
    scenario.unaffected();
    let (took, what) = longest;
    scenario.seen = format!("a poll of {took:.1?} at most of {MAX_POLL:.0?}: {what}");
    Ok(scenario)
}
