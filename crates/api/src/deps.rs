//! Extractors of the caller and of the page of a list.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use domain::{Caller, ForCaller, Storage, User};
use fastapi_compat::openapi::OperationDocument;
use fastapi_compat::{Bearer, Decode, Dependency, Describe};
use http::request::Parts;
use uuid::Uuid;

use crate::emails::Collect;
use crate::{App, Error, telemetry};

/// An extension of requests that are rehearsed: where handlers store then, and what gets their e-mails.
#[derive(Clone)]
pub struct Rehearsal {
    pub storage: Arc<dyn Storage>,
    pub mails: Collect,
}

impl FromRequestParts<Self> for App {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Self) -> Result<Self, Infallible> {
        let rehearsal = parts.extensions.get::<Rehearsal>();
        Ok(rehearsal.map_or_else(
            || app.clone(),
            |on| app.rehearsing(Arc::clone(&on.storage), Arc::clone(&on.mails)),
        ))
    }
}

/// The id in the token of the request. The handler loads what the caller requests for them, and gets it
/// by [`ForCaller::authorized`].
#[derive(Clone, Copy)]
pub struct CallerId(pub Uuid);

impl FromRequestParts<App> for CallerId {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let token = Bearer::from_headers(&parts.headers).map_err(IntoResponse::into_response)?;
        let id = app.tokens.read_access_token(token);
        let id = id.ok_or_else(|| Error::InvalidCredentials.into_response())?;
        telemetry::identify(id, parts.extensions.get());
        Ok(Self(id))
    }
}

impl Describe for CallerId {
    fn describe(operation: &mut OperationDocument<'_>) {
        Bearer::describe(operation);
    }
}

impl Dependency<App> for CallerId {
    async fn complete(&self, app: &App) -> Result<(), Response> {
        current_user(app, *self).await.map(drop).map_err(IntoResponse::into_response)
    }
}

async fn current_user(app: &App, CallerId(id): CallerId) -> Result<User, Error> {
    let user = app.storage.user(id).await?.ok_or(Error::UserNotFound)?;
    Ok(ForCaller::new(Caller::from(&user), user).authorized()?)
}

/// The user whose token the request carries.
pub struct CurrentUser(pub User);

impl FromRequestParts<App> for CurrentUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let id = CallerId::from_request_parts(parts, app).await?;
        let Ok(app) = App::from_request_parts(parts, app).await;
        current_user(&app, id).await.map(Self).map_err(IntoResponse::into_response)
    }
}

impl Describe for CurrentUser {
    fn describe(operation: &mut OperationDocument<'_>) {
        CallerId::describe(operation);
    }
}

impl Dependency<App> for CurrentUser {}

/// The user whose token the request carries, who must be a superuser.
pub struct Superuser(pub User);

impl FromRequestParts<App> for Superuser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let CurrentUser(user) = CurrentUser::from_request_parts(parts, app).await?;
        if user.is_superuser { Ok(Self(user)) } else { Err(Error::NotSuperuser.into_response()) }
    }
}

impl Describe for Superuser {
    fn describe(operation: &mut OperationDocument<'_>) {
        CallerId::describe(operation);
    }
}

impl Dependency<App> for Superuser {}

/// `skip` and `limit` of a list.
#[derive(Decode)]
pub struct Page {
    #[schema(ge = 0, le = 9_223_372_036_854_775_807_i64, default = 0)]
    skip: i64,
    #[schema(ge = 0, le = 1000, default = 100)]
    limit: i64,
}

impl From<Page> for domain::Page {
    fn from(Page { skip, limit }: Page) -> Self {
        Self { skip, limit }
    }
}
