//! A body that is copied while it streams, up to a length.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;

/// Called with the copy; none if the body was too long.
type Done = Box<dyn FnOnce(Option<Bytes>) + Send>;

pin_project! {
    /// Calls `done` at the end of the body; not if it is dropped before.
    pub(crate) struct Tee {
        #[pin]
        inner: Body,
        kept: Option<BytesMut>,
        limit: usize,
        done: Option<Done>,
    }
}

/// The same body; `done` gets a copy of at most `limit` bytes.
pub(crate) fn tee(
    inner: Body,
    limit: usize,
    done: impl FnOnce(Option<Bytes>) + Send + 'static,
) -> Body {
    // An empty body is never polled.
    if http_body::Body::is_end_stream(&inner) {
        done(Some(Bytes::new()));
        return inner;
    }
    Body::new(Tee { inner, kept: Some(BytesMut::new()), limit, done: Some(Box::new(done)) })
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
                if let (Some(data), Some(kept)) = (frame.data_ref(), this.kept.as_mut()) {
                    if kept.len() + data.len() <= *this.limit {
                        kept.extend_from_slice(data);
                    } else {
                        *this.kept = None;
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
            done(this.kept.take().map(BytesMut::freeze));
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

    async fn kept(body: Body, limit: usize) -> Option<Bytes> {
        let (sender, kept) = mpsc::channel();
        let body = tee(body, limit, move |bytes| sender.send(bytes).unwrap());
        body.collect().await.unwrap();
        kept.recv().unwrap()
    }

    #[tokio::test]
    async fn a_copy_is_kept_up_to_a_length() {
        assert_eq!(kept(Body::from("abc"), 3).await.as_deref(), Some(&b"abc"[..]));
        assert_eq!(kept(Body::from("abcd"), 3).await, None);
        assert_eq!(kept(Body::empty(), 3).await.as_deref(), Some(&b""[..]));
    }

    #[tokio::test]
    async fn a_body_that_is_dropped_is_not_copied() {
        let (sender, kept) = mpsc::channel();
        drop(tee(Body::from("abc"), 3, move |bytes| sender.send(bytes).unwrap()));
        assert!(kept.recv().is_err());
    }
}
