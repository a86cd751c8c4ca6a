//! A database that is killed.

use std::time::Instant;

use tokio::time::sleep;
use trials::under_load;

use super::evaluation::{Bounds, evaluate};
use super::site::{OUTAGE, Site, crowd};
use crate::BoxError;
use crate::engine::Engine;
use crate::images::Bases;
use crate::service::HEALTHY_TIMEOUT;

/// Its volume stays, and it recovers on it.
pub(crate) async fn database(engine: &Engine, bases: &Bases) -> Result<String, BoxError> {
    let site = Site::new(engine, bases)?;
    let service = site.service("service", &[], &[])?;
    let observed = under_load(&service.base()?, crowd("crash"), async || {
        site.database.kill()?;
        sleep(OUTAGE / 3).await;
        site.database.start()?;
        site.database.wait_healthy(HEALTHY_TIMEOUT)?;
        Ok(Instant::now())
    })
    .await?;
    // Its network goes with it: whether a connection's end gets through is chance, and without it a
    // statement's request ends with its own time.
    let bounds =
        Bounds { outcomes: &[" 503", " 504"], must_fail: true, recovery: 10.0, last_failure: 15.0 };
    let seen = evaluate(&observed, &[&service], &bounds).await?;
    if site.database.log("all").contains("automatic recovery in progress") {
        Ok(seen)
    } else {
        Err(format!("PostgreSQL did not crash: {seen}").into())
    }
}
