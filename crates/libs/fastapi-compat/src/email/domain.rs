//! The part of an address behind the @-sign.

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

use super::{Reason, bad_characters, check_unsafe, refuse, too_many};
use crate::characters::is_assigned;
use crate::idna;
use crate::python::repr;

/// Names that cannot receive e-mail (RFC 6761, 6762, 7686 and the arpa zone).
const SPECIAL_USE_DOMAINS: [&str; 6] = ["arpa", "invalid", "local", "localhost", "onion", "test"];

fn is_hostname_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '.' || c >= '\u{80}'
}

const MAX_DOMAIN: usize = 253;

/// The domain in ASCII and in its canonical form.
pub(super) fn validate_domain(original: &str) -> Result<(String, String), Reason> {
    let invalid = "The part after the @-sign contains invalid characters";
    let length = original.chars().count();
    if length > MAX_DOMAIN {
        let reason = too_many(length - MAX_DOMAIN);
        return Err(format!("The email address is too long after the @-sign {reason}."));
    }
    refuse(&bad_characters(original, is_hostname_character), invalid)?;
    check_unsafe(original, false)?;
    refuse(&bad_characters(original, valid_before_mapping), invalid)?;
    let domain = idna::uts46_remap(original).map_err(|error| format!("{invalid} ({error})."))?;
    refuse(
        &bad_characters(&domain, is_hostname_character),
        &format!("{invalid} after Unicode normalization"),
    )?;
    check_hyphens_and_periods(&domain)?;
    let ascii = if domain.split('.').all(is_ldh_label) {
        domain
    } else {
        let labels: Result<Vec<_>, _> = domain.split('.').map(idna::to_ascii_label).collect();
        labels
            .map_err(|error| format!("The part after the @-sign is invalid ({error})."))?
            .join(".")
    };
    if ascii.len() > MAX_DOMAIN {
        let diff = ascii.len() - MAX_DOMAIN;
        if ascii == original {
            return Err(format!(
                "The email address is too long after the @-sign {}.",
                too_many(diff)
            ));
        }
        let s = if diff == 1 { "" } else { "s" };
        return Err(format!(
            "The email address is too long after the @-sign ({diff} byte{s} too many after IDNA encoding)."
        ));
    }
    if let Some(label) = ascii.split('.').find(|label| label.len() > 63) {
        let reason = too_many(label.len() - 63);
        return Err(format!(
            "After the @-sign, periods cannot be separated by so many characters {reason}."
        ));
    }
    if !ascii.contains('.') {
        return Err("The part after the @-sign is not valid. It should have a period.".into());
    }
    if !ascii.ends_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(
            "The part after the @-sign is not valid. It is not within a valid top-level domain."
                .into(),
        );
    }
    let is_special = |special: &&str| {
        ascii.strip_suffix(*special).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if SPECIAL_USE_DOMAINS.iter().any(is_special) {
        return Err("The part after the @-sign is a special-use or reserved name that cannot be used with email.".into());
    }
    if !ascii.contains("xn--") {
        return Ok((ascii.clone(), ascii));
    }
    let not_idna = |error| format!("The part after the @-sign is not valid IDNA ({error}).");
    let labels: Result<Vec<_>, _> = ascii.split('.').map(idna::to_unicode_label).collect();
    let domain = labels.map_err(not_idna)?.join(".");
    refuse(&bad_characters(&domain, is_hostname_character), invalid)?;
    check_unsafe(&domain, false)?;
    if idna::has_rtl(&domain) {
        for label in domain.split('.') {
            idna::check_bidi(label, true).map_err(not_idna)?;
        }
    }
    Ok((ascii, domain))
}

