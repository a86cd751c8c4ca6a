//! E-mail addresses as pydantic's `EmailStr` takes them: the rules, messages and normalisation of
//! email-validator (without asking the DNS).

mod domain;

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

use self::domain::{refuse_domain_literal, validate_domain};
use crate::characters::major_category;
use crate::dialect::{Switch, has};
use crate::python::{character_name, repr};

/// A valid, normalised e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmailStr(String);

type Reason = String;

impl EmailStr {
    /// Parses and normalises an address; `Name <address>` is accepted and the name dropped.
    ///
    /// # Errors
    /// The reason, as it stands in `ctx.reason`.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        const MAX_LENGTH: usize = 2048;
        if text.chars().count() > MAX_LENGTH {
            return Err(format!("Length must not exceed {MAX_LENGTH} characters"));
        }
        if text.contains(['\r', '\n']) && !has(Switch::EmailsAreStrippedOfLines) {
            return Err("Carriage return and line feed characters are not allowed".into());
        }
        let address = address_of_mailbox(text).unwrap_or(text);
        validate(address.trim_matches(is_python_space)).map(Self)
    }

    /// The address as email-validator normalises it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as email-validator normalises it, without a copy.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<'de> Deserialize<'de> for EmailStr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The address in `Name <address>`, `"Name" <address>` or `<address>`.
fn address_of_mailbox(text: &str) -> Option<&str> {
    let (name, rest) = split_mailbox(text)?;
    let words = name.trim_matches(is_python_space);
    let quoted = words.len() > 2 && words.starts_with('"') && words.ends_with('"');
    let plain = words
        .chars()
        .all(|c| is_python_space(c) || c.is_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c));
    (quoted || plain).then_some(rest)
}

fn split_mailbox(text: &str) -> Option<(&str, &str)> {
    let trimmed = text.trim_matches(is_python_space);
    let inner = trimmed.strip_suffix('>')?;
    // A quoted name may hold angle brackets itself.
    let open = match trimmed.strip_prefix('"').and_then(|quoted| quoted.rfind("\" <")) {
        Some(end_of_name) => 1 + end_of_name + 2,
        None => inner.find('<')?,
    };
    let address = &inner[open + 1..];
    (!address.is_empty()).then_some((&inner[..open], address))
}

fn validate(email: &str) -> Result<String, Reason> {
    let parts = split(email)?;
    let mut local = validate_local(&parts.local, parts.quoted)?;
    let normalised: String = parts.local.nfc().collect();
    if normalised != parts.local {
        local = validate_local(&normalised, parts.quoted)
            .map_err(|reason| format!("After Unicode normalization: {reason}"))?;
    }
    if parts.quoted {
        return Err("Quoting the part before the @-sign is not allowed here.".into());
    }
    if RFC2142_MAILBOXES.contains(&local.to_ascii_lowercase().as_str()) {
        local = local.to_ascii_lowercase();
    }
    let domain = &parts.domain;
    if domain.is_empty() {
        return Err("There must be something after the @-sign.".into());
    }
    if let Some(literal) = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']')) {
        return Err(refuse_domain_literal(literal));
    }
    let (ascii_domain, domain) = validate_domain(domain)?;
    let email = format!("{local}@{domain}");
    check_length(&format!("{}@{}", parts.original_local, parts.domain), None)?;
    check_length(&email, Some("after normalization"))?;
    check_length(
        &format!("{local}@{ascii_domain}"),
        Some("when the part after the @-sign is converted to IDNA ASCII"),
    )?;
    if parts.has_display_name {
        let reason =
            "A display name and angle brackets around the email address are not permitted here.";
        return Err(reason.into());
    }
    Ok(email)
}

/// RFC 2142: these mailboxes are the same in any case.
const RFC2142_MAILBOXES: [&str; 15] = [
    "info",
    "marketing",
    "sales",
    "support",
    "abuse",
    "noc",
    "security",
    "postmaster",
    "hostmaster",
    "usenet",
    "news",
    "webmaster",
    "www",
    "uucp",
    "ftp",
];

struct Parts {
    has_display_name: bool,
    original_local: String,
    /// The part before the @-sign without quotes and escapes.
    local: String,
    quoted: bool,
    domain: String,
}

fn split(email: &str) -> Result<Parts, Reason> {
    let (left, right) = split_at_unquoted(email, &['@', '<'])?;
    let (has_display_name, local, domain) = if let Some(bracketed) = right.strip_prefix('<') {
        let name = left.trim_end_matches(is_python_space);
        let (name, quoted) = unquote(name)?;
        if !quoted {
            let bad = bad_characters(&name, |c| (is_atext(c) && c != '.') || c == ' ');
            refuse(&bad, "The display name contains invalid characters when not quoted")?;
        }
        check_unsafe(&name, true)?;
        if !bracketed.contains('>') {
            return Err("An open angle bracket at the start of the email address has to be followed by a close angle bracket at the end.".into());
        }
        let address = bracketed.trim_end_matches(' ');
        let Some(address) = address.strip_suffix('>') else {
            return Err("There can't be anything after the email address.".into());
        };
        let (local, domain) = split_at_unquoted(address, &['@'])?;
        (true, local, domain)
    } else {
        (false, left, right)
    };
    let (unquoted, quoted) = unquote(local)?;
    Ok(Parts {
        has_display_name,
        original_local: local.to_owned(),
        local: unquoted,
        quoted,
        domain: domain.strip_prefix('@').unwrap_or(domain).to_owned(),
    })
}

