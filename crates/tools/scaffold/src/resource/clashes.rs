//! What stands in the way of a resource: names of others, and an earlier run that was not finished.

use super::{ResourceError, Slice};
use crate::tree::{Tree, TreeError};

/// The characters that PostgreSQL keeps of a name.
const MAX_NAME: usize = 63;

/// Types that the code of every resource imports by their names.
const IMPORTED: [&str; 10] = [
    "DateTime",
    "EmailStr",
    "HttpUrl",
    "LocalTime",
    "NaiveDate",
    "NaiveTime",
    "SecretValue",
    "StorageError",
    "TimeDelta",
    "UnknownValue",
];

/// Fails where the resource cannot be written beside what is there.
pub(super) fn check(tree: &Tree, slice: &Slice<'_>) -> Result<(), ResourceError> {
    let own = own_types(slice)?;
    indexes(tree, slice)?;
    of_the_domain(tree, slice, &own)?;
    for path in ["python-legacy/app/models.py", "python-legacy/app/schemas.py"] {
        if tree.has(path) {
            of_python(tree, slice, path, &own)?;
        }
    }
    is_whole(tree, slice)
}

/// The types that the resource brings, in all layers of both languages.
struct Own {
    /// As the domain names them.
    domain: Vec<String>,
    /// Those that only clients and Python know.
    others: Vec<String>,
}

fn own_types(slice: &Slice<'_>) -> Result<Own, ResourceError> {
    let (type_, types) = (&slice.names.type_, &slice.names.types);
    let mut domain = vec![
        type_.clone(),
        types.clone(),
        format!("New{type_}"),
        format!("{type_}Changes"),
        format!("{type_}Page"),
        format!("{type_}Filter"),
    ];
    let others = ["Create", "Update", "Public"].map(|suffix| format!("{type_}{suffix}"));
    let others = [others.as_slice(), &[format!("{types}Public")]].concat();
    for field in slice.fields.iter().filter(|field| field.enumeration(slice.names).is_some()) {
        let type_name = field.enum_type(slice.names);
        let is_taken = IMPORTED.contains(&&*type_name)
            || domain.contains(&type_name)
            || others.contains(&type_name);
        if is_taken {
            return Err(ResourceError::Enum { field: field.name.clone(), type_name });
        }
        domain.push(type_name);
    }
    Ok(Own { domain, others })
}

/// Names of indexes that PostgreSQL would cut off, and errors that another resource has.
fn indexes(tree: &Tree, slice: &Slice<'_>) -> Result<(), ResourceError> {
    let path = "crates/api/src/error.rs";
    let errors = tree.read(path)?;
    let is_there = tree.has(&format!("crates/domain/src/{}.rs", slice.names.plural));
    for index in slice.indexes() {
        if index.name.len() > MAX_NAME {
            return Err(ResourceError::Index(index.name));
        }
        if index.is_unique && !is_there && errors.contains(&format!("    {},", index.error)) {
            let (name, type_name) = (slice.names.plural.clone(), index.error);
            return Err(ResourceError::Taken { name, path: path.to_owned(), type_name });
        }
    }
    Ok(())
}

/// A type of the domain that another file made would be in the way.
fn of_the_domain(tree: &Tree, slice: &Slice<'_>, own: &Own) -> Result<(), ResourceError> {
    let names = slice.names;
    let taken = |path: &str, type_name: &str| ResourceError::Taken {
        name: names.plural.clone(),
        path: path.to_owned(),
        type_name: type_name.to_owned(),
    };
    let file = format!("crates/domain/src/{}.rs", names.plural);
    let ours = format!("struct New{} ", names.type_);
    if tree.has(&file) && !tree.read(&file)?.contains(&ours) {
        return Err(taken("crates/domain/src", &names.type_));
    }
    let path = "crates/domain/src/lib.rs";
    let ours = format!("pub use {}::", names.plural);
    for item in tree.read(path)?.split(';').filter(|item| !item.trim_start().starts_with(&ours)) {
        let mut words = item.split(|c: char| !c.is_ascii_alphanumeric());
        if let Some(word) = words.find(|word| own.domain.iter().any(|own| own == word)) {
            return Err(taken(path, word));
        }
    }
    Ok(())
}

/// A class of Python with one of the names, unless the resource itself is there.
fn of_python(tree: &Tree, slice: &Slice<'_>, path: &str, own: &Own) -> Result<(), ResourceError> {
    if tree.has(&format!("crates/domain/src/{}.rs", slice.names.plural)) {
        return Ok(());
    }
    let text = tree.read(path)?;
    let mut classes = text.lines().filter_map(|line| {
        let name = line.strip_prefix("class ")?;
        name.split(['(', ':']).next()
    });
    let is_own = |class: &&str| own.domain.iter().chain(&own.others).any(|own| own == class);
    match classes.find(is_own) {
        None => Ok(()),
        Some(class) => Err(ResourceError::Taken {
            name: slice.names.plural.clone(),
            path: path.to_owned(),
            type_name: class.to_owned(),
        }),
    }
}

/// The files that are the resource's alone are all there, or none.
fn is_whole(tree: &Tree, slice: &Slice<'_>) -> Result<(), ResourceError> {
    let plural = &slice.names.plural;
    let mut files = vec![
        format!("crates/domain/src/{plural}.rs"),
        format!("crates/storage-postgres/src/{plural}.rs"),
        format!("crates/api/src/routes/{plural}.rs"),
        format!("crates/storage/tests/suite/{plural}.rs"),
        format!("openapi/cases/{plural}.yaml"),
    ];
    let mut folders = vec![("migrations/postgres", ".sql")];
    if tree.has("crates/storage-sqlite") {
        files.push(format!("crates/storage-sqlite/src/{plural}.rs"));
        folders.push(("migrations/sqlite", ".sql"));
    }
    if tree.has("python-legacy") {
        files.push(format!("python-legacy/app/routes/{plural}.py"));
        files.push(format!("python-legacy/tests/test_{plural}.py"));
        folders.push(("python-legacy/app/migrations/versions", ".py"));
    }
    let (mut there, mut missing): (Vec<String>, Vec<String>) =
        files.into_iter().partition(|path| tree.has(path));
    for (folder, ending) in folders {
        match migration(tree, folder, plural, ending)? {
            Some(name) => there.push(format!("{folder}/{name}")),
            None => missing.push(format!("{folder}/…_{plural}{ending}")),
        }
    }
    if there.is_empty() || missing.is_empty() {
        return Ok(());
    }
    Err(ResourceError::Partial { name: plural.clone(), there, missing })
}

/// The numbered file of this resource in a folder.
fn migration(
    tree: &Tree,
    folder: &str,
    plural: &str,
    ending: &str,
) -> Result<Option<String>, TreeError> {
    let is_ours = |name: &&String| {
        let rest = name.split_once('_').map(|(_, rest)| rest);
        rest.and_then(|rest| rest.strip_suffix(ending)) == Some(plural)
    };
    Ok(tree.list(folder)?.iter().find(is_ours).cloned())
}
