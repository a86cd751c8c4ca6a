//! `APIKeyHeader`, `APIKeyQuery` and `APIKeyCookie`.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use super::{from_parts, opaque, refused};
use crate::characters::latin1;
use crate::extract::Dependency;
use crate::openapi::{Describe, OperationDocument};
use crate::params::cookies;
use crate::response::HttpError;
use crate::urlencoded::pairs;
use crate::value::Value;

/// What an API key is called, in the headers, the query or the cookies.
pub trait ApiKeyName {
    /// As it stands in the document.
    const NAME: &'static str;
    /// `scheme_name`; else the name of FastAPI's class.
    const SCHEME_NAME: Option<&'static str> = None;
    /// `description`
    const DESCRIPTION: Option<&'static str> = None;
}

/// A dependency on a key, which must be there and not empty.
macro_rules! api_keys {
    ($($(#[$doc:meta])* $type:ident $scheme:literal $location:ident, |$parts:ident| $read:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $type<N> {
            /// As the client sent it.
            pub key: String,
            name: PhantomData<fn() -> N>,
        }

        from_parts!(
            [N: ApiKeyName] $type<N>,
            |$parts: &Parts| {
                let key: Option<String> = $read;
                let key = key.filter(|key| !key.is_empty());
                Ok(key.map(|key| Self { key, name: PhantomData }))
            },
            |_: &Parts| refused("APIKey"),
            |operation| {
                let mut key = ApiKeyValue::new(N::NAME);
                key.description = N::DESCRIPTION.map(str::to_owned);
                let name = N::SCHEME_NAME.unwrap_or($scheme);
                operation.security(name, SecurityScheme::ApiKey(ApiKey::$location(key)));
            }
        );
    )*};
}

api_keys! {
    /// `APIKeyHeader`: the key, not yet checked.
    ApiKeyHeader "APIKeyHeader" Header, |parts| {
        parts.headers.get(N::NAME).map(|key| latin1(key.as_bytes()).into_owned())
    };
    /// `APIKeyQuery`: the key, not yet checked.
    ApiKeyQuery "APIKeyQuery" Query, |parts| {
        last::<N>(pairs(parts.uri.query().unwrap_or_default().as_bytes()))
    };
    /// `APIKeyCookie`: the key, not yet checked.
    ApiKeyCookie "APIKeyCookie" Cookie, |parts| last::<N>(cookies(&parts.headers));
}

/// The key among named values; of several the last counts.
fn last<N: ApiKeyName>(values: Vec<(String, Value)>) -> Option<String> {
    let (_, value) = values.into_iter().rfind(|(name, _)| name == N::NAME)?;
    if let Value::Str(key) = value { Some(key.into()) } else { None }
}

opaque!(ApiKeyHeader<N>, ApiKeyQuery<N>, ApiKeyCookie<N>);
