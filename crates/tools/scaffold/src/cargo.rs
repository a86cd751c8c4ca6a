//! Cargo, started from a program that Cargo has started.

use std::process::Command;

/// What Cargo tells a program about its own package. Build scripts that read it, such as ring's, would
/// run again, and all that depends on them would be compiled again, now and once more the next time.
const OF_A_PACKAGE: [&str; 4] = ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_"];

/// Cargo as if it were started from a shell.
pub fn cargo() -> Command {
    let mut command = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        let is_of_package = |prefix: &str| name.as_encoded_bytes().starts_with(prefix.as_bytes());
        if OF_A_PACKAGE.iter().any(|prefix| is_of_package(prefix)) {
            command.env_remove(name);
        }
    }
    command
}
