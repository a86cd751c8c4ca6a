//! Celery's message protocol 2: what is on the wire, whatever the broker.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::clock;
use crate::error::Malformed;
use crate::python;

const JSON: &str = "application/json";
const UTF8: &str = "utf-8";

/// Where `app.conf.task_default_priority` is not set, every message has this priority.
const DEFAULT_PRIORITY: u8 = 0;

/// The end of the year 9999, in seconds since 1970: what comes later neither Python nor ISO 8601 can write.
const LAST_SECOND: i64 = 253_402_300_799;

/// A message as brokers carry it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What a worker needs to know before it decodes the body.
    pub headers: Map<String, Value>,
    /// What the broker knows of it.
    pub properties: Properties,
    /// JSON: positional arguments, keyword arguments, and what follows the task.
    pub body: Vec<u8>,
}

/// What a broker knows of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties {
    /// `application/json`; a worker accepts no other.
    pub content_type: String,
    /// `utf-8`; a worker accepts no other.
    pub content_encoding: String,
    /// The id of the task.
    pub correlation_id: String,
    /// The queue that `rpc://` results go to.
    pub reply_to: Option<String>,
    /// From 0 to 255; with RabbitMQ the higher is the more urgent, with Redis the lower.
    pub priority: u8,
    /// Milliseconds after which the broker may drop the message.
    pub expiration: Option<String>,
}

/// A call of a task that is to be sent: Celery's signature.
///
/// ```
/// use celery_compat::Signature;
/// use serde_json::json;
///
/// let signature = Signature::new("app.tasks.add").args([json!(1), json!(2)]).priority(3);
/// assert_eq!(signature.task(), "app.tasks.add");
/// ```
#[derive(Clone, Debug)]
pub struct Signature {
    task: String,
    args: Vec<Value>,
    kwargs: Map<String, Value>,
    pub(crate) queue: Option<String>,
    pub(crate) id: Option<String>,
    countdown: Option<Duration>,
    expires: Option<Duration>,
    priority: Option<u8>,
    time_limit: Option<u64>,
    soft_time_limit: Option<u64>,
    shadow: Option<String>,
    ignore_result: bool,
    headers: Map<String, Value>,
    pub(crate) reply_to: Option<String>,
    pub(crate) lineage: Lineage,
    pub(crate) embed: Embed,
}

/// Where a call comes from: the workflow that it belongs to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lineage {
    pub(crate) root_id: Option<String>,
    pub(crate) parent_id: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) group_index: Option<Value>,
    pub(crate) retries: u32,
}

/// What follows a task, as signatures in JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Embed {
    pub(crate) callbacks: Option<Vec<Value>>,
    pub(crate) errbacks: Option<Vec<Value>>,
    /// The rest of a chain, the last first.
    pub(crate) chain: Option<Vec<Value>>,
    pub(crate) chord: Option<Value>,
}

impl Signature {
    /// A call of the task of this name, without arguments.
    pub fn new(task: impl Into<String>) -> Self {
        Self {
            task: task.into(),
            args: Vec::new(),
            kwargs: Map::new(),
            queue: None,
            id: None,
            countdown: None,
            expires: None,
            priority: None,
            time_limit: None,
            soft_time_limit: None,
            shadow: None,
            ignore_result: false,
            headers: Map::new(),
            reply_to: None,
            lineage: Lineage::default(),
            embed: Embed::default(),
        }
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// Positional arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = Value>) -> Self {
        self.args = args.into_iter().collect();
        self
    }

    /// A keyword argument.
    #[must_use]
    pub fn kwarg(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.kwargs.insert(name.into(), value.into());
        self
    }

    /// Keyword arguments.
    #[must_use]
    pub fn kwargs(mut self, kwargs: Map<String, Value>) -> Self {
        self.kwargs = kwargs;
        self
    }

    /// The queue, if it is not the producer's own.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// The id; without it a random one is made.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Do not start before so long.
    #[must_use]
    pub fn countdown(mut self, countdown: Duration) -> Self {
        self.countdown = Some(countdown);
        self
    }

