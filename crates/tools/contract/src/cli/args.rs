//! The arguments of `contract`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use reqwest::Url;

use crate::openapi::{self, Class};

mod options;

pub(super) use self::options::{ConnectionArgs, RecordingArgs, SelectionArgs, SignInArgs};

/// Sends the same requests to two services and compares every byte of their answers.
#[derive(Parser)]
#[command(
    name = "contract",
    version,
    after_help = "Exit codes: 0 all the same, 1 differences, 2 the run failed.

Examples:
  contract run --reference http://old:8000 --candidate http://new:8000 --cases my/cases
  contract run --reference http://old:8000 --candidate http://new:8000 --cases my/cases \\
    --generate openapi.json --count 5000 --seed 7 --users admin,alice --replay access.log
  contract self-test --reference http://old:8000 --candidate http://new:8000 --cases my/cases
  contract openapi main/openapi.json openapi/openapi.json
  contract import traffic.har --host shop.example --as alice > my/cases/traffic.yaml

`contract COMMAND --help` has more, with examples."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Run case files against two services, or one alone
    #[command(after_help = RUN_EXAMPLES)]
    Run(Box<RunArgs>),
    /// Inject faults into the candidate's responses, one at a time, and check that each is detected
    #[command(
        name = "self-test",
        after_help = "Adds up runs in self-test.json beside the report. Exit codes: 0 at least 99 \
            of 100 faults caught and no false alarm, 1 otherwise, 2 the run failed."
    )]
    SelfTest {
        #[command(flatten)]
        run: Box<RunArgs>,
        /// Inject no faults, only count false alarms
        #[arg(long)]
        no_faults: bool,
    },
    /// Print recorded traffic as a case file that can be committed
    #[command(
        after_help = "Cookies, tokens, keys and passwords become variables; their names are \
        printed. A run gets their values with --secret NAME (from the environment) or --variable.

Examples:
  contract import traffic.har --host shop.example --path '/api/*' > cases/traffic.yaml
  contract import access.log --method GET,HEAD --as alice > cases/log.yaml"
    )]
    Import {
        /// A HAR file, an access log (common, combined, of uvicorn, gunicorn, nginx, Apache, ALB) or a
        /// log of JSON lines (of Caddy, nginx, Traefik)
        recording: PathBuf,
        /// The variable with the token of requests that were signed in
        #[arg(long = "as")]
        user: Option<String>,
        #[command(flatten)]
        filter: RecordingArgs,
        /// Keep cookies, tokens, keys and passwords as they were recorded
        #[arg(long)]
        keep_secrets: bool,
    },
    /// Print the JSON schema of a file format, for editors
    Schema {
        #[arg(value_enum)]
        of: Format,
    },
    /// Compare two versions of an OpenAPI document: what breaks clients?
    Openapi(DocumentsArgs),
    /// Print every rule of `contract openapi`, in Markdown
    Rules,
}

/// What two documents are compared by.
#[derive(Args)]
#[command(after_help = "A document is a file in JSON or YAML, `-` for standard input, a URL, or \
    REVISION:PATH of a git repository. Exit codes: 0 nothing at or above --fail-on, 1 something, 2 \
    the comparison failed.

Examples:
  contract openapi old.json new.json
  contract openapi main:openapi.json openapi.json --format github
  contract openapi old.yaml new.yaml --fail-on non-breaking --ignore operation-added \\
    --ignore 'property-removed@Item.secret' --ignore '@GET /internal/*'")]
pub(super) struct DocumentsArgs {
    /// The document that clients know
    pub(super) old: String,
    /// The new document
    pub(super) new: String,
    /// What makes the command fail
    #[arg(long, value_enum, default_value = "breaking")]
    pub(super) fail_on: FailOn,
    /// How the changes are printed
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: openapi::Format,
    /// Short for `--format json`
    #[arg(long, conflicts_with = "format")]
    pub(super) json: bool,
    /// Accept changes: RULE, RULE@PATH or @PATH, with `*` for anything
    #[arg(long, value_name = "RULE@PATH")]
    pub(super) ignore: Vec<String>,
    /// A file with such a line for each accepted change
    #[arg(long)]
    pub(super) ignore_file: Vec<PathBuf>,
}

