use domain::{Caller, StorageError};
use sqlx::query_as;
use uuid::Uuid;

use crate::session::Session;

impl Session {
    /// The user with this id as the one who makes a request; nothing if there is none.
    pub(crate) async fn caller(&self, id: Uuid) -> Result<Option<Caller>, StorageError> {
        let id = id.simple();
        let statement =
            query_as!(Caller, "SELECT id, is_active, is_superuser FROM user WHERE id = $1", id);
        self.fetch_optional("caller", statement).await
    }
}