    /// Do not start after so long.
    #[must_use]
    pub fn expires(mut self, expires: Duration) -> Self {
        self.expires = Some(expires);
        self
    }

    /// The priority: with RabbitMQ higher ones first, with Redis lower ones.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Seconds after which the worker ends the task.
    #[must_use]
    pub fn time_limit(mut self, seconds: u64) -> Self {
        self.time_limit = Some(seconds);
        self
    }

    /// Seconds after which a Python task gets `SoftTimeLimitExceeded`.
    #[must_use]
    pub fn soft_time_limit(mut self, seconds: u64) -> Self {
        self.soft_time_limit = Some(seconds);
        self
    }

    /// Another name for logs and monitors.
    #[must_use]
    pub fn shadow(mut self, name: impl Into<String>) -> Self {
        self.shadow = Some(name.into());
        self
    }

    /// Store no result.
    #[must_use]
    pub fn ignore_result(mut self) -> Self {
        self.ignore_result = true;
        self
    }

    /// A header of one's own.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Calls this with the result, if there is one.
    #[must_use]
    pub fn link(mut self, callback: &Signature) -> Self {
        self.embed.callbacks.get_or_insert_default().push(callback.to_json());
        self
    }

    /// Calls this with the task's id when it has failed.
    #[must_use]
    pub fn link_error(mut self, errback: &Signature) -> Self {
        self.embed.errbacks.get_or_insert_default().push(errback.to_json());
        self
    }

    /// The signature as it stands in the body of another one's message.
    fn to_json(&self) -> Value {
        let mut options = Map::new();
        if let Some(id) = &self.id {
            options.insert("task_id".to_owned(), json!(id));
        }
        if let Some(queue) = &self.queue {
            options.insert("queue".to_owned(), json!(queue));
        }
        json!({
            "task": self.task, "args": self.args, "kwargs": self.kwargs, "options": options,
            "subtask_type": null, "immutable": false,
        })
    }

    /// The message of this call, sent at `now` by `sender`.
    pub(crate) fn message(&self, id: &str, now: DateTime<Utc>, sender: &Sender) -> Message {
        let last = DateTime::from_timestamp(LAST_SECOND, 0).unwrap_or(now);
        let at = |after: Duration| {
            let after = chrono::TimeDelta::from_std(after).unwrap_or(chrono::TimeDelta::MAX);
            json!(isoformat(now.checked_add_signed(after).map_or(last, |at| at.min(last))))
        };
        let lineage = &self.lineage;
        let mut headers = Map::new();
        let mut set = |name: &str, value: Value| _ = headers.insert(name.to_owned(), value);
        set("lang", json!("py"));
        set("task", json!(self.task));
        set("id", json!(id));
        set("shadow", json!(self.shadow));
        set("eta", self.countdown.map_or(Value::Null, at));
        set("expires", self.expires.map_or(Value::Null, at));
        set("group", json!(lineage.group));
        set("group_index", json!(lineage.group_index));
        set("retries", json!(lineage.retries));
        let time_limit = self.time_limit.or(sender.time_limit);
        set("timelimit", json!([time_limit, self.soft_time_limit]));
        set("root_id", json!(lineage.root_id.as_deref().unwrap_or(id)));
        set("parent_id", json!(lineage.parent_id));
        set("argsrepr", json!(python::args_repr(&self.args)));
        set("kwargsrepr", json!(python::kwargs_repr(&self.kwargs)));
        set("origin", json!(sender.origin));
        set("ignore_result", json!(self.ignore_result));
        set("replaced_task_nesting", json!(0));
        set("stamped_headers", Value::Null);
        set("stamps", json!({}));
        headers.extend(self.headers.clone());
        let body = json!([self.args, self.kwargs, self.embed.to_json()]);
        Message {
            headers,
            properties: Properties {
                content_type: JSON.to_owned(),
                content_encoding: UTF8.to_owned(),
                correlation_id: id.to_owned(),
                reply_to: Some(self.reply_to.as_ref().unwrap_or(&sender.reply_to).clone()),
                priority: self.priority.unwrap_or(DEFAULT_PRIORITY),
                expiration: self.expires.map(|expires| expires.as_millis().to_string()),
            },
            body: python::json(&body).into_bytes(),
        }
    }
}

