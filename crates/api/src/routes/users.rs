use chrono::{DateTime, Utc};
use domain::{User, UserChanges};
use fastapi_compat::{
    Call, Decode, EmailStr, Json, Patch, Path, Query, Router, Schema, delete, get, patch, post,
    routes, serialize_datetime,
};
use serde::Serialize;
use uuid::Uuid;

use super::Message;
use crate::deps::{CurrentUser, Page, Superuser};
use crate::error::OnConflict;
use crate::limits::Client;
use crate::passwords::Verdict;
use crate::{App, Error, Result};

pub(super) fn router() -> Router<App> {
    Router::new()
        .routes(routes![
            read_users,
            create_user,
            read_user_me,
            update_user_me,
            update_password_me,
            delete_user_me,
            register_user,
            read_user_by_id,
            update_user,
            delete_user,
        ])
        .prefix("/users")
        .tag("users")
}

#[derive(Serialize, Schema)]
pub struct UserPublic {
    #[schema(format = "email", max_length = 255)]
    email: String,
    #[schema(default = true)]
    is_active: bool,
    #[schema(default = false)]
    is_superuser: bool,
    #[schema(max_length = 255)]
    full_name: Option<String>,
    id: Uuid,
    #[serde(serialize_with = "serialize_datetime")]
    created_at: Option<DateTime<Utc>>,
}

impl From<User> for UserPublic {
    fn from(user: User) -> Self {
        let User { id, email, is_active, is_superuser, full_name, hashed_password: _, created_at } =
            user;
        Self { email, is_active, is_superuser, full_name, id, created_at }
    }
}

#[derive(Serialize, Schema)]
struct UsersPublic {
    data: Vec<UserPublic>,
    count: i64,
}

#[derive(Decode)]
struct UserCreate {
    #[schema(max_length = 255)]
    email: EmailStr,
    #[schema(default = true)]
    is_active: bool,
    #[schema(default = false)]
    is_superuser: bool,
    #[schema(max_length = 255, storable = 255)]
    full_name: Option<String>,
    #[schema(min_length = 8, max_length = 128)]
    password: String,
}

#[derive(Decode)]
struct UserRegister {
    #[schema(max_length = 255)]
    email: EmailStr,
    #[schema(min_length = 8, max_length = 128)]
    password: String,
    #[schema(max_length = 255, storable = 255)]
    full_name: Option<String>,
}

#[derive(Decode)]
struct UserUpdate {
    #[schema(max_length = 255)]
    email: Patch<EmailStr>,
    is_active: Patch<bool>,
    is_superuser: Patch<bool>,
    #[schema(max_length = 255, storable = 255)]
    full_name: Patch<String>,
    #[schema(min_length = 8, max_length = 128)]
    password: Patch<String>,
}

#[derive(Decode)]
struct UserUpdateMe {
    #[schema(max_length = 255, storable = 255)]
    full_name: Patch<String>,
    #[schema(max_length = 255)]
    email: Patch<EmailStr>,
}

#[derive(Decode)]
struct UpdatePassword {
    #[schema(min_length = 8, max_length = 128)]
    current_password: String,
    #[schema(min_length = 8, max_length = 128)]
    new_password: String,
}

/// List all users, the newest first.
#[get("/")]
async fn read_users(
    app: App,
    Call(Superuser(_), Query(page)): Call<Superuser, Query<Page>>,
) -> Result<Json<UsersPublic>> {
    let (users, count) = app.storage.users(page.into()).await?;
    Ok(Json(UsersPublic { data: users.into_iter().map(Into::into).collect(), count }))
}

/// Create a user and send the new-account e-mail.
#[post("/")]
async fn create_user(
    app: App,
    client: Client,
    Call(Superuser(_), Json(new)): Call<Superuser, Json<UserCreate>>,
) -> Result<Json<UserPublic>> {
    let permit = app.admit_superuser(client)?;
    let hash = app.passwords.hash(&permit, new.password).await?;
    let user = User {
        is_active: new.is_active,
        is_superuser: new.is_superuser,
        ..User::new(new.email.into_string(), new.full_name, hash)
    };
    app.storage.create_user(&user).await.on_conflict(Error::UserExists)?;
    if app.mailer.is_enabled() {
        let message = app.mailer.new_account_email(&user.email)?;
        app.mailer.send(user.email.clone(), message);
    }
    Ok(Json(user.into()))
}

/// Show one's own account.
#[get("/me")]
async fn read_user_me(Call(CurrentUser(user), ()): Call<CurrentUser>) -> Json<UserPublic> {
    Json(user.into())
}

