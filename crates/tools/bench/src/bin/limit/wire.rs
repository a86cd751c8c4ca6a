//! What requests and answers hold.

use chrono::{DateTime, Utc};
use fastapi_compat::serialize_datetime;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

/// The longest title and description, in characters.
const LONGEST: usize = 255;

#[derive(Serialize)]
pub(crate) struct ItemPublic<'a> {
    pub title: &'a str,
    pub description: Option<&'a str>,
    pub id: Uuid,
    pub owner_id: Uuid,
    #[serde(serialize_with = "serialize_datetime")]
    pub created_at: Option<DateTime<Utc>>,
}

impl<'a> ItemPublic<'a> {
    /// Of the columns from `first` on; none if there is no item in them.
    pub(crate) fn of(row: &'a Row, first: usize) -> Option<Self> {
        Some(Self {
            id: row.get::<_, Option<_>>(first)?,
            title: row.get(first + 1),
            description: row.get(first + 2),
            owner_id: row.get(first + 3),
            created_at: row.get(first + 4),
        })
    }
}

#[derive(Serialize)]
pub(crate) struct UserPublic<'a> {
    email: &'a str,
    is_active: bool,
    is_superuser: bool,
    full_name: Option<&'a str>,
    id: Uuid,
    #[serde(serialize_with = "serialize_datetime")]
    created_at: Option<DateTime<Utc>>,
}

impl<'a> UserPublic<'a> {
    /// None if they are not active.
    pub(crate) fn of(row: &'a Row) -> Option<Self> {
        let user = Self {
            id: row.get(0),
            email: row.get(1),
            is_active: row.get(2),
            is_superuser: row.get(3),
            full_name: row.get(4),
            created_at: row.get(6),
        };
        user.is_active.then_some(user)
    }
}

#[derive(Deserialize)]
pub(crate) struct ItemCreate<'a> {
    #[serde(borrow)]
    pub title: &'a str,
    pub description: Option<&'a str>,
}

impl ItemCreate<'_> {
    pub(crate) fn is_valid(&self) -> bool {
        is_title(self.title) && self.description.is_none_or(is_short)
    }
}

#[derive(Deserialize)]
pub(crate) struct ItemUpdate<'a> {
    #[serde(borrow)]
    pub title: Option<&'a str>,
    #[serde(borrow, default)]
    pub description: Description<'a>,
}

/// A description to be.
#[derive(Default, Deserialize)]
#[serde(from = "Option<&'a str>")]
pub(crate) enum Description<'a> {
    /// The field is absent.
    #[default]
    Unchanged,
    /// None where it is null.
    Is(Option<&'a str>),
}

impl<'a> From<Option<&'a str>> for Description<'a> {
    fn from(description: Option<&'a str>) -> Self {
        Self::Is(description)
    }
}

impl ItemUpdate<'_> {
    pub(crate) fn is_valid(&self) -> bool {
        let description = match self.description {
            Description::Unchanged => None,
            Description::Is(description) => description,
        };
        self.title.is_none_or(is_title) && description.is_none_or(is_short)
    }
}

fn is_title(text: &str) -> bool {
    !text.is_empty() && is_short(text)
}

/// Mostly its bytes are few enough, and its characters need not be counted.
fn is_short(text: &str) -> bool {
    text.len() <= LONGEST || text.chars().count() <= LONGEST
}
