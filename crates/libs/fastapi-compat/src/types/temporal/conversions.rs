//! Conversions from and to the types of chrono and of the standard library.

use chrono::{Datelike, Timelike};

use super::{Date, DateTime, Duration, Time};

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
