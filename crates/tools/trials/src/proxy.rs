//! A TCP proxy that does to connections what networks do, and balances like one of Kubernetes: each
//! new connection goes to the next backend that is ready.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::BoxError;

/// What the network is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Good,
    /// Everything takes so much longer, in each direction.
    Slow(Duration),
    /// Nothing comes through, and nobody is told.
    Silent,
    /// Connections end, and new ones are refused.
    Cut,
}

/// Listens until it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    network: watch::Sender<Network>,
    backends: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Proxy {
    pub async fn start(backends: Vec<SocketAddr>) -> Result<Self, BoxError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let backends = Arc::new(Mutex::new(backends));
        let (network, mut weather) = watch::channel(Network::Good);
        let known = Arc::clone(&backends);
        tokio::spawn(async move {
            let next = AtomicUsize::new(0);
            loop {
                let client = tokio::select! {
                    Ok((client, _)) = listener.accept() => client,
                    // Its sender is gone: so is the proxy.
                    changed = weather.changed() => match changed {
                        Ok(()) => continue,
                        Err(_) => return,
                    },
                };
                if *weather.borrow() != Network::Cut {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    let mut order = known.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    let count = order.len().max(1);
                    order.rotate_left(turn % count);
                    tokio::spawn(connect(client, order, weather.clone()));
                }
            }
        });
        Ok(Self { address, network, backends })
    }

    pub fn set(&self, network: Network) {
        _ = self.network.send(network);
    }

    /// New connections go to these in turn.
    pub fn balance(&self, backends: Vec<SocketAddr>) {
        *self.backends.lock().unwrap_or_else(PoisonError::into_inner) = backends;
    }
}

/// Connects with the first backend that lets us in.
async fn connect(client: TcpStream, order: Vec<SocketAddr>, weather: watch::Receiver<Network>) {
    for backend in order {
        let Ok(server) = TcpStream::connect(backend).await else { continue };
        _ = client.set_nodelay(true);
        _ = server.set_nodelay(true);
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        // One way that is broken takes the other along.
        tokio::select! {
            () = carry(from_client, to_server, weather.clone()) => {}
            () = carry(from_server, to_client, weather) => {}
        }
        return;
    }
}

/// Carries bytes one way until it ends or is cut.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut weather: watch::Receiver<Network>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            // No sender any more: as it is, it stays.
            changed = weather.changed() => match changed {
                Ok(()) if *weather.borrow() == Network::Cut => return,
                Ok(()) => continue,
                Err(_) => from.read(&mut buffer).await,
            },
        };
        let Ok(length @ 1..) = read else { return };
        loop {
            let network = *weather.borrow_and_update();
            match network {
                Network::Good => break,
                Network::Slow(more) => break tokio::time::sleep(more).await,
                Network::Silent if weather.changed().await.is_ok() => {}
                Network::Silent | Network::Cut => return,
            }
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
