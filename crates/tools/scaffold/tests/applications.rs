//! Drafts from the code of applications of different habits. That they compile, and that their
//! documents are those of the applications, is what `make service-check` proves.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::path::{Path, PathBuf};

use clap::Parser;
use scaffold::draft::{Draft, DraftArgs, Handler, Outcome, draft_application, write};
use scaffold::inspect::{Application, inspect};
use scaffold::inspection::Inspection;
use scaffold::tree::{State, Tree};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

fn drafted(directory: &Path, app: &str) -> Draft {
    let found = inspect(&Application {
        app: app.into(),
        python: Some(root().join("target/venv/bin/python")),
        directory: directory.into(),
        metadata: Vec::new(),
        allow_connections: false,
        environment: vec![("TENANCY_DB_DSN".into(), "postgres://a@127.0.0.1:1/b".into())],
        timeout: 120,
    });
    draft_application(Inspection::new(found.unwrap()).unwrap(), "theirs", "all").unwrap()
}

fn sample(directory: &str, app: &str) -> Draft {
    drafted(&root().join("crates/tools/scaffold/tests/applications").join(directory), app)
}

/// An application of one module, `main.py`.
fn written(source: &str) -> Draft {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.py"), source).unwrap();
    drafted(folder.path(), "main:app")
}

fn file<'d>(draft: &'d Draft, path: &str) -> &'d str {
    let file = draft.files.iter().find(|(name, _)| name == path);
    file.map_or_else(|| panic!("{path} is not there"), |(_, text)| text.as_str())
}

fn contains(draft: &Draft, path: &str, parts: &[&str]) {
    let text = file(draft, path);
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {path}:\n{text}");
    }
}

/// The outcome of an operation, by method and path.
fn outcome<'d>(draft: &'d Draft, name: &str) -> &'d Outcome {
    let row = draft.table.0.iter().find(|row| format!("{} {}", row.method, row.path) == name);
    &row.unwrap_or_else(|| panic!("{name} is not in the table:\n{}", draft.table)).outcome
}

fn is_loose(draft: &Draft, name: &str, reason: &str) {
    let Outcome::Loose(reasons) = outcome(draft, name) else { panic!("{name} is not loose") };
    assert!(reasons.iter().any(|one| one.contains(reason)), "{name}: {reasons:#?}");
}

#[test]
fn what_only_the_code_shows_is_drafted() {
    let draft = sample("", "warehouse.app:create_app()");
    for name in ["GET /products/{product_id}", "GET /products/{vendor}/{sku}.txt"] {
        assert_eq!(*outcome(&draft, name), Outcome::Native, "{name}");
    }
    is_loose(&draft, "POST /products/", "`warehouse.app.ProductIn.upper`");
    contains(
        &draft,
        "src/routes.rs",
        &[
            "#[get(\"/products/{product_id:uuid}\")]",
            "Call<Option<ApiKeyHeader<XKey>>, Path<Uuid>>",
            "Call<(Option<ApiKeyHeader<XKey>>, Option<Bearer>), ",
            "// Python: warehouse.app.label (warehouse/app.py:",
            "//         return f\"{vendor}/{sku} \" * (copies or 1)\n    not_written(\"label\")",
            "// Depends on `warehouse.app.get_session` (warehouse/app.py:",
            "by `response_model_exclude_none`",
        ],
    );
    contains(
        &draft,
        "src/models.rs",
        &[
            "#[schema(nullable = false)]\n    pub copies: Option<Integer>",
            "#[schema(convert_underscores = false)]\n    pub trace_id: Option<String>",
            "#[schema(strict)]\n#[serde(deny_unknown_fields)]\npub struct ProductIn",
            "#[schema(strip_whitespace)]\n    pub vendor: String",
            "#[schema(default_factory = <Vec<String>>::new())]",
            "//         return value.upper()",
        ],
    );
    let layers = [".layer(GzipLayer::new().minimum_size(500))\n\
         .layer(TrustedHostLayer::new([\"*.example.com\", \"localhost\"])?)"];
    contains(&draft, "src/layers.rs", &layers);
    let paths = "    \"/products/{product_id:uuid}\",\n    \"/products/{vendor}/{sku}.txt\",\n";
    contains(&draft, "src/main.rs", &["layers::layered(router)?", paths]);
    contains(
        &draft,
        "src/dependencies.rs",
        &["// Python: warehouse.app.get_session", "yield session"],
    );
    contains(
        &draft,
        "README.md",
        &["FastAPI 0.", "pydantic 2.", "| `LookupError` |", "`tables` is"],
    );
}

