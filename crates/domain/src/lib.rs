//! What things are: users and items, the rules about them, and the port through which they are
//! stored. No HTTP, no SQL. Start at [`users`] or [`items`].

mod clock;
pub mod items;
mod storage;
pub mod users;

pub use clock::now;
pub use items::{Item, ItemChanges, ItemPage, Items};
pub use storage::{Connections, Page, Storage, StorageError};
pub use users::{Caller, HashedPassword, User, UserChanges, Users};
