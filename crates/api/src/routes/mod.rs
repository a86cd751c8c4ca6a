//! Every route: one file per resource. Their order is that of the document.

pub mod items;
pub mod login;
pub mod private;
pub mod users;
pub mod utils;

use fastapi_compat::openapi::{DuplicateModel, Info, OpenApi};
use fastapi_compat::{Json, Router, Schema};
use serde::Serialize;

use crate::App;
use crate::config::{Environment, Settings};

/// All operations, below the prefix.
pub fn router(settings: &Settings) -> Router<App> {
    let mut router = Router::new()
        .merge(login::router())
        .merge(users::router())
        .merge(utils::router())
        .merge(items::router());
    if settings.environment == Environment::Local {
        router = router.merge(private::router());
    }
    router.prefix(&settings.api_v1_str).operation_ids(|name, tags, _, _| match tags.first() {
        Some(tag) => format!("{tag}-{name}"),
        None => name.to_owned(),
    })
}

/// The OpenAPI document of all operations.
///
/// # Errors
/// When two models have the same name.
pub fn document(settings: &Settings) -> Result<OpenApi, DuplicateModel> {
    let info = Info {
        title: &settings.project_name,
        version: env!("CARGO_PKG_VERSION"),
        token_url: &format!("{}/login/access-token", settings.api_v1_str),
    };
    router(settings).document(&info)
}

#[derive(Serialize, Schema)]
pub struct Message {
    message: &'static str,
}

impl Message {
    fn new(message: &'static str) -> Json<Self> {
        Json(Self { message })
    }
}
