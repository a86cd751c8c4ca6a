//! What may change from stage to stage: who runs, and who answers. Everything else stays as it is.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::Faults;
use crate::manifests::{Manifests, Object};

/// What differs between stages, on purpose.
const ROUTE: &str = "HTTPRoute api";
/// What belongs to one service alone comes and goes with it.
const LEGACY: [&str; 5] = [
    "Deployment legacy",
    "HorizontalPodAutoscaler legacy",
    "PodDisruptionBudget legacy",
    "Service legacy",
    "ServiceAccount legacy",
];
/// The same for the Rust service, each with its name after it, and perhaps more.
const SERVICE: [(&str, &str); 10] = [
    ("Deployment", ""),
    ("HorizontalPodAutoscaler", ""),
    ("Job", "-migrate"),
    ("NetworkPolicy", ""),
    ("PodDisruptionBudget", ""),
    ("PrometheusRule", ""),
    ("Service", ""),
    ("Service", "-management"),
    ("ServiceAccount", ""),
    ("ServiceMonitor", ""),
];
const STRANGLER: [&str; 3] =
    ["ConfigMap strangler", "NetworkPolicy strangled", "NetworkPolicy strangler"];

/// Who runs in a stage: the old service, the Rust service, the strangler.
fn runs(stage: &str, service: &str) -> [(bool, Vec<String>); 3] {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let of_service = SERVICE.iter().map(|(kind, rest)| format!("{kind} {service}{rest}"));
    [
        (stage != "rust", owned(&LEGACY)),
        (stage != "legacy", of_service.collect()),
        (stage == "shadow", owned(&STRANGLER)),
    ]
}

/// Each stage against all of them: what is there, and what it says.
pub(crate) fn compare(stages: &[(&str, &Manifests)]) -> Vec<(usize, Faults)> {
    let every: Vec<&Object> = stages.iter().flat_map(|(_, all)| all.all()).collect();
    stages.iter().map(|(stage, all)| (all.len(), differences(stage, all, &every))).collect()
}

fn differences(stage: &str, all: &Manifests, every: &[&Object]) -> Faults {
    let mut expected: BTreeSet<_> = every.iter().map(|object| object.id()).collect();
    for (is_there, its) in runs(stage, &all.service) {
        if !is_there {
            for id in its {
                expected.remove(&id);
            }
        }
    }
    let found: BTreeSet<_> = all.all().map(Object::id).collect();
    let missing = expected.difference(&found).map(|id| format!("{id} is missing"));
    let more = found.difference(&expected).map(|id| format!("{id} should not be here"));
    let mut faults: Faults = missing.chain(more).collect();
    let deployment = format!("Deployment {}", all.service);
    for object in all.all() {
        let id = object.id();
        let other = every.iter().find(|other| other.id() == id);
        let Some(other) = other.filter(|_| id != ROUTE) else { continue };
        let same = if id == deployment {
            without_strangler(&object.value) == without_strangler(&other.value)
        } else {
            object.value == other.value
        };
        if !same {
            faults.push(format!("{id} is not what it is in the other stages"));
        }
    }
    faults
}

/// The deployment without what the strangler adds to it.
fn without_strangler(deployment: &Value) -> Value {
    let mut deployment = deployment.clone();
    let added = ["LEGACY_URL", "STRANGLER_PLAN", "strangler"];
    for list in [
        "/spec/template/spec/containers/0/env",
        "/spec/template/spec/containers/0/volumeMounts",
        "/spec/template/spec/volumes",
    ] {
        if let Some(Value::Array(list)) = deployment.pointer_mut(list) {
            list.retain(|one| !added.iter().any(|name| one["name"] == *name));
        }
    }
    deployment
}
