//! The steps from stage to stage, as the page of the manifests gives their commands: each is simulated
//! command by command.

use std::collections::BTreeMap;

use crate::manifests::Manifests;
use crate::simulation::Cluster;
use crate::{Errors, STAGES};

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
pub(crate) fn missing(steps: &[Step], overlays: &BTreeMap<String, Manifests>) -> Errors {
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
pub(crate) fn simulate(step: &Step, overlays: &BTreeMap<String, Manifests>) -> (usize, Errors) {
    let mut errors = Errors::new();
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
        errors
            .extend(found.into_iter().map(|error| format!("{}: {command}: {error}", step.name())));
    }
    let left = cluster.differs_from(to);
    errors.extend(left.into_iter().map(|error| format!("{}: at the end, {error}", step.name())));
    (step.commands.len(), errors)
}

/// Breaks the steps and overlays in the ways in which they are usually wrong, and simulates each: the
/// number of those that were seen, and the ones that were not.
pub(crate) fn self_test(steps: &[Step], overlays: &BTreeMap<String, Manifests>) -> (usize, Errors) {
    let mut seen = 0;
    let mut unseen = Errors::new();
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

    fn errors(from: &str, to: &str, commands: &str) -> String {
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
        assert_eq!(errors("old", "new", THERE), "");
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
            let found = errors(from, to, commands);
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
        assert_eq!(errors("new", "changed", commands), "");
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
        assert_eq!(simulate(&step("new", "new", &release), &all).1, Errors::new());
    }
}
