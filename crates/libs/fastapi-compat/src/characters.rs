//! Characters as Python knows them: its version of Unicode, and Latin-1 for bytes of headers.

use std::borrow::Cow;

use unicode_general_category::get_general_category;

use crate::idna_tables::ASSIGNED;

/// Whether a character is in one of the ranges, which are inclusive and in ascending order.
pub(crate) fn contains(table: &[(u32, u32)], c: char) -> bool {
    let code = u32::from(c);
    let candidate = table.partition_point(|&(_, last)| last < code);
    table.get(candidate).is_some_and(|&(first, _)| first <= code)
}

/// Whether a character is assigned in Python's version of Unicode, which is older than ours.
pub(crate) fn is_assigned(c: char) -> bool {
    contains(ASSIGNED, c)
}

/// The first letter of a character's general category: `L`, `M`, `N`, `P`, `S`, `Z` or `C`.
pub(crate) fn major_category(c: char) -> char {
    if !is_assigned(c) {
        return 'C';
    }
    get_general_category(c).abbreviation().chars().next().unwrap_or('C')
}

/// Decodes bytes as Latin-1, as Starlette decodes headers.
pub(crate) fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => text.into(),
        _ => bytes.iter().copied().map(char::from).collect(),
    }
}

/// UTF-8 with Python's `errors="replace"`.
pub(crate) fn decode_replacing(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The bytes of a header that Starlette would write for this text, if it could.
pub(crate) fn to_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(c).ok()).collect()
}

/// Python's `str.strip` of text from a header.
pub(crate) fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}
