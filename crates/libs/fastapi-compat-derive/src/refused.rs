//! Attributes that would have no effect where they stand.

use crate::attributes::{Item, Namespace, expression};
use crate::error::error;

pub(crate) const NO_ATTRIBUTE: &str = "no attribute of a schema in this position, or its value is missing; the \
                            documentation of fastapi_compat::Decode lists them all";

/// Refuses attributes of ours that have no effect in this position; those of `known` have one.
pub(crate) fn refuse_other_schema(items: &[Item], known: &[&str]) -> syn::Result<()> {
    let other = items.iter().find(|item| {
        let key = item.key.to_string();
        // `#[decode(schema = false)]` has its effect before.
        item.namespace == Namespace::Schema && key != "schema" && !known.contains(&key.as_str())
    });
    other.map_or(Ok(()), |item| Err(error(&item.key, NO_ATTRIBUTE)))
}

/// A validator around the rules stands alone: in Python the order of the declarations would say which
/// of several comes first.
pub(crate) fn refuse_more_than_wrap(items: &[Item]) -> syn::Result<()> {
    let other = ["before", "after"].into_iter().find_map(|key| expression(items, key));
    match (expression(items, "wrap"), other) {
        (Some(_), Some(other)) => {
            let message = "`wrap` stands without `before` and `after`: what they do is done before and \
                           after its function calls the handler";
            Err(error(other, message))
        }
        _ => Ok(()),
    }
}

/// Refuses attributes of serde that the derives do not know: ignored, they would be a surprise.
pub(crate) fn refuse_other_serde(items: &[Item], known: &[&str]) -> syn::Result<()> {
    /// Those whose parts may be named apart.
    const PARTS: [&str; 2] = ["rename", "rename_all"];
    /// What only concerns writing.
    const WRITING: [&str; 6] =
        ["untagged", "serialize_with", "skip_serializing_if", "crate", "bound", "into"];
    let other = items.iter().find(|item| {
        let name = item.key.to_string();
        let is_known = known.contains(&name.as_str())
            && (item.group.is_none()
                || (PARTS.contains(&name.as_str()) && known.contains(&"deserialize")));
        item.namespace == Namespace::Serde && !is_known && !WRITING.contains(&name.as_str())
    });
    let Some(Item { key, .. }) = other else { return Ok(()) };
    let instead = match key.to_string().as_str() {
        "default" => "write `#[schema(default = …)]` or `#[schema(default_factory = …)]`",
        "flatten" => {
            "write the fields here, as they stand on the wire; all others are kept by one \
                      field, `#[serde(flatten)] extra: IndexMap<String, Value>`"
        }
        "alias" => "only fields of models have several names",
        "rename" | "rename_all" => "it has one name here, `rename = \"…\"`",
        _ => "it is not supported",
    };
    Err(error(key, &format!("serde's `{key}` would not be heeded here: {instead}")))
}
