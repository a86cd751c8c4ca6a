//! A run: every case to both services, in order.

mod again;
mod client;
mod error;
mod evaluation;
mod plan;
mod recorded;
mod round;
mod secrets;
mod side;
mod sign_in;
mod watch;

use std::collections::VecDeque;

use comparison::{Difference, Pairs};

pub use self::client::{ClientError, Connection};
pub use self::error::RunError;
use self::evaluation::Evaluation;
pub use self::plan::{Options, Plan, Service};
use self::recorded::Moved;
use self::round::{ask_all, is_independent};
pub use self::secrets::Secrets;
pub(crate) use self::side::OWN_ADDRESS;
use self::side::Side;
pub use self::sign_in::{Scheme, SignIn};
pub use self::watch::{Exchange, Watch};
use crate::case::Case;
use crate::ledger::Ledger;
use crate::outcome::Outcome;

/// How many requests of a worker are sent before their answers are compared.
const STRETCH: usize = 16;

/// Sends every case to the services and compares the answers. `operation` says to which operation
/// a request line belongs.
///
/// # Errors
/// When a service cannot be reached, or a case cannot be sent.
pub async fn run(
    plan: Plan,
    ledger: &mut Ledger,
    operation: impl Fn(&str) -> Option<String>,
    watch: &mut impl Watch,
) -> Result<Vec<Outcome>, RunError> {
    let Plan { reference, candidate, cases, slack, shared_database, window, options } = plan;
    let mut reference = match reference {
        Some(service) => Some(Side::new("reference", service, &options).await?),
        None => None,
    };
    let mut candidate = Side::new("candidate", candidate, &options).await?;
    let pairs = if shared_database { Pairs::literal() } else { Pairs::starting_now() };
    let mut evaluation = Evaluation {
        ledger,
        operation,
        pairs,
        moved: Moved::new(),
        slack,
        window,
        options: &options,
    };
    // What a response sets is needed for the next request.
    let workers = if options.keeps_cookies { 1 } else { options.connection.workers.max(1) };
    let mut outcomes = Vec::new();
    let mut queue = cases.into_iter().flat_map(Case::expand).collect::<VecDeque<_>>();
    loop {
        if queue.is_empty() {
            queue.extend(watch.more(&outcomes).into_iter().flat_map(Case::expand));
        }
        let Some(first) = queue.pop_front() else { break };
        let mut stretch = vec![first];
        while stretch.len() < STRETCH * workers
            && workers > 1
            && let Some(next) = queue.pop_front_if(|next| is_independent(next, &stretch, &options))
        {
            stretch.push(next);
        }
        let rounds = ask_all(&stretch, reference.as_mut(), &mut candidate, workers).await;
        for ((case, row), round) in stretch.iter().zip(rounds) {
            let round = round?;
            if stretch.len() > 1 {
                if let (Some(side), Some(answered)) = (&mut reference, &round.reference) {
                    side.keep(case, answered)?;
                }
                candidate.keep(case, &round.candidate)?;
            }
            let sides = (reference.as_ref(), &candidate);
            let outcome = evaluation.outcome(case, row, &round, sides, watch).await?;
            watch.outcome(&outcome);
            outcomes.push(outcome);
        }
    }
    let compares = reference.is_some() || options.is_recorded;
    for entry in evaluation.ledger.stale().filter(|_| compares) {
        let outcome = Outcome {
            case: format!("ledger: {}", entry.case),
            operation: "ledger".into(),
            differences: vec![Difference {
                path: "ledger".into(),
                reference: format!("the ledger expects {}", entry.expectation()),
                candidate: format!("it did not occur: {} should remove the entry", entry.owner),
            }],
            ..Outcome::default()
        };
        watch.outcome(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
