//! The page that shows and changes the migration, and the same as JSON. It loads nothing from
//! elsewhere.

mod guard;
mod html;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use html_escape::encode_double_quoted_attribute as escape;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};

use crate::next::Baseline;
use crate::page::guard::{Guard, HEADERS, Token};
use crate::page::html::PAGE;
use crate::plan::{Mode, Plan, PlanError};
use crate::strangler::Strangler;

#[derive(Clone)]
struct Pages {
    strangler: Strangler,
    token: Token,
}

impl Strangler {
    /// The routes `/_molt…` with the page, the plan and the statistics, which require the password.
    pub fn page(&self, password: String) -> axum::Router {
        router(self.clone(), password)
    }
}

fn router(strangler: Strangler, password: String) -> Router {
    let token = Token::of(&password);
    let (trust, events) = (&strangler.0.settings.trust, &strangler.0.events);
    let guard = Guard::new(password, token.clone(), Arc::clone(trust), Arc::clone(events));
    let guard = Arc::new(guard);
    let check = move |request: Request, next: Next| {
        let guard = Arc::clone(&guard);
        async move {
            let mut response = match guard.check(request).await {
                Ok(request) => next.run(request).await,
                Err(refusal) => refusal,
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
        .route("/_molt/next", get(next))
        .route("/_molt/baseline", get(baseline))
        .route("/_molt/gain", post(gain))
        .route("/_molt/plan", get(read_plan).put(write_plan))
        .route("/_molt/mode", post(set_mode))
        .route("/_molt/may-differ", post(let_differ))
        .layer(from_fn(check))
        .with_state(Pages { strangler, token })
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn state(State(pages): State<Pages>) -> Response {
    json(&pages.strangler.overview())
}

async fn next(State(pages): State<Pages>) -> Response {
    json(&pages.strangler.candidates())
}

async fn baseline(State(pages): State<Pages>) -> Response {
    json(&pages.strangler.baseline())
}

async fn gain(State(pages): State<Pages>, text: String) -> Response {
    match serde_json::from_str::<Baseline>(&text) {
        Ok(baseline) => json(&pages.strangler.gains(&baseline)),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")).into_response(),
    }
}

async fn read_plan(State(pages): State<Pages>) -> Response {
    ([(CONTENT_TYPE, "application/yaml")], pages.strangler.read().plan.text()).into_response()
}

/// Changes the plan, which waits for others and writes a file.
async fn change(
    pages: Pages,
    change: impl FnOnce(&Strangler) -> Result<(), PlanError> + Send + 'static,
) -> Result<(), Response> {
    let changed = tokio::task::spawn_blocking(move || change(&pages.strangler)).await;
    let refused = |status: StatusCode, text: String| (status, text + "\n").into_response();
    match changed {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error @ PlanError::Conflict)) => {
            Err(refused(StatusCode::CONFLICT, error.to_string()))
        }
        Ok(Err(error)) => Err(refused(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())),
        Err(error) => Err(refused(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

async fn write_plan(State(pages): State<Pages>, text: String) -> Result<StatusCode, Response> {
    let write =
        move |strangler: &Strangler| strangler.change(Plan::parse(&text, &strangler.0.operations)?);
    change(pages, write).await.map(|()| StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct NewMode {
    operation: String,
    mode: String,
    /// Of a canary.
    percent: Option<String>,
}

/// Handles a button of the page.
async fn set_mode(
    State(pages): State<Pages>,
    Form(new): Form<NewMode>,
) -> Result<Redirect, Response> {
    let text = match (new.mode.as_str(), new.percent) {
        ("canary", Some(percent)) => format!("canary {percent}%"),
        ("automatic", _) => Mode::Automatic.to_string(),
        (mode, _) => mode.to_owned(),
    };
    let mode: Mode = text.parse().map_err(|error: crate::plan::ModeError| {
        (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n")).into_response()
    })?;
    let page = format!("{PAGE}#{}", escape(&new.operation));
    change(pages, move |strangler| strangler.set_mode(&new.operation, mode)).await?;
    Ok(Redirect::to(&page))
}

#[derive(Deserialize)]
struct MayDiffer {
    /// Forms of pages that were loaded before an update have its earlier name.
    #[serde(alias = "place")]
    path: String,
}

/// Handles the button of a suggestion.
async fn let_differ(
    State(pages): State<Pages>,
    Form(MayDiffer { path }): Form<MayDiffer>,
) -> Result<Redirect, Response> {
    change(pages, move |strangler| strangler.let_differ(&path)).await?;
    Ok(Redirect::to(PAGE))
}

async fn show(State(pages): State<Pages>) -> Html<String> {
    Html(html::page(&pages.strangler.overview(), &pages.token))
}
