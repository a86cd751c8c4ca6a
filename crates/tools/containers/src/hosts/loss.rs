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

/// The device's queue that makes packets late and loses some.
const NETEM: &str = "netem delay 50ms loss 2%";

/// The one with which packets wait for each other, of kernels without the other.
const SLOW: &str = "tbf rate 256kbit burst 1540 limit 262144";

/// A command in the network of a container. Gives its output.
fn in_network(container: &Container<'_>, command: &[&str]) -> Result<String, BoxError> {
    let pid = container.state()?["Pid"].to_string();
    if !Path::new("/proc").join(&pid).exists() {
        return Err(NotRun("the engine is another machine's".into()).into());
    }
    let mut inside = Command::new("nsenter");
    inside.args(["--target", &pid, "--net", "--"]).args(command);
    output(&mut inside)
}

/// Changes the queue of what a container sends.
fn queue(container: &Container<'_>, change: &str, queue: &str) -> Result<(), BoxError> {
    let command = format!("tc qdisc {change} dev eth0 root {queue}");
    in_network(container, &command.split_whitespace().collect::<Vec<_>>()).map(drop)
}

/// The service and its database, one of whose packets is lost in each direction at random.
pub(crate) async fn packets(engine: &Engine, bases: &Bases) -> Result<String, BoxError> {
    let site = Site::new(engine, bases)?;
    let service = site.service("service", &[], &[])?;
    let rule = ["-m", "statistic", "--mode", "random", "--probability", "0.05", "-j", "DROP"];
    let change = |change: &str, chain: &str| {
        let mut command = vec!["iptables", change, chain, "-p", "tcp"];
        command.extend(rule);
        in_network(&site.database, &command).map(drop)
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

/// The same with a network that takes its time: by netem, else by a link that is slow and loses nothing.
pub(crate) async fn latency(engine: &Engine, bases: &Bases) -> Result<String, BoxError> {
    let site = Site::new(engine, bases)?;
    let chosen = [NETEM, SLOW].into_iter().find(|one| {
        // Before anything else is started for it.
        queue(&site.database, "add", one).and_then(|()| queue(&site.database, "del", "")).is_ok()
    });
    let Some(chosen) = chosen else {
        let needs = "the kernel's netem or tbf and Debian's iproute2 are needed";
        return Err(NotRun(needs.into()).into());
    };
    let service = site.service("service", &[], &[])?;
    let mut statistics = String::new();
    let observed = under_load(&service.base()?, crowd("latency"), async || {
        queue(&site.database, "add", chosen)?;
        sleep(2 * OUTAGE).await;
        let show = ["tc", "-s", "qdisc", "show", "dev", "eth0"];
        statistics = in_network(&site.database, &show)?;
        queue(&site.database, "del", "")?;
        Ok(Instant::now())
    })
    .await?;
    // The first lines are of the queue, with what it has held back.
    let is_idle = |line: &str| line.contains(" overlimits 0 ") || line.contains("Sent 0 bytes");
    if chosen == SLOW && statistics.lines().any(is_idle) {
        return Err(format!("the link was never too slow: {statistics}").into());
    }
    let seen = evaluate(&observed, &[&service], &BOUNDS).await?;
    let how = if chosen == NETEM { "by netem" } else { "no netem: a link of 256 kbit/s" };
    Ok(format!("{how}; {seen}; p99 {:.0} ms", observed.stage.p99_ms))
}
