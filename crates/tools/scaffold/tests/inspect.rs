//! What the inspector reads from applications of different habits, and what it says where it cannot.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::{Path, PathBuf};

use scaffold::inspect::{Application, InspectError, inspect};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

fn application(directory: &Path, app: &str) -> Application {
    Application {
        app: app.into(),
        python: Some(root().join("target/venv/bin/python")),
        directory: directory.into(),
        metadata: Vec::new(),
        allow_connections: false,
        environment: Vec::new(),
        timeout: 120,
    }
}

fn sample(directory: &str, app: &str) -> Application {
    application(&root().join("crates/tools/scaffold/tests/applications").join(directory), app)
}

/// An application of one module, `main.py`.
fn written(source: &str) -> (tempfile::TempDir, Application) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.py"), source).unwrap();
    let application = application(folder.path(), "main:app");
    (folder, application)
}

fn failure(application: &Application) -> String {
    match inspect(application) {
        Err(InspectError::Application(text)) => text,
        other => format!("another result: {other:?}"),
    }
}

fn route<'a>(found: &'a Value, path: &str) -> &'a Value {
    let routes = found["routes"].as_array().unwrap();
    routes.iter().find(|route| route["path"] == path).unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap_or_default()).collect()
}

/// Constructs that the application itself compiles, for the databases that it knows.
#[test]
fn conditions_of_an_applications_own_are_in_the_statements() {
    let (_folder, application) = written(
        r#"
from fastapi import FastAPI
from sqlalchemy import CheckConstraint, Column, MetaData, String, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement

metadata = MetaData()
key = Column("key", String, primary_key=True)

class is_short(ColumnElement):
    inherit_cache = True

@compiles(is_short, "sqlite")
@compiles(is_short, "postgresql")
def compiled(element, compiler, **options):
    return "length(key) < 9"

Table("thing", metadata, key, CheckConstraint(is_short(), name="short"), CheckConstraint("key <> ''"))
app = FastAPI()
"#,
    );
    let found = inspect(&application).unwrap();
    assert_eq!(found["remarks"], json!([]));
    for database in ["postgres", "sqlite"] {
        let statements = found["metadata"][0]["ddl"][database].to_string();
        assert!(statements.contains("length(key) < 9"), "{database}: {statements}");
    }
}

#[test]
fn python_legacy_is_read_as_it_is() {
    let found = inspect(&application(&root().join("python-legacy"), "app.main:app")).unwrap();
    assert_eq!(found["remarks"], json!([]));
    let document = std::fs::read_to_string(root().join("openapi/openapi.json")).unwrap();
    assert_eq!(found["openapi"], serde_json::from_str::<Value>(&document).unwrap());
    let operations = found["routes"].as_array().unwrap();
    let operations = operations.iter().filter(|route| route["in_document"] == true).count();
    let documented = found["openapi"]["paths"].as_object().unwrap().values();
    assert_eq!(operations, documented.map(|path| path.as_object().unwrap().len()).sum::<usize>());

    let update = route(&found, "/api/v1/items/{id}");
    assert_eq!(update["endpoint"], "app.routes.items.read_item");
    assert_eq!(update["dependant"]["order"], json!(["session", "current_user", "id"]));
    let user = &update["dependant"]["dependencies"][1];
    assert_eq!(user["call"], "app.deps.get_current_user");
    assert_eq!(user["dependencies"][0]["yields"], true);
    assert_eq!(user["dependencies"][1]["scheme"]["auto_error"], true);
    let source = &found["callables"]["app.routes.items.read_item"];
    assert_eq!(source["file"], "app/routes/items.py");
    assert!(source["source"].as_str().unwrap().contains("accessible_item(session"));
    let cors = &found["application"]["middlewares"][0];
    assert_eq!(cors["class"], "starlette.middleware.cors.CORSMiddleware");
    assert_eq!(cors["options"]["allow_methods"]["json"], json!(["*"]));
    assert_eq!(found["metadata"][0]["name"], "app.models:Base.metadata");
}

#[test]
fn what_no_document_shows_is_read() {
    let found = inspect(&sample("", "warehouse.app:create_app()")).unwrap();
    let product = route(&found, "/products/{product_id:uuid}");
    assert_eq!(product["convertors"]["product_id"]["name"], "uuid");
    assert_eq!(product["response_model_exclude_none"], true);
    let label = route(&found, "/products/{vendor}/{sku}.txt");
    let parameters = &label["dependant"]["parameters"];
    assert_eq!(names(parameters), ["sku", "vendor", "copies"], "in the signature's order");
    assert_eq!(parameters[2]["none_is_default"], true);
    assert_eq!(parameters[2]["annotation"], "int");
    assert_eq!(label["response_media_type"], "text/plain");
    let create = &route(&found, "/products/")["dependant"];
    let header = &create["parameters"][1];
    assert_eq!((&header["alias"], &header["in"]), (&json!("trace_id"), &json!("header")));
    assert_eq!(header["options"]["convert_underscores"], false);
    let key = &create["dependencies"][0];
    assert_eq!((&key["name"], &key["scheme"]["auto_error"]), (&Value::Null, &json!(false)));
    assert_eq!(create["dependencies"][2]["security_scopes"], json!(["orders"]));
    let body = &found["models"]["warehouse.app.ProductIn"];
    assert_eq!(body["config"]["strict"]["json"], true);
    assert_eq!(body["fields"]["sku"]["validation_alias"], "articleNumber");
    assert_eq!(body["fields"]["tags"]["default"]["factory"], "list");
    let validator = body["validators"][0]["call"].as_str().unwrap();
    let source = found["callables"][validator]["source"].as_str().unwrap();
    assert!(source.contains("return value.upper()"), "{source}");
    let middlewares = &found["application"]["middlewares"];
    assert_eq!(middlewares[0]["options"]["allowed_hosts"]["json"][1], "localhost");
    assert_eq!(middlewares[1]["options"]["minimum_size"]["json"], 500);
    let handlers = found["application"]["exception_handlers"].as_array().unwrap();
    let own: Vec<_> = handlers.iter().filter(|handler| handler["builtin"] == false).collect();
    assert_eq!((own.len(), &own[0]["exception"]), (1, &json!("LookupError")));
}

