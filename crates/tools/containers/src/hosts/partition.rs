//! Networks between two hosts that fail: nothing comes through, and nothing is said.

use std::path::Path;
use std::time::Instant;

use tokio::time::sleep;
use trials::under_load;

use super::evaluation::{Bounds, evaluate};
use super::site::{OUTAGE, Site, arguments, crowd};
use crate::engine::Engine;
use crate::images::Bases;
use crate::service::LEGACY;
use crate::{BoxError, http};

/// The service and its database.
pub(crate) async fn database(engine: &Engine, bases: &Bases) -> Result<String, BoxError> {
    let site = Site::new(engine, bases)?;
    // Shorter than the outage, which would be waited out.
    let service = site.service("service", &["REQUEST_TIMEOUT_SECONDS=3"], &[])?;
    let observed = under_load(&service.base()?, crowd("partition"), async || {
        site.network.disconnect(&site.database)?;
        sleep(2 * OUTAGE).await;
        site.network.connect(&site.database, "database")?;
        Ok(Instant::now())
    })
    .await?;
    // Requests that wait for an answer of the database end with their own time.
    let bounds =
        Bounds { outcomes: &[" 503", " 504"], must_fail: true, recovery: 15.0, last_failure: 15.0 };
    evaluate(&observed, &[&service], &bounds).await
}

/// The strangler and the old service, which both reach their database all the time.
pub(crate) async fn legacy(
    engine: &Engine,
    bases: &Bases,
    folder: &Path,
) -> Result<String, BoxError> {
    // Removed after the site's containers, which are on it.
    let behind = engine.network("behind")?;
    let site = Site::new(engine, bases)?;
    behind.connect(&site.database, "database-behind")?;
    let url = "DATABASE_URL=postgresql://molt:molt@database-behind/molt";
    let (legacy, _) = LEGACY.start(engine, &behind.name, "legacy", &arguments(&[url]))?;
    site.network.connect(&legacy, "legacy")?;

    let plan = std::path::absolute(folder)?.join("plan.yaml");
    std::fs::write(&plan, "default: legacy\noperations:\n  utils-health_check: native\n")?;
    let settings = [
        "LEGACY_URL=http://legacy:8000",
        "LEGACY_TIMEOUT_SECONDS=2",
        "STRANGLER_PLAN=/plan.yaml",
        "STRANGLER_PASSWORD=a-password-of-the-checks",
    ];
    let plan = format!("{}:/plan.yaml:ro", plan.display());
    let service = site.service("service", &settings, &["--volume", &plan])?;
    let port = service.port(8000)?;
    let mut own = Ok(0);
    let observed = under_load(&service.base()?, crowd("legacy"), async || {
        site.network.disconnect(&legacy)?;
        sleep(OUTAGE / 2).await;
        own = http::get(port, "/api/v1/utils/health-check/");
        sleep(OUTAGE / 2).await;
        site.network.connect(&legacy, "legacy")?;
        Ok(Instant::now())
    })
    .await?;
    let own = own?;
    if own != 200 {
        return Err(format!("what the new service answers itself was answered {own}").into());
    }
    // An answer whose head was passed on can only be cut off.
    let bounds = Bounds {
        outcomes: &[" 502", " 503", " 504", " cut off"],
        must_fail: true,
        recovery: 15.0,
        last_failure: 15.0,
    };
    evaluate(&observed, &[&service, &legacy], &bounds).await
}
