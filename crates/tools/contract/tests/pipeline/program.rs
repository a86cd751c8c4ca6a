//! Runs the program in a folder of its own.

use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) struct Program {
    pub(crate) folder: TempDir,
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
    /// Every file of the report, and the report itself.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) report: Value,
}

impl Outcome {
    /// The paths that differ, by case.
    pub(crate) fn differences(&self) -> Vec<String> {
        let cases = self.report["runs"]["run"]["cases"].as_array().cloned().unwrap_or_default();
        let of = |case: &Value| {
            let (name, list) = (case["case"].clone(), case["differences"].clone());
            let paths = list.as_array().cloned().unwrap_or_default();
            let line =
                |d: Value| format!("{}: {}", name.as_str().unwrap(), d["path"].as_str().unwrap());
            paths.into_iter().map(line).collect::<Vec<_>>()
        };
        cases.iter().flat_map(of).collect()
    }

    /// Everything that a reader gets to see.
    pub(crate) fn everything(&self) -> String {
        let files = self.files.iter().map(|(_, text)| text.as_str());
        files.chain([&*self.output, &*self.errors]).collect()
    }
}

impl Program {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), environment: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn outcome(&self, output: &Output) -> Outcome {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.folder.path().join("out")).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.push((name, std::fs::read_to_string(path).unwrap()));
        }
        let report = files.iter().find(|(name, _)| name == "report.json");
        let report = report.map(|(_, text)| serde_json::from_str(text).unwrap());
        Outcome {
            code: output.status.code().unwrap_or(-1),
            output: text(&output.stdout),
            errors: text(&output.stderr),
            files,
            report: report.unwrap_or_default(),
        }
    }

    /// `contract run` with the cases as YAML.
    pub(crate) fn run(&self, cases: &str, arguments: &[&str]) -> Outcome {
        let cases = self.write("cases.yaml", cases);
        let mut all = vec!["run", "--cases", &cases, "--report", "out/report.json"];
        all.extend(arguments);
        self.contract(&all)
    }

    pub(crate) fn contract(&self, arguments: &[&str]) -> Outcome {
        let output = self.command(env!("CARGO_BIN_EXE_contract"), arguments).output().unwrap();
        self.outcome(&output)
    }
}
