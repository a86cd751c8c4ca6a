//! Where documents come from: files, standard input, URLs and revisions of a git repository.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use comparison::openapi::decode;
use reqwest::Url;
use serde_json::Value;

use super::form_error::FormError;
use super::{bundle, exact};

/// How many documents one may refer to.
const MAX_DOCUMENTS: usize = 200;

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It cannot be read.
    #[error("{document}: {message}")]
    Read { document: String, message: String },
    /// It is neither JSON nor YAML.
    #[error("{document} is neither JSON nor YAML: {message}")]
    Syntax { document: String, message: String },
    /// It is another kind of document.
    #[error("{document} is no OpenAPI 3 document: {message}")]
    Version { document: String, message: String },
    /// Something in it is not as the specification has it.
    #[error("{document}: {location}: {message}")]
    Malformed { document: String, location: String, message: String },
}

impl DocumentError {
    fn malformed(document: &str, FormError { location, message }: FormError) -> Self {
        Self::Malformed { document: document.to_owned(), location, message }
    }
}

/// Where a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Standard,
    File(PathBuf),
    Url(Url),
    Git { revision: String, path: PathBuf, base: Base },
}

/// What the path of a file in a revision begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The top of the repository, as git has it.
    Top,
    /// The working directory.
    Here,
}

impl Source {
    /// `-` for standard input, a URL, a file, or `REVISION:PATH` of the repository.
    fn of(name: &str) -> Self {
        if name == "-" {
            return Self::Standard;
        }
        if (name.starts_with("http://") || name.starts_with("https://"))
            && let Ok(url) = Url::parse(name)
        {
            return Self::Url(url);
        }
        match name.split_once(':') {
            // What begins with `-` is no revision, but would be an option of git.
            Some((revision, path))
                if !Path::new(name).exists()
                    && !revision.is_empty()
                    && !revision.starts_with('-') =>
            {
                Self::Git { revision: revision.to_owned(), path: path.into(), base: Base::Top }
            }
            _ => Self::File(name.into()),
        }
    }

    /// What a relative reference within the document leads to.
    fn join(&self, reference: &str) -> Option<Self> {
        if reference.starts_with("http://") || reference.starts_with("https://") {
            return Url::parse(reference).ok().map(Self::Url);
        }
        let beside = |path: &Path| {
            let mut joined = PathBuf::new();
            let parent = path.parent().unwrap_or_else(|| Path::new(""));
            for component in parent.join(reference).components() {
                match component {
                    Component::ParentDir if joined.file_name().is_some() => _ = joined.pop(),
                    Component::CurDir => {}
                    other => joined.push(other),
                }
            }
            joined
        };
        Some(match self {
            Self::Standard => Self::File(reference.into()),
            Self::File(path) => Self::File(beside(path)),
            Self::Url(url) => Self::Url(url.join(reference).ok()?),
            Self::Git { revision, path, base } => {
                Self::Git { revision: revision.clone(), path: beside(path), base: *base }
            }
        })
    }

    fn name(&self) -> String {
        match self {
            Self::Standard => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => url.to_string(),
            Self::Git { revision, path, .. } => format!("{revision}:{}", path.display()),
        }
    }

    async fn read(&self) -> Result<String, DocumentError> {
        let failed = |message: String| DocumentError::Read { document: self.name(), message };
        match self {
            Self::Standard => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().read_to_end(&mut bytes);
                read.map_err(|error| failed(error.to_string()))?;
                decode(bytes).map_err(|error| failed(error.to_string()))
            }
            Self::File(path) => {
                let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
                decode(bytes).map_err(|error| failed(error.to_string()))
            }
            Self::Url(url) => {
                let bytes = fetch(url.clone()).await.map_err(|error| failed(causes(&error)))?;
                decode(bytes).map_err(|error| failed(error.to_string()))
            }
            Self::Git { revision, path, base } => {
                let here = if *base == Base::Here { "./" } else { "" };
                let object = format!("{revision}:{here}{}", path.display());
                let arguments = ["show", "--end-of-options", &object];
                let output = tokio::process::Command::new("git").args(arguments).output();
                let output = output.await.map_err(|error| failed(error.to_string()))?;
                if !output.status.success() {
                    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                    let message = format!("neither a file nor in a revision: {message}");
                    return Err(failed(message));
                }
                decode(output.stdout).map_err(|error| failed(error.to_string()))
            }
        }
    }

    /// The document itself; a path in a revision begins at the top of the repository, or at the
    /// working directory where there is no such file.
    async fn open(self) -> Result<(Self, String), DocumentError> {
        match (self.read().await, self) {
            (Ok(text), source) => Ok((source, text)),
            (Err(error), Self::Git { revision, path, base: Base::Top }) => {
                let here = Self::Git { revision, path, base: Base::Here };
                let text = here.read().await.map_err(|_| error)?;
                Ok((here, text))
            }
            (Err(error), _) => Err(error),
        }
    }
}

async fn fetch(url: Url) -> Result<Vec<u8>, reqwest::Error> {
    // An error means that one is installed already.
    _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_mins(1)).build()?;
    let response = client.get(url).send().await?.error_for_status()?;
    Ok(response.bytes().await?.into())
}

