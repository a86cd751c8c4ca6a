//! The manifests of the new workspace: its members, and no dependency that nothing uses.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table};

use super::files::{Files, FilesError, is_a};
use crate::libraries::{LIBRARIES, Source, allow};

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// What resources and drafts will need, though nothing does yet.
const NEEDED_LATER: [&str; 2] = ["indexmap", "rust_decimal"];

/// The names of crates in the Rust files of each member, before anything was left out.
pub(super) type Mentions = BTreeMap<String, String>;

/// All Rust of each member of the workspace, by its folder.
pub(super) fn mentions(files: &Files) -> Mentions {
    let mut all = Mentions::new();
    for manifest in members(files) {
        let folder = manifest.trim_end_matches("Cargo.toml").to_owned();
        let rust = files.paths().filter(|path| path.starts_with(&folder) && is_a(path, "rs"));
        let text: String = rust.filter_map(|path| files.text(path)).collect();
        all.insert(folder, text);
    }
    all
}

fn members(files: &Files) -> Vec<String> {
    let is_manifest = |path: &&String| path.starts_with("crates/") && path.ends_with("/Cargo.toml");
    files.paths().filter(is_manifest).cloned().collect()
}

/// Leaves out the features, and the dependencies that were needed for them or for files that went.
pub(super) fn prune(
    files: &mut Files,
    features: &[&str],
    before: &Mentions,
) -> Result<(), FilesError> {
    let now = mentions(files);
    let crates: BTreeSet<String> = members(files)
        .iter()
        .filter_map(|path| path.rsplit('/').nth(1).map(str::to_owned))
        .collect();
    let mut used: BTreeSet<String> = NEEDED_LATER.iter().map(|&name| name.to_owned()).collect();
    for path in members(files) {
        let folder = path.trim_end_matches("Cargo.toml").to_owned();
        let is_mentioned = |mentions: &Mentions, name: &str| {
            mentions.get(&folder).is_some_and(|text| mentions_crate(text, name))
        };
        let mut manifest = files.toml(&path)?;
        let removed = without_features(&mut manifest, features);
        for kind in KINDS {
            let Some(table) = manifest.get_mut(kind).and_then(Item::as_table_like_mut) else {
                continue;
            };
            let names: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
            for name in names {
                let is_library = LIBRARIES.iter().any(|(library, _)| *library == name);
                let is_left_out = is_mentioned(before, &name) && !is_mentioned(&now, &name);
                let is_missing = !is_library && is_own(&name) && !crates.contains(&name);
                if removed.contains(&name) || is_left_out || is_missing {
                    table.remove(&name);
                } else {
                    used.insert(name);
                }
            }
            if table.is_empty() {
                manifest.remove(kind);
            }
        }
        targets(&mut manifest, &mut used);
        files.set(&path, manifest.to_string());
    }
    let mut root = files.toml("Cargo.toml")?;
    if let Some(dependencies) = root["workspace"]["dependencies"].as_table_mut() {
        let is_unused = |name: &str| {
            let is_library = LIBRARIES.iter().any(|(library, _)| *library == name);
            !is_library && !used.contains(name)
        };
        let names: Vec<String> = dependencies.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names.iter().filter(|name| is_unused(name)) {
            dependencies.remove(name);
        }
    }
    files.set("Cargo.toml", root.to_string());
    Ok(())
}

/// What dependencies of one platform use.
fn targets(manifest: &mut DocumentMut, used: &mut BTreeSet<String>) {
    let Some(targets) = manifest.get("target").and_then(Item::as_table_like) else { return };
    for (_, target) in targets.iter() {
        for kind in KINDS {
            if let Some(table) = target.get(kind).and_then(Item::as_table_like) {
                used.extend(table.iter().map(|(name, _)| name.to_owned()));
            }
        }
    }
}

/// Whether it is a crate of the template itself.
fn is_own(name: &str) -> bool {
    name.starts_with("storage")
}

fn mentions_crate(text: &str, name: &str) -> bool {
    let name = name.replace('-', "_");
    text.match_indices(&name).any(|(at, _)| {
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let before = is_part(text[..at].chars().next_back());
        !before && !is_part(text[at + name.len()..].chars().next())
    })
}

