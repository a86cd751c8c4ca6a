//! `date`, `time`, `datetime` and `timedelta`: pydantic leaves their texts to the same library.

mod older;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use chrono::{Datelike, Timelike};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use speedate::{
    DateConfig, DateTimeConfig, MicrosecondsPrecisionOverflowBehavior, ParseError, TimeConfig,
    TimestampUnit,
};
use strum::EnumMessage;

use crate::constraints::{Accepts, BrokenBound, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
use crate::errors::{Errors, Exactness, Loc};
use crate::marked;
use crate::openapi::json_schema;
use crate::value::Value;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub speedate::Date);

impl From<Date> for chrono::NaiveDate {
    fn from(Date(date): Date) -> Self {
        // Never the default: chrono knows every day of the years 1 to 9999.
        Self::from_ymd_opt(date.year.into(), date.month.into(), date.day.into()).unwrap_or_default()
    }
}

impl From<chrono::NaiveDate> for Date {
    /// Years beyond 1 to 9999, which Python does not have, become those.
    fn from(date: chrono::NaiveDate) -> Self {
        let year = u16::try_from(date.year().clamp(1, 9999)).unwrap_or(1);
        let part = |part: u32| u8::try_from(part).unwrap_or(1);
        Self(speedate::Date { year, month: part(date.month()), day: part(date.day()) })
    }
}

/// A time of day, with an offset from UTC or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub speedate::Time);

impl From<chrono::NaiveTime> for Time {
    /// What is less than a microsecond is cut off.
    fn from(time: chrono::NaiveTime) -> Self {
        let part = |part: u32| u8::try_from(part).unwrap_or_default();
        Self(speedate::Time {
            hour: part(time.hour()),
            minute: part(time.minute()),
            second: part(time.second()),
            // A leap second has more of them than a second.
            microsecond: (time.nanosecond() / 1000).min(999_999),
            tz_offset: None,
        })
    }
}

/// A day and a time, with an offset from UTC or without: Python's `datetime` is either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub speedate::DateTime);

impl From<chrono::DateTime<chrono::Utc>> for DateTime {
    /// Years beyond 1 to 9999, which Python does not have, become those.
    fn from(moment: chrono::DateTime<chrono::Utc>) -> Self {
        let Self(mut naive) = moment.naive_utc().into();
        naive.time.tz_offset = Some(0);
        Self(naive)
    }
}

impl From<chrono::NaiveDateTime> for DateTime {
    /// Years beyond 1 to 9999, which Python does not have, become those; what is less than a
    /// microsecond is cut off.
    fn from(moment: chrono::NaiveDateTime) -> Self {
        let (Date(date), Time(time)) = (moment.date().into(), moment.time().into());
        Self(speedate::DateTime { date, time })
    }
}

/// Python's `timedelta`, written as ISO 8601 has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duration(pub speedate::Duration);

impl Duration {
    /// The largest that Python has, but for its microseconds: `timedelta.max`.
    const MAX_DAYS: u32 = 999_999_999;

    /// Python's `total_seconds()`: the nearest number, negative for a negative duration.
    pub fn total_seconds(&self) -> f64 {
        let micros = self.micros();
        // To the nearest number, as in Python: microseconds alone may have no number of their own.
        let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let seconds: f64 = text.parse().unwrap_or(f64::INFINITY);
        // Python has no negative zero here.
        if self.0.positive || micros == 0 { seconds } else { -seconds }
    }

    /// All microseconds, without the sign.
    fn micros(&self) -> u128 {
        u128::from(self.0.day) * 86_400_000_000
            + u128::from(self.0.second) * 1_000_000
            + u128::from(self.0.microsecond)
    }

