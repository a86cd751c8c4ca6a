//! How the values of settings are read: by clap's value parsers, which here keep their errors so that
//! all of them are reported at once.

use std::ffi::OsStr;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::{Arg, Command};
use fastapi_compat::EmailStr;
use secrecy::SecretString;
use url::Url;

/// What was given for a setting: a value, nothing (an empty text), or an error that names the setting.
#[derive(Clone)]
pub(super) struct Given<T>(Result<Option<T>, String>);

/// Without the value, which may be a secret.
impl<T> fmt::Debug for Given<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Ok(Some(_)) => "Given(…)",
            Ok(None) => "Given(nothing)",
            Err(_) => "Given(an error)",
        })
    }
}

/// A value parser that never fails.
#[derive(Clone)]
struct Setting<P>(P);

impl<P, T> TypedValueParser for Setting<P>
where
    P: Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    type Value = Given<T>;

    fn parse_ref(
        &self,
        _: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Given<T>, clap::Error> {
        let parsed = match value.to_str() {
            Some("") => Ok(None),
            Some(text) => self.0(text).map(Some),
            None => Err("it is not UTF-8".to_owned()),
        };
        let name = arg.and_then(Arg::get_env).unwrap_or_default().to_string_lossy();
        Ok(Given(parsed.map_err(|error| format!("{name}: {error}"))))
    }
}

/// The value parser of a setting; `parse` gives the value, or why there is none.
pub(super) fn setting<T: Clone + Send + Sync + 'static>(
    parse: impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static,
) -> impl TypedValueParser<Value = Given<T>> {
    Setting(parse)
}

/// Every setting that is wrong.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SettingsError(Vec<String>);

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad settings:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl SettingsError {
    pub(super) fn add(&mut self, name: &str, error: impl fmt::Display) {
        self.0.push(format!("{name}: {error}"));
    }

    /// The value that was given, if there is one and it is right.
    pub(super) fn optional<T: Clone>(&mut self, given: Option<&Given<T>>) -> Option<T> {
        match &given?.0 {
            Ok(value) => value.clone(),
            Err(error) => {
                self.0.push(error.clone());
                None
            }
        }
    }

    /// The value that was given, or the default.
    pub(super) fn value<T: Clone>(&mut self, given: Option<&Given<T>>, default: T) -> T {
        self.optional(given).unwrap_or(default)
    }

    /// `value` if nothing is wrong.
    pub(super) fn none_or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a parser like the others")]
pub(super) fn text(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "a parser like the others")]
pub(super) fn secret(value: &str) -> Result<SecretString, String> {
    Ok(value.into())
}

pub(super) fn number<T: FromStr + PartialOrd + fmt::Display + Clone>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |value| {
        let number = value.trim().parse().ok().filter(|number| range.contains(number));
        let (low, high) = (range.start(), range.end());
        number.ok_or_else(|| format!("'{value}' is not a whole number from {low} to {high}"))
    }
}

pub(super) fn boolean(value: &str) -> Result<bool, String> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => Err(format!("'{value}' is neither true nor false")),
    }
}

/// The items between commas.
pub(super) fn list(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

pub(super) fn email(value: &str) -> Result<String, String> {
    EmailStr::parse(value)
        .map(EmailStr::into_string)
        .map_err(|reason| format!("'{value}' is not an e-mail address: {reason}"))
}

pub(super) fn origin(value: &str) -> Result<String, String> {
    let origin = value.trim().trim_end_matches('/');
    match Url::parse(origin) {
        Ok(url) if url.has_host() && url.path() == "/" && url.query().is_none() => {
            Ok(origin.to_owned())
        }
        _ => Err(format!("'{value}' is not an origin such as https://app.example.com")),
    }
}
