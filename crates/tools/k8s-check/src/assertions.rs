//! What no schema states: names that point at something, everything pinned and limited.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::manifests::{Manifests, list, matches};
use crate::{BoxError, Errors};

/// Used for each secret: as long as `openssl rand -base64 32` makes them.
const SECRET: &str = "bm90IGEgc2VjcmV0OiBvbmx5IGZvciBjaGVja3M9PT0=";

type Assertion = fn(&Manifests) -> (usize, Errors);

pub(crate) const ALL: [(&str, Assertion); 10] = [
    ("images pinned", images),
    ("containers limited", limits),
    ("security contexts", confinement),
    ("probes of three kinds", probes),
    ("selectors match pods", selectors),
    ("routes have backends", routes),
    ("references resolve", references),
    ("termination grace", termination_grace),
    ("egress restricted", egress),
    ("replicas by autoscaler", replicas),
];

/// Secrets that are made by others, beside the one of the service: by hand, and by the operator of the
/// database.
const SECRETS: [&str; 3] = ["database-app", "database-ca", "backup-store"];

/// Each container, with its owner's name.
fn containers(all: &Manifests) -> Vec<(String, &Value)> {
    all.pods()
        .flat_map(|pod| {
            let name = pod.owner.id();
            list(pod.spec, "/containers").iter().chain(list(pod.spec, "/initContainers")).map(
                move |container| {
                    (
                        format!("{name}: {}", container["name"].as_str().unwrap_or_default()),
                        container,
                    )
                },
            )
        })
        .collect()
}

/// Checks each of them; `None` is no error.
fn each<T>(
    things: impl IntoIterator<Item = T>,
    error: impl Fn(&T) -> Option<String>,
) -> (usize, Errors) {
    let things: Vec<_> = things.into_iter().collect();
    (things.len(), things.iter().filter_map(error).collect())
}

fn images(all: &Manifests) -> (usize, Errors) {
    each(containers(all), |(name, container)| {
        let image = container["image"].as_str().unwrap_or_default();
        let last = image.rsplit('/').next().unwrap_or_default();
        let pinned = image.contains("@sha256:")
            || last.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest");
        (!pinned).then(|| format!("{name}: '{image}' may be another one tomorrow"))
    })
}

fn limits(all: &Manifests) -> (usize, Errors) {
    each(containers(all), |(name, container)| {
        let wanted = ["/requests/cpu", "/requests/memory", "/limits/cpu", "/limits/memory"];
        let lacks = |what: &&&str| container["resources"].pointer(what).is_none();
        wanted.iter().find(lacks).map(|what| format!("{name} has no {}", &what[1..]))
    })
}

fn confinement(all: &Manifests) -> (usize, Errors) {
    let pods: BTreeMap<String, &Value> =
        all.pods().map(|pod| (pod.owner.id(), &pod.spec["securityContext"])).collect();
    each(containers(all), |(name, container)| {
        let own = &container["securityContext"];
        let pod = pods.iter().find(|(owner, _)| name.starts_with(&format!("{owner}: ")))?.1;
        [
            (own["readOnlyRootFilesystem"] == true, "its root file system can be written"),
            (own["allowPrivilegeEscalation"] == false, "it may gain privileges"),
            (own["capabilities"]["drop"][0] == "ALL", "it keeps capabilities"),
            (pod["runAsNonRoot"] == true, "it may be root"),
            (pod["seccompProfile"]["type"] == "RuntimeDefault", "it may call the system freely"),
        ]
        .into_iter()
        .find(|(holds, _)| !holds)
        .map(|(_, error)| format!("{name}: {error}"))
    })
}

fn probes(all: &Manifests) -> (usize, Errors) {
    let deployed = all.pods().filter(|pod| pod.owner.kind() == "Deployment");
    let probed = deployed.flat_map(|pod| {
        let name = pod.owner.id();
        list(pod.spec, "/containers").iter().flat_map(move |container| {
            let name = name.clone();
            ["startupProbe", "readinessProbe", "livenessProbe"]
                .map(|probe| (format!("{name}: {probe}"), container, &container[probe]))
        })
    });
    each(probed, |(name, container, probe)| {
        let port = &probe["httpGet"]["port"];
        let named = list(container, "/ports").iter().any(|known| known["name"] == *port);
        (!named).then(|| format!("{name} probes no port of its container"))
    })
}

