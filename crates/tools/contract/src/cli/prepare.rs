//! What a run sends, and with what, from its arguments.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

use super::args::{CASES, ConnectionArgs, RecordingArgs, Reference, RunArgs, SignInArgs};
use super::error::BoxError;
use crate::case::{Case, Variables, names};
use crate::conformance::Conformance;
use crate::effects::Sinks;
use crate::generate::Source;
use crate::ledger::Ledger;
use crate::replay::{Filter, Redactor};
use crate::run::{Connection, Options, Plan, Service};
use crate::select::Selection;
use crate::{openapi, replay};

/// What a run sends, and what may differ.
pub(super) struct Prepared {
    pub(super) plan: Plan,
    /// What requests are made from, which are sent last.
    pub(super) source: Option<Source>,
    /// Which of the cases are sent.
    pub(super) selection: Selection,
    pub(super) document: Option<Value>,
    pub(super) ledger: Ledger,
}

impl Prepared {
    pub(super) async fn new(args: &RunArgs) -> Result<Self, BoxError> {
        let sinks = |database: &Option<String>, mails: &Option<PathBuf>| Sinks {
            database: database.clone(),
            mails: mails.clone(),
        };
        let candidate = Service {
            base: args.candidate.clone(),
            sinks: sinks(&args.candidate_database, &args.candidate_mails),
        };
        let (reference, is_recorded) = match &args.reference {
            Some(Reference::Service(base)) => {
                let sinks = sinks(&args.reference_database, &args.reference_mails);
                (Some(Service { base: base.clone(), sinks }), false)
            }
            Some(Reference::Recorded) => (None, true),
            None => (None, false),
        };
        let mut options = options(&args.sign_in, &args.connection)?;
        options.is_recorded = is_recorded;
        let cases = own_cases(args, reference.as_ref(), &candidate)?;
        let recorded = recorded_cases(args, &mut options)?;
        let ledger = match &args.ledger {
            Some(path) => Ledger::load(path, &args.label)?,
            None => Ledger::default(),
        };
        let document = match args.document.as_ref().or(args.generate.as_ref()) {
            Some(name) => Some(openapi::load(name).await?),
            None => None,
        };
        let selection = Selection::new(&args.selection.only, &args.selection.skip);
        let from = |document: &Value| {
            let source = Source::new(document, &args.users, args.count, args.seed);
            let source = source.signed_in(|location, name| carries(args, location, name));
            let wanted = selection.operations(document);
            if selection.is_all() {
                Some(source)
            } else {
                (!wanted.is_empty()).then(|| source.only_to(wanted))
            }
        };
        let source = match &args.generate {
            Some(name) if args.document.is_some() => from(&openapi::load(name).await?),
            Some(_) => document.as_ref().and_then(from),
            None => None,
        };
        let has_reference = reference.is_some() || is_recorded;
        if args.document.is_some() || !has_reference {
            options.conformance =
                document.clone().map(|document| Arc::new(Conformance::new(document)));
        }
        let all: Vec<Case> = cases.into_iter().chain(recorded).collect();
        let count = all.len();
        let users: &[String] = source.as_ref().map_or(&[], |_| &args.users);
        let cases = selection.of(all, users, document.as_ref(), &options);
        if cases.is_empty() && source.is_none() {
            let what = match (&args.generate, count) {
                (Some(name), _) => format!("no operation of {name} fits --only and --skip"),
                (None, 0) => format!("no case in {}", args.cases.display()),
                (None, count) => format!("none of {count} cases fits --only and --skip"),
            };
            return Err(format!("nothing to send: {what}").into());
        }
        environment(&cases, &mut options)?;
        checked(&cases, &options, has_reference || source.is_some())?;
        let plan = Plan {
            reference,
            candidate,
            cases,
            slack: Duration::from_millis(args.slack),
            shared_database: args.shared_database,
            window: Duration::from_millis(args.time_window),
            options,
        };
        Ok(Self { plan, source, selection, document, ledger })
    }

    /// How many requests it is about, at most.
    pub(super) fn requests(&self) -> usize {
        let own: usize = self.plan.cases.iter().map(|case| case.each.len().max(1)).sum();
        own + self.source.as_ref().map_or(0, Source::count)
    }
}

/// The cases of files that the services' sinks can show.
fn own_cases(
    args: &RunArgs,
    reference: Option<&Service>,
    candidate: &Service,
) -> Result<Vec<Case>, BoxError> {
    // Recorded or generated requests need no cases of one's own.
    let is_usual = args.cases == Path::new(CASES) && !args.cases.exists();
    let is_alone = is_usual && (!args.replay.is_empty() || args.generate.is_some());
    let mut cases = if is_alone { Vec::new() } else { Case::load(&args.cases)? };
    let visible =
        |case: &Case| candidate.sinks.show(case) && reference.is_none_or(|r| r.sinks.show(case));
    let all = cases.len();
    cases.retain(|case| !case.is_effect() || visible(case));
    if cases.len() < all {
        eprintln!(
            "contract: {} cases query effects of requests and are skipped: specify \
             --reference-database and --candidate-database, --reference-mails and \
             --candidate-mails",
            all - cases.len()
        );
    }
    Ok(cases)
}

