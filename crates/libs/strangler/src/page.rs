//! The page that shows and changes the migration, and the same as JSON. It loads nothing from
//! elsewhere.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use html_escape::encode_double_quoted_attribute as escape;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, ORIGIN,
    REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::Strangler;
use crate::plan::{Mode, Plan, PlanError};
use crate::statistics::{Figures, Seen, View};

const STYLE: &str = include_str!("page.css");
const PAGE: &str = "/_molt";

/// Everything that the page shows.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// The mode of operations that the plan does not list.
    pub default: Mode,
    /// Why the file of the plan cannot be read or written.
    pub error: Option<String>,
    /// The operations of the new service.
    pub operations: Vec<OperationView>,
    /// Requests to operations that the new service does not have.
    pub others: Figures,
}

/// An operation with its mode and statistics.
#[derive(Debug, Serialize)]
pub struct OperationView {
    /// The operationId.
    pub id: String,
    /// The HTTP method.
    pub method: String,
    /// The path template.
    pub path: String,
    /// The mode of the plan.
    pub mode: Mode,
    /// Why its canary failed, if it did: legacy responds until the mode is set again.
    pub fallback: Option<String>,
    /// What was observed on both sides.
    #[serde(flatten)]
    pub statistics: View,
}

impl Strangler {
    /// A snapshot of the plan and of all statistics.
    pub fn overview(&self) -> Overview {
        let state = self.read();
        let operations = self.0.operations.iter().zip(&state.operations).zip(&self.0.statistics);
        let operations = operations.map(|((operation, running), statistics)| OperationView {
            id: operation.id.to_string(),
            method: operation.method.to_string(),
            path: operation.path.to_string(),
            mode: running.mode,
            fallback: running.fallback.clone(),
            statistics: statistics.view(),
        });
        Overview {
            default: state.plan.default,
            error: state.error.clone(),
            operations: operations.collect(),
            others: self.0.others.view().legacy,
        }
    }
}

pub(crate) fn router(strangler: Strangler, password: String) -> Router {
    let guard = Arc::new(Guard { password, guesses: Semaphore::new(1) });
    let check = move |request: Request, next: Next| {
        let guard = Arc::clone(&guard);
        let (method, headers) = (request.method().clone(), request.headers().clone());
        async move {
            let mut response = match guard.refuse(&method, &headers).await {
                Some(refusal) => refusal,
                None => next.run(request).await,
            };
            for (name, value) in HEADERS {
                response.headers_mut().insert(name, value);
            }
            response
        }
    };
    Router::new()
        .route(PAGE, get(show))
        .route("/_molt/state", get(state))
        .route("/_molt/plan", get(read_plan).put(write_plan))
        .route("/_molt/mode", post(set_mode))
        .layer(from_fn(check))
        .with_state(strangler)
}

/// Of each page: it is not framed, cached, or sniffed.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
        ),
    ),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// How long a wrong password takes; one at a time is tried.
const GUESS: Duration = Duration::from_millis(500);

/// Who may use the pages.
struct Guard {
    password: String,
    /// The permit to wait with a wrong password.
    guesses: Semaphore,
}

impl Guard {
    /// Authenticates with Bearer (programs) or Basic (browsers) and the same password; the user name
    /// is ignored. Requests that a page of another site may have made are refused, as browsers send
    /// the password with them.
    async fn refuse(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        let unauthorized = || {
            let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"molt\", charset=\"UTF-8\"")];
            let text = "The password of the strangler is required.\n";
            (StatusCode::UNAUTHORIZED, challenge, text).into_response()
        };
        if !headers.contains_key(AUTHORIZATION) {
            return Some(unauthorized());
        }
        if !is_authenticated(headers, &self.password) {
            tracing::warn!("wrong password of the strangler's page");
            let Ok(_permit) = self.guesses.try_acquire() else {
                return Some((StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response());
            };
            tokio::time::sleep(GUESS).await;
            return Some(unauthorized());
        }
        let is_refused = !method.is_safe() && !is_own(headers);
        is_refused.then(|| {
            let text = "Send it from the strangler's page, or with a Bearer token.\n";
            (StatusCode::FORBIDDEN, text).into_response()
        })
    }
}