fn is_ldh_label(label: &str) -> bool {
    label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && label.starts_with(|c: char| c.is_ascii_alphanumeric())
        && label.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// What the mapping of UTS 46 would refuse anyway, refused with a message of its own.
fn valid_before_mapping(c: char) -> bool {
    use GeneralCategory::{
        Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate,
        Unassigned,
    };
    match c {
        '\u{80}'..='\u{9F}' => false,
        '\u{2024}'..='\u{2026}' => false, // these decompose into dots
        '\u{2028}'..='\u{202E}' => false,
        '\u{2010}'..='\u{2060}' | '\u{AD}' | '\u{2064}' | '\u{FF0E}' | '\u{200B}'..='\u{200D}' => {
            true
        }
        '\u{1BCA0}'..='\u{1BCA3}' => true,
        _ => {
            is_assigned(c)
                && !matches!(
                    get_general_category(c),
                    Format
                        | Unassigned
                        | PrivateUse
                        | Surrogate
                        | SpaceSeparator
                        | LineSeparator
                        | ParagraphSeparator
                )
                && (c == '.' || !decomposes_into_dot(c))
        }
    }
}

fn decomposes_into_dot(c: char) -> bool {
    !c.is_ascii() && std::iter::once(c).nfkd().any(|c| c == '.')
}

fn check_hyphens_and_periods(domain: &str) -> Result<(), Reason> {
    let reason = if domain.ends_with('.') {
        "An email address cannot end with a period."
    } else if domain.starts_with('.') {
        "An email address cannot have a period immediately after the @-sign."
    } else if domain.contains("..") {
        "An email address cannot have two periods in a row."
    } else if domain.ends_with('-') {
        "An email address cannot end with a hyphen."
    } else if domain.starts_with('-') {
        "An email address cannot have a hyphen immediately after the @-sign."
    } else if domain.contains(".-") || domain.contains("-.") {
        "An email address cannot have a period and a hyphen next to each other."
    } else if domain.split('.').any(is_reserved_ldh_label) {
        "An email address cannot have two letters followed by two dashes immediately after the @-sign or after a period, except Punycode."
    } else {
        return Ok(());
    };
    Err(reason.into())
}

/// RFC 5890, 2.3.1: two hyphens in the third and fourth position, but not an A-label.
fn is_reserved_ldh_label(label: &str) -> bool {
    let mut chars = label.chars();
    let start = (chars.next(), chars.next());
    chars.as_str().starts_with("--") && !matches!(start, (Some('x' | 'X'), Some('n' | 'N')))
}

pub(super) fn refuse_domain_literal(literal: &str) -> Reason {
    use std::net::{Ipv4Addr, Ipv6Addr};

    let allowed = |valid: bool, reason: &str| {
        if valid {
            "A bracketed IP address after the @-sign is not allowed here.".to_owned()
        } else {
            reason.to_owned()
        }
    };
    if !literal.is_empty() && literal.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return allowed(
            literal.parse::<Ipv4Addr>().is_ok(),
            &format!(
                "The address in brackets after the @-sign is not valid: It is not an IPv4 address ({}) or is missing an address literal tag.",
                ipv4_error(literal)
            ),
        );
    }
    if let Some((tag, address)) = literal.split_at_checked(5)
        && tag.eq_ignore_ascii_case("ipv6:")
    {
        return allowed(
            address.parse::<Ipv6Addr>().is_ok(),
            &format!(
                "The IPv6 address in brackets after the @-sign is not valid ({}).",
                ipv6_error(address)
            ),
        );
    }
    if !literal.contains(':') {
        return "The part after the @-sign in brackets is not an IPv4 address and has no address literal tag.".into();
    }
    let bad = bad_characters(literal, |c| ('\u{21}'..='\u{FA}').contains(&c));
    refuse(&bad, "The part after the @-sign contains invalid characters in brackets")
        .err()
        .unwrap_or_else(|| {
            "The part after the @-sign contains an invalid address literal tag in brackets.".into()
        })
}

/// Why Python's `ipaddress` refuses an IPv4 address made of digits and dots.
fn ipv4_error(text: &str) -> String {
    let octets: Vec<_> = text.split('.').collect();
    if octets.len() != 4 {
        return format!("Expected 4 octets in {}", repr(text));
    }
    let error = |octet: &&str| match octet.len() {
        0 => Some("Empty octet not permitted".to_owned()),
        4.. => Some(format!("At most 3 characters permitted in {}", repr(octet))),
        2.. if octet.starts_with('0') => {
            Some(format!("Leading zeros are not permitted in {}", repr(octet)))
        }
        _ if octet.parse::<u8>().is_err() => Some(format!("Octet {octet} (> 255) not permitted")),
        _ => None,
    };
    let error = octets.iter().find_map(error).unwrap_or_default();
    format!("{error} in {}", repr(text))
}

/// Why Python's `ipaddress` refuses an IPv6 address, for the commonest reasons.
fn ipv6_error(text: &str) -> String {
    if text.is_empty() {
        return "Address cannot be empty".into();
    }
    let parts = text.split(':').count();
    if parts < 3 {
        return format!("At least 3 parts expected in {}", repr(text));
    }
    if parts > 9 {
        return format!("At most 8 colons permitted in {}", repr(text));
    }
    format!("Exactly 8 parts expected without '::' in {}", repr(text))
}