/// What a process writes into all of its messages.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// `gen`, the process and the machine.
    pub(crate) origin: String,
    /// The queue for results that are sent back.
    pub(crate) reply_to: String,
    /// Celery's setting `task_time_limit`, in seconds.
    pub(crate) time_limit: Option<u64>,
}

impl Sender {
    pub(crate) fn new(time_limit: Option<u64>) -> Self {
        let origin = format!("gen{}@{}", std::process::id(), host_name());
        Self { origin, reply_to: Uuid::new_v4().to_string(), time_limit }
    }
}

/// The name of this machine, as `socket.gethostname` gives it.
pub(crate) fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

impl Embed {
    fn to_json(&self) -> Value {
        json!({
            "callbacks": self.callbacks, "errbacks": self.errbacks, "chain": self.chain,
            "chord": self.chord,
        })
    }

    fn parse(value: &Value) -> Self {
        let list = |name: &str| Some(value.get(name)?.as_array()?.clone());
        Self {
            callbacks: list("callbacks"),
            errbacks: list("errbacks"),
            chain: list("chain"),
            chord: value.get("chord").filter(|chord| !chord.is_null()).cloned(),
        }
    }

    /// Fails if there is something that could not be sent later.
    fn check(&self) -> Result<(), Malformed> {
        if self.chord.is_some() {
            return Err(Malformed::Workflow("a chord".to_owned()));
        }
        for signature in
            [&self.callbacks, &self.errbacks, &self.chain].into_iter().flatten().flatten()
        {
            if signature.get("task").and_then(Value::as_str).is_none() {
                return Err(Malformed::Shape("a signature has no task"));
            }
            if let Some(kind) = signature.get("subtask_type").filter(|kind| !kind.is_null()) {
                return Err(Malformed::Workflow(format!("a {kind} within a signature")));
            }
        }
        Ok(())
    }
}

/// A time as Python's `datetime.isoformat` writes it.
pub(crate) fn isoformat(at: DateTime<Utc>) -> String {
    let is_whole = at.timestamp_subsec_micros() == 0;
    let precision = if is_whole { SecondsFormat::Secs } else { SecondsFormat::Micros };
    at.to_rfc3339_opts(precision, false)
}

/// A call that was received.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) task: String,
    pub(crate) args: Vec<Value>,
    pub(crate) kwargs: Map<String, Value>,
    pub(crate) embed: Embed,
    pub(crate) lineage: Lineage,
    pub(crate) eta: Option<DateTime<Utc>>,
    pub(crate) expires: Option<DateTime<Utc>>,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) soft_time_limit: Option<Duration>,
    pub(crate) ignore_result: bool,
}

