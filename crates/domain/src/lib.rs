//! What the service is about: a file for each resource with its types and rules, and the port through
//! which it is stored. No HTTP, no SQL. Start at [`users`].

mod clock;
pub mod items;
pub mod schema;
mod storage;
pub mod users;

pub use clock::now;
pub use items::{Item, ItemChanges, ItemPage, Items};
pub use schema::{Migrated, MigrationError};
pub use storage::{
    Connections, Constraint, Page, StatementError, Storage, StorageError, Transaction,
};
pub use users::{Caller, HashedPassword, User, UserChanges, Users};
