//! What the service is about: a file for each resource with its types and rules, and the port through
//! which it is stored. No HTTP, no SQL. Start at [`users`].

mod clock;
pub mod items;
mod storage;
pub mod users;

pub use clock::now;
pub use items::{Item, ItemChanges, ItemPage, Items};
pub use storage::{Connections, Page, Storage, StorageError};
pub use users::{Caller, HashedPassword, User, UserChanges, Users};
