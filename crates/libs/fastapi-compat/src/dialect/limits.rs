//! What differs between releases and is not reproduced.

use std::fmt;

use super::release::{Package, Release};

/// A difference between releases that no [`Switch`](super::Switch) reproduces: a service that looks like
/// such a release answers as the newest there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Whose difference it is.
    pub package: Package,
    /// The first release that does so, if that is not the oldest which is supported.
    pub since: Option<Release>,
    /// The first release that does not do so any more.
    pub until: Release,
    /// What such a release does otherwise.
    pub description: &'static str,
}

impl Limit {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::fastapi(
            Release::new(0, 133, 0),
            "ranges, conditions and headers of `FileResponse` and `StaticFiles` and `Vary` of `GZipMiddleware` \
             are those of Starlette before 1",
        ),
        Self {
            since: Some(Release::new(0, 113, 0)),
            ..Self::fastapi(Release::new(0, 114, 2), "forms that are models have other errors")
        },
        Self::fastapi(
            Release::new(0, 112, 4),
            "a single value for a list in a form, such as one of several files, is no list",
        ),
        Self::fastapi(
            Release::new(0, 148, 0),
            "errors of a model of parameters echo what a `default_factory` gives",
        ),
        Self::pydantic(
            Release::new(2, 14, 0),
            "the document does not show `str_min_length` and `str_max_length` of a `ConfigDict`",
        ),
        Self {
            since: Some(Release::new(2, 11, 0)),
            ..Self::pydantic(
                Release::new(2, 14, 0),
                "the document shows the bounds of a `deque` as those of a text",
            )
        },
        Self::pydantic(
            Release::new(2, 13, 0),
            "the document has two schemas of a generic model in a union, for requests and for answers",
        ),
        Self::pydantic(
            Release::new(2, 13, 0),
            "the document shows other titles and descriptions of the items of a `NamedTuple`",
        ),
        Self::pydantic(
            Release::new(2, 8, 0),
            "the document shows the bounds of a `Sequence` as those of a text",
        ),
    ];

    const fn fastapi(until: Release, description: &'static str) -> Self {
        Self { package: Package::FastApi, since: None, until, description }
    }

    const fn pydantic(until: Release, description: &'static str) -> Self {
        Self { package: Package::Pydantic, since: None, until, description }
    }

    pub(super) fn is_of(&self, release: Release) -> bool {
        self.since.is_none_or(|since| release >= since) && release < self.until
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, until, description, .. } = self;
        match self.since {
            Some(since) => write!(f, "{package} from {since} before {until}: {description}"),
            None => write!(f, "{package} before {until}: {description}"),
        }
    }
}
