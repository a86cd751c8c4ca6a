//! The paths of operations, as Starlette reads them.

use syn::LitStr;

use crate::error::error;

/// A segment that is a parameter for axum and literal text for Starlette, and what to write instead.
fn foreign_parameter(segment: &str) -> Option<(String, String)> {
    let braced = segment.strip_prefix("{*").and_then(|rest| rest.strip_suffix('}'));
    if let Some(name) = braced {
        return Some((format!("axum's `{segment}`"), format!("{{{name}:path}}")));
    }
    let (kind, name) = segment.split_at_checked(1).filter(|(_, name)| !name.is_empty())?;
    let right = match kind {
        ":" => format!("{{{name}}}"),
        "*" => format!("{{{name}:path}}"),
        _ => return None,
    };
    Some((format!("`{segment}` of axum before 0.8"), right))
}

/// The parameters of a path as Starlette reads them, `{name}` or `{name:convertor}`.
pub(crate) fn path_parameters(path: &LitStr, is_webhook: bool) -> syn::Result<Vec<String>> {
    let (text, mut names) = (path.value(), Vec::new());
    // A callback's begins with an expression, `{$callback_url}`.
    let is_path = text.is_empty() || text.starts_with('/') || text.starts_with("{$");
    if !is_path && !is_webhook {
        return Err(error(path, "a path begins with `/`"));
    }
    if let Some((wrong, right)) = text.split('/').find_map(foreign_parameter) {
        let message = format!(
            "{wrong} would be literal text: a parameter is written `{right}` here, as in Starlette"
        );
        return Err(error(path, &message));
    }
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once('{') {
        rest = after;
        let Some((inner, after)) = rest.split_once('}') else { break };
        let (name, convertor) = inner.split_once(':').unwrap_or((inner, "str"));
        if !is_name(name) || !is_name(convertor) {
            continue;
        }
        if !["str", "path", "int", "float", "uuid"].contains(&convertor) {
            let message = format!(
                "unknown path convertor `{convertor}`: Starlette has `str`, `path`, `int`, `float` \
                 and `uuid`"
            );
            return Err(error(path, &message));
        }
        if names.iter().any(|other| other == name) {
            return Err(error(path, &format!("the parameter `{name}` stands twice in the path")));
        }
        names.push(name.to_owned());
        rest = after;
    }
    Ok(names)
}
