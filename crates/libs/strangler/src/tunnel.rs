//! Connections that have changed to another protocol, such as WebSockets: bytes pass both ways.

use http::Request;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::TaskTracker;

/// The client's half of a tunnel, once it is there.
pub(crate) struct Client(OnUpgrade);

impl Client {
    /// Of a request that asks to change the protocol, on a connection that can.
    pub(crate) fn of<B>(request: &mut Request<B>) -> Option<Self> {
        crate::headers::upgrade(request.headers())?;
        request.extensions_mut().remove::<OnUpgrade>().map(Self)
    }

    /// Connects both sides until both have ended; `legacy` is the half of the old service, which agreed.
    pub(crate) fn connect(
        self,
        legacy: OnUpgrade,
        permit: OwnedSemaphorePermit,
        background: &TaskTracker,
    ) {
        background.spawn(async move {
            let _permit = permit;
            let both = tokio::try_join!(self.0, legacy);
            let copied = match both {
                Ok((client, legacy)) => {
                    let (mut client, mut legacy) = (TokioIo::new(client), TokioIo::new(legacy));
                    tokio::io::copy_bidirectional(&mut client, &mut legacy).await
                }
                Err(error) => Err(std::io::Error::other(error)),
            };
            if let Err(error) = copied {
                tracing::debug!(%error, "a tunnel broke");
            }
        });
    }
}
