//! Multipart forms as Starlette and python-multipart read them: lenient at the end of a body, where
//! an unfinished part is dropped, strict about everything before.

use indexmap::IndexMap;

use crate::characters::latin1;
use crate::urlencoded::{MAX_FIELD, MAX_FIELDS, Refusal};
use crate::value::{UploadFile, Value};

const MAX_HEADERS: usize = 8;
const MAX_HEADER: usize = 4096 + 128;
const MAX_BOUNDARY: usize = 256;

/// A part that has been read: a text, or what is known of a file.
struct Part {
    name: String,
    filename: Option<String>,
    headers: IndexMap<String, Value>,
}

/// Reads all parts of a body; `content_type` gives boundary and charset.
pub(crate) fn parse(body: &[u8], content_type: &str) -> Result<Vec<(String, Value)>, Refusal> {
    let options = options(content_type);
    let utf8 = options.get("charset").is_none_or(|charset| {
        ["utf-8", "utf8"].iter().any(|name| charset.eq_ignore_ascii_case(name))
    });
    let boundary = options.get("boundary").ok_or("Missing boundary in multipart.")?;
    if boundary.chars().count() > MAX_BOUNDARY {
        return Err(invalid());
    }
    // Header values are Latin-1: each character is a byte.
    let mut delimiter = b"\r\n--".to_vec();
    delimiter.extend(boundary.chars().filter_map(|c| u8::try_from(c).ok()));
    let mut reader = Reader { rest: body, delimiter, utf8, parts: Vec::new(), files: 0, fields: 0 };
    reader.read()?;
    Ok(reader.parts)
}

fn invalid() -> Refusal {
    "Invalid multipart data.".to_owned()
}

/// The body ended where it was: what has been read so far counts.
enum Step<T> {
    Read(T),
    Ended,
}

struct Reader<'a> {
    rest: &'a [u8],
    delimiter: Vec<u8>,
    utf8: bool,
    parts: Vec<(String, Value)>,
    files: usize,
    fields: usize,
}

