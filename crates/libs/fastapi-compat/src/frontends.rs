//! What answers below a path if no route does, before the 404: FastAPI's routes of low priority.

use std::convert::Infallible;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, Route};
use tower::{Layer, Service};

use crate::endpoint;

/// Services by the paths below which they answer.
pub(crate) struct Frontends<R>(Vec<(String, R)>);

impl<R: Clone> Clone for Frontends<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R> Default for Frontends<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<R> Frontends<R> {
    pub(crate) fn add(&mut self, path: &str, service: R) {
        let path = path.trim_end_matches('/');
        self.0.push((if path.is_empty() { "/" } else { path }.to_owned(), service));
    }

    /// Adds those of another router, below a path.
    pub(crate) fn extend(&mut self, prefix: &str, others: Self) {
        let prefix = prefix.trim_end_matches('/');
        for (path, service) in others.0 {
            self.add(&format!("{prefix}{path}"), service);
        }
    }

    /// That of the longest path above this one, and what of this one is below it.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Option<(&R, &'p str)> {
        let found = self.0.iter().filter_map(|(above, service)| {
            let rest = match above.as_str() {
                "/" => path.trim_start_matches('/'),
                above if path == above => "",
                above => path.strip_prefix(above)?.strip_prefix('/')?,
            };
            Some((above.len(), service, rest))
        });
        // Of the same path the first one.
        let longest = found.reduce(|best, next| if next.0 > best.0 { next } else { best });
        longest.map(|(_, service, rest)| (service, rest))
    }
}

impl<S: Clone + Send + Sync + 'static> Frontends<MethodRouter<S>> {
    pub(crate) fn layer<L>(self, layer: &L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        let layered =
            self.0.into_iter().map(|(path, service)| (path, service.layer(layer.clone())));
        Self(layered.collect())
    }

    pub(crate) fn with_state(self, state: &S) -> Frontends<axum::Router> {
        let served = self.0.into_iter().map(|(path, service)| {
            let router = endpoint::unmatched(endpoint::fallback(service));
            (path, router.with_state(state.clone()))
        });
        Frontends(served.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Frontends;

    #[test]
    fn the_longest_path_answers() {
        let mut frontends = Frontends::default();
        frontends.add("/", 1);
        frontends.add("/admin/", 2);
        let mut others = Frontends::default();
        others.add("/", 3);
        others.add("/old", 4);
        frontends.extend("/v1", others);
        for (path, expected) in [
            ("/", (1, "")),
            ("/a/b", (1, "a/b")),
            ("/admin", (2, "")),
            ("/admin/a", (2, "a")),
            ("/administrator", (1, "administrator")),
            ("/v1/x", (3, "x")),
            ("/v1/old/", (4, "")),
        ] {
            assert_eq!(frontends.find(path).map(|(of, rest)| (*of, rest)), Some(expected));
        }
    }
}