    /// What is longer than Python's longest becomes that.
    fn of_micros(positive: bool, micros: u128) -> Self {
        let (days, rest) = (micros / 86_400_000_000, micros % 86_400_000_000);
        let part = |part: u128| u32::try_from(part).unwrap_or_default();
        Self(match u32::try_from(days).ok().filter(|days| *days <= Self::MAX_DAYS) {
            Some(day) => speedate::Duration {
                // Python has no negative zero.
                positive: positive || micros == 0,
                day,
                second: part(rest / 1_000_000),
                microsecond: part(rest % 1_000_000),
            },
            None => speedate::Duration {
                positive,
                day: Self::MAX_DAYS,
                second: 86_399,
                microsecond: 999_999,
            },
        })
    }
}

impl From<std::time::Duration> for Duration {
    /// What is longer than a thousand million days, which Python does not have, becomes its longest;
    /// what is less than a microsecond is cut off.
    fn from(duration: std::time::Duration) -> Self {
        Self::of_micros(true, duration.as_micros())
    }
}

impl From<chrono::TimeDelta> for Duration {
    /// As of the standard library's.
    fn from(delta: chrono::TimeDelta) -> Self {
        let micros = delta.abs().to_std().unwrap_or_default().as_micros();
        Self::of_micros(delta >= chrono::TimeDelta::zero(), micros)
    }
}

impl From<Duration> for chrono::TimeDelta {
    fn from(duration: Duration) -> Self {
        let speedate::Duration { positive, day, second, microsecond } = duration.0;
        let seconds = i64::from(day) * 86_400 + i64::from(second);
        // Never the default: chrono has three hundred million years.
        let delta = Self::new(seconds, microsecond.saturating_mul(1000)).unwrap_or_default();
        if positive { delta } else { -delta }
    }
}

impl TryFrom<Duration> for std::time::Duration {
    type Error = chrono::OutOfRangeError;

    /// # Errors
    /// For one that is negative.
    fn try_from(duration: Duration) -> Result<Self, Self::Error> {
        chrono::TimeDelta::from(duration).to_std()
    }
}

const TIME: TimeConfig = TimeConfig {
    microseconds_precision_overflow_behavior: MicrosecondsPrecisionOverflowBehavior::Truncate,
    unix_timestamp_offset: Some(0),
};
const DATE_TIME: DateTimeConfig =
    DateTimeConfig { timestamp_unit: TimestampUnit::Infer, time_config: TIME };

/// Why a value is refused: it is of the wrong type, or its text or number is invalid.
enum Refusal {
    Type,
    Parsing(Cow<'static, str>),
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::Parsing(error.get_documentation().unwrap_or_default().into())
    }
}

/// A number as an integer or a float: integers beyond 64 bits are floats.
enum Numeric {
    Int(i64),
    Float(f64),
}

fn numeric(input: &Value) -> Option<Numeric> {
    match input {
        Value::Int(value) => Some(Numeric::Int(*value)),
        Value::Float(value) => Some(Numeric::Float(*value)),
        Value::BigInt(digits) => {
            digits.parse().ok().filter(|value: &f64| value.is_finite()).map(Numeric::Float)
        }
        _ => None,
    }
}

fn not_nan(value: f64) -> Result<f64, Refusal> {
    if value.is_nan() {
        Err(Refusal::Parsing("NaN values not permitted".into()))
    } else {
        Ok(value)
    }
}

fn read_date(input: &Value) -> Result<speedate::Date, Refusal> {
    let Value::Str(text) = input else { return Err(Refusal::Type) };
    let config = DateConfig::builder().timestamp_unit(TimestampUnit::Infer).build();
    let date = speedate::Date::parse_bytes_with_config(text.as_bytes(), &config);
    if older::is_number(text) {
        return older::timestamp(date, |date| date.year);
    }
    Ok(date?)
}

