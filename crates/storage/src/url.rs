use std::str::FromStr;
#[cfg(not(feature = "sqlite"))]
use std::sync::LazyLock;

use url::Url;

/// `DATABASE_URL` in the forms that SQLAlchemy and sqlx know.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    Postgres(Url),
    /// A path, or `:memory:`.
    #[cfg(feature = "sqlite")]
    Sqlite(String),
}

/// What a URL may begin with.
const SCHEMES: &[&str] = &[
    #[cfg(feature = "sqlite")]
    "sqlite:",
    "postgresql:",
];

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error("unknown scheme, use one of {}", SCHEMES.join(" and "))]
    Scheme,
    #[error("not a valid URL: {0}")]
    Syntax(#[from] url::ParseError),
    #[cfg(feature = "sqlite")]
    #[error("'?{0}' is not supported; only '?mode=rwc' is, which is how the file is opened anyway")]
    Query(String),
}

/// The drivers of Python that may stand after `postgresql+`.
const DRIVERS: [&str; 5] = ["asyncpg", "pg8000", "psycopg", "psycopg2", "psycopg2cffi"];
#[cfg(not(feature = "sqlite"))]
#[expect(clippy::expect_used, reason = "a constant, which a test reads")]
static LOCAL: LazyLock<Url> =
    LazyLock::new(|| Url::parse("postgresql://molt@localhost/molt").expect("a URL"));

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        #[cfg(feature = "sqlite")]
        let text = &text.replacen("sqlite+aiosqlite:", "sqlite:", 1);
        #[cfg(feature = "sqlite")]
        let text = &text.replacen("sqlite+pysqlite:", "sqlite:", 1);
        #[cfg(feature = "sqlite")]
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
            if !["", "mode=rwc"].contains(&query) {
                return Err(DatabaseUrlError::Query(query.to_owned()));
            }
            // Three slashes before a relative path, as SQLAlchemy has it; two or none, as sqlx has.
            let path = path.strip_prefix("///").or(path.strip_prefix("//")).unwrap_or(path);
            let path = if path.is_empty() { ":memory:" } else { path };
            return Ok(Self::Sqlite(path.to_owned()));
        }
        let (scheme, rest) = text.split_once("://").ok_or(DatabaseUrlError::Scheme)?;
        let (database, driver) = scheme.split_once('+').unwrap_or((scheme, "psycopg"));
        if !["postgres", "postgresql"].contains(&database) || !DRIVERS.contains(&driver) {
            return Err(DatabaseUrlError::Scheme);
        }
        let mut url = Url::parse(&format!("postgresql://{rest}"))?;
        if driver == "asyncpg" {
            rename_tls(&mut url);
        }
        Ok(Self::Postgres(url))
    }
}

/// asyncpg calls `ssl` what is `sslmode` elsewhere; left as it is, TLS would not be demanded.
fn rename_tls(url: &mut Url) {
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    if pairs.is_empty() {
        return;
    }
    let mut query = url.query_pairs_mut();
    query.clear();
    for (name, value) in &pairs {
        match (name.as_str(), value.as_str()) {
            ("ssl", "true" | "True" | "1") => query.append_pair("sslmode", "require"),
            ("ssl", mode) => query.append_pair("sslmode", mode),
            (name, value) => query.append_pair(name, value),
        };
    }
}

impl DatabaseUrl {
    /// The database of a service that is started without settings: a file in the working folder.
    #[cfg(feature = "sqlite")]
    pub fn local() -> Self {
        Self::Sqlite("./molt.db".to_owned())
    }

    /// The database of a service that is started without settings: a server on this machine.
    #[cfg(not(feature = "sqlite"))]
    pub fn local() -> Self {
        Self::Postgres(LOCAL.clone())
    }

    /// The URL as PostgreSQL's clients take it; nothing for another database.
    pub fn postgres(&self) -> Option<&Url> {
        match self {
            Self::Postgres(url) => Some(url),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => None,
        }
    }

    /// The password in the URL, decoded.
    pub fn password(&self) -> Option<String> {
        match self {
            Self::Postgres(url) => {
                let password = percent_encoding::percent_decode_str(url.password()?);
                Some(password.decode_utf8_lossy().into_owned())
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => None,
        }
    }
}

/// Without the password.
impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Postgres(url) => {
                let host = url.host_str().unwrap_or("localhost");
                let port = url.port().unwrap_or(5432);
                write!(f, "PostgreSQL at {host}:{port}{}", url.path())
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(path) => write!(f, "SQLite in {path}"),
        }
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "sqlite")]
    #[test]
    fn sqlite_urls_are_understood_in_both_dialects() {
        for (url, path) in [
            ("sqlite:///./molt.db", "./molt.db"),
            ("sqlite:///molt.db", "molt.db"),
            ("sqlite:////var/molt.db", "/var/molt.db"),
            ("sqlite:molt.db", "molt.db"),
            ("sqlite://molt.db?mode=rwc", "molt.db"),
            ("sqlite::memory:", ":memory:"),
            ("sqlite://", ":memory:"),
            ("sqlite+aiosqlite:///./molt.db", "./molt.db"),
            ("sqlite+pysqlite:////var/molt.db", "/var/molt.db"),
        ] {
            assert_eq!(url.parse(), Ok(DatabaseUrl::Sqlite(path.into())), "{url}");
        }
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_query_that_sqlite_would_not_heed_is_refused() {
        for query in ["mode=ro", "mode=rwc&cache=shared", "timeout=5"] {
            let refused = format!("sqlite:///molt.db?{query}").parse::<DatabaseUrl>().unwrap_err();
            assert!(refused.to_string().contains(query), "{refused}");
        }
    }

    #[test]
    fn postgresql_urls_of_every_driver_are_understood() {
        for scheme in [
            "postgres",
            "postgresql",
            "postgresql+psycopg",
            "postgresql+psycopg2",
            "postgresql+asyncpg",
        ] {
            let expected = DatabaseUrl::Postgres("postgresql://u@db/app".parse().unwrap());
            assert_eq!(format!("{scheme}://u@db/app").parse(), Ok(expected), "{scheme}");
        }
        for (given, mode) in [("ssl=true", "require"), ("ssl=verify-full", "verify-full")] {
            let url = format!("postgresql+asyncpg://u@db/app?{given}");
            let expected = format!("postgresql://u@db/app?sslmode={mode}").parse().unwrap();
            assert_eq!(url.parse(), Ok(DatabaseUrl::Postgres(expected)), "{given}");
        }
        for scheme in ["mysql", "postgresql+psql", "postgresql+", "mysql+asyncpg"] {
            let refused = format!("{scheme}://u@db/app").parse::<DatabaseUrl>();
            assert_eq!(refused, Err(DatabaseUrlError::Scheme), "{scheme}");
        }
    }

    #[test]
    fn the_default_is_a_url_too() {
        assert!(DatabaseUrl::local().to_string().contains("molt"));
    }

    #[test]
    fn the_password_of_a_url_is_not_shown() {
        let url: DatabaseUrl = "postgresql+psycopg://u:p%40ss@db:5433/app".parse().unwrap();
        assert_eq!(url.to_string(), "PostgreSQL at db:5433/app");
        assert_eq!(url.password().as_deref(), Some("p@ss"));
        assert!("mysql://x".parse::<DatabaseUrl>().is_err());
    }
}
