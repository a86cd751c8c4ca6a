//! The broker of background tasks, and how a worker works on them.

use std::time::Duration;

use celery_compat::{BrokerUrl, Options, Results};
use secrecy::SecretString;

use super::value::{Given, SettingsError, number, setting, text};

/// After so long a task is ended: `task_time_limit` of a Celery application.
pub(crate) const TIME_LIMIT: Duration = Duration::from_mins(10);

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings: background tasks")]
pub(super) struct TaskArgs {
    /// Celery's broker, amqp:… or redis:…; with it, e-mails are sent by a worker
    #[arg(long, env, global = true, hide_env_values = true, value_parser = setting(broker))]
    celery_broker_url: Option<Given<BrokerUrl>>,
    /// Where a worker stores results, redis:… or rpc:// [default: nowhere]
    #[arg(long, env, global = true, hide_env_values = true, value_parser = setting(results))]
    celery_result_backend: Option<Given<SecretString>>,
    /// The queue of the tasks [default: celery]
    #[arg(long, env, global = true, value_parser = setting(text))]
    celery_queue: Option<Given<String>>,
    /// How many tasks a worker runs at a time [default: 8]
    #[arg(long, env, global = true, value_parser = setting(number(1..=1000_u16)))]
    worker_concurrency: Option<Given<u16>>,
    /// How long running tasks may take to end after SIGTERM, in seconds; then they are given back
    /// [default: 30]
    #[arg(long, env, global = true, value_parser = setting(number(0..=3600_u64)))]
    worker_drain_seconds: Option<Given<u64>>,
    /// How often a message may come again after its worker was lost, before it goes to the dead-letter
    /// queue [default: 5]
    #[arg(long, env, global = true, value_parser = setting(number(1..=1000_u32)))]
    worker_max_redeliveries: Option<Given<u32>>,
}

/// The broker of background tasks, and how a worker works on them.
#[derive(Clone, Debug)]
pub struct TaskSettings {
    pub broker: BrokerUrl,
    /// `None` if results are not stored.
    pub results: Option<SecretString>,
    pub options: Options,
}

impl TaskSettings {
    /// `None` if there is no broker.
    pub(super) fn new(args: &TaskArgs, errors: &mut SettingsError) -> Option<Self> {
        let default = Options::default();
        let drain = errors.value(args.worker_drain_seconds.as_ref(), default.drain.as_secs());
        let redeliveries = args.worker_max_redeliveries.as_ref();
        let options = Options {
            queue: errors.value(args.celery_queue.as_ref(), default.queue),
            concurrency: errors.value(args.worker_concurrency.as_ref(), default.concurrency),
            max_redeliveries: errors.value(redeliveries, default.max_redeliveries),
            drain: Duration::from_secs(drain),
            time_limit: Some(TIME_LIMIT.as_secs()),
            ..default
        };
        let results = errors.optional(args.celery_result_backend.as_ref());
        let broker = errors.optional(args.celery_broker_url.as_ref())?;
        Some(Self { broker, results, options })
    }
}

fn broker(value: &str) -> Result<BrokerUrl, String> {
    BrokerUrl::parse(value).map_err(|error| error.to_string())
}

fn results(value: &str) -> Result<SecretString, String> {
    Results::new(value).map(|_| value.into()).map_err(|error| error.to_string())
}
