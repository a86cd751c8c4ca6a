//! Who calls: the twins of `python-legacy/app/deps.py`.

use axum::extract::FromRequestParts;
use domain::User;
use fastapi_compat::{Bearer, Decode};
use http::request::Parts;
use utoipa::IntoParams;

use axum::response::{IntoResponse, Response};

use crate::{App, Error};

impl FromRequestParts<Self> for App {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(_: &mut Parts, app: &Self) -> Result<Self, Self::Rejection> {
        Ok(app.clone())
    }
}

/// The user whose token the request carries.
pub struct CurrentUser(pub User);

impl FromRequestParts<App> for CurrentUser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let token = Bearer::from_headers(&parts.headers).map_err(IntoResponse::into_response)?;
        current_user(app, token).await.map(Self).map_err(IntoResponse::into_response)
    }
}

async fn current_user(app: &App, token: &str) -> Result<User, Error> {
    let id = app.tokens.read_access_token(token).ok_or(Error::InvalidCredentials)?;
    let user = app.storage.user(id).await?.ok_or(Error::UserNotFound)?;
    if user.is_active { Ok(user) } else { Err(Error::InactiveUser) }
}

/// The user whose token the request carries, who must be a superuser.
pub struct Superuser(pub User);

impl FromRequestParts<App> for Superuser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let CurrentUser(user) = CurrentUser::from_request_parts(parts, app).await?;
        if user.is_superuser { Ok(Self(user)) } else { Err(Error::NotSuperuser.into_response()) }
    }
}

/// Which part of a list.
#[derive(Decode, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    #[param(minimum = 0, maximum = 9_223_372_036_854_775_807_i64, default = 0)]
    skip: i64,
    #[param(minimum = 0, maximum = 1000, default = 100)]
    limit: i64,
}

impl From<Page> for domain::Page {
    fn from(Page { skip, limit }: Page) -> Self {
        Self { skip, limit }
    }
}
