//! Older releases: `VERSIONS=0.115/2.9` sends the requests to FastAPI 0.115 with pydantic 2.9, and to the
//! port with their dialect. What these lack is left out: the applications say what that is.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use fastapi_compat::Dialect;
use serde_json::Value;
use testbed::{python, root};

use crate::wire::Connection;

/// What an older application runs with, as the newest does: these are of the lock of the services.
const OTHERS: [&str; 11] = [
    "anyio",
    "click",
    "dnspython",
    "email-validator",
    "h11",
    "httptools",
    "idna",
    "python-multipart",
    "uvicorn",
    "uvloop",
    "websockets",
];

/// Releases of FastAPI and pydantic that are not the newest.
#[derive(Clone, Debug)]
pub(crate) struct Versions {
    fastapi: String,
    pydantic: String,
}

impl Versions {
    /// Those of the environment, if it names any.
    pub(crate) fn of_environment() -> Option<Self> {
        let text = std::env::var("VERSIONS").ok().filter(|text| !text.is_empty())?;
        let (fastapi, pydantic) =
            text.split_once('/').expect("VERSIONS is of FastAPI and of pydantic: `0.115/2.9`");
        Some(Self { fastapi: fastapi.to_owned(), pydantic: pydantic.to_owned() })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        Dialect::of(&self.fastapi, &self.pydantic).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The interpreter of their virtual environment, which is made when there is none yet.
    pub(crate) fn python(&self) -> PathBuf {
        static MADE: OnceLock<PathBuf> = OnceLock::new();
        MADE.get_or_init(|| self.make()).clone()
    }

    fn make(&self) -> PathBuf {
        let Self { fastapi, pydantic } = self;
        let folder = root().join(format!("target/versions/{fastapi}-{pydantic}"));
        let (interpreter, done) = (folder.join("bin/python"), folder.join("made"));
        if !done.exists() {
            let newest = python().expect("run `make venv`");
            run(Command::new(newest).args(["-m", "venv", "--clear"]).arg(&folder));
            let mut packages = others();
            packages.push(requirement("fastapi", fastapi));
            packages.push(requirement("pydantic", pydantic));
            let mut pip = Command::new(&interpreter);
            run(pip.args(["-m", "pip", "install", "--quiet"]).args(packages));
            std::fs::write(done, "").expect("the environment can be marked");
        }
        interpreter
    }

    /// The operations that their application cannot have.
    pub(crate) fn left_out(address: &str) -> BTreeSet<String> {
        let mut connection = Connection::open(address).expect("FastAPI is reached");
        let request = b"GET /left-out HTTP/1.1\r\nhost: test\r\n\r\n";
        let answer = connection.send(request).expect("FastAPI says what it lacks");
        serde_json::from_slice(&answer.body).expect("a list of operations")
    }
}

impl std::fmt::Display for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.fastapi, self.pydantic)
    }
}

/// `0.115` is the last of these releases.
fn requirement(package: &str, version: &str) -> String {
    let any = if version.split('.').count() < 3 { ".*" } else { "" };
    format!("{package}=={version}{any}")
}

fn others() -> Vec<String> {
    let lock = root().join("python-legacy/requirements.lock");
    let lock = std::fs::read_to_string(lock).expect("the lock is there");
    let pinned = lock.lines().filter_map(|line| line.split_once("=="));
    pinned
        .filter(|(name, _)| OTHERS.contains(name))
        .map(|(name, rest)| {
            let version = rest.split(' ').next().unwrap_or_default();
            format!("{name}=={version}")
        })
        .collect()
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// A document without these operations, and without the components that only they refer to.
pub(crate) fn without(mut document: Value, left_out: &BTreeSet<String>) -> Value {
    if left_out.is_empty() {
        return document;
    }
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|path, _| !left_out.contains(path.trim_start_matches('/')));
    }
    let Some(Value::Object(schemas)) = document["components"].get_mut("schemas").map(Value::take)
    else {
        return document;
    };
    let mut used = BTreeSet::new();
    let mut next = references(&document);
    while let Some(name) = next.pop() {
        if let Some(schema) = schemas.get(&name).filter(|_| used.insert(name.clone())) {
            next.extend(references(schema));
        }
    }
    let kept = schemas.into_iter().filter(|(name, _)| used.contains(name));
    document["components"]["schemas"] = Value::Object(kept.collect());
    document
}

/// The names of the components that something refers to.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => {
            let name = text.strip_prefix("#/components/schemas/");
            name.map(ToOwned::to_owned).into_iter().collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(fields) => fields.values().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// The interpreter of older releases, or that of the newest.
pub(crate) fn interpreter(versions: Option<&Versions>) -> PathBuf {
    versions.map_or_else(|| python().expect("run `make venv`"), Versions::python)
}
