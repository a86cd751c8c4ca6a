//! Rate limits of sign-in attempts, by client and by account.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::{ConnectInfo, FromRequestParts};
use fastapi_compat::layers::Peer;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::request::Parts;

use crate::{App, Error};

/// Requests a minute that hash or recover a password; no limit where there is no number.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttemptsPerMinute {
    pub by_address: Option<NonZeroU32>,
    pub by_account: Option<NonZeroU32>,
}

/// Limits attempts to guess passwords, and e-mails that clients have sent to others.
#[derive(Debug)]
pub struct Attempts {
    by_address: Option<DefaultKeyedRateLimiter<IpAddr>>,
    /// By a hash of the e-mail address, known or not.
    by_account: Option<DefaultKeyedRateLimiter<u64>>,
    accounts: RandomState,
    since_cleaning: AtomicU32,
}

/// The number of attempts after which idle clients and accounts are removed from the maps.
const CLEANING: u32 = 1024;

impl Attempts {
    pub fn new(allowed: AttemptsPerMinute) -> Self {
        Self {
            by_address: allowed.by_address.map(Quota::per_minute).map(RateLimiter::keyed),
            by_account: allowed.by_account.map(Quota::per_minute).map(RateLimiter::keyed),
            accounts: RandomState::new(),
            since_cleaning: AtomicU32::new(0),
        }
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] when there were too many by this client, or to this account.
    pub fn count(&self, client: Client, account: &str) -> Result<(), Error> {
        self.count_client(client)?;
        if let Some(limiter) = &self.by_account {
            // However it is written, it is one account.
            check(limiter, &self.accounts.hash_one(account.to_lowercase()))?;
        }
        if self.since_cleaning.fetch_add(1, Ordering::Relaxed) >= CLEANING {
            self.since_cleaning.store(0, Ordering::Relaxed);
            self.by_address.iter().for_each(RateLimiter::retain_recent);
            self.by_account.iter().for_each(RateLimiter::retain_recent);
        }
        Ok(())
    }

    /// Counts an attempt of a client that is signed in and acts on other accounts.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] when there were too many by this client.
    pub fn count_client(&self, client: Client) -> Result<(), Error> {
        match &self.by_address {
            Some(limiter) => check(limiter, &network(client.0)),
            None => Ok(()),
        }
    }
}

fn check<K: std::hash::Hash + Eq + Clone>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
) -> Result<(), Error> {
    limiter.check_key(key).map_err(|not_until| Error::TooManyAttempts {
        retry_after: not_until.wait_time_from(DefaultClock::default().now()),
    })
}

/// What one client has: an IPv4 address, or the half of an IPv6 address that a provider assigns.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            [a, b, c, d, 0, 0, 0, 0].into()
        }
    }
}

/// The address that is accountable for a request: see [`TrustedProxies::accountable`].
///
/// [`TrustedProxies::accountable`]: fastapi_compat::layers::TrustedProxies::accountable
#[derive(Clone, Copy, Debug)]
pub struct Client(IpAddr);

impl FromRequestParts<App> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0);
        let peer = peer.or_else(|| {
            parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer)
        });
        let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
        Ok(Self(app.settings.server.forwarded_allow_ips.accountable(peer, &parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        Client(address.parse().unwrap())
    }

    #[test]
    fn too_many_attempts_are_refused_by_address_and_by_account() {
        let attempts = Attempts::new(AttemptsPerMinute {
            by_address: NonZeroU32::new(3),
            by_account: NonZeroU32::new(2),
        });
        let refused = |client: Client, account: &str| attempts.count(client, account).is_err();
        assert!(!refused(client("10.0.0.1"), "a@example.com"));
        assert!(!refused(client("10.0.0.2"), "A@example.com"));
        assert!(refused(client("10.0.0.3"), "a@EXAMPLE.com"), "the third for one account");
        assert!(!refused(client("2001:db8::1"), "b@example.com"));
        assert!(!refused(client("2001:db8::2"), "c@example.com"));
        assert!(!refused(client("2001:db8::3"), "d@example.com"));
        assert!(refused(client("2001:db8::4"), "e@example.com"), "the fourth from one network");
        assert!(!refused(client("2001:db8:0:1::4"), "f@example.com"));
    }

    #[test]
    fn without_numbers_nothing_is_refused() {
        let attempts = Attempts::new(AttemptsPerMinute::default());
        for _ in 0..1000 {
            attempts.count(client("10.0.0.1"), "a@example.com").unwrap();
        }
    }
}
