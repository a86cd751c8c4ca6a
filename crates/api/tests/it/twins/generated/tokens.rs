//! Generated tokens: both services must read the same from each.

use std::process::Command;

use api::tokens::Tokens;
use chrono::TimeDelta;
use secrecy::SecretString;
use serde::Deserialize;
use testbed::{python, root};
use uuid::Uuid;

const KEY: &str = "a key that both services are given";

/// A token, and what python-legacy reads from it.
#[derive(Deserialize)]
struct Case {
    token: String,
    access: Option<Uuid>,
    reset: Option<String>,
}

#[test]
fn both_services_accept_the_same_tokens() {
    let number = |name| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let count = number("GENERATED").unwrap_or(3000).max(3000);
    let seed = number("SEED").unwrap_or(1);
    let output = Command::new(python().unwrap())
        .arg("-W")
        .arg("ignore")
        .arg(root().join("crates/api/tests/it/twins/generated/tokens.py"))
        .args([count.to_string(), seed.to_string()])
        .env("PYTHONPATH", root().join("python-legacy"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SECRET_KEY", KEY)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let hour = TimeDelta::hours(1);
    let tokens = Tokens::new(&SecretString::from(KEY), &[], hour, hour);
    let (mut access, mut reset) = (0, 0);
    let cases = String::from_utf8(output.stdout).unwrap();
    for line in cases.lines() {
        let case: Case = serde_json::from_str(line).unwrap();
        assert_eq!(tokens.read_access_token(&case.token), case.access, "{line}");
        assert_eq!(tokens.read_reset_token(&case.token), case.reset, "{line}");
        access += usize::from(case.access.is_some());
        reset += usize::from(case.reset.is_some());
    }
    let refused = cases.lines().count() - access - reset;
    println!("{access} access tokens, {reset} reset tokens, {refused} refused");
    assert!(access > 100 && reset > 100 && refused > 100, "{access} {reset} {refused}");
}
