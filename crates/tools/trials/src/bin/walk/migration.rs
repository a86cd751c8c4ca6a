//! The strangler under test and what is done with it: plans, restarts, stages.

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::Value;
use testbed::{Service, rust_on};
use trials::BoxError;
use trials::clients::Load;

use crate::report::{Report, Step};

/// The password of the strangler's page.
pub(crate) const PASSWORD: &str = "the migration's own password";

/// The strangler under test, on a socket that outlives its processes.
pub(crate) struct Migration {
    pub(crate) socket: TcpListener,
    pub(crate) base: String,
    pub(crate) database: String,
    pub(crate) legacy_url: String,
    pub(crate) plan: PathBuf,
    pub(crate) molt: Option<Service>,
    pub(crate) management: String,
    /// Of the old service, in seconds.
    pub(crate) timeout: u64,
    pub(crate) http: reqwest::Client,
    pub(crate) bar: ProgressBar,
}

impl Migration {
    pub(crate) async fn start_molt(&self) -> Result<(Service, String), BoxError> {
        let plan = self.plan.display().to_string();
        let service = rust_on(
            &self.socket,
            &self.database,
            &[
                ("LEGACY_URL", &self.legacy_url),
                ("LEGACY_TIMEOUT_SECONDS", &self.timeout.to_string()),
                ("STRANGLER_PLAN", &plan),
                ("STRANGLER_PASSWORD", PASSWORD),
                ("MANAGEMENT_PORT", "0"),
                ("DRAIN_SECONDS", "1"),
                ("RUST_LOG", "warn"),
                // All clients sign in at about the same time, and none shall be refused.
                ("PASSWORD_QUEUE_SECONDS", "25"),
            ],
        )
        .await?;
        let management = service.management().await?;
        Ok((service, management))
    }

    /// Replaces the process: the new one takes over the socket before the old one stops.
    pub(crate) async fn restart(&mut self, report: &mut Report) -> Result<(), BoxError> {
        self.bar.set_message("restarting the Rust process");
        self.count_comparisons(report).await?;
        let (molt, management) = self.start_molt().await?;
        let old = self.molt.replace(molt);
        self.management = management;
        if let Some(old) = old {
            let log = old.log();
            if log.contains("panicked") {
                return Err(format!("a panic:\n{log}").into());
            }
            old.stop().await;
        }
        Ok(())
    }

    pub(crate) async fn state(&self) -> Result<Value, BoxError> {
        let url = format!("{}/_molt/state", self.management);
        let state = self.http.get(url).bearer_auth(PASSWORD).send().await?.bytes().await?;
        Ok(serde_json::from_slice(&state)?)
    }

    /// Adds the comparisons of this process to the report.
    pub(crate) async fn count_comparisons(&self, report: &mut Report) -> Result<(), BoxError> {
        let state = self.state().await?;
        for operation in state["operations"].as_array().into_iter().flatten() {
            let count = |what: &str| operation[what].as_u64().unwrap_or_default();
            report.mismatches += count("mismatches");
            report.compared += count("matches") + count("mismatches");
            let others = ["matches_without_emails", "accepted", "uncompared", "dropped", "noise"];
            report.uncompared += others.into_iter().map(count).sum::<u64>();
            let rehearsals = &operation["rehearsals"];
            report.rehearsed += rehearsals["requests"].as_u64().unwrap_or_default();
            let p50 = 1000.0 * rehearsals["p50"].as_f64().unwrap_or_default();
            report.rehearsal_p50_ms = report.rehearsal_p50_ms.max(p50);
            if count("mismatches") > 0 {
                let last = &operation["last_differences"];
                self.bar.suspend(|| println!("{} differs: {last:#}", operation["id"]));
            }
            if let Some(reason) = operation["fallback"].as_str() {
                self.bar.suspend(|| println!("{}: the canary failed: {reason}", operation["id"]));
            }
        }
        Ok(())
    }

    /// Replaces the plan of the strangler.
    pub(crate) async fn plan(&self, text: &str) -> Result<(), BoxError> {
        let url = format!("{}/_molt/plan", self.management);
        let put = self.http.put(url).bearer_auth(PASSWORD).body(text.to_owned());
        let answer = put.send().await?;
        match answer.status().as_u16() {
            204 => Ok(()),
            status => {
                Err(format!("the plan was refused with {status}: {}", answer.text().await?).into())
            }
        }
    }

    /// Waits until the clients have sent so many more requests, at most ten minutes.
    pub(crate) async fn stage(
        &self,
        name: &str,
        load: &Load,
        requests: u64,
        steps: &mut Vec<Step>,
    ) {
        self.bar.set_message(name.to_owned());
        let (start, before) = (Instant::now(), load.tally.requests());
        let done = self.bar.position();
        loop {
            let sent = load.tally.requests() - before;
            self.bar.set_position(done + sent.min(requests));
            if sent >= requests || start.elapsed() > Duration::from_mins(10) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        steps.push(Step { name: name.to_owned(), seen: load.tally.take() });
    }
}
