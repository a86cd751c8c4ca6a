//! axum's own extractors in the document, as far as their types tell what they take.
//!
//! What they refuse is answered as axum does it, not by FastAPI's 422.

#[cfg(feature = "axum-extractors")]
use utoipa::openapi::path::ParameterIn;
#[cfg(feature = "axum-extractors")]
use utoipa::{IntoParams, ToSchema};

use super::operation::{Describe, OperationDocument};

/// Which parameters of the path it takes, its type does not tell: all of them, as texts.
impl<T> Describe for axum::extract::Path<T> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.untyped_path();
    }
}

#[cfg(feature = "axum-extractors")]
impl<T: IntoParams> Describe for axum::extract::Query<T> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.foreign_parameters::<T>(&ParameterIn::Query);
    }
}

#[cfg(feature = "axum-extractors")]
impl<T: ToSchema> Describe for axum::Json<T> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.foreign_body::<T>("application/json");
    }
}

#[cfg(feature = "axum-extractors")]
impl<T: ToSchema> Describe for axum::extract::Form<T> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.foreign_body::<T>("application/x-www-form-urlencoded");
    }
}