/// Everything that selects pods, with the selector.
fn selectors(all: &Manifests) -> (usize, Errors) {
    let pointer = |kind: &str| match kind {
        "Service" => Some("/spec/selector"),
        "Deployment" | "PodDisruptionBudget" => Some("/spec/selector/matchLabels"),
        "NetworkPolicy" => Some("/spec/podSelector/matchLabels"),
        _ => None,
    };
    let selecting = all
        .all()
        .filter_map(|object| Some((object, object.value.pointer(pointer(object.kind())?)?)));
    // The operator's pods are not ours to render.
    let database = serde_json::json!({"cnpg.io/cluster": "database"});
    let (checked, mut errors) = each(selecting, |(object, selector)| {
        let found = all.pods().any(|pod| matches(selector, pod.labels))
            || object.kind() == "NetworkPolicy" && matches(selector, &database);
        (!found).then(|| format!("{} selects nothing", object.id()))
    });
    let (scaled, more) = each(all.of_kind("HorizontalPodAutoscaler"), |scaler| {
        let target = &scaler.value["spec"]["scaleTargetRef"];
        let text = |name: &str| target[name].as_str().unwrap_or_default();
        let found = all.find(text("kind"), text("name")).is_some();
        (!found).then(|| format!("{} scales nothing", scaler.id()))
    });
    let (watched, still_more) = each(all.of_kind("ServiceMonitor"), |monitor| {
        let selector = &monitor.value["spec"]["selector"];
        let ports = monitor.list("/spec/endpoints");
        let found = all.of_kind("Service").any(|service| {
            let has = |port: &Value| {
                service.list("/spec/ports").iter().any(|known| known["name"] == port["port"])
            };
            matches(selector, &service.value["metadata"]["labels"]) && ports.iter().all(has)
        });
        (!found).then(|| format!("{} watches nothing", monitor.id()))
    });
    errors.extend(more);
    errors.extend(still_more);
    (checked + scaled + watched, errors)
}

fn routes(all: &Manifests) -> (usize, Errors) {
    let backends = all.of_kind("HTTPRoute").flat_map(|route| {
        route.list("/spec/rules").iter().flat_map(|rule| list(rule, "/backendRefs"))
    });
    let (checked, mut errors) = each(backends, |backend| {
        let name = backend["name"].as_str().unwrap_or_default();
        let has_port = |port: &Value| port["port"] == backend["port"];
        let service = all.find("Service", name);
        let found = service.is_some_and(|one| one.list("/spec/ports").iter().any(has_port));
        (!found).then(|| format!("no container listens at {name}:{}", backend["port"]))
    });
    if checked == 0 {
        errors.push("there is no way in".into());
    }
    let ports = all
        .of_kind("Service")
        .flat_map(|service| service.list("/spec/ports").iter().map(move |port| (service, port)));
    let (targets, more) = each(ports, |(service, port)| {
        let selector = &service.value["spec"]["selector"];
        let pod = all.pods().find(|pod| matches(selector, pod.labels))?;
        let mut known = list(pod.spec, "/containers").iter().flat_map(|one| list(one, "/ports"));
        let target = &port["targetPort"];
        (!known.any(|known| known["name"] == *target || known["containerPort"] == *target))
            .then(|| format!("{} leads to a port {target} that no container has", service.id()))
    });
    errors.extend(more);
    (checked + targets, errors)
}

/// What pods refer to must exist.
pub(crate) fn references(all: &Manifests) -> (usize, Errors) {
    let mut wanted = Vec::new();
    for pod in all.pods() {
        let owner = pod.owner.id();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for container in list(pod.spec, "/containers") {
            for from in list(container, "/envFrom") {
                wanted.push((owner.clone(), "ConfigMap", text(&from["configMapRef"]["name"])));
                wanted.push((owner.clone(), "Secret", text(&from["secretRef"]["name"])));
            }
            for env in list(container, "/env") {
                let from = &env["valueFrom"];
                wanted.push((owner.clone(), "ConfigMap", text(&from["configMapKeyRef"]["name"])));
                wanted.push((owner.clone(), "Secret", text(&from["secretKeyRef"]["name"])));
            }
        }
        for volume in list(pod.spec, "/volumes") {
            wanted.push((owner.clone(), "ConfigMap", text(&volume["configMap"]["name"])));
            wanted.push((owner.clone(), "Secret", text(&volume["secret"]["secretName"])));
        }
        wanted.push((owner, "ServiceAccount", text(&pod.spec["serviceAccountName"])));
    }
    wanted.retain(|(_, _, name)| !name.is_empty());
    each(wanted, |(owner, kind, name)| {
        let found = match *kind {
            "Secret" => *name == all.service || SECRETS.contains(&name.as_str()),
            kind => all.find(kind, name).is_some(),
        };
        (!found).then(|| format!("{owner} refers to the {kind} {name}, which does not exist"))
    })
}

