//! What the service is about: a file for each resource with its types and rules, and the port through
//! which it is stored. No HTTP, no SQL. Start at [`users`].

mod access;
mod clock;
mod errors;
pub mod items;
mod page;
pub mod schema;
mod storage;
pub mod users;

pub use access::{Access, Denied, ForCaller};
pub use clock::now;
pub use errors::{Constraint, StatementError, StorageError, chain};
pub use items::{Item, ItemChanges, ItemPage, Items};
pub use page::Page;
pub use schema::{Migrated, MigrationError};
pub use storage::{Connections, Storage, Transaction, Waiting, Waits};
pub use users::{Caller, HashedPassword, User, UserChanges, Users};
