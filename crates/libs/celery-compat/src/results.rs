//! Results and states, as Celery reads them.

use std::time::Duration;

use serde_json::{Map, Value, json};
use url::Url;

use crate::broker::Broker;
use crate::clock;
use crate::error::Error;
use crate::failure::Failure;
use crate::link::Link;
use crate::message::{Message, Properties, Request, isoformat};
use crate::python;

/// Before the id of the task: the key of its result, and the channel on which it is announced.
const PREFIX: &str = "celery-task-meta-";

/// How long results are kept: the default of Celery's `result_expires`.
const EXPIRES: Duration = Duration::from_hours(24);

/// Where results go.
pub struct Results {
    kind: Kind,
    expires: Duration,
}

enum Kind {
    Redis(Box<Link>),
    /// Back to who has sent the task, through the broker.
    Rpc,
}

/// What has become of a task.
#[derive(Clone, Debug)]
pub(crate) enum State {
    Success(Value),
    Failure(Failure),
    Retry(Failure),
    Revoked(&'static str),
}

impl State {
    fn name(&self) -> &'static str {
        match self {
            Self::Success(_) => "SUCCESS",
            Self::Failure(_) => "FAILURE",
            Self::Retry(_) => "RETRY",
            Self::Revoked(_) => "REVOKED",
        }
    }

    fn result(&self) -> Value {
        match self {
            Self::Success(value) => value.clone(),
            Self::Failure(failure) | Self::Retry(failure) => failure.to_json(),
            Self::Revoked(reason) => {
                Failure::new("celery.exceptions", "TaskRevokedError", *reason).to_json()
            }
        }
    }

    fn traceback(&self) -> Option<String> {
        match self {
            Self::Failure(failure) | Self::Retry(failure) => Some(failure.traceback()),
            Self::Success(_) | Self::Revoked(_) => None,
        }
    }

    /// What Celery stores of a task in this state; `children` are the ids of the tasks that it has sent.
    pub(crate) fn meta(&self, request: &Request, children: &[String]) -> Value {
        let mut meta = Map::new();
        let mut set = |name: &str, value: Value| _ = meta.insert(name.to_owned(), value);
        set("status", json!(self.name()));
        set("result", self.result());
        set("traceback", json!(self.traceback()));
        let child = |id: &String| json!([[id, null], null]);
        set("children", children.iter().map(child).collect());
        let is_done = matches!(self, Self::Success(_) | Self::Failure(_) | Self::Revoked(_));
        set("date_done", if is_done { json!(isoformat(clock::now())) } else { Value::Null });
        if let Some(group) = &request.lineage.group {
            set("group_id", json!(group));
        }
        if let Some(parent) = &request.lineage.parent_id {
            set("parent_id", json!(parent));
        }
        set("task_id", json!(request.id));
        Value::Object(meta)
    }
}

impl Results {
    /// Results in Redis or, with `rpc://`, through the broker: by a URL as Celery's setting
    /// `result_backend` has it.
    ///
    /// # Errors
    /// When it is a URL of something else.
    pub fn new(url: &str) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Url { name: "the result backend", reason };
        let url = Url::parse(url).map_err(|error| wrong(error.to_string()))?;
        let kind = match url.scheme() {
            "redis" | "rediss" => Kind::Redis(Box::new(Link::new(&url)?)),
            "rpc" => Kind::Rpc,
            other => {
                return Err(wrong(format!("'{other}:' is not supported, redis: and rpc: are")));
            }
        };
        Ok(Self { kind, expires: EXPIRES })
    }

    /// How long results are kept: Celery's `result_expires`.
    #[must_use]
    pub fn expires(mut self, expires: Duration) -> Self {
        self.expires = expires;
        self
    }

    /// What is stored of a task: an object with `status` and `result`. `None` if there is nothing, or
    /// nothing is stored.
    ///
    /// # Errors
    /// When Redis cannot be read.
    pub async fn get(&self, id: &str) -> Result<Option<Value>, Error> {
        match &self.kind {
            Kind::Redis(link) => read(link, id).await,
            Kind::Rpc => Ok(None),
        }
    }

    /// Stores a state and announces it.
    pub(crate) async fn store(
        &self,
        broker: &Broker,
        reply_to: Option<&str>,
        id: &str,
        meta: &Value,
    ) -> Result<(), Error> {
        match (&self.kind, reply_to) {
            (Kind::Redis(link), _) => self.write(link, id, meta).await,
            (Kind::Rpc, Some(queue)) => broker.reply(queue, &reply(id, meta)).await,
            (Kind::Rpc, None) => Ok(()),
        }
    }

    /// A success that is stored stays: the same message may have come twice.
    async fn write(&self, link: &Link, id: &str, meta: &Value) -> Result<(), Error> {
        if meta["status"] != "SUCCESS"
            && read(link, id).await?.is_some_and(|stored| stored["status"] == "SUCCESS")
        {
            return Ok(());
        }
        let (key, text) = (format!("{PREFIX}{id}"), python::json(meta));
        let mut store = redis::pipe();
        store.atomic();
        store.cmd("SETEX").arg(&key).arg(self.expires.as_secs()).arg(&text).ignore();
        store.cmd("PUBLISH").arg(&key).arg(&text).ignore();
        link.pipeline("storing a result", &store).await
    }
}

async fn read(link: &Link, id: &str) -> Result<Option<Value>, Error> {
    let mut get = redis::cmd("GET");
    get.arg(format!("{PREFIX}{id}"));
    let text: Option<String> = link.command("reading a result", &get).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// The message that carries a result.
fn reply(id: &str, meta: &Value) -> Message {
    Message {
        headers: Map::new(),
        properties: Properties {
            content_type: "application/json".to_owned(),
            content_encoding: "utf-8".to_owned(),
            correlation_id: id.to_owned(),
            ..Properties::default()
        },
        body: python::json(meta).into_bytes(),
    }
}
