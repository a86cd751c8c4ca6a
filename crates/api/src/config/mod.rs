//! The settings: environment, `.env` and flags. One file for each concern.

mod auth;
mod database;
mod email;
#[cfg(feature = "strangler")]
mod legacy;
mod server;
mod tasks;
mod value;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use secrecy::ExposeSecret;

use self::auth::AuthArgs;
pub use self::auth::AuthSettings;
use self::database::DatabaseArgs;
pub use self::database::DatabaseSettings;
use self::email::EmailArgs;
pub use self::email::{Smtp, SmtpSecurity};
#[cfg(feature = "strangler")]
use self::legacy::LegacyArgs;
#[cfg(feature = "strangler")]
pub use self::legacy::{InProcess, Legacy};
use self::server::ServerArgs;
pub use self::server::ServerSettings;
pub(crate) use self::tasks::TIME_LIMIT;
use self::tasks::TaskArgs;
pub use self::tasks::TaskSettings;
pub use self::value::SettingsError;
use self::value::{Given, list, origin, setting, text};

const INSECURE_DEFAULT: &str = "changethis";

/// The settings as they are given; every flag is an environment variable too, and those of secrets are
/// nothing else ([`refuse_secret_flags`]).
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
pub struct SettingsArgs {
    /// local, staging or production [default: local]
    #[arg(long, env, global = true, value_parser = setting(environment))]
    environment: Option<Given<Environment>>,
    /// Name of the service in its documentation and e-mails [default: Molt]
    #[arg(long, env, global = true, value_parser = setting(text))]
    project_name: Option<Given<String>>,
    /// Prefix of every path, / for none [default: /api/v1]
    #[arg(long, env = "API_V1_STR", global = true, value_parser = setting(prefix))]
    api_v1_str: Option<Given<String>>,
    /// Where the links in e-mails lead; always an allowed origin [default: http://localhost:5173]
    #[arg(long, env, global = true, value_parser = setting(frontend))]
    frontend_host: Option<Given<String>>,
    /// Further allowed origins, separated by commas
    #[arg(long, env, global = true, value_parser = setting(origins))]
    backend_cors_origins: Option<Given<Vec<String>>>,
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    email: EmailArgs,
    #[command(flatten)]
    tasks: TaskArgs,
    #[cfg(feature = "strangler")]
    #[command(flatten)]
    legacy: LegacyArgs,
}

/// The settings, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub environment: Environment,
    pub project_name: String,
    /// Empty, or a path such as `/api/v1`.
    pub api_v1_str: String,
    pub frontend_host: String,
    pub cors_origins: Vec<String>,
    pub database: DatabaseSettings,
    pub server: ServerSettings,
    pub auth: AuthSettings,
    /// `None` if e-mail is not configured.
    pub smtp: Option<Smtp>,
    /// `None` if there is no broker of background tasks.
    pub tasks: Option<TaskSettings>,
    /// `None` if there is no old service.
    #[cfg(feature = "strangler")]
    pub legacy: Option<Legacy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    Local,
    Staging,
    Production,
}

impl Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// When one is wrong; all of them are named at once.
    pub fn new(args: &SettingsArgs) -> Result<Self, SettingsError> {
        let mut errors = SettingsError::default();
        let e = &mut errors;
        let environment = e.value(args.environment.as_ref(), Environment::Local);
        let project_name = e.value(args.project_name.as_ref(), "Molt".to_owned());
        let default_host = "http://localhost:5173".to_owned();
        let frontend_host = e.value(args.frontend_host.as_ref(), default_host);
        let mut cors_origins = e.value(args.backend_cors_origins.as_ref(), Vec::new());
        cors_origins.push(frontend_host.trim_end_matches('/').to_owned());
        let server = ServerSettings::new(&args.server, environment, e);
        #[cfg(feature = "strangler")]
        let legacy = Legacy::new(&args.legacy, environment, e);
        let settings = Self {
            environment,
            api_v1_str: e.value(args.api_v1_str.as_ref(), "/api/v1".to_owned()),
            frontend_host,
            cors_origins,
            database: DatabaseSettings::new(&args.database, environment, server.request_timeout, e),
            #[cfg(feature = "strangler")]
            server: server.with_management_port(legacy.as_ref().map(|_| 9000)),
            #[cfg(not(feature = "strangler"))]
            server,
            auth: AuthSettings::new(&args.auth, environment, e),
            smtp: Smtp::new(&args.email, &project_name, e),
            tasks: TaskSettings::new(&args.tasks, e),
            project_name,
            #[cfg(feature = "strangler")]
            legacy,
        };
        #[cfg(feature = "strangler")]
        if settings.smtp.is_none() && settings.legacy.as_ref().is_some_and(|it| it.smtp.is_some()) {
            e.add("LEGACY_SMTP_LISTEN", "e-mails are passed on to SMTP_HOST, which is not set");
        }
        if environment != Environment::Local {
            for name in settings.insecure_defaults() {
                e.add(name, "still has the default value; set a secret of your own");
            }
        }
        errors.none_or(settings)
    }

    /// The secrets that still have their default value.
    pub fn insecure_defaults(&self) -> Vec<&'static str> {
        let database = self.database.url.password();
        [
            ("SECRET_KEY", Some(self.auth.secret_key.expose_secret())),
            ("FIRST_SUPERUSER_PASSWORD", Some(self.auth.first_superuser_password.expose_secret())),
            ("the password in DATABASE_URL", database.as_deref()),
        ]
        .into_iter()
        .filter(|(_, secret)| *secret == Some(INSECURE_DEFAULT))
        .map(|(name, _)| name)
        .collect()
    }
}

