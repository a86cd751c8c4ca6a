//! IDNA 2008 (RFC 5891–5893) with the checks, in the order and with the messages of Python's `idna`
//! package, which email-validator uses. The `idna` crate implements UTS 46 instead, which accepts
//! other names; only the mapping step is the same and comes from there.

use idna_mapping::Mapper;
use unicode_bidi::{BidiClass, bidi_class};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::characters::{contains, is_assigned, major_category};
use crate::idna_tables as tables;
use crate::python::repr;

const MAX_LABEL: usize = 63;
const MAX_INPUT: usize = 254;
const VIRAMA: u8 = 9;

/// The mapping of UTS 46: case folding, width, separators, normalisation form C.
pub(crate) fn uts46_remap(domain: &str) -> Result<String, String> {
    if domain.is_ascii() {
        return Ok(domain.to_ascii_lowercase());
    }
    for (index, c) in domain.chars().enumerate() {
        let disallowed =
            Mapper::new(std::iter::once(c), false).any(|c| c == char::REPLACEMENT_CHARACTER);
        if disallowed {
            let (code, position, domain) = (u32::from(c), index + 1, repr(domain));
            return Err(format!(
                "Codepoint U+{code:04X} not allowed at position {position} in {domain}"
            ));
        }
    }
    Ok(Mapper::new(domain.chars(), false).nfc().collect())
}

/// A label in its ASCII form.
pub(crate) fn to_ascii_label(label: &str) -> Result<String, String> {
    let ascii = if label.is_ascii() {
        to_unicode_label(label)?;
        label.to_owned()
    } else {
        check_label(label)?;
        format!("xn--{}", punycode(label))
    };
    if ascii.len() > MAX_LABEL { Err("Label too long".into()) } else { Ok(ascii) }
}

/// A label of an ASCII domain in its Unicode form.
pub(crate) fn to_unicode_label(label: &str) -> Result<String, String> {
    let label = label.to_ascii_lowercase();
    let Some(encoded) = label.strip_prefix("xn--") else {
        check_label(&label)?;
        return Ok(label);
    };
    if encoded.is_empty() {
        return Err("Malformed A-label, no Punycode eligible content found".into());
    }
    if encoded.ends_with('-') {
        return Err("A-label must not end with a hyphen".into());
    }
    let decoded = idna::punycode::decode_to_string(encoded).ok_or("Invalid A-label")?;
    if punycode(&decoded) != encoded {
        return Err("A-label is not the canonical Punycode encoding of its U-label".into());
    }
    check_label(&decoded)?;
    Ok(decoded)
}

fn punycode(label: &str) -> String {
    idna::punycode::encode_str(label).unwrap_or_default()
}

fn check_label(label: &str) -> Result<(), String> {
    let chars: Vec<char> = label.chars().collect();
    let Some(&first) = chars.first() else {
        return Err("Empty Label".into());
    };
    if chars.len() > MAX_INPUT {
        return Err("Label too long".into());
    }
    if !label.nfc().eq(chars.iter().copied()) {
        return Err("Label must be in Normalization Form C".into());
    }
    if chars.get(2..4) == Some(&['-', '-']) {
        return Err("Label has disallowed hyphens in 3rd and 4th position".into());
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err("Label must not start or end with a hyphen".into());
    }
    if major_category(first) == 'M' {
        return Err("Label begins with an illegal combining character".into());
    }
    for (index, &c) in chars.iter().enumerate() {
        let (code, position) = (u32::from(c), index + 1);
        if contains(tables::PVALID, c) {
        } else if contains(tables::CONTEXTJ, c) {
            if !valid_joiner(&chars, index) {
                let label = repr(label);
                return Err(format!(
                    "Joiner U+{code:04X} not allowed at position {position} in {label}"
                ));
            }
        } else if contains(tables::CONTEXTO, c) {
            if !valid_in_context(&chars, index) {
                let label = repr(label);
                return Err(format!(
                    "Codepoint U+{code:04X} not allowed at position {position} in {label}"
                ));
            }
        } else {
            let label = repr(label);
            return Err(format!(
                "Codepoint U+{code:04X} at position {position} of {label} not allowed"
            ));
        }
    }
    check_bidi(label, false)
}

