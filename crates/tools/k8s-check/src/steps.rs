//! The steps from stage to stage, as the page of the manifests gives their commands: each is simulated
//! event by event. What exists, what is ready and where the route points is known at every moment, and
//! a route to something that is not ready is an error.
//!
//! The model is pessimistic: what `apply` creates is not ready until a command has waited for it, and
//! the gateway may serve the route before the last one until a `sleep`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::assertions::references;
use crate::manifests::{Manifests, Object, list, matches};
use crate::{Faults, STAGES};

/// How long a gateway may take to serve a new route, in seconds.
const GATEWAY_SECONDS: u64 = 10;

/// One step: a heading `### from → to` and the commands of the shell blocks below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub from: String,
    pub to: String,
    pub commands: Vec<String>,
}

impl Step {
    pub(crate) fn name(&self) -> String {
        format!("{} → {}", self.from, self.to)
    }
}

/// The steps of a page in Markdown. Comments, blank lines and line continuations are resolved.
pub(crate) fn parse(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_code = false;
    let mut is_step = false;
    let mut pending = String::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix('#').filter(|_| !is_code) {
            let title = heading.trim_start_matches('#').trim();
            let title = title.split_once(':').map_or(title, |(title, _)| title);
            let ends = title.split_once(" → ");
            is_step = ends.is_some();
            steps.extend(ends.map(|(from, to)| Step {
                from: from.trim().to_owned(),
                to: to.trim().to_owned(),
                commands: Vec::new(),
            }));
        } else if line.starts_with("```") {
            is_code = !is_code && line.starts_with("```sh");
        } else if is_code
            && is_step
            && let Some(step) = steps.last_mut()
        {
            let line = line.split_once(" #").map_or(line, |(command, _)| command).trim();
            if let Some(start) = line.strip_suffix('\\') {
                pending.push_str(start);
            } else if !line.is_empty() && !line.starts_with('#') {
                step.commands.push(std::mem::take(&mut pending) + line);
            }
        }
    }
    steps
}

/// Which of the steps there and back are not on the page, given the stages whose overlays exist.
pub(crate) fn missing(steps: &[Step], overlays: &BTreeMap<String, Manifests>) -> Faults {
    let stages: Vec<_> = STAGES.into_iter().filter(|stage| overlays.contains_key(*stage)).collect();
    let there = stages.windows(2).map(|pair| (pair[0], pair[1]));
    let back = stages.windows(2).map(|pair| (pair[1], pair[0]));
    let release = stages.last().map(|last| (*last, *last));
    there
        .chain(back)
        .chain(release)
        .filter(|(from, to)| !steps.iter().any(|step| step.from == *from && step.to == *to))
        .map(|(from, to)| format!("the page has no step {from} → {to}"))
        .collect()
}

/// Simulates a step. Gives the number of events, and what went wrong at which of them.
pub(crate) fn simulate(step: &Step, overlays: &BTreeMap<String, Manifests>) -> (usize, Faults) {
    let mut faults = Faults::new();
    let (Some(from), Some(to)) = (overlays.get(&step.from), overlays.get(&step.to)) else {
        return (0, vec![format!("{}: there is no such overlay", step.name())]);
    };
    let mut cluster = Cluster::running(from);
    if step.from == step.to {
        // A release: what runs is the version before.
        cluster.previous_images();
    }
    for command in &step.commands {
        let words: Vec<_> = command.split_whitespace().collect();
        let mut found = match cluster.run(&words, overlays) {
            Ok(found) => found,
            Err(error) => vec![error],
        };
        found.extend(cluster.check());
        faults
            .extend(found.into_iter().map(|fault| format!("{}: {command}: {fault}", step.name())));
    }
    let left = cluster.differs_from(to);
    faults.extend(left.into_iter().map(|fault| format!("{}: at the end, {fault}", step.name())));
    (step.commands.len(), faults)
}

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

struct Cluster {
    /// The name of the service.
    service: String,
    objects: BTreeMap<String, Value>,
    readiness: BTreeMap<String, Readiness>,
    /// The rules of the route before the last, while the gateway may still serve them.
    earlier_routes: Vec<Vec<Value>>,
}

impl Cluster {
    /// Everything of a stage, ready.
    fn running(stage: &Manifests) -> Self {
        let objects = by_id(stage);
        let workloads = objects.keys().filter(|id| is_workload(id));
        let readiness = workloads.map(|id| (id.clone(), READY)).collect();
        Self { service: stage.service.clone(), objects, readiness, earlier_routes: Vec::new() }
    }

