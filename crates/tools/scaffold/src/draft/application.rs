//! What an application has outside of its operations: routes that no document shows, exception
//! handlers, versions.

use serde::Serialize;
use serde_json::Value;

use super::attributes::comment;
use super::document::Document;
use super::table::{Outcome, Row};
use crate::inspection::{Inspection, Route};

/// A route that is left to the old service, among the operations of the new one.
#[derive(Debug, Serialize)]
pub(super) struct PassedOn {
    /// Its position among all operations, in the order in which requests are matched.
    position: usize,
    method: String,
    path: String,
}

/// The routes that the document does not show, as rows of the table.
pub(super) fn outside(inspection: &Inspection, document: &Document<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for route in inspection.routes() {
        let is_shown = |method: &&str| document.has(method, route.path_format());
        let methods: Vec<&str> = route.methods().into_iter().filter(|one| !is_shown(one)).collect();
        let method = match route.kind() {
            "operation" | "route" if methods.is_empty() => continue,
            "operation" | "route" => methods.join(", "),
            kind => kind.to_uppercase(),
        };
        let id = route.value()["name"].as_str().unwrap_or_default();
        rows.push(Row {
            id: comment(id),
            method,
            path: comment(route.path()),
            outcome: Outcome::PassedOn(reason(route).to_owned()),
            handler: None,
        });
    }
    rows
}