/// Whether no page of another site can have made a request: browsers say where it comes from, and
/// send no Bearer token by themselves.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let is_bearer = text(AUTHORIZATION).is_some_and(|value| {
        value.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
    });
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    if is_bearer {
        return true;
    }
    let origin = text(ORIGIN).and_then(|origin| Some(origin.split_once("://")?.1));
    origin.is_some_and(|origin| text(HOST).is_some_and(|host| host.eq_ignore_ascii_case(origin)))
}

fn is_authenticated(headers: &HeaderMap, password: &str) -> bool {
    let given = || {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, credentials) = value.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(credentials.to_owned());
        }
        let decoded = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (_, password) = decoded.split_once(':')?;
        scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
    };
    given().is_some_and(|given| given.as_bytes().ct_eq(password.as_bytes()).into())
}

async fn state(State(strangler): State<Strangler>) -> Response {
    match serde_json::to_vec(&strangler.overview()) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn read_plan(State(strangler): State<Strangler>) -> Response {
    ([(CONTENT_TYPE, "application/yaml")], strangler.read().plan.text()).into_response()
}

async fn write_plan(State(strangler): State<Strangler>, text: String) -> Response {
    let changed =
        Plan::parse(&text, &strangler.0.operations).and_then(|plan| strangler.change(plan));
    match changed {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error @ PlanError::Conflict) => {
            (StatusCode::CONFLICT, format!("{error}\n")).into_response()
        }
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")).into_response(),
    }
}

#[derive(Deserialize)]
struct NewMode {
    operation: String,
    mode: String,
    /// Of a canary.
    percent: Option<String>,
}

/// Handles a button of the page.
async fn set_mode(State(strangler): State<Strangler>, Form(new): Form<NewMode>) -> Response {
    let text = match (new.mode.as_str(), new.percent) {
        ("canary", Some(percent)) => format!("canary {percent}%"),
        (mode, _) => mode.to_owned(),
    };
    let changed = text.parse::<Mode>().map_err(|error| error.to_string()).and_then(|mode| {
        strangler.set_mode(&new.operation, mode).map_err(|error| error.to_string())
    });
    match changed {
        Ok(()) => Redirect::to(&format!("{PAGE}#{}", escape(&new.operation))).into_response(),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error).into_response(),
    }
}

async fn show(State(strangler): State<Strangler>) -> Html<String> {
    let mut out = String::new();
    // Writing to a String does not fail.
    _ = write_page(&mut out, &strangler.overview());
    Html(out)
}

fn write_page(out: &mut String, overview: &Overview) -> std::fmt::Result {
    let operations = &overview.operations;
    let native = operations.iter().filter(|operation| operation.mode == Mode::Native).count();
    let mismatches: u64 = operations.iter().map(|operation| operation.statistics.mismatches).sum();
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{native} of {} moved</title>\n<style>\n{STYLE}</style>\n<header>\n\
         <h1>{native} of {} operations moved</h1>\n\
         <progress max=\"{}\" value=\"{native}\">{native}</progress>\n\
         <p>{} differences in shadowed answers. What is not listed goes to legacy: {} requests so \
         far. <a href=\"{PAGE}\">Refresh</a></p>\n</header>\n",
        operations.len(),
        operations.len(),
        operations.len(),
        if mismatches == 0 { "No".to_owned() } else { mismatches.to_string() },
        overview.others.requests,
    )?;
    if let Some(error) = &overview.error {
        writeln!(out, "<p class=\"error\" role=\"alert\">{}</p>", escape(error))?;
    }
    out.push_str(
        "<table>\n<thead><tr><th scope=\"col\">operation</th><th scope=\"col\">mode</th>\
         <th scope=\"col\">legacy<br><small>requests, p50 / p90 / p99 ms</small></th>\
         <th scope=\"col\">Rust<br><small>requests, p50 / p90 / p99 ms</small></th>\
         <th scope=\"col\">same</th></tr></thead>\n<tbody>\n",
    );
    for operation in operations {
        row(out, operation)?;
    }
    out.push_str("</tbody>\n</table>\n");
    Ok(())
}

