//! The workspace's `Cargo.toml`, when a crate is added to it.

use toml_edit::{Array, DocumentMut, Item, Value};

use crate::libraries::{LIBRARIES, Source};

/// The manifest with another member, and with the library `needed` where it has its libraries from.
///
/// # Errors
/// When it is no workspace that depends on the libraries.
pub(crate) fn with_member(text: &str, folder: &str, needed: &str) -> Result<String, String> {
    let mut manifest: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let members = manifest.get_mut("workspace").and_then(|workspace| workspace.get_mut("members"));
    let members = members.and_then(Item::as_array_mut).ok_or("it has no list of members")?;
    if !members.iter().filter_map(Value::as_str).any(|member| covers(member, folder)) {
        push(members, folder);
    }
    let source = Source::of_service(&manifest).map_err(|error| error.to_string())?;
    let dependencies = manifest["workspace"]["dependencies"].as_table_mut();
    let dependencies = dependencies.ok_or("it has no [workspace.dependencies]")?;
    if !dependencies.contains_key(needed) {
        for library in LIBRARIES.into_iter().filter(|(name, _)| *name == needed) {
            source.write(dependencies, library);
        }
    }
    Ok(manifest.to_string())
}

/// Whether a member, which may end with `*`, is or has the folder.
fn covers(member: &str, folder: &str) -> bool {
    member.strip_suffix('*').map_or(member == folder, |start| {
        folder.strip_prefix(start).is_some_and(|rest| !rest.contains('/'))
    })
}

/// Adds an entry that is laid out as the last one is.
fn push(members: &mut Array, folder: &str) {
    let decor = members.iter().last().map(|last| last.decor().clone());
    let mut entry = Value::from(folder);
    if let Some(decor) = decor {
        *entry.decor_mut() = decor;
    }
    members.push_formatted(entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_added_once() {
        let text = "[workspace]\nmembers = [\n    \"crates/api\",\n    \"crates/libs/*\",\n]\n\n\
                    [workspace.dependencies]\nfastapi-compat = { git = \"https://example.com/m\", \
                    tag = \"v1\" }\nserde = \"1\"\n";
        let first = with_member(text, "crates/notes", "strangler").unwrap();
        assert!(first.contains("    \"crates/libs/*\",\n    \"crates/notes\",\n]"), "{first}");
        let entry = "strangler = { git = \"https://example.com/m\", tag = \"v1\" }";
        assert!(first.contains(entry), "{first}");
        assert_eq!(with_member(&first, "crates/notes", "strangler").unwrap(), first);
        assert!(!with_member(text, "crates/libs/a", "strangler").unwrap().contains("libs/a"));
        assert!(with_member("[package]\nname = \"a\"\n", "crates/notes", "strangler").is_err());
    }
}
