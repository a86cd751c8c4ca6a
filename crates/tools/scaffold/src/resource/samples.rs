//! Values of each type: what tests and cases send, and what must be refused.

use serde_json::{Value, json};

use super::fields::{Field, Kind, variant};
use super::names::Names;

impl Field {
    /// A value that a request may give, and another.
    pub(crate) fn samples(&self) -> [Value; 2] {
        if let [one, ..] = self.options.samples.as_slice() {
            return [json!(one), json!(self.options.samples.get(1).unwrap_or(one))];
        }
        match &self.kind {
            &Kind::Text { min, max } => ["sample", "changed"].map(|word| {
                let text: String =
                    word.chars().cycle().take(min.max(word.len().min(max))).collect();
                json!(text)
            }),
            &Kind::Integer { min, max } => [json!(7.clamp(min, max)), json!(8.clamp(min, max))],
            &Kind::Float { min, max } => [1.5, 2.5].map(|sample| {
                let sample = max.map_or(sample, |max| max.min(sample));
                json!(min.map_or(sample, |min| min.max(sample)))
            }),
            Kind::Decimal { .. } => {
                let [one, other] = self.decimals();
                [json!(one), json!(other)]
            }
            Kind::Boolean => [json!(true), json!(false)],
            Kind::Uuid => [
                json!("6fa459ea-ee8a-4ca4-894e-db77e160355e"),
                json!("16fd2706-8baf-433b-82eb-8c7fada847da"),
            ],
            Kind::Date => [json!("2026-11-25"), json!("2027-01-31")],
            Kind::DateTime => [json!("2026-11-25T10:20:30Z"), json!("2027-01-31T23:59:59.500000Z")],
            Kind::Time => [json!("10:20:30"), json!("23:59:59")],
            Kind::Duration => [json!("P1DT2H3M4.5S"), json!("-PT1M")],
            Kind::Enum(enumeration) => {
                let values = enumeration.values();
                [json!(values.first()), json!(values.get(1).or(values.first()))]
            }
            Kind::Email => [json!("sample@example.com"), json!("changed@example.org")],
            Kind::Url => [json!("https://example.com/a"), json!("http://example.org/b?c=d#e")],
            Kind::Bytes => [json!("c2FtcGxl"), json!("Y2hhbmdlZA==")],
        }
    }

    /// Whether a request that leaves it out is refused.
    pub(crate) fn is_required(&self) -> bool {
        !self.nullable && self.options.default.is_none()
    }

    /// The first sample, another one for each number where it has to be unique.
    pub(crate) fn sample(&self, number: usize) -> Value {
        let [sample, _] = self.samples();
        if self.options.unique.is_none() || number == 0 {
            return sample;
        }
        match &self.kind {
            Kind::Uuid => json!(format!("6fa459ea-ee8a-4ca4-894e-{number:012}")),
            Kind::Email => json!(format!("sample-{number}@example.com")),
            Kind::Integer { min, .. } => {
                let number = i64::try_from(number).unwrap_or_default();
                json!(min.saturating_add(1_000_000 + number))
            }
            Kind::Text { min, .. } => json!(format!("{number:0>width$}", width = (*min).max(8))),
            _ => sample,
        }
    }

    /// Decimals with all their places: as they are shown.
    fn decimals(&self) -> [String; 2] {
        let Kind::Decimal { digits, places } = self.kind else {
            return Default::default();
        };
        let whole = digits > places;
        [("1", '5'), ("2", '4')].map(|(before, after)| {
            let before = if whole { before } else { "0" };
            match places {
                0 => before.to_owned(),
                1 => format!("{before}.{after}"),
                _ => format!("{before}.{after}{}", "0".repeat(places as usize - 1)),
            }
        })
    }

    /// The samples in the domain's Rust.
    pub(crate) fn rust_samples(&self, names: &Names) -> [String; 2] {
        let [one, other] = self.samples();
        [self.rust_sample(&one, "sample", names), self.rust_sample(&other, "changed", names)]
    }

