//! The rows that every contender works on: users with a hundred items each, loaded in bulk.

use sqlx::any::{AnyPoolOptions, install_default_drivers};

use crate::Result;

pub(crate) const ITEMS_PER_USER: u64 = 100;

/// The id of the n-th row: scattered, as random ids are, and known to both sides.
pub(crate) fn id(n: u64) -> String {
    let scattered = n.wrapping_mul(SCATTER) & 0xffff_ffff_ffff;
    format!("00000000-0000-4000-8000-{scattered:012x}")
}

const SCATTER: u64 = 25_214_903_917;

pub(crate) fn email(user: u64) -> String {
    format!("user{user:06}@example.com")
}

/// Fills an empty schema. All users have the password of the first superuser, and every text, number
/// and time is written in as many characters, so that the lengths of answers are known.
pub(crate) async fn load(database_url: &str, items: u64) -> Result<()> {
    install_default_drivers();
    let postgres = database_url.starts_with("postgres");
    let users = items / ITEMS_PER_USER;
    let numbers = |to: u64| {
        if postgres {
            format!("generate_series(1::bigint, {to}) AS n")
        } else {
            format!(
                "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {to}) \
                 SELECT n FROM s)"
            )
        }
    };
    let id = |n: &str| {
        let scattered = format!("(({n}) * {SCATTER}) & 281474976710655");
        if postgres {
            format!("('00000000-0000-4000-8000-' || lpad(to_hex({scattered}), 12, '0'))::uuid")
        } else {
            format!("printf('00000000000040008000%012x', {scattered})")
        }
    };
    let padded = |n: &str| {
        if postgres { format!("lpad(({n})::text, 6, '0')") } else { format!("printf('%06d', {n})") }
    };
    let time = if postgres {
        "timestamptz '2026-01-01 00:00:00.123456Z' + n * interval '1 second'"
    } else {
        "strftime('%Y-%m-%d %H:%M:%S', '2026-01-01', n || ' seconds') || '.123456'"
    };
    let hash = r#"(SELECT hashed_password FROM "user" WHERE is_superuser)"#;
    let statements = [
        format!(
            r#"INSERT INTO "user"
                (id, email, is_active, is_superuser, full_name, hashed_password, created_at)
            SELECT {}, 'user' || {} || '@example.com', true, false, 'A name', {hash}, {time}
            FROM {}"#,
            id("-n"),
            padded("n"),
            numbers(users)
        ),
        format!(
            "INSERT INTO item (id, title, description, owner_id, created_at)
            SELECT {}, 'item ' || {}, 'A description of about fifty characters, like most.', {}, {time}
            FROM {}",
            id("n"),
            padded("n % 1000000"),
            id(&format!("-(n % {users} + 1)")),
            numbers(items)
        ),
        if postgres { "VACUUM ANALYZE".to_owned() } else { "ANALYZE".to_owned() },
    ];
    let url = database_url.replace("sqlite:///", "sqlite://");
    let pool = AnyPoolOptions::new().max_connections(1).connect(&url).await?;
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&pool).await?;
    }
    pool.close().await;
    Ok(())
}
