//! The e-mails that the old service sends: they pass here on their way to its mail server, and are
//! compared with those of rehearsals.

mod relay;
mod session;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use comparison::{Answer, Difference, Pairs, compare};
use serde_json::json;
use tokio::sync::Notify;

pub use self::relay::MailRelay;
pub(crate) use self::session::replayed;
use crate::emails::Message;
use crate::lock::lock;
use crate::memory::{Budget, Held};

/// How long an e-mail of the old service is waited for after its response: some send it afterwards.
const GRACE: Duration = Duration::from_secs(2);
/// How long and how many e-mails are kept.
const KEPT: Duration = Duration::from_mins(1);
const MAX_KEPT: usize = 1000;

/// An e-mail as it is compared.
fn answer(message: &Message) -> Answer {
    let text = message.text.replace("\r\n", "\n");
    let body = json!({"to": message.to, "subject": message.subject, "text": text.trim()});
    Answer { status: 0, headers: BTreeMap::new(), body: body.to_string().into_bytes() }
}

fn shown(message: &Message) -> String {
    format!("to {}: {}", message.to, message.subject)
}

/// The e-mails of the old service that no rehearsal has claimed.
#[derive(Debug)]
pub(crate) struct Mails {
    kept: Mutex<Kept>,
    /// The memory for them.
    budget: Arc<Budget>,
    arrived: Notify,
    /// Requests that have gone to the old service, and those that are still there.
    begun: AtomicU64,
    ended: AtomicU64,
}

#[derive(Debug, Default)]
struct Kept {
    sent: VecDeque<Sent>,
    /// When one was last sent that is not here: it could not be read, or there was no room for it.
    lost: Option<Instant>,
}

#[derive(Debug)]
struct Sent {
    _held: Held,
    at: Instant,
    /// How many requests had gone to the old service by then.
    begun: u64,
    message: Message,
}

/// When a request went to the old service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    at: Instant,
    begun: u64,
    /// No other request was there.
    is_alone: bool,
}

/// A request at the old service.
pub(crate) struct AtLegacy<'a>(&'a Mails);

impl Drop for AtLegacy<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl Mails {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        let (begun, ended) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { kept: Mutex::default(), budget, arrived: Notify::new(), begun, ended }
    }

    fn add(&self, message: Message) {
        let mut kept = lock(&self.kept);
        while kept.sent.front().is_some_and(|it| it.at.elapsed() > KEPT) {
            kept.sent.pop_front();
        }
        let mut held = self.budget.part();
        if kept.sent.len() >= MAX_KEPT || !held.grow(message.size()) {
            kept.lost = Some(Instant::now());
        } else {
            let begun = self.begun.load(Ordering::Relaxed);
            kept.sent.push_back(Sent { _held: held, at: Instant::now(), begun, message });
        }
        drop(kept);
        self.arrived.notify_waiters();
    }

    /// Notes that an e-mail was perhaps sent that is not known.
    fn lose(&self) {
        lock(&self.kept).lost = Some(Instant::now());
    }

    /// Counts a request while it is at the old service.
    pub(crate) fn at_legacy(&self) -> AtLegacy<'_> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        AtLegacy(self)
    }

    /// Now, before a request goes to the old service.
    pub(crate) fn now(&self) -> Moment {
        let begun = self.begun.load(Ordering::Relaxed);
        let is_alone = begun == self.ended.load(Ordering::Relaxed);
        Moment { at: Instant::now(), begun, is_alone }
    }

    /// Compares the e-mails that the old service has sent since a request went there with those of the
    /// request's rehearsal, and waits for them a little. Returns the differences; `None` if the request's
    /// e-mail may be one that could not be read or kept, so that nothing is known of it.
    ///
    /// One that the rehearsal has not sent counts only if nothing else can have caused it: the request
    /// names its recipient, and no other one was there.
    pub(crate) async fn compare(
        &self,
        since: Moment,
        request: &str,
        ours: &[Message],
        pairs: &mut Pairs,
    ) -> Option<Vec<Difference>> {
        let mut left: Vec<_> = ours.iter().collect();
        // One that the rehearsal has not sent is waited for only where it can be seen whose it is.
        let may_come = ours.is_empty() && since.is_alone && request.contains('@');
        let deadline = tokio::time::Instant::now() + GRACE;
        loop {
            // Before looking, so that none is missed in between.
            let arrived = self.arrived.notified();
            left.retain(|message| !self.claim(since.at, message, pairs));
            // To the end: the rehearsal of a request before, which it belongs to, may claim it yet.
            if left.is_empty() && !may_come {
                break;
            }
            if tokio::time::timeout_at(deadline, arrived).await.is_err() {
                break;
            }
        }
        let is_lost = lock(&self.kept).lost.is_some_and(|lost| lost >= since.at);
        if is_lost && (may_come || !left.is_empty()) {
            return None;
        }
        let mut surplus = self.unclaimed(since, request);
        let mut differences = Vec::new();
        for message in left {
            // The one that it should have been, most likely.
            let is_like = |(_, other): &(bool, Message)| {
                other.to == message.to || other.subject == message.subject
            };
            let other = surplus.iter().position(is_like).map(|index| surplus.swap_remove(index));
            let Some((_, other)) = other else {
                differences.push(Difference {
                    path: "message".into(),
                    reference: "(absent)".into(),
                    candidate: shown(message),
                });
                continue;
            };
            let found = compare(&answer(&other), &answer(message), true, pairs);
            differences.extend(found.into_iter().map(|difference| Difference {
                path: difference.path.replacen("body", "message", 1),
                ..difference
            }));
        }
        let certain = surplus.iter().filter(|(is_certain, _)| *is_certain);
        differences.extend(certain.map(|(_, message)| Difference {
            path: "message".into(),
            reference: shown(message),
            candidate: "(absent)".into(),
        }));
        Some(differences)
    }

    /// Takes an e-mail that is the same as this one.
    fn claim(&self, since: Instant, message: &Message, pairs: &mut Pairs) -> bool {
        let ours = answer(message);
        let sent = &mut lock(&self.kept).sent;
        let found = sent.iter().position(|Sent { at, message: theirs, .. }| {
            let mut matched = pairs.clone();
            let is_same = *at >= since
                && theirs.to == message.to
                && compare(&answer(theirs), &ours, true, &mut matched).is_empty();
            if is_same {
                *pairs = matched;
            }
            is_same
        });
        found.and_then(|index| sent.remove(index)).is_some()
    }

    /// The e-mails that a request may have caused, as it names their recipients, and whether nothing else
    /// can have.
    fn unclaimed(&self, since: Moment, request: &str) -> Vec<(bool, Message)> {
        let request = request.to_lowercase();
        let kept = lock(&self.kept);
        let named = kept.sent.iter().filter(|it| it.at >= since.at);
        let named = named.filter(|it| has_address(&request, &it.message.to.to_lowercase()));
        let certain = |it: &Sent| since.is_alone && it.begun <= since.begun + 1;
        named.map(|it| (certain(it), it.message.clone())).collect()
    }
}

