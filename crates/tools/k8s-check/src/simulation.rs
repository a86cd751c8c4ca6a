//! A model of a cluster, changed command by command: what exists, what is ready and where the route
//! points is known at every moment, and a route to something that is not ready is an error.
//!
//! The model is pessimistic: what `apply` creates is not ready until a command has waited for it, and
//! the gateway may serve the route before the last one until a `sleep`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Errors;
use crate::assertions::references;
use crate::manifests::{Manifests, Object, list, matches};

/// How long a gateway may take to serve a new route, in seconds.
const GATEWAY_SECONDS: u64 = 10;

/// A Deployment or a Job that exists.
#[derive(Clone, Copy)]
struct Readiness {
    /// Pods are ready, of this version or the one before.
    serves: bool,
    /// All pods are of this version, or the Job is complete.
    is_current: bool,
    /// As many pods are ready as the autoscaler wants at least.
    is_scaled: bool,
}

const READY: Readiness = Readiness { serves: true, is_current: true, is_scaled: true };
const NEW: Readiness = Readiness { serves: false, is_current: false, is_scaled: false };

pub(crate) struct Cluster {
    /// The name of the service.
    service: String,
    objects: BTreeMap<String, Value>,
    readiness: BTreeMap<String, Readiness>,
    /// The rules of the route before the last, while the gateway may still serve them.
    earlier_routes: Vec<Vec<Value>>,
}

impl Cluster {
    /// Everything of a stage, ready.
    pub(crate) fn running(stage: &Manifests) -> Self {
        let objects = by_id(stage);
        let workloads = objects.keys().filter(|id| is_workload(id));
        let readiness = workloads.map(|id| (id.clone(), READY)).collect();
        Self { service: stage.service.clone(), objects, readiness, earlier_routes: Vec::new() }
    }

    pub(crate) fn previous_images(&mut self) {
        for object in self.objects.values_mut() {
            let containers = object.pointer_mut("/spec/template/spec/containers");
            for container in containers.and_then(Value::as_array_mut).into_iter().flatten() {
                container["image"] = "previous:1".into();
            }
        }
    }

    /// Carries out a command. Gives what is wrong with it at this moment.
    ///
    /// # Errors
    /// When the command is not one that this model knows.
    pub(crate) fn run(
        &mut self,
        words: &[&str],
        overlays: &BTreeMap<String, Manifests>,
    ) -> Result<Errors, String> {
        let words: Vec<_> = match words {
            ["kubectl", "-n", _, rest @ ..] => rest.to_vec(),
            ["kubectl", rest @ ..] => rest.to_vec(),
            ["sleep", seconds] => {
                if seconds.parse::<u64>().is_ok_and(|seconds| seconds >= GATEWAY_SECONDS) {
                    self.earlier_routes.clear();
                }
                return Ok(Errors::new());
            }
            _ => return Err("the simulation does not know this command".into()),
        };
        match words.as_slice() {
            ["apply", "-k", folder] => {
                let name = folder.rsplit('/').next().unwrap_or_default();
                let overlay = overlays.get(name).ok_or(format!("there is no overlay {name}"))?;
                Ok(self.apply(overlay))
            }
            ["rollout", "status", target, ..] => Ok(self.wait_for(target, |readiness| {
                readiness.serves = true;
                readiness.is_current = true;
            })),
            ["wait", condition, target, ..] if *condition == "--for=condition=complete" => {
                Ok(self.wait_for(target, |readiness| *readiness = READY))
            }
            ["wait", condition, target, ..] if condition.contains("readyReplicas") => {
                let wanted = condition.rsplit('=').next().and_then(|n| n.parse::<u64>().ok());
                let minimum = self.minimum(target);
                if wanted.unwrap_or_default() < minimum {
                    return Ok(vec![format!("the autoscaler's minimum is {minimum}")]);
                }
                Ok(self.wait_for(target, |readiness| {
                    readiness.serves = true;
                    readiness.is_scaled = true;
                }))
            }
            ["delete", rest @ ..] => Ok(self.delete(rest)),
            ["port-forward" | "get" | "logs", ..] => Ok(Errors::new()),
            _ => Err("the simulation does not know this command".into()),
        }
    }

