//! The page that shows and changes the migration, and the same as JSON. It loads nothing from
//! elsewhere.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use html_escape::encode_double_quoted_attribute as escape;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::Strangler;
use crate::plan::{Mode, Plan};
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
    let password: Arc<str> = password.into();
    let guard = move |request: Request, next: Next| {
        let refusal = refuse(&request, &password);
        async move {
            match refusal {
                Some(refusal) => refusal,
                None => next.run(request).await,
            }
        }
    };
    Router::new()
        .route(PAGE, get(show))
        .route("/_molt/state", get(state))
        .route("/_molt/plan", get(read_plan).put(write_plan))
        .route("/_molt/mode", post(set_mode))
        .layer(from_fn(guard))
        .with_state(strangler)
}

/// Authenticates with Bearer (programs) or Basic (browsers) and the same password; the user name is
/// ignored. Requests from pages of other sites are refused, as browsers send the password with them.
fn refuse(request: &Request, password: &str) -> Option<Response> {
    if !is_authenticated(request.headers(), password) {
        let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"molt\", charset=\"UTF-8\"")];
        return Some(
            (StatusCode::UNAUTHORIZED, challenge, "The password of the strangler is required.\n")
                .into_response(),
        );
    }
    let site = request.headers().get("sec-fetch-site").map(http::HeaderValue::as_bytes);
    let foreign = site.is_some_and(|site| site != b"same-origin" && site != b"none");
    (foreign && request.method() != Method::GET).then(|| StatusCode::FORBIDDEN.into_response())
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
    let View { matches, mismatches, noise, uncompared, dropped, last_differences, .. } = statistics;
    let compared = matches + mismatches;
    if let Some(tenths) = (matches * 1000).checked_div(compared) {
        let class = if *mismatches == 0 { "good" } else { "bad" };
        write!(out, "<b class=\"{class}\">{}.{} %</b> of {compared}", tenths / 10, tenths % 10)?;
    }
    let counts =
        [("changed meanwhile", noise), ("not comparable", uncompared), ("dropped", dropped)];
    for (what, count) in counts.into_iter().filter(|(_, count)| **count > 0) {
        write!(out, "<br><small>{count} {what}</small>")?;
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
