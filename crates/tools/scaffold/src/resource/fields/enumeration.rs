//! `enum(open|paid)`: the texts that a column may hold.

use std::collections::BTreeSet;
use std::str::FromStr;

use heck::{ToShoutySnakeCase, ToUpperCamelCase};

/// The longest value.
const MAX_VALUE: usize = 50;
/// More are rows of a table.
const MAX_VALUES: usize = 100;

/// At least one value, all different, in each language too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Enumeration(Vec<String>);

impl Enumeration {
    pub(crate) fn values(&self) -> &[String] {
        &self.0
    }

    /// The width of the column.
    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(String::len).max().unwrap_or_default()
    }
}

/// A value as a variant in Rust.
pub(crate) fn variant(value: &str) -> String {
    value.to_upper_camel_case()
}

/// A value as a member in Python: in upper case it is no keyword, and no method of a text.
pub(crate) fn member(value: &str) -> String {
    value.to_shouty_snake_case()
}

impl FromStr for Enumeration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let values: Vec<String> = text.split('|').map(|value| value.trim().to_owned()).collect();
        for value in &values {
            let plain = value.starts_with(|c: char| c.is_ascii_lowercase())
                && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
                && !value.ends_with('_')
                && !value.contains("__");
            if !plain || value.len() > MAX_VALUE {
                return Err(format!(
                    "`{value}`: a value of an enum is of a-z, 0-9 and single _, like `in_transit`, at most \
                     {MAX_VALUE} characters"
                ));
            }
            if value == "self" {
                return Err("`self` means something to Rust: choose another value".to_owned());
            }
        }
        if values.len() > MAX_VALUES {
            return Err(format!("an enum has at most {MAX_VALUES} values"));
        }
        let mut names = BTreeSet::new();
        if let Some(value) = values.iter().find(|value| !names.insert(variant(value))) {
            return Err(format!("two values of the enum are `{}` in Rust", variant(value)));
        }
        let mut names = BTreeSet::new();
        if let Some(value) = values.iter().find(|value| !names.insert(member(value))) {
            return Err(format!("two values of the enum are `{}` in Python", member(value)));
        }
        Ok(Self(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let read = |text: &str| text.parse::<Enumeration>();
        assert_eq!(
            read("open|paid | in_transit").unwrap().values(),
            ["open", "paid", "in_transit"]
        );
        assert_eq!(read("open|in_transit").unwrap().width(), 10);
        for (text, reason) in [
            ("", "a-z"),
            ("open|", "a-z"),
            ("Open", "a-z"),
            ("open|self", "self"),
            ("open|open", "`Open` in Rust"),
            ("a1|a_1", "`A1` in Rust"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
