//! What may differ between two versions of a document.

use serde::Serialize;

/// What a difference means for a client that was written against the old document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A request that was accepted may be refused, or a response may be one that the client does
    /// not know.
    Breaking,
    /// Old clients go on as before.
    NonBreaking,
    /// Only what people read.
    Documentation,
}

impl Class {
    /// How reports name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::NonBreaking => "non-breaking",
            Self::Documentation => "documentation",
        }
    }
}

/// The direction in which a value is sent. A request that was allowed must stay allowed; a response must
/// not become what it could not be before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client to the service.
    Request,
    /// From the service to the client.
    Response,
}

impl Direction {
    pub(super) const fn reversed(self) -> Self {
        match self {
            Self::Request => Self::Response,
            Self::Response => Self::Request,
        }
    }

    /// How reports name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// One difference between the documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The id of its [rule](super::rules).
    pub rule: &'static str,
    /// What it means for clients.
    #[serde(rename = "level")]
    pub class: Class,
    /// None for what concerns the operation as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// `POST /items/ body.title`; within a component that has a name, `Item.title`.
    pub path: String,
    /// The change in words.
    pub what: String,
    /// The component that holds the change, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The operations that it reaches: `POST /items/`.
    pub operations: Vec<String>,
}

/// How the values that a schema allows have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    /// Fewer are allowed.
    Narrower,
    /// More are allowed.
    Wider,
    /// Others are allowed.
    Other,
}

impl Shift {
    pub(super) const fn class(self, direction: Direction) -> Class {
        match (self, direction) {
            (Self::Narrower, Direction::Response) | (Self::Wider, Direction::Request) => {
                Class::NonBreaking
            }
            _ => Class::Breaking,
        }
    }
}
