//! FastAPI's security dependencies.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, AuthorizationCode, Flow, Http, HttpAuthScheme, OAuth2 as OAuth2Scheme,
    OpenIdConnect as OpenIdConnectScheme, Password, Scopes as FlowScopes, SecurityScheme,
};

use crate::characters::latin1;
use crate::dialect::{Switch, has};
use crate::errors::Errors;
use crate::extract::Dependency;
use crate::layers::strip;
use crate::openapi::{Describe, OperationDocument};
use crate::params::cookies;
use crate::response::HttpError;
use crate::urlencoded::pairs;
use crate::value::Value;

/// The 401 of FastAPI when a caller sends no credentials.
fn not_authenticated(challenge: &'static str) -> HttpError {
    HttpError::new(StatusCode::UNAUTHORIZED, "Not authenticated")
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// What a class of FastAPI answers that is none of OAuth 2.
fn refused(challenge: &'static str) -> HttpError {
    if has(Switch::ForbiddenWithoutCredentials) {
        return HttpError::new(StatusCode::FORBIDDEN, "Not authenticated");
    }
    not_authenticated(challenge)
}

const INVALID: &str = "Invalid authentication credentials";

/// The same of a class that demands a scheme, and may have got another one.
fn refused_scheme(headers: &HeaderMap, challenge: &'static str) -> HttpError {
    if has(Switch::ForbiddenWithoutCredentials) && credentials(headers).is_some() {
        return HttpError::new(StatusCode::FORBIDDEN, INVALID);
    }
    refused(challenge)
}

/// What stands behind the scheme in the header.
fn parameter(text: &str) -> &str {
    if has(Switch::UnstrippedCredentials) { text } else { strip(text) }
}

/// Scheme and parameter of the `Authorization` header; what is not ASCII was not issued.
fn authorization(headers: &HeaderMap) -> (&[u8], &str) {
    let value = headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let mut words = value.splitn(2, |&byte| byte == b' ');
    let (scheme, parameter) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let parameter = std::str::from_utf8(parameter).unwrap_or_default();
    let is_stripped = !has(Switch::UnstrippedCredentials);
    (scheme, if is_stripped { parameter.trim() } else { parameter })
}

/// The `Authorization` header as Starlette decodes it, empty without one.
fn authorization_text(headers: &HeaderMap) -> Cow<'_, str> {
    headers.get(header::AUTHORIZATION).map_or("".into(), |value| latin1(value.as_bytes()))
}

/// Scheme and credentials of the header, if it has both.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let text = authorization_text(headers);
    let (scheme, credentials) = text.split_once(' ')?;
    let credentials = parameter(credentials);
    let is_given = !scheme.is_empty() && !credentials.is_empty();
    is_given.then(|| (scheme.to_owned(), credentials.to_owned()))
}

/// The token of a bearer, which may be empty.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let text = authorization_text(headers);
    let (scheme, token) = text.split_once(' ').unwrap_or((&text, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| parameter(token).to_owned())
}

/// A dependency that only reads the head of a request, and is absent, or invalid, or neither. Within
/// an `Option` it may be absent: `auto_error=False`.
macro_rules! from_parts {
    ([$($generics:tt)*] $type:ty, $read:expr, $absent:expr, |$operation:ident| $describe:expr) => {
        impl<S: Sync, $($generics)*> Dependency<S> for $type {}

        impl<S: Sync, $($generics)*> FromRequestParts<S> for $type {
            type Rejection = Response;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
                let read: Result<Option<Self>, HttpError> = $read(parts);
                match read {
                    Ok(Some(read)) => Ok(read),
                    Ok(None) => Err($absent(parts).into_response()),
                    Err(error) => Err(error.into_response()),
                }
            }
        }

        impl<S: Sync, $($generics)*> OptionalFromRequestParts<S> for $type {
            type Rejection = Response;

            async fn from_request_parts(
                parts: &mut Parts,
                _: &S,
            ) -> Result<Option<Self>, Response> {
                let read: Result<Option<Self>, HttpError> = $read(parts);
                read.map_err(IntoResponse::into_response)
            }
        }

        impl<$($generics)*> Describe for $type {
            fn describe($operation: &mut OperationDocument<'_>) {
                $describe
            }
        }
    };
}

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

