use axum::response::{IntoResponse, Response};
use fastapi_compat::{Call, Decode, EmailStr, Json, Query, Router};
use http::StatusCode;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::Message;
use crate::deps::Superuser;
use crate::{App, Result};

pub(super) fn router() -> Router<App> {
    Router::new().routes(routes!(test_email)).routes(routes!(health_check)).prefix("/utils")
}

#[derive(Decode, IntoParams)]
#[into_params(parameter_in = Query)]
struct TestEmail {
    #[param(value_type = String, format = Email)]
    email_to: EmailStr,
}

/// Send a test e-mail.
#[utoipa::path(
    post, path = "/test-email/", tag = "utils",
    params(TestEmail),
    responses((status = 201, body = Message)),
    security(("OAuth2PasswordBearer" = [])),
)]
async fn test_email(
    app: App,
    Call(Superuser(_), Query(TestEmail { email_to })): Call<Superuser, Query<TestEmail>>,
) -> Result<Response> {
    let message = app.mailer.test_email(email_to.as_str())?;
    app.mailer.send(email_to.into_string(), message);
    Ok((StatusCode::CREATED, Message::new("Test email sent")).into_response())
}

/// Tell that the service is up.
#[utoipa::path(
    get, path = "/health-check/", tag = "utils",
    responses((status = 200, body = bool)),
)]
async fn health_check() -> Json<bool> {
    Json(true)
}
