use axum::response::Html;
use fastapi_compat::{Call, Decode, Form, Json, Path, Router, Schema, Storable, post, routes};
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use super::Message;
use super::users::UserPublic;
use crate::deps::{CurrentUser, Superuser};
use crate::limits::Client;
use crate::passwords::Verdict;
use crate::{App, Error, Result};
use domain::UserChanges;

pub(super) fn router() -> Router<App> {
    Router::new()
        .routes(routes![
            login_access_token,
            test_token,
            recover_password,
            reset_password,
            recover_password_html_content,
        ])
        .tag("login")
}

#[derive(Decode)]
#[expect(dead_code, reason = "the OAuth2 password flow has fields that are not used")]
struct PasswordRequestForm {
    #[schema(pattern = "^password$")]
    grant_type: Option<String>,
    username: String,
    #[schema(format = "password")]
    password: String,
    #[schema(default = "")]
    scope: String,
    client_id: Option<String>,
    #[schema(format = "password")]
    client_secret: Option<String>,
}

#[derive(Decode)]
struct NewPassword {
    token: String,
    #[schema(min_length = 8, max_length = 128)]
    new_password: String,
}

#[derive(Serialize, Schema)]
struct Token {
    access_token: String,
    #[schema(default = "bearer")]
    token_type: &'static str,
}

/// Sign in with e-mail and password; the token goes into the Authorization header.
#[post("/login/access-token")]
async fn login_access_token(
    app: App,
    client: Client,
    Call((), Form(form)): Call<(), Form<PasswordRequestForm>>,
) -> Result<Json<Token>> {
    let permit = app.admit(client, &form.username)?.while_connected();
    let user = app.storage.user_by_email(&form.username).await?;
    let hashed = user.as_ref().map(|user| user.hashed_password.clone());
    let verdict = app.passwords.verify(&permit, form.password, hashed).await?;
    let user = user.filter(|_| verdict != Verdict::Wrong).ok_or(Error::IncorrectEmailOrPassword)?;
    if let Verdict::Outdated(hash) = verdict {
        let changes = UserChanges { hashed_password: Some(hash), ..UserChanges::default() };
        app.storage.update_user(user.id, &changes).await?;
    }
    if !user.is_active {
        return Err(Error::InactiveUser);
    }
    Ok(Json(Token { access_token: app.tokens.access_token(user.id)?, token_type: "bearer" }))
}

/// Tell whose token this is.
#[post("/login/test-token")]
async fn test_token(Call(CurrentUser(user), ()): Call<CurrentUser>) -> Json<UserPublic> {
    Json(user.into())
}

/// Send a link for choosing a new password.
#[post("/password-recovery/{email}")]
async fn recover_password(
    app: App,
    client: Client,
    Call((), Path(Storable(email))): Call<(), Path<Storable<255>>>,
) -> Result<Json<Message>> {
    app.attempts.count(client, &email)?;
    if let Some(user) = app.storage.user_by_email(&email).await? {
        let token = app.tokens.reset_token(&user.email)?;
        let message = app.mailer.reset_password_email(&user.email, &token)?;
        app.mailer.send(user.email, message);
    }
    Ok(Message::new("If that email is registered, we sent a password recovery link"))
}

/// Choose a new password with the token from the recovery e-mail.
#[post("/reset-password/")]
async fn reset_password(
    app: App,
    client: Client,
    Call((), Json(new)): Call<(), Json<NewPassword>>,
) -> Result<Json<Message>> {
    let email = app.tokens.read_reset_token(&new.token).ok_or(Error::InvalidResetToken)?;
    let permit = app.admit(client, &email)?;
    let user = app.storage.user_by_email(&email).await?.ok_or(Error::InvalidResetToken)?;
    if !user.is_active {
        return Err(Error::InactiveUser);
    }
    let hash = app.passwords.hash(&permit, new.new_password).await?;
    let changes = UserChanges { hashed_password: Some(hash), ..UserChanges::default() };
    app.storage.update_user(user.id, &changes).await?;
    Ok(Message::new("Password updated successfully"))
}

/// Show the recovery e-mail of a user as it would be sent.
#[post("/password-recovery-html-content/{email}")]
async fn recover_password_html_content(
    app: App,
    Call(Superuser(_), Path(Storable(email))): Call<Superuser, Path<Storable<255>>>,
) -> Result<([(HeaderName, HeaderValue); 1], Html<String>)> {
    let user = app.storage.user_by_email(&email).await?.ok_or(Error::NoUserWithName)?;
    let token = app.tokens.reset_token(&user.email)?;
    let message = app.mailer.reset_password_email(&user.email, &token)?;
    let subject = (HeaderName::from_static("subject"), header_text(&message.subject)?);
    Ok(([subject], Html(message.html)))
}

/// What a header cannot carry (control characters, anything beyond Latin-1) becomes `?`.
fn header_text(text: &str) -> Result<HeaderValue> {
    let latin1: Vec<u8> = text
        .chars()
        .map(|c| u8::try_from(c).unwrap_or(b'?'))
        .map(|byte| if matches!(byte, b' '..=b'~' | 0xA0..) { byte } else { b'?' })
        .collect();
    HeaderValue::from_bytes(&latin1).map_err(Error::internal)
}