/// The arguments of [`HttpBearer`], [`HttpDigest`] and [`Basic`], on a type of yours; those of `()`
/// are FastAPI's defaults.
pub trait HttpOptions {
    /// `scheme_name`; else the name of FastAPI's class.
    const SCHEME_NAME: Option<&'static str> = None;
    /// `description`
    const DESCRIPTION: Option<&'static str> = None;
    /// `bearerFormat`, of [`HttpBearer`] alone.
    const BEARER_FORMAT: Option<&'static str> = None;
    /// `realm`, of [`Basic`] alone.
    const REALM: Option<&'static str> = None;
}

impl HttpOptions for () {}

fn http_scheme<O: HttpOptions>(kind: HttpAuthScheme) -> SecurityScheme {
    let is_bearer = matches!(kind, HttpAuthScheme::Bearer);
    let mut scheme = Http::new(kind);
    scheme.description = O::DESCRIPTION.map(str::to_owned);
    scheme.bearer_format = O::BEARER_FORMAT.filter(|_| is_bearer).map(str::to_owned);
    SecurityScheme::Http(scheme)
}

/// Dependencies on credentials of a scheme, neither of which may be empty.
macro_rules! http_schemes {
    ($($(#[$doc:meta])* $type:ident $class:literal $kind:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $type<O = ()> {
            /// The scheme as the client sent it, in any case.
            pub scheme: String,
            /// What stands behind the scheme.
            pub credentials: String,
            options: PhantomData<fn() -> O>,
        }

        from_parts!(
            [O: HttpOptions] $type<O>,
            |parts: &Parts| {
                let is_of = |scheme: &str| scheme.eq_ignore_ascii_case(stringify!($kind));
                let given = credentials(&parts.headers);
                let is_other = given.as_ref().is_some_and(|(scheme, _)| !is_of(scheme));
                if is_other && is_of("Digest") && has(Switch::DigestSchemeIsDemanded) {
                    return Err(HttpError::new(StatusCode::FORBIDDEN, INVALID));
                }
                let given = given.filter(|_| !is_other);
                Ok(given.map(|(scheme, credentials)| {
                    Self { scheme, credentials, options: PhantomData }
                }))
            },
            |parts: &Parts| refused_scheme(&parts.headers, stringify!($kind)),
            |operation| {
                let name = O::SCHEME_NAME.unwrap_or($class);
                operation.security(name, http_scheme::<O>(HttpAuthScheme::$kind));
            }
        );
    )*};
}

http_schemes! {
    /// `HTTPBearer`: scheme and token of `Authorization: Bearer <token>`, not yet checked; unlike with
    /// [`Bearer`], the token must not be empty.
    HttpBearer "HTTPBearer" Bearer;
    /// `HTTPDigest`: scheme and credentials of `Authorization: Digest <credentials>`, not yet
    /// checked.
    HttpDigest "HTTPDigest" Digest;
}

/// `HTTPBasic`: name and password, not yet checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic<O = ()> {
    /// What is before the first colon.
    pub username: String,
    /// What is after the first colon.
    pub password: String,
    options: PhantomData<fn() -> O>,
}

impl<O> fmt::Debug for Basic<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Basic {
    /// Name and password, or the 401 of FastAPI when the header is absent or not to be read.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, HttpError> {
        Self::read(headers)?.ok_or_else(|| Self::challenge("Not authenticated"))
    }
}

