//! A host that fails in the middle of a rolling restart.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use trials::{Balancer, Probe, under_load};

use super::evaluation::{Bounds, evaluate};
use super::site::{Site, crowd};
use crate::BoxError;
use crate::docker::Container;
use crate::engine::Engine;
use crate::images::Bases;

fn backends(replicas: &[Container<'_>]) -> Result<Vec<(String, String)>, BoxError> {
    let backend = |replica: &Container<'_>| {
        let (port, management) = (replica.port(8000)?, replica.port(9000)?);
        Ok((format!("127.0.0.1:{port}"), format!("http://127.0.0.1:{management}/readyz")))
    };
    replicas.iter().map(backend).collect()
}

/// Three replicas are replaced one by one, each by a new one that is ready before; meanwhile another
/// one is killed.
pub(crate) async fn host_fails(engine: &Engine, bases: &Bases) -> Result<String, BoxError> {
    let site = Site::new(engine, bases)?;
    let start = |number: usize| site.service(&format!("replica-{number}"), &[], &[]);
    let mut replicas = vec![start(0)?, start(1)?, start(2)?];
    let balancer = Balancer::start(backends(&replicas)?).await?;
    let probe = Probe::new(&balancer.base, "host").await?;
    let mut recovered = 0.0;
    let mut observed = under_load(&balancer.base, crowd("rolling"), async || {
        let mut killed = Instant::now();
        for number in 3..6 {
            replicas.push(start(number)?);
            balancer.know(backends(&replicas)?);
            sleep(Duration::from_millis(500)).await;
            if number == 4 {
                // The last of the old ones.
                replicas.remove(1).kill()?;
                killed = Instant::now();
                recovered = probe.recovery(killed).await;
            }
            // It stays known while it drains.
            let old = replicas.remove(0);
            engine.docker(&["stop", "--time", "60", &old.name])?;
            if old.state()?["ExitCode"] != 0 {
                return Err(format!("{} did not end in order: {}", old.name, old.state()?).into());
            }
            balancer.know(backends(&replicas)?);
        }
        Ok(killed)
    })
    .await?;
    observed.recovered_s = recovered;
    // What the failed host had begun has no answer, or a part of one.
    let bounds = Bounds {
        outcomes: &[" no answer", " cut off"],
        must_fail: false,
        recovery: 15.0,
        last_failure: 5.0,
    };
    let services: Vec<_> = replicas.iter().collect();
    evaluate(&observed, &services, &bounds).await
}
