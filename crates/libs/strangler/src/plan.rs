//! The plan: which service responds to each operation. People write the file, or the page does.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::may_differ;
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
    /// The same for more and more clients, by the plan's [`Steps`].
    Automatic,
    /// The new service.
    Native,
}

/// A text that is not a mode.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a mode: use legacy, shadow, canary N%, canary automatic or native")]
pub struct ModeError(String);

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        let error = || ModeError(text.to_owned());
        match text.trim() {
            "legacy" => Ok(Self::Legacy),
            "shadow" => Ok(Self::Shadow),
            "native" => Ok(Self::Native),
            "canary automatic" => Ok(Self::Automatic),
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
            Self::Automatic => f.write_str("canary automatic"),
            Self::Native => f.write_str("native"),
        }
    }
}

/// The steps of automatic canaries. An operation goes to the next one when the new service has given so
/// many responses in so many seconds at least, for reads so many of them were compared, and it is not
/// worse than the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Steps {
    /// The percentages of clients, each more than the one before.
    pub percents: Vec<u8>,
    /// The fewest responses of the new service in a step.
    pub requests: u64,
    /// The shortest time of a step, in seconds.
    pub seconds: u64,
    /// The fewest responses to reads that are compared in a step; writes of a canary are not compared.
    pub compared: u64,
}

impl Default for Steps {
    fn default() -> Self {
        Self { percents: vec![1, 5, 25, 50, 100], requests: 100, seconds: 300, compared: 10 }
    }
}

impl Steps {
    /// The percentage of a step, from 0; after the last one that of the last.
    pub(crate) fn percent(&self, step: usize) -> u8 {
        self.percents.get(step).or(self.percents.last()).copied().unwrap_or_default()
    }

    fn are_valid(&self) -> bool {
        let percents = &self.percents;
        percents.is_sorted_by(|one, next| one < next)
            && percents.first().is_some_and(|first| *first > 0)
            && percents.last().is_some_and(|last| *last <= 100)
    }
}

/// A mode for everything, and those of operations that have one of their own.
///
/// ```yaml
/// default: legacy
/// operations:
///   items-read_items: shadow
///   POST /api/v1/items/: canary 10%
///   items-read_item: canary automatic
/// steps: {percents: [1, 5, 25, 50, 100], requests: 100, seconds: 300, compared: 10}
/// may_differ: [header x-cache, "body.items[*].score"]
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
    /// Of automatic canaries.
    #[serde(default)]
    pub steps: Steps,
    /// Where the services may differ: `header <name>`, `body.<path>` with `[*]` for any item of a list,
    /// `status`, or in e-mails `message.to`, `message.subject` or `message.text`; what is within
    /// such a path may too.
    #[serde(default)]
    pub may_differ: Vec<String>,
}

/// Why a plan is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is no YAML, or no plan: the parser's message.
    #[error("{0}")]
    Syntax(String),
    /// The text is blank, or has comments alone.
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
    /// The steps are none.
    #[error(
        "steps: `percents` are one or more numbers from 1 to 100, each higher than the one before"
    )]
    Steps,
    /// It is no path within an answer.
    #[error(
        "may_differ: '{0}' is not `header name` in lower case, `status`, `body`, `body.path[*]` or \
         `message.subject`"
    )]
    Path(String),
}

impl Plan {
    /// Reads a plan whose operations must be known.
    pub fn parse(text: &str, operations: &Operations) -> Result<Self, PlanError> {
        // An editor that is about to write leaves the file empty for a moment.
        let is_empty = |line: &str| line.trim().is_empty() || line.trim().starts_with('#');
        if text.lines().all(is_empty) {
            return Err(PlanError::Empty);
        }
        let plan: Self =
            serde_saphyr::from_str(text).map_err(|error| PlanError::Syntax(error.to_string()))?;
        plan.modes(operations).map(|_| plan)
    }

    /// The mode of each operation, in their order.
    ///
    /// # Errors
    /// When something in the plan is wrong.
    pub(crate) fn modes(&self, operations: &Operations) -> Result<Vec<Mode>, PlanError> {
        if !self.steps.are_valid() {
            return Err(PlanError::Steps);
        }
        if let Some(other) = self.may_differ.iter().find(|path| !may_differ::is_pattern(path)) {
            return Err(PlanError::Path(other.clone()));
        }
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
        // JSON is YAML: whatever a name holds, it stays a name.
        let json = |text: &str| serde_json::Value::from(text).to_string();
        for (name, mode) in &self.operations {
            text.extend(["  ", &json(name), ": ", &mode.to_string(), "\n"]);
        }
        let Steps { percents, requests, seconds, compared } = &self.steps;
        if self.steps != Steps::default() {
            // Writing to a String does not fail.
            _ = writeln!(
                text,
                "steps: {{percents: {percents:?}, requests: {requests}, seconds: {seconds}, compared: \
                 {compared}}}"
            );
        }
        if !self.may_differ.is_empty() {
            text.push_str("may_differ:\n");
        }
        for path in &self.may_differ {
            text.extend(["  - ", &json(path), "\n"]);
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
        for empty in ["", " \n\n", "# nothing\n", "  # default: native"] {
            assert!(
                matches!(Plan::parse(empty, &operations()), Err(PlanError::Empty)),
                "{empty:?}"
            );
        }
    }

    #[test]
    fn steps_and_places_are_written_as_they_are_read() {
        let text = "default: canary automatic\nsteps: {percents: [10, 100], requests: 7}\n\
                    may_differ: [header x-cache, 'body.items[*].at']\n";
        let plan = Plan::parse(text, &operations()).unwrap();
        assert_eq!(plan.default, Mode::Automatic);
        assert_eq!((plan.steps.requests, plan.steps.seconds), (7, 300));
        assert_eq!([0, 1, 2].map(|step| plan.steps.percent(step)), [10, 100, 100]);
        assert_eq!(Plan::parse(&plan.text(), &operations()).unwrap(), plan);
    }

    #[test]
    fn a_bad_plan_is_refused_with_a_reason() {
        let error = |text: &str| Plan::parse(text, &operations()).unwrap_err().to_string();
        assert!(error("operations: {items-red_items: native}").contains("items-red_items"));
        assert!(error("default: canary 101%").contains("canary 101%"));
        assert!(error("defualt: native").contains("defualt"));
        for steps in ["[]", "[0, 5]", "[5, 5]", "[50, 101]"] {
            let text = format!("steps: {{percents: {steps}}}");
            assert!(error(&text).contains("percents"), "{steps}");
        }
        assert!(error("may_differ: [x-cache]").contains("x-cache"));
        let twice = "operations: {items-read_items: native, GET /items/: shadow}";
        assert!(error(twice).contains("two modes"));
    }
}