/// An error with everything that caused it.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

/// Reads a document in JSON or YAML with everything that it refers to, which becomes part of it.
///
/// `name` is a file, `-` for standard input, a URL, or `REVISION:PATH` of a git repository, with the
/// path from its top or from the working directory.
///
/// # Errors
/// When it cannot be read, is no OpenAPI 3 document, or refers to what is not there.
pub async fn load(name: &str) -> Result<Value, DocumentError> {
    let (source, text) = Source::of(name).open().await?;
    let mut document = parse(&source, &text)?;
    version(&source, &document)?;
    let mut large = exact::large(&text, "");
    let mut sources = vec![source];
    // Who refers to each.
    let mut referrers = vec![String::new()];
    let mut index = 0;
    // The references of each document may lead to further ones.
    while let Some(source) = sources.get(index).cloned() {
        let name = source.name();
        let malformed = |error: FormError| DocumentError::malformed(&name, error);
        let part = bundle::part_mut(&mut document, index);
        let mut failed = None;
        let wanted = bundle::externals(part, &mut |reference: &str, location: &str| {
            let Some(source) = source.join(reference) else {
                failed.get_or_insert_with(|| reference.to_owned());
                return 0;
            };
            sources.iter().position(|known| *known == source).unwrap_or_else(|| {
                sources.push(source);
                referrers.push(format!("{name} at {location}"));
                sources.len() - 1
            })
        });
        wanted.map_err(malformed)?;
        if let Some(reference) = failed {
            return Err(malformed(FormError {
                location: reference,
                message: "is not a reference".to_owned(),
            }));
        }
        if sources.len() > MAX_DOCUMENTS {
            return Err(malformed(FormError {
                location: "$ref".to_owned(),
                message: format!("refers to more than {MAX_DOCUMENTS} documents"),
            }));
        }
        index += 1;
        if let (Some(next), Some(referrer)) = (sources.get(index), referrers.get(index)) {
            let wanted = |error| match error {
                DocumentError::Read { document, message } => {
                    let message = format!("{message}; {referrer} refers to it");
                    DocumentError::Read { document, message }
                }
                other => other,
            };
            let text = next.read().await.map_err(wanted)?;
            let part = parse(next, &text)?;
            large.extend(exact::large(&text, &format!("/{}/{}", bundle::PARTS, index - 1)));
            bundle::add_part(&mut document, part);
        }
    }
    if let Some(fields) = document.as_object_mut().filter(|_| !large.is_empty()) {
        fields.insert(exact::KEY.to_owned(), Value::Object(large.into_iter().collect()));
    }
    let name = sources.first().map(Source::name).unwrap_or_default();
    bundle::check(&mut document).map_err(|error| DocumentError::malformed(&name, error))?;
    Ok(document)
}

fn parse(source: &Source, text: &str) -> Result<Value, DocumentError> {
    let syntax = |message: String| DocumentError::Syntax { document: source.name(), message };
    let options = serde_saphyr::options! {
        // `NO` is a country: YAML 1.2, which OpenAPI names, has only `true` and `false`.
        strict_booleans: true,
        budget: serde_saphyr::budget! {
            max_nodes: 20_000_000,
            max_events: 50_000_000,
            max_depth: 256,
        },
    };
    if text.trim_start().starts_with(['{', '[']) {
        let mut reader = serde_json::Deserializer::from_str(text);
        return serde::Deserialize::deserialize(&mut reader)
            .and_then(|value| reader.end().map(|()| value))
            .or_else(|error| {
                // Flow style of YAML looks like JSON.
                serde_saphyr::from_str_with_options(text, options)
                    .map_err(|_| syntax(error.to_string()))
            });
    }
    serde_saphyr::from_str_with_options(text, options).map_err(|error| syntax(error.to_string()))
}

fn version(source: &Source, document: &Value) -> Result<(), DocumentError> {
    let failed = |message: String| DocumentError::Version { document: source.name(), message };
    match document.get("openapi") {
        // YAML takes `3.1` for a number.
        Some(Value::String(version)) if version.starts_with("3.") || version == "3" => Ok(()),
        Some(Value::Number(version)) if version.to_string().starts_with('3') => Ok(()),
        Some(version) => Err(failed(format!("its `openapi` is {version}"))),
        None => match document.get("swagger") {
            Some(version) => Err(failed(format!("it is of Swagger {version}"))),
            None => Err(failed("it has no `openapi` at its top".to_owned())),
        },
    }
}

/// Puts a document given as a value into the form in which they are compared.
///
/// # Errors
/// When something in it is malformed or refers to what is not there.
pub fn prepare(mut document: Value) -> Result<Value, FormError> {
    let mut outside = None;
    bundle::externals(&mut document, &mut |reference: &str, _: &str| {
        outside.get_or_insert_with(|| reference.to_owned());
        0
    })?;
    if let Some(reference) = outside {
        return Err(FormError {
            location: reference,
            message: "refers to another document".to_owned(),
        });
    }
    bundle::check(&mut document)?;
    Ok(document)
}
