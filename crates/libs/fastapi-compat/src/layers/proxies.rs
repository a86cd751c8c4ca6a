//! Who the client is behind proxies: uvicorn's `ProxyHeadersMiddleware`.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{ConnectInfo, Request};
use http::HeaderMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tower::{Layer, Service};

use crate::characters::{latin1, strip};
use crate::scheme::Scheme;

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The address of the connection, in the extensions of requests whose
/// [`ConnectInfo`] a trusted proxy has replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The proxies whose `X-Forwarded-*` headers are believed, as uvicorn's `--forwarded-allow-ips` lists
/// them: addresses, networks such as `10.0.0.0/8`, or `*` alone for every peer.
///
/// As in uvicorn what is neither (`10.0.0.1/8` has host bits) is a name that no address ever equals;
/// [`TrustedProxies::names`] gives them, for a warning.
#[derive(Clone, Debug)]
pub struct TrustedProxies(Arc<Trusted>);

#[derive(Debug, Default)]
struct Trusted {
    everyone: bool,
    hosts: Vec<Host>,
    networks: Vec<IpNet>,
    names: Vec<String>,
}

/// An address as Python's `ipaddress` reads it: IPv6 has scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    ip: IpAddr,
    scope: Option<String>,
}

impl TrustedProxies {
    /// From a list such as `["10.0.0.0/8", "192.0.2.7"]`.
    pub fn new(list: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let list: Vec<String> = list.into_iter().map(Into::into).collect();
        let mut trusted = Trusted { everyone: list == ["*"], ..Trusted::default() };
        if !trusted.everyone {
            for item in list {
                let item = strip(&item);
                if item.contains('/') {
                    match network(item) {
                        Some(network) => trusted.networks.push(network),
                        None => trusted.names.push(item.to_owned()),
                    }
                } else {
                    match Host::parse(item) {
                        Some(host) => trusted.hosts.push(host),
                        None => trusted.names.push(item.to_owned()),
                    }
                }
            }
        }
        Self(Arc::new(trusted))
    }

    /// What is neither an address nor a network: it never matches the address of a peer.
    pub fn names(&self) -> &[String] {
        &self.0.names
    }

    /// Whether a peer with this address is believed.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        // A socket for both versions of IP writes IPv4 as IPv6.
        self.trusts_host(&Host { ip: peer.to_canonical(), scope: None })
    }

    fn trusts_host(&self, host: &Host) -> bool {
        self.0.everyone
            || self.0.hosts.contains(host)
            || self.0.networks.iter().any(|network| network.contains(&host.ip))
    }

    fn trusts_text(&self, text: &str) -> bool {
        match Host::parse(text) {
            Some(host) => self.trusts_host(&host),
            None => !text.is_empty() && self.0.names.iter().any(|name| name == text),
        }
    }

    /// Host and port of the client as uvicorn sets them: of the last hop in `X-Forwarded-For` that is
    /// not trusted, of the first if all are; the port is 0 where the header has none that fits. `None`
    /// if the peer is not trusted or the header names no client.
    ///
    /// The host need not be an address. With `*` it is what the client itself may have written: use
    /// [`TrustedProxies::accountable`] for limits.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<(String, u16)> {
        if !self.trusts(peer) {
            return None;
        }
        let header = forwarded_for(headers)?;
        let mut hops = header.split(',').map(strip);
        let first = hops.clone().next().unwrap_or_default();
        let client = if self.0.everyone {
            None
        } else {
            hops.rfind(|hop| !self.trusts_text(host_and_port(hop).0))
        };
        let (host, port) = host_and_port(client.unwrap_or(first));
        (!host.is_empty()).then(|| (host.to_owned(), port))
    }

    /// The address that is accountable for a request, for limits and logs: from the right, the first
    /// hop that is not trusted, else the last that is an address before one that cannot be read.
    ///
    /// It differs from [`TrustedProxies::client`] where that believes what a client may have written:
    /// for `*` it is the last hop, which the nearest proxy has added, and a hop that cannot be read
    /// stands for the proxy that passed it on.
    pub fn accountable(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let header = forwarded_for(headers);
        let hops = header.as_deref().unwrap_or_default().rsplit(',').map(strip);
        let mut accountable = peer;
        for hop in hops {
            let Some(host) = Host::parse(host_and_port(hop).0) else { break };
            accountable = host.ip.to_canonical();
            if self.0.everyone || !self.trusts_host(&host) {
                break;
            }
        }
        accountable
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        if let Some((address, scope)) = text.split_once('%') {
            let ip = IpAddr::V6(address.parse().ok()?);
            let is_scope = !scope.is_empty() && !scope.contains('%');
            return is_scope.then(|| Self { ip, scope: Some(scope.to_owned()) });
        }
        Some(Self { ip: text.parse().ok()?, scope: None })
    }
}