#[test]
fn what_the_document_does_not_show_is_passed_on() {
    let draft = sample("tenancy", "app.main:app");
    for (name, reason) in [
        ("WEBSOCKET /tasks/feed/{project_id}", "WebSockets"),
        ("GET /tasks/files/{name:path}", "include_in_schema"),
        ("MOUNT /admin", "another application"),
    ] {
        let Outcome::PassedOn(why) = outcome(&draft, name) else { panic!("{name}") };
        assert!(why.contains(reason), "{name}: {why}");
    }
    let layers = file(&draft, "src/layers.rs");
    assert!(layers.contains("CorsLayer::new") && layers.contains("class Signed:"), "{layers}");
    assert!(!draft.files.iter().any(|(_, text)| text.contains("only in tests")), "a secret");
    contains(&draft, "README.md", &["`app.main.Application.run`"]);
}

#[test]
fn routes_are_matched_in_the_order_of_the_application() {
    let draft = written(
        r#"
from fastapi import Depends, FastAPI, Query
from pydantic import AfterValidator, BaseModel, ConfigDict
from typing import Annotated

app = FastAPI()

def even(number: int) -> int:
    return number

class Filters(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    limit: int = 10
    q: str = None

def page(skip: int = 0) -> int:
    return skip

@app.get("/things/{name}")
def thing(name: str): ...

@app.get("/things/all", include_in_schema=False)
def never(): ...

@app.get("/items/latest", include_in_schema=False)
def latest(): ...

@app.get("/items/{id:int}")
def item(id: Annotated[int, AfterValidator(even)]): ...

@app.post("/things/{name}")
def change(name: str): ...

@app.get("/search")
def search(filters: Annotated[Filters, Query()]): ...

@app.get("/many")
def many(last: int = 1, offset: int = Depends(page), first: list[Annotated[int, AfterValidator(even)]] = Query([])): ...
"#,
    );
    let parts =
        ["const PASSED_ON: [(usize, &str, &str); 1] = [\n    (1, \"GET\", \"/items/latest\"),"];
    contains(&draft, "src/main.rs", &parts);
    let ids: Vec<_> = draft.table.0.iter().take(3).map(|row| row.path.as_str()).collect();
    assert_eq!(ids, ["/things/{name}", "/items/{id}", "/things/{name}"]);
    is_loose(&draft, "GET /items/{id}", "`main.even`");
    is_loose(&draft, "GET /many", "`main.even`");
    let models = file(&draft, "src/models.rs");
    let at = |name: &str| models.find(name).unwrap_or_else(|| panic!("{name}\n{models}"));
    assert!(at("pub skip:") < at("pub last:") && at("pub last:") < at("pub first:"), "{models}");
    contains(
        &draft,
        "src/models.rs",
        &["#[schema(model)]\n#[serde(deny_unknown_fields)]\npub struct"],
    );
}

/// Why a handler passes on; nothing for one that is whole.
fn passes_on<'d>(draft: &'d Draft, name: &str) -> Option<&'d str> {
    let row = draft.table.0.iter().find(|row| format!("{} {}", row.method, row.path) == name);
    match row.and_then(|row| row.handler.as_ref()) {
        Some(Handler::Whole) => None,
        Some(Handler::PassedOn(reason)) => Some(reason),
        None => panic!("{name} has no handler:\n{}", draft.table),
    }
}

/// What is compared with Python where its requirements are installed is tested in `tables.rs`.
#[test]
fn handlers_on_asynchronous_sessions_are_whole() {
    let draft = sample("tenancy", "app.main:app");
    assert_eq!(passes_on(&draft, "GET /projects"), None);
    assert_eq!(passes_on(&draft, "POST /projects"), None);
    let reason = passes_on(&draft, "GET /projects/{id}").unwrap();
    assert!(reason.contains("`app.projects.router.ProjectOut` has validators"), "{reason}");
    contains(
        &draft,
        "src/routes.rs",
        &[
            "Call(Depends(CurrentTenant(caller)), Query(query))",
            "list_projects_by_tenant_id_in_order_of_id(rows::narrow(&caller)?, Some(rows::narrow(&query.skip)?)",
            "tenant_id: rows::narrow(&caller)?",
            "archived: false,\ncreated_at: None,",
        ],
    );
    contains(
        &draft,
        "src/callers.rs",
        &[
            "pub struct CurrentTenant(pub Integer);",
            "HttpError::new(StatusCode::UNAUTHORIZED, \"No tenant\")",
        ],
    );
    contains(&draft, "README.md", &["Handlers: 2 are drafted whole, 1 pass on."]);
    let text = file(&draft, "draft.json");
    assert!(text.contains("\"whole\": true") && text.contains("\"whole\": false"), "{text}");
}

