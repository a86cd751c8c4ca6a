//! Tables and enumerations as types of Rust.

use serde_json::Value;

use super::metadata::{Column, Enumeration, Metadata, Table};
use super::names::{TYPES, Taken, ident, plural, quoted, quoted_table, singular, type_name};
use super::types::Kind;

/// A table, and what it is called.
#[derive(Debug)]
pub(super) struct Entity<'a> {
    pub(super) table: &'a Table,
    /// `OrderLine`
    pub(super) type_: String,
    /// `order_line`: functions and variables.
    pub(super) singular: String,
    /// `order_lines`: the module, and functions about many.
    pub(super) plural: String,
    /// As it stands in statements.
    pub(super) sql: String,
    pub(super) fields: Vec<Field<'a>>,
}

/// A column, and what it is called.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) column: &'a Column,
    pub(super) ident: String,
    pub(super) sql: String,
    pub(super) kind: Kind,
    pub(super) is_key: bool,
}

/// A type that `CREATE TYPE … AS ENUM` made.
#[derive(Debug)]
pub(super) struct Enum {
    pub(super) type_: String,
    pub(super) declared: Enumeration,
    /// The name in Rust, and the value.
    pub(super) variants: Vec<(String, String)>,
}

impl Enum {
    /// What sqlx looks up in the database.
    pub(super) fn sql(&self) -> String {
        let name = self.declared.name.as_deref().unwrap_or_default();
        quoted_table(self.declared.schema.as_deref(), name)
    }
}

/// All enumerations, then all tables.
pub(super) fn entities(all: &[Metadata]) -> (Vec<Enum>, Vec<Entity<'_>>) {
    let mut types = Taken::of(&TYPES);
    let mut functions = Taken::of(&["enumerations", "mod", "postgres", "domain"]);
    // Tables first: they keep their names.
    let named: Vec<(&Table, String, String, String)> = all
        .iter()
        .flat_map(|metadata| metadata.tables.iter().map(move |table| (metadata, table)))
        .map(|(metadata, table)| {
            let class = class_of(metadata, table);
            let word = match &class {
                Some(class) => ident(class),
                None => ident(&singular(&ident(&table.name))),
            };
            let type_ = types.take(&type_name(class.as_deref().unwrap_or(&word)));
            let one = functions.take(&word);
            let mut many = plural(&word);
            if many == word {
                many += "_list";
            }
            (table, type_, one, functions.take(&many))
        })
        .collect();
    for (_, type_, ..) in &named {
        types.take(&format!("New{type_}"));
        types.take(&format!("{type_}Changes"));
    }
    let mut enums: Vec<Enum> = Vec::new();
    for (table, ..) in &named {
        for column in &table.columns {
            let mut type_ = &column.type_;
            while let Some(item) = &type_.item {
                type_ = item;
            }
            let Some(declared) = type_.enumeration.as_ref().filter(|one| one.native) else {
                continue;
            };
            if !enums.iter().any(|known| same_enum(&known.declared, declared)) {
                enums.push(enumeration(declared, &mut types));
            }
        }
    }
    let rust_of = |declared: &Enumeration| {
        let known = enums.iter().find(|known| same_enum(&known.declared, declared));
        known.map_or_else(|| "String".to_owned(), |known| known.type_.clone())
    };
    let entities = named.into_iter().map(|(table, type_, singular, plural)| {
        let sql = quoted_table(table.schema.as_deref(), &table.name);
        let mut taken = Taken::default();
        let fields = table.columns.iter().map(|column| Field {
            column,
            ident: taken.take(&ident(&column.name)),
            sql: quoted(&column.name),
            kind: Kind::new(&column.type_, rust_of),
            is_key: table.primary_key().contains(&column.name),
        });
        Entity { table, type_, singular, plural, sql, fields: fields.collect() }
    });
    let entities = entities.collect();
    (enums, entities)
}

/// The name of the class that is mapped to a table; the topmost of those that share one.
fn class_of(metadata: &Metadata, table: &Table) -> Option<String> {
    let mapped = metadata.classes.iter().filter(|class| {
        class.table.as_deref() == Some(&table.name) && class.schema == table.schema
    });
    let class = mapped.min_by_key(|class| class.inherits.is_some())?;
    class.name.rsplit('.').next().map(str::to_owned)
}

fn enumeration(declared: &Enumeration, types: &mut Taken) -> Enum {
    let class = declared.class.as_deref().and_then(|class| class.rsplit('.').next());
    let name = class.or(declared.name.as_deref()).unwrap_or("Choice");
    let mut taken = Taken::default();
    let variants = declared.values.iter().map(|value| {
        // Upper case is one word: `SHIPPED_OUT` is `ShippedOut`.
        (taken.take(&type_name(&value.to_lowercase())), value.clone())
    });
    let variants = variants.collect();
    Enum { type_: types.take(&type_name(name)), declared: declared.clone(), variants }
}