/// Draining, the longest request and the last e-mails have to fit in the time until SIGKILL.
fn termination_grace(all: &Manifests) -> (usize, Errors) {
    let deployed = all.pods().filter(|pod| pod.owner.kind() == "Deployment");
    each(deployed, |pod| {
        let given = pod.spec["terminationGracePeriodSeconds"].as_u64().unwrap_or(30);
        let environment = list(pod.spec, "/containers").iter().flat_map(|one| list(one, "/env"));
        let seconds = |wanted: &str| {
            let mut found = environment.clone().filter(|env| env["name"] == wanted);
            found.next().and_then(|env| env["value"].as_str()?.parse::<u64>().ok())
        };
        let drain = seconds("DRAIN_SECONDS").unwrap_or(10);
        let request = seconds("REQUEST_TIMEOUT_SECONDS").unwrap_or(30);
        let needed = drain + request + 15;
        (given < needed).then(|| format!("{}: {given} s, {needed} s needed", pod.owner.id()))
    })
}

/// Every rule of egress has a destination.
fn egress(all: &Manifests) -> (usize, Errors) {
    let rules = all
        .of_kind("NetworkPolicy")
        .flat_map(|policy| policy.list("/spec/egress").iter().map(move |rule| (policy, rule)));
    each(rules, |(policy, rule)| {
        let peers = list(rule, "/to");
        let is_open = |peer: &Value| {
            let cidr = peer["ipBlock"]["cidr"].as_str().unwrap_or_default();
            cidr.ends_with("/0") || peer.as_object().is_none_or(serde_json::Map::is_empty)
        };
        (peers.is_empty() || peers.iter().any(is_open))
            .then(|| format!("{} lets traffic out to any address", policy.id()))
    })
}

/// A Deployment that an autoscaler scales has no `replicas` of its own: `apply` would set them back in
/// the middle of load.
fn replicas(all: &Manifests) -> (usize, Errors) {
    each(all.of_kind("Deployment"), |deployment| {
        let mut scalers = all.of_kind("HorizontalPodAutoscaler");
        let scaled =
            scalers.find(|one| one.value["spec"]["scaleTargetRef"]["name"] == deployment.name());
        let minimum = scaled.and_then(|one| one.value["spec"]["minReplicas"].as_u64());
        let own = &deployment.value["spec"]["replicas"];
        match (minimum, own.as_u64()) {
            (Some(2..), None) | (None, Some(2..)) => None,
            (Some(_), Some(_)) => {
                Some(format!("{} has replicas and an autoscaler", deployment.id()))
            }
            _ => Some(format!("{} may run with a single pod", deployment.id())),
        }
    })
}

