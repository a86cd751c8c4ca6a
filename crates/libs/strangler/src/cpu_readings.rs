//! Reading the metrics with the old service's CPU.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::cpu::{CpuSource, Reading, cpu_seconds};
use crate::strangler::Strangler;

impl Strangler {
    /// Reads the old service's metrics for as long as the strangler is there.
    pub(crate) fn watch_cpu(&self, source: CpuSource) {
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(source.interval.max(Duration::from_millis(1)));
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(inner) = inner.upgrade() else { return };
                let Some(cpu) = &inner.cpu else { return };
                let text = inner.proxy.read(&source.metrics).await;
                let reading = text.and_then(|text| cpu_seconds(&text)).map(|cpu_seconds| {
                    let requests = inner.statistics.iter().map(|one| one.requests_to_legacy());
                    let requests = requests.chain([inner.others.requests_to_legacy()]);
                    Reading { at: Instant::now(), cpu_seconds, requests: requests.collect() }
                });
                cpu.observe(reading.map_err(|error| format!("{}: {error}", source.metrics)));
            }
        });
    }
}