/// Splits before the first of `specials` that stands outside quotes.
fn split_at_unquoted<'a>(text: &'a str, specials: &[char]) -> Result<(&'a str, &'a str), Reason> {
    const WINDOW: usize = 32;
    let (mut inside, mut escaped) = (false, false);
    for (index, c) in text.char_indices() {
        // A combining character behind it makes another character of it.
        if text[index..].chars().take(WINDOW).nfc().next() != Some(c) {
            continue;
        }
        if inside {
            match c {
                '\\' if !escaped => escaped = true,
                '"' if !escaped => inside = false,
                _ => escaped = false,
            }
        } else if c == '"' {
            inside = true;
        } else if specials.contains(&c) {
            return Ok(text.split_at(index));
        }
    }
    Err(if text.contains('＠') {
        "The email address has the \"full-width\" at-sign (@) character instead of a regular at-sign."
    } else if text.contains('﹫') {
        "The email address has the \"small commercial at\" character instead of a regular at-sign."
    } else {
        "An email address must have an @-sign."
    }
    .into())
}

/// Removes surrounding quotes and escapes; the second value is whether there were any.
fn unquote(text: &str) -> Result<(String, bool), Reason> {
    let Some(rest) = text.strip_prefix('"') else {
        return Ok((text.to_owned(), false));
    };
    let mut value = String::new();
    let mut escaped = false;
    for (index, c) in rest.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => {
                let extra: Vec<_> = rest[index + 1..].chars().map(display).collect();
                if !extra.is_empty() {
                    let extra = extra.join(", ");
                    return Err(format!("Extra character(s) found after close quote: {extra}"));
                }
                break;
            }
            _ => value.push(c),
        }
    }
    Ok((value, true))
}

/// A character that may be shown, in quotes; else its name.
fn display(c: char) -> String {
    match c {
        '\\' => "\"\\\"".into(),
        _ if matches!(major_category(c), 'L' | 'N' | 'P' | 'S') => repr(&c.to_string()),
        _ => character_name(c),
    }
}

fn bad_characters(text: &str, allowed: impl Fn(char) -> bool) -> BTreeSet<String> {
    text.chars().filter(|&c| !allowed(c)).map(display).collect()
}

fn refuse(bad: &BTreeSet<String>, message: &str) -> Result<(), Reason> {
    if bad.is_empty() {
        return Ok(());
    }
    let bad: Vec<_> = bad.iter().map(String::as_str).collect();
    Err(format!("{message}: {}.", bad.join(", ")))
}

/// RFC 5322, 3.2.3 (`atext`) and the dot.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn validate_local(local: &str, quoted: bool) -> Result<String, Reason> {
    if local.is_empty() {
        return Err("There must be something before the @-sign.".into());
    }
    let atoms = |allowed: fn(char) -> bool| {
        local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(allowed))
    };
    if atoms(is_atext) {
        return Ok(local.to_owned());
    }
    if atoms(|c| is_atext(c) || c >= '\u{80}') {
        check_unsafe(local, false)?;
        return Ok(local.to_owned());
    }
    if quoted {
        let bad = bad_characters(local, |c| (' '..='~').contains(&c) || c >= '\u{80}');
        let message = "The email address contains invalid characters in quotes before the @-sign";
        refuse(&bad, message)?;
        check_unsafe(local, true)?;
        return Ok(format!("\"{}\"", local.replace('\\', "\\\\").replace('"', "\\\"")));
    }
    let bad = bad_characters(local, |c| is_atext(c) || c >= '\u{80}');
    refuse(&bad, "The email address contains invalid characters before the @-sign")?;
    Err(if local.ends_with('.') {
        "An email address cannot have a period immediately before the @-sign."
    } else if local.starts_with('.') {
        "An email address cannot start with a period."
    } else {
        "An email address cannot have two periods in a row."
    }
    .into())
}

/// Refuses what is not sensible in an address: controls, spaces, a combining character in front.
fn check_unsafe(text: &str, allow_space: bool) -> Result<(), Reason> {
    let bad: BTreeSet<char> = text
        .chars()
        .enumerate()
        .filter(|&(index, c)| match (major_category(c), get_general_category(c)) {
            ('L' | 'N' | 'P' | 'S', _) => false,
            ('M', _) => index == 0,
            (_, GeneralCategory::SpaceSeparator) => !allow_space,
            _ => true,
        })
        .map(|(_, c)| c)
        .collect();
    if bad.is_empty() {
        return Ok(());
    }
    let bad: Vec<_> = bad.into_iter().map(display).collect();
    Err(format!("The email address contains unsafe characters: {}.", bad.join(", ")))
}

fn too_many(diff: usize) -> String {
    let s = if diff > 1 { "s" } else { "" };
    format!("({diff} character{s} too many)")
}

/// RFC 5321 allows 254 bytes.
fn check_length(address: &str, form: Option<&str>) -> Result<(), Reason> {
    const MAX_LENGTH: usize = 254;
    let Some(diff) = address.len().checked_sub(MAX_LENGTH).filter(|&diff| diff > 0) else {
        return Ok(());
    };
    let s = if diff > 1 { "s" } else { "" };
    let reason = match form {
        Some(form) => format!("{form} ({diff} byte{s} too many)"),
        None if address.is_ascii() => too_many(diff),
        None => {
            let widest = address.chars().map(char::len_utf8).max().unwrap_or(1);
            match (diff / widest).max(1) {
                least if least == diff => format!("({diff} character{s} too many)"),
                least => format!("({least}-{diff} character{s} too many)"),
            }
        }
    };
    Err(format!("The email address is too long {reason}."))
}