fn read_datetime(input: &Value) -> Result<speedate::DateTime, Refusal> {
    use speedate::DateTime;

    let read = match input {
        Value::Str(text) => match older::datetime(text) {
            Some(read) => read,
            None => DateTime::parse_bytes_with_config(text.as_bytes(), &DATE_TIME),
        },
        input => match numeric(input).ok_or(Refusal::Type)? {
            Numeric::Int(value) => DateTime::from_timestamp_with_config(value, 0, &DATE_TIME),
            Numeric::Float(value) => older::datetime_of(not_nan(value)?)
                .unwrap_or_else(|| DateTime::from_float_with_config(value, &DATE_TIME)),
        },
    };
    match input {
        Value::Str(text) if !older::is_number(text) => Ok(read?),
        _ => older::timestamp(read, |datetime| datetime.date.year),
    }
}

fn read_time(input: &Value) -> Result<speedate::Time, Refusal> {
    use speedate::Time;

    if let Value::Str(text) = input {
        return Ok(Time::parse_bytes_with_config(text.as_bytes(), &TIME)?);
    }
    let (seconds, micros) = match numeric(input).ok_or(Refusal::Type)? {
        Numeric::Int(value) => (value, 0),
        #[expect(clippy::cast_possible_truncation, reason = "saturates, as in pydantic")]
        Numeric::Float(value) => {
            let micros = not_nan(value)?.fract().abs() * 1_000_000.0;
            (value.floor() as i64, micros.round() as i64)
        }
    };
    if seconds < 0 {
        return Err(Refusal::Parsing("time in seconds should be positive".into()));
    }
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    let micros = u32::try_from(micros).unwrap_or_default();
    Ok(Time::from_timestamp_with_config(seconds, micros, &TIME)?)
}

fn read_duration(input: &Value) -> Result<speedate::Duration, Refusal> {
    use speedate::Duration;

    const DAY: u64 = 86_400;
    let seconds = match input {
        Value::Str(text) => {
            older::check_duration(text)?;
            return Ok(Duration::parse_bytes_with_config(text.as_bytes(), &TIME)?);
        }
        Value::Bool(value) => Numeric::Int((*value).into()),
        input => numeric(input).ok_or(Refusal::Type)?,
    };
    match seconds {
        Numeric::Int(seconds) => {
            let total = seconds.unsigned_abs();
            let days = older::days(total / DAY).ok_or(ParseError::DurationDaysTooLarge)?;
            let rest = u32::try_from(total % DAY).unwrap_or_default();
            Ok(Duration::new(seconds >= 0, days, rest, 0)?)
        }
        #[expect(clippy::cast_possible_truncation, reason = "saturates, as in pydantic")]
        #[expect(clippy::cast_sign_loss, reason = "it has no sign any more")]
        Numeric::Float(seconds) => {
            let total = not_nan(seconds)?.abs();
            let micros = (total.fract() * 1_000_000.0).round() as u32;
            let days = (total / 86_400.0) as u32;
            let rest = u32::try_from(total as u64 % DAY).unwrap_or_default();
            // What is rounded to nothing has no sign in Python.
            let positive = seconds >= 0.0 || (days, rest, micros) == (0, 0, 0);
            Ok(Duration::new(positive, days, rest, micros)?)
        }
    }
}

/// The names of a kind's errors.
struct Messages {
    type_kind: &'static str,
    type_msg: &'static str,
    parsing_kind: &'static str,
    parsing_msg: &'static str,
}

