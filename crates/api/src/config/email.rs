//! The mail server and the sender.

use lettre::message::Mailbox;
use secrecy::SecretString;

use super::value::{Given, SettingsError, boolean, email, number, secret, setting, text};

#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings: e-mail")]
pub(super) struct EmailArgs {
    /// Mail server; e-mail is sent when this and EMAILS_FROM_EMAIL are set
    #[arg(long, env, global = true, value_parser = setting(text))]
    smtp_host: Option<Given<String>>,
    /// Its port [default: 587]
    #[arg(long, env, global = true, value_parser = setting(number(1..=u16::MAX)))]
    smtp_port: Option<Given<u16>>,
    /// Whether to use STARTTLS [default: true]
    #[arg(long, env, global = true, value_parser = setting(boolean))]
    smtp_tls: Option<Given<bool>>,
    /// Whether to use TLS from the start [default: false]
    #[arg(long, env, global = true, value_parser = setting(boolean))]
    smtp_ssl: Option<Given<bool>>,
    /// User at the mail server
    #[arg(long, env, global = true, value_parser = setting(text))]
    smtp_user: Option<Given<String>>,
    /// Their password
    #[arg(long, env, global = true, hide_env_values = true, value_parser = setting(secret))]
    smtp_password: Option<Given<SecretString>>,
    /// Address of the sender
    #[arg(long, env, global = true, value_parser = setting(email))]
    emails_from_email: Option<Given<String>>,
    /// Name of the sender [default: the name of the service]
    #[arg(long, env, global = true, value_parser = setting(text))]
    emails_from_name: Option<Given<String>>,
    /// An address that tests may write to [default: test@example.com]
    #[arg(long, env, global = true, value_parser = setting(email))]
    email_test_user: Option<Given<String>>,
}

/// The mail server and the sender.
#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    /// User and password.
    pub credentials: Option<(String, SecretString)>,
    pub from: Mailbox,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    None,
    StartTls,
    Implicit,
}

impl Smtp {
    /// `None` if e-mail is not configured.
    pub(super) fn new(
        args: &EmailArgs,
        project_name: &str,
        errors: &mut SettingsError,
    ) -> Option<Self> {
        let port = errors.value(args.smtp_port.as_ref(), 587);
        let implicit = errors.value(args.smtp_ssl.as_ref(), false);
        let start_tls = errors.value(args.smtp_tls.as_ref(), true);
        let user = errors.optional(args.smtp_user.as_ref());
        let password = errors.value(args.smtp_password.as_ref(), "".into());
        let from = errors.optional(args.emails_from_email.as_ref());
        let name = errors.value(args.emails_from_name.as_ref(), project_name.to_owned());
        // Only checked: tests read it.
        errors.optional(args.email_test_user.as_ref());
        let host = errors.optional(args.smtp_host.as_ref())?;
        let from = from?.parse().ok()?;
        Some(Self {
            host,
            port,
            security: match (implicit, start_tls) {
                (true, _) => SmtpSecurity::Implicit,
                (false, true) => SmtpSecurity::StartTls,
                (false, false) => SmtpSecurity::None,
            },
            credentials: user.map(|user| (user, password)),
            from: Mailbox::new(Some(name), from),
        })
    }
}
