//! Texts that match a pattern.

use std::sync::LazyLock;

use regex::Regex;
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

/// The maximum number of repetitions of an open-ended part.
const MAX_REPETITIONS: u32 = 64;
/// The characters that are taken where a pattern allows several.
const PLAIN: &str = "a1A0b2B3c4C5d6D7e8E9fFgGhHkKmMnNpPrRsStTxXyYzZ_- ";

static LOOK_AROUND: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    Regex::new(r"\(\?<?[!=](?:[^()\\]|\\.)*\)").expect("the pattern is valid")
});

/// A text that the pattern matches, of a length within the limits where the pattern lets it; none if
/// the pattern is not understood. Each `number` gives another text, as long as there are others.
pub(super) fn matching(pattern: &str, min: usize, max: usize, number: usize) -> Option<String> {
    // Of what must not follow or precede nothing is known, but that it seldom does.
    let pattern = LOOK_AROUND.replace_all(pattern, "").replace(r"\Z", r"\z");
    let hir = regex_syntax::parse(&pattern).ok()?;
    // Open-ended parts are repeated until the text is long enough.
    let mut shortest = None;
    for extra in 0..=MAX_REPETITIONS {
        let mut writer = Writer { extra, number, text: String::new() };
        writer.write(&hir)?;
        let text = writer.text;
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

struct Writer {
    extra: u32,
    /// Which of the choices are taken, as its digits.
    number: usize,
    text: String,
}

impl Writer {
    /// One of so many choices.
    const fn choice(&mut self, of: usize) -> usize {
        if of == 0 {
            return 0;
        }
        let choice = self.number % of;
        self.number /= of;
        choice
    }

    fn write(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => {
                self.text.push_str(std::str::from_utf8(&literal.0).ok()?);
            }
            HirKind::Class(Class::Unicode(class)) => {
                // Letters and digits first: they are of use everywhere.
                let is_plain =
                    |c: &char| class.iter().any(|range| (range.start()..=range.end()).contains(c));
                let plain: Vec<char> = PLAIN.chars().filter(is_plain).collect();
                let choice = self.choice(plain.len());
                let first = class.iter().next().map(ClassUnicodeRange::start);
                self.text.push(plain.get(choice).copied().or(first)?);
            }
            HirKind::Class(Class::Bytes(class)) => {
                self.text.push(class.iter().next().map(|range| char::from(range.start()))?);
            }
            HirKind::Repetition(repetition) => {
                let max = repetition.max.unwrap_or(u32::MAX);
                let count = repetition
                    .min
                    .saturating_add(self.extra)
                    .min(max)
                    .min(repetition.min.max(MAX_REPETITIONS));
                for _ in 0..count {
                    self.write(&repetition.sub)?;
                }
            }
            HirKind::Capture(capture) => self.write(&capture.sub)?,
            HirKind::Concat(parts) => {
                for part in parts {
                    self.write(part)?;
                }
            }
            HirKind::Alternation(parts) => {
                let choice = self.choice(parts.len());
                self.write(parts.get(choice)?)?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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
        ] {
            let text = matching(pattern, min, max, 0);
            let regex = Regex::new(pattern).unwrap();
            let text = text.unwrap();
            let length = text.chars().count();
            assert!(regex.is_match(&text), "{pattern}: {text}");
            assert!((min..=max).contains(&length), "{pattern}: {text}");
        }
    }
    #[test]
    fn each_number_gives_another_text() {
        let texts: BTreeSet<_> =
            (0..200).map(|n| matching(r"^(TEN|HALF)-\d{4}$", 0, 20, n).unwrap()).collect();
        assert_eq!(texts.len(), 200);
        assert!(texts.iter().any(|text| text.starts_with("HALF")));
        assert_eq!(matching("^(?!0)[1-9]$", 0, 9, 0).as_deref(), Some("1"), "without look-around");
    }
}