/// RFC 5892, appendix A.1 and A.2.
fn valid_joiner(label: &[char], index: usize) -> bool {
    if index > 0 && canonical_combining_class(label[index - 1]) == VIRAMA {
        return true;
    }
    let joins = |c: Option<&char>, table| {
        c.is_some_and(|&c| contains(tables::JOINING_D, c) || contains(table, c))
    };
    let opaque = |c: &&char| !contains(tables::JOINING_T, **c);
    label[index] == '\u{200C}'
        && joins(label[..index].iter().rev().find(opaque), tables::JOINING_L)
        && joins(label[index + 1..].iter().find(opaque), tables::JOINING_R)
}

/// RFC 5892, appendix A.3 to A.9.
fn valid_in_context(label: &[char], index: usize) -> bool {
    let before = index.checked_sub(1).map(|index| label[index]);
    let after = label.get(index + 1).copied();
    let is = |c: Option<char>, script| c.is_some_and(|c| contains(script, c));
    match label[index] {
        '\u{B7}' => before == Some('l') && after == Some('l'),
        '\u{375}' => is(after, tables::GREEK),
        '\u{5F3}' | '\u{5F4}' => is(before, tables::HEBREW),
        '\u{30FB}' => label.iter().any(|&c| {
            c != '\u{30FB}'
                && [tables::HIRAGANA, tables::KATAKANA, tables::HAN]
                    .iter()
                    .any(|script| contains(script, c))
        }),
        '\u{660}'..='\u{669}' => !label.iter().any(|c| ('\u{6F0}'..='\u{6F9}').contains(c)),
        '\u{6F0}'..='\u{6F9}' => !label.iter().any(|c| ('\u{660}'..='\u{669}').contains(c)),
        _ => false,
    }
}

/// Whether a text has right-to-left characters.
pub(crate) fn has_rtl(text: &str) -> bool {
    text.chars().any(|c| matches!(bidi_class(c), BidiClass::R | BidiClass::AL | BidiClass::AN))
}

/// The Bidi Rule of RFC 5893; a label without right-to-left characters only `always`.
pub(crate) fn check_bidi(label: &str, always: bool) -> Result<(), String> {
    use BidiClass::{AL, AN, BN, CS, EN, ES, ET, L, NSM, ON, R};

    if let Some(index) = label.chars().position(|c| !is_assigned(c)) {
        let (label, position) = (repr(label), index + 1);
        return Err(format!("Unknown directionality in label {label} at position {position}"));
    }
    if !always && !has_rtl(label) {
        return Ok(());
    }
    let rtl = match label.chars().next().map(bidi_class) {
        Some(R | AL) => true,
        Some(L) => false,
        _ => {
            let label = repr(label);
            return Err(format!(
                "First codepoint in label {label} must be directionality L, R or AL"
            ));
        }
    };
    let mut valid_ending = false;
    let mut number = None;
    for (index, c) in label.chars().enumerate() {
        let (class, position) = (bidi_class(c), index + 1);
        let (allowed, ends, side) = if rtl {
            let allowed = matches!(class, R | AL | AN | EN | ES | CS | ET | ON | BN | NSM);
            (allowed, matches!(class, R | AL | EN | AN), "right-to-left")
        } else {
            let allowed = matches!(class, L | EN | ES | CS | ET | ON | BN | NSM);
            (allowed, matches!(class, L | EN), "left-to-right")
        };
        if !allowed {
            return Err(format!(
                "Invalid direction for codepoint at position {position} in a {side} label"
            ));
        }
        if class != NSM {
            valid_ending = ends;
        }
        if rtl && matches!(class, AN | EN) && *number.get_or_insert(class) != class {
            return Err("Can not mix numeral types in a right-to-left label".into());
        }
    }
    if valid_ending {
        Ok(())
    } else {
        Err("Label ends with illegal codepoint directionality".into())
    }
}
