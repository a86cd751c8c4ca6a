//! The command `k8s-check`.

use std::process::ExitCode;

fn main() -> ExitCode {
    k8s_check::cli::main()
}
