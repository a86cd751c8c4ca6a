//! Networks that lose packets and take long.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tokio::time::sleep;
use trials::under_load;

use super::evaluation::{Bounds, NOTHING, evaluate};
use super::site::{OUTAGE, Site, crowd};
use crate::BoxError;
use crate::docker::{Container, output};
use crate::engine::Engine;
use crate::images::Bases;
use crate::report::NotRun;

/// A statement that is sent again for too long is given up, by the pool or by the request's own time.
const BOUNDS: Bounds<'_> = Bounds { outcomes: &[" 503", " 504"], last_failure: 15.0, ..NOTHING };

/// A command in the network of a container.
fn in_network(container: &Container<'_>, command: &[&str]) -> Result<(), BoxError> {
    let pid = container.state()?["Pid"].to_string();
    if !Path::new("/proc").join(&pid).exists() {
        return Err(NotRun("the engine is another machine's".into()).into());
    }
    let mut inside = Command::new("nsenter");
    inside.args(["--target", &pid, "--net", "--"]).args(command);
    output(&mut inside).map(drop)
}

/// The service and its database, one of whose packets is lost in each direction at random.
pub(crate) async fn packets(engine: &Engine, bases: &Bases) -> Result<String, BoxError> {
    let site = Site::new(engine, bases)?;
    let service = site.service("service", &[], &[])?;
    let rule = ["-m", "statistic", "--mode", "random", "--probability", "0.05", "-j", "DROP"];
    let change = |change: &str, chain: &str| {
        let mut command = vec!["iptables", change, chain, "-p", "tcp"];
        command.extend(rule);
        in_network(&site.database, &command)
    };
    let observed = under_load(&service.base()?, crowd("loss"), async || {
        if let Err(error) = change("-A", "INPUT").and_then(|()| change("-A", "OUTPUT")) {
            return Err(
                NotRun(format!("this machine's iptables cannot lose packets: {error}")).into()
            );
        }
        sleep(2 * OUTAGE).await;
        let lost = "iptables -L -v -n -x | grep -c '[1-9][0-9]* .*statistic'";
        in_network(&site.database, &["sh", "-c", lost])?;
        change("-D", "INPUT")?;
        change("-D", "OUTPUT")?;
        Ok(Instant::now())
    })
    .await?;
    let seen = evaluate(&observed, &[&service], &BOUNDS).await?;
    Ok(format!("{seen}; p99 {:.0} ms", observed.stage.p99_ms))
}

/// The same with a network that takes its time, if the kernel can make one.
pub(crate) async fn latency(engine: &Engine, bases: &Bases) -> Result<String, BoxError> {
    let site = Site::new(engine, bases)?;
    let slow = "tc qdisc add dev eth0 root netem delay 50ms loss 2%";
    let slow: Vec<_> = slow.split(' ').collect();
    // Before anything else is started for it.
    if let Err(error) = in_network(&site.database, &slow) {
        let error = error.to_string();
        let error = error.rsplit("Error: ").next().unwrap_or_default();
        let needs = "the kernel's netem and Debian's iproute2 are needed";
        return Err(NotRun(format!("{needs}: {error}")).into());
    }
    let good = ["tc", "qdisc", "del", "dev", "eth0", "root"];
    in_network(&site.database, &good)?;
    let service = site.service("service", &[], &[])?;
    let observed = under_load(&service.base()?, crowd("latency"), async || {
        in_network(&site.database, &slow)?;
        sleep(2 * OUTAGE).await;
        in_network(&site.database, &good)?;
        Ok(Instant::now())
    })
    .await?;
    let seen = evaluate(&observed, &[&service], &BOUNDS).await?;
    Ok(format!("{seen}; p99 {:.0} ms", observed.stage.p99_ms))
}
