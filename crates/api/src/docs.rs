//! The OpenAPI document and Swagger UI, whose files are part of the binary.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use fastapi_compat::{HttpError, Router, internal_server_error};
use http::{StatusCode, header};
use utoipa_swagger_ui::Config;

use crate::config::Settings;
use crate::html::Escaped;
use crate::{App, routes};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// `/docs` and the document, answered from memory.
pub(crate) fn router(settings: &Settings) -> Router<App> {
    // Built at the first request: it would delay the start of the process.
    let document = Arc::new(LazyLock::new({
        let settings = settings.clone();
        move || Ok::<_, BoxError>(routes::document(&settings)?.to_json()?)
    }));
    let url = format!("{}/openapi.json", settings.api_v1_str);
    let page = swagger_ui_page(&settings.project_name, &url);
    Router::new()
        .route(&url, get(async move || openapi(&document)))
        .route("/docs", get(async move || Html(page.clone())))
        .route("/docs/{file}", get(asset))
}

fn openapi(document: &Result<String, BoxError>) -> Response {
    match document {
        Ok(document) => {
            ([(header::CONTENT_TYPE, "application/json")], document.clone()).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the OpenAPI document could not be written");
            internal_server_error()
        }
    }
}

fn swagger_ui_page(title: &str, url: &str) -> String {
    format!(
        r##"<!DOCTYPE html>
<html>
<head>
<meta name="viewport" content="width=device-width, initial-scale=1.0">
<link type="text/css" rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
<title>{title} - Swagger UI</title>
</head>
<body>
<div id="swagger-ui" data-url="{url}"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>
const ui = SwaggerUIBundle({{
  url: document.getElementById("swagger-ui").dataset.url,
  dom_id: "#swagger-ui",
  layout: "BaseLayout",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
  oauth2RedirectUrl: window.location.origin + "/docs/oauth2-redirect.html",
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset],
}})
</script>
</body>
</html>
"##,
        title = Escaped(title),
        url = Escaped(url),
    )
}

async fn asset(Path(file): Path<String>) -> Response {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("")));
    match utoipa_swagger_ui::serve(&file, CONFIG.clone()) {
        Ok(Some(file)) => {
            ([(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response()
        }
        _ => HttpError::new(StatusCode::NOT_FOUND, "Not Found").into_response(),
    }
}
