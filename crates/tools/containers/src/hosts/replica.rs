//! Lists from a replica that is behind.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use trials::under_load;

use super::evaluation::{Bounds, evaluate};
use super::site::{OUTAGE, Site, crowd};
use crate::BoxError;
use crate::docker::Container;
use crate::engine::Engine;
use crate::images::Bases;
use crate::service::HEALTHY_TIMEOUT;

const LAG: Duration = Duration::from_secs(2);

/// Copies the database and follows it, a while behind.
const FOLLOW: &str = "
install -d -o postgres -g postgres -m 700 /tmp/replica
as_postgres='setpriv --reuid=postgres --regid=postgres --clear-groups --'
$as_postgres pg_basebackup -R -D /tmp/replica -d postgresql://molt:molt@database/molt
exec $as_postgres postgres -D /tmp/replica -c listen_addresses='*' -c recovery_min_apply_delay=2s
";

fn start<'a>(site: &Site<'a>, bases: &Bases) -> Result<Container<'a>, BoxError> {
    site.database.shell(
        "echo 'host replication molt all scram-sha-256' >> \"$PGDATA/pg_hba.conf\"
         psql --username molt --command 'SELECT pg_reload_conf()' molt",
    )?;
    let mut arguments = vec!["--network", &site.network.name, "--network-alias", "replica"];
    arguments.extend(["--health-cmd", "pg_isready --host 127.0.0.1 --username molt"]);
    arguments.extend(["--health-interval", "1s", "--stop-signal", "SIGINT"]);
    arguments.extend(["--entrypoint", "sh", bases.postgres, "-ec", FOLLOW]);
    let replica = site.engine.run("replica", &arguments)?;
    replica.wait_healthy(HEALTHY_TIMEOUT)?;
    Ok(replica)
}

/// It lags all the time, and cannot be reached for a while: lists are old, then the primary's, and
/// nothing else is.
pub(crate) async fn lags(engine: &Engine, bases: &Bases) -> Result<String, BoxError> {
    // The tables are there before it is copied.
    let site = Site::new(engine, bases)?;
    drop(site.service("migrates", &[], &[])?);
    let replica = start(&site, bases)?;
    let url = "DATABASE_REPLICA_URL=postgresql://molt:molt@replica/molt";
    let service = site.service("service", &[url], &[])?;
    let mut observed = under_load(&service.base()?, crowd("replica"), async || {
        sleep(2 * LAG).await;
        site.network.disconnect(&replica)?;
        sleep(OUTAGE).await;
        site.network.connect(&replica, "replica")?;
        Ok(Instant::now())
    })
    .await?;
    let (old, wrong): (Vec<_>, Vec<_>) = std::mem::take(&mut observed.stage.wrong)
        .into_iter()
        .partition(|wrong| wrong.starts_with("the newest item of the list"));
    observed.stage.wrong = wrong;
    if old.is_empty() {
        observed.stage.wrong.push("no list was old: was it the replica's?".into());
    }
    // What is lost is found by lists.
    sleep(2 * LAG).await;
    let bounds = Bounds {
        outcomes: &[" 503", " 504"],
        must_fail: false,
        recovery: 15.0,
        last_failure: 15.0,
    };
    let seen = evaluate(&observed, &[&service], &bounds).await?;
    Ok(format!("{seen}; {} lists or more were old", old.len()))
}