/// Starts the service with the settings of a stage, as far as it checks them.
pub(crate) fn settings(all: &Manifests, binary: &Path) -> Result<(usize, Errors), BoxError> {
    let Some(pod) = all.pods().find(|pod| pod.owner.id() == format!("Deployment {}", all.service))
    else {
        return Ok((0, Errors::new()));
    };
    let mut settings: BTreeMap<String, String> = BTreeMap::new();
    // Its name ends with a hash of what is in it.
    let mut maps = all.of_kind("ConfigMap");
    let config = maps.find(|map| map.name().starts_with("settings-")).map(|map| &map.value["data"]);
    for (name, value) in config.and_then(Value::as_object).into_iter().flatten() {
        settings.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    // What the Secrets will have.
    for name in ["SECRET_KEY", "FIRST_SUPERUSER_PASSWORD"] {
        settings.insert(name.into(), SECRET.into());
    }
    let name = &all.service;
    let uri = format!("postgresql://{name}:secret@database-rw.{name}:5432/{name}");
    for env in list(pod.spec, "/containers").iter().flat_map(|one| list(one, "/env")) {
        if let (Some(name), Some(value)) = (env["name"].as_str(), env["value"].as_str()) {
            settings.insert(name.into(), value.replace("$(DATABASE_APP_URI)", &uri));
        }
    }
    if settings.contains_key("LEGACY_URL") {
        settings.insert("STRANGLER_PASSWORD".into(), SECRET.into());
    }
    let help = Command::new(binary).arg("--help").output();
    let help = help.map_err(|error| format!("{}: {error}; run `make build`", binary.display()))?;
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    // OpenTelemetry has names of its own.
    let is_known =
        |name: &str| help.contains(&format!("[env: {name}")) || name.starts_with("OTEL_");
    let mut errors: Errors = settings
        .keys()
        .filter(|name| !is_known(name))
        .map(|setting| format!("{name} has no setting {setting}"))
        .collect();
    let checked = Command::new(binary)
        .arg("openapi")
        .env_clear()
        .envs(&settings)
        .stdout(Stdio::null())
        .output()?;
    if !checked.status.success() {
        errors.push(String::from_utf8_lossy(&checked.stderr).into_owned());
    }
    Ok((settings.len(), errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec:
      serviceAccountName: a
      terminationGracePeriodSeconds: 60
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: a
          image: a:1
          ports: [{name: http, containerPort: 8000}]
          envFrom: [{secretRef: {name: molt}}]
          startupProbe: {httpGet: {path: /, port: http}}
          readinessProbe: {httpGet: {path: /, port: http}}
          livenessProbe: {httpGet: {path: /, port: http}}
          resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}
          securityContext:
            readOnlyRootFilesystem: true
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: a}
---
apiVersion: v1
kind: Service
metadata: {name: a}
spec:
  selector: {app: a}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: a}
spec: {rules: [{backendRefs: [{name: a, port: 80}]}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: a}
spec: {minReplicas: 2, scaleTargetRef: {kind: Deployment, name: a}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
spec:
  podSelector: {matchLabels: {app: a}}
  egress: [{to: [{ipBlock: {cidr: 192.0.2.0/28}}], ports: [{port: 587}]}]
";

    /// The assertions that find something.
    fn complaining(text: &str) -> Vec<&'static str> {
        let all = Manifests::read("molt", text).unwrap();
        let complains = |&(_, check): &(&str, Assertion)| !check(&all).1.is_empty();
        ALL.iter().filter(|one| complains(one)).map(|(name, _)| *name).collect()
    }

    #[test]
    fn valid_manifests_are_checked() {
        let all = Manifests::read("molt", GOOD).unwrap();
        for (name, check) in ALL {
            let (checked, errors) = check(&all);
            assert!(checked > 0 && errors.is_empty(), "{name}: {checked}, {errors:?}");
        }
    }

    #[test]
    fn every_assertion_sees_its_error() {
        for (good, bad, name) in [
            ("image: a:1", "image: a", "images pinned"),
            ("image: a:1", "image: host:5000/a", "images pinned"),
            ("limits: {cpu: 1, memory: 1Gi}", "limits: {cpu: 1}", "containers limited"),
            ("drop: [ALL]", "drop: [NET_RAW]", "security contexts"),
            ("runAsNonRoot: true", "runAsNonRoot: false", "security contexts"),
            ("livenessProbe: {httpGet: {path: /, port: http}}", "x: 1", "probes of three kinds"),
            ("selector: {app: a}", "selector: {app: b}", "selectors match pods"),
            ("{name: a, port: 80}", "{name: b, port: 80}", "routes have backends"),
            ("targetPort: http", "targetPort: web", "routes have backends"),
            ("secretRef: {name: molt}", "secretRef: {name: b}", "references resolve"),
            ("Seconds: 60", "Seconds: 30", "termination grace"),
            ("to: [{ipBlock: {cidr: 192.0.2.0/28}}], ", "", "egress restricted"),
            ("192.0.2.0/28", "0.0.0.0/0", "egress restricted"),
            (
                "  selector: {matchLabels: {app: a}}\n  t",
                "  replicas: 3\n  selector: {matchLabels: {app: a}}\n  t",
                "replicas by autoscaler",
            ),
            ("minReplicas: 2", "minReplicas: 1", "replicas by autoscaler"),
        ] {
            assert_ne!(GOOD.replace(good, bad), GOOD, "{good} is there");
            assert_eq!(complaining(&GOOD.replace(good, bad)), [name], "{bad}");
        }
    }
}