    fn previous_images(&mut self) {
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
    fn run(
        &mut self,
        words: &[&str],
        overlays: &BTreeMap<String, Manifests>,
    ) -> Result<Faults, String> {
        let words: Vec<_> = match words {
            ["kubectl", "-n", _, rest @ ..] => rest.to_vec(),
            ["kubectl", rest @ ..] => rest.to_vec(),
            ["sleep", seconds] => {
                if seconds.parse::<u64>().is_ok_and(|seconds| seconds >= GATEWAY_SECONDS) {
                    self.earlier_routes.clear();
                }
                return Ok(Faults::new());
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
            ["port-forward" | "get" | "logs", ..] => Ok(Faults::new()),
            _ => Err("the simulation does not know this command".into()),
        }
    }

    fn apply(&mut self, overlay: &Manifests) -> Faults {
        let mut faults = Faults::new();
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
                        faults.push(format!("{id} cannot be changed: delete it first"));
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
            faults.extend(self.gains(&before, &after));
            self.earlier_routes.push(before);
        }
        faults
    }

    /// A Service that gets a greater share of requests than before must have been waited for.
    fn gains(&self, before: &[Value], after: &[Value]) -> Faults {
        let mut faults = Faults::new();
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
                        faults.push(format!(
                            "the route moves to {service} before {id} has been rolled out"
                        ));
                    } else if !readiness.is_scaled {
                        faults.push(format!(
                            "the route moves to {service} before {id} has its minimum of ready pods"
                        ));
                    }
                }
            }
        }
        faults
    }

    fn wait_for(&mut self, target: &str, ready: impl Fn(&mut Readiness)) -> Faults {
        let id = id_of(target);
        match self.readiness.get_mut(&id) {
            Some(readiness) => {
                ready(readiness);
                Faults::new()
            }
            None => vec![format!("{id} does not exist")],
        }
    }

    /// `delete kind,kind name`, `delete kind name name` or `delete kind/name kind/name`.
    fn delete(&mut self, words: &[&str]) -> Faults {
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
        let mut faults = Faults::new();
        for id in ids {
            self.readiness.remove(&id);
            if self.objects.remove(&id).is_none() && !may_be_missing {
                faults.push(format!("{id} does not exist"));
            }
        }
        faults
    }

    /// What must hold at every moment.
    fn check(&self) -> Faults {
        let mut faults = Faults::new();
        let route = self.route();
        for rules in self.earlier_routes.iter().chain([&route]) {
            for rule in rules {
                let shares = shares(rule);
                if shares.values().all(|share| *share == 0.0) {
                    faults.push("a rule of the route leads nowhere".into());
                }
                for (service, share) in shares {
                    faults.extend(self.serves(&service, share));
                }
            }
        }
        let live = Manifests::from_values(&self.service, self.objects.values().cloned());
        faults.extend(references(&live).1);
        faults.sort();
        faults.dedup();
        faults
    }

    /// What keeps a Service from answering its share of the requests.
    fn serves(&self, service: &str, share: f64) -> Faults {
        if !self.objects.contains_key(&format!("Service {service}")) {
            return vec![format!("the route names the Service {service}, which does not exist")];
        }
        if share == 0.0 {
            return Faults::new();
        }
        let behind = self.behind(service);
        if behind.is_empty() {
            return vec![format!("the route leads to {service}, which has no pods")];
        }
        let mut faults = Faults::new();
        for id in behind {
            if !self.readiness.get(&id).is_some_and(|readiness| readiness.serves) {
                faults.push(format!("the route leads to {service}, but {id} is not ready"));
            }
            // The strangler needs what is behind it.
            for name in self.proxied(&id) {
                faults.extend(self.serves(&name, share));
            }
        }
        faults
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
    fn differs_from(&self, stage: &Manifests) -> Faults {
        let wanted = by_id(stage);
        let mut faults = Faults::new();
        for id in self.objects.keys().filter(|id| !wanted.contains_key(*id)) {
            faults.push(format!("{id} is left over"));
        }
        for (id, value) in &wanted {
            match self.objects.get(id) {
                // A Job is removed when its time is over.
                None if id.starts_with("Job ") => {}
                None => faults.push(format!("{id} is missing")),
                Some(live) if live != value => faults.push(format!("{id} is not as in the stage")),
                Some(_) => {}
            }
        }
        for (id, readiness) in &self.readiness {
            if !readiness.is_current {
                faults.push(format!("nothing has waited for {id}"));
            }
        }
        faults
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

/// Breaks the steps and overlays in the ways in which they are usually wrong, and simulates each: the
/// number of those that were seen, and the ones that were not.
pub(crate) fn self_test(steps: &[Step], overlays: &BTreeMap<String, Manifests>) -> (usize, Faults) {
    let mut seen = 0;
    let mut unseen = Faults::new();
    let mut demand = |step: &Step, overlays: &BTreeMap<String, Manifests>, what: String| {
        if simulate(step, overlays).1.is_empty() {
            unseen.push(format!("{}: {what}: nothing was seen", step.name()));
        } else {
            seen += 1;
        }
    };
    for step in steps.iter().filter(|step| simulate(step, overlays).1.is_empty()) {
        for (index, command) in step.commands.iter().enumerate() {
            // A job's completion is waited for by the rollout too.
            if command.contains("port-forward") || command.contains("job/") {
                continue;
            }
            let mut broken = step.clone();
            broken.commands.remove(index);
            demand(&broken, overlays, format!("without `{command}`"));
        }
        // A release changes what serves: without rolling updates it is an outage.
        if step.from == step.to {
            let recreated =
                overlays.iter().map(|(name, all)| (name.clone(), recreating(all))).collect();
            demand(step, &recreated, "with the strategy Recreate".into());
        }
    }
    (seen, unseen)
}

/// A stage whose Deployments stop their pods before they start others.
fn recreating(stage: &Manifests) -> Manifests {
    let values = stage.all().map(|object| {
        let mut value = object.value.clone();
        if object.kind() == "Deployment" {
            value["spec"]["strategy"] = serde_json::json!({"type": "Recreate"});
        }
        value
    });
    Manifests::from_values(&stage.service, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTS: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: NAME, image: 'NAME:1', env: [ENV]}]}
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [{port: 80}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: NAME}
spec: {minReplicas: 3, scaleTargetRef: {kind: Deployment, name: NAME}}
---
";

    /// An overlay: what runs, and the weights of the route.
    fn overlay(names: &[&str], env: &str, route: &[(&str, u32)]) -> Manifests {
        let objects: String =
            names.iter().map(|name| OBJECTS.replace("NAME", name).replace("ENV", env)).collect();
        let backends: Vec<_> = route
            .iter()
            .map(|(name, weight)| format!("{{name: {name}, port: 80, weight: {weight}}}"))
            .collect();
        let route = format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: a}}\n\
             spec: {{rules: [{{backendRefs: [{}]}}]}}\n",
            backends.join(", ")
        );
        Manifests::read("new", &(objects + &route)).unwrap()
    }

    fn overlays() -> BTreeMap<String, Manifests> {
        [
            ("old", overlay(&["old"], "", &[("old", 1)])),
            ("prepare", overlay(&["old", "new"], "", &[("old", 1), ("new", 0)])),
            ("moved", overlay(&["old", "new"], "", &[("old", 0), ("new", 1)])),
            ("new", overlay(&["new"], "", &[("new", 1)])),
            ("changed", overlay(&["new"], "{name: A, value: b}", &[("new", 1)])),
        ]
        .map(|(name, all)| (name.to_owned(), all))
        .into()
    }

    fn step(from: &str, to: &str, commands: &str) -> Step {
        parse(&format!("# {from} → {to}\n```sh\n{commands}\n```\n")).remove(0)
    }

    fn faults(from: &str, to: &str, commands: &str) -> String {
        simulate(&step(from, to, commands), &overlays()).1.join("\n")
    }

    const THERE: &str = "kubectl apply -k k8s/overlays/prepare
