//! `Security(dependency, scopes=[…])` and `SecurityScopes`.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;

use crate::dialect::{Switch, has};
use crate::errors::Errors;
use crate::extract::Dependency;
use crate::openapi::{Describe, OperationDocument};

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
