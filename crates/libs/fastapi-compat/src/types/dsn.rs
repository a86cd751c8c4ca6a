//! The addresses of databases and brokers: `PostgresDsn`, `RedisDsn` and others, and URLs with several
//! hosts.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{ParseError, Url};

use super::url::{Parsed, Rules, UrlError, decode, url_type};
use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_strictly};
use crate::errors::{Errors, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

/// A URL that may have several hosts, as pydantic's `MultiHostUrl`: `postgresql://a:5432,b:5433/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MultiHostUrl {
    /// The URL with its last host.
    url: Url,
    /// A URL for each host before it, without a path.
    others: Vec<Url>,
}

impl MultiHostUrl {
    /// The URL with its last host, as if it were the only one.
    pub fn last(&self) -> &Url {
        &self.url
    }

    /// A URL for each host, in their order; only the last has a path, a query and a fragment.
    pub fn hosts(&self) -> impl Iterator<Item = &Url> {
        self.others.iter().chain([&self.url])
    }
}

/// As pydantic writes it.
impl fmt::Display for MultiHostUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.url.as_str();
        if self.others.is_empty() {
            return f.write_str(text);
        }
        let start = self.url.scheme().len() + "://".len();
        f.write_str(text.get(..start).unwrap_or_default())?;
        for other in &self.others {
            let other = other.as_str().get(start..).unwrap_or_default();
            // What is read of a special scheme has a path always.
            let host = other.strip_suffix('/').filter(|_| is_special(self.url.scheme()));
            write!(f, "{},", host.unwrap_or(other))?;
        }
        f.write_str(text.get(start..).unwrap_or_default())
    }
}

/// Whether the URL standard has rules of its own for the scheme.
fn is_special(scheme: &str) -> bool {
    matches!(scheme, "http" | "https" | "ws" | "wss" | "ftp" | "file")
}

impl Parsed for MultiHostUrl {
    fn parse(text: &str, is_strict: bool) -> Result<Self, UrlError> {
        let parsing = UrlError::Parsing;
        let trimmed = text.trim_start_matches(|c: char| c <= ' ');
        let (scheme, rest) =
            trimmed.split_once(':').ok_or(parsing(ParseError::RelativeUrlWithoutBase))?;
        let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if !scheme.chars().all(is_of_scheme) {
            return Err(parsing(ParseError::RelativeUrlWithoutBase));
        }
        let rest = rest.trim_start_matches(['/', '\\']);
        let (prefix, _) = text.split_at(text.len() - rest.len());
        let is_special = is_special(&scheme.to_ascii_lowercase());
        let ends = |c: char| matches!(c, '/' | '?' | '#') || (c == '\\' && is_special);
        let (hosts, path) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        let mut hosts: Vec<_> = hosts.split(',').collect();
        let last = hosts.pop().unwrap_or_default();
        if hosts.iter().any(|host| host.is_empty()) {
            return Err(parsing(ParseError::EmptyHost));
        }
        let url: Url = Parsed::parse(&format!("{prefix}{last}{path}"), is_strict)?;
        let others = hosts.iter().map(|host| Parsed::parse(&format!("{prefix}{host}"), is_strict));
        let is_alone = hosts.is_empty();
        if !is_alone && !url.has_host() {
            return Err(parsing(ParseError::EmptyHost));
        }
        let others: Vec<Url> = others.collect::<Result<_, _>>()?;
        if others.iter().any(|other| !other.has_host()) {
            return Err(parsing(ParseError::EmptyHost));
        }
        Ok(Self { url, others })
    }

    fn url(&mut self) -> &mut Url {
        &mut self.url
    }
}

macro_rules! dsn {
    ($($(#[$doc:meta])* $name:ident($inner:ty) $rules:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        url_type!($name, $rules);
    )*};
}

/// Any URL with these schemes.
const fn of_schemes(schemes: &'static [&'static str]) -> Rules {
    Rules { schemes, ..Rules::ANY }
}

dsn! {
    /// The address of a PostgreSQL database, which may have several hosts.
    PostgresDsn(MultiHostUrl) Rules {
        needs_host: true,
        ..of_schemes(&[
            "postgres",
            "postgresql",
            "postgresql+asyncpg",
            "postgresql+pg8000",
            "postgresql+psycopg",
            "postgresql+psycopg2",
            "postgresql+psycopg2cffi",
            "postgresql+py-postgresql",
            "postgresql+pygresql",
        ])
    };
    /// The address of a CockroachDB database.
    CockroachDsn(Url) Rules {
        needs_host: true,
        ..of_schemes(&["cockroachdb", "cockroachdb+psycopg2", "cockroachdb+asyncpg"])
    };
    /// The address of an AMQP broker.
    AmqpDsn(Url) of_schemes(&["amqp", "amqps"]);
    /// The address of a Redis database; without a host `localhost`, without a port 6379, without a path
    /// `/0`.
    RedisDsn(Url) Rules {
        needs_host: true,
        default_host: Some("localhost"),
        default_port: Some(6379),
        default_path: Some("/0"),
        ..of_schemes(&["redis", "rediss"])
    };
    /// The address of a MongoDB database, which may have several hosts; without a port 27017.
    MongoDsn(MultiHostUrl) Rules {
        default_port: Some(27017),
        ..of_schemes(&["mongodb", "mongodb+srv"])
    };
    /// The address of a Kafka broker; without a host `localhost`, without a port 9092.
    KafkaDsn(Url) Rules {
        default_host: Some("localhost"),
        default_port: Some(9092),
        ..of_schemes(&["kafka"])
    };
    /// The address of a NATS server, which may have several hosts; without a host `localhost`, without a
    /// port 4222.
    NatsDsn(MultiHostUrl) Rules {
        default_host: Some("localhost"),
        default_port: Some(4222),
        ..of_schemes(&["nats", "tls", "ws", "wss"])
    };
    /// The address of a MySQL database; without a port 3306.
    MySQLDsn(Url) Rules {
        needs_host: true,
        default_port: Some(3306),
        ..of_schemes(&[
            "mysql",
            "mysql+mysqlconnector",
            "mysql+aiomysql",
            "mysql+asyncmy",
            "mysql+mysqldb",
            "mysql+pymysql",
            "mysql+cymysql",
            "mysql+pyodbc",
        ])
    };
    /// The address of a MariaDB database; without a port 3306.
    MariaDBDsn(Url) Rules {
        default_port: Some(3306),
        ..of_schemes(&["mariadb", "mariadb+mariadbconnector", "mariadb+pymysql"])
    };
    /// The address of a ClickHouse database; without a host `localhost`, without a port 9000.
    ClickHouseDsn(Url) Rules {
        default_host: Some("localhost"),
        default_port: Some(9000),
        ..of_schemes(&[
            "clickhouse+native",
            "clickhouse+asynch",
            "clickhouse+http",
            "clickhouse",
            "clickhouses",
            "clickhousedb",
        ])
    };
    /// The address of a Snowflake database.
    SnowflakeDsn(Url) Rules { needs_host: true, ..of_schemes(&["snowflake"]) };
}
