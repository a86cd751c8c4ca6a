//! `date`, `time`, `datetime` and `timedelta`: pydantic leaves their texts to the same library.

mod conversions;
mod older;
mod read;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use speedate::{
    DateTimeConfig, MicrosecondsPrecisionOverflowBehavior, ParseError, TimeConfig, TimestampUnit,
};
use strum::EnumMessage;

use self::read::{read_date, read_datetime, read_duration, read_time};
use crate::constraints::{Accepts, BrokenBound, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
use crate::errors::{Errors, Exactness, Loc};
use crate::marked;
use crate::openapi::json_schema;
use crate::value::Value;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub speedate::Date);

/// A time of day, with an offset from UTC or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub speedate::Time);

/// A day and a time, with an offset from UTC or without: Python's `datetime` is either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub speedate::DateTime);

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
