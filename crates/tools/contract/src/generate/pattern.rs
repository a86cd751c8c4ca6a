//! Texts that match a pattern.

use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// The most repetitions of an open-ended part.
const MAX_REPETITIONS: u32 = 64;

/// A text that the pattern matches, of a length within the limits where the pattern lets it; none if
/// the pattern is not understood.
pub(super) fn matching(pattern: &str, min: usize, max: usize) -> Option<String> {
    let hir = regex_syntax::parse(pattern).ok()?;
    // Open-ended parts are repeated until the text is long enough.
    let mut shortest = None;
    for extra in 0..=MAX_REPETITIONS {
        let mut text = String::new();
        write(&hir, extra, &mut text)?;
        let length = text.chars().count();
        if (min..=max).contains(&length) {
            return Some(text);
        }
        if length > max || min <= length {
            break;
        }
        shortest.get_or_insert(text);
    }
    // What the pattern does not anchor may be followed by anything.
    let mut text = shortest?;
    let missing = min.saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n('a', missing));
    Some(text)
}

fn write(hir: &Hir, extra: u32, text: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => {
            // Letters and digits first: they are of use everywhere.
            let is_plain =
                |c: &char| class.iter().any(|range| (range.start()..=range.end()).contains(c));
            let plain = "a1A0b_- ".chars().find(is_plain);
            text.push(plain.or_else(|| class.iter().next().map(ClassUnicodeRange::start))?);
        }
        HirKind::Class(Class::Bytes(class)) => {
            text.push(class.iter().next().map(|range| char::from(range.start()))?);
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            let count = repetition
                .min
                .saturating_add(extra)
                .min(most)
                .min(repetition.min.max(MAX_REPETITIONS));
            for _ in 0..count {
                write(&repetition.sub, extra, text)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, extra, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write(part, extra, text)?;
            }
        }
        HirKind::Alternation(parts) => write(parts.first()?, extra, text)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_match_their_pattern() {
        for (pattern, min, max) in [
            (r"^\d{5}$", 0, 100),
            (r"^[A-Z]{2}-\d+$", 6, 10),
            ("^(red|green)$", 0, 100),
            (r"^[a-z0-9]+(?:-[a-z0-9]+)*$", 3, 20),
            (r"^\+?[1-9]\d{1,14}$", 0, 100),
            (r"^\S+@\S+\.\S+$", 0, 100),
            ("^abc", 8, 100),
            (r"^(?!0)\d+$", 0, 0),
        ] {
            let text = matching(pattern, min, max);
            let Ok(regex) = regex::Regex::new(pattern) else {
                assert_eq!(text, None, "look-around is not understood");
                continue;
            };
            let text = text.unwrap();
            let length = text.chars().count();
            assert!(regex.is_match(&text), "{pattern}: {text}");
            assert!((min..=max).contains(&length), "{pattern}: {text}");
        }
    }
}
