//! Texts and numbers.

use serde_json::Value;

use super::{Typed, Types, Use, plain};
use crate::draft::attributes::{bounds, lengths, pattern};

/// How the pattern begins that pydantic 2.12 and later have for a decimal.
const DECIMAL: &str = "^(?!^[-+.]*$)[+-]?0*";

/// Formats with a type of their own that has no constraints.
const CHECKED: [(&str, &str); 16] = [
    ("ipv4", "Ipv4Address"),
    ("ipv4interface", "Ipv4Interface"),
    ("ipv4network", "Ipv4Network"),
    ("ipv6", "Ipv6Address"),
    ("ipv6interface", "Ipv6Interface"),
    ("ipv6network", "Ipv6Network"),
    ("ipvanyaddress", "IpAnyAddress"),
    ("ipvanyinterface", "IpAnyInterface"),
    ("ipvanynetwork", "IpAnyNetwork"),
    ("uuid1", "Uuid1"),
    ("uuid3", "Uuid3"),
    ("uuid4", "Uuid4"),
    ("uuid5", "Uuid5"),
    ("uuid6", "Uuid6"),
    ("uuid7", "Uuid7"),
    ("uuid8", "Uuid8"),
];

/// Formats that pydantic writes and does not check.
const UNCHECKED: [&str; 6] = ["binary", "byte", "password", "path", "html", "text"];

/// Whether a format decides which texts are valid.
pub(super) fn is_checked(format: &str) -> bool {
    !UNCHECKED.contains(&format)
}

impl Types<'_> {
    pub(super) fn text(&mut self, schema: &Value, hint: &str, usage: Use) -> Typed {
        let is_binary = schema["contentMediaType"] == "application/octet-stream"
            || schema["format"] == "binary";
        if is_binary && self.in_form {
            return plain("UploadFile");
        }
        let format = schema["format"].as_str();
        let checked = CHECKED.iter().find(|(name, _)| Some(*name) == format);
        let is_secret = format == Some("password") && schema["writeOnly"] == true;
        let mut typed = match format {
            None => plain("String"),
            _ if checked.is_some() && schema["contentMediaType"].is_null() => {
                plain(checked.map_or("", |(_, ty)| ty))
            }
            Some("password") if is_secret && !self.in_form => plain("SecretStr"),
            Some("uuid") => plain("Uuid"),
            Some("date-time") => plain("DateTime"),
            Some("date") => plain("Date"),
            Some("time") => plain("Time"),
            Some("duration") => plain("Duration"),
            Some("email") => plain("EmailStr"),
            Some("uri") => {
                let http = schema["maxLength"] == 2083;
                let is_bounded = !schema["maxLength"].is_null() && !http;
                if is_bounded || !schema["pattern"].is_null() {
                    self.loosen(schema, usage, format!("`{hint}` may be a URL of any length"));
                }
                return plain(if http { "HttpUrl" } else { "AnyUrl" });
            }
            Some(format) => {
                if is_checked(format) {
                    let reason = format!("`{hint}` may be any text: nothing checks `{format}`");
                    self.loosen(schema, usage, reason);
                }
                let constraints = vec![format!("format = {format:?}")];
                Typed { name: "String".to_owned(), constraints }
            }
        };
        if let Some(kind) = schema["contentMediaType"].as_str() {
            let reason = format!("`{hint}` may be any text: nothing checks that it is {kind}");
            self.loosen(schema, usage, reason);
        }
        // No address is longer than 254 characters.
        let is_address = typed.name == "EmailStr"
            && schema["minLength"].is_null()
            && schema["maxLength"].as_u64().is_some_and(|max| max >= 254);
        if ["String", "SecretStr"].contains(&typed.name.as_str()) || is_address {
            typed.constraints.extend(lengths(schema, "Length"));
        } else if !lengths(schema, "Length").is_empty() {
            self.loosen(schema, usage, format!("`{hint}` may be of any length"));
        }
        let Some(text) = schema["pattern"].as_str() else { return typed };
        if text.starts_with(DECIMAL) && typed.name == "String" {
            let constraints = self.digits(schema, hint, usage);
            return Typed { name: "Decimal".to_owned(), constraints };
        }
        match pattern(text) {
            Ok(pattern) if typed.name == "String" => typed.constraints.push(pattern),
            Ok(_) => self.loosen(schema, usage, format!("`{hint}` need not match its pattern")),
            Err(reason) => {
                let reason = format!("`{hint}` need not match its pattern: {reason}");
                self.loosen(schema, usage, reason);
            }
        }
        typed
    }

    /// How many digits and decimal places a decimal has, as its pattern shows them.
    pub(super) fn digits(&mut self, schema: &Value, hint: &str, usage: Use) -> Vec<String> {
        let Some(pattern) = schema["pattern"].as_str() else { return Vec::new() };
        pattern.strip_prefix(DECIMAL).and_then(digits).unwrap_or_else(|| {
            self.loosen(schema, usage, format!("`{hint}` need not match its pattern"));
            Vec::new()
        })
    }

    pub(super) fn integer(&mut self, schema: &Value, hint: &str, usage: Use) -> Typed {
        let bounded = |low, high| !schema[low].is_null() && !schema[high].is_null();
        let is_small = bounded("minimum", "maximum") || usage == Use::Written;
        let constraints = self.bounds(schema, hint, usage);
        let name = if is_small { "i64" } else { "Integer" };
        Typed { name: name.to_owned(), constraints }
    }

    pub(super) fn number(&mut self, schema: &Value, hint: &str, usage: Use) -> Typed {
        if let Some(format) = schema["format"].as_str().filter(|format| *format == "time-delta") {
            // pydantic 1's, which reads ISO 8601 and `[D ]HH:MM:SS` as well.
            self.loosen(schema, usage, format!("`{hint}` may be any JSON: it is a `{format}`"));
            return plain("Value");
        }
        Typed { name: "f64".to_owned(), constraints: self.bounds(schema, hint, usage) }
    }

    /// The bounds that fit into 64 bits.
    fn bounds(&mut self, schema: &Value, hint: &str, usage: Use) -> Vec<String> {
        if let Some(format) = schema["format"].as_str() {
            self.note(
                schema,
                format!("`{hint}` has the format `{format}`, which no one checks"),
                false,
            );
        }
        let (bounds, is_whole) = bounds(schema);
        if !is_whole {
            self.loosen(
                schema,
                usage,
                format!("`{hint}` has a bound beyond 64 bits, which is left out"),
            );
        }
        bounds
    }
}