impl Request {
    /// Reads a message.
    ///
    /// # Errors
    /// When it is none of message protocol 2 in JSON, or belongs to a workflow that is not supported.
    pub(crate) fn parse(message: &Message) -> Result<Self, Malformed> {
        let Message { headers, properties, body } = message;
        let text = |name: &str| headers.get(name).and_then(Value::as_str).map(str::to_owned);
        let task = text("task").ok_or(Malformed::Shape("there is no header `task`"))?;
        let id = text("id").ok_or(Malformed::Shape("there is no header `id`"))?;
        if properties.content_type != JSON {
            return Err(Malformed::ContentType(properties.content_type.clone()));
        }
        if !properties.content_encoding.eq_ignore_ascii_case(UTF8) {
            return Err(Malformed::Encoding(properties.content_encoding.clone()));
        }
        if let Some(compression) = text("compression") {
            return Err(Malformed::Compressed(compression));
        }
        let (args, kwargs, embed): (Vec<Value>, Map<String, Value>, Value) =
            serde_json::from_slice(body)?;
        let embed = Embed::parse(&embed);
        embed.check()?;
        let time = |name: &str| match text(name) {
            None => Ok(None),
            Some(text) => match DateTime::parse_from_rfc3339(&text) {
                Ok(time) => Ok(Some(time.with_timezone(&Utc))),
                Err(_) => Err(Malformed::Shape("a time is not in ISO 8601")),
            },
        };
        let seconds = |index: usize| {
            let seconds = headers.get("timelimit")?.get(index)?.as_f64()?;
            Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero())
        };
        let retries = headers.get("retries").and_then(Value::as_u64).unwrap_or(0);
        Ok(Self {
            args,
            kwargs,
            embed,
            lineage: Lineage {
                root_id: text("root_id"),
                parent_id: text("parent_id"),
                group: text("group"),
                group_index: headers.get("group_index").filter(|index| !index.is_null()).cloned(),
                retries: u32::try_from(retries).unwrap_or(u32::MAX),
            },
            eta: time("eta")?,
            expires: time("expires")?,
            time_limit: seconds(0),
            soft_time_limit: seconds(1),
            ignore_result: headers.get("ignore_result").and_then(Value::as_bool).unwrap_or(false),
            id,
            task,
        })
    }
}

/// The call of a signature that stood in another call's body, made by that call: as its callback with
/// `first` before its own arguments, unless it is immutable.
pub(crate) fn follow(signature: &Value, first: Option<&Value>, by: &Request) -> Signature {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let options = signature.get("options");
    let option = |name: &str| options.and_then(|options| options.get(name));
    let is_immutable = signature.get("immutable").and_then(Value::as_bool).unwrap_or(false);
    let mut call = Signature::new(text(signature.get("task")).unwrap_or_default());
    call.args.extend(first.filter(|_| !is_immutable).cloned());
    call.args
        .extend(signature.get("args").and_then(Value::as_array).into_iter().flatten().cloned());
    if let Some(kwargs) = signature.get("kwargs").and_then(Value::as_object) {
        call.kwargs.clone_from(kwargs);
    }
    let seconds = |name: &str| {
        option(name).and_then(Value::as_f64).and_then(|s| Duration::try_from_secs_f64(s).ok())
    };
    call.id = text(option("task_id"));
    call.queue = text(option("queue"));
    call.reply_to = text(option("reply_to"));
    call.countdown = seconds("countdown");
    call.expires = seconds("expires");
    call.priority = option("priority").and_then(Value::as_u64).and_then(|p| u8::try_from(p).ok());
    call.time_limit = option("time_limit").and_then(Value::as_u64);
    call.soft_time_limit = option("soft_time_limit").and_then(Value::as_u64);
    let list = |name: &str| option(name).and_then(Value::as_array).cloned();
    call.embed =
        Embed { callbacks: list("link"), errbacks: list("link_error"), ..Embed::default() };
    call.lineage = Lineage {
        root_id: by.lineage.root_id.clone().or_else(|| Some(by.id.clone())),
        parent_id: Some(by.id.clone()),
        group: text(option("group_id")),
        group_index: option("group_index").filter(|index| !index.is_null()).cloned(),
        retries: 0,
    };
    call
}

