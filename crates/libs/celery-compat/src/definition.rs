//! What a worker knows of a task: its name, its parameters, and how it is retried.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::failure::Failure;

/// A task as its Python function declares it.
///
/// ```
/// use celery_compat::{Definition, Retries};
///
/// // def send_email(email_to, subject, html): …
/// let send_email = Definition::new("app.tasks.send_email", &["email_to", "subject", "html"])
///     .retries(Retries { max: 5, ..Retries::default() });
/// ```
#[derive(Clone, Debug)]
pub struct Definition {
    pub(crate) name: &'static str,
    parameters: &'static [&'static str],
    optional: usize,
    pub(crate) retries: Retries,
    pub(crate) acks_late: bool,
    pub(crate) time_limit: Option<Duration>,
}

/// How often and when a task is tried again: Celery's `max_retries`, `retry_backoff`, `retry_backoff_max`
/// and `retry_jitter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// How often it is tried again at most.
    pub max: u32,
    /// The first pause; each further one is twice as long.
    pub backoff: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
    /// A random time up to the pause instead of it.
    pub jitter: bool,
}

impl Default for Retries {
    /// Celery's own defaults.
    fn default() -> Self {
        Self {
            max: 3,
            backoff: Duration::from_secs(1),
            backoff_max: Duration::from_mins(10),
            jitter: true,
        }
    }
}

impl Retries {
    /// The pause after so many attempts that were retries, or `None` if there is no further one.
    pub(crate) fn pause(&self, retries: u32) -> Option<Duration> {
        if retries >= self.max {
            return None;
        }
        let pause = self.backoff.saturating_mul(2_u32.saturating_pow(retries));
        let pause = pause.min(self.backoff_max);
        if !self.jitter {
            return Some(pause);
        }
        Some(Duration::from_secs(fastrand::u64(0..=pause.as_secs())))
    }
}

impl Definition {
    /// A task of this name, with the names of its parameters in their order.
    pub fn new(name: &'static str, parameters: &'static [&'static str]) -> Self {
        Self {
            name,
            parameters,
            optional: 0,
            retries: Retries::default(),
            acks_late: true,
            time_limit: None,
        }
    }

    /// The last so many parameters have defaults.
    #[must_use]
    pub fn optional(mut self, count: usize) -> Self {
        self.optional = count;
        self
    }

    /// How it is tried again.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Acknowledges the message before the task begins: a worker that is killed takes the task with it.
    #[must_use]
    pub fn acks_early(mut self) -> Self {
        self.acks_late = false;
        self
    }

    /// Ends the task after so long, if its message names no time limit.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// The name of the function, as Python's messages have it.
    fn function(&self) -> &str {
        self.name.rsplit_once('.').map_or(self.name, |(_, function)| function)
    }

    /// Gives each argument its name.
    ///
    /// # Errors
    /// With Python's `TypeError`, when the function cannot be called like that.
    pub(crate) fn bind(
        &self,
        args: Vec<Value>,
        kwargs: Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let error = |text: String| {
            Err(Failure::builtin("TypeError", format!("{}() {text}", self.function())))
        };
        let (given, known) = (args.len(), self.parameters.len());
        if given > known {
            let least = known - self.optional.min(known);
            let takes =
                if least < known { format!("from {least} to {known}") } else { known.to_string() };
            let plural = if known == 1 && least == known { "" } else { "s" };
            let were = if given == 1 { "was" } else { "were" };
            return error(format!(
                "takes {takes} positional argument{plural} but {given} {were} given"
            ));
        }
        let names = self.parameters.iter().map(|name| (*name).to_owned());
        let mut bound: Map<String, Value> = names.zip(args).collect();
        for (name, value) in kwargs {
            if !self.parameters.contains(&name.as_str()) {
                return error(format!("got an unexpected keyword argument '{name}'"));
            }
            if bound.contains_key(&name) {
                return error(format!("got multiple values for argument '{name}'"));
            }
            bound.insert(name, value);
        }
        let required = &self.parameters[..known - self.optional.min(known)];
        let missing: Vec<String> = required
            .iter()
            .filter(|name| !bound.contains_key(**name))
            .map(|name| format!("'{name}'"))
            .collect();
        match missing.as_slice() {
            [] => Ok(bound),
            [one] => error(format!("missing 1 required positional argument: {one}")),
            [first, second] => {
                error(format!("missing 2 required positional arguments: {first} and {second}"))
            }
            [first @ .., last] => {
                let (count, first) = (missing.len(), first.join(", "));
                error(format!("missing {count} required positional arguments: {first}, and {last}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bound(args: &Value, kwargs: &Value) -> Result<Value, String> {
        let task = Definition::new("app.tasks.send", &["to", "subject", "html"]).optional(1);
        let (args, kwargs) = (args.as_array().unwrap(), kwargs.as_object().unwrap());
        let bound = task.bind(args.clone(), kwargs.clone());
        bound.map(Value::from).map_err(|failure| failure.to_string())
    }

    #[test]
    fn arguments_are_bound_as_python_binds_them() {
        let all = json!({"to": 1, "subject": 2, "html": 3});
        assert_eq!(bound(&json!([1, 2, 3]), &json!({})).unwrap(), all);
        assert_eq!(bound(&json!([1]), &json!({"subject": 2, "html": 3})).unwrap(), all);
        assert_eq!(bound(&json!([1, 2]), &json!({})).unwrap(), json!({"to": 1, "subject": 2}));
    }

    // The texts are those of Python 3.11.
    #[test]
    fn what_cannot_be_bound_is_a_type_error() {
        for (args, kwargs, text) in [
            (json!([1]), json!({}), "missing 1 required positional argument: 'subject'"),
            (json!([]), json!({}), "missing 2 required positional arguments: 'to' and 'subject'"),
            (
                json!([1, 2, 3, 4]),
                json!({}),
                "takes from 2 to 3 positional arguments but 4 were given",
            ),
            (json!([1]), json!({"to": 2}), "got multiple values for argument 'to'"),
            (json!([1, 2]), json!({"x": 2}), "got an unexpected keyword argument 'x'"),
        ] {
            assert_eq!(bound(&args, &kwargs).unwrap_err(), format!("TypeError: send() {text}"));
        }
    }

    #[test]
    fn pauses_grow_to_their_limit_and_end() {
        let retries = Retries {
            max: 5,
            backoff: Duration::from_secs(2),
            backoff_max: Duration::from_secs(10),
            jitter: false,
        };
        let pauses: Vec<_> =
            (0..6).map(|n| retries.pause(n).map(|pause| pause.as_secs())).collect();
        assert_eq!(pauses, [Some(2), Some(4), Some(8), Some(10), Some(10), None]);
        let jitter = Retries { jitter: true, ..retries };
        assert!((0..100).all(|_| jitter.pause(1).unwrap() <= Duration::from_secs(4)));
    }
}
