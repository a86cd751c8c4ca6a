//! URLs of redirects, as Starlette writes them.

use axum::extract::OriginalUri;
use http::request::Parts;
use http::{Extensions, HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::characters::decode_replacing;
use crate::dialect::{Switch, has};
use crate::host::authority;
use crate::scheme::scheme;

/// Where a redirect leads; nowhere if that cannot be written into a header.
#[derive(Clone)]
pub(crate) struct Location(pub(crate) Option<HeaderValue>);

/// What Python's `quote` leaves alone in the `Location` of a redirect.
const LOCATION: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b':')
    .remove(b'/')
    .remove(b'%')
    .remove(b'#')
    .remove(b'?')
    .remove(b'=')
    .remove(b'@')
    .remove(b'[')
    .remove(b']')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~');

/// The decoded path of a request, with the prefixes that were taken off it.
pub(crate) fn full_path(uri: &Uri, extensions: &Extensions) -> String {
    let uri = extensions.get::<OriginalUri>().map_or(uri, |OriginalUri(original)| original);
    decode_replacing(&percent_decode_str(uri.path()).collect::<Vec<_>>())
}

/// The URL of a path on this host.
pub(crate) fn location(request: &Parts, path: &str) -> Location {
    let scheme = scheme(&request.extensions);
    Location(quoted(&url(scheme, &authority(request), path, request.uri.query())))
}

/// A URL as `urlsplit` and back leaves it.
pub(crate) fn split(url: &str) -> String {
    url.replace(['\t', '\r', '\n'], "")
}

/// A URL with a decoded path.
pub(crate) fn url(scheme: &str, authority: &str, path: &str, query: Option<&str>) -> String {
    let path = if has(Switch::RedirectsKeepHashes) {
        path.to_owned()
    } else {
        path.replace('?', "%3F").replace('#', "%23")
    };
    let path = path.replace('\\', "%5C");
    let query = query.filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{authority}{path}{query}")
}

/// A URL as Starlette writes it into a `Location`.
pub(crate) fn quoted(url: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&utf8_percent_encode(url, LOCATION).to_string()).ok()
}
