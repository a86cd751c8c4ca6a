//! Text in HTML.

use std::fmt::{self, Write};

/// Writes a text with the characters replaced that `MarkupSafe`, which Jinja uses, replaces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&#34;"),
            '\'' => f.write_str("&#39;"),
            c => f.write_char(c),
        })
    }
}
