//! The settings of the production manifests, read from `k8s/`: what is measured is what is shipped.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::Result;

/// Environment variables by name.
pub(crate) type Variables = BTreeMap<String, String>;

/// What both services read: the config map of `k8s/base`.
pub(crate) fn shared(k8s: &Path) -> Result<Variables> {
    let text = read(&k8s.join("base/settings.env"))?;
    Ok(text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

/// What the Rust service's container has of its own beside python-legacy, without what comes from
/// secrets.
pub(crate) fn molt(k8s: &Path) -> Result<Variables> {
    let deployment = parse(&read(&k8s.join("components/molt/deployment.yaml"))?)?;
    let variables = &deployment["spec"]["template"]["spec"]["containers"][0]["env"];
    Ok(variables.as_array().into_iter().flatten().filter_map(variable).collect())
}

/// What the last stage, in which the Rust service is alone, adds to that.
pub(crate) fn last_stage(k8s: &Path) -> Result<Variables> {
    let overlay = parse(&read(&k8s.join("overlays/rust/kustomization.yaml"))?)?;
    let mut added = Variables::new();
    for patch in overlay["patches"].as_array().into_iter().flatten() {
        if patch["target"]["kind"] != "Deployment" || patch["target"]["name"] != "molt" {
            continue;
        }
        let operations = parse(patch["patch"].as_str().unwrap_or_default())?;
        for operation in operations.as_array().into_iter().flatten() {
            let path = operation["path"].as_str().unwrap_or_default();
            if operation["op"] != "add" || !path.ends_with("/env/-") {
                return Err(format!("a patch of overlays/rust that is no variable: {path}").into());
            }
            added.extend(variable(&operation["value"]));
        }
    }
    Ok(added)
}

/// A variable with a value of its own; others come from secrets, or are made of such.
fn variable(entry: &Value) -> Option<(String, String)> {
    let (name, value) = (entry["name"].as_str()?, entry["value"].as_str()?);
    (!value.contains("$(")).then(|| (name.to_owned(), value.to_owned()))
}

fn parse(yaml: &str) -> Result<Value> {
    Ok(serde_saphyr::from_str(yaml)?)
}

fn read(path: &Path) -> Result<String> {
    Ok(std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn k8s() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../k8s")
    }

    #[test]
    fn both_services_run_in_production_mode() {
        let shared = shared(&k8s()).unwrap();
        assert_eq!(shared["ENVIRONMENT"], "production");
        assert!(!shared.keys().any(|name| name.contains('[') || name.contains(' ')), "{shared:?}");
    }

    #[test]
    fn the_rust_service_has_metrics_traces_limits_and_headers() {
        let molt = molt(&k8s()).unwrap();
        assert_eq!(molt["MANAGEMENT_PORT"], "9000");
        assert_eq!(molt["PASSWORD_THREADS"], "1");
        assert!(molt.contains_key("OTEL_EXPORTER_OTLP_ENDPOINT"));
        // From a secret, and made of one.
        assert!(!molt.contains_key("DATABASE_APP_URI") && !molt.contains_key("DATABASE_URL"));
        let added = last_stage(&k8s()).unwrap();
        assert_eq!(added["SECURITY_HEADERS"], "true");
        assert!(added.contains_key("SIGN_IN_LIMIT_BY_ADDRESS"));
        assert!(added.contains_key("SIGN_IN_LIMIT_BY_ACCOUNT"));
    }
}
