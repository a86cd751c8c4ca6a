//! Items: their export, and an import that may be repeated.

use std::fmt::Write;
use std::sync::Arc;

use celery_compat::{Definition, Failure, Retries, TaskError, Worker};
use domain::{Item, ItemPage, Page, Storage, StorageError};
use serde::{Deserialize, Serialize};

use super::{Tasks, database, id, unknown_owner};
use crate::config::TIME_LIMIT;

/// An export has a limit: its result is one message.
const EXPORT_LIMIT: i64 = 10_000;

#[derive(Deserialize)]
struct ExportItems {
    user_id: String,
}

#[derive(Serialize)]
struct Export {
    rows: usize,
    csv: String,
}

#[derive(Deserialize)]
struct ImportItems {
    user_id: String,
    items: Vec<ImportedItem>,
}

#[derive(Deserialize)]
struct ImportedItem {
    id: String,
    title: String,
    description: Option<String>,
}

pub(super) fn register(worker: Worker, tasks: &Tasks) -> Worker {
    let definition =
        Definition::new("app.tasks.items.export_items", &["user_id"]).time_limit(TIME_LIMIT);
    let storage = Arc::clone(&tasks.storage);
    let worker = worker.register(definition, move |_, ExportItems { user_id }| {
        let storage = Arc::clone(&storage);
        async move { export_items(&*storage, &user_id).await }
    });
    let definition = Definition::new("app.tasks.items.import_items", &["user_id", "items"])
        .time_limit(TIME_LIMIT)
        .retries(Retries { max: 5, ..Retries::default() });
    let storage = Arc::clone(&tasks.storage);
    worker.register(definition, move |_, ImportItems { user_id, items }| {
        let storage = Arc::clone(&storage);
        async move { import_items(&*storage, &user_id, items).await }
    })
}

/// All items that a user can see, the newest first, as CSV.
async fn export_items(storage: &dyn Storage, user_id: &str) -> Result<Export, TaskError> {
    let user = id(user_id)?;
    let page = storage.items_for(user, Page { skip: 0, limit: EXPORT_LIMIT + 1 }).await;
    let page = page.map_err(|error| database(&error))?;
    let ItemPage { items, .. } = page.authorized().map_err(unknown_owner(user))?;
    if i64::try_from(items.len()).is_ok_and(|rows| rows > EXPORT_LIMIT) {
        let text = format!("more than {EXPORT_LIMIT}");
        return Err(Failure::new("app.tasks.items", "TooManyItems", text).into());
    }
    let mut csv = String::from("id,title,description\r\n");
    for item in &items {
        let (title, description) = (&item.title, item.description.as_deref().unwrap_or_default());
        // Writing to a string cannot fail.
        _ = write!(csv, "{},{},{}\r\n", item.id, field(title), field(description));
    }
    Ok(Export { rows: items.len(), csv })
}

/// A field as Python's csv module writes it: in quotes where it must be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Stores items whose ids the caller has made; gives how many were new.
async fn import_items(
    storage: &dyn Storage,
    user_id: &str,
    items: Vec<ImportedItem>,
) -> Result<usize, TaskError> {
    let owner = id(user_id)?;
    let exists = storage.items_for(owner, Page { skip: 0, limit: 0 }).await;
    let exists = exists.map_err(|error| database(&error))?;
    exists.authorized().map_err(unknown_owner(owner))?;
    let mut created = 0;
    for ImportedItem { id: item, title, description } in items {
        let item = Item { id: id(&item)?, ..Item::new(owner, title, description) };
        match storage.create_item(item).await {
            Ok(created_for) => {
                created_for.authorized().map_err(unknown_owner(owner))?;
                created += 1;
            }
            // It is there already: this message came before.
            Err(StorageError::Conflict(_)) => {}
            Err(error) => return Err(database(&error)),
        }
    }
    Ok(created)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_python_quotes_it() {
        for (text, written) in [
            ("plain text", "plain text"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(field(text), written);
        }
    }
}
