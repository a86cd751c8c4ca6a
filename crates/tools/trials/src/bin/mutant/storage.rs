//! A storage that does one thing wrong.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use domain::{
    Caller, Connections, ForCaller, Item, ItemChanges, ItemPage, Items, Page, Storage,
    StorageError, Transaction, User, UserChanges, Users,
};
use uuid::Uuid;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Defect {
    /// A new item belongs to a superuser.
    WrongOwner,
    /// The description of a new item is lost.
    FieldDropped,
    /// That of a changed one is.
    ChangeDropped,
    /// The time of a new item is rounded to a second, and to a millisecond.
    RoundingToSeconds,
    RoundingToMilliseconds,
    /// The title of an item is cut off.
    Truncation,
    /// A changed item is not found.
    WrongStatus,
    /// Others' items may be changed.
    MissingRefusal,
    /// Two users may have one address.
    MissingConflict,
    /// The link for a new password goes to another address.
    OtherRecipient,
    /// There is no such e-mail.
    MissingEmail,
}

/// It is right but for the defect.
pub(crate) struct Mutant {
    pub(crate) inner: Arc<dyn Storage>,
    pub(crate) defect: Defect,
}

type Result<T> = std::result::Result<T, StorageError>;

impl Mutant {
    fn is(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    async fn superuser(&self) -> Result<Option<Uuid>> {
        let (users, _) = self.inner.users(Page { skip: 0, limit: 1000 }).await?;
        Ok(users.into_iter().find(|user| user.is_superuser).map(|user| user.id))
    }

    fn rounded(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let to = match self.defect {
            Defect::RoundingToSeconds => TimeDelta::seconds(1),
            Defect::RoundingToMilliseconds => TimeDelta::milliseconds(1),
            _ => return at,
        };
        at.duration_trunc(to).unwrap_or(at)
    }
}

#[async_trait]
impl Storage for Mutant {
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        self.inner.begin().await
    }

    async fn rehearse(&self) -> Result<Arc<dyn Storage>> {
        let inner = self.inner.rehearse().await?;
        Ok(Arc::new(Self { inner, defect: self.defect }))
    }

    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }

    async fn pending_migrations(&self) -> Result<usize> {
        self.inner.pending_migrations().await
    }

    fn connections(&self) -> Connections {
        self.inner.connections()
    }
}

#[async_trait]
impl Items for Mutant {
    async fn item_for(&self, caller: Uuid, id: Uuid) -> Result<ForCaller<Option<Item>>> {
        if self.is(Defect::MissingRefusal)
            && let Some(superuser) = self.superuser().await?
            && let Ok(item) = self.inner.item_for(superuser, id).await?.authorized()
        {
            let caller = Caller { id: caller, is_active: true, is_superuser: true };
            return Ok(ForCaller::new(caller, item));
        }
        self.inner.item_for(caller, id).await
    }

    async fn items_for(&self, caller: Uuid, page: Page) -> Result<ForCaller<ItemPage>> {
        self.inner.items_for(caller, page).await
    }

    async fn create_item(&self, mut item: Item) -> Result<ForCaller<Item>> {
        item.created_at = item.created_at.map(|at| self.rounded(at));
        match self.defect {
            Defect::FieldDropped => item.description = None,
            Defect::Truncation => item.title = item.title.chars().take(20).collect(),
            Defect::WrongOwner => {
                item.owner_id = self.superuser().await?.unwrap_or(item.owner_id);
            }
            _ => {}
        }
        self.inner.create_item(item).await
    }

    async fn update_item(&self, id: Uuid, changes: &ItemChanges) -> Result<Option<Item>> {
        let mut changes = changes.clone();
        if self.is(Defect::ChangeDropped) {
            changes.description = None;
        }
        let item = self.inner.update_item(id, &changes).await?;
        Ok(item.filter(|_| !self.is(Defect::WrongStatus)))
    }

    async fn delete_item(&self, id: Uuid) -> Result<()> {
        self.inner.delete_item(id).await
    }
}

#[async_trait]
impl Users for Mutant {
    async fn user(&self, id: Uuid) -> Result<Option<User>> {
        self.inner.user(id).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>> {
        let user = self.inner.user_by_email(email).await?;
        Ok(match self.defect {
            Defect::OtherRecipient => {
                user.map(|user| User { email: format!("other-{}", user.email), ..user })
            }
            // Who has forgotten their password does not sign in.
            Defect::MissingEmail => user.filter(|user| !user.email.starts_with("forgetful")),
            _ => user,
        })
    }

    async fn users(&self, page: Page) -> Result<(Vec<User>, i64)> {
        self.inner.users(page).await
    }

    async fn create_user(&self, user: &User) -> Result<()> {
        match self.inner.create_user(user).await {
            Err(StorageError::Conflict(_)) if self.is(Defect::MissingConflict) => Ok(()),
            created => created,
        }
    }

    async fn update_user(&self, id: Uuid, changes: &UserChanges) -> Result<Option<User>> {
        self.inner.update_user(id, changes).await
    }

    async fn delete_user(&self, id: Uuid) -> Result<()> {
        self.inner.delete_user(id).await
    }
}