/// Change one's own name or e-mail.
#[patch("/me")]
async fn update_user_me(
    app: App,
    Call(CurrentUser(user), Json(update)): Call<CurrentUser, Json<UserUpdateMe>>,
) -> Result<Json<UserPublic>> {
    let changes = UserChanges {
        email: update.email.value().map(EmailStr::into_string),
        full_name: update.full_name.nullable(),
        ..UserChanges::default()
    };
    let user = app.storage.update_user(user.id, &changes).await.on_conflict(Error::EmailTaken)?;
    Ok(Json(user.ok_or(Error::UserNotFound)?.into()))
}

/// Change one's own password.
#[patch("/me/password")]
async fn update_password_me(
    app: App,
    client: Client,
    Call(CurrentUser(user), Json(update)): Call<CurrentUser, Json<UpdatePassword>>,
) -> Result<Json<Message>> {
    let permit = app.admit(client, &user.email)?;
    let current = update.current_password;
    let same = current == update.new_password;
    let verdict = app.passwords.verify(&permit, current, Some(user.hashed_password)).await?;
    if verdict == Verdict::Wrong {
        return Err(Error::IncorrectPassword);
    }
    if same {
        return Err(Error::SamePassword);
    }
    let hash = app.passwords.hash(&permit, update.new_password).await?;
    let changes = UserChanges { hashed_password: Some(hash), ..UserChanges::default() };
    app.storage.update_user(user.id, &changes).await?;
    Ok(Message::new("Password updated successfully"))
}

/// Delete one's own account and all that belongs to it.
#[delete("/me")]
async fn delete_user_me(
    app: App,
    Call(CurrentUser(user), ()): Call<CurrentUser>,
) -> Result<Json<Message>> {
    if user.is_superuser {
        return Err(Error::SuperuserDeletesSelf);
    }
    app.storage.delete_user(user.id).await?;
    Ok(Message::new("User deleted successfully"))
}

/// Create an account for oneself.
#[post("/signup")]
async fn register_user(
    app: App,
    client: Client,
    Call((), Json(new)): Call<(), Json<UserRegister>>,
) -> Result<Json<UserPublic>> {
    let permit = app.admit(client, new.email.as_str())?;
    let hash = app.passwords.hash(&permit, new.password).await?;
    let user = User::new(new.email.into_string(), new.full_name, hash);
    app.storage.create_user(&user).await.on_conflict(Error::SignupExists)?;
    Ok(Json(user.into()))
}

/// Show a user: oneself, or anybody for a superuser.
#[get("/{user_id}")]
async fn read_user_by_id(
    app: App,
    Call(CurrentUser(user), Path(id)): Call<CurrentUser, Path<Uuid>>,
) -> Result<Json<UserPublic>> {
    if id == user.id {
        return Ok(Json(user.into()));
    }
    if !user.is_superuser {
        return Err(Error::NotSuperuser);
    }
    Ok(Json(app.storage.user(id).await?.ok_or(Error::UserNotFound)?.into()))
}

/// Change a user.
#[patch("/{user_id}")]
async fn update_user(
    app: App,
    client: Client,
    Call(Superuser(_), (Path(id), Json(update))): Call<Superuser, (Path<Uuid>, Json<UserUpdate>)>,
) -> Result<Json<UserPublic>> {
    let hashed_password = match update.password.value() {
        Some(password) => {
            let permit = app.admit_superuser(client)?;
            Some(app.passwords.hash(&permit, password).await?)
        }
        None => None,
    };
    let changes = UserChanges {
        email: update.email.value().map(EmailStr::into_string),
        is_active: update.is_active.value(),
        is_superuser: update.is_superuser.value(),
        full_name: update.full_name.nullable(),
        hashed_password,
    };
    let user = app.storage.update_user(id, &changes).await.on_conflict(Error::EmailTaken)?;
    Ok(Json(user.ok_or(Error::NoUserWithId)?.into()))
}

/// Delete a user and all that belongs to them.
#[delete("/{user_id}")]
async fn delete_user(
    app: App,
    Call(Superuser(caller), Path(id)): Call<Superuser, Path<Uuid>>,
) -> Result<Json<Message>> {
    if id == caller.id {
        return Err(Error::SuperuserDeletesSelf);
    }
    app.storage.user(id).await?.ok_or(Error::UserNotFound)?;
    app.storage.delete_user(id).await?;
    Ok(Message::new("User deleted successfully"))
}
