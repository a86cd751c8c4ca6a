//! Passages of files that only some services have: between a line with the comment `[with PART]`, or
//! several parts of which all are needed, and one with `[end]`, in any language that has comments:
//!
//! ```yaml
//! # [with python-legacy]
//! - package-ecosystem: pip
//! # [end]
//! ```
//!
//! `[with molt]` is what no new service has. The comments themselves are not copied.

use super::parts::Part;

/// What is around the brackets of a comment.
const COMMENTS: [(&str, &str); 4] = [("#", ""), ("//", ""), ("--", ""), ("<!--", "-->")];

enum Mark<'a> {
    With(&'a str),
    End,
}

/// The text without the passages of the parts that the service is without.
///
/// # Errors
/// When a passage has no end or no beginning, or a part is not known.
pub(super) fn resolve(text: &str, without: &[Part]) -> Result<String, String> {
    if !text.contains("[with ") {
        return Ok(text.to_owned());
    }
    let mut kept = String::with_capacity(text.len());
    let mut open: Vec<bool> = Vec::new();
    // A passage with empty lines around it leaves one of them.
    let mut skips_empty = false;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        match mark(line) {
            Some(Mark::With(parts)) => {
                let mut is_kept = true;
                for part in parts.split_whitespace() {
                    is_kept &= has(part, without)
                        .ok_or_else(|| format!("line {}: there is no part `{part}`", index + 1))?;
                }
                open.push(is_kept);
            }
            Some(Mark::End) => {
                let is_kept =
                    open.pop().ok_or_else(|| format!("line {}: nothing ends", index + 1))?;
                let is_after_empty = kept.is_empty() || kept.ends_with("\n\n");
                skips_empty = !is_kept && is_after_empty;
            }
            None if open.contains(&false) => {}
            None if skips_empty && line.trim().is_empty() => {}
            None => {
                kept.push_str(line);
                skips_empty = false;
            }
        }
    }
    if open.is_empty() { Ok(kept) } else { Err("a passage has no `[end]`".to_owned()) }
}

/// Whether the service has the part; nothing if there is no such part.
fn has(name: &str, without: &[Part]) -> Option<bool> {
    if name == "molt" {
        return Some(false);
    }
    let part = Part::ALL.into_iter().find(|part| part.name() == name)?;
    Some(!without.contains(&part))
}

fn mark(line: &str) -> Option<Mark<'_>> {
    let line = line.trim();
    let text = COMMENTS.iter().find_map(|(before, after)| {
        line.strip_prefix(before)?.trim_start().strip_suffix(after).map(str::trim_end)
    })?;
    let text = text.strip_prefix('[')?.strip_suffix(']')?;
    if text == "end" { Some(Mark::End) } else { text.strip_prefix("with ").map(Mark::With) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passages_are_kept_or_left_out() {
        let text = "a\n\n<!-- [with sqlite] -->\nb\n<!-- [with strangler] -->\nc\n<!-- [end] -->\n\
                    <!-- [end] -->\n\nd\n# [with molt]\ne\n# [end]\n";
        assert_eq!(resolve(text, &[]).unwrap(), "a\n\nb\nc\n\nd\n");
        assert_eq!(resolve(text, &[Part::Strangler]).unwrap(), "a\n\nb\n\nd\n");
        assert_eq!(resolve(text, &[Part::Sqlite]).unwrap(), "a\n\nd\n");
        let both = "  // [with python-legacy strangler]\nx\n  // [end]\n";
        assert_eq!(resolve(both, &[]).unwrap(), "x\n");
        assert_eq!(resolve(both, &[Part::Strangler]).unwrap(), "");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for text in [
            "# [with sqlite]\n",
            "# [with postgres]\n# [end]\n",
            "# [with sqlite]\n# [end]\n# [end]\n",
        ] {
            assert!(resolve(text, &[]).is_err(), "{text}");
        }
    }
}
