//! Texts and numbers as earlier releases of pydantic read them.

use speedate::{Date, DateTime, ParseError};

use super::{DATE_TIME, Refusal, TIME};
use crate::dialect::{Switch, has};
use crate::value::Value;

/// Where an integer is of milliseconds and not of seconds any more.
const MILLISECONDS: i64 = 20_000_000_000;

/// Whether a text is a number with perhaps a sign and a fraction: seconds or milliseconds.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !whole.is_empty() && is_digits(whole) && is_digits(fraction)
}

/// What was read of a number.
pub(super) fn timestamp<T>(read: Result<T, ParseError>, year: fn(&T) -> u16) -> Result<T, Refusal> {
    let is_early = match &read {
        Ok(read) => year(read) < 1600,
        Err(error) => *error == ParseError::DateTooSmall,
    };
    if is_early && has(Switch::TimestampsFrom1600) {
        let msg = "dates before 1600 are not supported as unix timestamps";
        return Err(Refusal::Parsing(msg.into()));
    }
    Ok(read?)
}

/// A text that is read otherwise.
pub(super) fn datetime(text: &str) -> Option<Result<DateTime, ParseError>> {
    if !is_number(text) {
        let read = || DateTime::parse_bytes_rfc3339_with_config(text.as_bytes(), &TIME);
        return has(Switch::TimestampsArePlain).then(read);
    }
    // An integer is what it was.
    let value = text.parse::<f64>().ok().filter(|_| text.contains('.'))?;
    has(Switch::TimestampFractionsOfTexts).then(|| {
        // A negative fraction is none.
        let micros = (value.fract() * 1_000_000.0).round().max(0.0);
        from_parts(value, micros)
    })
}

/// A float that is read otherwise.
pub(super) fn datetime_of(value: f64) -> Option<Result<DateTime, ParseError>> {
    if !has(Switch::TimestampFractionsWithoutSign) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "it is exact")]
    let of_millisecond = value.abs() > MILLISECONDS as f64 && !has(Switch::TimestampsArePlain);
    let micros = value.fract().abs() * if of_millisecond { 1_000.0 } else { 1_000_000.0 };
    Some(from_parts(value, micros.round()))
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, as in pydantic")]
#[expect(clippy::cast_sign_loss, reason = "it has no sign")]
fn from_parts(value: f64, micros: f64) -> Result<DateTime, ParseError> {
    DateTime::from_timestamp_with_config(value.floor() as i64, micros as u32, &DATE_TIME)
}

/// The day of a number of milliseconds whose thousandths of a second do not count.
pub(super) fn date(input: &Value) -> Option<Date> {
    let Value::Str(text) = input else { return None };
    let milliseconds = text
        .parse::<i64>()
        .ok()
        .filter(|value| value.unsigned_abs() > MILLISECONDS.unsigned_abs())?;
    if !has(Switch::DatesOfMilliseconds) {
        return None;
    }
    let seconds = milliseconds.div_euclid(1000);
    let datetime = DateTime::from_timestamp_with_config(seconds, 0, &DATE_TIME).ok()?;
    (seconds.rem_euclid(86_400) == 0).then_some(datetime.date)
}

/// Refuses a text that was no duration yet.
pub(super) fn check_duration(text: &str) -> Result<(), ParseError> {
    if !has(Switch::DurationsWithinADay) {
        return Ok(());
    }
    let bytes = text.strip_prefix(['+', '-']).unwrap_or(text).as_bytes();
    match bytes {
        [] | [b'P', ..] => Ok(()),
        [tens, ones, b':', ..] => match (tens.is_ascii_digit(), ones.is_ascii_digit()) {
            (true, true) if [*tens, *ones] > *b"23" => Err(ParseError::OutOfRangeHour),
            _ => Ok(()),
        },
        bytes => {
            let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (number, rest) = bytes.split_at(digits);
            let number = std::str::from_utf8(number).unwrap_or_default();
            match rest {
                _ if digits == 0 => Err(ParseError::DurationInvalidNumber),
                _ if number.parse::<u32>().is_err() => Err(ParseError::DurationValueTooLarge),
                [b'd' | b'D', ..] | [b' ', b'd' | b'D', ..] => Ok(()),
                _ => Err(ParseError::DurationInvalidDays),
            }
        }
    }
}

/// The days of a number of seconds, which had no limit but that of 32 bits.
pub(super) fn days(days: u64) -> Option<u32> {
    if has(Switch::DurationsOverflow) {
        return u32::try_from(days & u64::from(u32::MAX)).ok();
    }
    u32::try_from(days).ok()
}