impl Messages {
    fn add<T>(
        &self,
        refusal: Refusal,
        input: &Value,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<T> {
        match refusal {
            Refusal::Type => errors.add(self.type_kind, at, self.type_msg, input, &[]),
            Refusal::Parsing(error) => {
                let msg = format!("{}, {error}", self.parsing_msg);
                let ctx = [("error", Value::from(&*error))];
                errors.add(self.parsing_kind, at, msg, input, &ctx)
            }
        }
    }
}

const DATE_MESSAGES: Messages = Messages {
    type_kind: "date_type",
    type_msg: "Input should be a valid date",
    parsing_kind: "date_parsing",
    parsing_msg: "Input should be a valid date in the format YYYY-MM-DD",
};
const DATE_FROM_DATETIME: Messages = Messages {
    parsing_kind: "date_from_datetime_parsing",
    parsing_msg: "Input should be a valid date or datetime",
    ..DATE_MESSAGES
};
const DATETIME_MESSAGES: Messages = Messages {
    type_kind: "datetime_type",
    type_msg: "Input should be a valid datetime",
    parsing_kind: "datetime_parsing",
    parsing_msg: "Input should be a valid datetime",
};
const DATETIME_FROM_DATE: Messages = Messages {
    parsing_kind: "datetime_from_date_parsing",
    parsing_msg: "Input should be a valid datetime or date",
    ..DATETIME_MESSAGES
};
const TIME_MESSAGES: Messages = Messages {
    type_kind: "time_type",
    type_msg: "Input should be a valid time",
    parsing_kind: "time_parsing",
    parsing_msg: "Input should be in a valid time format",
};
const DURATION_MESSAGES: Messages = Messages {
    type_kind: "time_delta_type",
    type_msg: "Input should be a valid timedelta",
    parsing_kind: "time_delta_parsing",
    parsing_msg: "Input should be a valid timedelta",
};

const MIDNIGHT: speedate::Time =
    speedate::Time { hour: 0, minute: 0, second: 0, microsecond: 0, tz_offset: None };

/// A date, or a datetime at midnight.
fn date(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<speedate::Date> {
    if let Ok(date) = read_date(input) {
        return Some(date);
    }
    if let Some(date) = older::date(input) {
        return Some(date);
    }
    match read_datetime(input) {
        Ok(speedate::DateTime { date, time })
            if time == (speedate::Time { tz_offset: time.tz_offset, ..MIDNIGHT }) =>
        {
            Some(date)
        }
        Ok(_) => {
            let msg = "Datetimes provided to dates should have zero time - e.g. be exact dates";
            errors.add("date_from_datetime_inexact", at, msg, input, &[])
        }
        Err(refusal) => DATE_FROM_DATETIME.add(refusal, input, at, errors),
    }
}

/// A datetime, or a date whose time is midnight.
fn datetime(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<speedate::DateTime> {
    let refusal = match read_datetime(input) {
        Ok(datetime) => return Some(datetime),
        Err(refusal) => refusal,
    };
    match read_date(input) {
        Ok(date) => Some(speedate::DateTime { date, time: MIDNIGHT }),
        Err(parsing @ Refusal::Parsing(_)) => DATETIME_FROM_DATE.add(parsing, input, at, errors),
        Err(Refusal::Type) => DATETIME_MESSAGES.add(refusal, input, at, errors),
    }
}

/// Python has no year 0; that is found out after everything else.
fn in_pythons_years<T>(
    year: fn(&T) -> u16,
    messages: &'static Messages,
) -> impl Fn(T, &Value, &Loc<'_>, &mut Errors) -> Option<T> {
    move |value, input, at, errors| {
        if year(&value) == 0 {
            let refusal = Refusal::Parsing("year 0 is out of range".into());
            return messages.add(refusal, input, at, errors);
        }
        Some(value)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as for the others")]
fn always<T>(value: T, _: &Value, _: &Loc<'_>, _: &mut Errors) -> Option<T> {
    Some(value)
}

fn broken<T: PartialOrd>(
    value: &T,
    constraints: &Constraints,
    parse: fn(&str) -> Result<T, ParseError>,
) -> Option<BrokenBound<T>> {
    constraints.broken_bound(|bound| parse(bound.text).ok(), |bound| value.partial_cmp(bound))
}

macro_rules! temporal {
    ($type:ident, $name:literal, $kind:ident, $in_range:expr, |$input:ident, $at:ident, $errors:ident| $read:expr) => {
        impl $type {
            /// Decodes it, of any year.
            pub(super) fn read(
                $input: &Value,
                constraints: &Constraints,
                $at: &Loc<'_>,
                $errors: &mut Errors,
            ) -> Option<Self> {
                $errors.fits(Exactness::Lax);
                if matches!($input, Value::Surrogates(_)) {
                    return $errors.not_unicode($at, $input);
                }
                let value = $read?;
                match broken(&value, constraints, speedate::$type::parse_str) {
                    None => Some(Self(value)),
                    Some(broken) => {
                        broken.add(|bound| bound.to_string().into(), $input, $at, $errors)
                    }
                }
            }

            /// Refuses what Python does not have.
            pub(super) fn in_range(
                self,
                input: &Value,
                at: &Loc<'_>,
                errors: &mut Errors,
            ) -> Option<Self> {
                $in_range(self.0, input, at, errors).map(Self)
            }
        }

        impl Decode for $type {
            const ACCEPTS: Accepts = Accepts::BOUNDS;

            json_schema!();

            fn name(_: &Constraints) -> Cow<'static, str> {
                $name.into()
            }

            fn decode(
                input: &Value,
                constraints: &Constraints,
                at: &Loc<'_>,
                errors: &mut Errors,
            ) -> Option<Self> {
                Self::read(input, constraints, at, errors)?.in_range(input, at, errors)
            }

            fn meets(&self, constraints: &Constraints) -> bool {
                broken(&self.0, constraints, speedate::$type::parse_str).is_none()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        /// By what is written: a key of a dictionary.
        impl Hash for $type {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.to_string().hash(state);
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                marked::mark(marked::$kind, self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_by_rules(deserializer)
            }
        }
    };
}

temporal!(
    Date,
    "date",
    TIME,
    in_pythons_years(|date: &speedate::Date| date.year, &DATE_MESSAGES),
    |input, at, errors| date(input, at, errors)
);
temporal!(
    DateTime,
    "datetime",
    TIME,
    in_pythons_years(|datetime: &speedate::DateTime| datetime.date.year, &DATETIME_MESSAGES),
    |input, at, errors| datetime(input, at, errors)
);
temporal!(Time, "time", TIME, always, |input, at, errors| {
    read_time(input).map_or_else(|refusal| TIME_MESSAGES.add(refusal, input, at, errors), Some)
});
temporal!(Duration, "timedelta", DURATION, always, |input, at, errors| {
    read_duration(input)
        .map_or_else(|refusal| DURATION_MESSAGES.add(refusal, input, at, errors), Some)
});

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn durations_are_made_of_others_and_become_those() {
        for (delta, text, seconds) in [
            (TimeDelta::zero(), "PT0S", 0.0),
            (TimeDelta::microseconds(3_600_000_005), "PT1H0.000005S", 3_600.000_005),
            (TimeDelta::microseconds(-90_061_500_000), "-P1DT1H1M1.5S", -90_061.5),
        ] {
            let duration = Duration::from(delta);
            assert_eq!(duration.to_string(), text);
            assert_eq!(duration.total_seconds().to_bits(), f64::to_bits(seconds));
            assert_eq!(TimeDelta::from(duration.clone()), delta);
            let std = std::time::Duration::try_from(duration.clone());
            assert_eq!(std.is_ok(), delta >= TimeDelta::zero());
            if let Ok(std) = std {
                assert_eq!(Duration::from(std), duration);
            }
        }
        let longest = Duration::from(std::time::Duration::MAX);
        assert_eq!(longest.total_seconds().to_bits(), 86_400_000_000_000.0_f64.to_bits());
        assert_eq!(Duration::from(TimeDelta::MIN).0.day, 999_999_999);
    }

    #[test]
    fn times_are_made_of_chronos() {
        for text in ["00:00:00", "23:59:59.000001"] {
            let time: chrono::NaiveTime = text.parse().unwrap();
            assert_eq!(Time::from(time).to_string(), text);
        }
    }
}
