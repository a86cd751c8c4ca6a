//! The e-mails of the service.

use std::sync::Arc;
use std::time::Duration;

use celery_compat::{Producer, Signature};
use domain::chain;
use fastapi_compat::EmailStr;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::response::Code;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Output, State, Value, context};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;
use tracing::Span;

use crate::Error;
use crate::config::{Settings, Smtp, SmtpSecurity, TIME_LIMIT};
use crate::html::Escaped;

/// The task that gives an e-mail to the mail server.
pub(crate) const SEND_EMAIL: &str = "app.tasks.emails.send_email";

/// Size of the queue of e-mails; when it is full, further ones are dropped and logged.
const QUEUE_LENGTH: usize = 1000;

/// A subject and a text in HTML.
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    pub subject: String,
    pub html: String,
}

/// Writes e-mails and sends them in the background: a mail server that is slow or fails never
/// delays or fails a request.
#[derive(Clone)]
pub struct Mailer {
    shared: Arc<Shared>,
    /// Where e-mails go instead, and nothing is sent.
    rehearsal: Option<Collect>,
}

/// Takes the e-mails of a rehearsal, with their recipients.
pub type Collect = Arc<dyn Fn(String, Email) + Send + Sync>;

struct Shared {
    project_name: String,
    frontend_host: String,
    reset_token_hours: i64,
    templates: Environment<'static>,
    queue: Option<mpsc::Sender<Queued>>,
    outcomes: Outcomes,
}

/// Counters by outcome.
#[derive(Clone, Debug, Default)]
struct Outcomes {
    sent: Counter,
    failed: Counter,
    dropped: Counter,
    waiting: Gauge,
}

/// An e-mail that waits, and the span of the request that sent it.
struct Queued {
    to: String,
    email: Email,
    request: Span,
}

/// The background task.
pub struct Outbox {
    task: JoinHandle<()>,
    end: oneshot::Sender<()>,
}

impl Outbox {
    /// Takes no more e-mails, and waits until those that it has are sent.
    ///
    /// # Errors
    /// When that takes longer than `timeout`.
    pub async fn flush(self, timeout: Duration) -> Result<(), Elapsed> {
        // There is no receiver only if the task has ended.
        _ = self.end.send(());
        tokio::time::timeout(timeout, self.task).await.map(drop)
    }
}

impl Mailer {
    /// Reads the templates and starts the background task, if e-mail is configured.
    pub fn start(settings: &Settings) -> Result<(Self, Option<Outbox>), Error> {
        let outcomes = Outcomes::default();
        let (queue, outbox) = match &settings.smtp {
            None => (None, None),
            Some(smtp) => {
                let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
                let outcomes = outcomes.clone();
                let (end, ending) = oneshot::channel();
                let target = match &settings.tasks {
                    Some(tasks) => {
                        let producer = Producer::new(tasks.broker.clone())
                            .queue(&tasks.options.queue)
                            .time_limit(TIME_LIMIT.as_secs());
                        Target::Broker(Box::new(producer))
                    }
                    None => Target::Mail(Box::new(SmtpSender::new(smtp)?)),
                };
                let task = deliver(target, receiver, ending, outcomes);
                (Some(sender), Some(Outbox { task: tokio::spawn(task), end }))
            }
        };
        let shared = Shared {
            project_name: settings.project_name.clone(),
            frontend_host: settings.frontend_host.clone(),
            reset_token_hours: settings.auth.reset_token_lifetime.num_hours(),
            templates: templates().map_err(Error::internal)?,
            queue,
            outcomes,
        };
        Ok((Self { shared: Arc::new(shared), rehearsal: None }, outbox))
    }

    /// The same, but it sends nothing: `collect` gets the e-mails.
    #[must_use]
    pub fn rehearsing(&self, collect: Collect) -> Self {
        Self { shared: Arc::clone(&self.shared), rehearsal: Some(collect) }
    }

    /// Adds `emails_*` to the metrics of the service.
    pub fn register(&self, registry: &mut Registry) {
        let Outcomes { sent, failed, dropped, waiting } = self.shared.outcomes.clone();
        registry.register("emails_sent", "E-mails accepted by the mail server", sent);
        registry.register("emails_failed", "E-mails not accepted by the mail server", failed);
        registry.register("emails_dropped", "E-mails dropped because the queue was full", dropped);
        registry.register("emails_waiting", "E-mails in the queue", waiting);
    }

    pub fn is_enabled(&self) -> bool {
        self.shared.queue.is_some()
    }

    pub fn test_email(&self, email_to: &str) -> Result<Email, Error> {
        Ok(Email {
            subject: format!("{} - Test email", self.shared.project_name),
            html: self.render("test_email.html", context! { email => email_to })?,
        })
    }

    pub fn new_account_email(&self, email_to: &str) -> Result<Email, Error> {
        let link = &self.shared.frontend_host;
        let context = context! { username => email_to, email => email_to, link };
        Ok(Email {
            subject: format!("{} - New account for {email_to}", self.shared.project_name),
            html: self.render("new_account.html", context)?,
        })
    }

    pub fn reset_password_email(&self, email_to: &str, token: &str) -> Result<Email, Error> {
        let link = format!("{}/reset-password?token={token}", self.shared.frontend_host);
        let valid_hours = self.shared.reset_token_hours;
        let context = context! { username => email_to, email => email_to, valid_hours, link };
        Ok(Email {
            subject: format!("{} - Password recovery for {email_to}", self.shared.project_name),
            html: self.render("reset_password.html", context)?,
        })
    }