impl<O: HttpOptions> Basic<O> {
    fn challenge(detail: &'static str) -> HttpError {
        let realm = O::REALM.filter(|realm| !realm.is_empty());
        let challenge = realm.map(|realm| format!("Basic realm=\"{realm}\""));
        let challenge = challenge.and_then(|challenge| HeaderValue::try_from(challenge).ok());
        let challenge = challenge.unwrap_or_else(|| HeaderValue::from_static("Basic"));
        HttpError::new(StatusCode::UNAUTHORIZED, detail)
            .with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// The 401 for a header that cannot be read.
    fn invalid() -> HttpError {
        let is_named = has(Switch::ForbiddenWithoutCredentials);
        Self::challenge(if is_named { INVALID } else { "Not authenticated" })
    }

    /// `None` without such a header. One that cannot be read is an error whatever `auto_error` is.
    fn read(headers: &HeaderMap) -> Result<Option<Self>, HttpError> {
        let credentials = match authorization(headers) {
            (scheme, credentials) if scheme.eq_ignore_ascii_case(b"basic") => credentials,
            _ => return Ok(None),
        };
        // Python's decoder passes over what is no Base64, and stops behind the padding.
        let letters: Vec<u8> = credentials
            .bytes()
            .filter(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
            .collect();
        let text = python_base64(&letters).filter(|text| text.is_ascii());
        let text = text.and_then(|text| String::from_utf8(text).ok());
        match text.as_deref().and_then(|text| text.split_once(':')) {
            Some((username, password)) => Ok(Some(Self {
                username: username.to_owned(),
                password: password.to_owned(),
                options: PhantomData,
            })),
            None => Err(Self::invalid()),
        }
    }
}

/// `base64.b64decode` of letters and padding.
fn python_base64(letters: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let (mut bits, mut count, mut padding) = (0_u32, 0, 0);
    for &letter in letters {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => {
                padding += 1;
                if count >= 2 && count + padding >= 4 {
                    return Some(decoded);
                }
                continue;
            }
        };
        padding = 0;
        bits = bits << 6 | u32::from(value);
        count = (count + 1) % 4;
        // Each letter but the first of four completes a byte.
        if count != 1 {
            let shift = [0, 0, 4, 2][count];
            decoded.push(u8::try_from(bits >> shift & 0xFF).unwrap_or_default());
        }
    }
    (count == 0).then_some(decoded)
}

from_parts!(
    [O: HttpOptions] Basic<O>,
    |parts: &Parts| Self::read(&parts.headers),
    |_: &Parts| Self::challenge("Not authenticated"),
    |operation| {
        let name = O::SCHEME_NAME.unwrap_or("HTTPBasic");
        operation.security(name, http_scheme::<O>(HttpAuthScheme::Basic));
    }
);

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

/// What credentials are not shown in.
macro_rules! opaque {
    ($($type:ident<$options:ident>),*) => {$(
        impl<$options> fmt::Debug for $type<$options> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque!(
    OAuth2PasswordBearer<O>,
    OAuth2AuthorizationCodeBearer<O>,
    OpenIdConnect<O>,
    HttpBearer<O>,
    HttpDigest<O>,
    ApiKeyHeader<N>,
    ApiKeyQuery<N>,
    ApiKeyCookie<N>
);

/// A dependency that may be absent: `auto_error=False`.
impl<S, D> Dependency<S> for Option<D>
where
    S: Send + Sync,
    D: Dependency<S> + Sync,
    Self: FromRequestParts<S>,
{
    async fn complete(&self, state: &S) -> Result<(), Response> {
        match self {
            Some(dependency) => dependency.complete(state).await,
            None => Ok(()),
        }
    }
}

impl<D: Describe> Describe for Option<D> {
    const PATH_PARAMETERS: usize = D::PATH_PARAMETERS;

    fn describe(operation: &mut OperationDocument<'_>) {
        D::describe(operation);
    }
}

/// The scopes that a dependency is demanded with, on a type of yours.
pub trait Scopes {
    /// In FastAPI's order.
    const SCOPES: &'static [&'static str];
}

/// `SecurityScopes`: the scopes that everything around a dependency demands, the outermost first; an
/// extractor for [`Dependent`](crate::Dependent) and its like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityScopes {
    /// Each once.
    pub scopes: Vec<&'static str>,
}

impl SecurityScopes {
    /// The scopes with a blank between them.
    pub fn scope_str(&self) -> String {
        self.scopes.join(" ")
    }
}

impl<S: Sync> FromRequestParts<S> for SecurityScopes {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl<S: Sync> Dependency<S> for SecurityScopes {}

impl Describe for SecurityScopes {
    fn describe(_: &mut OperationDocument<'_>) {}
}

/// `Security(dependency, scopes=[…])`: a dependency that is demanded with scopes. The document has
/// them, and [`SecurityScopes`] gives them to the dependency.
#[derive(Debug)]
pub struct Security<D, S>(
    /// What was demanded.
    pub D,
    /// With which scopes.
    pub PhantomData<fn() -> S>,
);

impl<D, C: Scopes> Security<D, C> {
    /// Runs something while its scopes are demanded.
    fn enter(parts: &mut Parts) -> Option<SecurityScopes> {
        let outer = parts.extensions.remove::<SecurityScopes>();
        let mut scopes = outer.clone().unwrap_or_default();
        for scope in C::SCOPES {
            if has(Switch::RepeatedScopes) || !scopes.scopes.contains(scope) {
                scopes.scopes.push(scope);
            }
        }
        parts.extensions.insert(scopes);
        outer
    }

    fn leave(parts: &mut Parts, outer: Option<SecurityScopes>) {
        match outer {
            Some(outer) => _ = parts.extensions.insert(outer),
            None => _ = parts.extensions.remove::<SecurityScopes>(),
        }
    }
}

impl<S, D, C> FromRequestParts<S> for Security<D, C>
where
    S: Send + Sync,
    D: FromRequestParts<S> + Send,
    C: Scopes,
{
    type Rejection = D::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let outer = Self::enter(parts);
        let dependency = D::from_request_parts(parts, state).await;
        Self::leave(parts, outer);
        dependency.map(|dependency| Self(dependency, PhantomData))
    }
}

impl<S, D, C> Dependency<S> for Security<D, C>
where
    S: Send + Sync,
    D: Dependency<S> + Sync,
    C: Scopes,
{
    async fn resolve(
        parts: &mut Parts,
        state: &S,
        errors: &mut Errors,
    ) -> Result<Option<Self>, Response> {
        let outer = Self::enter(parts);
        let dependency = D::resolve(parts, state, errors).await;
        Self::leave(parts, outer);
        Ok(dependency?.map(|dependency| Self(dependency, PhantomData)))
    }

    async fn complete(&self, state: &S) -> Result<(), Response> {
        self.0.complete(state).await
    }
}

impl<D: Describe, C: Scopes> Describe for Security<D, C> {
    const PATH_PARAMETERS: usize = D::PATH_PARAMETERS;

    fn describe(operation: &mut OperationDocument<'_>) {
        operation.scoped(C::SCOPES, D::describe);
    }
}

/// Several dependencies, one after the other: the first that refuses is heard.
macro_rules! tuples {
    ($($D:ident $d:ident $index:tt),+) => {
        impl<S, $($D),+> Dependency<S> for ($($D,)+)
        where
            S: Send + Sync,
            $($D: Dependency<S> + Sync,)+
        {
            async fn resolve(
                parts: &mut Parts,
                state: &S,
                errors: &mut Errors,
            ) -> Result<Option<Self>, Response> {
                $(let $d = $D::resolve(parts, state, errors).await?;)+
                if let ($(Some($d),)+) = ($($d,)+) { Ok(Some(($($d,)+))) } else { Ok(None) }
            }

            async fn complete(&self, state: &S) -> Result<(), Response> {
                $(self.$index.complete(state).await?;)+
                Ok(())
            }
        }

        impl<$($D: Describe),+> Describe for ($($D,)+) {
            const PATH_PARAMETERS: usize = {
                let (mut most, all) = (0, [$($D::PATH_PARAMETERS),+]);
                let mut at = 0;
                while at < all.len() {
                    if all[at] > most {
                        most = all[at];
                    }
                    at += 1;
                }
                most
            };

            fn describe(operation: &mut OperationDocument<'_>) {
                $($D::describe(operation);)+
            }
        }
    };
}

tuples!(A a 0);
tuples!(A a 0, B b 1);
tuples!(A a 0, B b 1, C c 2);
tuples!(A a 0, B b 1, C c 2, D d 3);
tuples!(A a 0, B b 1, C c 2, D d 3, E e 4);
tuples!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);
tuples!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6);
tuples!(A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7);
