//! Paths of routes as Starlette compiles them: literal text and parameters in braces, each with a
//! convertor that decides what it matches: `{name}`, `{name:path}`, `{name:int}`, `{name:float}`,
//! `{name:uuid}`. A parameter may be a part of a segment: `/reports/{name}.json`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;

use crate::affixes::Literals;
use crate::convertor::Convertor;
use crate::value::Value;

/// Why a path cannot be routed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("unknown path convertor `{0}`: there are `str`, `path`, `int`, `float` and `uuid`")]
    Convertor(String),
    #[error("the parameter `{0}` stands twice in the path")]
    Twice(String),
    /// A parameter in the syntax of axum, which is literal text in Starlette's.
    #[error(
        "`{0}` would be literal text: a parameter is written `{{name}}` or `{{name:path}}` here"
    )]
    Wildcard(String),
    #[error("the path is too long for a regular expression")]
    TooLong,
}

#[derive(Clone, Debug)]
enum Piece {
    Literal(String),
    Parameter(Arc<str>, Convertor),
}

/// One part of a path between slashes, as far as an index of paths has to know it; a match of the whole
/// may still need the regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment<'a> {
    Literal(&'a str),
    /// One parameter that does not match a slash.
    Parameter(Convertor),
    /// Several pieces that match no slash.
    Partial(Literals<'a>),
    /// This segment and all behind it, of which this one has a parameter that matches slashes.
    Tail(Literals<'a>),
}

/// A path with parameters.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// The pieces of each segment.
    segments: Vec<Vec<Piece>>,
    names: Arc<[Arc<str>]>,
    convertors: Vec<Convertor>,
    /// For what is more than whole segments.
    regex: Option<Regex>,
}

/// Splits the text into literals and `(name, convertor)` as Starlette's `PARAM_REGEX` does:
/// `{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?}`.
fn pieces(text: &str) -> Vec<Result<(&str, &str), &str>> {
    let is_name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let (mut found, mut start, mut from) = (Vec::new(), 0, 0);
    while let Some(open) = text[from..].find('{').map(|at| from + at) {
        from = open + 1;
        let Some(close) = text[from..].find('}').map(|at| from + at) else { break };
        let inner = &text[from..close];
        let (name, convertor) = inner.split_once(':').unwrap_or((inner, "str"));
        if is_name(name) && is_name(convertor) {
            if open > start {
                found.push(Err(&text[start..open]));
            }
            found.push(Ok((name, convertor)));
            start = close + 1;
            from = start;
        }
    }
    if start < text.len() {
        found.push(Err(&text[start..]));
    }
    found
}

/// Whether a segment is a parameter for axum, now or before 0.8: `{*rest}`, `:name`, `*rest`.
fn is_foreign(segment: &str) -> bool {
    (segment.starts_with("{*") && segment.ends_with('}'))
        || (segment.len() > 1 && segment.starts_with([':', '*']))
}

/// The names of the parameters in a path.
pub(crate) fn names(path: &str) -> Vec<&str> {
    pieces(path).into_iter().filter_map(Result::ok).map(|(name, _)| name).collect()
}

/// The path without convertors, as the document has it: `/files/{p}` for `/files/{p:path}`.
pub(crate) fn format(path: &str) -> Cow<'_, str> {
    if !path.contains(':') {
        return path.into();
    }
    let mut format = String::new();
    for piece in pieces(path) {
        match piece {
            Ok((name, _)) => _ = write!(format, "{{{name}}}"),
            Err(literal) => format.push_str(literal),
        }
    }
    format.into()
}

/// The literal text before, between and behind the parameters of some segments with at least one.
fn literals(segments: &[Vec<Piece>]) -> Literals<'_> {
    let mut literals = Literals { prefix: "".into(), middle: "".into(), suffix: "".into() };
    let (mut text, mut is_first) = (Cow::Borrowed(""), true);
    for (index, pieces) in segments.iter().enumerate() {
        if index > 0 {
            text += "/";
        }
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => text += literal.as_str(),
                Piece::Parameter(..) => {
                    let text = std::mem::take(&mut text);
                    if std::mem::take(&mut is_first) {
                        literals.prefix = text;
                    } else if text.len() > literals.middle.len() {
                        literals.middle = text;
                    }
                }
            }
        }
    }
    literals.suffix = text;
    literals
}