fn row(out: &mut String, operation: &OperationView) -> std::fmt::Result {
    let OperationView { id, method, path, mode, fallback, statistics } = operation;
    let name = format!("{method} {path}");
    let (id, name) = (escape(id), escape(&name));
    write!(
        out,
        "<tr id=\"{id}\"><th scope=\"row\"><strong>{name}</strong><br><small>{id}</small></th>\n\
         <td data-label=\"mode\">"
    )?;
    modes(out, &id, *mode)?;
    if let Some(reason) = fallback {
        write!(
            out,
            "<p class=\"error\" role=\"alert\">The canary failed, legacy responds: {}. Choose a mode to \
             try again.</p>",
            escape(reason)
        )?;
    }
    out.push_str("</td>\n");
    for (side, figures) in [("legacy", &statistics.legacy), ("Rust", &statistics.native)] {
        write!(out, "<td class=\"figures\" data-label=\"{side}\">{}", figures.requests)?;
        if figures.errors > 0 {
            write!(out, ", <b class=\"bad\">{} errors</b>", figures.errors)?;
        }
        if let (Some(p50), Some(p90), Some(p99)) = (figures.p50, figures.p90, figures.p99) {
            write!(out, "<br>{} / {} / {}", ms(p50), ms(p90), ms(p99))?;
        }
        out.push_str("</td>\n");
    }
    out.push_str("<td data-label=\"same\">");
    comparisons(out, statistics)?;
    out.push_str("</td></tr>\n");
    Ok(())
}

fn modes(out: &mut String, id: &str, mode: Mode) -> std::fmt::Result {
    write!(
        out,
        "<form method=\"post\" action=\"/_molt/mode\"><input type=\"hidden\" name=\"operation\" \
         value=\"{id}\">"
    )?;
    let percent = if let Mode::Canary(percent) = mode { percent } else { 10 };
    for name in ["legacy", "shadow", "canary", "native"] {
        let is_current = mode.to_string().split(' ').next() == Some(name);
        let current = if is_current { " aria-current=\"true\"" } else { "" };
        write!(out, "<button name=\"mode\" value=\"{name}\"{current}>{name}</button>")?;
        if name == "canary" {
            write!(
                out,
                "<label><input name=\"percent\" type=\"number\" min=\"0\" max=\"100\" \
                 value=\"{percent}\" aria-label=\"percent of clients for the canary of {id}\">%</label>"
            )?;
        }
    }
    out.push_str("</form>");
    Ok(())
}

fn comparisons(out: &mut String, statistics: &View) -> std::fmt::Result {
    let View { matches, mismatches, noise, accepted, uncompared, dropped, .. } = statistics;
    let last_differences = &statistics.last_differences;
    let compared = matches + mismatches;
    if let Some(tenths) = (matches * 1000).checked_div(compared) {
        let class = if *mismatches == 0 { "good" } else { "bad" };
        write!(out, "<b class=\"{class}\">{}.{} %</b> of {compared}", tenths / 10, tenths % 10)?;
    }
    let counts = [
        ("accepted by both, only refusals compared", accepted),
        ("changed meanwhile", noise),
        ("not comparable", uncompared),
        ("dropped", dropped),
    ];
    for (what, count) in counts.into_iter().filter(|(_, count)| **count > 0) {
        write!(out, "<br><small>{count} {what}</small>")?;
    }
    let rehearsals = &statistics.rehearsals;
    if let Some(p50) = rehearsals.p50 {
        let (count, p50) = (rehearsals.requests, ms(p50));
        write!(
            out,
            "<br><small>{count} rehearsed, for which clients waited {p50} ms (p50)</small>"
        )?;
    }
    if last_differences.is_empty() {
        return Ok(());
    }
    write!(out, "<details><summary>last differences</summary>")?;
    for Seen { request, differences } in last_differences.iter().rev() {
        write!(out, "<p><code>{}</code></p><dl>", escape(request))?;
        for difference in differences {
            let [path, legacy, native] =
                [&difference.path, &difference.reference, &difference.candidate].map(|t| escape(t));
            write!(out, "<dt>{path}</dt><dd><del>{legacy}</del></dd><dd><ins>{native}</ins></dd>")?;
        }
        out.push_str("</dl>");
    }
    out.push_str("</details>");
    Ok(())
}

fn ms(seconds: f64) -> String {
    let ms = seconds * 1000.0;
    if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
}