/// The cases of recordings; their secrets become variables that no report shows.
fn recorded_cases(args: &RunArgs, options: &mut Options) -> Result<Vec<Case>, BoxError> {
    let (filter, mut redactor) = (filter(&args.recordings), Redactor::default());
    let mut cases = Vec::new();
    for recording in &args.replay {
        let user = args.users.first().map(String::as_str);
        let loaded = replay::load(recording, user, &filter, &mut redactor)?;
        if let Some(remark) = loaded.remark() {
            eprintln!("contract: {}: {remark}", recording.display());
        }
        cases.extend(loaded.cases);
    }
    for (name, value) in redactor.variables() {
        options.secrets.add(&value);
        options.variables.entry(name).or_insert(value);
    }
    if options.is_recorded {
        let all = cases.len();
        cases.retain(|case| case.recorded.is_some());
        if cases.is_empty() {
            return Err("no recording of --replay has answers: only HAR files have them".into());
        }
        if cases.len() < all {
            eprintln!("contract: {} requests without an answer are left out", all - cases.len());
        }
    }
    Ok(cases)
}

/// Says what of a run is not checked.
fn checked(cases: &[Case], options: &Options, has_reference: bool) -> Result<(), BoxError> {
    if has_reference {
        return Ok(());
    }
    let is_checked = |case: &Case| {
        let document = options.conformance.as_ref();
        case.has_expectation()
            || document.is_some_and(|document| {
                // A variable is a segment like any other.
                document.covers(&case.request)
            })
    };
    let unchecked = cases.iter().filter(|case| !is_checked(case)).count();
    if unchecked == cases.len() {
        return Err("nothing to check: no case has an expectation, and there is neither a \
            --reference to compare with nor a --document that has their operations"
            .into());
    }
    if unchecked > 0 {
        eprintln!("contract: {unchecked} cases without an expectation are sent and not checked");
    }
    Ok(())
}

pub(super) fn filter(args: &RecordingArgs) -> Filter {
    let RecordingArgs { host, path, method } = args;
    Filter { hosts: host.clone(), paths: path.clone(), methods: method.clone() }
}

fn options(sign_in: &SignInArgs, connection: &ConnectionArgs) -> Result<Options, BoxError> {
    let mut options = Options {
        connection: Connection {
            timeout: Duration::from_secs_f64(connection.timeout.min(1e9)),
            retries: connection.retries,
            rate: connection.rate,
            workers: connection.workers,
            authorities: connection.cacert.clone(),
            identity: connection.cert.clone().zip(connection.key.clone()),
            is_insecure: connection.insecure,
            proxy: connection.proxy.clone(),
        },
        sign_in: sign_in.sign_in.clone(),
        keeps_cookies: sign_in.cookies,
        ..Options::default()
    };
    for text in &sign_in.variable {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("--variable {text}: NAME=VALUE is needed"))?;
        options.variables.insert(name.to_owned(), value.to_owned());
    }
    for text in &sign_in.secret {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (text.as_str(), variable(text).map_err(|error| format!("--secret: {error}"))?),
        };
        options.secrets.add(&value);
        options.variables.insert(name.to_owned(), value);
    }
    // A password in the URL of the proxy is one as well.
    options.secrets.add(connection.proxy.as_ref().and_then(Url::password).unwrap_or_default());
    let texts = sign_in.sign_in.iter().map(|sign_in| sign_in.scheme.value());
    let given = from_environment(texts).map_err(|error| format!("--sign-in: {error}"))?;
    keep(given, &mut options);
    Ok(options)
}

/// Takes the variables of the environment that the cases use; all of them are secrets.
fn environment(cases: &[Case], options: &mut Options) -> Result<(), BoxError> {
    for case in cases {
        let uses = case.uses(&Variables::new());
        let references: Vec<_> = uses.iter().map(|name| format!("${{{name}}}")).collect();
        let given = from_environment(references.iter().map(String::as_str));
        keep(given.map_err(|error| case.invalid(error))?, options);
    }
    Ok(())
}

fn keep(given: Variables, options: &mut Options) {
    for (name, value) in given {
        options.secrets.add(&value);
        options.variables.insert(name, value);
    }
}

/// The variables of the environment to which texts refer as `${env:NAME}`.
fn from_environment<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Variables, String> {
    let mut given = Variables::new();
    for name in texts.flat_map(names) {
        if let Some(key) = name.strip_prefix("env:") {
            given.insert(name.to_owned(), variable(key)?);
        }
    }
    Ok(given)
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the environment has no variable '{name}'"))
}

/// Whether users sign in with this parameter.
fn carries(args: &RunArgs, location: &str, name: &str) -> bool {
    let is_token = !args.users.is_empty() && location == "header";
    let is_kept = args.sign_in.cookies && location == "cookie";
    let mut carriers = args.sign_in.sign_in.iter().map(|sign_in| sign_in.scheme.carrier());
    is_kept
        || is_token && name.eq_ignore_ascii_case("authorization")
        || carriers.any(|(known, key)| {
            // Only the names of headers have no case.
            known == location
                && (key == name || location == "header" && key.eq_ignore_ascii_case(name))
        })
}
