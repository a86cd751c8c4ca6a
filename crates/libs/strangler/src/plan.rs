//! The plan: which service responds to each operation. People write the file, or the page does.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::operations::Operations;

/// Which service responds to an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mode {
    /// The old service.
    #[default]
    Legacy,
    /// The old service; the new one gets a copy of the request, and the responses are compared.
    Shadow,
    /// The new service for this percentage of clients, the old one for the others.
    Canary(u8),
    /// The new service.
    Native,
}

/// A text that is not a mode.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a mode: use legacy, shadow, canary N% or native")]
pub struct ModeError(String);

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        let error = || ModeError(text.to_owned());
        match text.trim() {
            "legacy" => Ok(Self::Legacy),
            "shadow" => Ok(Self::Shadow),
            "native" => Ok(Self::Native),
            other => {
                let percent = other.strip_prefix("canary ").and_then(|rest| rest.strip_suffix('%'));
                let is_number = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
                let percent = percent.filter(is_number).and_then(|percent| percent.parse().ok());
                percent.filter(|percent| *percent <= 100).map(Self::Canary).ok_or_else(error)
            }
        }
    }
}

impl TryFrom<String> for Mode {
    type Error = ModeError;

    fn try_from(text: String) -> Result<Self, ModeError> {
        text.parse()
    }
}

impl From<Mode> for String {
    fn from(mode: Mode) -> Self {
        mode.to_string()
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Legacy => f.write_str("legacy"),
            Self::Shadow => f.write_str("shadow"),
            Self::Canary(percent) => write!(f, "canary {percent}%"),
            Self::Native => f.write_str("native"),
        }
    }
}

/// A mode for everything, and those of operations that have one of their own.
///
/// ```yaml
/// default: legacy
/// operations:
///   items-read_items: shadow
///   POST /api/v1/items/: canary 10%
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The mode of operations that are not listed.
    #[serde(default)]
    pub default: Mode,
    /// By operationId, or by method and path as in the OpenAPI document.
    #[serde(default)]
    pub operations: BTreeMap<String, Mode>,
}

/// Why a plan is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is no YAML, or no plan: the parser's message.
    #[error("{0}")]
    Syntax(String),
    /// The text is blank.
    #[error("it is empty: `default: legacy` leaves everything to the old service")]
    Empty,
    /// The plan's file was changed by something else.
    #[error("the file has changed meanwhile, and its plan is in effect: change that one")]
    Conflict,
    /// It names an operation that the new service does not have.
    #[error("'{0}' is not an operation of this service: use an operationId or `METHOD /path`")]
    UnknownOperation(String),
    /// It names an operation twice.
    #[error("'{0}' has two modes, by its operationId and by its path")]
    TwoModes(String),
}

impl Plan {
    /// Reads a plan whose operations must be known.
    pub fn parse(text: &str, operations: &Operations) -> Result<Self, PlanError> {
        // An editor that is about to write leaves the file empty for a moment.
        if text.trim().is_empty() {
            return Err(PlanError::Empty);
        }
        let plan: Self =
            serde_saphyr::from_str(text).map_err(|error| PlanError::Syntax(error.to_string()))?;
        plan.modes(operations).map(|_| plan)
    }

    /// The mode of each operation, in their order.
    pub(crate) fn modes(&self, operations: &Operations) -> Result<Vec<Mode>, PlanError> {
        let mut modes: Vec<Option<Mode>> = vec![None; operations.len()];
        for (name, mode) in &self.operations {
            let index = operations.named(name);
            let index = index.ok_or_else(|| PlanError::UnknownOperation(name.clone()))?;
            if modes[index].replace(*mode).is_some() {
                return Err(PlanError::TwoModes(name.clone()));
            }
        }
        Ok(modes.into_iter().map(|mode| mode.unwrap_or(self.default)).collect())
    }

    /// The plan as a file.
    pub fn text(&self) -> String {
        let mut text = format!("default: {}\n", self.default);
        if !self.operations.is_empty() {
            text.push_str("operations:\n");
        }
        for (name, mode) in &self.operations {
            // JSON is YAML: whatever the name holds, it stays a name.
            let name = serde_json::Value::from(name.as_str());
            text.extend(["  ", &name.to_string(), ": ", &mode.to_string(), "\n"]);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Operation;

    fn operations() -> Operations {
        Operations::new([
            Operation::new("items-read_items", "GET", "/items/"),
            Operation::new("items-create_item", "POST", "/items/"),
        ])
    }

    #[test]
    fn operations_have_modes_by_id_or_path() {
        let text = "default: shadow\noperations:\n  items-read_items: native\n  POST /items/: canary 10%\n";
        let plan = Plan::parse(text, &operations()).unwrap();
        assert_eq!(plan.modes(&operations()).unwrap(), [Mode::Native, Mode::Canary(10)]);
        assert_eq!(Plan::parse(&plan.text(), &operations()).unwrap(), plan);
        assert!(Plan::parse("", &operations()).is_err());
    }

    #[test]
    fn a_bad_plan_is_refused_with_a_reason() {
        let error = |text| Plan::parse(text, &operations()).unwrap_err().to_string();
        assert!(error("operations: {items-red_items: native}").contains("items-red_items"));
        assert!(error("default: canary 101%").contains("canary 101%"));
        assert!(error("defualt: native").contains("defualt"));
        let twice = "operations: {items-read_items: native, GET /items/: shadow}";
        assert!(error(twice).contains("two modes"));
    }
}
