//! The schemas of custom resources: types that are read strictly, so that a field that the resource
//! does not have is a fault, as in the API server.

use gateway_api::apis::standard::httproutes::HttpRouteSpec;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Faults;
use crate::cluster::{Cluster, ScheduledBackup};
use crate::manifests::{Manifests, Object};
use crate::monitoring::{PrometheusRule, ServiceMonitor};

/// Each custom resource against its type; a kind without one is a fault.
pub(crate) fn check(all: &Manifests) -> Faults {
    let check = |object: &Object| {
        let value = &object.value;
        let faults = match (object.api_version(), object.kind()) {
            ("gateway.networking.k8s.io/v1", "HTTPRoute") => {
                // Its whole is read by code of its own, which takes what it does not know.
                read::<HttpRouteSpec>(&value["spec"])
            }
            ("monitoring.coreos.com/v1", "ServiceMonitor") => read::<ServiceMonitor>(value),
            ("monitoring.coreos.com/v1", "PrometheusRule") => read::<PrometheusRule>(value),
            ("postgresql.cnpg.io/v1", "ScheduledBackup") => read::<ScheduledBackup>(value),
            ("postgresql.cnpg.io/v1", "Cluster") => read::<Cluster>(value),
            (version, _) => vec![format!("no schema for {version}")],
        };
        faults.into_iter().map(|fault| format!("{}: {fault}", object.id())).collect::<Faults>()
    };
    all.custom().flat_map(check).collect()
}

fn read<T: DeserializeOwned>(value: &Value) -> Faults {
    let mut faults = Faults::new();
    let unknown = |path: serde_ignored::Path<'_>| faults.push(format!("{path} is unknown"));
    match serde_ignored::deserialize::<_, _, T>(value, unknown) {
        Ok(_) => faults,
        Err(error) => vec![error.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(yaml: &str) -> Faults {
        check(&Manifests::read("molt", yaml).unwrap())
    }

    #[test]
    fn fields_that_a_resource_does_not_have_are_faults() {
        let route = |field: &str| {
            format!(
                "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: a}}\n\
                 spec:\n  rules:\n    - backendRefs: [{{name: b, {field}: 80}}]\n"
            )
        };
        assert_eq!(faults(&route("port")), Faults::new());
        let found = faults(&route("ports"));
        assert!(found[0].contains("ports is unknown"), "{found:?}");
        let found = faults(
            "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: a}\nspec: {instances: 3, storage: {sise: 1Gi}}\n",
        );
        assert!(found[0].contains("sise"), "{found:?}");
        let found = faults("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n");
        assert_eq!(found, ["Thing a: no schema for example.com/v1"]);
    }
}