/// The constraints of a decimal, of the rest of its pattern.
fn digits(rest: &str) -> Option<Vec<String>> {
    let count = |text: &str| text.parse::<u64>().ok();
    let places = |places: u64| format!("decimal_places = {places}");
    if rest == r"\d*\.?\d*$" {
        return Some(Vec::new());
    }
    if let Some(only) = rest.strip_prefix(r"\d*\.?\d{0,") {
        return Some(vec![places(count(only.strip_suffix("}0*$")?)?)]);
    }
    let (whole, rest) = rest.strip_prefix(r"(?:\d{0,")?.split_once(r"}|(?=[\d.]{1,")?;
    let (all, rest) = rest.split_once(r"}0*$)")?;
    let (whole, all) = (count(whole)?, count(all)?.checked_sub(1)?);
    let mut found = vec![format!("max_digits = {all}")];
    if rest == r"\d*\.\d*0*$)" {
        return (whole == all).then_some(found);
    }
    let rest = rest.strip_prefix(&format!(r"\d{{0,{whole}}}\.\d{{0,"))?;
    let fraction = count(rest.strip_suffix("}0*$)")?)?;
    found.push(places(fraction));
    (whole == all.saturating_sub(fraction)).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::digits;

    #[test]
    fn digits_are_read_from_patterns_of_decimals() {
        for (pattern, expected) in [
            (r"\d*\.?\d*$", Some("")),
            (r"\d*\.?\d{0,2}0*$", Some("decimal_places = 2")),
            (r"(?:\d{0,5}|(?=[\d.]{1,6}0*$)\d*\.\d*0*$)", Some("max_digits = 5")),
            (
                r"(?:\d{0,5}|(?=[\d.]{1,18}0*$)\d{0,5}\.\d{0,12}0*$)",
                Some("max_digits = 17, decimal_places = 12"),
            ),
            (r"(?:\d{0,4}|(?=[\d.]{1,18}0*$)\d{0,4}\.\d{0,12}0*$)", None),
            (r"\d+$", None),
        ] {
            let found = digits(pattern).map(|found| found.join(", "));
            assert_eq!(found.as_deref(), expected, "{pattern}");
        }
    }
}