/// Refuses secrets that are given as flags: while the process runs, `/proc` and `ps` show its command line
/// to the other users of the machine.
///
/// # Errors
/// When there is one; all of them are named at once, by the variable to use instead.
pub fn refuse_secret_flags(command: &Command, matches: &ArgMatches) -> Result<(), SettingsError> {
    let mut errors = SettingsError::default();
    let (mut command, mut matches) = (command, matches);
    loop {
        for arg in command.get_arguments().filter(|arg| arg.is_hide_env_values_set()) {
            if matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
                && shows_secret(arg, matches)
            {
                let name = arg.get_env().unwrap_or_default().to_string_lossy();
                errors.add(&name, "a secret is read from the environment alone, not from a flag");
            }
        }
        let Some((name, below)) = matches.subcommand() else { break };
        let Some(subcommand) = command.find_subcommand(name) else { break };
        (command, matches) = (subcommand, below);
    }
    errors.none_or(())
}

/// Whether the values of a flag that may be a secret are one: the URL of a database is none without a
/// password.
fn shows_secret(arg: &Arg, matches: &ArgMatches) -> bool {
    let id = arg.get_id().as_str();
    let mut values = matches.get_raw(id).into_iter().flatten();
    let is_open = |url: &str| !url.contains('@') && !url.contains("password");
    !(id.ends_with("_url") && values.all(|value| value.to_str().is_some_and(is_open)))
}

fn environment(value: &str) -> Result<Environment, String> {
    match value {
        "local" => Ok(Environment::Local),
        "staging" => Ok(Environment::Staging),
        "production" => Ok(Environment::Production),
        _ => Err(format!("'{value}' is none of local, staging and production")),
    }
}

/// FastAPI refuses a prefix that ends with a slash; an empty setting counts as none.
fn prefix(value: &str) -> Result<String, String> {
    match value.strip_prefix('/') {
        Some("") => Ok(String::new()),
        Some(rest) if !rest.ends_with('/') && !rest.contains(['{', '}']) => Ok(value.to_owned()),
        _ => Err(format!("'{value}' is not a path such as /api/v1")),
    }
}

fn frontend(value: &str) -> Result<String, String> {
    origin(value).map(|_| value.to_owned())
}

