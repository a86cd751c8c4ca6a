//! Resources with fields at random, in a copy of this tree: each file parses in its language, SQLite takes
//! the statements of its migrations and checks, and one bad field among them changes nothing. What the
//! code does is what `make service-check` proves of a resource with every type.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use fastrand::Rng;
use scaffold::resource::write;
use scaffold::tree::Tree;
use sqlx::{Connection, SqliteConnection};

use crate::{args, copy};

/// How many resources are made in one tree.
const RESOURCES: usize = 30;

fn word(rng: &mut Rng, max: usize) -> String {
    let length = rng.usize(2..=max);
    (0..length).map(|_| rng.char('a'..='z')).collect()
}

/// A name as a person may choose it, different from those before.
fn name(rng: &mut Rng, used: &mut BTreeSet<String>) -> String {
    loop {
        let words: Vec<String> = (0..rng.usize(1..=3)).map(|_| word(rng, 6)).collect();
        // No keyword ends so.
        let name = format!("{}x", words.join("_"));
        if used.insert(name.clone()) {
            return name;
        }
    }
}

fn kind(rng: &mut Rng) -> String {
    let (min, max) = (rng.usize(0..10), rng.usize(10..300));
    match rng.usize(0..18) {
        0 => "string".into(),
        1 => format!("string({min}..{max})"),
        2 => "text".into(),
        3 => "integer".into(),
        4 => format!("integer(-{min}..{max})"),
        5 => format!("integer({max}..)"),
        6 => format!("decimal({},{})", rng.usize(14..29), rng.usize(0..15)),
        7 => "boolean".into(),
        8 => "uuid".into(),
        9 => "date".into(),
        10 => "datetime".into(),
        11 => "time".into(),
        12 => ["float", "float(0..1)", "float(-1.5..)", "float(..1e300)"][rng.usize(0..4)].into(),
        13 => "email".into(),
        14 => "url".into(),
        15 => "bytes".into(),
        16 => "duration".into(),
        _ => {
            let mut used = BTreeSet::new();
            let values: Vec<String> = (0..rng.usize(1..6)).map(|_| name(rng, &mut used)).collect();
            format!("enum({})", values.join("|"))
        }
    }
}

/// The types that lists are narrowed by.
const FILTERS: [&str; 6] = ["string", "integer", "boolean", "uuid", "enum(", "date"];

/// Options that go with a type and with each other.
fn options(rng: &mut Rng, kind: &str, nullable: bool) -> String {
    let mut options = Vec::new();
    let can_be_unique = ["string", "uuid", "email", "integer"].contains(&kind);
    let is_short = !["text", "url", "bytes"].contains(&kind);
    match rng.usize(0..4) {
        0 if can_be_unique => options.push("unique".to_owned()),
        1 if can_be_unique => options.push("unique(owner)".to_owned()),
        2 if is_short => options.push("index".to_owned()),
        3 if FILTERS.iter().any(|filter| kind.starts_with(filter) && kind != "datetime") => {
            return ":filter".to_owned();
        }
        _ => {}
    }
    let is_unique = options.iter().any(|option| option.starts_with("unique"));
    let default = match kind {
        "string" => Some("'a:\"b\"'"),
        "integer" => Some("-7"),
        "boolean" => Some("true"),
        "float(0..1)" => Some("0.5"),
        _ => kind.strip_prefix("enum(").and_then(|values| values.split(['|', ')']).next()),
    };
    let default = default.filter(|_| !nullable && rng.bool());
    options.extend(default.map(|default| format!("default={default}")));
    if !is_unique && (nullable || default.is_some()) && rng.bool() {
        options.push("readonly".into());
    }
    if rng.usize(0..5) == 0 {
        options.push("secret".into());
    }
    if kind == "string" && default.is_none() && !is_unique && rng.bool() {
        options.push("min=2:max=9:pattern='^[\"A-Z:]{2,3}$':sample='\"A|B:C'".into());
    }
    let options: Vec<String> = options.iter().map(|option| format!(":{option}")).collect();
    options.concat()
}

fn fields(rng: &mut Rng) -> String {
    let mut used = BTreeSet::new();
    let mut fields = vec![format!("{}:string", name(rng, &mut used))];
    for _ in 0..rng.usize(1..12) {
        let (nullable, kind) = (rng.bool(), kind(rng));
        let null = if nullable { "?" } else { "" };
        let options = options(rng, &kind, nullable);
        fields.push(format!("{}:{kind}{null}{options}", name(rng, &mut used)));
    }
    fields.join(" ")
}

