//! The drafted tables, as handlers use them.

use super::entities::{Entity, Enum, Field};
use super::selects::Select;

/// A table, and what it is called in the drafted crate.
#[derive(Clone, Debug)]
pub(crate) struct TableOf {
    pub(crate) name: String,
    pub(crate) schema: Option<String>,
    /// The struct of a row; `New…` and `…Changes` are made of it.
    pub(crate) type_: String,
    pub(crate) singular: String,
    /// The columns of the primary key.
    pub(crate) key: Vec<String>,
    pub(crate) columns: Vec<ColumnOf>,
    /// The functions for what handlers read.
    pub(crate) selects: Vec<(Select, String)>,
}

/// A column as a field.
#[derive(Clone, Debug)]
pub(crate) struct ColumnOf {
    pub(crate) name: String,
    pub(crate) ident: String,
    /// Without the `Option` of what may be null.
    pub(crate) rust: String,
    /// As it stands in `CREATE TABLE`.
    pub(crate) declared: String,
    pub(crate) is_nullable: bool,
    /// Whether a new row may leave it to the database, or to be null.
    pub(crate) is_optional_when_new: bool,
    /// Whether a new row has it.
    pub(crate) is_in_new: bool,
    pub(crate) enumeration: Option<EnumOf>,
}

/// An enumeration of the database.
#[derive(Clone, Debug)]
pub(crate) struct EnumOf {
    /// The class of Python.
    pub(crate) class: Option<String>,
    /// What the database has, and the variant.
    pub(crate) variants: Vec<(String, String)>,
}

impl TableOf {
    pub(super) fn new(entity: &Entity<'_>, enums: &[Enum], selects: Vec<(Select, String)>) -> Self {
        let columns = entity.fields.iter().map(|field| ColumnOf::new(field, enums));
        Self {
            name: entity.table.name.clone(),
            schema: entity.table.schema.clone(),
            type_: entity.type_.clone(),
            singular: entity.singular.clone(),
            key: entity.table.primary_key().to_vec(),
            columns: columns.collect(),
            selects,
        }
    }

    pub(crate) fn column(&self, name: &str) -> Option<&ColumnOf> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl ColumnOf {
    fn new(field: &Field<'_>, enums: &[Enum]) -> Self {
        let known = enums.iter().find(|known| field.kind.is_own && known.type_ == field.kind.rust);
        let enumeration = known.map(|known| EnumOf {
            class: known.declared.class.clone(),
            variants: known
                .variants
                .iter()
                .map(|(name, value)| (value.clone(), name.clone()))
                .collect(),
        });
        Self {
            name: field.column.name.clone(),
            ident: field.ident.clone(),
            rust: field.kind.rust.clone(),
            declared: field.column.type_.postgres.clone().unwrap_or_default(),
            is_nullable: field.column.nullable,
            is_optional_when_new: field.column.nullable || field.has_server_default(),
            is_in_new: !field.is_generated(),
            enumeration,
        }
    }
}