    /// `bytes` is what the sample is, if it is in base 64.
    fn rust_sample(&self, value: &Value, bytes: &str, names: &Names) -> String {
        let bare = match &self.kind {
            Kind::Text { .. } | Kind::Email | Kind::Url => format!("{value}.to_owned()"),
            Kind::Decimal { .. } | Kind::Uuid | Kind::Date | Kind::DateTime | Kind::Time => {
                format!("{value}.parse().unwrap()")
            }
            Kind::Duration => match value.as_str() {
                Some("-PT1M") => "TimeDelta::minutes(-1)".to_owned(),
                _ => "TimeDelta::milliseconds(93_784_500)".to_owned(),
            },
            Kind::Integer { .. } => grouped(value.as_i64().unwrap_or_default(), ""),
            Kind::Float { .. } => format!("{:?}", value.as_f64().unwrap_or_default()),
            Kind::Boolean => value.to_string(),
            Kind::Enum(_) => {
                let variant = variant(value.as_str().unwrap_or_default());
                format!("{}::{variant}", self.enum_type(names))
            }
            Kind::Bytes => format!("b\"{bytes}\".to_vec()"),
        };
        let bare = self.wrapped_value(bare);
        if self.nullable { format!("Some({bare})") } else { bare }
    }

    /// What must be refused, as JSON or as what a case makes of it.
    pub(crate) fn invalid(&self) -> Vec<String> {
        let mut values: Vec<String> = match &self.kind {
            &Kind::Text { min, max } => {
                let mut values =
                    vec!["[]".into(), format!("\"${{'a'*{}}}\"", max + 1), r#""a\u0000""#.into()];
                match min {
                    0 => {}
                    1 => values.push("\"\"".into()),
                    min => values.push(format!("\"${{'a'*{}}}\"", min - 1)),
                }
                let other = "~".repeat(min.max(1));
                if self.options.pattern().is_some_and(|pattern| !pattern.is_match(&other)) {
                    values.push(json!(other).to_string());
                }
                values
            }
            &Kind::Integer { min, max } => vec![
                r#""x""#.into(),
                "1.5".into(),
                (i128::from(min) - 1).to_string(),
                (i128::from(max) + 1).to_string(),
            ],
            &Kind::Float { min, max } => {
                let mut values =
                    vec![r#""x""#.into(), "[]".into(), r#""NaN""#.into(), r#""-inf""#.into()];
                // Not beside a number that is too large for halves.
                let below = min.map(|min| (min, min - 0.5)).filter(|(min, below)| below < min);
                values.extend(below.map(|(_, below)| format!("{below:?}")));
                let above = max.map(|max| (max, max + 0.5)).filter(|(max, above)| above > max);
                values.extend(above.map(|(_, above)| format!("\"{above:?}\"")));
                values
            }
            &Kind::Decimal { digits, places } => vec![
                r#""x""#.into(),
                r#""NaN""#.into(),
                "[]".into(),
                format!("\"1{}\"", "0".repeat(digits as usize - places as usize)),
                format!("\"0.{}1\"", "0".repeat(places as usize)),
            ],
            Kind::Boolean => vec!["2".into(), r#""maybe""#.into(), "[]".into()],
            Kind::Uuid => vec![r#""zz""#.into(), "1".into()],
            Kind::Date => {
                vec![r#""2026-02-30""#.into(), r#""2026-11-25T12:00:00""#.into(), "[]".into()]
            }
            // Without an offset; before the year 1 and after the year 9999 of UTC.
            Kind::DateTime => texts(&[
                "2026-11-25T10:20:30",
                "2026-11-25",
                "2026-02-30T00:00:00Z",
                "0001-01-01T00:00:00+00:01",
                "9999-12-31T23:59:59-00:01",
                "x",
            ]),
            Kind::Time => {
                let mut values = texts(&["10:20:30Z", "10:20+02:00", "24:00", "x"]);
                values.extend(["3600".into(), "[]".into()]);
                values
            }
            // More than a hundred million days.
            Kind::Duration => {
                let mut values = texts(&["x", "", "P100000000DT1S", "-P100000000DT0.000001S"]);
                values.extend(["8640000000001".into(), "[]".into()]);
                values
            }
            Kind::Enum(enumeration) => {
                let first = enumeration.values().first().map(|value| value.to_uppercase());
                let mut values = texts(&["", &first.unwrap_or_default()]);
                values.extend(["1".into(), "[]".into()]);
                values
            }
            Kind::Email => {
                let mut values = texts(&["x", "@example.com", "a@", "a@b..c"]);
                values.extend(["1".into(), format!("\"${{'a'*{}}}@example.com\"", 250)]);
                values
            }
            Kind::Url => {
                let mut values = texts(&["", "x", "ftp://example.com", "http://", "http://a b"]);
                values.extend(["1".into(), format!("\"https://example.com/${{'a'*{}}}\"", 2083)]);
                values
            }
            Kind::Bytes => {
                let mut values = texts(&["x", "abc"]);
                values.extend(["1".into(), "[]".into()]);
                values
            }
        };
        if !self.nullable {
            values.push("null".into());
        }
        values
    }

    /// What Python's rules may make something of: both services must do the same.
    pub(crate) fn unusual(&self) -> Vec<String> {
        let [sample, _] = self.samples();
        let mut values: Vec<String> = match &self.kind {
            Kind::Text { max, .. } => vec![format!("\"${{'é'*{max}}}\""), r#""😀""#.into()],
            Kind::Integer { min, max } => vec![
                format!("\" {sample} \""),
                format!("{sample}.0"),
                min.to_string(),
                format!("\"{max}\""),
            ],
            &Kind::Float { min, max } => {
                let fits = |value: f64| {
                    min.is_none_or(|min| min <= value) && max.is_none_or(|max| value <= max)
                };
                let numbers =
                    [0.0, 1.0, 0.1, -1.5, 1e16, 1e-7, 5e-324, 123_456_789.123_456_79, 1e300];
                let mut values: Vec<String> = numbers
                    .into_iter()
                    .filter(|value| fits(*value))
                    .map(|value| format!("{value:e}"))
                    .collect();
                if fits(0.0) {
                    values.extend(["-0.0".into(), "false".into(), r#"" 0_0 ""#.into(), "0".into()]);
                }
                values.push(format!("\" {sample}\""));
                values
            }
            &Kind::Decimal { digits, places } => {
                let (digits, places) = (digits as usize, places as usize);
                let largest = format!("\"{}.{}\"", "9".repeat(digits - places), "9".repeat(places));
                vec!["-0".into(), "0.50".into(), r#"" 1E0 ""#.into(), r#""0_0""#.into(), largest]
            }
            Kind::Boolean => vec![r#""yes""#.into(), "0".into(), r#""OFF""#.into()],
            Kind::Uuid => vec![
                r#""6FA459EAEE8A4CA4894EDB77E160355E""#.into(),
                r#""urn:uuid:6fa459ea-ee8a-4ca4-894e-db77e160355e""#.into(),
            ],
            Kind::Date => {
                vec!["0".into(), r#""2026-11-25T00:00:00""#.into(), r#""9999-12-31""#.into()]
            }
            Kind::DateTime => {
                let mut values = texts(&[
                    "2026-11-25T12:20:30.1234567+02:00",
                    "2026-11-25 00:00Z",
                    "2026-11-25T00:00:00.000001-23:59",
                    "0001-01-01T00:00:00Z",
                    "9999-12-31T23:59:59.999999Z",
                    "1600000000",
                ]);
                values.extend(["0".into(), "-1.5".into(), "1600000000000".into()]);
                values
            }
            Kind::Time => texts(&["10:20", "00:00:00.000001", "23:59:59.9999999", "10:20:30.5"]),
            Kind::Duration => {
                let mut values = texts(&[
                    "P1Y2M3W4DT5H",
                    "3 days, 04:05:06.7",
                    "00:00:00",
                    "-00:00:00.000001",
                    "P100000000D",
                    "-P100000000D",
                    "PT0.0000001S",
                ]);
                values.extend(["1.5".into(), "-0.000001".into(), "0".into(), "86400".into()]);
                values
            }
            Kind::Enum(enumeration) => {
                enumeration.values().iter().map(|value| json!(value).to_string()).collect()
            }
            Kind::Email => {
                texts(&["Sample@EXAMPLE.com", "é@exämple.com", "A Name <a.name@example.com>"])
            }
            Kind::Url => texts(&[
                "HTTPS://EXAMPLE.com:443",
                "http://exämple.com/ü?q=ü#ü",
                "http://a:b@example.com/a b/../c",
                " http://127.1:80/ ",
                "http:example.com",
            ]),
            Kind::Bytes => texts(&["", "YQ==", "YWI", "/+8=", "Y W J j"]),
        };
        if self.nullable {
            values.push("null".into());
        }
        values
    }
}

/// Texts in JSON.
fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| json!(text).to_string()).collect()
}

/// An integer as clippy wants it in code: `9_007`, with a suffix if it is long.
pub(crate) fn grouped(value: i64, suffix: &str) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digits.len() > 4 {
            text.push('_');
        }
        text.push(digit);
    }
    let sign = if value < 0 { "-" } else { "" };
    let suffix = if i32::try_from(value).is_err() { suffix } else { "" };
    format!("{sign}{text}{suffix}")
}

/// A text in single quotes, as YAML has it.
pub(crate) fn yaml(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
