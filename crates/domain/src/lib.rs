//! What things are: users and items, the rules about them, and the port through which they are
//! stored. No HTTP, no SQL. Start at [`users`] or [`items`].

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