#[test]
fn classes_routers_mounts_and_websockets_are_followed() {
    let mut tenancy = sample("tenancy", "app.main:app");
    let text = failure(&tenancy);
    assert!(text.contains("TENANCY_DB_DSN"), "{text}");
    tenancy.environment = vec![("TENANCY_DB_DSN".into(), "postgres://a@127.0.0.1:1/b".into())];
    let found = inspect(&tenancy).unwrap();
    assert_eq!(route(&found, "/projects/{id}")["endpoint"], "app.projects.router.Projects.read");
    assert_eq!(route(&found, "/tasks/feed/{project_id}")["kind"], "websocket");
    assert_eq!(route(&found, "/tasks/files/{name:path}")["in_document"], false);
    let admin = route(&found, "/admin");
    assert_eq!(
        (&admin["kind"], &admin["application"]),
        (&json!("mount"), &json!("fastapi.applications.FastAPI"))
    );
    assert_eq!(found["application"]["lifespan"]["context"], "app.main.Application.run");
    let out = &found["models"]["app.projects.router.ProjectOut"];
    assert_eq!(out["computed_fields"]["path"]["annotation"], "str");
    assert!(!found.to_string().contains("only in tests"), "secrets stay in the process");
    let signed = &found["application"]["middlewares"][1]["options"]["secret_key"];
    assert_eq!(signed["redacted"], true);
}

#[test]
fn validators_in_the_style_of_pydantic_1_are_found_by_their_own_names() {
    let found = inspect(&sample("surgery", "main:app")).unwrap();
    let validator = &found["models"]["main.PatientCreate"]["validators"][0];
    assert_eq!(validator["call"], "main.PatientBase.species_is_known");
    let remarks = found["remarks"].to_string();
    assert!(remarks.contains("create_all"), "{remarks}");
    assert!(!root().join("crates/tools/scaffold/tests/applications/surgery/surgery.db").exists());
}

#[test]
fn an_import_that_fails_says_what_to_do() {
    let missing = application(&root().join("python-legacy"), "app.main:application");
    assert!(failure(&missing).contains("it has app.main:app"), "{}", failure(&missing));
    let wrong = application(&root(), "app.main:app");
    assert!(failure(&wrong).contains("--directory"), "{}", failure(&wrong));
    for (source, expected) in [
        ("import os\nkey = os.environ['NOTES_KEY']\n", "set the environment variable 'NOTES_KEY'"),
        ("import notes_of_nowhere\n", "`notes_of_nowhere` is not installed"),
        ("import sys\nsys.exit('no')\n", "ends the process"),
        ("app = 3\n", "is no FastAPI application"),
        ("def app():\n    raise ValueError('no settings')\n", "`app` of main fails"),
        ("app = (\n", "SyntaxError"),
        (
            "import psycopg\npsycopg.connect('host=127.0.0.1 port=1')\n",
            "permit it with --allow-connections",
        ),
        (
            "import socket\nsocket.create_connection(('127.0.0.1', 9))\n",
            "permit it with --allow-connections",
        ),
    ] {
        let (_folder, application) = written(source);
        let text = failure(&application);
        assert!(text.contains(expected), "{source}: {text}");
    }
}

#[test]
fn nothing_that_an_application_does_damages_the_result() {
    let source = r#"
import atexit, os, sys, threading, time
from fastapi import Depends, FastAPI, Query
from starlette.applications import Starlette

print("{", flush=True)
os.write(1, b"not JSON\n")
threading.Thread(target=time.sleep, args=(3600,)).start()

class Odd:
    def __repr__(self):
        raise RuntimeError("no")

def again(q: list = Query(default_factory=list)):
    return q

app = FastAPI()
app.add_middleware(type("Outer", (), {"__init__": lambda self, app, odd: None}), odd=Odd())

@app.get("/a", dependencies=[Depends(again)])
def a(odd: int = 1):
    """Ä"""

app.openapi = lambda: 1 / 0
app = type("Wrapper", (), {"__init__": lambda self, app: setattr(self, "app", app)})(app)
"#;
    let (folder, application) = written(source);
    let found = inspect(&application).unwrap();
    assert_eq!(found["openapi"], Value::Null);
    let remarks = found["remarks"].to_string();
    assert!(remarks.contains("ZeroDivisionError") && remarks.contains("Wrapper"), "{remarks}");
    assert_eq!(route(&found, "/a")["description"], "Ä");
    let again = &route(&found, "/a")["dependant"]["dependencies"][0];
    assert_eq!(again["parameters"][0]["default"]["factory"], "list");
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing is left beside the application: {files:?}");
}

#[test]
fn an_import_without_end_is_given_up() {
    let (_folder, mut application) = written("import time\ntime.sleep(3600)\n");
    application.timeout = 1;
    assert!(matches!(inspect(&application), Err(InspectError::Timeout { .. })));
}
