//! What each operation became.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Value, json};

/// An operation, and what it became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub method: String,
    pub path: String,
    pub outcome: Outcome,
    /// Of an application's own operation: whether its handler is drafted whole.
    pub handler: Option<Handler>,
}

/// What a handler is drafted as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handler {
    /// It does what the function of Python does.
    Whole,
    /// It has its types, and leaves the answer to the old service, for this reason.
    PassedOn(String),
}

/// What a draft makes of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every rule of the document is in the types.
    Native,
    /// A handler that accepts what the old service accepts, and more, for these reasons.
    Loose(Vec<String>),
    /// Only the old service answers it, for this reason.
    PassedOn(String),
}

/// All operations that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table(pub Vec<Row>);

impl Table {
    /// How many are native, loose and passed on.
    pub fn counts(&self) -> [usize; 3] {
        let count =
            |is_it: fn(&Outcome) -> bool| self.0.iter().filter(|row| is_it(&row.outcome)).count();
        [
            count(|outcome| matches!(outcome, Outcome::Native)),
            count(|outcome| matches!(outcome, Outcome::Loose(_))),
            count(|outcome| matches!(outcome, Outcome::PassedOn(_))),
        ]
    }

    /// How many handlers are whole and how many pass on; nothing if it is not known what they do.
    pub fn handlers(&self) -> Option<[usize; 2]> {
        let all: Vec<&Handler> = self.0.iter().filter_map(|row| row.handler.as_ref()).collect();
        let whole = all.iter().filter(|handler| ***handler == Handler::Whole).count();
        (!all.is_empty()).then(|| [whole, all.len() - whole])
    }

    /// The table in Markdown: what it is, and the reasons.
    pub(super) fn lines(&self) -> Vec<String> {
        let cell = |text: &str| text.replace('|', "\\|");
        let has_handlers = self.handlers().is_some();
        let line = |Row { method, path, outcome, handler, .. }: &Row| {
            let (status, reasons) = match outcome {
                Outcome::Native => ("native", String::new()),
                Outcome::Loose(reasons) => ("loose", reasons.join("; ")),
                Outcome::PassedOn(reason) => ("passed on", reason.clone()),
            };
            let handler = match handler {
                Some(Handler::Whole) => " whole |".to_owned(),
                Some(Handler::PassedOn(reason)) => format!(" passes on: {} |", cell(reason)),
                None if has_handlers => " |".to_owned(),
                None => String::new(),
            };
            format!("| `{method} {}` | {status} | {} |{handler}", cell(path), cell(&reasons))
        };
        self.0.iter().map(line).collect()
    }

    /// The operations that are left to the old service, with the reasons.
    pub(super) fn passed_on(&self) -> Vec<String> {
        let line = |row: &Row| match &row.outcome {
            Outcome::PassedOn(reason) => Some(format!("{} {}: {reason}", row.method, row.path)),
            _ => None,
        };
        self.0.iter().filter_map(line).collect()
    }

    /// The table for programs, with the places at which the drafted document may say something else
    /// than the old one.
    pub(super) fn to_json(&self, loose: &BTreeSet<String>) -> String {
        let operations = self.0.iter().map(|row| {
            let (status, reasons) = match &row.outcome {
                Outcome::Native => ("native", Vec::new()),
                Outcome::Loose(reasons) => ("loose", reasons.clone()),
                Outcome::PassedOn(reason) => ("passed on", vec![reason.clone()]),
            };
            let Row { id, method, path, handler, .. } = row;
            let mut row = json!({
                "id": id, "method": method, "path": path, "status": status, "reasons": reasons
            });
            match handler {
                Some(Handler::Whole) => row["handler"] = json!({"whole": true}),
                Some(Handler::PassedOn(why)) => {
                    row["handler"] = json!({"whole": false, "reason": why});
                }
                None => {}
            }
            row
        });
        let operations: Vec<Value> = operations.collect();
        let all = json!({"operations": operations, "loose": loose});
        format!("{all:#}\n")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { id, method, path, outcome, handler } in &self.0 {
            let status = match outcome {
                Outcome::Native => "native",
                Outcome::Loose(_) => "loose",
                Outcome::PassedOn(_) => "passed on",
            };
            writeln!(f, "{status:<9}  {id}  {method} {path}")?;
            match outcome {
                Outcome::Native => {}
                Outcome::Loose(reasons) => {
                    for reason in reasons {
                        writeln!(f, "             {reason}")?;
                    }
                }
                Outcome::PassedOn(reason) => writeln!(f, "             {reason}")?,
            }
            match handler {
                Some(Handler::Whole) => writeln!(f, "             handler: whole")?,
                Some(Handler::PassedOn(reason)) => {
                    writeln!(f, "             handler: passes on, as {reason}")?;
                }
                None => {}
            }
        }
        let [native, loose, passed_on] = self.counts();
        writeln!(f, "{native} native, {loose} loose, {passed_on} passed on")?;
        match self.handlers() {
            Some([whole, others]) => writeln!(f, "handlers: {whole} whole, {others} pass on"),
            None => Ok(()),
        }
    }
}
