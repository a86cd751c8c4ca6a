//! The command `scaffold`.

use std::process::ExitCode;

fn main() -> ExitCode {
    scaffold::cli::main()
}
