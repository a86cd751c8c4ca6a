//! OAuth 2 and `OpenIdConnect`: the token or the whole header.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use utoipa::openapi::security::{
    AuthorizationCode, Flow, OAuth2 as OAuth2Scheme, OpenIdConnect as OpenIdConnectScheme,
    Password, Scopes as FlowScopes, SecurityScheme,
};

use super::{
    authorization, authorization_text, bearer, from_parts, not_authenticated, opaque, refused,
};
use crate::extract::Dependency;
use crate::openapi::{Describe, OperationDocument};
use crate::response::HttpError;

/// `OAuth2PasswordBearer`: the token of `Authorization: Bearer <token>`, not yet checked. Its scheme
/// has the `token_url` of [`Info`](crate::openapi::Info); [`OAuth2PasswordBearer`] has its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Bearer(pub String);

impl Bearer {
    /// The token, or the 401 of FastAPI when the header is absent or has another scheme.
    pub fn from_headers(headers: &HeaderMap) -> Result<&str, HttpError> {
        match authorization(headers) {
            (scheme, token) if scheme.eq_ignore_ascii_case(b"bearer") => Ok(token),
            _ => Err(not_authenticated("Bearer")),
        }
    }
}

from_parts!(
    [] Bearer,
    |parts: &Parts| Ok(bearer(&parts.headers).map(Bearer)),
    |_: &Parts| not_authenticated("Bearer"),
    |operation| operation.bearer()
);

/// The arguments of a scheme of OAuth 2, on a type of yours.
///
/// ```
/// use fastapi_compat::{Call, Json, OAuth2Options, OAuth2PasswordBearer, get};
///
/// struct Users;
///
/// impl OAuth2Options for Users {
///     const TOKEN_URL: &'static str = "token";
///     const SCOPES: &'static [(&'static str, &'static str)] = &[("items", "Read items.")];
/// }
///
/// #[get("/token")]
/// async fn token(Call(given, ()): Call<OAuth2PasswordBearer<Users>>) -> Json<String> {
///     Json(given.token)
/// }
/// ```
pub trait OAuth2Options {
    /// `tokenUrl`
    const TOKEN_URL: &'static str;
    /// `authorizationUrl`, of [`OAuth2AuthorizationCodeBearer`] alone.
    const AUTHORIZATION_URL: &'static str = "";
    /// `refreshUrl`
    const REFRESH_URL: Option<&'static str> = None;
    /// `scopes`, with what they allow.
    const SCOPES: &'static [(&'static str, &'static str)] = &[];
    /// `scheme_name`; else the name of FastAPI's class.
    const SCHEME_NAME: Option<&'static str> = None;
    /// `description`
    const DESCRIPTION: Option<&'static str> = None;
}

fn scopes<O: OAuth2Options>() -> FlowScopes {
    O::SCOPES.iter().copied().collect()
}

fn oauth2(flow: Option<Flow>, description: Option<&str>) -> SecurityScheme {
    let mut scheme = OAuth2Scheme::new(flow);
    scheme.description = description.map(str::to_owned);
    SecurityScheme::OAuth2(scheme)
}

/// Dependencies on the token of a bearer.
macro_rules! oauth2_bearers {
    ($($(#[$doc:meta])* $type:ident, $flow:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $type<O> {
            /// As the client sent it.
            pub token: String,
            options: PhantomData<fn() -> O>,
        }

        from_parts!(
            [O: OAuth2Options] $type<O>,
            |parts: &Parts| {
                Ok(bearer(&parts.headers).map(|token| Self { token, options: PhantomData }))
            },
            |_: &Parts| not_authenticated("Bearer"),
            |operation| {
                let name = O::SCHEME_NAME.unwrap_or(stringify!($type));
                operation.security(name, oauth2(Some($flow), O::DESCRIPTION));
            }
        );
    )*};
}

oauth2_bearers! {
    /// `OAuth2PasswordBearer`: the token of `Authorization: Bearer <token>`, not yet checked.
    OAuth2PasswordBearer, {
        let mut flow = Password::new(O::TOKEN_URL, scopes::<O>());
        flow.refresh_url = O::REFRESH_URL.map(str::to_owned);
        Flow::Password(flow)
    };
    /// `OAuth2AuthorizationCodeBearer`: the token of `Authorization: Bearer <token>`, not yet
    /// checked.
    OAuth2AuthorizationCodeBearer, {
        let mut flow = AuthorizationCode::new(O::AUTHORIZATION_URL, O::TOKEN_URL, scopes::<O>());
        flow.refresh_url = O::REFRESH_URL.map(str::to_owned);
        Flow::AuthorizationCode(flow)
    };
}

/// The whole `Authorization` header, if it is not empty.
fn whole(headers: &HeaderMap) -> Option<String> {
    Some(authorization_text(headers).into_owned()).filter(|text| !text.is_empty())
}

/// The argument of [`OpenIdConnect`], on a type of yours.
pub trait OpenIdConnectOptions {
    /// `openIdConnectUrl`
    const URL: &'static str;
    /// `scheme_name`; else `OpenIdConnect`.
    const SCHEME_NAME: Option<&'static str> = None;
    /// `description`
    const DESCRIPTION: Option<&'static str> = None;
}

/// `OpenIdConnect`: the whole `Authorization` header, not yet checked.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenIdConnect<O> {
    /// As the client sent it, with the scheme.
    pub authorization: String,
    options: PhantomData<fn() -> O>,
}

from_parts!(
    [O: OpenIdConnectOptions] OpenIdConnect<O>,
    |parts: &Parts| Ok(whole(&parts.headers).map(|authorization| {
        Self { authorization, options: PhantomData }
    })),
    |_: &Parts| refused("Bearer"),
    |operation| {
        let mut scheme = OpenIdConnectScheme::new(O::URL);
        scheme.description = O::DESCRIPTION.map(str::to_owned);
        let name = O::SCHEME_NAME.unwrap_or("OpenIdConnect");
        operation.security(name, SecurityScheme::OpenIdConnect(scheme));
    }
);

opaque!(OAuth2PasswordBearer<O>, OAuth2AuthorizationCodeBearer<O>, OpenIdConnect<O>);