kubectl -n a rollout status deployment/new
kubectl -n a wait --for=jsonpath='{.status.readyReplicas}'=3 deployment/new --timeout=5m
kubectl apply -k k8s/overlays/moved
kubectl apply -k k8s/overlays/new
sleep 30
kubectl -n a delete deployment,service,hpa old";

    #[test]
    fn a_page_is_read() {
        let page = "## Steps\n### a → b: there\nText.\n```sh\nkubectl get pods   # a comment\n\n\
                    kubectl -n a \\\n  get pods\n```\nThen:\n```sh\nkubectl get nodes\n```\n### Else\n```sh\nls\n```\n";
        let steps = parse(page);
        assert_eq!(steps.len(), 1);
        assert_eq!(steps[0].name(), "a → b");
        let commands = ["kubectl get pods", "kubectl -n a get pods", "kubectl get nodes"];
        assert_eq!(steps[0].commands, commands);
    }

    #[test]
    fn a_step_that_waits_is_good_and_every_command_of_it_is_needed() {
        assert_eq!(faults("old", "new", THERE), "");
        let good = [step("old", "new", THERE)];
        // `moved` alone may be left out: the last overlay moves the route as well.
        let (seen, unseen) = self_test(&good, &overlays());
        assert_eq!(seen, 6, "{unseen:?}");
        assert!(unseen[0].contains("overlays/moved") && unseen.len() == 1, "{unseen:?}");
    }

    #[test]
    fn outages_are_seen() {
        for (from, to, commands, expected) in [
            (
                "old",
                "moved",
                "kubectl apply -k k8s/overlays/moved\nkubectl -n a rollout status deployment/new",
                "the route leads to new, but Deployment new is not ready",
            ),
            (
                "old",
                "moved",
                "kubectl apply -k k8s/overlays/prepare\nkubectl apply -k k8s/overlays/moved",
                "the route moves to new before Deployment new has been rolled out",
            ),
            (
                "old",
                "moved",
                "kubectl apply -k k8s/overlays/prepare\nkubectl -n a rollout status deployment/new\n\
                 kubectl apply -k k8s/overlays/moved",
                "before Deployment new has its minimum of ready pods",
            ),
            (
                "old",
                "moved",
                "kubectl apply -k k8s/overlays/prepare\nkubectl -n a wait \
                 --for=jsonpath='{.status.readyReplicas}'=2 deployment/new",
                "the autoscaler's minimum is 3",
            ),
            (
                "moved",
                "new",
                "kubectl apply -k k8s/overlays/new\nkubectl -n a delete deployment,service,hpa old",
                "the route names the Service old, which does not exist",
            ),
            (
                "moved",
                "new",
                "kubectl -n a delete deployment,service,hpa old\nkubectl apply -k k8s/overlays/new",
                "the route names the Service old, which does not exist",
            ),
            ("moved", "new", "kubectl apply -k k8s/overlays/new", "Deployment old is left over"),
            ("new", "changed", "kubectl apply -k k8s/overlays/changed", "nothing has waited for"),
            ("new", "new", "helm upgrade", "does not know this command"),
        ] {
            let found = faults(from, to, commands);
            assert!(found.contains(expected), "{commands}:\n{found}");
        }
    }

    #[test]
    fn what_a_proxy_needs_must_be_ready() {
        let proxy = "{name: LEGACY_URL, value: 'http://old'}";
        let mut all = overlays();
        all.insert("proxy".into(), overlay(&["new"], proxy, &[("new", 1)]));
        let step = step(
            "new",
            "proxy",
            "kubectl apply -k k8s/overlays/proxy\nkubectl -n a rollout status deployment/new",
        );
        let found = simulate(&step, &all).1.join("\n");
        assert!(found.contains("Service old, which does not exist"), "{found}");
    }

    #[test]
    fn a_change_while_it_serves_needs_a_rolling_update() {
        let commands =
            "kubectl apply -k k8s/overlays/changed\nkubectl -n a rollout status deployment/new";
        assert_eq!(faults("new", "changed", commands), "");
        let recreated: BTreeMap<_, _> =
            overlays().iter().map(|(name, all)| (name.clone(), recreating(all))).collect();
        let found = simulate(&step("new", "changed", commands), &recreated).1.join("\n");
        assert!(found.contains("Deployment new is not ready"), "{found}");
    }

    #[test]
    fn a_job_is_deleted_before_it_is_applied_again() {
        let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {template: {spec: \
                   {containers: [{name: j, image: 'j:1'}]}}}\n---\n";
        let rust = OBJECTS.replace("NAME", "new").replace("ENV", "");
        let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\n\
                     spec: {rules: [{backendRefs: [{name: new, port: 80}]}]}\n";
        let all = BTreeMap::from([(
            "new".to_owned(),
            Manifests::read("new", &(job.to_owned() + &rust + route)).unwrap(),
        )]);
        let release = "kubectl apply -k k8s/overlays/new\n\
                       kubectl -n a wait --for=condition=complete job/j\n\
                       kubectl -n a rollout status deployment/new";
        let found = simulate(&step("new", "new", release), &all).1.join("\n");
        assert!(found.contains("Job j cannot be changed"), "{found}");
        let release = format!("kubectl -n a delete job j\n{release}");
        assert_eq!(simulate(&step("new", "new", &release), &all).1, Faults::new());
    }
}
