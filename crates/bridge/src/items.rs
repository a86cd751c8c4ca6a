//! Items from a CSV file: the counterpart of `app/imports.py`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// What `csv` of Python takes, in characters.
const MAX_FIELD: usize = 131_072;
/// What a column takes, in characters.
const MAX_TEXT: usize = 255;

/// The items of a CSV file, and what is wrong with the rows that are none.
///
/// Gives what `app.imports.read_items` of python-legacy gives, and raises ValueError where it does. The
/// interpreter is free while Rust reads.
#[pyfunction]
pub(crate) fn read_items<'py>(
    py: Python<'py>,
    text: &str,
) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyList>)> {
    let read = py.detach(|| Import::read(text));
    let Import { items, errors } =
        read.map_err(|error| PyValueError::new_err(error.to_string()))?;
    let items = PyList::new(py, items.iter().map(|item| (&item.title, &item.description)))?;
    let list = PyList::empty(py);
    for error in errors {
        list.append(error.as_dict(py)?)?;
    }
    Ok((items, list))
}

/// Why a file has no rows that could be read.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("the first row has to be `title` or `title,description`")]
    Header,
    #[error("a field has more than {MAX_FIELD} characters")]
    Field,
}

struct Item {
    title: String,
    description: Option<String>,
}

/// What is wrong with a row, as pydantic reports it.
struct RowError {
    row: usize,
    field: Option<&'static str>,
    input: String,
    problem: Problem,
}

enum Problem {
    Fields(usize),
    TooShort,
    TooLong,
    Nul,
    Duplicate(usize),
}

impl RowError {
    fn as_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let context = PyDict::new(py);
        let (kind, message) = match self.problem {
            Problem::Fields(fields) => {
                context.set_item("fields", fields)?;
                (
                    "row_length",
                    format!("Row should have as many fields as the header, not {fields}"),
                )
            }
            Problem::TooShort => {
                context.set_item("min_length", 1)?;
                ("string_too_short", "String should have at least 1 character".to_owned())
            }
            Problem::TooLong => {
                context.set_item("max_length", MAX_TEXT)?;
                ("string_too_long", format!("String should have at most {MAX_TEXT} characters"))
            }
            Problem::Nul => {
                ("string_nul", "String should not contain the character U+0000".to_owned())
            }
            Problem::Duplicate(first) => {
                context.set_item("first", first)?;
                ("duplicate", format!("Row {first} has the same title"))
            }
        };
        let dict = PyDict::new(py);
        dict.set_item("row", self.row)?;
        dict.set_item("type", kind)?;
        match self.field {
            Some(field) => dict.set_item("loc", (field,))?,
            None => dict.set_item("loc", pyo3::types::PyTuple::empty(py))?,
        }
        dict.set_item("msg", message)?;
        dict.set_item("input", &self.input)?;
        if !context.is_empty() {
            dict.set_item("ctx", context)?;
        }
        Ok(dict)
    }
}

#[derive(Default)]
struct Import {
    items: Vec<Item>,
    errors: Vec<RowError>,
}

impl Import {
    fn read(text: &str) -> Result<Self, FileError> {
        let mut rows = Rows { characters: text.chars(), is_ended: false };
        let header = rows.next().transpose()?.unwrap_or_default();
        if header != ["title"] && header != ["title", "description"] {
            return Err(FileError::Header);
        }
        let mut import = Self::default();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (index, fields) in rows.enumerate() {
            import.add(index + 1, fields?, header.len(), &mut known);
        }
        Ok(import)
    }

    fn add(
        &mut self,
        row: usize,
        mut fields: Vec<String>,
        expected: usize,
        known: &mut HashMap<String, usize>,
    ) {
        if fields.len() != expected {
            let (input, problem) = (fields.join(","), Problem::Fields(fields.len()));
            self.errors.push(RowError { row, field: None, input, problem });
            return;
        }
        let mut fields = fields.drain(..);
        let title = fields.next().unwrap_or_default();
        let description = fields.next().filter(|text| !text.is_empty());
        let title_problem =
            if title.is_empty() { Some(Problem::TooShort) } else { refused(&title) };
        let mut is_valid = true;
        if let Some(problem) = title_problem {
            is_valid = false;
            let input = title.clone();
            self.errors.push(RowError { row, field: Some("title"), input, problem });
        }
        if let Some((text, problem)) =
            description.as_ref().and_then(|text| Some((text, refused(text)?)))
        {
            is_valid = false;
            let input = text.clone();
            self.errors.push(RowError { row, field: Some("description"), input, problem });
        }
        if !is_valid {
            return;
        }
        match known.entry(title.clone()) {
            Entry::Occupied(first) => {
                let problem = Problem::Duplicate(*first.get());
                self.errors.push(RowError { row, field: Some("title"), input: title, problem });
            }
            Entry::Vacant(entry) => {
                entry.insert(row);
                self.items.push(Item { title, description });
            }
        }
    }
}

/// What pydantic refuses in a text of a column.
fn refused(text: &str) -> Option<Problem> {
    // As many bytes are no more characters.
    if text.len() > MAX_TEXT && text.chars().count() > MAX_TEXT {
        return Some(Problem::TooLong);
    }
    text.contains('\0').then_some(Problem::Nul)
}

/// The rows of a file as Python's `csv.reader` reads them, without blank ones: quotes within a field are
/// characters, what follows a closing quote belongs to the field, and a quote may be left open.
struct Rows<'a> {
    characters: std::str::Chars<'a>,
    is_ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    StartOfRow,
    StartOfField,
    Field,
    Quoted,
    QuoteInQuoted,
}

impl Iterator for Rows<'_> {
    type Item = Result<Vec<String>, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_ended {
            return None;
        }
        let mut at = At::StartOfRow;
        let (mut row, mut field, mut length) = (Vec::new(), String::new(), 0);
        for character in self.characters.by_ref() {
            at = match (at, character) {
                (At::StartOfRow, '\r' | '\n') => continue,
                (At::Quoted, '"') => At::QuoteInQuoted,
                (At::StartOfRow | At::StartOfField, '"') => At::Quoted,
                (At::StartOfRow | At::StartOfField | At::Field | At::QuoteInQuoted, ',') => {
                    row.push(std::mem::take(&mut field));
                    length = 0;
                    At::StartOfField
                }
                (At::StartOfField | At::Field | At::QuoteInQuoted, '\r' | '\n') => {
                    row.push(field);
                    return Some(Ok(row));
                }
                (at, character) => {
                    if length == MAX_FIELD {
                        self.is_ended = true;
                        return Some(Err(FileError::Field));
                    }
                    length += 1;
                    field.push(character);
                    match at {
                        At::Quoted => At::Quoted,
                        At::QuoteInQuoted if character == '"' => At::Quoted,
                        _ => At::Field,
                    }
                }
            };
        }
        self.is_ended = true;
        (at != At::StartOfRow).then(|| {
            row.push(field);
            Ok(row)
        })
    }
}