impl Reader<'_> {
    fn read(&mut self) -> Result<(), Refusal> {
        if matches!(self.rest.first(), Some(b'\r' | b'\n')) {
            let dash = self.rest.iter().position(|&byte| byte == b'-');
            self.rest = dash.map_or(&[], |dash| &self.rest[dash..]);
        }
        let first = self.delimiter[2..].to_vec();
        if matches!(self.expect(&first)?, Step::Ended) {
            return Ok(());
        }
        if self.rest.first() == Some(&b'-') {
            return self.expect(b"--").map(|_| ());
        }
        if matches!(self.expect(b"\r\n")?, Step::Ended) {
            return Ok(());
        }
        while let Step::Read(part) = self.headers()? {
            let Step::Read(more) = self.data(part)? else { break };
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// Takes these bytes, or as many as there still are.
    fn expect(&mut self, bytes: &[u8]) -> Result<Step<()>, Refusal> {
        let there = self.rest.len().min(bytes.len());
        if self.rest[..there] != bytes[..there] {
            return Err(invalid());
        }
        self.rest = &self.rest[there..];
        Ok(if there == bytes.len() { Step::Read(()) } else { Step::Ended })
    }

    fn headers(&mut self) -> Result<Step<Part>, Refusal> {
        let mut headers = IndexMap::new();
        let mut disposition = String::new();
        let mut count = 0;
        loop {
            if self.rest.first().is_none_or(|&byte| byte == b'\r') {
                let Step::Read(()) = self.expect(b"\r\n")? else { return Ok(Step::Ended) };
                return self.part(headers, &disposition).map(Step::Read);
            }
            count += 1;
            let colon = self.rest.iter().position(|&byte| byte == b':');
            let name = &self.rest[..colon.unwrap_or(self.rest.len())];
            if count > MAX_HEADERS || name.len() > MAX_HEADER || !name.iter().copied().all(is_token)
            {
                return Err(invalid());
            }
            let Some(colon) = colon else { return Ok(Step::Ended) };
            if colon == 0 {
                return Err(invalid());
            }
            let after = &self.rest[colon + 1..];
            let spaces = after.iter().take_while(|&&byte| byte == b' ').count();
            let value = &after[spaces..];
            let end = value.iter().position(|&byte| byte == b'\r');
            let length = end.unwrap_or(value.len());
            if colon + 1 + spaces + length > MAX_HEADER {
                return Err(invalid());
            }
            let name = latin1(&name.to_ascii_lowercase()).into_owned();
            self.rest = &value[length..];
            let value = latin1(&value[..length]).into_owned();
            let Step::Read(()) = self.expect(b"\r\n")? else { return Ok(Step::Ended) };
            if name == "content-disposition" {
                disposition.clone_from(&value);
            }
            headers.insert(name, value.into());
        }
    }

    fn part(
        &mut self,
        headers: IndexMap<String, Value>,
        disposition: &str,
    ) -> Result<Part, Refusal> {
        let mut options = options(disposition);
        let Some(name) = options.shift_remove("name") else {
            return Err("The Content-Disposition header field \"name\" must be provided.".into());
        };
        let filename = options.shift_remove("filename");
        let (count, kind) = match filename {
            Some(_) => (&mut self.files, "files"),
            None => (&mut self.fields, "fields"),
        };
        *count += 1;
        if *count > MAX_FIELDS {
            return Err(format!("Too many {kind}. Maximum number of {kind} is {MAX_FIELDS}."));
        }
        let decode = |text: String| {
            let bytes: Vec<u8> = text.chars().filter_map(|c| u8::try_from(c).ok()).collect();
            self.decode(&bytes)
        };
        let filename = filename.map(|name| decode(without_folder(name)));
        Ok(Part { name: decode(name), filename, headers })
    }

    /// Text in the charset of the form, else Latin-1.
    fn decode(&self, bytes: &[u8]) -> String {
        match std::str::from_utf8(bytes) {
            Ok(text) if self.utf8 => text.to_owned(),
            _ => latin1(bytes).into_owned(),
        }
    }

    /// Reads to the next delimiter and keeps the part; gives whether another follows.
    fn data(&mut self, part: Part) -> Result<Step<bool>, Refusal> {
        let mut from = 0;
        let (length, after) = loop {
            let found = find(&self.rest[from..], &self.delimiter).map(|at| from + at);
            let length = found.unwrap_or(self.rest.len());
            if part.filename.is_none() && length > MAX_FIELD {
                return Err(format!("Part exceeded maximum size of {}KB.", MAX_FIELD / 1024));
            }
            let Some(found) = found else { return Ok(Step::Ended) };
            let after = &self.rest[found + self.delimiter.len()..];
            match after {
                [b'\r', b'\n', ..] | [b'-', b'-', ..] | [b' ' | b'\t', ..] => break (found, after),
                [] | [b'\r' | b'-'] => return Ok(Step::Ended),
                _ => from = found + 1, // the delimiter goes on: it was data
            }
        };
        let content = &self.rest[..length];
        let value = match part.filename {
            Some(filename) => {
                Value::File(UploadFile::new(filename, part.headers, content.to_vec()))
            }
            None => self.decode(content).into(),
        };
        self.parts.push((part.name, value));
        if after.starts_with(b"--") {
            return Ok(Step::Read(false));
        }
        let padding = after.iter().take_while(|&byte| matches!(byte, b' ' | b'\t')).count();
        self.rest = &after[padding..];
        Ok(match self.expect(b"\r\n")? {
            Step::Read(()) => Step::Read(true),
            Step::Ended => Step::Ended,
        })
    }
}

/// What python-multipart keeps of a file name: of a Windows path with a drive or a server the part
/// behind the last backslash.
fn without_folder(name: String) -> String {
    let is_path = name.starts_with("\\\\") || name.chars().skip(1).take(2).eq([':', '\\']);
    match name.rfind('\\') {
        Some(at) if is_path => name[at + 1..].to_owned(),
        _ => name,
    }
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len()).position(|window| window == pattern)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The parameters of a header such as `form-data; name="a"`.
fn options(header: &str) -> IndexMap<String, String> {
    let mut segments = Vec::new();
    let (mut segment, mut quoted, mut escaped) = (String::new(), false, false);
    for c in header.chars() {
        match c {
            ';' if !quoted => segments.push(std::mem::take(&mut segment)),
            c => {
                quoted ^= c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                segment.push(c);
            }
        }
    }
    segments.push(segment);
    segments
        .iter()
        .skip(1)
        .filter_map(|segment| segment.split_once('='))
        .map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim()))
        .filter(|(key, _)| !key.contains('*'))
        .map(|(key, value)| {
            let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = match inner {
                Some(inner) => inner.replace("\\\\", "\\").replace("\\\"", "\""),
                None => value.to_owned(),
            };
            (key, value)
        })
        .collect()
}
