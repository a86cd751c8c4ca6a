//! Which server was chosen is never silent.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Writes which server was chosen, each choice once: a process may start many.
pub(crate) fn report(server: &str, choice: &str) {
    static REPORTED: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let line = format!("testbed: {server}: {choice}");
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !reported.contains(&line) {
        // Not `eprintln!`, which tests capture.
        _ = writeln!(std::io::stderr(), "{line}");
        reported.push(line);
    }
}