/// A network as Python's `ip_network` reads it: without host bits; IPv4 masks may be written out.
fn network(text: &str) -> Option<IpNet> {
    let (address, mask) = text.split_once('/')?;
    let is_number = !mask.is_empty() && mask.bytes().all(|byte| byte.is_ascii_digit());
    let network = match IpAddr::from_str(address).ok()? {
        IpAddr::V4(address) => {
            let length = if is_number { mask.parse().ok()? } else { mask_length(mask)? };
            IpNet::V4(Ipv4Net::new(address, length).ok()?)
        }
        IpAddr::V6(address) if is_number => {
            IpNet::V6(Ipv6Net::new(address, mask.parse().ok()?).ok()?)
        }
        IpAddr::V6(_) => return None,
    };
    (network.trunc() == network).then_some(network)
}

/// The length of `255.255.0.0`, or of its complement `0.0.255.255`.
fn mask_length(mask: &str) -> Option<u8> {
    let mask: Ipv4Addr = mask.parse().ok()?;
    let complement = Ipv4Addr::from_bits(!mask.to_bits());
    ipnet::ipv4_mask_to_prefix(mask).or_else(|_| ipnet::ipv4_mask_to_prefix(complement)).ok()
}

/// All hops, in the order in which they were added.
fn forwarded_for(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let mut values = headers.get_all(FORWARDED_FOR).iter().map(|value| latin1(value.as_bytes()));
    let first = values.next()?;
    Some(values.fold(first, |all, value| all + ", " + value))
}

/// Host and port of a hop; a port that cannot be read leaves the text as it is, except behind
/// brackets.
fn host_and_port(hop: &str) -> (&str, u16) {
    if let Some(rest) = hop.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((host, "")) => (host, 0),
            Some((host, rest)) => match rest.strip_prefix(':') {
                Some(number) => (host, port(number).unwrap_or(0)),
                None => (hop, 0),
            },
            None => (hop, 0),
        };
    }
    match hop.split_once(':') {
        Some((host, rest)) if !rest.contains(':') => match port(rest) {
            Some(port) => (host, port),
            None => (hop, 0),
        },
        _ => (hop, 0),
    }
}

/// A port, if the text is a number as Python's `int` reads it; 0 for one that is too large.
fn port(text: &str) -> Option<u16> {
    let text = strip(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_number = digits.split('_').all(is_digits);
    is_number.then(|| text.replace('_', "").parse().unwrap_or(0))
}

/// Takes over scheme and client of a request from `X-Forwarded-Proto` and `X-Forwarded-For`, if the
/// peer is a trusted proxy.
///
/// The scheme becomes an extension, [`Scheme`]. The client becomes axum's
/// [`ConnectInfo<SocketAddr>`](ConnectInfo) if it is an address, and that of the connection becomes
/// [`Peer`]. The server has to set [`ConnectInfo`]
/// (`into_make_service_with_connect_info`); without it no header is believed.
#[derive(Clone, Debug)]
pub struct ProxyHeadersLayer {
    proxies: TrustedProxies,
}

impl ProxyHeadersLayer {
    /// Believes these proxies.
    pub fn new(proxies: TrustedProxies) -> Self {
        Self { proxies }
    }
}

impl<S> Layer<S> for ProxyHeadersLayer {
    type Service = ProxyHeaders<S>;

    fn layer(&self, inner: S) -> ProxyHeaders<S> {
        ProxyHeaders { inner, proxies: self.proxies.clone() }
    }
}

/// The service of [`ProxyHeadersLayer`].
#[derive(Clone, Debug)]
pub struct ProxyHeaders<S> {
    inner: S,
    proxies: TrustedProxies,
}

impl<S> ProxyHeaders<S> {
    fn take_over(&self, request: &mut Request) {
        let headers = request.headers();
        let is_forwarded =
            headers.contains_key(FORWARDED_PROTO) || headers.contains_key(FORWARDED_FOR);
        if !is_forwarded {
            return;
        }
        let Some(ConnectInfo(peer)) =
            request.extensions().get::<ConnectInfo<SocketAddr>>().copied()
        else {
            return;
        };
        if !self.proxies.trusts(peer.ip()) {
            return;
        }
        let protocols = headers.get_all(FORWARDED_PROTO);
        let scheme = protocols.iter().next_back().map(|value| latin1(value.as_bytes()));
        let scheme = scheme.and_then(|scheme| {
            ["http", "https", "ws", "wss"].into_iter().find(|known| *known == strip(&scheme))
        });
        let client = self.proxies.client(peer.ip(), headers);
        let extensions = request.extensions_mut();
        if let Some(scheme) = scheme {
            extensions.insert(Scheme(scheme));
        }
        if let Some((host, port)) = client
            && let Some(host) = Host::parse(&host)
        {
            extensions.insert(Peer(peer));
            extensions.insert(ConnectInfo(SocketAddr::new(host.ip, port)));
        }
    }
}

impl<S: Service<Request>> Service<Request> for ProxyHeaders<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> S::Future {
        self.take_over(&mut request);
        self.inner.call(request)
    }
}