    fn apply(&mut self, overlay: &Manifests) -> Errors {
        let mut errors = Errors::new();
        let before = self.route();
        let mut changed = BTreeSet::new();
        for (id, value) in by_id(overlay) {
            let known = self.objects.get(&id);
            if known == Some(&value) {
                continue;
            }
            if is_workload(&id) {
                match known {
                    None => _ = self.readiness.insert(id.clone(), NEW),
                    Some(_) if id.starts_with("Job ") => {
                        errors.push(format!("{id} cannot be changed: delete it first"));
                    }
                    Some(_) => {
                        let rolls = value["spec"]["strategy"]["type"] == "RollingUpdate"
                            && value["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0;
                        if let Some(readiness) = self.readiness.get_mut(&id) {
                            readiness.is_current = false;
                            readiness.serves &= rolls;
                        }
                    }
                }
                changed.insert(id.clone());
            }
            self.objects.insert(id, value);
        }
        let after = self.route();
        if before != after {
            errors.extend(self.gains(&before, &after));
            self.earlier_routes.push(before);
        }
        errors
    }

    /// A Service that gets a greater share of requests than before must have been waited for.
    fn gains(&self, before: &[Value], after: &[Value]) -> Errors {
        let mut errors = Errors::new();
        for rule in after {
            let earlier = before
                .iter()
                .find(|one| one["matches"] == rule["matches"])
                .or_else(|| before.iter().find(|one| one.get("matches").is_none()));
            let earlier = earlier.map(shares).unwrap_or_default();
            for (service, share) in shares(rule) {
                if share <= earlier.get(&service).copied().unwrap_or_default() {
                    continue;
                }
                for id in self.behind(&service) {
                    let readiness = self.readiness.get(&id).copied().unwrap_or(NEW);
                    if !readiness.is_current {
                        errors.push(format!(
                            "the route moves to {service} before {id} has been rolled out"
                        ));
                    } else if !readiness.is_scaled {
                        errors.push(format!(
                            "the route moves to {service} before {id} has its minimum of ready pods"
                        ));
                    }
                }
            }
        }
        errors
    }

    fn wait_for(&mut self, target: &str, ready: impl Fn(&mut Readiness)) -> Errors {
        let id = id_of(target);
        match self.readiness.get_mut(&id) {
            Some(readiness) => {
                ready(readiness);
                Errors::new()
            }
            None => vec![format!("{id} does not exist")],
        }
    }

    /// `delete kind,kind name`, `delete kind name name` or `delete kind/name kind/name`.
    fn delete(&mut self, words: &[&str]) -> Errors {
        let (flags, words): (Vec<_>, Vec<_>) =
            words.iter().copied().partition(|word| word.starts_with("--"));
        let ids: Vec<_> = match words.as_slice() {
            all if all.iter().all(|word| word.contains('/')) => {
                all.iter().map(|word| id_of(word)).collect()
            }
            [kinds, names @ ..] => kinds
                .split(',')
                .flat_map(|kind| names.iter().map(move |name| id_of(&format!("{kind}/{name}"))))
                .collect(),
            [] => Vec::new(),
        };
        let may_be_missing = flags.contains(&"--ignore-not-found");
        let mut errors = Errors::new();
        for id in ids {
            self.readiness.remove(&id);
            if self.objects.remove(&id).is_none() && !may_be_missing {
                errors.push(format!("{id} does not exist"));
            }
        }
        errors
    }

    /// What must hold at every moment.
    pub(crate) fn check(&self) -> Errors {
        let mut errors = Errors::new();
        let route = self.route();
        for rules in self.earlier_routes.iter().chain([&route]) {
            for rule in rules {
                let shares = shares(rule);
                if shares.values().all(|share| *share == 0.0) {
                    errors.push("a rule of the route leads nowhere".into());
                }
                for (service, share) in shares {
                    errors.extend(self.serves(&service, share));
                }
            }
        }
        let live = Manifests::from_values(&self.service, self.objects.values().cloned());
        errors.extend(references(&live).1);
        errors.sort();
        errors.dedup();
        errors
    }

    /// What keeps a Service from answering its share of the requests.
    fn serves(&self, service: &str, share: f64) -> Errors {
        if !self.objects.contains_key(&format!("Service {service}")) {
            return vec![format!("the route names the Service {service}, which does not exist")];
        }
        if share == 0.0 {
            return Errors::new();
        }
        let behind = self.behind(service);
        if behind.is_empty() {
            return vec![format!("the route leads to {service}, which has no pods")];
        }
        let mut errors = Errors::new();
        for id in behind {
            if !self.readiness.get(&id).is_some_and(|readiness| readiness.serves) {
                errors.push(format!("the route leads to {service}, but {id} is not ready"));
            }
            // The strangler needs what is behind it.
            for name in self.proxied(&id) {
                errors.extend(self.serves(&name, share));
            }
        }
        errors
    }

    /// The Deployments whose pods a Service selects.
    fn behind(&self, service: &str) -> Vec<String> {
        let Some(service) = self.objects.get(&format!("Service {service}")) else {
            return Vec::new();
        };
        let selector = &service["spec"]["selector"];
        let deployments = self.objects.iter().filter(|(id, _)| id.starts_with("Deployment "));
        deployments
            .filter(|(_, one)| matches(selector, &one["spec"]["template"]["metadata"]["labels"]))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// The Services that a Deployment passes requests on to.
    fn proxied(&self, id: &str) -> Vec<String> {
        let Some(deployment) = self.objects.get(id) else { return Vec::new() };
        let containers = list(deployment, "/spec/template/spec/containers");
        let settings = containers.iter().flat_map(|one| list(one, "/env"));
        settings
            .filter(|setting| setting["name"] == "LEGACY_URL")
            .filter_map(|setting| setting["value"].as_str()?.strip_prefix("http://"))
            .map(str::to_owned)
            .collect()
    }

    /// The fewest pods that the autoscaler of a Deployment keeps.
    fn minimum(&self, target: &str) -> u64 {
        let name = target.rsplit('/').next().unwrap_or_default();
        let scalers =
            self.objects.iter().filter(|(id, _)| id.starts_with("HorizontalPodAutoscaler "));
        scalers
            .filter(|(_, scaler)| scaler["spec"]["scaleTargetRef"]["name"] == name)
            .filter_map(|(_, scaler)| scaler["spec"]["minReplicas"].as_u64())
            .max()
            .unwrap_or(1)
    }

    fn route(&self) -> Vec<Value> {
        let routes = self.objects.iter().filter(|(id, _)| id.starts_with("HTTPRoute "));
        routes.flat_map(|(_, route)| list(route, "/spec/rules")).cloned().collect()
    }

    /// What is left over, missing or not waited for when the step is done.
    pub(crate) fn differs_from(&self, stage: &Manifests) -> Errors {
        let wanted = by_id(stage);
        let mut errors = Errors::new();
        for id in self.objects.keys().filter(|id| !wanted.contains_key(*id)) {
            errors.push(format!("{id} is left over"));
        }
        for (id, value) in &wanted {
            match self.objects.get(id) {
                // A Job is removed when its time is over.
                None if id.starts_with("Job ") => {}
                None => errors.push(format!("{id} is missing")),
                Some(live) if live != value => errors.push(format!("{id} is not as in the stage")),
                Some(_) => {}
            }
        }
        for (id, readiness) in &self.readiness {
            if !readiness.is_current {
                errors.push(format!("nothing has waited for {id}"));
            }
        }
        errors
    }
}

fn is_workload(id: &str) -> bool {
    id.starts_with("Deployment ") || id.starts_with("Job ")
}

fn by_id(stage: &Manifests) -> BTreeMap<String, Value> {
    stage.all().map(|object| (Object::id(object), object.value.clone())).collect()
}

/// `deployment/molt` is `Deployment molt`.
fn id_of(target: &str) -> String {
    let (kind, name) = target.split_once('/').unwrap_or((target, ""));
    let kind = match kind {
        "deployment" | "deployments" | "deploy" => "Deployment",
        "service" | "services" | "svc" => "Service",
        "serviceaccount" | "sa" => "ServiceAccount",
        "poddisruptionbudget" | "pdb" => "PodDisruptionBudget",
        "horizontalpodautoscaler" | "hpa" => "HorizontalPodAutoscaler",
        "configmap" | "cm" => "ConfigMap",
        "networkpolicy" | "netpol" => "NetworkPolicy",
        "job" | "jobs" => "Job",
        "servicemonitor" => "ServiceMonitor",
        "prometheusrule" => "PrometheusRule",
        other => other,
    };
    format!("{kind} {name}")
}

/// The part of a rule's requests that each of its Services gets.
fn shares(rule: &Value) -> BTreeMap<String, f64> {
    let backends = list(rule, "/backendRefs");
    let weight = |backend: &Value| {
        let weight = backend["weight"].as_u64().unwrap_or(1);
        f64::from(u32::try_from(weight).unwrap_or(u32::MAX))
    };
    let total: f64 = backends.iter().map(weight).sum();
    let share = |backend: &Value| if total > 0.0 { weight(backend) / total } else { 0.0 };
    backends
        .iter()
        .map(|one| (one["name"].as_str().unwrap_or_default().to_owned(), share(one)))
        .collect()
}
