//! The statistics as Prometheus metrics.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::Strangler;
use crate::page::OperationView;
use crate::plan::Mode;
use crate::statistics::{Figures, View};

impl Strangler {
    /// Registers the metrics `strangler_*`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(Collected(self.clone())));
    }
}

struct Collected(Strangler);

impl std::fmt::Debug for Collected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Collected")
    }
}

const NO_LABELS: [(&str, &str); 0] = [];

type Labels<'a> = [(&'static str, &'a str); 2];

/// Both sides of an operation and what the new one rehearsed, with their labels.
fn sides(operation: &OperationView) -> [(Labels<'_>, &Figures); 3] {
    let labels = |side| [("operation", &*operation.id), ("side", side)];
    let View { legacy, native, rehearsals, .. } = &operation.statistics;
    [(labels("legacy"), legacy), (labels("native"), native), (labels("rehearsal"), rehearsals)]
}

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let overview = self.0.overview();
        let counter = ConstCounter::new(0u64).metric_type();
        let gauge = ConstGauge::new(0.0f64).metric_type();
        let sides: Vec<_> = overview.operations.iter().flat_map(sides).collect();

        let help = "Requests by the side that responded, or rehearsed";
        let mut family = encoder.encode_descriptor("strangler_requests", help, None, counter)?;
        for (labels, figures) in &sides {
            ConstCounter::new(figures.requests).encode(family.encode_family(labels)?)?;
        }
        let help = "Responses with status 500 and above";
        let mut family = encoder.encode_descriptor("strangler_errors", help, None, counter)?;
        for (labels, figures) in &sides {
            ConstCounter::new(figures.errors).encode(family.encode_family(labels)?)?;
        }
        let help = "Requests whose client left before the response";
        let mut family = encoder.encode_descriptor("strangler_cancelled", help, None, counter)?;
        for (labels, figures) in &sides {
            ConstCounter::new(figures.cancelled).encode(family.encode_family(labels)?)?;
        }
        let help = "Time to the response head";
        let mut family =
            encoder.encode_descriptor("strangler_latency_seconds", help, None, gauge)?;
        for ([operation, side], figures) in &sides {
            let quantiles = [("0.5", figures.p50), ("0.9", figures.p90), ("0.99", figures.p99)];
            for (quantile, seconds) in quantiles {
                let Some(seconds) = seconds else { continue };
                let labels = [*operation, *side, ("quantile", quantile)];
                ConstGauge::new(seconds).encode(family.encode_family(&labels)?)?;
            }
        }
        let mut family = encoder.encode_descriptor(
            "strangler_comparisons",
            "Shadowed requests by result of the comparison",
            None,
            counter,
        )?;
        for operation in &overview.operations {
            let view = &operation.statistics;
            for (verdict, count) in [
                ("match", view.matches),
                ("mismatch", view.mismatches),
                ("noise", view.noise),
                ("accepted", view.accepted),
                ("uncompared", view.uncompared),
                ("dropped", view.dropped),
            ] {
                let labels = [("operation", &*operation.id), ("verdict", verdict)];
                ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
            }
        }
        let mut family = encoder.encode_descriptor(
            "strangler_native_share",
            "Share of clients served by the new service, 0 to 1",
            None,
            gauge,
        )?;
        for operation in &overview.operations {
            let share = match operation.mode {
                Mode::Native => 1.0,
                Mode::Canary(percent) if operation.fallback.is_none() => f64::from(percent) / 100.0,
                _ => 0.0,
            };
            let labels = [("operation", &*operation.id)];
            ConstGauge::new(share).encode(family.encode_family(&labels)?)?;
        }
        let help = "Canaries that failed and were returned to legacy, 0 or 1";
        let mut family = encoder.encode_descriptor("strangler_canary_failed", help, None, gauge)?;
        for operation in &overview.operations {
            let labels = [("operation", &*operation.id)];
            let failed = f64::from(u8::from(operation.fallback.is_some()));
            ConstGauge::new(failed).encode(family.encode_family(&labels)?)?;
        }
        let help = "Whether the plan's file cannot be used, 0 or 1";
        let mut family = encoder.encode_descriptor("strangler_plan_fault", help, None, gauge)?;
        let fault = f64::from(u8::from(overview.error.is_some()));
        ConstGauge::new(fault).encode(family.encode_family(&NO_LABELS)?)
    }
}