/// Each differs from what is recognised by a little that changes an answer.
const NEARLY: &str = r#"
from typing import Annotated, Iterator
from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import event
from sqlmodel import Field, Session, SQLModel, create_engine, select

engine = create_engine("sqlite://")

def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session

def scoped(session: Session = Depends(get_session)) -> Session:
    return session

SessionDep = Annotated[Session, Depends(get_session)]

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    text: str = Field(max_length=9)
    stars: int = 0

class Heard(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)

@event.listens_for(Heard, "before_insert")
def before(mapper, connection, target): ...

class NoteIn(SQLModel):
    text: str
    stars: int = 1

class Renamed(SQLModel):
    id: int
    words: str = Field(validation_alias="text")

class Fraction(SQLModel):
    id: int
    stars: float

app = FastAPI()

@app.get("/whole/{id}", response_model=Note)
def whole(id: int, session: SessionDep):
    note = session.get(Note, id)
    if not note:
        raise HTTPException(404, "No note")
    return note

@app.get("/detail/{id}", response_model=Note)
def detail(id: int, session: SessionDep):
    note = session.get(Note, id)
    if not note:
        raise HTTPException(404, f"No note {id}")
    return note

@app.get("/headers/{id}", response_model=Note)
def headers(id: int, session: SessionDep):
    note = session.get(Note, id)
    if not note:
        raise HTTPException(404, "No note", headers={"x-a": "b"})
    return note

@app.get("/unsaid/{id}", response_model=Note)
def unsaid(id: int, session: SessionDep):
    return session.get(Note, id)

@app.get("/or/{id}", response_model=Note)
def either(id: int, session: SessionDep):
    note = session.get(Note, id)
    if not note or note.stars < 1:
        raise HTTPException(404, "No note")
    return note

@app.get("/any", response_model=Note)
def any_of_them(stars: int, session: SessionDep):
    note = session.exec(select(Note).where(Note.stars == stars)).first()
    if not note:
        raise HTTPException(404, "No note")
    return note

@app.get("/more", response_model=list[Note])
def more(stars: int, session: SessionDep):
    return session.exec(select(Note).where(Note.stars >= stars)).all()

@app.get("/renamed", response_model=list[Renamed])
def renamed(session: SessionDep):
    return session.exec(select(Note)).all()

@app.get("/fraction", response_model=list[Fraction])
def fraction(session: SessionDep):
    return session.exec(select(Note)).all()

@app.get("/unset", response_model=list[Note], response_model_exclude_unset=True)
def unset(session: SessionDep):
    return session.exec(select(Note)).all()

@app.get("/scoped", response_model=list[Note])
def of_scope(session: Session = Depends(scoped)):
    return session.exec(select(Note)).all()

@app.get("/optional", response_model=list[Note])
def optional(session: SessionDep, limit: int | None = None):
    return session.exec(select(Note).limit(limit)).all()

@app.post("/rules", response_model=Note)
def rules(note: NoteIn, session: SessionDep):
    stored = Note.model_validate(note)
    session.add(stored)
    session.commit()
    session.refresh(stored)
    return stored

@app.post("/stale", response_model=Note)
def stale(note: NoteIn, session: SessionDep):
    stored = Note(**note.model_dump())
    session.add(stored)
    session.commit()
    return stored

@app.post("/heard", response_model=Heard)
def heard(session: SessionDep):
    stored = Heard()
    session.add(stored)
    session.commit()
    session.refresh(stored)
    return stored

