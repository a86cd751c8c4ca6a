//! Every route: one file per resource, in the order of `python-legacy/app/routes/__init__.py`.

pub mod items;
pub mod login;
pub mod private;
pub mod users;
pub mod utils;

use fastapi_compat::{Router, openapi};
use serde::Serialize;
use utoipa::ToSchema;

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
    router.prefix(&settings.api_v1_str)
}

/// The OpenAPI document of all operations.
pub fn document(settings: &Settings) -> serde_json::Result<serde_json::Value> {
    let (paths, schemas) = router(settings).document();
    let info = openapi::Info {
        title: &settings.project_name,
        version: env!("CARGO_PKG_VERSION"),
        token_url: &format!("{}/login/access-token", settings.api_v1_str),
    };
    openapi::document(&info, &paths, schemas)
}

#[derive(Serialize, ToSchema)]
pub struct Message {
    message: &'static str,
}

impl Message {
    fn new(message: &'static str) -> fastapi_compat::Json<Self> {
        fastapi_compat::Json(Self { message })
    }
}