/// Leaves out the features; gives back the optional dependencies that only they had.
fn without_features(manifest: &mut DocumentMut, removed: &[&str]) -> BTreeSet<String> {
    let mut unneeded = BTreeSet::new();
    let Some(features) = manifest.get_mut("features").and_then(Item::as_table_like_mut) else {
        return unneeded;
    };
    for name in removed {
        if let Some(Item::Value(list)) = features.remove(name) {
            let needs = list.as_array().into_iter().flatten().filter_map(|one| one.as_str());
            unneeded.extend(needs.filter_map(|one| one.strip_prefix("dep:")).map(str::to_owned));
        }
    }
    let names: Vec<String> = features.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        if let Some(list) = features.get_mut(&name).and_then(Item::as_array_mut) {
            list.retain(|one| {
                let one = one.as_str().unwrap_or_default();
                let last = one.rsplit('/').next().unwrap_or(one);
                !removed.contains(&last)
            });
            for one in list.iter().filter_map(|one| one.as_str()) {
                unneeded.remove(one.trim_start_matches("dep:"));
            }
        }
    }
    let is_bare = features
        .iter()
        .all(|(name, list)| name == "default" && list.as_array().is_some_and(Array::is_empty));
    if is_bare {
        manifest.remove("features");
    }
    unneeded
}

/// Puts the service's own crates into the workspace, with the libraries from their source.
pub(super) fn complete(
    files: &mut Files,
    source: &Source,
    features: &[&str],
    has_strangler: bool,
) -> Result<(), FilesError> {
    let mut root = files.toml("Cargo.toml")?;
    let mut list = Array::new();
    for manifest in members(files) {
        list.push(manifest.trim_end_matches("/Cargo.toml"));
    }
    for entry in list.iter_mut() {
        entry.decor_mut().set_prefix("\n    ");
    }
    list.set_trailing("\n");
    list.set_trailing_comma(true);
    root["workspace"]["members"] = list.into();
    let dependencies = root["workspace"]["dependencies"].as_table_mut();
    let dependencies: &mut Table = dependencies.ok_or_else(|| FilesError::Format {
        path: "Cargo.toml".to_owned(),
        reason: "it has no [workspace.dependencies]".to_owned(),
    })?;
    for library in LIBRARIES {
        if ["comparison", "strangler"].contains(&library.0) && !has_strangler {
            dependencies.remove(library.0);
            continue;
        }
        source.write(dependencies, library);
        // Without SQLite, the tools need none either.
        if features.contains(&"sqlite")
            && let Some(entry) = dependencies.get_mut(library.0).and_then(Item::as_inline_table_mut)
        {
            without_sqlite(library.0, entry);
        }
    }
    dependencies.sort_values();
    // Those of the template are in groups; its comments stay.
    for (mut key, _) in dependencies.iter_mut() {
        let decor = key.leaf_decor_mut();
        let is_blank = |prefix: &toml_edit::RawString| {
            prefix.as_str().is_some_and(|text| text.trim().is_empty())
        };
        if decor.prefix().is_some_and(is_blank) {
            decor.set_prefix("");
        }
    }
    files.set("Cargo.toml", root.to_string());
    let mut deny = files.toml("deny.toml")?;
    allow(&mut deny, source.url());
    files.set("deny.toml", deny.to_string());
    Ok(())
}

/// The tools with everything but the feature `sqlite`.
fn without_sqlite(library: &str, entry: &mut InlineTable) {
    let rest: &[&str] = match library {
        "contract" => &[],
        "testbed" => &["services"],
        _ => return,
    };
    entry.insert("default-features", false.into());
    if !rest.is_empty() {
        entry.insert("features", rest.iter().copied().collect::<Array>().into());
    }
    entry.fmt();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_go_with_what_they_need() {
        let mut manifest: DocumentMut = "[features]\ndefault = [\"sqlite\", \"strangler\"]\n\
            sqlite = [\"dep:storage-sqlite\", \"storage/sqlite\"]\nstrangler = [\"dep:strangler\"]\n"
            .parse()
            .unwrap();
        let removed = without_features(&mut manifest, &["sqlite"]);
        assert_eq!(removed.into_iter().collect::<Vec<_>>(), ["storage-sqlite"]);
        let text = manifest.to_string();
        assert!(
            text.contains("default = [ \"strangler\"]")
                || text.contains("default = [\"strangler\"]"),
            "{text}"
        );
        without_features(&mut manifest, &["strangler"]);
        assert_eq!(manifest.to_string().trim(), "");
    }

    #[test]
    fn a_crate_is_mentioned_by_its_whole_name() {
        assert!(mentions_crate("use serde_json::json;", "serde-json"));
        assert!(!mentions_crate("use serde_json::json;", "serde"));
    }
}