fn origins(value: &str) -> Result<Vec<String>, String> {
    list(value).iter().map(|value| origin(value)).collect()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        settings: SettingsArgs,
    }

    fn args(flags: &[&str]) -> SettingsArgs {
        Cli::try_parse_from(["molt"].iter().chain(flags)).unwrap().settings
    }

    fn settings(flags: &[&str]) -> Result<Settings, String> {
        Settings::new(&args(flags)).map_err(|error| error.to_string())
    }

    /// What production needs, with a key of so many bytes.
    fn production(key: usize, more: &[&str]) -> Result<Settings, String> {
        let key = "k".repeat(key);
        let needed = ["--environment=production", "--first-superuser-password=x", "--secret-key"];
        settings(&[&needed[..], &[&key], more].concat())
    }

    #[test]
    fn every_wrong_setting_is_named_at_once() {
        let errors = settings(&[
            "--port=x",
            "--environment=production",
            "--database-url=mysql://x",
            "--smtp-tls=maybe",
        ])
        .unwrap_err();
        for name in ["PORT", "DATABASE_URL", "SMTP_TLS", "SECRET_KEY", "FIRST_SUPERUSER_PASSWORD"] {
            assert!(errors.contains(&format!("\n  {name}: ")), "{name} is not in {errors}");
        }
        assert!(errors.starts_with("bad settings:\n"), "{errors}");
        assert!(errors.contains("PORT: 'x' is not a whole number from 0 to 65535"), "{errors}");
    }

    #[test]
    fn the_defaults_are_enough_in_local() {
        let settings = Settings::new(&SettingsArgs::default()).unwrap();
        assert_eq!(settings.insecure_defaults(), ["SECRET_KEY", "FIRST_SUPERUSER_PASSWORD"]);
        assert!(settings.database.migrate_on_start);
        assert!(settings.smtp.is_none());
    }

    #[test]
    fn every_flag_is_read_as_what_it_is() {
        for arg in Cli::command().get_arguments().filter(|arg| arg.get_env().is_some()) {
            // clap compares types only when there is a value.
            args(&[&format!("--{}=1", arg.get_long().unwrap())]);
        }
    }

    #[test]
    fn an_empty_value_counts_as_none() {
        let settings = settings(&["--port=", "--secret-key=", "--api-v1-str="]).unwrap();
        assert_eq!(settings.server.port, 8000);
        assert_eq!(settings.api_v1_str, "/api/v1");
        assert_eq!(settings.insecure_defaults()[0], "SECRET_KEY");
    }

    #[test]
    fn a_prefix_is_a_path_or_none() {
        assert_eq!(settings(&["--api-v1-str=/"]).unwrap().api_v1_str, "");
        assert_eq!(settings(&["--api-v1-str=/v2"]).unwrap().api_v1_str, "/v2");
        for wrong in ["v2", "/v2/", "//", "/{v}"] {
            let error = settings(&[&format!("--api-v1-str={wrong}")]).unwrap_err();
            assert!(error.contains("API_V1_STR: "), "{wrong}: {error}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let flags = [
            "--secret-key=s3cret-1",
            "--previous-secret-keys=s3cret-2,s3cret-3",
            "--first-superuser-password=s3cret-4",
            "--database-url=postgresql://u:s3cret-5@host/db",
            "--database-replica-url=postgresql://u:s3cret-6@replica/db",
            "--smtp-host=mail.example.com",
            "--emails-from-email=a@example.com",
            "--smtp-user=u",
            "--smtp-password=s3cret-7",
            "--celery-broker-url=amqp://u:s3cret-9@broker//",
            "--celery-result-backend=redis://u:s3cret-10@results",
            #[cfg(feature = "strangler")]
            "--legacy-url=http://localhost:1",
            #[cfg(feature = "strangler")]
            "--strangler-password=s3cret-8",
        ];
        let given = args(&flags);
        let settings = Settings::new(&given).unwrap();
        assert_eq!(settings.auth.secret_key.expose_secret(), "s3cret-1", "they are read");
        for text in [format!("{given:?} {given:#?}"), format!("{settings:?} {settings:#?}")] {
            assert!(!text.contains("s3cret"), "{text}");
        }
        let refused = ["--secret-key=s3cret-1", "--environment=production"];
        let error = Settings::new(&args(&refused)).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("s3cret"), "{error}");
    }

    fn refused(flags: &[&str]) -> String {
        let command = Cli::command().subcommand(Command::new("serve"));
        let matches = command.clone().try_get_matches_from(["molt"].iter().chain(flags)).unwrap();
        refuse_secret_flags(&command, &matches)
            .map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn no_secret_is_a_flag() {
        for flag in [
            "--secret-key=s3cret",
            "--previous-secret-keys=s3cret",
            "--first-superuser-password=s3cret",
            "--smtp-password=s3cret",
            "--database-url=postgresql://u:s3cret@host/db",
            "--database-url=postgresql://host/db?user=u&password=s3cret",
            "--database-replica-url=postgresql://u:s3cret@host/db",
            "--celery-broker-url=amqp://u:s3cret@broker//",
            "--celery-result-backend=redis://u:s3cret@results",
            #[cfg(feature = "strangler")]
            "--strangler-password=s3cret",
        ] {
            let (name, _) = flag.split_once('=').unwrap();
            let name = name.trim_start_matches("--").replace('-', "_").to_uppercase();
            for flags in [&[flag][..], &[flag, "serve"], &["serve", flag]] {
                let error = refused(flags);
                assert!(error.contains(&format!("\n  {name}: a secret is read")), "{error}");
                assert!(!error.contains("s3cret"), "{error}");
            }
        }
        assert_eq!(
            refused(&["--database-url=postgresql://localhost/molt", "--port=1", "serve"]),
            ""
        );
    }

    #[test]
    fn production_needs_a_key_of_32_bytes() {
        let error = production(31, &[]).unwrap_err();
        assert!(error.contains("SECRET_KEY: has 31 bytes, production needs 32"), "{error}");
        production(32, &[]).unwrap();
    }

    #[test]
    fn attempts_are_limited_in_production() {
        let limits = production(32, &[]).unwrap().auth.sign_in_limits;
        assert_eq!(limits.by_address.unwrap().get(), 60);
        assert_eq!(limits.by_account.unwrap().get(), 10);
        let off = ["--sign-in-limit-by-address=0", "--sign-in-limit-by-account=7"];
        let limits = production(32, &off).unwrap().auth.sign_in_limits;
        assert_eq!(limits.by_address, None);
        assert_eq!(limits.by_account.unwrap().get(), 7);
        let limits = settings(&[]).unwrap().auth.sign_in_limits;
        assert_eq!((limits.by_address, limits.by_account), (None, None));
    }
}
