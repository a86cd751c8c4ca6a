//! What requests left behind: rows of a database, e-mails in a sink. Both sides' are compared like
//! answers, as JSON.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::case::Case;
use comparison::Answer;

/// The timeout for e-mails to arrive.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where the effects of a service are read: its database and its Maildir.
#[derive(Clone, Debug, Default)]
pub struct Sinks {
    /// `postgresql://…` or `sqlite:…`.
    pub database: Option<String>,
    /// A Maildir into which the service's e-mails are delivered.
    pub mails: Option<PathBuf>,
}

impl Sinks {
    /// Whether the case can be run with these sinks.
    pub const fn show(&self, case: &Case) -> bool {
        (case.sql.is_none() || self.database.is_some())
            && (case.mails.is_none() || self.mails.is_some())
    }
}

#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database's rows are no JSON: {0}")]
    Rows(#[from] serde_json::Error),
    #[cfg(not(feature = "sqlite"))]
    #[error("{0}: this program is built without SQLite")]
    Sqlite(String),
    #[error("e-mails: {path}: {source}")]
    Mails { path: PathBuf, source: std::io::Error },
}

/// The rows of a query, as a list of objects.
pub async fn rows(url: &str, query: &str) -> Result<Answer, EffectError> {
    let rows = if url.starts_with("sqlite") {
        let path = url.trim_start_matches("sqlite:");
        let path = path.strip_prefix("//").unwrap_or(path);
        // SQLAlchemy has a slash more than sqlx: `sqlite:///./a.db`, `sqlite:////tmp/a.db`.
        let path = path.strip_prefix('/').filter(|p| p.starts_with(['/', '.'])).unwrap_or(path);
        sqlite_rows(&format!("sqlite://{path}?mode=ro"), query).await?
    } else {
        let mut connection = PgConnection::connect(url).await?;
        let query = format!("SELECT coalesce(json_agg(t), '[]')::text FROM ({query}) t");
        let rows: String =
            sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut connection).await?;
        serde_json::from_str(&rows)?
    };
    Ok(answer(&rows))
}

#[cfg(not(feature = "sqlite"))]
#[expect(clippy::unused_async, reason = "as with SQLite")]
async fn sqlite_rows(url: &str, _query: &str) -> Result<Value, EffectError> {
    Err(EffectError::Sqlite(url.to_owned()))
}

#[cfg(feature = "sqlite")]
async fn sqlite_rows(url: &str, query: &str) -> Result<Value, EffectError> {
    use crate::hex::hex;
    use sqlx::{Column, Row, SqliteConnection, TypeInfo, ValueRef};

    let mut connection = SqliteConnection::connect(url).await?;
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut connection).await?;
    let mut list = Vec::new();
    for row in &rows {
        let mut fields = serde_json::Map::new();
        for (index, column) in row.columns().iter().enumerate() {
            let raw = row.try_get_raw(index)?;
            let value = match raw.type_info().name() {
                _ if raw.is_null() => Value::Null,
                "INTEGER" | "BOOLEAN" => json!(row.try_get_unchecked::<i64, _>(index)?),
                "REAL" => json!(row.try_get_unchecked::<f64, _>(index)?),
                "BLOB" => {
                    let bytes: Vec<u8> = row.try_get_unchecked(index)?;
                    json!(hex(&bytes).concat())
                }
                _ => json!(row.try_get_unchecked::<String, _>(index)?),
            };
            fields.insert(column.name().to_owned(), value);
        }
        list.push(Value::Object(fields));
    }
    Ok(Value::Array(list))
}

/// Reads the new e-mails of a Maildir.
#[derive(Debug, Default)]
pub struct Mails {
    seen: HashSet<PathBuf>,
}

impl Mails {
    /// Waits until there are `count` new ones, or until none is to be expected any more; in the
    /// order of their recipients and subjects, as they may overtake each other.
    pub async fn new_ones(&mut self, maildir: &Path, count: usize) -> Result<Answer, EffectError> {
        let start = Instant::now();
        let mut files = self.unseen(maildir)?;
        while files.len() < count && start.elapsed() < TIMEOUT {
            tokio::time::sleep(Duration::from_millis(20)).await;
            files = self.unseen(maildir)?;
        }
        let mut mails = Vec::new();
        for path in files {
            let text = std::fs::read(&path)
                .map_err(|source| EffectError::Mails { path: path.clone(), source })?;
            mails.push(mail(&text));
            self.seen.insert(path);
        }
        mails.sort_by_key(|mail| (mail["to"].to_string(), mail["subject"].to_string()));
        Ok(answer(&Value::Array(mails)))
    }

    fn unseen(&self, maildir: &Path) -> Result<Vec<PathBuf>, EffectError> {
        let folder = maildir.join("new");
        let entries = match std::fs::read_dir(&folder) {
            // A Maildir is made with its first e-mail.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|source| EffectError::Mails { path: folder, source })?,
        };
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(files.filter(|file| !self.seen.contains(file)).collect())
    }
}

/// What a reader sees of an e-mail.
fn mail(text: &[u8]) -> Value {
    let Some(message) = MessageParser::default().parse(text) else {
        return json!(String::from_utf8_lossy(text));
    };
    let addresses = |address: Option<&mail_parser::Address<'_>>| -> Vec<Value> {
        let all = address.into_iter().flat_map(mail_parser::Address::iter);
        all.map(|address| json!({"name": address.name(), "address": address.address()})).collect()
    };
    json!({
        "from": addresses(message.from()),
        "to": addresses(message.to()),
        "subject": message.subject(),
        "text": message.body_text(0),
        "html": message.body_html(0),
    })
}

fn answer(value: &Value) -> Answer {
    Answer { status: 0, headers: BTreeMap::new(), body: value.to_string().into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn rows_are_objects() {
        let folder = std::env::temp_dir().join(format!("contract-rows-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.db");
        let url = format!("sqlite://{}", path.display());
        let mut connection =
            sqlx::SqliteConnection::connect(&format!("{url}?mode=rwc")).await.unwrap();
        let script = "CREATE TABLE t (a INTEGER, b TEXT, c REAL, d BLOB, e TEXT);
            INSERT INTO t VALUES (1, 'é', 1.5, x'00ff', NULL)";
        sqlx::raw_sql(script).execute(&mut connection).await.unwrap();
        let answer = rows(&url, "SELECT * FROM t").await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        let rows = String::from_utf8(answer.body).unwrap();
        assert_eq!(rows, r#"[{"a":1,"b":"é","c":1.5,"d":"00ff","e":null}]"#);
    }

    #[test]
    fn an_email_is_what_a_reader_sees() {
        let text = b"From: =?utf-8?q?M=C3=B6lt?= <m@b.co>\r\nTo: a@b.co\r\nSubject: Hello\r\n\
            Content-Type: text/html; charset=utf-8\r\n\r\n<p>Hi</p>";
        let mail = mail(text);
        assert_eq!(mail["from"][0]["name"], "Mölt");
        assert_eq!(mail["html"], "<p>Hi</p>");
    }
}
