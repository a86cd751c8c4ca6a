//! Several hosts: services and databases on private networks that fail, lose packets and lag; hosts that
//! stop. No write that was acknowledged may be lost, nothing answered with 500, and the recovery has a
//! bound.

mod bodies;
mod crash;
mod evaluation;
mod loss;
mod partition;
mod replica;
mod rolling;
mod site;
mod tls;

use tokio::runtime::Runtime;

use crate::engine::Engine;
use crate::images::Bases;
use crate::report::Report;
use crate::{BoxError, Cli};

/// Every check, in the order in which they run: those that take long come last, for which there may be
/// no time.
pub(crate) const NAMES: [&str; 9] = [
    "the worst bodies under the manifest's memory limit",
    "the service is cut off from its database",
    "PostgreSQL is killed, and started on the same volume",
    "TLS to PostgreSQL, verify-full",
    "one packet of twenty is lost on the way to the database",
    "latency, and packets lost, on the way to the database (netem)",
    "the strangler is cut off from the old service",
    "lists come from a replica that is two seconds behind",
    "a host fails in the middle of a rolling restart",
];

/// Runs the checks that there is time for.
///
/// # Errors
/// When there is no runtime.
pub(crate) fn check(
    engine: &Engine,
    bases: &Bases,
    cli: &Cli,
    report: &mut Report,
) -> Result<(), BoxError> {
    let runtime = Runtime::new()?;
    for (number, name) in NAMES.iter().enumerate() {
        if cli.only.as_ref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        report.run(name, || {
            runtime.block_on(async {
                match number {
                    0 => bodies::worst(engine, bases, cli.short).await,
                    1 => partition::database(engine, bases).await,
                    2 => crash::database(engine, bases).await,
                    3 => tls::verified(engine, bases, &cli.output).await,
                    4 => loss::packets(engine, bases).await,
                    5 => loss::latency(engine, bases).await,
                    6 => partition::legacy(engine, bases, &cli.output).await,
                    7 => replica::lags(engine, bases).await,
                    _ => rolling::host_fails(engine, bases).await,
                }
            })
        });
    }
    Ok(())
}
