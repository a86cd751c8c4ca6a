//! Without the feature `mail-relay` the old service's e-mails do not pass here: there are never any
//! [`Mails`].

use comparison::{Difference, Pairs};

use crate::emails::Message;

/// When a request went to the old service.
pub(crate) type Moment = std::time::Instant;

/// The e-mails of the old service: none can be.
#[derive(Debug)]
pub(crate) enum Mails {}

impl Mails {
    pub(crate) const fn at_legacy(&self) -> Moment {
        match *self {}
    }

    pub(crate) const fn now(&self) -> Moment {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "as with the feature")]
    pub(crate) async fn compare(
        &self,
        _since: Moment,
        _request: &str,
        _ours: &[Message],
        _pairs: &mut Pairs,
    ) -> Option<Vec<Difference>> {
        match *self {}
    }
}