@app.patch("/notes/{id}", response_model=Note)
def change(id: int, note: NoteIn, session: SessionDep):
    stored = session.get(Note, id)
    if not stored:
        raise HTTPException(404, "No note")
    stored.sqlmodel_update(note.model_dump(exclude_unset=True))
    session.add(stored)
    session.commit()
    session.refresh(stored)
    return stored

@app.delete("/logged/{id}")
def logged(id: int, session: SessionDep):
    note = session.get(Note, id)
    if not note:
        raise HTTPException(404, "No note")
    print(note)
    session.delete(note)
    session.commit()
"#;

#[test]
fn what_is_not_understood_to_the_last_word_is_passed_on() {
    let draft = written(NEARLY);
    assert_eq!(passes_on(&draft, "GET /whole/{id}"), None);
    for (name, expected) in [
        ("GET /detail/{id}", "is no constant text"),
        ("GET /headers/{id}", "has headers"),
        ("GET /unsaid/{id}", "where the row is missing"),
        ("GET /or/{id}", "is not recognised"),
        ("GET /any", "one of several rows"),
        ("GET /more", "is not recognised"),
        ("GET /renamed", "another name for `words`"),
        ("GET /fraction", "`stars` is of another type"),
        ("GET /unset", "response_model_exclude_unset"),
        ("GET /scoped", "`main.scoped` is a dependency that is not recognised"),
        ("GET /optional", "is a `Option<Integer>`"),
        ("POST /rules", "has rules that the body has not"),
        ("POST /stale", "does not add, commit, refresh"),
        ("POST /heard", "has listeners"),
        ("PATCH /notes/{id}", "`stars` has a default that is no change"),
        ("DELETE /logged/{id}", "is not recognised"),
    ] {
        let reason = passes_on(&draft, name).unwrap_or_else(|| panic!("{name} is whole"));
        assert!(reason.contains(expected), "{name}: {reason}");
    }
    // A handler of the application's own answers otherwise than FastAPI.
    let own = written(
        r#"
from fastapi import FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, create_engine, select

class Note(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)

app = FastAPI()

@app.exception_handler(HTTPException)
async def answered(request, error): ...

@app.get("/whole", response_model=list[Note])
def whole(): ...
"#,
    );
    assert!(passes_on(&own, "GET /whole").unwrap().contains("`HTTPException` itself"));
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: DraftArgs,
}

/// Files as a formatter may lay them out, and as a person changes them.
#[test]
fn a_second_run_leaves_what_a_person_has_changed() {
    let top = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("Cargo.toml", std::fs::read_to_string(root().join("Cargo.toml")).unwrap()),
        ("crates/domain/src/lib.rs", String::new()),
        ("crates/api/src/routes/mod.rs", String::new()),
    ] {
        let path = top.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let python = root().join("target/venv/bin/python");
    let application = tempfile::tempdir().unwrap();
    let run = |source: &str| {
        std::fs::write(application.path().join("main.py"), source).unwrap();
        let directory = application.path().to_str().unwrap();
        let words = ["draft", "--app", "main:app", "--name", "theirs", "--directory", directory];
        let args = Cli::parse_from([&words[..], &["--python", python.to_str().unwrap()]].concat());
        let mut tree = Tree::open(top.path()).unwrap();
        let draft = write(&mut tree, &args.args).unwrap();
        let report = tree.commit().unwrap();
        draft.finish(top.path()).unwrap();
        report
    };
    let read =
        |path: &str| std::fs::read_to_string(top.path().join("crates/theirs").join(path)).unwrap();
    let source =
        "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/a')\ndef a(): return 1\n";
    assert!(run(source).contains(&(State::Created, "crates/theirs/src/routes.rs".to_owned())));
    let changed = read("src/routes.rs").replace("not_written(\"a\")", "todo(\"a\")");
    std::fs::write(top.path().join("crates/theirs/src/routes.rs"), &changed).unwrap();

    let source = source.replace("return 1", "return 2") + "@app.get('/b')\ndef b(q: int): ...\n";
    run(&source);
    assert_eq!(read("src/routes.rs"), changed.replace("return 1", "return 2"), "comments alone");
    assert!(
        read("src/models.rs").contains("pub struct BQuery"),
        "what is as it was is written anew"
    );
    assert!(read("draft.json").contains("\"/b\""));
    let left = run(&source);
    assert!(left.contains(&(State::Kept, "crates/theirs/src/routes.rs".to_owned())), "{left:?}");
}
