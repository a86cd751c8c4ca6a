use fastapi_compat::{Call, Decode, EmailStr, Json, Query, Router, get, post, routes};

use super::Message;
use crate::deps::Superuser;
use crate::{App, Result};

pub(super) fn router() -> Router<App> {
    Router::new().routes(routes![test_email, health_check]).prefix("/utils").tag("utils")
}

#[derive(Decode)]
struct TestEmail {
    email_to: EmailStr,
}

/// Send a test e-mail.
#[post("/test-email/", status = 201)]
async fn test_email(
    app: App,
    Call(Superuser(_), Query(TestEmail { email_to })): Call<Superuser, Query<TestEmail>>,
) -> Result<Json<Message>> {
    let message = app.mailer.test_email(email_to.as_str())?;
    app.mailer.send(email_to.into_string(), message);
    Ok(Message::new("Test email sent"))
}

/// Tell that the service is up.
#[get("/health-check/")]
async fn health_check() -> Json<bool> {
    Json(true)
}
