use domain::User;
use fastapi_compat::{Call, Decode, Json, Router, post, routes};

use super::users::UserPublic;
use crate::error::OnConflict;
use crate::limits::Client;
use crate::{App, Error, Result};

pub(super) fn router() -> Router<App> {
    Router::new().routes(routes![create_user]).prefix("/private").tag("private")
}

#[derive(Decode)]
#[expect(dead_code, reason = "the contract has a field that is not used")]
struct PrivateUserCreate {
    #[schema(storable = 255)]
    email: String,
    password: String,
    #[schema(storable = 255)]
    full_name: String,
    #[schema(default = false)]
    is_verified: bool,
}

/// Create a user without any check, for local tests.
#[post("/users/")]
async fn create_user(
    app: App,
    client: Client,
    Call((), Json(new)): Call<(), Json<PrivateUserCreate>>,
) -> Result<Json<UserPublic>> {
    let permit = app.admit(client, &new.email)?;
    let hash = app.passwords.hash(&permit, new.password).await?;
    let user = User::new(new.email, Some(new.full_name), hash);
    app.storage.create_user(&user).await.on_conflict(Error::UserExists)?;
    Ok(Json(user.into()))
}
