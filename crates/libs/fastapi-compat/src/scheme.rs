//! The scheme of a request.

use http::Extensions;

/// The scheme that the client used, as a trusted proxy reports it (`http`, `https`, `ws` or `wss`); in
/// the extensions of requests behind [`ProxyHeadersLayer`](crate::layers::ProxyHeadersLayer), if one does.
#[cfg(feature = "proxy-headers")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme(pub &'static str);

/// The scheme of a request: a trusted proxy's word, else `http`.
#[cfg(feature = "proxy-headers")]
pub(crate) fn scheme(extensions: &Extensions) -> &'static str {
    extensions.get::<Scheme>().map_or("http", |scheme| scheme.0)
}

/// The scheme of a request: without `ProxyHeadersLayer` it is always `http`.
#[cfg(not(feature = "proxy-headers"))]
pub(crate) const fn scheme(_: &Extensions) -> &'static str {
    "http"
}
