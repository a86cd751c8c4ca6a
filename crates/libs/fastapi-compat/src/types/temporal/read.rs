//! Points in time and durations from texts and numbers, as pydantic reads them.

use speedate::{DateConfig, ParseError, TimestampUnit};

use super::{DATE_TIME, Refusal, TIME, older};
use crate::value::Value;

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

pub(super) fn read_date(input: &Value) -> Result<speedate::Date, Refusal> {
    let Value::Str(text) = input else { return Err(Refusal::Type) };
    let config = DateConfig::builder().timestamp_unit(TimestampUnit::Infer).build();
    let date = speedate::Date::parse_bytes_with_config(text.as_bytes(), &config);
    if older::is_number(text) {
        return older::timestamp(date, |date| date.year);
    }
    Ok(date?)
}

pub(super) fn read_datetime(input: &Value) -> Result<speedate::DateTime, Refusal> {
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

pub(super) fn read_time(input: &Value) -> Result<speedate::Time, Refusal> {
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

pub(super) fn read_duration(input: &Value) -> Result<speedate::Duration, Refusal> {
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
