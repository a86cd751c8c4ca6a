//! `scaffold inspect`: reads from an application, with its own Python, what its document does not show.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

/// Which application, and how it is imported.
#[derive(Args, Clone, Debug)]
pub struct Application {
    /// The application, like app.main:app, or a function that makes it, like `app.main:create_app()`
    #[arg(long, value_name = "MODULE:NAME")]
    pub app: String,
    /// The application's Python; else the one in .venv or venv of the folder, else python3
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// The folder from which the application is started
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub directory: PathBuf,
    /// The tables, like app.db:Base.metadata, where the import of the application does not lead to
    /// them; may be repeated
    #[arg(long, value_name = "MODULE:NAME")]
    pub metadata: Vec<String>,
    /// Let the import open connections; they are refused otherwise, but for files of SQLite
    #[arg(long)]
    pub allow_connections: bool,
    /// A variable of the environment in which it is imported; may be repeated
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    pub environment: Vec<(String, String)>,
    /// How long the import and the inspection may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub timeout: u64,
}

/// The arguments of `scaffold inspect`.
#[derive(Args, Debug)]
pub struct InspectArgs {
    #[command(flatten)]
    application: Application,
    /// Where to write the JSON; else to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Why an application could not be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error("{0}")]
    Application(String),
    #[error("{}: {source}; name the application's own Python with --python", .python.display())]
    Python { python: PathBuf, source: std::io::Error },
    #[error(
        "{app} is not imported after {seconds} s: does it wait for something? (--timeout)\n{log}"
    )]
    Timeout { app: String, seconds: u64, log: String },
    #[error("the inspector failed ({status}):\n{log}")]
    Failed { status: std::process::ExitStatus, log: String },
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("what the inspector wrote is no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

macro_rules! embedded {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../inspector/", $name)))),*]
    };
}

/// The Python package, which needs nothing but Python and the application.
const FILES: [(&str, &str); 18] = embedded!(
    "__main__.py" "molt_inspector/__init__.py" "molt_inspector/application.py"
    "molt_inspector/command.py" "molt_inspector/ddl.py" "molt_inspector/dependencies.py"
    "molt_inspector/expressions.py" "molt_inspector/guard.py" "molt_inspector/handlers.py"
    "molt_inspector/mapped.py" "molt_inspector/metadata.py" "molt_inspector/models.py"
    "molt_inspector/relationships.py" "molt_inspector/report.py" "molt_inspector/routes.py"
    "molt_inspector/sessions.py" "molt_inspector/tables.py" "molt_inspector/values.py"
);

/// Runs `scaffold inspect`; gives what is to be printed.
pub fn run(args: &InspectArgs) -> Result<String, InspectError> {
    let found = inspect(&args.application)?;
    let text = serde_json::to_string_pretty(&found)?;
    let Some(output) = &args.output else { return Ok(text) };
    write(output, &(text + "\n"))?;
    Ok(summary(&found))
}

/// What the inspector has found: its JSON, described in `inspector/README.md`.
///
/// Fails if the application cannot be imported, with a text that says what to do.
pub fn inspect(application: &Application) -> Result<Value, InspectError> {
    let folder = tempfile::tempdir()
        .map_err(|source| InspectError::File { path: std::env::temp_dir(), source })?;
    for (name, text) in FILES {
        write(&folder.path().join(name), text)?;
    }
    let (output, log) = (folder.path().join("output.json"), folder.path().join("log"));
    let python = application.python();
    let mut command = Command::new(&python);
    // No compiled files beside the application's.
    command.arg("-B").arg(folder.path()).arg("--app").arg(&application.app);
    command.arg("--directory").arg(&application.directory).arg("--output").arg(&output);
    for name in &application.metadata {
        command.arg("--metadata").arg(name);
    }
    command.envs(application.environment.iter().map(|(name, value)| (name, value)));
    if application.allow_connections {
        command.arg("--allow-connections");
    }
    let written = std::fs::File::create(&log)
        .map_err(|source| InspectError::File { path: log.clone(), source })?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(written);
    let failed = |source| InspectError::Python { python: python.clone(), source };
    let mut child = command.spawn().map_err(failed)?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if started.elapsed() > Duration::from_secs(application.timeout) {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            let (app, seconds) = (application.app.clone(), application.timeout);
            return Err(InspectError::Timeout { app, seconds, log: tail(&log) });
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let Ok(text) = std::fs::read_to_string(&output) else {
        return Err(InspectError::Failed { status, log: tail(&log) });
    };
    if status.code() == Some(3) {
        let error: Value = serde_json::from_str(&text)?;
        let reason = error["error"].as_str().unwrap_or(&text).to_owned();
        return Err(InspectError::Application(reason));
    }
    if !status.success() {
        return Err(InspectError::Failed { status, log: tail(&log) });
    }
    Ok(serde_json::from_str(&text)?)
}

impl Application {
    fn python(&self) -> PathBuf {
        if let Some(python) = &self.python {
            return python.clone();
        }
        let active = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from);
        [self.directory.join(".venv"), self.directory.join("venv")]
            .into_iter()
            .chain(active)
            .flat_map(|folder| [folder.join("bin/python"), folder.join("Scripts/python.exe")])
            .find(|python| python.exists())
            .unwrap_or_else(|| "python3".into())
    }
}

/// One line for each kind of thing that was found, and the remarks.
pub fn summary(found: &Value) -> String {
    let count = |value: &Value| match value {
        Value::Array(all) => all.len(),
        Value::Object(all) => all.len(),
        _ => 0,
    };
    let versions = &found["versions"];
    let version = |name: &str| versions[name].as_str().unwrap_or("none").to_owned();
    let tables = found["metadata"].as_array().into_iter().flatten();
    let tables: usize = tables.map(|metadata| count(&metadata["tables"])).sum();
    let mut text = format!(
        "{}: Python {}, FastAPI {}, pydantic {}\n{} routes, {} models, {tables} tables",
        found["app"].as_str().unwrap_or_default(),
        version("python"),
        version("fastapi"),
        version("pydantic"),
        count(&found["routes"]),
        count(&found["models"]),
    );
    for remark in found["remarks"].as_array().into_iter().flatten() {
        let part = |name: &str| remark[name].as_str().unwrap_or_default().to_owned();
        text += &format!("\n  {}: {}", part("about"), part("what"));
    }
    text
}

fn write(path: &Path, text: &str) -> Result<(), InspectError> {
    let failed = |source| InspectError::File { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The last lines of what the application and the inspector wrote.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
