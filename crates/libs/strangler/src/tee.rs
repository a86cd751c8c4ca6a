//! A body that is copied while it streams, up to a length and a budget.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::memory::{Budget, Held};

/// The copy of a body.
#[derive(Debug)]
pub(crate) enum Copied {
    /// All of it, with the memory that it takes.
    Whole(Bytes, Held),
    /// It is too long to be compared.
    TooLong,
    /// The budget was used up.
    NoMemory,
}

type Done = Box<dyn FnOnce(Copied) + Send>;

pin_project! {
    /// Calls `done` at the end of the body; not if it is dropped before.
    pub(crate) struct Tee {
        #[pin]
        inner: Body,
        kept: Result<(BytesMut, Held), Copied>,
        limit: usize,
        done: Option<Done>,
    }
}

/// The same body; `done` gets a copy of at most `limit` bytes.
pub(crate) fn tee(
    inner: Body,
    limit: usize,
    budget: &Arc<Budget>,
    done: impl FnOnce(Copied) + Send + 'static,
) -> Body {
    // An empty body is never polled.
    if http_body::Body::is_end_stream(&inner) {
        done(Copied::Whole(Bytes::new(), budget.part()));
        return inner;
    }
    let kept = Ok((BytesMut::new(), budget.part()));
    Body::new(Tee { inner, kept, limit, done: Some(Box::new(done)) })
}

impl http_body::Body for Tee {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(data), Ok((kept, held))) = (frame.data_ref(), this.kept.as_mut()) {
                    let length = kept.len() + data.len();
                    if length > *this.limit {
                        *this.kept = Err(Copied::TooLong);
                    } else if !held.grow_to(length) {
                        *this.kept = Err(Copied::NoMemory);
                    } else {
                        kept.extend_from_slice(data);
                        // It grows by more than it needs.
                        if !held.grow_to(kept.capacity()) {
                            *this.kept = Err(Copied::NoMemory);
                        }
                    }
                }
            }
            Some(Err(_)) => *this.done = None,
            None => {}
        }
        // hyper does not poll for the end of a body whose length it knows.
        if (frame.is_none() || this.inner.is_end_stream())
            && let Some(done) = this.done.take()
        {
            let kept = std::mem::replace(this.kept, Err(Copied::TooLong));
            done(match kept {
                Ok((kept, held)) => Copied::Whole(kept.freeze(), held),
                Err(none) => none,
            });
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use http_body_util::BodyExt;

    use super::*;

    async fn kept(body: Body, limit: usize, budget: usize) -> Copied {
        let (sender, kept) = mpsc::channel();
        let body = tee(body, limit, &Budget::new(budget), move |copy| sender.send(copy).unwrap());
        body.collect().await.unwrap();
        kept.recv().unwrap()
    }

    #[tokio::test]
    async fn a_copy_is_kept_up_to_a_length() {
        let text = async |body, limit, budget| match kept(body, limit, budget).await {
            Copied::Whole(bytes, _) => String::from_utf8(bytes.to_vec()).unwrap(),
            none => format!("{none:?}"),
        };
        assert_eq!(text(Body::from("abc"), 3, 1000).await, "abc");
        assert_eq!(text(Body::from("abcd"), 3, 1000).await, "TooLong");
        assert_eq!(text(Body::from("abc"), 3, 2).await, "NoMemory");
        assert_eq!(text(Body::empty(), 3, 0).await, "");
    }

    #[tokio::test]
    async fn a_body_that_is_dropped_is_not_copied() {
        let (sender, kept) = mpsc::channel();
        let budget = Budget::new(10);
        drop(tee(Body::from("abc"), 3, &budget, move |bytes| sender.send(bytes).unwrap()));
        assert!(kept.recv().is_err());
    }
}
