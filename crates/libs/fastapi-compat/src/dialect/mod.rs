//! Which releases of FastAPI and pydantic a service looks like.

mod limits;
mod release;
mod switches;

use std::cell::Cell;
use std::fmt;

pub use self::limits::Limit;
pub use self::release::{Package, Release, UnsupportedRelease};
pub use self::switches::Switch;

thread_local! {
    static CURRENT: Cell<Dialect> = const { Cell::new(Dialect::NEWEST) };
}

/// The releases of FastAPI and pydantic whose answers and documents a service gives: those that it was
/// migrated from. Chosen once, with [`Router::dialect`](crate::Router::dialect); without that it is
/// [`Dialect::NEWEST`].
///
/// It is a set of [`Switch`]es, each of which is one difference between releases; [`versions`] lists them.
///
/// ```
/// use fastapi_compat::{Dialect, Router, Switch};
///
/// let dialect = Dialect::of("0.115.6", "2.9")?;
/// assert!(dialect.has(Switch::ForbiddenWithoutCredentials));
/// let router: Router = Router::new().dialect(dialect);
///
/// assert_eq!(
///     Dialect::of("0.99", "2.9").unwrap_err().to_string(),
///     "FastAPI 0.99 is not supported: the oldest release is 0.110.2"
/// );
/// # Ok::<(), fastapi_compat::UnsupportedRelease>(())
/// ```
///
/// [`versions`]: crate::versions
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Dialect {
    /// A bit for each switch.
    switches: u64,
    /// A bit for each limit.
    limits: u16,
}

impl Dialect {
    /// The newest releases that are known: no switch is on.
    pub const NEWEST: Self = Self { switches: 0, limits: 0 };

    /// That of a release of FastAPI and one of pydantic, such as `"0.115.6"` and `"2.9.2"`. Without a third
    /// number it is the last of these releases; what is newer than any that is known is as the newest.
    ///
    /// # Errors
    /// If either is no version, or is older than FastAPI 0.110.2 or pydantic 2.7.
    pub fn of(fastapi: &str, pydantic: &str) -> Result<Self, UnsupportedRelease> {
        let fastapi = Release::parse(Package::FastApi, fastapi)?;
        let pydantic = Release::parse(Package::Pydantic, pydantic)?;
        let release = |package| match package {
            Package::FastApi => fastapi,
            Package::Pydantic => pydantic,
        };
        let is_on = |switch: &Switch| {
            let release = release(switch.package());
            switch.since().is_none_or(|since| release >= since) && release < switch.until()
        };
        let switches = Switch::ALL.iter().filter(|switch| is_on(switch));
        let mut dialect = switches.fold(Self::NEWEST, |dialect, &switch| dialect.with(switch));
        for (at, limit) in Limit::ALL.iter().enumerate() {
            dialect.limits |= u16::from(limit.is_of(release(limit.package))) << at;
        }
        Ok(dialect)
    }

    /// The same with a switch on.
    #[must_use]
    pub const fn with(self, switch: Switch) -> Self {
        Self { switches: self.switches | 1 << switch as u64, ..self }
    }

    /// Whether a switch is on: whether the older behaviour is wanted.
    pub const fn has(self, switch: Switch) -> bool {
        self.switches & 1 << switch as u64 != 0
    }

    /// Its switches.
    pub fn switches(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.iter().copied().filter(move |&switch| self.has(switch))
    }

    /// What its releases do otherwise and it does not reproduce. [`Router::dialect`](crate::Router::dialect)
    /// logs them, so that they are known before a client finds them.
    pub fn limits(self) -> impl Iterator<Item = &'static Limit> {
        let limits = Limit::ALL.iter().enumerate();
        limits.filter(move |(at, _)| self.limits & 1 << at != 0).map(|(_, limit)| limit)
    }

    /// That of the router whose operation this thread runs at the moment.
    pub(crate) fn current() -> Self {
        CURRENT.get()
    }

    /// Makes it the current one of this thread until the guard is dropped.
    pub(crate) fn enter(self) -> Entered {
        Entered(CURRENT.replace(self))
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.switches()).finish()
    }
}

/// The one that was current before.
pub(crate) struct Entered(Dialect);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// Whether a switch of the current dialect is on.
pub(crate) fn has(switch: Switch) -> bool {
    Dialect::current().has(switch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_ends_with_its_guard() {
        let older = Dialect::NEWEST.with(Switch::ForbiddenWithoutCredentials);
        {
            let _older = older.enter();
            assert!(has(Switch::ForbiddenWithoutCredentials));
            let _newest = Dialect::NEWEST.enter();
            assert!(!has(Switch::ForbiddenWithoutCredentials));
        }
        assert_eq!(Dialect::current(), Dialect::NEWEST);
    }

    #[test]
    fn releases_have_their_limits() {
        let limits = |fastapi, pydantic| {
            let dialect = Dialect::of(fastapi, pydantic).unwrap();
            dialect.limits().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert!(limits("0.165", "2.14").is_empty());
        assert_eq!(limits("0.147", "2.14").len(), 1);
        let older = limits("0.114.1", "2.9");
        assert!(older.iter().any(|limit| limit.starts_with("FastAPI from 0.113 before 0.114.2: ")));
        assert!(!limits("0.112.4", "2.9").iter().any(|limit| limit.contains("single value")));
    }

    #[test]
    fn releases_have_the_switches_of_the_table() {
        for &switch in Switch::ALL {
            let (since, until) = (switch.since(), switch.until());
            let of = |release: Release| {
                let release = release.to_string();
                match switch.package() {
                    Package::FastApi => Dialect::of(&release, "2.999"),
                    Package::Pydantic => Dialect::of("0.999", &release),
                }
            };
            assert!(!of(until).unwrap().has(switch), "{switch:?} in {until}");
            let first = since.unwrap_or_else(|| switch.package().oldest());
            assert!(of(first).unwrap().has(switch), "{switch:?} in {first}");
            if let Some(before) =
                since.map(|since| Release { patch: 0, minor: since.minor - 1, ..since })
            {
                assert!(!of(before).unwrap().has(switch), "{switch:?} in {before}");
            }
        }
    }

    #[test]
    fn versions_are_read_as_people_write_them() {
        let of =
            |fastapi, pydantic| Dialect::of(fastapi, pydantic).map_err(|error| error.to_string());
        assert_eq!(of("0.999", "3.1.4"), Ok(Dialect::NEWEST));
        assert_eq!(of("0.115", "2.9"), of("0.115.999", "2.9.999"));
        assert_eq!(of("0.115.0rc1", " 2.9.0 "), of("0.115.0", "2.9.0"));
        for (fastapi, pydantic, message) in [
            ("0.109.2", "2.9", "FastAPI 0.109.2 is not supported: the oldest release is 0.110.2"),
            ("0.115", "1.10.2", "pydantic 1.10.2 is not supported: the oldest release is 2.7"),
            ("latest", "2.9", "`latest` is no version of FastAPI"),
            ("0.115", "2", "`2` is no version of pydantic"),
        ] {
            assert_eq!(of(fastapi, pydantic), Err(message.to_owned()));
        }
    }
}
