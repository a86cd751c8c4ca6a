//! The paths of operations, as Starlette reads them.

/// The names of a path's parameters, with their convertors cut off.
///
/// # Errors
/// Why no request is routed by it.
pub(super) fn template(path: &str) -> Result<Vec<&str>, String> {
    if !path.starts_with('/') {
        return Err("its path does not begin with `/`".to_owned());
    }
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let (mut names, mut rest) = (Vec::new(), path);
    while let Some((before, after)) = rest.split_once('{') {
        if before.contains('}') {
            return Err("its path has a brace that closes nothing".to_owned());
        }
        let (inner, after) =
            after.split_once('}').ok_or("its path has a brace that is not closed")?;
        let (name, convertor) = inner.split_once(':').unwrap_or((inner, "str"));
        if !is_name(name) {
            return Err(format!("`{name}` is no name of a parameter of a path"));
        }
        if !["str", "path", "int", "float", "uuid"].contains(&convertor) {
            return Err(format!(
                "its path has the convertor `{convertor}`, which only the old service knows"
            ));
        }
        if names.contains(&name) {
            return Err(format!("the parameter `{name}` stands twice in its path"));
        }
        names.push(name);
        rest = after;
    }
    if rest.contains('}') {
        return Err("its path has a brace that closes nothing".to_owned());
    }
    if names.len() > MAX_PARAMETERS {
        return Err(format!("its path has more than {MAX_PARAMETERS} parameters"));
    }
    Ok(names)
}

/// The longest tuple of parameters that `fastapi-compat` takes.
const MAX_PARAMETERS: usize = 12;

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn what_starlette_does_not_route_is_refused() {
        assert_eq!(template("/a/{b}.json/{c:path}").unwrap(), ["b", "c"]);
        assert_eq!(template("/{lon},{lat}").unwrap(), ["lon", "lat"]);
        for path in ["", "a", "/{a-b}", "/{a", "/a}", "/{a}/{a}", "/{a:slug}", "/{}"] {
            assert!(template(path).is_err(), "{path}");
        }
    }
}