fn reason(route: Route<'_>) -> &'static str {
    match route.kind() {
        "operation" if route.is_documented() => "it belongs to a mounted application",
        "operation" => "it is not in the document (`include_in_schema=False`)",
        "route" => "it is a page outside the document",
        "mount" => "it is another application, or a folder of files",
        "host" => "it is chosen by the name of the host",
        "websocket" => "WebSockets are passed on; `#[websocket]` is there for them",
        _ => "it is a route of an unknown class",
    }
}

/// The routes that are matched before an operation that is drafted: requests that belong to them are
/// passed on. `drafted` has the methods and paths, with convertors, of the operations, in the order of routes.
pub(super) fn before(inspection: &Inspection, drafted: &[(String, String)]) -> Vec<PassedOn> {
    let mut found: Vec<PassedOn> = Vec::new();
    let mut seen = 0;
    for route in inspection.routes() {
        for method in route.methods() {
            let path = route.path();
            let is_it = |(one, other): &(String, String)| one == method && other == path;
            if route.is_documented() && drafted.iter().any(is_it) {
                seen += 1;
                continue;
            }
            let later = drafted.iter().skip(seen);
            let mut later = later.filter(|(one, _)| one == method);
            if later.any(|(_, other)| overlap(path, other)) {
                let (method, path) = (method.to_owned(), path.to_owned());
                found.push(PassedOn { position: seen + found.len(), method, path });
            }
        }
    }
    found
}

/// Whether a request may belong to two paths, as far as their segments tell.
fn overlap(one: &str, other: &str) -> bool {
    let is_rest = |segment: &str| segment.contains(":path}");
    let is_open = |segment: &str| segment.contains('{');
    let (mut ones, mut others) = (one.split('/'), other.split('/'));
    loop {
        match (ones.next(), others.next()) {
            (Some(segment), other) if is_rest(segment) => return other.is_some(),
            (one, Some(segment)) if is_rest(segment) => return one.is_some(),
            (Some(one), Some(other)) if one == other || is_open(one) || is_open(other) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// The releases of FastAPI and pydantic that `fastapi_compat::Dialect` is made of.
#[derive(Debug, PartialEq, Serialize)]
struct Releases {
    fastapi: String,
    pydantic: String,
    /// Whether the old service has an older one, whose answers are not known.
    is_older: bool,
}

impl Releases {
    /// The oldest that `fastapi_compat::Dialect::of` takes.
    const OLDEST: [(u32, u32, u32); 2] = [(0, 110, 2), (2, 7, 0)];

    fn of(inspection: &Inspection) -> Option<Self> {
        let own = [inspection.version("fastapi")?, inspection.version("pydantic")?];
        let [fastapi, pydantic] = [0, 1].map(|index| {
            let (major, minor, patch) = own[index].max(Self::OLDEST[index]);
            format!("{major}.{minor}.{patch}")
        });
        let is_older = own.iter().zip(&Self::OLDEST).any(|(own, oldest)| own < oldest);
        Some(Self { fastapi, pydantic, is_older })
    }
}

/// What the README says.
#[derive(Debug, Serialize)]
pub(super) struct About {
    app: String,
    /// `FastAPI 0.165.0` and so on.
    versions: Vec<String>,
    /// The releases whose answers are given.
    dialect: Option<Releases>,
    /// What the old service does with exceptions: the exception, and the function with its location.
    handlers: Vec<[String; 2]>,
    /// Whether it explains invalid requests otherwise than FastAPI.
    explains_otherwise: bool,
    /// What runs when it starts and stops.
    lifespan: Vec<String>,
    /// What the inspector could not read.
    remarks: Vec<String>,
    /// `redirect_slashes=False`
    keeps_slashes: bool,
}

impl About {
    pub(super) fn new(inspection: &Inspection) -> Self {
        let all = inspection.value();
        let application = &all["application"];
        let names = [
            ("Python", "python"),
            ("FastAPI", "fastapi"),
            ("Starlette", "starlette"),
            ("pydantic", "pydantic"),
            ("SQLAlchemy", "sqlalchemy"),
            ("SQLModel", "sqlmodel"),
        ];
        let versions = names
            .iter()
            .filter_map(|(name, key)| Some(format!("{name} {}", all["versions"][*key].as_str()?)));
        let located = |key: &Value| {
            let callable = inspection.callable(key.as_str()?)?;
            Some(format!("`{}` ({})", comment(&callable.name), comment(&callable.location())))
        };
        let own = application["exception_handlers"].as_array().into_iter().flatten();
        let own = own.filter(|handler| handler["builtin"] == false);
        let handlers: Vec<[String; 2]> = own
            .map(|handler| {
                let exception = &handler["exception"];
                let exception = exception.as_str().map_or_else(|| exception.to_string(), comment);
                [exception, located(&handler["call"]).unwrap_or_default()]
            })
            .collect();
        let lifespan = &application["lifespan"];
        let started = ["startup", "shutdown"].iter();
        let started = started.flat_map(|name| lifespan[*name].as_array().into_iter().flatten());
        let remarks = all["remarks"].as_array().into_iter().flatten().map(|remark| {
            let part = |name: &str| comment(remark[name].as_str().unwrap_or_default());
            format!("{}: {}", part("about"), part("what"))
        });
        Self {
            app: comment(all["app"].as_str().unwrap_or_default()),
            versions: versions.collect(),
            dialect: Releases::of(inspection),
            explains_otherwise: handlers
                .iter()
                .any(|[exception, _]| exception.ends_with("RequestValidationError")),
            handlers,
            lifespan: started.chain([&lifespan["context"]]).filter_map(located).collect(),
            remarks: remarks.collect(),
            keeps_slashes: application["settings"]["redirect_slashes"]["json"] == false,
        }
    }

    /// Whether the releases of the old service are known.
    pub(super) const fn has_dialect(&self) -> bool {
        self.dialect.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Inspection, Releases, overlap};
    use serde_json::json;

    #[test]
    fn the_dialect_is_that_of_the_old_service() {
        let of = |fastapi: &str, pydantic: &str| {
            let versions = json!({ "fastapi": fastapi, "pydantic": pydantic });
            let found = json!({ "format": 1, "versions": versions, "openapi": null });
            let Releases { fastapi, pydantic, is_older } =
                Releases::of(&Inspection::new(found).unwrap()).unwrap();
            (fastapi, pydantic, is_older)
        };
        let expected = |fastapi: &str, pydantic: &str, is_older| {
            (fastapi.to_owned(), pydantic.to_owned(), is_older)
        };
        assert_eq!(of("0.115.6", "2.9.2"), expected("0.115.6", "2.9.2", false));
        assert_eq!(of("0.116.0rc1", "2.14"), expected("0.116.0", "2.14.0", false));
        assert_eq!(of("0.95.2", "1.10.13"), expected("0.110.2", "2.7.0", true));
        // What is taken for the oldest is what the library knows as such.
        let is_known =
            |fastapi: &str, pydantic: &str| fastapi_compat::Dialect::of(fastapi, pydantic).is_ok();
        assert!(is_known("0.110.2", "2.7.0"));
        assert!(!is_known("0.110.1", "2.7.0") && !is_known("0.110.2", "2.6.4"));
    }

    #[test]
    fn paths_overlap_by_segments() {
        assert!(overlap("/items/count", "/items/{id}") && overlap("/{a}/b", "/a/{b}"));
        assert!(overlap("/a/{rest:path}", "/{b}/c/d") && overlap("/a/b/c", "/{rest:path}"));
        assert!(!overlap("/b/{rest:path}", "/a/c"));
        assert!(!overlap("/items/count", "/items/{id}/all") && !overlap("/docs", "/{a}/{b}"));
    }
}
