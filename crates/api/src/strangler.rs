//! The strangler before an old service: operations that the plan leaves to it are forwarded.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::Request;
use domain::Storage;
use fastapi_compat::{DryRun, WouldAct};
use secrecy::ExposeSecret;
use strangler::{MailRelay, Message, Operation, Operations, Outbox, StartError, Strangler};
use tokio_util::task::TaskTracker;
use tower::BoxError;

use crate::config::{InProcess, Legacy, Settings};
use crate::deps::Rehearsal;
use crate::emails::{Collect, Email};
use crate::{App, all_routes};

/// The strangler of this service, if it has an old one. `background` runs its WebSockets.
///
/// # Errors
/// When the plan cannot be read or is refused.
pub fn start(
    settings: &Settings,
    storage: &Arc<dyn Storage>,
    background: TaskTracker,
) -> Result<Option<Strangler>, StartError> {
    let Some(legacy) = &settings.legacy else { return Ok(None) };
    let (storage, smtp) = (Arc::clone(storage), settings.smtp.clone());
    let trusted = settings.server.forwarded_allow_ips.clone();
    let operations = operations(settings);
    let settings = strangler::Settings {
        plan: legacy.plan.clone(),
        in_process: legacy.in_process.clone().map(|InProcess(call)| call),
        legacy_ca: legacy.ca.clone(),
        legacy_cpu: legacy.metrics.clone().map(strangler::CpuSource::new),
        timeout: legacy.timeout,
        idle: legacy.idle,
        upload_rate: legacy.upload_rate,
        download_rate: legacy.download_rate,
        tunnel_idle: legacy.tunnel_idle,
        max_in_flight: legacy.max_in_flight,
        retry: legacy.retry,
        comparison_memory: legacy.memory,
        canary_checks: legacy.canary_checks,
        client: legacy.client.clone(),
        trust: Arc::new(move |peer| trusted.trusts(peer)),
        background,
        dry_run: Some(strangler::DryRun {
            prepare: |request| _ = request.extensions_mut().insert(DryRun),
            would_act: |response| response.extensions().get::<WouldAct>().is_some(),
        }),
        mail_relay: legacy.smtp.and_then(|listen| {
            let server = smtp.as_ref()?;
            Some(MailRelay { listen, server: format!("{}:{}", server.host, server.port) })
        }),
        max_rehearsals: legacy.max_rehearsals,
        rehearsal_timeout: legacy.rehearsal_timeout,
        rehearse: Some(Arc::new(move |request| Box::pin(rehearse(Arc::clone(&storage), request)))),
        ..strangler::Settings::new(legacy.url.clone())
    };
    Strangler::start(settings, operations).map(Some)
}

/// The operations that a plan can name.
pub fn operations(settings: &Settings) -> Operations {
    let routes = all_routes(settings);
    let operations = routes.operations();
    Operations::new(
        operations.map(|(id, method, path)| Operation::new(&id, method.as_str(), &path)),
    )
}

/// Lets the handlers of a request work on a storage that is undone, and collects their e-mails.
async fn rehearse(storage: Arc<dyn Storage>, mut request: Request) -> Result<Request, BoxError> {
    let outbox = request.extensions().get::<Outbox>().cloned().unwrap_or_default();
    let mails: Collect = Arc::new(move |to, Email { subject, html }| {
        outbox.add(Message { to, subject, text: html });
    });
    let storage = storage.rehearse().await?;
    request.extensions_mut().insert(Rehearsal { storage, mails });
    Ok(request)
}

/// The pages that show and change the plan, for the management port at `address`, which is printed;
/// none if there is no old service.
pub fn pages(app: &App, address: SocketAddr) -> axum::Router {
    let (Some(strangler), Some(legacy)) = (&app.strangler, &app.settings.legacy) else {
        return axum::Router::new();
    };
    println!("The strangler before {}: http://{address}/_molt", legacy.url);
    strangler.page(password(legacy))
}

/// The one of the settings, or a new one that is printed.
fn password(legacy: &Legacy) -> String {
    if let Some(password) = &legacy.password {
        return password.expose_secret().to_owned();
    }
    let password = uuid::Uuid::new_v4().simple().to_string();
    println!("Its password, until STRANGLER_PASSWORD is set: {password}");
    password
}
