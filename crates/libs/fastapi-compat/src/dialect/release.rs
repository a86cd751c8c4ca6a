//! Releases of FastAPI and pydantic.

use std::fmt;

/// A package whose releases differ on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Package {
    /// FastAPI, with the releases of Starlette that it allows.
    FastApi,
    /// pydantic, with its own release of pydantic-core.
    Pydantic,
}

impl Package {
    /// The oldest release that is supported.
    pub const fn oldest(self) -> Release {
        match self {
            Self::FastApi => Release::new(0, 110, 2),
            Self::Pydantic => Release::new(2, 7, 0),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FastApi => "FastAPI",
            Self::Pydantic => "pydantic",
        })
    }
}

/// A release: `0.115.6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Release {
    pub(super) major: u16,
    pub(super) minor: u16,
    pub(super) patch: u16,
}

impl Release {
    pub(super) const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `0.115.6`, or `0.115` for its last release; what follows the digits, as in `0.115.0rc1`, is
    /// not heeded.
    pub(super) fn parse(package: Package, text: &str) -> Result<Self, UnsupportedRelease> {
        let no_version = || UnsupportedRelease::NoVersion { package, text: text.to_owned() };
        let number = |part: &str| {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            part[..digits].parse().ok()
        };
        let mut parts = text.trim().splitn(3, '.');
        let mut next = || parts.next().and_then(number);
        let (Some(major), Some(minor)) = (next(), next()) else { return Err(no_version()) };
        let patch = match parts.next() {
            Some(part) => number(part).ok_or_else(no_version)?,
            None => u16::MAX,
        };
        let release = Self { major, minor, patch };
        if release < package.oldest() {
            let text = text.trim().to_owned();
            return Err(UnsupportedRelease::TooOld { package, text });
        }
        Ok(release)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch } = self;
        match patch {
            0 => write!(f, "{major}.{minor}"),
            patch => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

/// A release whose answers are not reproduced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsupportedRelease {
    /// It is older than the oldest that is supported.
    #[error("{package} {text} is not supported: the oldest release is {}", package.oldest())]
    TooOld {
        /// Of which package.
        package: Package,
        /// As it was given.
        text: String,
    },
    /// It is no version.
    #[error("`{text}` is no version of {package}")]
    NoVersion {
        /// Of which package.
        package: Package,
        /// As it was given.
        text: String,
    },
}