fn same_enum(one: &Enumeration, other: &Enumeration) -> bool {
    (&one.name, &one.schema) == (&other.name, &other.schema)
}

impl Entity<'_> {
    pub(super) fn field(&self, column: &str) -> Option<&Field<'_>> {
        self.fields.iter().find(|field| field.column.name == column)
    }

    /// The fields of these columns; nothing if one is missing.
    pub(super) fn fields_of(&self, columns: &[String]) -> Option<Vec<&Field<'_>>> {
        columns.iter().map(|column| self.field(column)).collect()
    }

    /// The fields of the primary key, in its order.
    pub(super) fn key(&self) -> Vec<&Field<'_>> {
        self.fields_of(self.table.primary_key()).unwrap_or_default()
    }

    /// What a new row may have.
    pub(super) fn inserted(&self) -> impl Iterator<Item = &Field<'_>> {
        self.fields.iter().filter(|field| !field.is_generated())
    }

    /// What of a row can change.
    pub(super) fn changeable(&self) -> impl Iterator<Item = &Field<'_>> {
        self.inserted().filter(|field| !field.is_key)
    }
}

impl Field<'_> {
    /// The database alone fills it in.
    pub(super) fn is_generated(&self) -> bool {
        let column = self.column;
        column.autoincrement || column.identity.is_some() || column.computed.is_some()
    }

    pub(super) fn has_server_default(&self) -> bool {
        self.column.server_default.as_ref().is_some_and(|default| !default.is_empty())
    }

    /// The type in the struct of a row.
    pub(super) fn type_(&self) -> String {
        self.optional(self.column.nullable)
    }

    /// The type in the struct of a new row: nothing stands for the database's default.
    pub(super) fn new_type(&self) -> String {
        self.optional(self.column.nullable || self.has_server_default())
    }

    /// The type in the struct of changes: nothing leaves the column as it is.
    pub(super) fn change_type(&self) -> String {
        format!("Option<{}>", self.type_())
    }

    fn optional(&self, is_optional: bool) -> String {
        let rust = &self.kind.rust;
        if is_optional { format!("Option<{rust}>") } else { rust.clone() }
    }

    /// What sqlx calls the column of a list, with what it has to know.
    pub(super) fn selected_name(&self) -> String {
        let mark = if self.column.nullable { '?' } else { '!' };
        match self.kind.through {
            Some(_) => format!("{}{mark}", self.ident),
            None if self.kind.is_own => format!("{}{mark}: {}", self.ident, self.kind.rust),
            None => self.ident.clone(),
        }
    }

    /// What the columns of a list select.
    pub(super) fn selected(&self, table: Option<&str>) -> String {
        let prefix = table.map(|table| format!("{table}.")).unwrap_or_default();
        let name = self.selected_name();
        match self.kind.through {
            Some(text) => format!(r#"{prefix}{}::{text} AS "{name}""#, self.sql),
            None if self.kind.is_own => format!(r#"{prefix}{} AS "{name}""#, self.sql),
            None if self.ident == self.column.name => format!("{prefix}{}", self.sql),
            None => format!("{prefix}{} AS {}", self.sql, self.ident),
        }
    }

    /// What is known of it beside its type.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        notes.extend(self.column.comment.clone());
        let type_ = &self.column.type_;
        if let Some(declared) = type_.enumeration.as_ref().filter(|declared| !declared.native) {
            notes.push(format!("One of {}.", declared.values.join(", ")));
        }
        if self.kind.through.is_some() {
            notes.push(format!("{} as text.", self.kind.cast));
        }
        notes
    }

    /// What Python or the database fills in where a new row says nothing.
    pub(super) fn default_notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.has_server_default() {
            let default = self.column.server_default.as_deref().unwrap_or_default();
            notes.push(format!("The database's default: `{default}`."));
        } else if let Some(default) = self.column.default.as_ref().and_then(said) {
            notes.push(format!("Python fills in `{default}`."));
        }
        notes
    }

    pub(super) fn change_notes(&self) -> Vec<String> {
        let set = self.column.onupdate.as_ref().and_then(said);
        set.map(|value| format!("Python sets it to `{value}` at every update."))
            .into_iter()
            .collect()
    }
}

/// A default as Python has it.
fn said(default: &Value) -> Option<String> {
    let text = |name: &str| default.get(name).and_then(Value::as_str).map(str::to_owned);
    text("factory")
        .map(|factory| factory + "()")
        .or_else(|| text("python"))
        .or_else(|| text("expression"))
        .or_else(|| default.get("json").map(Value::to_string))
}
