//! The command `contract`.

use std::process::ExitCode;

fn main() -> ExitCode {
    contract::cli::main()
}
