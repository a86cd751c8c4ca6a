//! A TCP proxy for tests: it distributes connections over backends, simulates network faults, and can
//! answer a request itself.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// What the network between clients and backends does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Bytes pass.
    Good,
    /// Everything takes so much longer, in each direction.
    Slow(Duration),
    /// Bytes are held back, and connections stay open.
    Silent,
    /// Connections are closed, those that exist and new ones.
    Cut,
}

/// A response that the proxy sends itself.
#[derive(Clone, Debug)]
pub struct Response {
    /// The bytes to send; if there are none, the connection closes without a response.
    pub bytes: Vec<u8>,
    /// How long to wait before that.
    pub delay: Duration,
}

/// A proxy on a free port of 127.0.0.1. It listens until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    network: watch::Sender<Network>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    backends: Mutex<Vec<String>>,
    response: Mutex<Option<Response>>,
}

impl Proxy {
    /// Starts before backends, each of the form `host:port`, which get new connections in turn.
    pub async fn start(backends: Vec<String>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { backends: Mutex::new(backends), ..Shared::default() });
        let (network, state) = watch::channel(Network::Good);
        tokio::spawn(accept(listener, Arc::clone(&shared), state));
        Ok(Self { address, network, shared })
    }

    /// Starts before the host of a URL. Gives the proxy, and the URL with its address.
    ///
    /// Fails if the URL has no host, or no port and a scheme without a known one.
    pub async fn before(url: &Url) -> io::Result<(Self, Url)> {
        let missing = || io::Error::other(format!("{url} has no host and port"));
        let host = url.host_str().ok_or_else(missing)?;
        let known = url.port_or_known_default().or((url.scheme() == "postgresql").then_some(5432));
        let port = known.ok_or_else(missing)?;
        let proxy = Self::start(vec![format!("{host}:{port}")]).await?;
        let mut through = url.clone();
        if through.set_host(Some("127.0.0.1")).is_err()
            || through.set_port(Some(proxy.address.port())).is_err()
        {
            return Err(missing());
        }
        Ok((proxy, through))
    }

    /// Changes what the network does, for new and for existing connections.
    pub fn set(&self, network: Network) {
        _ = self.network.send(network);
    }

    /// Replaces the backends; existing connections stay with theirs.
    pub fn balance(&self, backends: Vec<String>) {
        *self.shared.backends.lock().unwrap_or_else(PoisonError::into_inner) = backends;
    }

    /// Sends this response to the next connection, once its request is complete, instead of
    /// connecting it with a backend.
    pub fn respond_next(&self, response: Response) {
        *self.shared.response.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
    }
}