impl Template {
    pub(crate) fn parse(path: &str) -> Result<Self, TemplateError> {
        let (mut segments, mut names, mut convertors) = (Vec::new(), Vec::new(), Vec::new());
        let (mut regex, mut is_plain) = (r"\A".to_owned(), true);
        for (index, segment) in path.split('/').enumerate() {
            if index > 0 {
                regex.push('/');
            }
            if is_foreign(segment) {
                return Err(TemplateError::Wildcard(segment.to_owned()));
            }
            let mut parts = Vec::new();
            for piece in pieces(segment) {
                parts.push(match piece {
                    Ok((name, convertor)) => {
                        let convertor = Convertor::named(convertor)
                            .ok_or_else(|| TemplateError::Convertor(convertor.to_owned()))?;
                        let name: Arc<str> = name.into();
                        if names.contains(&name) {
                            return Err(TemplateError::Twice(name.to_string()));
                        }
                        names.push(Arc::clone(&name));
                        convertors.push(convertor);
                        is_plain &= convertor == Convertor::Str;
                        _ = write!(regex, "({})", convertor.regex());
                        Piece::Parameter(name, convertor)
                    }
                    Err(literal) => {
                        regex.push_str(&regex::escape(literal));
                        Piece::Literal(literal.to_owned())
                    }
                });
            }
            is_plain &= parts.len() <= 1;
            segments.push(parts);
        }
        // Python's `$` matches before a newline at the end.
        regex.push_str(r"\n?\z");
        let regex = if is_plain {
            None
        } else {
            Some(Regex::new(&regex).map_err(|_| TemplateError::TooLong)?)
        };
        Ok(Self { segments, names: names.into(), convertors, regex })
    }

    pub(crate) fn names(&self) -> &Arc<[Arc<str>]> {
        &self.names
    }

    /// Whether the segments describe the whole path.
    pub(crate) const fn is_plain(&self) -> bool {
        self.regex.is_none()
    }

    /// The segments, up to the first that matches slashes.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let mut rest = self.segments.as_slice();
        std::iter::from_fn(move || {
            let (first, behind) = rest.split_at_checked(1)?;
            let [pieces] = first else { return None };
            let has_path = |pieces: &[Piece]| {
                pieces.iter().any(|piece| matches!(piece, Piece::Parameter(_, Convertor::Path)))
            };
            if has_path(pieces) {
                return Some(Segment::Tail(literals(std::mem::take(&mut rest))));
            }
            rest = behind;
            Some(match pieces.as_slice() {
                [] => Segment::Literal(""),
                [Piece::Literal(literal)] => Segment::Literal(literal),
                [Piece::Parameter(_, convertor)] => Segment::Parameter(*convertor),
                _ => Segment::Partial(literals(first)),
            })
        })
    }

    /// Whether a path matches whose segments are as [`Self::segments`] has them.
    pub(crate) fn matches(&self, path: &str) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(path))
    }

    /// The values of the parameters in a path that matches.
    pub(crate) fn values(&self, path: &str) -> Vec<Value> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let (mut values, mut convertors) =
            (Vec::with_capacity(self.names.len()), &*self.convertors);
        self.each_text(path, |text| {
            if let Some((convertor, rest)) = convertors.split_first() {
                values.push(convertor.convert(text));
                convertors = rest;
            }
        });
        values
    }

    /// The paths under which axum routes it: parameters and literals are segments of their own, and
    /// a parameter that may be empty is left out in a path of its own.
    pub(crate) fn axum_paths(&self) -> Vec<String> {
        let mut paths = vec![String::new()];
        let mut is_first = true;
        for pieces in &self.segments {
            if !is_first && pieces.is_empty() {
                for path in &mut paths {
                    path.push('/');
                }
            }
            is_first = false;
            for piece in pieces {
                match piece {
                    Piece::Literal(literal) => {
                        let literal = utf8_percent_encode(literal, LITERAL).to_string();
                        let literal = literal.replace('{', "{{").replace('}', "}}");
                        for path in &mut paths {
                            path.push('/');
                            path.push_str(&literal);
                        }
                    }
                    Piece::Parameter(name, convertor) => {
                        let without: Vec<_> = if *convertor == Convertor::Path {
                            paths.iter().map(|path| format!("{path}/")).collect()
                        } else {
                            Vec::new()
                        };
                        for path in &mut paths {
                            _ = write!(path, "/{{{name}}}");
                        }
                        paths.extend(without);
                    }
                }
            }
        }
        paths
    }

    /// The path, encoded so that axum matches it with one of [`Self::axum_paths`] and decodes its
    /// parameters to the same text.
    pub(crate) fn axum_path(&self, path: &str) -> String {
        let mut texts = Vec::new();
        self.each_text(path, |text| texts.push(text));
        let (mut encoded, mut texts, mut is_first) = (String::new(), texts.into_iter(), true);
        for pieces in &self.segments {
            if !is_first && pieces.is_empty() {
                encoded.push('/');
            }
            is_first = false;
            for piece in pieces {
                encoded.push('/');
                match piece {
                    Piece::Literal(literal) => {
                        encoded.extend(utf8_percent_encode(literal, LITERAL));
                    }
                    Piece::Parameter(..) => {
                        let text = texts.next().unwrap_or_default();
                        encoded.extend(utf8_percent_encode(text, SEGMENT));
                    }
                }
            }
        }
        encoded
    }

    /// Gives the parameters in a path that matches, as they stand there.
    fn each_text<'p>(&self, path: &'p str, mut each: impl FnMut(&'p str)) {
        if let Some(regex) = &self.regex {
            let captures = regex.captures(path);
            let groups = captures.iter().flat_map(|captures| captures.iter().skip(1).flatten());
            groups.for_each(|group| each(group.as_str()));
        } else {
            for (pieces, text) in self.segments.iter().zip(path.split('/')) {
                if let [Piece::Parameter(..)] = pieces.as_slice() {
                    each(text);
                }
            }
        }
    }
}

