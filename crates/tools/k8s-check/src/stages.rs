//! What may change from overlay to overlay: what runs, where the route leads, the strangler's settings,
//! and the protections that only the last stage has. Everything else stays as it is.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::Faults;
use crate::manifests::{Manifests, Object, list};

/// What differs between stages, on purpose.
const ROUTE: &str = "HTTPRoute api";
const DEPLOYMENT: &str = "Deployment molt";

/// What belongs to one service alone comes and goes with it.
const LEGACY: [&str; 5] = [
    "Deployment legacy",
    "HorizontalPodAutoscaler legacy",
    "PodDisruptionBudget legacy",
    "Service legacy",
    "ServiceAccount legacy",
];
const MOLT: [&str; 10] = [
    DEPLOYMENT,
    "HorizontalPodAutoscaler molt",
    "Job molt-migrate",
    "NetworkPolicy molt",
    "PodDisruptionBudget molt",
    "PrometheusRule molt",
    "Service molt",
    "Service molt-management",
    "ServiceAccount molt",
    "ServiceMonitor molt",
];
const STRANGLER: [&str; 3] =
    ["ConfigMap strangler", "NetworkPolicy strangled", "NetworkPolicy strangler"];

/// Settings that the last stage must have, and no other may: python-legacy has nothing like them.
const PROTECTIONS: [&str; 3] =
    ["SECURITY_HEADERS", "SIGN_IN_LIMIT_BY_ADDRESS", "SIGN_IN_LIMIT_BY_ACCOUNT"];

/// What runs in an overlay: legacy, molt, the strangler.
fn runs(overlay: &str) -> [(bool, &'static [&'static str]); 3] {
    let has_strangler = ["shadow", "shadow-prepare"].contains(&overlay);
    [(overlay != "rust", &LEGACY), (overlay != "legacy", &MOLT), (has_strangler, &STRANGLER)]
}

/// Each stage against all of them: what is there, and what it says.
pub(crate) fn compare(stages: &[(&str, &Manifests)]) -> Vec<(usize, Faults)> {
    let every: Vec<&Object> = stages.iter().flat_map(|(_, all)| all.all()).collect();
    stages.iter().map(|(stage, all)| (all.len(), differences(stage, all, &every))).collect()
}

fn differences(stage: &str, all: &Manifests, every: &[&Object]) -> Faults {
    let mut expected: BTreeSet<_> = every.iter().map(|object| object.id()).collect();
    for (is_there, its) in runs(stage) {
        if !is_there {
            for &id in its {
                expected.remove(id);
            }
        }
    }
    let found: BTreeSet<_> = all.all().map(Object::id).collect();
    let missing = expected.difference(&found).map(|id| format!("{id} is missing"));
    let more = found.difference(&expected).map(|id| format!("{id} should not be here"));
    let mut faults: Faults = missing.chain(more).collect();
    for object in all.all() {
        let id = object.id();
        let other = every.iter().find(|other| other.id() == id);
        let Some(other) = other.filter(|_| id != ROUTE) else { continue };
        let same = if id == DEPLOYMENT {
            faults.extend(protections(stage, &object.value));
            without_additions(&object.value) == without_additions(&other.value)
        } else {
            object.value == other.value
        };
        if !same {
            faults.push(format!("{id} is not what it is in the other stages"));
        }
    }
    faults
}

/// The last stage has every protection, the others none.
fn protections(stage: &str, deployment: &Value) -> Faults {
    let containers = list(deployment, "/spec/template/spec/containers");
    let has = |name: &&str| {
        let mut settings = containers.iter().flat_map(|one| list(one, "/env"));
        settings.any(|setting| setting["name"] == **name && setting["value"] != "false")
    };
    let wrong = |name: &&&str| has(name) != (stage == "rust");
    let text = if stage == "rust" { "is not set" } else { "is set, which python-legacy has not" };
    PROTECTIONS.iter().filter(wrong).map(|name| format!("{name} {text}")).collect()
}

/// The deployment without what some overlays add to it.
fn without_additions(deployment: &Value) -> Value {
    let mut deployment = deployment.clone();
    let added = ["LEGACY_URL", "STRANGLER_PLAN", "strangler"];
    for list in [
        "/spec/template/spec/containers/0/env",
        "/spec/template/spec/containers/0/volumeMounts",
        "/spec/template/spec/volumes",
    ] {
        if let Some(Value::Array(list)) = deployment.pointer_mut(list) {
            list.retain(|one| !added.iter().chain(&PROTECTIONS).any(|name| one["name"] == *name));
        }
    }
    deployment
}
