//! What may differ between two versions of a document.

use serde::Serialize;

/// What a difference means for a client that was written against the old document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A request that was accepted may be refused, or an answer may be one that the client does
    /// not know.
    Breaking,
    /// Old clients go on as before.
    NonBreaking,
    /// Only what people read.
    Documentation,
}

/// Which way a value travels. What a request may be, the service must go on accepting; what an
/// answer may be, the client must have known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Request,
    Response,
}

/// One difference between the documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub class: Class,
    /// None for what concerns the operation as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// `POST /items/ body.title`.
    pub path: String,
    pub what: String,
}

/// Keywords that only people read.
pub(super) const DOCUMENTATION: [&str; 8] = [
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "operationId",
];
