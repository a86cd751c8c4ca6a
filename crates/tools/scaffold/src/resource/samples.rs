//! Values of each type: what tests and cases send, and what must be refused.

use serde_json::{Value, json};

use super::fields::{Field, Kind};

impl Field {
    /// A value that a request may give, and another.
    pub(crate) fn samples(&self) -> [Value; 2] {
        match self.kind {
            Kind::Text { min, max } => ["sample", "changed"].map(|word| {
                let text: String =
                    word.chars().cycle().take(min.max(word.len().min(max))).collect();
                json!(text)
            }),
            Kind::Integer { min, max } => [json!(7.clamp(min, max)), json!(8.clamp(min, max))],
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
        }
    }

    /// Decimals with all their places: as they are shown.
    fn decimals(&self) -> [String; 2] {
        let Kind::Decimal { digits, places } = self.kind else { return Default::default() };
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
    pub(crate) fn rust_samples(&self) -> [String; 2] {
        self.samples().map(|value| {
            let bare = match (&self.kind, &value) {
                (Kind::Text { .. }, value) => format!("{value}.to_owned()"),
                (Kind::Decimal { .. } | Kind::Uuid | Kind::Date, value) => {
                    format!("{value}.parse().unwrap()")
                }
                (Kind::Integer { .. }, value) => grouped(value.as_i64().unwrap_or_default(), ""),
                (Kind::Boolean, value) => value.to_string(),
            };
            if self.nullable { format!("Some({bare})") } else { bare }
        })
    }

    /// What must be refused, as JSON or as what a case makes of it.
    pub(crate) fn invalid(&self) -> Vec<String> {
        let mut values: Vec<String> = match self.kind {
            Kind::Text { min, max } => {
                let mut values =
                    vec!["[]".into(), format!("\"${{'a'*{}}}\"", max + 1), r#""a\u0000""#.into()];
                match min {
                    0 => {}
                    1 => values.push("\"\"".into()),
                    min => values.push(format!("\"${{'a'*{}}}\"", min - 1)),
                }
                values
            }
            Kind::Integer { min, max } => vec![
                r#""x""#.into(),
                "1.5".into(),
                (i128::from(min) - 1).to_string(),
                (i128::from(max) + 1).to_string(),
            ],
            Kind::Decimal { digits, places } => vec![
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
        };
        if !self.nullable {
            values.push("null".into());
        }
        values
    }

    /// What Python's rules may make something of: both services must do the same.
    pub(crate) fn unusual(&self) -> Vec<String> {
        let [sample, _] = self.samples();
        let mut values: Vec<String> = match self.kind {
            Kind::Text { max, .. } => vec![format!("\"${{'é'*{max}}}\""), r#""😀""#.into()],
            Kind::Integer { min, max } => vec![
                format!("\" {sample} \""),
                format!("{sample}.0"),
                min.to_string(),
                format!("\"{max}\""),
            ],
            Kind::Decimal { digits, places } => {
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
        };
        if self.nullable {
            values.push("null".into());
        }
        values
    }
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
