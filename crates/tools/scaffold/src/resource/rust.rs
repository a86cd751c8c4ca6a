//! The Rust side: a file for each layer, and one line in each file that names all resources.

use minijinja::context;
use regex::Regex;
use syn::spanned::Spanned;
use toml_edit::{DocumentMut, Item, Table, value};

use super::fields::{Field, Kind};
use super::view::IndexView;
use super::{ResourceError, Slice, object, samples};
use crate::tree::{Tree, TreeError, after_last};

pub(super) fn write(tree: &mut Tree, slice: &Slice<'_>) -> Result<(), ResourceError> {
    let (plural, types) = (slice.names.plural.as_str(), slice.names.types.as_str());
    let sqlite = tree.has("crates/storage-sqlite");

    tree.create(&format!("crates/domain/src/{plural}.rs"), slice.fill("domain.rs")?);
    tree.create(&format!("crates/storage-postgres/src/{plural}.rs"), slice.fill("postgres.rs")?);
    tree.create(&format!("crates/api/src/routes/{plural}.rs"), slice.fill("routes.rs")?);
    tree.create(&format!("crates/storage/tests/suite/{plural}.rs"), slice.fill("suite.rs")?);
    tree.create(&format!("openapi/cases/{plural}.yaml"), cases(slice)?);
    migration(tree, slice, "postgres", "uuid", "timestamptz")?;
    if sqlite {
        tree.create(&format!("crates/storage-sqlite/src/{plural}.rs"), slice.fill("sqlite.rs")?);
        if !tree.has("crates/storage-sqlite/src/callers.rs") {
            tree.create("crates/storage-sqlite/src/callers.rs", slice.fill("callers.rs")?);
            module(tree, "crates/storage-sqlite/src/lib.rs", "mod callers;")?;
        }
        migration(tree, slice, "sqlite", "CHAR(32)", "DATETIME")?;
        overrides(tree, slice)?;
    }

    module(tree, "crates/domain/src/lib.rs", &format!("pub mod {plural};"))?;
    exports(tree, slice)?;
    port(tree, plural, types)?;
    module(tree, "crates/storage-postgres/src/lib.rs", &format!("mod {plural};"))?;
    if sqlite {
        module(tree, "crates/storage-sqlite/src/lib.rs", &format!("mod {plural};"))?;
    }
    module(tree, "crates/api/src/routes/mod.rs", &format!("pub mod {plural};"))?;
    route(tree, plural)?;
    not_found(tree, slice)?;
    for index in slice.indexes() {
        taken(tree, slice, &index)?;
    }
    let suite = "crates/storage/tests/suite/main.rs";
    module(tree, suite, &format!("mod {plural};"))?;
    let line = format!("    {plural}::suite(&storage).await;");
    tree.edit(suite, |text| {
        let is_suite = |line: &str| line.trim_end().ends_with("::suite(&storage).await;");
        after_last(suite, text, &line, "a line `…::suite(&storage).await;`", is_suite)
    })?;
    if slice.has_decimal() {
        decimals(tree, slice, sqlite)?;
    }
    if slice.has_enum() {
        enumerations(tree, slice, sqlite)?;
    }
    if slice.has_secret() {
        secrets(tree, slice)?;
    }
    if slice.has(|kind| *kind == Kind::Duration) {
        depend_on(tree, "crates/storage-postgres/Cargo.toml", "dependencies", "chrono")?;
        depend_on(tree, "crates/storage/Cargo.toml", "dev-dependencies", "chrono")?;
    }
    if slice.has_own_type() {
        tree.create("crates/api/src/fields.rs", slice.fill("fields.rs")?);
        module(tree, "crates/api/src/lib.rs", "pub mod fields;")?;
    }
    stub(tree, slice)
}

impl Slice<'_> {
    fn fill(&self, template: &str) -> Result<String, ResourceError> {
        Ok(self.render(template, context! {})?)
    }
}

/// The types that the domain shows; rustfmt puts them in order.
fn exports(tree: &mut Tree, slice: &Slice<'_>) -> Result<(), TreeError> {
    let path = "crates/domain/src/lib.rs";
    let (plural, type_, types) = (&slice.names.plural, &slice.names.type_, &slice.names.types);
    let from = format!("pub use {plural}::");
    let has_filter = slice.fields.iter().any(|field| field.options.is_filter);
    let filter = if has_filter { format!("{type_}Filter, ") } else { String::new() };
    let enums: Vec<String> = slice.enum_types().iter().map(|name| format!("{name}, ")).collect();
    let enums = enums.concat();
    let line = format!(
        "{from}{{New{type_}, {type_}, {type_}Changes, {filter}{type_}Page, {enums}{types}}};"
    );
    tree.edit(path, |text| replace_once(path, text, &from, "(?m)^pub use ", &format!("{line}\n$0")))
}

