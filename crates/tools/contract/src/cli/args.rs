//! The arguments of `contract`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use reqwest::Url;

use crate::openapi::{self, Class};

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
  contract import traffic.har --as alice > my/cases/traffic.yaml"
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Run case files against two services, or one alone
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
    /// Print recorded traffic as a case file
    Import {
        /// A HAR file, an access log (common, combined) or a log of JSON lines
        recording: PathBuf,
        /// The variable with the token of requests that were signed in
        #[arg(long = "as")]
        user: Option<String>,
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
    /// Accept changes: RULE, RULE@PLACE or @PLACE, with `*` for anything
    #[arg(long, value_name = "RULE@PLACE")]
    pub(super) ignore: Vec<String>,
    /// A file with such a line for each accepted change
    #[arg(long)]
    pub(super) ignore_file: Vec<PathBuf>,
}

/// What a run is of.
#[derive(Args)]
pub(super) struct RunArgs {
    /// Base URL of the service that is right; without it only the expectations of
    /// the cases are checked
    #[arg(long, env = "REFERENCE_URL")]
    pub(super) reference: Option<Url>,
    /// Base URL of the service that must do the same
    #[arg(long, env = "CANDIDATE_URL")]
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
    /// Where the JSON report goes; beside it report.html, report.md and junit.xml
    #[arg(long, default_value = "target/contract/report.json")]
    pub(super) report: PathBuf,
    /// Name of this run in the report
    #[arg(long, default_value = "run", env = "CONTRACT_LABEL")]
    pub(super) label: String,
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

/// Where cases are unless it is said.
pub(super) const CASES: &str = "openapi/cases";
