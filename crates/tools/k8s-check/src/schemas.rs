//! Custom resources, read strictly into types, so that a field that the resource does not have is an
//! error, as in the API server. `HTTPRoute` has the published types of the crate `gateway-api`; those of
//! the operators of PostgreSQL and Prometheus are written by hand ([`crate::cluster`],
//! [`crate::monitoring`]).

use gateway_api::apis::standard::httproutes::HttpRouteSpec;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Errors;
use crate::cluster::{Cluster, ObjectStore, ScheduledBackup};
use crate::manifests::{Manifests, Object};
use crate::monitoring::{PrometheusRule, ServiceMonitor};

/// Each custom resource against its type; a kind without one is a error.
pub(crate) fn check(all: &Manifests) -> Errors {
    let check = |object: &Object| {
        let value = &object.value;
        let errors = match (object.api_version(), object.kind()) {
            ("gateway.networking.k8s.io/v1", "HTTPRoute") => {
                // Its whole is read by code of its own, which takes what it does not know.
                read::<HttpRouteSpec>(&value["spec"])
            }
            ("monitoring.coreos.com/v1", "ServiceMonitor") => read::<ServiceMonitor>(value),
            ("monitoring.coreos.com/v1", "PrometheusRule") => read::<PrometheusRule>(value),
            ("postgresql.cnpg.io/v1", "ScheduledBackup") => read::<ScheduledBackup>(value),
            ("postgresql.cnpg.io/v1", "Cluster") => read::<Cluster>(value),
            ("barmancloud.cnpg.io/v1", "ObjectStore") => read::<ObjectStore>(value),
            (version, _) => vec![format!("no schema for {version}")],
        };
        errors.into_iter().map(|error| format!("{}: {error}", object.id())).collect::<Errors>()
    };
    all.custom().flat_map(check).collect()
}

fn read<T: DeserializeOwned>(value: &Value) -> Errors {
    let mut errors = Errors::new();
    let unknown = |path: serde_ignored::Path<'_>| errors.push(format!("{path} is unknown"));
    match serde_ignored::deserialize::<_, _, T>(value, unknown) {
        Ok(_) => errors,
        Err(error) => vec![error.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(yaml: &str) -> Errors {
        check(&Manifests::read("molt", yaml).unwrap())
    }

    #[test]
    fn fields_that_a_resource_does_not_have_are_errors() {
        let route = |field: &str| {
            format!(
                "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: a}}\n\
                 spec:\n  rules:\n    - backendRefs: [{{name: b, {field}: 80}}]\n"
            )
        };
        assert_eq!(errors(&route("port")), Errors::new());
        let found = errors(&route("ports"));
        assert!(found[0].contains("ports is unknown"), "{found:?}");
        let found = errors(
            "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: a}\nspec: {instances: 3, storage: {sise: 1Gi}}\n",
        );
        assert!(found[0].contains("sise"), "{found:?}");
        let found = errors("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n");
        assert_eq!(found, ["Thing a: no schema for example.com/v1"]);
    }
}