    fn render(&self, template: &str, context: Value) -> Result<String, Error> {
        let context = context! { project_name => self.shared.project_name.as_str(), ..context };
        self.shared
            .templates
            .get_template(template)
            .and_then(|t| t.render(context))
            .map_err(Error::internal)
    }

    /// Puts an e-mail into the queue.
    pub fn send(&self, email_to: String, email: Email) {
        match (&self.shared.queue, &self.rehearsal) {
            (Some(_), Some(collect)) => collect(email_to, email),
            (None, Some(_)) => {}
            (None, None) => tracing::warn!("e-mail is not configured, nothing was sent"),
            (Some(queue), None)
                if queue
                    .try_send(Queued { to: email_to, email, request: Span::current() })
                    .is_err() =>
            {
                self.shared.outcomes.dropped.inc();
                tracing::error!("the e-mail queue is full, an e-mail was dropped");
            }
            (Some(_), None) => _ = self.shared.outcomes.waiting.inc(),
        }
    }
}

fn templates() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(escape_as_jinja);
    environment.add_template("test_email.html", include_str!("../templates/test_email.html"))?;
    environment.add_template("new_account.html", include_str!("../templates/new_account.html"))?;
    let reset_password = include_str!("../templates/reset_password.html");
    environment.add_template("reset_password.html", reset_password)?;
    Ok(environment)
}

/// Writes an undefined value as nothing, and every other one escaped.
fn escape_as_jinja(
    out: &mut Output<'_>,
    _: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), minijinja::Error> {
    if value.kind() == ValueKind::Undefined {
        return Ok(());
    }
    Ok(write!(out, "{}", Escaped(&value.to_string()))?)
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Gives e-mails to the mail server of the settings.
#[derive(Clone)]
pub struct SmtpSender {
    transport: Transport,
    from: Mailbox,
}

impl SmtpSender {
    /// Nothing is connected yet.
    pub fn new(smtp: &Smtp) -> Result<Self, Error> {
        let parameters = || TlsParameters::new(smtp.host.clone()).map_err(Error::internal);
        let tls = match smtp.security {
            SmtpSecurity::None => Tls::None,
            SmtpSecurity::StartTls => Tls::Required(parameters()?),
            SmtpSecurity::Implicit => Tls::Wrapper(parameters()?),
        };
        let mut builder = Transport::builder_dangerous(&smtp.host).port(smtp.port).tls(tls);
        if let Some((user, password)) = &smtp.credentials {
            builder = builder
                .credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build(), from: smtp.from.clone() })
    }

    /// Returns when the mail server has accepted the e-mail.
    pub async fn deliver(&self, email_to: &str, email: Email) -> Result<(), NotSent> {
        let to = address(email_to).ok_or(NotSent::Unwritable)?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.clone()]);
        let message = Message::builder()
            // Else lettre would read the addresses again from the headers.
            .envelope(envelope.map_err(|_| NotSent::Unwritable)?)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(email.subject)
            .header(ContentType::TEXT_HTML)
            .body(email.html)
            .map_err(|_| NotSent::Unwritable)?;
        self.transport.send(message).await?;
        Ok(())
    }
}

/// Where e-mails go from the queue.
enum Target {
    Mail(Box<SmtpSender>),
    /// To a worker, Rust's or Python's.
    Broker(Box<Producer>),
}

impl Target {
    async fn take(&self, email_to: &str, email: Email) -> Result<(), NotSent> {
        match self {
            Self::Mail(mail) => mail.deliver(email_to, email).await,
            Self::Broker(producer) => {
                let arguments = [json!(email_to), json!(email.subject), json!(email.html)];
                producer.send(&Signature::new(SEND_EMAIL).args(arguments)).await?;
                Ok(())
            }
        }
    }
}

async fn deliver(
    target: Target,
    mut queue: mpsc::Receiver<Queued>,
    mut ending: oneshot::Receiver<()>,
    outcomes: Outcomes,
) {
    loop {
        let next = tokio::select! {
            // What came before the end is still sent.
            biased;
            next = queue.recv() => next,
            _ = &mut ending, if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        let Some(Queued { to, email, request }) = next else { return };
        match target.take(&to, email).await {
            Ok(()) => outcomes.sent.inc(),
            Err(reason) => {
                let reason = chain(&reason);
                tracing::error!(parent: &request, %reason, "an e-mail could not be sent");
                outcomes.failed.inc()
            }
        };
        outcomes.waiting.dec();
    }
}

/// Why an e-mail was not sent, without the text of the mail server, which may hold the address.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    #[error("invalid e-mail")]
    Unwritable,
    #[error("the mail server answered {0}")]
    Refused(Code),
    #[error("mail server unreachable or connection closed")]
    Unreachable(#[source] smtp::Error),
    #[error("TLS handshake with the mail server failed")]
    Tls(#[source] smtp::Error),
    #[error("the broker of background tasks did not take it")]
    Broker(#[from] celery_compat::Error),
}

impl From<smtp::Error> for NotSent {
    fn from(error: smtp::Error) -> Self {
        match error.status() {
            Some(code) => Self::Refused(code),
            None if error.is_tls() => Self::Tls(error),
            None => Self::Unreachable(error),
        }
    }
}

/// An address as pydantic takes it, which lettre's own parser does not do for all of them: it
/// refuses more than 64 characters before the @-sign.
fn address(text: &str) -> Option<Address> {
    let email = EmailStr::parse(text).ok()?;
    let (user, domain) = email.as_str().rsplit_once('@')?;
    Some(Address::new_dangerous(user, domain))
}
