//! The paths that every request takes, one at a time, for callgrind to count: `make bench-guard`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use api::config::{Settings, SettingsArgs};
use api::emails::Mailer;
use api::limits::Attempts;
use api::passwords::{Passwords, QueueLimits};
use api::telemetry::Metrics;
use api::tokens::Tokens;
use api::{App, Services};
use async_trait::async_trait;
use axum::body::Body;
use chrono::TimeDelta;
use clap::{Parser, ValueEnum};
use domain::{
    Caller, Connections, ForCaller, Item, ItemChanges, ItemPage, Items, Page, Storage,
    StorageError, Transaction, User, UserChanges, Users,
};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use uuid::Uuid;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Takes a path so many times.
#[derive(Parser)]
struct Cli {
    path: Path,
    times: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Path {
    /// Decode a valid body and store it: POST item
    Decode,
    /// Explain a body with five errors
    Explain,
    /// Check the token of a request
    Token,
    /// Serialise a hundred items: GET list
    Serialise,
    /// A whole request: GET item
    Request,
}

/// A store that has everything at once.
struct Stub {
    caller: Caller,
    item: Item,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(&cli))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hot_paths: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<()> {
    let settings = Settings::new(&SettingsArgs::default())?;
    let caller = Caller { id: Uuid::new_v4(), is_active: true, is_superuser: false };
    let description = "A description of about fifty characters, like most.";
    let item = Item::new(caller.id, "item 000001".into(), Some(description.into()));
    let tokens =
        Tokens::new(&settings.auth.secret_key, &[], TimeDelta::days(1), TimeDelta::days(1));
    let token = tokens.access_token(caller.id)?;
    let (mailer, _) = Mailer::start(&settings)?;
    let services = Services {
        passwords: Passwords::new(1, QueueLimits::default())?,
        tokens,
        attempts: Attempts::new(settings.auth.sign_in_limits),
        metrics: Metrics::default(),
        background: TaskTracker::new(),
        strangler: None,
        settings,
    };
    let storage = Arc::new(Stub { caller, item: item.clone() });
    let app = App::new(services, storage, mailer);
    let item_path = format!("/api/v1/items/{}", item.id);
    let (method, path, body, status) = match cli.path {
        Path::Token => {
            for _ in 0..cli.times {
                app.tokens.read_access_token(&token).ok_or("the token is refused")?;
            }
            return Ok(());
        }
        Path::Decode => (
            Method::POST,
            "/api/v1/items/",
            r#"{"title": "a new item", "description": "with a description of some length"}"#,
            StatusCode::OK,
        ),
        Path::Explain => (
            Method::POST,
            "/api/v1/users/signup",
            r#"{"email": "invalid", "full_name": [], "password": "short", "more": null}"#,
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        Path::Serialise => (Method::GET, "/api/v1/items/", "", StatusCode::OK),
        Path::Request => (Method::GET, item_path.as_str(), "", StatusCode::OK),
    };
    let router = api::app(&app)?;
    for _ in 0..cli.times {
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header(header::HOST, "bench")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))?;
        let response = router.clone().oneshot(request).await?;
        if response.status() != status {
            return Err(format!("{path}: {}", response.status()).into());
        }
        response.into_body().collect().await?;
    }
    Ok(())
}

#[async_trait]
impl Storage for Stub {
    async fn begin(&self) -> std::result::Result<Box<dyn Transaction>, StorageError> {
        Err(StorageError::Internal("the stub has no transactions".into()))
    }

    async fn rehearse(&self) -> std::result::Result<Arc<dyn Storage>, StorageError> {
        Err(StorageError::Internal("the stub has no transactions".into()))
    }

    async fn ping(&self) -> std::result::Result<(), StorageError> {
        Ok(())
    }

    async fn pending_migrations(&self) -> std::result::Result<usize, StorageError> {
        Ok(0)
    }

    fn connections(&self) -> Connections {
        Connections { max: 0, open: 0, idle: 0, waiting: 0, delay: Duration::ZERO }
    }
}

#[async_trait]
impl Items for Stub {
    async fn item_for(
        &self,
        _: Uuid,
        _: Uuid,
    ) -> std::result::Result<ForCaller<Option<Item>>, StorageError> {
        Ok(ForCaller::new(self.caller, Some(self.item.clone())))
    }

    async fn items_for(
        &self,
        _: Uuid,
        _: Page,
    ) -> std::result::Result<ForCaller<ItemPage>, StorageError> {
        let items = vec![self.item.clone(); 100];
        Ok(ForCaller::new(self.caller, ItemPage { items, count: 100 }))
    }

    async fn create_item(&self, item: Item) -> std::result::Result<ForCaller<Item>, StorageError> {
        Ok(ForCaller::new(self.caller, item))
    }

    async fn update_item(
        &self,
        _: Uuid,
        _: &ItemChanges,
    ) -> std::result::Result<Option<Item>, StorageError> {
        Ok(Some(self.item.clone()))
    }

    async fn delete_item(&self, _: Uuid) -> std::result::Result<(), StorageError> {
        Ok(())
    }
}

#[async_trait]
impl Users for Stub {
    async fn user(&self, id: Uuid) -> std::result::Result<Option<User>, StorageError> {
        let user = User::new("user@example.com".into(), None, String::new().into());
        Ok(Some(User { id, ..user }))
    }

    async fn user_by_email(&self, _: &str) -> std::result::Result<Option<User>, StorageError> {
        Ok(None)
    }

    async fn users(&self, _: Page) -> std::result::Result<(Vec<User>, i64), StorageError> {
        Ok((vec![], 0))
    }

    async fn create_user(&self, _: &User) -> std::result::Result<(), StorageError> {
        Ok(())
    }

    async fn update_user(
        &self,
        _: Uuid,
        _: &UserChanges,
    ) -> std::result::Result<Option<User>, StorageError> {
        Ok(None)
    }

    async fn delete_user(&self, _: Uuid) -> std::result::Result<(), StorageError> {
        Ok(())
    }
}