/// Accepts connections until the proxy, which has the sender of `network`, is dropped.
async fn accept(listener: TcpListener, shared: Arc<Shared>, mut network: watch::Receiver<Network>) {
    let next = AtomicUsize::new(0);
    loop {
        let client = tokio::select! {
            Ok((client, _)) = listener.accept() => client,
            changed = network.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        if *network.borrow() == Network::Cut {
            continue;
        }
        let response = shared.response.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(response) = response {
            tokio::spawn(respond(client, response));
        } else {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let mut order = shared.backends.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let count = order.len().max(1);
            order.rotate_left(turn % count);
            tokio::spawn(connect(client, order, network.clone()));
        }
    }
}

/// Connects a client with the first backend that accepts the connection; closes it if none does.
async fn connect(client: TcpStream, order: Vec<String>, network: watch::Receiver<Network>) {
    for backend in order {
        let Ok(server) = TcpStream::connect(backend).await else { continue };
        _ = client.set_nodelay(true);
        _ = server.set_nodelay(true);
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::join!(
            transfer(from_client, to_server, network.clone()),
            transfer(from_server, to_client, network),
        );
        return;
    }
}

/// Transfers bytes in one direction until it ends or the network is cut, then shuts it down.
async fn transfer(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut network: watch::Receiver<Network>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            changed = network.changed() => match changed {
                Ok(()) if *network.borrow() == Network::Cut => break,
                Ok(()) => continue,
                // The proxy was dropped: its connections go on.
                Err(_) => from.read(&mut buffer).await,
            },
        };
        let Ok(length @ 1..) = read else { break };
        loop {
            let state = *network.borrow_and_update();
            match state {
                Network::Good => break,
                Network::Slow(delay) => break tokio::time::sleep(delay).await,
                Network::Silent if network.changed().await.is_ok() => {}
                Network::Silent | Network::Cut => return,
            }
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
    _ = to.shutdown().await;
}

/// Reads a request to its end, so that the response is not lost with it, and responds.
async fn respond(mut client: TcpStream, response: Response) -> io::Result<()> {
    let mut received = Vec::new();
    while !is_complete(&received) {
        if client.read_buf(&mut received).await? == 0 {
            break;
        }
    }
    tokio::time::sleep(response.delay).await;
    client.write_all(&response.bytes).await?;
    client.shutdown().await
}

/// Whether these bytes are a whole request, or cannot become one.
fn is_complete(received: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(received) {
        Ok(httparse::Status::Complete(head)) => {
            let length =
                request.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
            let length = length.and_then(|h| std::str::from_utf8(h.value).ok()?.parse().ok());
            received.len() >= head + length.unwrap_or(0)
        }
        Ok(httparse::Status::Partial) => false,
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends its name and what it receives, to each connection.
    async fn echo(name: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    stream.write_all(name.as_bytes()).await.unwrap();
                    let (mut from, mut to) = stream.split();
                    _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address.to_string()
    }

    async fn exchange(proxy: &Proxy, bytes: &[u8]) -> io::Result<String> {
        let mut stream = TcpStream::connect(proxy.address).await?;
        stream.write_all(bytes).await?;
        stream.shutdown().await?;
        let mut received = String::new();
        stream.read_to_string(&mut received).await?;
        Ok(received)
    }

    #[tokio::test]
    async fn connections_are_distributed_over_the_backends_that_accept() {
        let refused = "127.0.0.1:1".to_owned();
        let backends = vec![echo("a").await, refused, echo("c").await];
        let proxy = Proxy::start(backends).await.unwrap();
        let mut received = Vec::new();
        for _ in 0..3 {
            received.push(exchange(&proxy, b"!").await.unwrap());
        }
        assert_eq!(received, ["a!", "c!", "c!"]);
        proxy.balance(vec![echo("d").await]);
        assert_eq!(exchange(&proxy, b"").await.unwrap(), "d");
    }

    #[tokio::test]
    async fn a_cut_closes_connections_and_refuses_new_ones() {
        let proxy = Proxy::start(vec![echo("a").await]).await.unwrap();
        let mut open = TcpStream::connect(proxy.address).await.unwrap();
        assert_eq!(open.read_u8().await.unwrap(), b'a');
        proxy.set(Network::Cut);
        assert!(open.read_u8().await.is_err());
        assert_ne!(exchange(&proxy, b"").await.unwrap_or_default(), "a");
        proxy.set(Network::Good);
        assert_eq!(exchange(&proxy, b"").await.unwrap(), "a");
    }

    #[tokio::test]
    async fn a_silent_network_holds_bytes_back_until_it_is_good() {
        let proxy = Proxy::start(vec![echo("a").await]).await.unwrap();
        proxy.set(Network::Silent);
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        let wait = Duration::from_millis(100);
        assert!(tokio::time::timeout(wait, stream.read_u8()).await.is_err());
        proxy.set(Network::Good);
        assert_eq!(stream.read_u8().await.unwrap(), b'a');
    }

    #[tokio::test]
    async fn a_response_replaces_one_answer_of_the_backend() {
        let url: Url = format!("http://{}/", echo("a").await).parse().unwrap();
        let (proxy, through) = Proxy::before(&url).await.unwrap();
        assert_eq!(through.port(), Some(proxy.address.port()));
        proxy.respond_next(Response { bytes: b"own".to_vec(), delay: Duration::ZERO });
        let request = b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(exchange(&proxy, request).await.unwrap(), "own");
        assert_eq!(exchange(&proxy, b"x").await.unwrap(), "ax");
    }
}
