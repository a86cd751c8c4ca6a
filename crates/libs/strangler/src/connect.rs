//! Connections to the old service that know what has passed over them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use http::{Extensions, Uri};
use hyper_util::client::legacy::connect::{
    CaptureConnection, Connected, Connection, HttpConnector,
};
use hyper_util::rt::TokioIo;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower::Service;

/// What has passed over a connection; an extension of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    /// A response was received.
    reused: AtomicBool,
    /// Bytes were received since the last were sent.
    answering: AtomicBool,
}

impl Traffic {
    /// Of the connection that a request was sent over, if it got one.
    pub(crate) fn of(connection: &CaptureConnection) -> Option<Self> {
        let mut extensions = Extensions::new();
        connection.connection_metadata().as_ref()?.get_extras(&mut extensions);
        extensions.remove()
    }

    /// The response's head is here: the next request reuses the connection.
    pub(crate) fn responded(&self) {
        self.0.reused.store(true, Ordering::Relaxed);
    }

    /// Whether the connection had been kept from an earlier request, and not a byte of the response
    /// to this one was received: the old service may have closed it before the request arrived.
    pub(crate) fn may_have_been_closed(&self) -> bool {
        self.0.reused.load(Ordering::Relaxed) && !self.0.answering.load(Ordering::Relaxed)
    }
}

/// Opens connections of which [`Traffic`] is known.
#[derive(Clone)]
pub(crate) struct Connector(pub(crate) HttpConnector);

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = BoxFuture<'static, Result<TokioIo<Stream>, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            let inner = connecting.await?.into_inner();
            Ok(TokioIo::new(Stream { inner, traffic: Traffic::default() }))
        })
    }
}

pin_project! {
    /// A connection of a [`Connector`].
    pub(crate) struct Stream {
        #[pin]
        inner: TcpStream,
        traffic: Traffic,
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.inner.connected().extra(self.traffic.clone())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buffer.filled().len();
        ready!(this.inner.poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            this.traffic.0.answering.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        this.traffic.0.answering.store(false, Ordering::Relaxed);
        this.inner.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.project();
        this.traffic.0.answering.store(false, Ordering::Relaxed);
        this.inner.poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(context)
    }
}
