//! What tables, columns and enumerations are called in Rust and in SQL.

use std::collections::BTreeSet;

use heck::{ToSnakeCase, ToUpperCamelCase};

/// Names that are given once.
#[derive(Debug, Default)]
pub(super) struct Taken(BTreeSet<String>);

impl Taken {
    pub(super) fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// The name, with `_`, `2`, `3`… where it is taken.
    pub(super) fn take(&mut self, name: &str) -> String {
        let mut given = name.to_owned();
        let mut count = 1;
        while !self.0.insert(given.clone()) {
            count += 1;
            given = format!("{name}{count}");
        }
        given
    }
}

/// Types that the generated code uses for other things.
pub(super) const TYPES: [&str; 26] = [
    "Box",
    "Clone",
    "Copy",
    "DateTime",
    "Debug",
    "Decimal",
    "Default",
    "Eq",
    "Err",
    "NaiveDate",
    "NaiveDateTime",
    "NaiveTime",
    "None",
    "Ok",
    "Option",
    "Page",
    "PartialEq",
    "PgInterval",
    "Postgres",
    "Result",
    "Some",
    "StorageError",
    "String",
    "Utc",
    "Uuid",
    "Value",
];

/// A field, variable or function of this name.
pub(super) fn ident(name: &str) -> String {
    let is_kept = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let mut ident: String = name.to_snake_case().chars().filter(is_kept).collect();
    if !ident.starts_with(|c: char| c.is_ascii_alphabetic()) {
        ident.insert_str(0, "field_");
    }
    if syn::parse_str::<syn::Ident>(&ident).is_err() || ident == "gen" {
        ident.push('_');
    }
    ident
}

/// A type or variant of this name.
pub(super) fn type_name(name: &str) -> String {
    let camel = name.to_upper_camel_case();
    let mut name: String = camel.chars().filter(char::is_ascii_alphanumeric).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || syn::parse_str::<syn::Ident>(&name).is_err()
    {
        name.insert(0, 'V');
    }
    name
}

/// `order_line` from `order_lines`, as far as an ending shows it.
pub(super) fn singular(name: &str) -> String {
    for (end, instead) in
        [("ies", "y"), ("lves", "lf"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")]
    {
        if let Some(stem) = name.strip_suffix(end).filter(|stem| stem.len() > 1) {
            return format!("{stem}{instead}");
        }
    }
    let stem =
        name.strip_suffix('s').filter(|stem| stem.len() > 1 && !stem.ends_with(['s', 'u', 'i']));
    stem.unwrap_or(name).to_owned()
}

/// `order_lines` from `order_line`.
pub(super) fn plural(name: &str) -> String {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let before_y = name.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    if let Some(stem) = before_y {
        format!("{stem}ies")
    } else if let Some(stem) = name.strip_suffix("lf") {
        format!("{stem}lves")
    } else if ends(&["s", "x", "z", "ch", "sh"]) {
        format!("{name}es")
    } else {
        format!("{name}s")
    }
}

/// A name in a statement: always quoted when it is anything but a plain word.
pub(super) fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain {
        crate::resource::quoted(name)
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A table with its schema.
pub(super) fn quoted_table(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(schema) => format!("{}.{}", quoted(schema), quoted(name)),
        None => quoted(name),
    }
}

/// A doc comment of any text, indented; nothing for none.
pub(super) fn doc(text: Option<&str>, indent: &str) -> String {
    let lines = text.unwrap_or_default().trim().lines();
    let lines = lines.map(|line| format!("{indent}/// {}", line.trim()).trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_called_in_both_numbers() {
        for (one, many) in [
            ("order_line", "order_lines"),
            ("category", "categories"),
            ("box", "boxes"),
            ("day", "days"),
            ("address", "addresses"),
            ("match", "matches"),
            ("shelf", "shelves"),
        ] {
            assert_eq!(plural(one), many);
            assert_eq!(singular(many), one);
        }
        for name in ["status", "analysis", "news_press", "stock"] {
            assert_eq!(singular(name), name);
        }
    }

    #[test]
    fn any_name_becomes_an_identifier() {
        assert_eq!(ident("type"), "type_");
        assert_eq!(ident("gen"), "gen_");
        assert_eq!(ident("Order-No."), "order_no");
        assert_eq!(ident("2nd"), "field_2nd");
        assert_eq!(type_name("shipped-out"), "ShippedOut");
        assert_eq!(type_name("1"), "V1");
        assert_eq!(quoted("order"), "\"order\"");
        assert_eq!(quoted("orderNo"), "\"orderNo\"");
        assert_eq!(quoted_table(Some("shop"), "item"), "shop.item");
    }
}
