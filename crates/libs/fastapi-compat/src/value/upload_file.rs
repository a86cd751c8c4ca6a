//! `UploadFile`: a file of a multipart form.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::Value;
use crate::dialect::{Switch, has};

/// A file that came with a form. It is in memory: the service's body limit bounds it.
#[derive(Clone, Debug, PartialEq)]
pub struct UploadFile(Arc<Upload>);

#[derive(Debug, PartialEq)]
struct Upload {
    filename: String,
    headers: IndexMap<String, Value>,
    content: Vec<u8>,
}

impl UploadFile {
    pub(crate) fn new(
        filename: String,
        headers: IndexMap<String, Value>,
        content: Vec<u8>,
    ) -> Self {
        Self(Arc::new(Upload { filename, headers, content }))
    }

    /// As the client called it: not a path to write to.
    pub fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The `Content-Type` that the client gave.
    pub fn content_type(&self) -> Option<&str> {
        match self.0.headers.get("content-type") {
            Some(Value::Str(value)) => Some(value),
            _ => None,
        }
    }

    /// The bytes of the file.
    pub fn content(&self) -> &[u8] {
        &self.0.content
    }

    /// What a browser sends when no file was chosen.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.filename.is_empty() && self.0.content.is_empty()
    }
}

impl UploadFile {
    /// What FastAPI echoes for a file where something else was expected: the attributes of its
    /// object.
    pub(crate) fn as_value(&self) -> Value {
        const SPOOL_SIZE: usize = 1024 * 1024;
        let size = self.0.content.len();
        let unset = ["suffix", "prefix", "encoding", "newline", "dir", "errors"];
        let arguments = [("mode", "w+b".into()), ("buffering", Value::Int(-1))];
        let arguments = arguments.into_iter().chain(unset.map(|name| (name, Value::Null)));
        // Python's `dict` comes first: it takes every line of two bytes for a key and its value.
        let pairs: Option<IndexMap<String, Value>> = self
            .content()
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| match line {
                [key, value] => Some((key.to_string(), Value::Int((*value).into()))),
                _ => None,
            })
            .collect();
        let attributes = [
            ("_file", IndexMap::new().into()),
            ("_max_size", SPOOL_SIZE.into()),
            ("_rolled", Value::Bool(size > SPOOL_SIZE)),
            ("_TemporaryFileArgs", Value::Object(arguments.collect())),
        ];
        let pairs = pairs.filter(|_| !has(Switch::UploadsAreAttributes));
        let file = pairs.map_or_else(|| attributes.into(), Value::from);
        let attributes = [
            ("filename", self.filename().into()),
            ("file", file),
            ("size", size.into()),
            ("headers", self.0.headers.clone().into()),
            ("_max_mem_size", SPOOL_SIZE.into()),
        ];
        let is_older = has(Switch::UploadsWithoutMemorySize);
        let shown = attributes.into_iter().take(if is_older { 4 } else { 5 });
        Value::Object(shown.collect())
    }
}

/// Written as FastAPI echoes it in an error.
impl Serialize for UploadFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_value().serialize(serializer)
    }
}
