//! What may change from overlay to overlay: what runs, where the route leads, the strangler's settings,
//! and the protections that only the last stage has. Everything else stays as it is.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::Errors;
use crate::manifests::{Manifests, Object, list};

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
const STRANGLER: [&str; 5] = [
    "ConfigMap strangler",
    "ConfigMap strangler-dashboard",
    "NetworkPolicy strangled",
    "NetworkPolicy strangler",
    "PrometheusRule strangler",
];

/// Settings that are on in the last stage and off in the others, with the value that switches each off:
/// python-legacy has nothing like them. In production the limits are on unless they are switched off.
const PROTECTIONS: [(&str, &str); 3] = [
    ("SECURITY_HEADERS", "false"),
    ("SIGN_IN_LIMIT_BY_ADDRESS", "0"),
    ("SIGN_IN_LIMIT_BY_ACCOUNT", "0"),
];

/// What runs in an overlay: the old service, the Rust service, the strangler.
fn runs(overlay: &str, service: &str) -> [(bool, Vec<String>); 3] {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let of_service = SERVICE.iter().map(|(kind, rest)| format!("{kind} {service}{rest}"));
    [
        (overlay != "rust", owned(&LEGACY)),
        (overlay != "legacy", of_service.collect()),
        (["shadow", "shadow-prepare"].contains(&overlay), owned(&STRANGLER)),
    ]
}

/// Each stage against all of them: which objects are there, and what is in them.
pub(crate) fn compare(stages: &[(&str, &Manifests)]) -> Vec<(usize, Errors)> {
    let every: Vec<&Object> = stages.iter().flat_map(|(_, all)| all.all()).collect();
    stages.iter().map(|(stage, all)| (all.len(), differences(stage, all, &every))).collect()
}

fn differences(stage: &str, all: &Manifests, every: &[&Object]) -> Errors {
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
    let mut errors: Errors = missing.chain(more).collect();
    let deployment = format!("Deployment {}", all.service);
    for object in all.all() {
        let id = object.id();
        let other = every.iter().find(|other| other.id() == id);
        let Some(other) = other.filter(|_| id != ROUTE) else { continue };
        let same = if id == deployment {
            errors.extend(protections(stage, all, &object.value));
            without_additions(&object.value) == without_additions(&other.value)
        } else {
            object.value == other.value
        };
        if !same {
            errors.push(format!("{id} is not what it is in the other stages"));
        }
    }
    errors
}

/// The last stage has every protection, the others none.
fn protections(stage: &str, all: &Manifests, deployment: &Value) -> Errors {
    let containers = list(deployment, "/spec/template/spec/containers");
    let own = |name: &str| {
        let mut settings = containers.iter().flat_map(|one| list(one, "/env"));
        settings.find(|setting| setting["name"] == name)?["value"].as_str()
    };
    let shared = |name: &str| {
        let mut maps = all.of_kind("ConfigMap").filter(|map| map.name().starts_with("settings-"));
        maps.find_map(|map| map.value["data"][name].as_str())
    };
    let wrong = |(name, off): &(&str, &str)| {
        let value = own(name).or_else(|| shared(name));
        // Where it is not set, the limits are on and the headers are off.
        let is_on = value.map_or(*off == "0", |value| value != *off);
        if stage == "rust" {
            (value.is_none() || !is_on).then(|| format!("{name} is not set"))
        } else {
            is_on.then(|| format!("{name} is on, which python-legacy has not: set it to {off}"))
        }
    };
    PROTECTIONS.iter().filter_map(wrong).collect()
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
            list.retain(|one| {
                let mut names = added.iter().chain(PROTECTIONS.iter().map(|(name, _)| name));
                !names.any(|name| one["name"] == *name)
            });
        }
    }
    deployment
}