/// Whether a text has this address, not as the end or the beginning of another.
fn has_address(text: &str, address: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "._%+-".contains(c);
    text.match_indices(address).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + address.len()..]);
        let mut after = after.chars();
        !before.ends_with(is_part)
            && match after.next() {
                // The end of a sentence.
                Some('.') => !after.next().is_some_and(is_part),
                next => !next.is_some_and(is_part),
            }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message { to: "one@b.co".into(), subject: "Hello".into(), text: text.into() }
    }

    #[test]
    fn an_address_is_not_a_part_of_another() {
        for text in ["one@b.co", "/recovery/one@b.co", "{\"to\":\"one@b.co\"}", "to one@b.co. Now"]
        {
            assert!(has_address(text, "one@b.co"), "{text}");
        }
        for text in ["new-one@b.co", "one@b.com", "one@b.co.uk", "someone@b.co", "", "b.co"] {
            assert!(!has_address(text, "one@b.co"), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_email_belongs_to_the_rehearsal_that_sends_it_too() {
        let mails = Mails::new(Budget::new(10_000));
        // The old service sends it after its response, when the next request is there already.
        let first = mails.now();
        drop(mails.at_legacy());
        let second = mails.now();
        drop(mails.at_legacy());
        let ours = [message("a text")];
        let (mut pairs, mut others) = (Pairs::from_one_past(), Pairs::from_one_past());
        let (second, first, ()) = tokio::join!(
            mails.compare(second, "one@b.co", &[], &mut others),
            mails.compare(first, "one@b.co", &ours, &mut pairs),
            async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                mails.add(message("a text"));
            }
        );
        assert_eq!((first, second), (Some(Vec::new()), Some(Vec::new())));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_known_is_no_difference() {
        for (room, lost) in [(1000, false), (1000, true), (20, false)] {
            let mails = Mails::new(Budget::new(room));
            let since = mails.now();
            let _at_legacy = mails.at_legacy();
            mails.add(message(&"a text of theirs".repeat(2)));
            if lost {
                mails.lose();
            }
            let ours = [message("another")];
            let found = mails.compare(since, "one@b.co", &ours, &mut Pairs::from_one_past()).await;
            assert_eq!(found.is_none(), lost || room < 100, "{room} {lost}: {found:?}");
            assert!(found.is_none_or(|found| !found.is_empty()), "it differs where it is known");
            // Of a request that causes none, nothing was lost.
            let none = mails.compare(since, "", &[], &mut Pairs::from_one_past()).await;
            assert_eq!(none, Some(Vec::new()));
            let later = mails.now();
            let found = mails.compare(later, "", &ours, &mut Pairs::from_one_past()).await;
            let count = found.as_ref().map(Vec::len);
            assert_eq!(count, Some(1), "what was not known before is over: {found:?}");
        }
    }
}