/// The same call once more after a pause.
pub(crate) fn retry(request: &Request, message: &Message, countdown: Duration) -> Signature {
    let seconds = |limit: Option<Duration>| limit.map(|limit| limit.as_secs());
    Signature {
        task: request.task.clone(),
        args: request.args.clone(),
        kwargs: request.kwargs.clone(),
        queue: None,
        id: Some(request.id.clone()),
        countdown: Some(countdown),
        expires: request.expires.map(|at| (at - clock::now()).to_std().unwrap_or_default()),
        priority: Some(message.properties.priority),
        time_limit: seconds(request.time_limit),
        soft_time_limit: seconds(request.soft_time_limit),
        shadow: message.headers.get("shadow").and_then(Value::as_str).map(str::to_owned),
        ignore_result: request.ignore_result,
        headers: Map::new(),
        reply_to: message.properties.reply_to.clone(),
        lineage: Lineage {
            retries: request.lineage.retries.saturating_add(1),
            parent_id: Some(request.id.clone()),
            ..request.lineage.clone()
        },
        embed: request.embed.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender() -> Sender {
        Sender {
            origin: "gen1@host".to_owned(),
            reply_to: "reply".to_owned(),
            time_limit: Some(600),
        }
    }

    fn now() -> DateTime<Utc> {
        "2026-11-28T05:39:48.269558Z".parse().unwrap()
    }

    // The expected headers are those that Celery 5.7 puts on the wire for the same call.
    #[test]
    fn a_message_has_the_headers_of_protocol_2() {
        let call = Signature::new("app.tasks.send_email")
            .args([json!("a")])
            .kwarg("subject", "s")
            .countdown(Duration::from_secs(5))
            .expires(Duration::from_mins(1))
            .time_limit(9)
            .soft_time_limit(8);
        let message = call.message("an-id", now(), &sender());
        let expected = json!({
            "lang": "py", "task": "app.tasks.send_email", "id": "an-id", "shadow": null,
            "eta": "2026-11-28T05:39:53.269558+00:00", "expires": "2026-11-28T05:40:48.269558+00:00",
            "group": null, "group_index": null, "retries": 0, "timelimit": [9, 8],
            "root_id": "an-id", "parent_id": null, "argsrepr": "('a',)",
            "kwargsrepr": "{'subject': 's'}", "origin": "gen1@host", "ignore_result": false,
            "replaced_task_nesting": 0, "stamped_headers": null, "stamps": {},
        });
        assert_eq!(Value::from(message.headers), expected);
        assert_eq!(message.properties.expiration.as_deref(), Some("60000"));
        let body = r#"[["a"], {"subject": "s"}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]"#;
        assert_eq!(String::from_utf8(message.body).unwrap(), body);
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let call = Signature::new("t").args([json!(1)]).countdown(Duration::from_secs(1));
        let request = Request::parse(&call.message("an-id", now(), &sender())).unwrap();
        assert_eq!((request.task.as_str(), request.id.as_str()), ("t", "an-id"));
        assert_eq!(request.args, [json!(1)]);
        assert_eq!(request.time_limit, Some(Duration::from_mins(10)));
        assert_eq!(request.eta, Some(now() + chrono::TimeDelta::seconds(1)));
    }

    /// What a signature says in seconds may be any number.
    #[test]
    fn times_end_where_those_of_python_do() {
        for countdown in [Duration::from_secs(1_000_000_000_000), Duration::MAX] {
            let call = Signature::new("t").countdown(countdown).expires(countdown);
            let request = Request::parse(&call.message("an-id", now(), &sender())).unwrap();
            let last = "9999-12-31T23:59:59Z".parse().ok();
            assert_eq!((request.eta, request.expires), (last, last));
        }
    }

    #[test]
    fn pickle_is_refused() {
        let mut message = Signature::new("t").message("an-id", now(), &sender());
        message.properties.content_type = "application/x-python-serialize".to_owned();
        let error = Request::parse(&message).unwrap_err().to_string();
        let text =
            "its content is application/x-python-serialize, only application/json is accepted";
        assert_eq!(error, text);
    }

    #[test]
    fn the_next_of_a_chain_gets_the_result_first() {
        let message = Signature::new("t").message("an-id", now(), &sender());
        let request = Request::parse(&message).unwrap();
        let mut next = json!({
            "task": "u", "args": [2], "kwargs": {"k": 3}, "immutable": false, "subtask_type": null,
            "options": {"task_id": "next", "reply_to": "back"},
        });
        let call = follow(&next, Some(&json!(1)), &request);
        assert_eq!(call.args, [json!(1), json!(2)]);
        assert_eq!(call.lineage.root_id.as_deref(), Some("an-id"));
        assert_eq!((call.id.as_deref(), call.reply_to.as_deref()), (Some("next"), Some("back")));
        next["immutable"] = json!(true);
        assert_eq!(follow(&next, Some(&json!(1)), &request).args, [json!(2)]);
    }
}
