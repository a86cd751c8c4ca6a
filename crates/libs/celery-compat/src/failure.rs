//! Errors of tasks, as Python raises them again where the result is read.

use std::fmt;

use serde_json::{Value, json};

/// An exception of Python: its class, by module and name, and its arguments.
///
/// Where the class can be imported, `AsyncResult.get` raises it; where not, a class of the same name.
///
/// ```
/// use celery_compat::Failure;
///
/// let failure = Failure::new("app.tasks", "UnknownOwner", "6a7a");
/// assert_eq!(failure.to_string(), "app.tasks.UnknownOwner: 6a7a");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    module: String,
    class: String,
    arguments: Vec<Value>,
}

impl Failure {
    /// An exception with one argument.
    pub fn new(
        module: impl Into<String>,
        class: impl Into<String>,
        argument: impl Into<Value>,
    ) -> Self {
        Self { module: module.into(), class: class.into(), arguments: vec![argument.into()] }
    }

    /// One of Python's own exceptions.
    pub fn builtin(class: impl Into<String>, argument: impl Into<Value>) -> Self {
        Self::new("builtins", class, argument)
    }

    /// The same with other arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = Value>) -> Self {
        self.arguments = arguments.into_iter().collect();
        self
    }

    /// As Celery stores it for a result.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "exc_type": self.class, "exc_message": self.arguments, "exc_module": self.module,
        })
    }

    /// What stands in place of a traceback: there are no frames of Python.
    pub(crate) fn traceback(&self) -> String {
        format!("Traceback (most recent call last):\n{self}\n")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.module != "builtins" {
            write!(f, "{}.", self.module)?;
        }
        f.write_str(&self.class)?;
        match self.arguments.as_slice() {
            [] => Ok(()),
            [Value::String(text)] => write!(f, ": {text}"),
            [one] => write!(f, ": {one}"),
            more => write!(f, ": {}", crate::python::args_repr(more)),
        }
    }
}

impl std::error::Error for Failure {}

/// How a task ends that does not succeed.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskError {
    /// It has failed.
    Failed(Failure),
    /// It is to be tried again, as its [`Retries`](crate::Retries) say; after the last attempt it has
    /// failed.
    Retry(Failure),
}

impl From<Failure> for TaskError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_stored_as_celery_stores_it() {
        let refused = Failure::builtin("ConnectionRefusedError", "")
            .arguments([json!(111), json!("Connection refused")]);
        let stored = json!({
            "exc_type": "ConnectionRefusedError", "exc_message": [111, "Connection refused"],
            "exc_module": "builtins",
        });
        assert_eq!(refused.to_json(), stored);
        let text = "ConnectionRefusedError: (111, 'Connection refused')";
        assert_eq!(refused.to_string(), text);
    }
}
