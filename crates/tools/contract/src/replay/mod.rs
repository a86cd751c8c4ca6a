//! Recorded traffic as cases: HAR files, access logs in the common and combined formats, and logs
//! with a JSON object in each line.

mod filter;
mod har;
mod logs;
mod redact;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

pub use self::filter::Filter;
pub use self::redact::Redactor;
use crate::case::{Case, CaseError};

/// Headers that the client makes for itself.
const OWN_HEADERS: [&str; 7] = [
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// What a recording holds.
#[derive(Debug, Default)]
pub struct Recording {
    /// Its requests, in the order in which they were sent.
    pub cases: Vec<Case>,
    /// How many entries are no requests that can be sent, by reason, with the number of the first.
    pub skipped: BTreeMap<&'static str, (usize, usize)>,
}

impl Recording {
    /// The entries that were skipped, in words; none if there are none.
    pub fn remark(&self) -> Option<String> {
        let reasons: Vec<_> = self
            .skipped
            .iter()
            .map(|(reason, (count, first))| format!("{count} × {reason} (first: entry {first})"))
            .collect();
        (!reasons.is_empty()).then(|| format!("skipped {}", reasons.join(", ")))
    }
}

/// Reads recorded requests, whichever the format. A request that was signed in is sent as `user`, a
/// variable that holds a token: recorded ones have expired. Entries that are no request of HTTP, and
/// those that the filter refuses, are skipped and counted. Secrets become variables, whose values the
/// redactor has.
///
/// # Errors
/// When the file cannot be read or holds no request.
pub fn load(
    path: &Path,
    user: Option<&str>,
    filter: &Filter,
    redactor: &mut Redactor,
) -> Result<Recording, CaseError> {
    let bytes =
        std::fs::read(path).map_err(|source| CaseError::Read { path: path.to_owned(), source })?;
    read(&bytes, path, user, filter, redactor)
}

/// The same of a file that was read already.
///
/// # Errors
/// When it holds no request.
pub fn read(
    bytes: &[u8],
    path: &Path,
    user: Option<&str>,
    filter: &Filter,
    redactor: &mut Redactor,
) -> Result<Recording, CaseError> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let file =
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let har: Option<Value> = serde_json::from_str(text).ok();
    let entries = har.as_ref().and_then(|har| har["log"]["entries"].as_array());
    let recorded: Vec<(usize, Result<Entry, &'static str>)> = match entries {
        Some(entries) => {
            (1..).zip(entries).map(|(n, entry)| (n, har::entry(entry, user))).collect()
        }
        None => (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(n, line)| (n, logs::entry(line, user)))
            .collect(),
    };
    let mut recording = Recording::default();
    for (number, entry) in recorded {
        let taken = entry.and_then(|Entry { mut case, host }| {
            if let Some(reason) = filter.refuses(&case.request, host.as_deref()) {
                return Err(reason);
            }
            redactor.take(&mut case);
            Ok(case)
        });
        match taken {
            Ok(case) => {
                let at = format!("{}:{number}", path.display());
                recording.cases.push(Case { at, is_tolerant: true, ..case });
            }
            Err(reason) => recording.skipped.entry(reason).or_insert((0, number)).0 += 1,
        }
    }
    for case in &mut recording.cases {
        redactor.finish(case);
        let number = case.at.rsplit(':').next().unwrap_or_default();
        case.name = format!("{file} {number}: {}", case.request);
    }
    if recording.cases.is_empty() {
        let remark = recording.remark().map(|remark| format!(": {remark}")).unwrap_or_default();
        let message = format!("no request in it{remark}");
        return Err(CaseError::Syntax { path: path.to_owned(), message });
    }
    Ok(recording)
}

/// A recorded request.
struct Entry {
    case: Case,
    /// The host, if the recording has it.
    host: Option<String>,
}

/// Escapes what a case file would take for a variable.
fn plain(text: &str) -> String {
    text.replace("${", "${'$'*1}{")
}

fn case(method: &str, url: &str) -> Result<Case, &'static str> {
    let method = method.to_uppercase();
    if method.is_empty() || !method.chars().all(|c| c.is_ascii_uppercase() || c == '-') {
        return Err("without a method");
    }
    // The path and the query of a whole URL.
    let target = match url.split_once("://") {
        Some(("http" | "https", rest)) => rest.find(['/', '?']).map_or("/", |at| &rest[at..]),
        Some((scheme, _)) if scheme.chars().all(char::is_alphanumeric) => {
            return Err("of another protocol than HTTP");
        }
        _ => url,
    };
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.starts_with('?') { format!("/{target}") } else { target.to_owned() };
    if !target.starts_with('/') {
        return Err("without a path");
    }
    Ok(Case { request: format!("{method} {}", plain(&target)), ..Case::default() })
}

/// The host of a whole URL, with its port.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(authority.rsplit('@').next()?.to_owned())
}

fn set_header(case: &mut Case, name: &str, value: &str, user: Option<&str>) {
    let name = name.to_lowercase();
    if name == "authorization"
        && let Some(user) = user
    {
        case.user = Some(user.to_owned());
        return;
    }
    if name == "cookie"
        && let Some(cookies) = case.headers.get_mut("cookie")
    {
        // HTTP/2 sends each in a header of its own.
        cookies.push_str("; ");
        cookies.push_str(&plain(value));
        return;
    }
    // `:authority` and its like belong to HTTP/2.
    if !name.starts_with(':') && !OWN_HEADERS.contains(&&*name) {
        case.headers.insert(name, plain(value));
    }
}

#[cfg(test)]
mod tests;
