//! The operations that the new service has.

use std::sync::Arc;

use comparison::openapi::PathTemplate;
use http::Method;
use percent_encoding::percent_decode_str;

/// An operation, as an OpenAPI document has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The operationId.
    pub id: Arc<str>,
    /// The HTTP method.
    pub method: Method,
    /// The path template, with parameters in braces and without convertors.
    pub path: Arc<str>,
    template: Arc<PathTemplate>,
}

impl Operation {
    /// An operation by its operationId, method and path template, which may have Starlette's
    /// convertors: `/items/{id:int}`. An invalid method becomes GET.
    pub fn new(id: &str, method: &str, path: &str) -> Self {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let template = PathTemplate::new(path);
        Self { id: id.into(), method, path: template.path().into(), template: template.into() }
    }

    fn matches(&self, method: &Method, path: &str) -> bool {
        self.method == *method && self.template.matches(path)
    }
}

/// All operations; a request belongs to the first one that matches.
#[derive(Clone, Debug)]
pub struct Operations(Arc<[Operation]>);

impl Operations {
    /// In the order in which requests are matched.
    pub fn new(operations: impl IntoIterator<Item = Operation>) -> Self {
        Self(operations.into_iter().collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Operation> {
        self.0.iter()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Operation> {
        self.0.get(index)
    }

    /// The one with this id, or with this method and path.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|operation| {
            &*operation.id == name
                || name.split_once(' ').is_some_and(|(method, path)| {
                    operation.method.as_str() == method && &*operation.path == path.trim()
                })
        })
    }

    pub(crate) fn of(&self, method: &Method, path: &str) -> Option<usize> {
        let decoded = path.contains('%').then(|| percent_decode_str(path).decode_utf8_lossy());
        let path = decoded.as_deref().unwrap_or(path);
        self.0.iter().position(|operation| operation.matches(method, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_counts() {
        let operations = Operations::new([
            Operation::new("me", "GET", "/users/me"),
            Operation::new("one", "GET", "/users/{id}"),
            Operation::new("change", "PATCH", "/users/{id}"),
        ]);
        let of = |method, path| operations.of(&method, path);
        assert_eq!(of(Method::GET, "/users/me"), Some(0));
        assert_eq!(of(Method::GET, "/users/%6de"), Some(0));
        assert_eq!(of(Method::GET, "/users/7"), Some(1));
        assert_eq!(of(Method::PATCH, "/users/me"), Some(2));
        assert_eq!(of(Method::GET, "/users/"), None);
        assert_eq!(of(Method::GET, "/users/7/"), None);
        assert_eq!(of(Method::HEAD, "/users/7"), None);
    }
}
