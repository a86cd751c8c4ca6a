//! Dependencies that may be absent, and several of them.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;

use crate::errors::Errors;
use crate::extract::Dependency;
use crate::openapi::{Describe, OperationDocument};

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
                let (mut max, all) = (0, [$($D::PATH_PARAMETERS),+]);
                let mut at = 0;
                while at < all.len() {
                    if all[at] > max {
                        max = all[at];
                    }
                    at += 1;
                }
                max
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
