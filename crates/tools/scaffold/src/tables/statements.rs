//! Pieces of the statements and of the Rust around them.

use super::entities::{Entity, Field};

/// The body of a function that fetches rows, and its statement as it stands there.
pub(super) fn fetched(
    type_: &str,
    statement: &str,
    values: Vec<String>,
    fetch: &str,
) -> (String, String) {
    let (literal, statement) = raw(statement);
    let values = trailing(values.into_iter());
    let body = format!(
        "query_as!({type_}, {literal}{values}).{fetch}(&self.pool).await.map_err(storage_error)"
    );
    (body, statement)
}

/// Adds the page to the values and gives its clause.
pub(super) fn limits(values: &mut Vec<String>) -> String {
    values.extend(["page.limit".to_owned(), "page.skip".to_owned()]);
    format!("LIMIT ${} OFFSET ${}", values.len() - 1, values.len())
}

pub(super) fn columns(entity: &Entity<'_>, prefix: Option<&str>) -> String {
    let all: Vec<String> = entity.fields.iter().map(|field| field.selected(prefix)).collect();
    all.join(", ")
}

/// A line of SQL in lines of the usual width: broken after commas and before the words of clauses.
fn broken(line: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for part in parts(line) {
        if width > 0 && width + part.len() > 78 {
            text = text.trim_end().to_owned() + "\n    ";
            width = 4;
        }
        text += part;
        width += part.len();
    }
    text
}

/// The pieces between which a line may be broken.
fn parts(line: &str) -> Vec<&str> {
    const CLAUSES: [&str; 8] =
        ["AND ", "FROM ", "JOIN ", "LIMIT ", "ON ", "ORDER ", "RETURNING ", "WHERE "];
    let (mut found, mut start, mut quote) = (Vec::new(), 0, None);
    let mut before = ' ';
    for (index, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == ' ' => {
                let rest = &line[index + 1..];
                if before == ',' || CLAUSES.iter().any(|clause| rest.starts_with(clause)) {
                    found.push(&line[start..=index]);
                    start = index + 1;
                }
            }
            _ => {}
        }
        before = c;
    }
    found.push(&line[start..]);
    found
}

pub(super) fn conditions(fields: &[&Field<'_>], first: usize, prefix: Option<&str>) -> String {
    let dot = prefix.map(|prefix| format!("{prefix}.")).unwrap_or_default();
    let all = fields.iter().enumerate().map(|(index, field)| {
        format!("{dot}{} = {}", field.sql, field.kind.parameter(first + index))
    });
    all.collect::<Vec<_>>().join(" AND ")
}

pub(super) fn parameters(fields: &[&Field<'_>]) -> String {
    trailing(
        fields
            .iter()
            .map(|field| format!("{}: {}", argument_name(field), field.kind.argument_type())),
    )
}

pub(super) fn argument(field: &Field<'_>) -> String {
    field.kind.unchecked(argument_name(field))
}

/// The other arguments have these names.
pub(super) fn argument_name<'a>(field: &'a Field<'_>) -> &'a str {
    match field.ident.as_str() {
        "page" => "page_",
        "new" => "new_",
        "changes" => "changes_",
        name => name,
    }
}

pub(super) fn joined(fields: &[&Field<'_>]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.ident.trim_end_matches('_')).collect();
    names.join("_and_")
}

pub(super) fn trailing(values: impl Iterator<Item = String>) -> String {
    values.flat_map(|value| [", ".to_owned(), value]).collect()
}

/// A text of SQL as Rust writes it, in lines that rustfmt takes, and what that literal holds.
pub(super) fn raw(statement: &str) -> (String, String) {
    let lines: Vec<String> = statement.lines().map(broken).collect();
    let indented = lines.join("\n").replace('\n', "\n                ");
    let literal = if statement.contains('"') {
        format!("r#\"{indented}\"#")
    } else {
        format!("\"{}\"", indented.replace('\\', "\\\\"))
    };
    (literal, indented)
}