fn make(root: &Path, name: &str, fields: &str) -> Vec<PathBuf> {
    let mut tree = Tree::open(root).unwrap();
    let done = write(&mut tree, &args(&[name, fields]));
    assert!(done.is_ok(), "{name} {fields}: {done:?}");
    let report = tree.commit().unwrap();
    report.into_iter().map(|(_, path)| root.join(path)).collect()
}

#[tokio::test]
async fn resources_at_random_parse_in_every_language() {
    let seed =
        std::env::var("SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let copy = copy();
    let (mut files, mut made, mut used) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
    for _ in 0..RESOURCES {
        let name = format!("{}s", name(&mut rng, &mut used));
        let fields = fields(&mut rng);
        files.extend(make(copy.path(), &name, &fields));
        made.push((name, fields));
    }

    let is = |extension: &str| {
        let files = files.iter().filter(|path| path.extension().unwrap() == extension);
        files.cloned().collect::<Vec<_>>()
    };
    for path in is("rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        if let Err(error) = syn::parse_file(&text) {
            panic!("{} at {:?}: {error}\n{text}", path.display(), error.span().start());
        }
    }
    let python = Command::new(std::env::var("PYTHON").unwrap_or_else(|_| "python3".into()))
        .args([
            "-c",
            "import sys\nfor path in sys.argv[1:]: compile(open(path).read(), path, 'exec')",
        ])
        .args(is("py"))
        .status();
    assert!(python.unwrap().success());
    assert!(is("rs").len() > 4 * RESOURCES && is("py").len() > 2 * RESOURCES);
    migrations_run(copy.path(), &made).await;

    // A second run changes nothing, whatever the fields are.
    for (name, fields) in &made {
        let mut tree = Tree::open(copy.path()).unwrap();
        write(&mut tree, &args(&[name, fields])).unwrap();
        assert!(!tree.changes(""), "{name} {fields}");
    }
}

/// All migrations in a database of SQLite's, whose tables have the columns then.
async fn migrations_run(root: &Path, made: &[(String, String)]) {
    let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let folder = root.join("migrations/sqlite");
    let migrator = sqlx::migrate::Migrator::new(folder).await.unwrap();
    migrator.run(&mut database).await.unwrap();
    for (name, fields) in made {
        let columns: Vec<String> =
            sqlx::query_scalar("SELECT name FROM pragma_table_info($1) ORDER BY cid")
                .bind(name.strip_suffix('s').unwrap())
                .fetch_all(&mut database)
                .await
                .unwrap();
        let mut expected = vec!["id"];
        expected.extend(fields.split_whitespace().map(|field| field.split_once(':').unwrap().0));
        expected.extend(["owner_id", "created_at"]);
        assert_eq!(columns, expected, "{name} {fields}");
    }
}

#[test]
fn what_is_wrong_is_reported_and_changes_nothing() {
    let copy = copy();
    make(copy.path(), "probes", "state:enum(open|paid)");
    for (name, fields, reason) in [
        ("jobs", "ok:string kind:enum(a|self)", "`self` means something"),
        ("jobs", "ok:string rate:float(1..inf)", "finite"),
        ("jobs", "ok:string class:string", "means something"),
        ("jobs", "a:string?:readonly", "all fields are readonly"),
        ("jobs", "ok:string a:text:unique", "no index of values as long"),
        (
            "long_named_resource_of_others",
            "a_field_whose_name_is_long_as_well:uuid:unique(owner)",
            "more than the 63",
        ),
        ("jobs", "page:enum(a|b)", "`JobPage`, which means something else"),
        ("users", "name:string", "is there already"),
        // The types of the domain and of the documents are one namespace.
        ("probe_states", "name:string", "names a ProbeState"),
        ("probe_pages", "name:string", "names a ProbePage"),
        ("new_probes", "name:string", "names a NewProbe"),
        ("probe_creates", "name:string", "names a ProbeCreate"),
        ("utils", "name:string", "is there in part"),
    ] {
        let mut tree = Tree::open(copy.path()).unwrap();
        let error = write(&mut tree, &args(&[name, fields])).err().ok_or((name, fields)).unwrap();
        assert!(error.to_string().contains(reason), "{name} {fields}: {error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }

    // An earlier run that was not finished.
    std::fs::remove_file(copy.path().join("crates/api/src/routes/probes.rs")).unwrap();
    let mut tree = Tree::open(copy.path()).unwrap();
    let error =
        write(&mut tree, &args(&["probes", "state:enum(open|paid)"])).unwrap_err().to_string();
    assert!(error.contains("crates/api/src/routes/probes.rs is not. Restore"), "{error}");
    assert!(!tree.changes(""));
}
