//! Parameters: of the path, of the query, in headers and in cookies.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use indexmap::IndexMap;
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use crate::characters::latin1;
use crate::decode::Decode;
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Loc};
use crate::extract::{Parameter, alone};
use crate::field_names::Name;
use crate::matched::PathParams;
use crate::model::{Fields, Model};
use crate::openapi::{Describe, OperationDocument};
use crate::source::{Source, decode_parameters};
use crate::urlencoded::{Parameters, grouped, pairs};
use crate::value::Value;

/// The parameters of the path, in its order: `Path(id): Path<Uuid>`, or several,
/// `Path((owner, id)): Path<(Uuid, i64)>`. One that is a tuple in Python is
/// `Path<((A, B),)>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: Decode> Parameter for Path<T> {
    const PATH_PARAMETERS: usize = T::PATH_PARAMETERS;

    fn from_parts(parts: &Parts, errors: &mut Errors) -> Option<Self> {
        let of_axum;
        let parameters = if let Some(parameters) = parts.extensions.get::<PathParams>() {
            parameters
        } else {
            of_axum = PathParams::of_axum(parts)?;
            &of_axum
        };
        T::decode_path(parameters, errors).map(Self)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        T::describe_path(operation);
    }
}

/// An input that is an extractor of axum's on its own as well: with FastAPI's 422, but without the
/// errors of other inputs.
macro_rules! extractors {
    ($($name:ident [$($bound:tt)*];)*) => {$(
        impl<S: Sync, T: $($bound)*> FromRequestParts<S> for $name<T> {
            type Rejection = Response;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
                let mut errors = Errors::default();
                let decoded = Self::from_parts(parts, &mut errors);
                alone(decoded, errors)
            }
        }

        impl<T: $($bound)*> Describe for $name<T> {
            const PATH_PARAMETERS: usize = <Self as Parameter>::PATH_PARAMETERS;

            fn describe(operation: &mut OperationDocument<'_>) {
                <Self as Parameter>::describe(operation);
            }
        }
    )*};
}

extractors! {
    Path [Decode];
    Query [Model + IntoParams];
    Header [Model + IntoParams];
    Cookie [Model + IntoParams];
}

/// Parameters of the query, or a model of them: `#[schema(model)]`; of a repeated parameter the last counts.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: Model + IntoParams> Parameter for Query<T> {
    fn from_parts(parts: &Parts, errors: &mut Errors) -> Option<Self> {
        let query = Parameters(pairs(parts.uri.query().unwrap_or_default().as_bytes()));
        decode_parameters(&query, &Loc::root("query"), errors).map(Self)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        operation.parameters::<T>(&ParameterIn::Query);
    }
}

/// Headers, or a model of them: `#[schema(model)]`. `user_agent` is the header `user-agent`; of a repeated header the first
/// counts, or all for a list.
#[derive(Debug)]
pub struct Header<T>(pub T);

impl<T: Model + IntoParams> Parameter for Header<T> {
    fn from_parts(parts: &Parts, errors: &mut Errors) -> Option<Self> {
        decode_parameters(&Headers(&parts.headers), &Loc::root("header"), errors).map(Self)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        operation.parameters::<T>(&ParameterIn::Header);
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Fields for Headers<'_> {
    fn get(&self, name: &Name, all: bool) -> Option<Cow<'_, Value>> {
        let mut values = self
            .0
            .get_all(&*name.of_header())
            .iter()
            .map(|value| Value::from(latin1(value.as_bytes()).into_owned()));
        if !all {
            return values.next().map(Cow::Owned);
        }
        let values: Vec<_> = values.collect();
        (!values.is_empty()).then(|| Cow::Owned(values.into()))
    }

    fn whole(&self) -> &Value {
        &Value::Null
    }

    fn shown(&self, name: &Name) -> Cow<'static, str> {
        name.of_header()
    }

    fn alias_choices(&self) -> Option<Switch> {
        Some(Switch::AliasChoicesAreNames)
    }
}

impl Source for Headers<'_> {
    const OF_HEADERS: bool = true;

    fn key(&self, name: &Name) -> Cow<'static, str> {
        name.of_header()
    }

    fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    fn others(&self, taken: &[String]) -> IndexMap<String, Value> {
        // Headers are lower-case.
        let is_lowered = !has(Switch::AliasChoicesAreNames);
        let lowered =
            |name: &String| if is_lowered { name.to_ascii_lowercase() } else { name.clone() };
        let taken: Vec<_> = taken.iter().map(lowered).collect();
        let text = |value: &HeaderValue| latin1(value.as_bytes()).into_owned().into();
        let pairs = self.0.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        grouped(pairs, &taken)
    }
}

/// Cookies, of which there is one of each name.
struct Cookies(Parameters);

impl Fields for Cookies {
    fn get(&self, name: &Name, all: bool) -> Option<Cow<'_, Value>> {
        self.0.get(name, all)
    }

    fn whole(&self) -> &Value {
        self.0.whole()
    }

    fn alias_choices(&self) -> Option<Switch> {
        Some(Switch::AliasChoicesAreNames)
    }
}

impl Source for Cookies {
    fn key(&self, name: &Name) -> Cow<'static, str> {
        self.0.key(name)
    }

    fn has(&self, key: &str) -> bool {
        self.0.has(key)
    }

    fn others(&self, taken: &[String]) -> IndexMap<String, Value> {
        let Parameters(pairs) = &self.0;
        pairs.iter().filter(|(name, _)| !taken.contains(name)).cloned().collect()
    }
}

/// Cookies, or a model of them: `#[schema(model)]`; of a repeated cookie the last counts.
#[derive(Debug)]
pub struct Cookie<T>(pub T);

impl<T: Model + IntoParams> Parameter for Cookie<T> {
    fn from_parts(parts: &Parts, errors: &mut Errors) -> Option<Self> {
        let cookies = Cookies(Parameters(cookies(&parts.headers)));
        decode_parameters(&cookies, &Loc::root("cookie"), errors).map(Self)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        operation.parameters::<T>(&ParameterIn::Cookie);
    }
}

/// All cookies of a request.
pub(crate) fn cookies(headers: &HeaderMap) -> Vec<(String, Value)> {
    let headers = headers.get_all(header::COOKIE).iter();
    headers.flat_map(|header| split(&latin1(header.as_bytes()))).collect()
}

/// Splits a `Cookie` header as Starlette does, which mimics what browsers do rather than RFC 6265.
fn split(header: &str) -> Vec<(String, Value)> {
    let is_space = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
    header
        .split(';')
        .map(|chunk| chunk.split_once('=').unwrap_or(("", chunk)))
        .map(|(name, value)| (name.trim_matches(is_space), value.trim_matches(is_space)))
        .filter(|(name, value)| !name.is_empty() || !value.is_empty())
        .map(|(name, value)| (name.to_owned(), unquote(value).into()))
        .collect()
}

/// Python's `http.cookies._unquote`: a quoted value with `\"` and octal `\054`.
fn unquote(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let Some(mut rest) = inner.filter(|_| value.len() >= 2) else { return value.to_owned() };
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let octal = after.get(..3).filter(|digits| {
            digits.starts_with(['0', '1', '2', '3'])
                && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit))
        });
        let code = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        rest = match (code, after.chars().next()) {
            (Some(code), _) => {
                out.push(char::from(code));
                &after[3..]
            }
            (None, Some(c)) => {
                out.push(c);
                &after[c.len_utf8()..]
            }
            (None, None) => {
                out.push('\\');
                after
            }
        };
    }
    out.push_str(rest);
    out
}