/// What a run is of.
#[derive(Args)]
pub(super) struct RunArgs {
    /// Base URL of the service that is right, or `recorded` for the answers in the recordings;
    /// without it only expectations of the cases and the document are checked
    #[arg(long, env = "REFERENCE_URL")]
    pub(super) reference: Option<Reference>,
    /// Base URL of the service that must do the same
    #[arg(long, env = "CANDIDATE_URL", value_parser = address)]
    pub(super) candidate: Url,
    /// A case file, or a folder of them
    #[arg(long, default_value = CASES)]
    pub(super) cases: PathBuf,
    /// Differences that are deliberate
    #[arg(long)]
    pub(super) ledger: Option<PathBuf>,
    /// Recorded traffic to send after the cases: a HAR file or an access log
    #[arg(long)]
    pub(super) replay: Vec<PathBuf>,
    /// An OpenAPI document to make more requests from, sent last
    #[arg(long)]
    pub(super) generate: Option<String>,
    /// An OpenAPI document to which the candidate's answers must conform: status, content type,
    /// required headers, body. A candidate alone is held to the document of --generate
    #[arg(long)]
    pub(super) document: Option<String>,
    /// How many requests are made
    #[arg(long, default_value_t = 1000)]
    pub(super) count: usize,
    /// Another seed makes other requests
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Variables of the cases that hold tokens for the requests that are made or replayed, the
    /// most privileged user first
    #[arg(long, value_delimiter = ',')]
    pub(super) users: Vec<String>,
    /// Fail if an operation never answered with success, as then nothing of it was compared but errors
    #[arg(long)]
    pub(super) require_success: bool,
    /// With --require-success: operations that need not succeed here (`POST /payments/*`)
    #[arg(long, value_name = "OPERATION", requires = "require_success")]
    pub(super) may_fail: Vec<String>,
    /// By how many milliseconds the candidate may be slower in one request
    #[arg(long, default_value_t = 2000)]
    pub(super) slack: u64,
    /// Both services work on one database: ids and times must be equal, none stands for another
    #[arg(long)]
    pub(super) shared_database: bool,
    /// How many milliseconds both services' times of one event may be apart
    #[arg(long, default_value_t = 2000)]
    pub(super) time_window: u64,
    /// The reference's database, for cases that query it: postgresql:… or sqlite:…
    #[arg(long, env = "REFERENCE_DATABASE_URL", hide_env_values = true)]
    pub(super) reference_database: Option<String>,
    /// The candidate's database
    #[arg(long, env = "CANDIDATE_DATABASE_URL", hide_env_values = true)]
    pub(super) candidate_database: Option<String>,
    /// A Maildir with the reference's e-mails, for cases that read it
    #[arg(long, env = "REFERENCE_MAILS")]
    pub(super) reference_mails: Option<PathBuf>,
    /// A Maildir with the candidate's e-mails
    #[arg(long, env = "CANDIDATE_MAILS")]
    pub(super) candidate_mails: Option<PathBuf>,
    #[command(flatten)]
    pub(super) sign_in: SignInArgs,
    #[command(flatten)]
    pub(super) selection: SelectionArgs,
    #[command(flatten)]
    pub(super) recordings: RecordingArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
    /// Where the JSON report goes; beside it report.html, report.md and junit.xml
    #[arg(long, default_value = "target/contract/report.json")]
    pub(super) report: PathBuf,
    /// Name of this run in the report
    #[arg(long, default_value = "run", env = "CONTRACT_LABEL")]
    pub(super) label: String,
}

/// What is right.
#[derive(Clone, Debug)]
pub(super) enum Reference {
    Service(Url),
    Recorded,
}

impl std::str::FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "recorded" => Ok(Self::Recorded),
            url => address(url).map(Self::Service),
        }
    }
}

/// The base URL of a service.
fn address(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(format!("`{scheme}` is neither http nor https")),
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    Cases,
    Ledger,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Breaking,
    NonBreaking,
    Any,
    Nothing,
}

impl FailOn {
    pub(super) fn covers(self, class: Class) -> bool {
        match self {
            Self::Breaking => class == Class::Breaking,
            Self::NonBreaking => class != Class::Documentation,
            Self::Any => true,
            Self::Nothing => false,
        }
    }
}

const RUN_EXAMPLES: &str = "Exit codes: 0 all the same, 1 differences, 2 the run failed.

Examples:
  Two services, cases of one's own and generated requests as two users:
    contract run --reference http://old:8000 --candidate http://new:8000 --cases cases \\
      --generate openapi.json --users admin,alice
  Signed in with tokens from the environment, which no report shows:
    contract run … --sign-in 'admin=bearer:${env:ADMIN_TOKEN}' --sign-in 'alice=basic:alice:${env:PW}'
  With a key for all requests, and a token that a command prints:
    contract run … --sign-in 'header:X-Api-Key:${env:API_KEY}'
    contract run … --sign-in 'alice=command:curl -sf $SERVICE_URL/token -d @login | jq -r .token'
  One tag of the document, but no deletions, four requests at once, ten a second:
    contract run … --only tag:items --skip 'DELETE *' --workers 4 --rate 10
  One service alone, held to its document:
    contract run --candidate http://new:8000 --generate openapi.json
  A service that no longer runs, of which a browser recorded answers:
    contract run --reference recorded --replay traffic.har --host shop.example \\
      --candidate http://new:8000";

/// Where cases are unless it is said.
pub(super) const CASES: &str = "openapi/cases";
