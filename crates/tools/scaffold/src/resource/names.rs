//! The names of a resource in each language.

use heck::{ToKebabCase, ToUpperCamelCase};

/// `order_lines`, in every form that the code needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Names {
    /// `order_lines`: files, modules, variables.
    pub(crate) plural: String,
    /// `order_line`: the table, variables.
    pub(crate) singular: String,
    /// `OrderLines`
    pub(crate) types: String,
    /// `OrderLine`
    pub(crate) type_: String,
    /// `order-lines`, in URLs and as the tag.
    pub(crate) path: String,
    /// `order lines`
    pub(crate) words: String,
    /// `order line`
    pub(crate) word: String,
    /// `an`
    pub(crate) article: &'static str,
}

impl Names {
    /// # Errors
    /// When the name is none, or its singular cannot be guessed.
    pub(crate) fn new(plural: &str, singular: Option<&str>) -> Result<Self, String> {
        let plain = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                && !name.ends_with('_')
                && !name.contains("__")
                && name.len() <= 30
        };
        let singular = match singular {
            Some(singular) => singular.to_owned(),
            None => guess(plural).ok_or_else(|| {
                format!("`{plural}` is no plural with -s: give the singular with --singular")
            })?,
        };
        for name in [plural, &singular] {
            if !plain(name) {
                return Err(format!(
                    "`{name}`: a resource is called in lower case, like `orders` or `order_lines`"
                ));
            }
            if super::fields::TAKEN.contains(&name) || RESERVED.contains(&name) {
                return Err(format!(
                    "`{name}` means something else in this code: choose another word"
                ));
            }
        }
        if plural == singular {
            return Err(format!("`{plural}` must differ from its singular"));
        }
        let word = singular.replace('_', " ");
        Ok(Self {
            types: plural.to_upper_camel_case(),
            type_: singular.to_upper_camel_case(),
            path: plural.to_kebab_case(),
            words: plural.replace('_', " "),
            article: if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" },
            word,
            plural: plural.to_owned(),
            singular,
        })
    }
}

/// Names that the layers or the generated code use for other things.
const RESERVED: [&str; 44] = [
    "any",
    "app",
    "base",
    "bool",
    "box",
    "call",
    "caller",
    "callers",
    "change",
    "changed",
    "changes",
    "clock",
    "connection",
    "connections",
    "count",
    "decimal",
    "error",
    "errors",
    "fields",
    "found",
    "id",
    "index",
    "json",
    "limit",
    "message",
    "messages",
    "named",
    "new",
    "numeric",
    "option",
    "owner",
    "page",
    "pages",
    "patch",
    "path",
    "query",
    "result",
    "router",
    "row",
    "session",
    "skip",
    "storage",
    "string",
    "suite",
];

fn guess(plural: &str) -> Option<String> {
    let strip = |end: &str, instead: &str| {
        plural
            .strip_suffix(end)
            .filter(|rest| !rest.is_empty())
            .map(|rest| format!("{rest}{instead}"))
    };
    if plural.ends_with("ss") {
        return None;
    }
    strip("ies", "y")
        .or_else(|| {
            ["sses", "shes", "ches", "xes", "zes"]
                .iter()
                .find_map(|end| strip(end, &end[..end.len() - 2]))
        })
        .or_else(|| strip("s", ""))
}

/// How a name stands in SQL: quoted if it is a keyword that PostgreSQL or SQLite reserves.
pub(crate) fn quoted(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("\"{name}\"") } else { name.to_owned() }
}

/// From the two databases' lists of reserved keywords.
const KEYWORDS: [&str; 123] = [
    "add",
    "all",
    "alter",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "autoincrement",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "commit",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "delete",
    "desc",
    "distinct",
    "do",
    "drop",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "glob",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "index",
    "initially",
    "inner",
    "insert",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "nothing",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "rollback",
    "select",
    "session_user",
    "set",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "transaction",
    "true",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "values",
    "variadic",
    "verbose",
    "view",
    "when",
    "where",
    "window",
    "with",
    "without",
    "regexp",
    "indexed",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singulars_are_guessed() {
        for (plural, singular) in [
            ("orders", "order"),
            ("order_lines", "order_line"),
            ("categories", "category"),
            ("boxes", "box"),
            ("branches", "branch"),
            ("addresses", "address"),
            ("houses", "house"),
        ] {
            assert_eq!(guess(plural).as_deref(), Some(singular));
        }
        assert_eq!(guess("staff"), None);
        assert_eq!(guess("press"), None);
    }

    #[test]
    fn names_have_every_form() {
        let names = Names::new("order_lines", None).unwrap();
        assert_eq!((names.types.as_str(), names.type_.as_str()), ("OrderLines", "OrderLine"));
        assert_eq!((names.path.as_str(), names.word.as_str()), ("order-lines", "order line"));
        assert_eq!(names.article, "an");
        assert!(Names::new("staff", None).unwrap_err().contains("--singular"));
        assert!(Names::new("Orders", None).is_err());
        assert!(Names::new("pages", None).unwrap_err().contains("something else"));
        assert!(Names::new("staff", Some("employee")).is_ok());
    }

    #[test]
    fn keywords_are_quoted() {
        assert_eq!(quoted("order"), "\"order\"");
        assert_eq!(quoted("parcel"), "parcel");
    }
}
