//! Whether what clients observed around a fault is what it may be.

use trials::Observed;

use crate::BoxError;
use crate::docker::Container;

/// What a fault may cost.
pub(crate) struct Bounds<'a> {
    /// The ends of the outcomes that are allowed: ` 503`, ` no answer`.
    pub outcomes: &'a [&'a str],
    /// Whether something has to fail: else there was no fault.
    pub must_fail: bool,
    /// How long after the end of the fault the first request must succeed, in seconds.
    pub recovery: f64,
    /// How long after it requests may fail, in seconds.
    pub last_failure: f64,
}

/// Nothing may fail.
pub(crate) const NOTHING: Bounds<'_> =
    Bounds { outcomes: &[], must_fail: false, recovery: 5.0, last_failure: 0.0 };

/// Evaluates it, and the logs of the services. Gives it in one line.
///
/// # Errors
/// When more was lost or failed, or for longer, than is allowed.
pub(crate) async fn evaluate(
    observed: &Observed,
    services: &[&Container<'_>],
    bounds: &Bounds<'_>,
) -> Result<String, BoxError> {
    let mut wrong = observed.stage.wrong.clone();
    for client in &observed.clients {
        wrong.extend(client.lost().await?.into_iter().map(|lost| format!("lost: {lost}")));
    }
    for (what, count) in &observed.stage.failures {
        if !bounds.outcomes.iter().any(|allowed| what.ends_with(allowed)) {
            wrong.push(format!("{count} {what}"));
        }
    }
    let failed = observed.stage.failed();
    let last = observed.last_failure_s.unwrap_or_default();
    for (holds, failure) in [
        (observed.stage.requests > 0, "no requests were sent"),
        (!observed.failed_early, "a request failed before there was a fault"),
        (failed > 0 || !bounds.must_fail, "no request failed: was there a fault?"),
        (observed.recovered_s < bounds.recovery, "the recovery took too long"),
        (last <= bounds.last_failure, "requests failed for too long after the fault"),
    ] {
        if !holds {
            wrong.push(failure.to_owned());
        }
    }
    for service in services {
        if service.log("all").contains("panicked") {
            wrong.push(format!("{} panicked", service.name));
        }
    }
    let failures = match failed {
        0 => String::new(),
        _ => format!(" ({})", observed.stage.failures_text()),
    };
    let late = if last > 0.0 { format!(", last failure after {last:.1} s") } else { String::new() };
    let seen = |lost: &str| {
        let (requests, recovered) = (observed.stage.requests, observed.recovered_s);
        format!(
            "{requests} requests, {failed} failed{failures}{lost}; served after {recovered:.1} s{late}"
        )
    };
    if wrong.is_empty() {
        return Ok(seen(", 0 lost"));
    }
    wrong.truncate(8);
    Err(format!("{}; {}", wrong.join("; "), seen("")).into())
}
