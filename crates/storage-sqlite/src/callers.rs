use domain::{Caller, StorageError};
use sqlx::query_as;
use uuid::Uuid;

use crate::Sqlite;
use crate::errors::storage_error;

impl Sqlite {
    /// Who asks for something; nothing if he does not exist.
    pub(crate) async fn caller(&self, id: Uuid) -> Result<Option<Caller>, StorageError> {
        query_as!(Caller, "SELECT id, is_active, is_superuser FROM user WHERE id = $1", id.simple())
            .fetch_optional(&self.pool)
            .await
            .map_err(storage_error)
    }
}