/// What the path of a URI cannot hold as it stands.
pub(crate) const LITERAL: &AsciiSet =
    &CONTROLS.add(b' ').add(b'#').add(b'?').add(b'%').add(b'<').add(b'>').add(b'`');

/// Everything but unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_parameter_is_literal() {
        assert_eq!(names("/{a}/{b:int}.{c}/{}/{d-e}/{f/{g}"), ["a", "b", "c", "g"]);
        assert_eq!(format("/{a:path}/{b}.json"), "/{a}/{b}.json");
        assert_eq!(
            Template::parse("/{a:integer}").map(drop),
            Err(TemplateError::Convertor("integer".to_owned()))
        );
        assert_eq!(Template::parse("/{a}/{a}").map(drop), Err(TemplateError::Twice("a".into())));
        for segment in ["{*rest}", ":id", "*rest"] {
            let parsed = Template::parse(&format!("/files/{segment}")).map(drop);
            assert_eq!(parsed, Err(TemplateError::Wildcard(segment.into())));
        }
        for path in ["/*", "/:", "/items:batch", "/{a}:{b}"] {
            assert!(Template::parse(path).is_ok(), "{path}");
        }
        let long = format!("/{{a}}{}", "x".repeat(500_000));
        assert_eq!(Template::parse(&long).map(drop), Err(TemplateError::TooLong));
    }

    #[test]
    fn axum_has_a_segment_for_each_part() {
        let paths = |path| Template::parse(path).unwrap().axum_paths();
        assert_eq!(paths("/items/{id}/"), ["/items/{id}/"]);
        assert_eq!(paths("/{name}.json"), ["/{name}/.json"]);
        assert_eq!(paths("/files/{p:path}"), ["/files/{p}", "/files/"]);
        assert_eq!(paths("/"), ["/"]);
        let encoded = |template, path| Template::parse(template).unwrap().axum_path(path);
        assert_eq!(encoded("/files/{p:path}", "/files/a/b c"), "/files/a%2Fb%20c");
        assert_eq!(encoded("/files/{p:path}", "/files/"), "/files/");
        assert_eq!(encoded("/{name}.json", "/é.json"), "/%C3%A9/.json");
        assert_eq!(encoded("/items/{id}/", "/items/a/"), "/items/a/");
    }
}