fn migration(
    tree: &mut Tree,
    slice: &Slice<'_>,
    database: &str,
    uuid: &str,
    time: &str,
) -> Result<(), ResourceError> {
    let folder = format!("migrations/{database}");
    let text = slice.render("migration.sql", context! { database, uuid, time })?;
    if let Some(path) = numbered(tree, &folder, &slice.names.plural, ".sql")? {
        tree.create(&path, text);
    }
    Ok(())
}

/// The path of the next numbered file in a folder; nothing if one of this name is there.
pub(super) fn numbered(
    tree: &Tree,
    folder: &str,
    name: &str,
    ending: &str,
) -> Result<Option<String>, TreeError> {
    let names = tree.list(folder)?;
    let parts = || {
        names.iter().filter_map(|name| {
            let (number, rest) = name.split_once('_')?;
            Some((number.parse::<u32>().ok()?, rest))
        })
    };
    if parts().any(|(_, rest)| rest.strip_suffix(ending) == Some(name)) {
        return Ok(None);
    }
    let last = parts().map(|(number, _)| number).max().unwrap_or(0);
    Ok(Some(format!("{folder}/{:04}_{name}{ending}", last + 1)))
}

/// rustfmt sorts them afterwards.
fn module(tree: &mut Tree, path: &str, line: &str) -> Result<(), TreeError> {
    let keyword = &line[..line.find("mod ").unwrap_or(0) + 4];
    tree.edit(path, |text| {
        let is_module = |other: &str| other.starts_with(keyword) && other.ends_with(';');
        after_last(path, text, line, &format!("a line `{keyword}…;`"), is_module)
    })
}

/// Replaces the first match, unless `done` is there already: as a word, not as a part of one.
fn replace_once(
    path: &str,
    text: &str,
    done: &str,
    pattern: &str,
    by: &str,
) -> Result<String, TreeError> {
    let is_word = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    if text.match_indices(done).any(|(at, _)| !is_word(&text[at + done.len()..])) {
        return Ok(text.to_owned());
    }
    let anchor = || TreeError::Anchor { path: path.to_owned(), what: format!("`{pattern}`") };
    let regex = Regex::new(pattern).map_err(|_| anchor())?;
    if !regex.is_match(text) {
        return Err(anchor());
    }
    Ok(regex.replace(text, by).into_owned())
}

fn port(tree: &mut Tree, plural: &str, types: &str) -> Result<(), TreeError> {
    let path = "crates/domain/src/storage.rs";
    tree.edit(path, |text| {
        let import = format!("use crate::{plural}::{types};");
        let is_import = |line: &str| line.starts_with("use crate::");
        let text = after_last(path, text, &import, "a line `use crate::…`", is_import)?;
        bound(path, &text, "Storage", types)
    })
}

/// Adds the last bound of a trait, wherever it ends.
fn bound(path: &str, text: &str, name: &str, bound: &str) -> Result<String, TreeError> {
    let anchor = || TreeError::Anchor {
        path: path.to_owned(),
        what: format!("the trait `{name}` with a bound"),
    };
    let file = syn::parse_file(text)
        .map_err(|error| TreeError::Format { path: path.to_owned(), reason: error.to_string() })?;
    let found = file.items.iter().find_map(|item| match item {
        syn::Item::Trait(item) if item.ident == name => Some(item),
        _ => None,
    });
    let bounds = &found.ok_or_else(anchor)?.supertraits;
    let is_there = bounds.iter().any(|one| match one {
        syn::TypeParamBound::Trait(one) => one.path.is_ident(bound),
        _ => false,
    });
    if is_there {
        return Ok(text.to_owned());
    }
    let end = bounds.last().ok_or_else(anchor)?.span().byte_range().end;
    let (before, after) = text.split_at(end);
    Ok(format!("{before} + {bound}{after}"))
}

fn route(tree: &mut Tree, plural: &str) -> Result<(), TreeError> {
    let path = "crates/api/src/routes/mod.rs";
    tree.edit(path, |text| {
        let merge = format!(".merge({plural}::router())");
        replace_once(
            path,
            text,
            &merge,
            r"(\.merge\(\w+::router\(\)\));",
            &format!("$1\n        {merge};"),
        )
    })
}

/// The enum of errors with one more, which clients see with this message.
fn with_variant(path: &str, text: &str, variant: &str, message: &str) -> Result<String, TreeError> {
    replace_once(
        path,
        text,
        &format!("    {variant},"),
        r#"(?m)^    #\[error\("Not enough permissions"\)\]"#,
        &format!("    #[error(\"{message}\")]\n    {variant},\n$0"),
    )
}

