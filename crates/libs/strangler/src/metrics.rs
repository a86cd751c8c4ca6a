//! The statistics as Prometheus metrics.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::events::Event;
use crate::overview::OperationView;
use crate::plan::Mode;
use crate::side::{Figures, Side};
use crate::strangler::Strangler;

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

type Count = fn(&Figures) -> u64;

/// One side of an operation.
struct OfSide<'a> {
    labels: Labels<'a>,
    side: &'a Side,
    figures: Figures,
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    values: impl IntoIterator<Item = (impl EncodeLabelSet, f64)>,
) -> std::fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    values.into_iter().try_for_each(|(labels, value)| {
        ConstGauge::new(value).encode(family.encode_family(&labels)?)
    })
}

fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    values: impl IntoIterator<Item = (impl EncodeLabelSet, u64)>,
) -> std::fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    values.into_iter().try_for_each(|(labels, value)| {
        ConstCounter::new(value).encode(family.encode_family(&labels)?)
    })
}

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let encoder = &mut encoder;
        let strangler = &self.0;
        let overview = strangler.overview();
        let operations = &overview.operations;
        let mut sides = Vec::new();
        for (operation, statistics) in operations.iter().zip(&strangler.0.statistics) {
            for (name, side) in [
                ("legacy", &statistics.legacy),
                ("native", &statistics.native),
                ("rehearsal", &statistics.rehearsal),
            ] {
                let labels = [("operation", &*operation.id), ("side", name)];
                sides.push(OfSide { labels, side, figures: side.figures() });
            }
        }
        let side = &strangler.0.others.legacy;
        let labels = [("operation", "none"), ("side", "legacy")];
        sides.push(OfSide { labels, side, figures: side.figures() });
        self.sides(encoder, &sides)?;
        comparisons(encoder, operations)?;
        plan(encoder, operations)?;
        let error = f64::from(u8::from(overview.error.is_some()));
        let name = ("strangler_plan_error", "Whether the plan's file cannot be used, 0 or 1");
        gauge(encoder, name, [(NO_LABELS, error)])?;
        self.connections(encoder)
    }
}

impl Collected {
    #[expect(clippy::unused_self, reason = "one of the parts")]
    fn sides(&self, encoder: &mut DescriptorEncoder<'_>, sides: &[OfSide<'_>]) -> std::fmt::Result {
        let counts: [(_, _, Count); 3] = [
            (
                "strangler_requests",
                "Requests by the side that responded, or rehearsed",
                |figures| figures.requests,
            ),
            (
                "strangler_errors",
                "Responses with status 500 and above, and requests without one in time",
                |figures| figures.errors,
            ),
            ("strangler_cancelled", "Requests whose client left before the response", |figures| {
                figures.cancelled
            }),
        ];
        for (name, help, count) in counts {
            let values = sides.iter().map(|side| (side.labels, count(&side.figures)));
            counter(encoder, (name, help), values)?;
        }
        let name = "strangler_duration_seconds";
        let help = "Time to the response head";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for OfSide { labels, side, figures } in sides {
            let buckets = side.buckets();
            let count = buckets.iter().map(|(_, count)| count).sum();
            let mut family = family.encode_family(labels)?;
            family.encode_histogram::<NoLabelSet>(figures.seconds, count, &buckets, None)?;
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes and connections")]
    fn connections(&self, encoder: &mut DescriptorEncoder<'_>) -> std::fmt::Result {
        let inner = &self.0.0;
        let events = Event::ALL.map(|event| ([("event", event.name())], inner.events.get(event)));
        let help =
            "Upgrades, broken responses, clients that left, refusals, retries, wrong passwords";
        counter(encoder, ("strangler_events", help), events)?;
        let (requests, tunnels) = inner.proxy.in_flight();
        for (name, help, value) in [
            ("strangler_in_flight", "Requests at the old service", requests),
            ("strangler_tunnels", "Open WebSockets and the like", tunnels),
            (
                "strangler_comparison_bytes",
                "Memory of copies that wait to be compared",
                inner.shadow.budget.used().0,
            ),
            (
                "strangler_comparison_max_bytes",
                "What they may take",
                inner.settings.comparison_memory,
            ),
        ] {
            gauge(encoder, (name, help), [(NO_LABELS, value as f64)])?;
        }
        Ok(())
    }
}

fn comparisons(
    encoder: &mut DescriptorEncoder<'_>,
    operations: &[OperationView],
) -> std::fmt::Result {
    let values = operations.iter().flat_map(|operation| {
        let view = &operation.statistics;
        let verdicts = [
            ("match", view.matches),
            ("mismatch", view.mismatches),
            ("match_without_emails", view.matches_without_emails),
            ("noise", view.noise),
            ("accepted", view.accepted),
            ("uncompared", view.uncompared),
            ("dropped", view.dropped),
        ];
        verdicts
            .map(|(verdict, count)| ([("operation", &*operation.id), ("verdict", verdict)], count))
    });
    let name = ("strangler_comparisons", "Requests by result of the comparison");
    counter(encoder, name, values)
}

/// The state of the plan.
fn plan(encoder: &mut DescriptorEncoder<'_>, operations: &[OperationView]) -> std::fmt::Result {
    let modes = operations.iter().map(|operation| {
        let mode = match operation.mode {
            Mode::Legacy => "legacy",
            Mode::Shadow => "shadow",
            Mode::Canary(_) | Mode::Automatic => "canary",
            Mode::Native => "native",
        };
        ([("operation", &*operation.id), ("mode", mode)], 1.0)
    });
    gauge(encoder, ("strangler_mode", "The mode of each operation, 1"), modes)?;
    let of = |operation: &OperationView| [("operation", operation.id.clone())];
    let name = ("strangler_native_share", "Share of clients served by the new service, 0 to 1");
    let shares = operations.iter().map(|it| (of(it), f64::from(it.percent) / 100.0));
    gauge(encoder, name, shares)?;
    let help = "Canaries that failed and were returned to legacy, 0 or 1";
    let failed = operations.iter().map(|it| (of(it), f64::from(u8::from(it.fallback.is_some()))));
    gauge(encoder, ("strangler_canary_failed", help), failed)
}
