//! What happens on connections, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// An event that is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// A connection changed to another protocol.
    Upgrade,
    /// The old service refused to change the protocol, or the client's connection cannot.
    UpgradeRefused,
    /// A connection that changed to another protocol carried nothing for too long.
    IdleTunnel,
    /// The old service broke a response off, or sent nothing more of it in time.
    CutByLegacy,
    /// A client took a response too slowly.
    CutByClient,
    /// A client left before it had the whole response.
    ClientLeft,
    /// A client sent its body too slowly, or broke it off.
    SlowUpload,
    /// A request was refused, as it may not be forwarded.
    Refused,
    /// There were too many requests at the old service.
    Overloaded,
    /// A request was sent again as a kept connection had been closed.
    Retry,
    /// A wrong password of the page.
    SignInFailed,
}

impl Event {
    pub(crate) const ALL: [Self; 11] = [
        Self::Upgrade,
        Self::UpgradeRefused,
        Self::IdleTunnel,
        Self::CutByLegacy,
        Self::CutByClient,
        Self::ClientLeft,
        Self::SlowUpload,
        Self::Refused,
        Self::Overloaded,
        Self::Retry,
        Self::SignInFailed,
    ];

    /// Its label in the metrics.
    #[cfg(feature = "metrics")]
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::UpgradeRefused => "upgrade_refused",
            Self::IdleTunnel => "idle_tunnel",
            Self::CutByLegacy => "cut_by_legacy",
            Self::CutByClient => "cut_by_client",
            Self::ClientLeft => "client_left",
            Self::SlowUpload => "slow_upload",
            Self::Refused => "refused",
            Self::Overloaded => "overloaded",
            Self::Retry => "retry",
            Self::SignInFailed => "sign_in_failed",
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Events([AtomicU64; Event::ALL.len()]);

impl Events {
    pub(crate) fn count(&self, event: Event) {
        self.0[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn get(&self, event: Event) -> u64 {
        self.0[event as usize].load(Ordering::Relaxed)
    }
}