/// The error for a resource that does not exist.
fn not_found(tree: &mut Tree, slice: &Slice<'_>) -> Result<(), TreeError> {
    let path = "crates/api/src/error.rs";
    let variant = format!("{}NotFound", slice.names.type_);
    tree.edit(path, |text| {
        let message = format!("{} not found", super::capital(&slice.names.word));
        let text = with_variant(path, text, &variant, &message)?;
        let arm = format!("Self::{variant}");
        replace_once(path, &text, &arm, r"\| Self::NoUserWithName\b", &format!("$0 | {arm}"))
    })
}

/// The error for a value that is there already.
fn taken(tree: &mut Tree, slice: &Slice<'_>, index: &IndexView) -> Result<(), TreeError> {
    if !index.is_unique {
        return Ok(());
    }
    let path = "crates/api/src/error.rs";
    let (variant, message) = (&index.error, &index.message);
    let (table, key) = (&slice.names.singular, &index.key);
    tree.edit(path, |text| {
        let text = with_variant(path, text, variant, message)?;
        let arm = format!("Self::{variant}");
        let status = format!("Self::EmailTaken | {arm}");
        let text = replace_once(path, &text, &arm, r"Self::EmailTaken\b", &status)?;
        let is_it = format!("of.is(\"{table}\", \"{key}\")");
        let conflict = format!("StorageError::Conflict(ref of) if {is_it} => {arm},");
        replace_once(
            path,
            &text,
            &is_it,
            r"(?m)^ *StorageError::MissingReference\(ref of\)",
            &format!("            {conflict}\n$0"),
        )
    })
}

