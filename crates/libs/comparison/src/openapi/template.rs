//! Paths with parameters, as Starlette matches them.

use regex::Regex;

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Parameter(Convertor),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Convertor {
    /// Anything without a slash, but not nothing.
    Str,
    /// Anything.
    Path,
    Int,
    Float,
    Uuid,
}

/// A path template of an OpenAPI document, `/items/{id}`, `/{lon},{lat}.png`, which may have Starlette's
/// convertors besides: `/items/{id:int}`, `/files/{name:path}`.
///
/// ```
/// use comparison::openapi::PathTemplate;
///
/// let template = PathTemplate::new("/items/{id:int}.json");
/// assert!(template.matches("/items/7.json"));
/// assert!(!template.matches("/items/latest.json"));
/// assert_eq!(template.path(), "/items/{id}.json");
/// ```
#[derive(Clone, Debug)]
pub struct PathTemplate {
    parts: Box<[Part]>,
    path: Box<str>,
    /// Where there are many ways to divide a path among the parameters: it looks at each byte once.
    regex: Option<Regex>,
}

impl PartialEq for PathTemplate {
    fn eq(&self, other: &Self) -> bool {
        (&self.parts, &self.path) == (&other.parts, &other.path)
    }
}

impl Eq for PathTemplate {}

impl PathTemplate {
    /// Reads a template. An unknown convertor is one that takes anything without a slash.
    pub fn new(path: &str) -> Self {
        let (mut parts, mut format, mut rest) = (Vec::new(), String::new(), path);
        while let Some((before, parameter, after)) = parameter(rest) {
            if !before.is_empty() {
                parts.push(Part::Text(before.into()));
            }
            let (name, convertor) = parameter.split_once(':').unwrap_or((parameter, "str"));
            parts.push(Part::Parameter(match convertor {
                "path" => Convertor::Path,
                "int" => Convertor::Int,
                "float" => Convertor::Float,
                "uuid" => Convertor::Uuid,
                _ => Convertor::Str,
            }));
            format.extend([before, "{", name, "}"]);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.into()));
        }
        let regex = if is_ambiguous(&parts) { regex(&parts) } else { None };
        Self { parts: parts.into(), path: (format + rest).into(), regex }
    }

    /// The template without convertors, as a document has it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether a decoded path is one of these, as Starlette decides it.
    pub fn matches(&self, path: &str) -> bool {
        self.regex.as_ref().map_or_else(|| fits(&self.parts, path), |regex| regex.is_match(path))
    }
}

/// Whether two parameters are in one segment, or one takes slashes and another follows.
fn is_ambiguous(parts: &[Part]) -> bool {
    let mut is_open = false;
    parts.iter().any(|part| match part {
        Part::Text(text) => {
            is_open &= !text.contains('/');
            false
        }
        Part::Parameter(convertor) => {
            *convertor == Convertor::Path || std::mem::replace(&mut is_open, true)
        }
    })
}

/// The same as a pattern; `None` if it is too long for one.
fn regex(parts: &[Part]) -> Option<Regex> {
    let mut pattern = r"(?s)\A".to_owned();
    for part in parts {
        match part {
            Part::Text(text) => pattern.push_str(&regex::escape(text)),
            Part::Parameter(convertor) => pattern.push_str(convertor.pattern()),
        }
    }
    pattern.push_str(r"\z");
    Regex::new(&pattern).ok()
}

/// What stands before the first parameter, what is in its braces, and what stands behind it.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (inner, after) = rest.split_once('}')?;
    Some((before, inner, after))
}

fn fits(parts: &[Part], text: &str) -> bool {
    match parts {
        [] => text.is_empty(),
        [Part::Text(start), rest @ ..] => {
            text.strip_prefix(&**start).is_some_and(|text| fits(rest, text))
        }
        [Part::Parameter(convertor)] => convertor.takes(text),
        [Part::Parameter(convertor), rest @ ..] => {
            let longest = match convertor {
                Convertor::Path => text.len(),
                _ => text.find('/').unwrap_or(text.len()),
            };
            let mut ends = (0..=longest).rev().filter(|end| text.is_char_boundary(*end));
            ends.any(|end| {
                let (value, after) = text.split_at(end);
                // Nearly always the rest decides at once.
                fits(rest, after) && convertor.takes(value)
            })
        }
    }
}

impl Convertor {
    fn pattern(self) -> &'static str {
        match self {
            Self::Str => "[^/]+",
            Self::Path => ".*",
            Self::Int => "[0-9]+",
            Self::Float => r"[0-9]+(?:\.[0-9]+)?",
            Self::Uuid => "[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}",
        }
    }

    fn takes(self, value: &str) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Str => !value.is_empty() && !value.contains('/'),
            Self::Path => true,
            Self::Int => digits(value),
            Self::Float => match value.split_once('.') {
                Some((whole, fraction)) => digits(whole) && digits(fraction),
                None => digits(value),
            },
            Self::Uuid => is_uuid(value),
        }
    }
}

/// 32 hexadecimal digits, with or without a hyphen behind the 8th, 12th, 16th and 20th.
fn is_uuid(text: &str) -> bool {
    let mut rest = text;
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((group, after)) = rest.split_at_checked(length) else { return false };
        if !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::PathTemplate;

    #[test]
    fn paths_match_as_in_starlette() {
        let id = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
        for (template, path, is_it) in [
            ("/items/{id}", "/items/7", true),
            ("/items/{id}", "/items/", false),
            ("/items/{id}", "/items/7/", false),
            ("/items/{id}", "/items/7/8", false),
            ("/items/{id:int}", "/items/7", true),
            ("/items/{id:int}", "/items/latest", false),
            ("/x/{f:float}", "/x/1.5", true),
            ("/x/{f:float}", "/x/1.", false),
            ("/u/{id:uuid}", &format!("/u/{id}"), true),
            ("/u/{id:uuid}", &format!("/u/{}", id.replace('-', "")), true),
            ("/u/{id:uuid}", "/u/6fa459ea", false),
            ("/files/{name:path}", "/files/a/b/c", true),
            ("/files/{name:path}", "/files/", true),
            ("/files/{name:path}/raw", "/files/a/raw/raw", true),
            ("/files/{name:path}/raw", "/files/a", false),
            ("/{name}.json", "/a.b.json", true),
            ("/{name}.json", "/.json", false),
            ("/{lon},{lat}", "/1,2", true),
            ("/{lon},{lat}", "/é,ü,", true),
            ("/{lon},{lat}", "/12", false),
            ("/plain", "/plain", true),
        ] {
            assert_eq!(PathTemplate::new(template).matches(path), is_it, "{template} {path}");
        }
        assert_eq!(PathTemplate::new("/a/{b:path}.{c}").path(), "/a/{b}.{c}");
    }

    /// With four parameters there are more ways to divide this path than any test may try.
    #[test]
    fn a_path_that_can_be_divided_in_many_ways_is_refused_at_once() {
        let path = format!("/{}/", ",".repeat(60_000));
        assert!(!PathTemplate::new("/{a},{b},{c},{d}").matches(&path));
        assert!(!PathTemplate::new("/{a:path},{b:path},{c:path}/x").matches(&path));
    }
}
