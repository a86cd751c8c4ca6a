//! Points in time with or without an offset, in the past or in the future.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::temporal::{Date, DateTime};
use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
use crate::errors::{Errors, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

macro_rules! moments {
    ($($(#[$doc:meta])* $name:ident($inner:ident) if |$value:ident| $holds:expr,
        $kind:literal $message:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $inner);

        impl Decode for $name {
            const ACCEPTS: Accepts = <$inner as Decode>::ACCEPTS;

            json_schema!();

            fn name(constraints: &Constraints) -> Cow<'static, str> {
                $inner::name(constraints)
            }

            fn decode(
                input: &Value,
                constraints: &Constraints,
                at: &Loc<'_>,
                errors: &mut Errors,
            ) -> Option<Self> {
                let $value = $inner::read(input, constraints, at, errors)?;
                if $holds {
                    return $value.in_range(input, at, errors).map(Self);
                }
                errors.add($kind, at, $message, input, &[])
            }

            fn meets(&self, constraints: &Constraints) -> bool {
                self.0.meets(constraints)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_by_rules(deserializer)
            }
        }
    )*};
}

moments! {
    /// `AwareDatetime`: with an offset from UTC.
    AwareDatetime(DateTime) if |value| value.0.time.tz_offset.is_some(),
        "timezone_aware" "Input should have timezone info";
    /// `NaiveDatetime`: without an offset from UTC.
    NaiveDatetime(DateTime) if |value| value.0.time.tz_offset.is_none(),
        "timezone_naive" "Input should not have timezone info";
    /// `PastDatetime`; one without an offset is taken for UTC.
    PastDatetime(DateTime) if |value| since_now(&value) < 0,
        "datetime_past" "Input should be in the past";
    /// `FutureDatetime`; one without an offset is taken for UTC.
    FutureDatetime(DateTime) if |value| since_now(&value) > 0,
        "datetime_future" "Input should be in the future";
    /// `PastDate`: before today in UTC.
    PastDate(Date) if |value| days_since_today(value) < 0,
        "date_past" "Date should be in the past";
    /// `FutureDate`: after today in UTC.
    FutureDate(Date) if |value| days_since_today(value) > 0,
        "date_future" "Date should be in the future";
}

#[expect(clippy::disallowed_methods, reason = "it is compared, not stored")]
fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now()
}

/// Microseconds from now on.
fn since_now(DateTime(given): &DateTime) -> i64 {
    let micros = i64::from(given.time.microsecond);
    given.timestamp_tz() * 1_000_000 + micros - now().timestamp_micros()
}

fn days_since_today(date: Date) -> i64 {
    let today = now().date_naive();
    chrono::NaiveDate::from(date).signed_duration_since(today).num_days()
}
