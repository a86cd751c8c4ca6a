//! Why a run cannot go on.

use reqwest::Url;

use super::client::ClientError;
use crate::case::{CaseError, origin};
use crate::effects::EffectError;
use crate::openapi::causes;

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Case(#[from] CaseError),
    #[error("{}the {service} at {base} cannot be reached: {}", origin(.at, .case), reason(.source))]
    Unreachable {
        service: &'static str,
        base: Box<Url>,
        at: String,
        case: String,
        source: reqwest::Error,
    },
    #[error("{}of the {service}: {source}", origin(.at, .case))]
    Effect { at: String, case: String, service: &'static str, source: EffectError },
    #[error("the command that signs in to the {service}: {message}")]
    SignIn { service: &'static str, message: String },
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Why a service cannot be reached, with everything that caused it and what to do about it.
fn reason(error: &reqwest::Error) -> String {
    let causes = causes(error);
    let hints = [
        ("UnknownIssuer", "--cacert names the authority that issued its certificate"),
        ("InvalidContentType", "it does not speak TLS: is it http://?"),
        ("NotValidForName", "its certificate is for another name"),
        ("dns error", "its name cannot be resolved"),
        ("Connection refused", "nothing listens there"),
    ];
    let hint = hints.iter().find(|(cause, _)| causes.contains(cause));
    hint.map_or_else(|| causes.clone(), |(_, hint)| format!("{causes} ({hint})"))
}