fn parse(path: &str, text: &str) -> Result<DocumentMut, TreeError> {
    text.parse().map_err(|error: toml_edit::TomlError| TreeError::Format {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// How SQLite's columns are read: it knows fewer types.
fn overrides(tree: &mut Tree, slice: &Slice<'_>) -> Result<(), TreeError> {
    let path = "crates/storage-sqlite/sqlx.toml";
    let table = &slice.names.singular;
    tree.edit(path, |text| {
        if text.contains(&format!("[macros.table-overrides.'{table}']")) {
            return Ok(text.to_owned());
        }
        let mut text = format!(
            "{}\n\n[macros.table-overrides.'{table}']\nid = \"uuid::fmt::Simple\"\nowner_id = \
             \"uuid::fmt::Simple\"\ncreated_at = \"chrono::DateTime<chrono::Utc>\"\n",
            text.trim_end()
        );
        for field in slice.fields {
            let type_ = match field.kind {
                Kind::Uuid => "uuid::fmt::Simple".to_owned(),
                Kind::Decimal { .. } => "crate::numeric::Numeric".to_owned(),
                Kind::DateTime => "chrono::DateTime<chrono::Utc>".to_owned(),
                Kind::Time => "chrono::NaiveTime".to_owned(),
                Kind::Enum(_) => {
                    format!("crate::named::Named<domain::{}>", field.enum_type(slice.names))
                }
                _ => continue,
            };
            text += &format!("{} = \"{type_}\"\n", field.name);
        }
        Ok(text)
    })
}

/// Decimals need a type, which these crates do not name before the first of them.
fn decimals(tree: &mut Tree, slice: &Slice<'_>, sqlite: bool) -> Result<(), ResourceError> {
    depend_on(tree, "crates/domain/Cargo.toml", "dependencies", "rust_decimal")?;
    let path = "crates/storage-postgres/Cargo.toml";
    tree.edit(path, |text| {
        let mut manifest = parse(path, text)?;
        let features = manifest["dependencies"]["sqlx"]["features"].as_array_mut();
        let features = features.ok_or_else(|| TreeError::Anchor {
            path: path.to_owned(),
            what: "the list of sqlx' features".to_owned(),
        })?;
        if features.iter().all(|feature| feature.as_str() != Some("rust_decimal")) {
            features.push("rust_decimal");
        }
        Ok(manifest.to_string())
    })?;
    if sqlite {
        depend_on(tree, "crates/storage-sqlite/Cargo.toml", "dependencies", "rust_decimal")?;
        tree.create("crates/storage-sqlite/src/numeric.rs", slice.fill("numeric.rs")?);
        module(tree, "crates/storage-sqlite/src/lib.rs", "mod numeric;")?;
    }
    Ok(())
}

/// Texts of a column become values of an enum by a type of each storage.
fn enumerations(tree: &mut Tree, slice: &Slice<'_>, sqlite: bool) -> Result<(), ResourceError> {
    tree.create("crates/domain/src/named.rs", slice.fill("unknown.rs")?);
    module(tree, "crates/domain/src/lib.rs", "mod named;")?;
    let path = "crates/domain/src/lib.rs";
    tree.edit(path, |text| {
        let line = "pub use named::UnknownValue;";
        replace_once(path, text, line, "(?m)^pub use ", &format!("{line}\n$0"))
    })?;
    for storage in ["postgres", "sqlite"].into_iter().filter(|name| sqlite || *name != "sqlite") {
        let folder = format!("crates/storage-{storage}/src");
        tree.create(&format!("{folder}/named.rs"), slice.fill("named.rs")?);
        module(tree, &format!("{folder}/lib.rs"), "mod named;")?;
    }
    Ok(())
}

fn secrets(tree: &mut Tree, slice: &Slice<'_>) -> Result<(), ResourceError> {
    tree.create("crates/domain/src/secret.rs", slice.fill("secret.rs")?);
    let path = "crates/domain/src/lib.rs";
    module(tree, path, "mod secret;")?;
    tree.edit(path, |text| {
        let line = "pub use secret::SecretValue;";
        replace_once(path, text, line, "(?m)^pub use ", &format!("{line}\n$0"))
    })?;
    Ok(())
}

fn depend_on(tree: &mut Tree, path: &str, table: &str, name: &str) -> Result<(), TreeError> {
    tree.edit(path, |text| {
        let mut manifest = parse(path, text)?;
        let mut entry = Table::new();
        entry.set_dotted(true);
        entry["workspace"] = value(true);
        manifest[table][name] = Item::Table(entry);
        Ok(manifest.to_string())
    })
}

/// Where the benchmark stands in for the storage.
fn stub(tree: &mut Tree, slice: &Slice<'_>) -> Result<(), ResourceError> {
    let path = "crates/tools/bench/src/bin/hot_paths.rs";
    if !tree.has(path) {
        return Ok(());
    }
    let text = slice.fill("stub.rs")?;
    tree.edit(path, |before| {
        let is_there = before.contains(&format!("impl domain::{} for Stub", slice.names.types));
        Ok(if is_there { before.to_owned() } else { format!("{before}{text}") })
    })?;
    Ok(())
}

/// Requests about every field: what is right, what is odd, what is wrong.
fn cases(slice: &Slice<'_>) -> Result<String, ResourceError> {
    let fields: Vec<&Field> = slice.given().collect();
    // Each body has its own values of what is unique.
    let mut bodies = 0;
    let mut next = || {
        bodies += 1;
        bodies
    };
    // The sample, with another value for one field.
    let with = |number: usize, index: usize, value: &str| {
        object(fields.iter().enumerate().map(|(other, field)| {
            let sample = || field.sample(number).to_string();
            (*field, if other == index { value.to_owned() } else { sample() })
        }))
    };
    let only = |index: usize, value: &str| object([(fields[index], value.to_owned())]);
    let number = next();
    let required = fields.iter().filter(|field| field.is_required());
    let mut unusual =
        vec![object(required.map(|field| (*field, field.sample(number).to_string())))];
    if fields.len() < slice.fields.len() {
        // What only the service sets is ignored.
        let number = next();
        unusual.push(object(
            slice.fields.iter().map(|field| (field, field.sample(number).to_string())),
        ));
    }
    let (mut invalid, mut changes) = (vec!["[]".to_owned(), "{".to_owned()], vec!["{}".to_owned()]);
    let (mut invalid_changes, mut taken) = (vec!["[]".to_owned()], Vec::new());
    if fields.iter().any(|field| field.is_required()) {
        invalid.push("{}".to_owned());
    }
    for (index, field) in fields.iter().enumerate() {
        unusual.extend(field.unusual().iter().map(|value| with(next(), index, value)));
        invalid.extend(field.invalid().iter().map(|value| with(next(), index, value)));
        let wrong = field.invalid().into_iter().filter(|value| value != "null");
        invalid_changes.extend(wrong.map(|value| only(index, &value)));
        let mut both = [field.samples()[1].to_string(), "null".to_owned()];
        if field.options.unique.is_some() {
            // The value stays, for the next that wants it.
            both.reverse();
        }
        changes.extend(both.iter().map(|value| only(index, value)));
        if field.options.unique.is_some() {
            taken.push(with(next(), index, &field.samples()[1].to_string()));
        }
    }
    let quoted = |bodies: Vec<String>| {
        let bodies = bodies.into_iter().map(|body| samples::yaml(&body));
        bodies.collect::<Vec<_>>()
    };
    Ok(slice.render(
        "cases.yaml",
        context! {
            unusual => quoted(unusual),
            invalid => quoted(invalid),
            changes => quoted(changes),
            invalid_changes => quoted(invalid_changes),
            taken => quoted(taken),
        },
    )?)
}
