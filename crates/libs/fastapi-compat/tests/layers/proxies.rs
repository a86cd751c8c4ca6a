//! uvicorn's `ProxyHeadersMiddleware` and [`ProxyHeadersLayer`] find the same client and scheme.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::ConnectInfo;
use fastapi_compat::layers::{Peer, ProxyHeadersLayer, Scheme, TrustedProxies};
use http::{HeaderMap, HeaderValue, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

use crate::ask;

const PEER: &str = "10.0.0.9";

/// Trusted proxies, hops, the client by uvicorn, and the address that limits count by.
const HOPS: &[(&str, &str, &str, &str)] = &[
    // The peer is not trusted: nothing is believed.
    ("127.0.0.1", "1.2.3.4", PEER, PEER),
    ("10.0.0.8", "1.2.3.4", PEER, PEER),
    ("11.0.0.0/8", "1.2.3.4", PEER, PEER),
    // It is: by its address or its network.
    ("10.0.0.9", "1.2.3.4", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/8", "1.2.3.4", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/255.0.0.0", "1.2.3.4", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/0.255.255.255", "1.2.3.4", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/8", "", PEER, PEER),
    // Right to left, up to the first that is not trusted.
    ("10.0.0.0/8", "6.6.6.6, 1.2.3.4", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/8", "6.6.6.6, 1.2.3.4, 10.1.1.1", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/8,192.168.0.0/16", "6.6.6.6,1.2.3.4,192.168.1.1 , 10.1.1.1", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/8", "10.2.2.2, 10.1.1.1", "10.2.2.2", "10.2.2.2"),
    // Forms with ports.
    ("10.0.0.0/8", "6.6.6.6, 1.2.3.4:55555", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/8", "6.6.6.6, 1.2.3.4, 10.1.1.1:80", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/8", "[2001:db8::1]:443", "2001:db8::1", "2001:db8::1"),
    ("10.0.0.0/8", "[2001:db8::1]", "2001:db8::1", "2001:db8::1"),
    ("10.0.0.0/8", "2001:db8::1", "2001:db8::1", "2001:db8::1"),
    ("10.0.0.0/8, 2001:db8::/32", "1.2.3.4, 2001:db8::1", "1.2.3.4", "1.2.3.4"),
    ("10.0.0.0/8, 2001:db8::/32", "1.2.3.4, [2001:DB8::1]:80", "1.2.3.4", "1.2.3.4"),
    // The first hop that cannot be read: uvicorn takes it; limits count who passed it on.
    ("10.0.0.0/8", "6.6.6.6, unknown", "unknown", PEER),
    ("10.0.0.0/8", "6.6.6.6, unknown, 10.1.1.1", "unknown", "10.1.1.1"),
    ("10.0.0.0/8", "6.6.6.6, 1.2.3.4:x", "1.2.3.4:x", PEER),
    ("10.0.0.0/8", "6.6.6.6, 01.2.3.4", "01.2.3.4", PEER),
    ("10.0.0.0/8,unknown", "6.6.6.6, unknown", "6.6.6.6", PEER),
    // An empty one: uvicorn keeps the peer.
    ("10.0.0.0/8", "6.6.6.6, ", PEER, PEER),
    // IPv4 in IPv6 is another address.
    ("10.0.0.0/8", "6.6.6.6, ::ffff:10.1.1.1", "::ffff:10.1.1.1", "10.1.1.1"),
    // Everyone: uvicorn believes the leftmost, which a client may write; limits do not.
    ("*", "6.6.6.6, 1.2.3.4", "6.6.6.6", "1.2.3.4"),
    ("*", "6.6.6.6, 1.2.3.4:5", "6.6.6.6", "1.2.3.4"),
    ("*", "6.6.6.6, unknown", "6.6.6.6", PEER),
    ("*", "unknown", "unknown", PEER),
    // An asterisk among others is a name.
    ("*,127.0.0.1", "1.2.3.4", PEER, PEER),
    // Host bits: no network.
    ("10.0.0.1/8", "1.2.3.4", PEER, PEER),
];

fn proxies(trusted: &str) -> TrustedProxies {
    TrustedProxies::new(trusted.split(','))
}

fn headers(hops: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        "x-forwarded-for".parse().unwrap(),
        HeaderValue::from_str(hops).unwrap(),
    )])
}

fn uvicorns(trusted: &str, peer: &str, headers: &[(String, String)]) -> Value {
    let case =
        json!({"middleware": "proxies", "trusted": trusted, "peer": peer, "headers": headers});
    ask(&case)
}

#[test]
fn the_table_of_hops_is_uvicorns() {
    for (trusted, hops, client, _) in HOPS {
        let headers = [("x-forwarded-for".to_owned(), (*hops).to_owned())];
        let seen = uvicorns(trusted, PEER, &headers);
        assert_eq!(seen["client"][0], *client, "{trusted} | {hops}");
    }
}

#[test]
fn the_client_is_the_last_hop_that_is_not_trusted() {
    let peer: IpAddr = PEER.parse().unwrap();
    for (trusted, hops, client, accountable) in HOPS {
        let (proxies, headers) = (proxies(trusted), headers(hops));
        let found = proxies.client(peer, &headers).map_or(PEER.to_owned(), |(host, _)| host);
        assert_eq!(found, *client, "{trusted} | {hops}");
        let found = proxies.accountable(peer, &headers).to_string();
        assert_eq!(found, *accountable, "for limits: {trusted} | {hops}");
    }
}

#[test]
fn a_client_that_adds_hops_of_its_own_is_still_counted_as_itself() {
    let peer: IpAddr = PEER.parse().unwrap();
    for trusted in ["*", "10.0.0.0/8", "10.0.0.9"] {
        for seen_by_the_proxy in ["203.0.113.9", "203.0.113.9:55555", "unknown"] {
            let found: std::collections::HashSet<IpAddr> = (0..50)
                .map(|n| headers(&format!("6.6.6.{n}, {seen_by_the_proxy}")))
                .map(|headers| proxies(trusted).accountable(peer, &headers))
                .collect();
            assert_eq!(found.len(), 1, "{trusted} | {seen_by_the_proxy}: {found:?}");
        }
    }
}

fn generated() -> impl Strategy<Value = (String, String, Vec<(String, String)>)> {
    const HOSTS: &[&str] = &[
        "10.0.0.9",
        "10.1.1.1",
        "127.0.0.1",
        "1.2.3.4",
        "01.2.3.4",
        "1.2.3",
        "2001:db8::1",
        "2001:0DB8:0:0::1",
        "fe80::1%eth0",
        "::1",
        "::ffff:1.2.3.4",
        "unknown",
        "*",
        "",
        "\u{e9}",
    ];
    const NETWORKS: &[&str] = &[
        "10.0.0.0/8",
        "10.0.0.9/32",
        "10.0.0.1/8",
        "0.0.0.0/0",
        "::/0",
        "2001:db8::/32",
        "10.0.0.0/255.255.0.0",
        "10.0.0.0/0.0.255.255",
        "10.0.0.0/255.0.255.0",
        "10.0.0.0/08",
        "10.0.0.0/33",
        "10.0.0.0/",
        "/8",
        "a/b",
    ];
    let trusted =
        vec(prop_oneof![select(HOSTS), select(NETWORKS)], 0..4).prop_map(|list| list.join(","));
    let trusted = prop_oneof![1 => Just("*".to_owned()), 6 => trusted];
    let hop = (
        select(&["", " ", "\t", "\u{a0}"][..]),
        select(HOSTS),
        select(&["", ":80", ":x", ":", ":-1", ":1_0", ":99999999", ": 7"][..]),
        select(&["", "[", "]", "[]"][..]),
    )
        .prop_map(|(blank, host, port, brackets)| match brackets {
            "[" => format!("{blank}[{host}{port}"),
            "]" => format!("{blank}{host}]{port}"),
            "[]" => format!("{blank}[{host}]{port}{blank}"),
            _ => format!("{blank}{host}{port}{blank}"),
        });
    let hops = vec(hop, 1..4).prop_map(|hops| ("x-forwarded-for".to_owned(), hops.join(",")));
    let scheme = select(&["https", "http", " https ", "HTTPS", "wss", "ws", "ftp", ""][..])
        .prop_map(|scheme| ("x-forwarded-proto".to_owned(), scheme.to_owned()));
    let headers = vec(prop_oneof![3 => hops, 1 => scheme], 0..4);
    (
        trusted,
        select(&["10.0.0.9", "127.0.0.1", "2001:db8::1"][..]).prop_map(str::to_owned),
        headers,
    )
}

/// What is behind the layer sees of a request.
async fn ours(trusted: &str, peer: IpAddr, headers: &[(String, String)]) -> (Value, SocketAddr) {
    let service = service_fn(|request: Request<Body>| async move {
        let ConnectInfo(client) = *request.extensions().get::<ConnectInfo<SocketAddr>>().unwrap();
        let scheme = request.extensions().get::<Scheme>().map_or("http", |scheme| scheme.0);
        let peer = request.extensions().get::<Peer>().map_or(client, |peer| peer.0);
        Ok::<_, std::convert::Infallible>((json!(scheme), client, peer))
    });
    let mut request = Request::builder().extension(ConnectInfo(SocketAddr::new(peer, 4711)));
    for (name, value) in headers {
        let value: Vec<u8> = value.chars().map(|c| u8::try_from(c).unwrap()).collect();
        request = request.header(name, HeaderValue::from_bytes(&value).unwrap());
    }
    let request = request.body(Body::empty()).unwrap();
    let layer = ProxyHeadersLayer::new(proxies(trusted));
    let (scheme, client, socket) = layer.layer(service).oneshot(request).await.unwrap();
    assert_eq!(socket, SocketAddr::new(peer, 4711), "the peer stays known");
    (scheme, client)
}

#[test]
fn uvicorn_finds_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let config = ProptestConfig { cases: 4000, failure_persistence: None, ..Default::default() };
    proptest::test_runner::TestRunner::new(config)
        .run(&generated(), |(trusted, peer, headers)| {
            let expected = uvicorns(&trusted, &peer, &headers);
            let address: IpAddr = peer.parse().unwrap();
            let (scheme, client) = runtime.block_on(ours(&trusted, address, &headers));
            prop_assert_eq!(&scheme, &expected["scheme"]);
            let mut map = HeaderMap::new();
            for (name, value) in &headers {
                let value: Vec<u8> = value.chars().map(|c| u8::try_from(c).unwrap()).collect();
                let name: http::HeaderName = name.parse().unwrap();
                map.append(name, HeaderValue::from_bytes(&value).unwrap());
            }
            let (host, port) =
                proxies(&trusted).client(address, &map).unwrap_or_else(|| (peer.clone(), 4711));
            prop_assert_eq!(&json!(host), &expected["client"][0]);
            // Those that are ports.
            if let Some(expected) = expected["client"][1].as_u64().filter(|port| *port < 65536) {
                prop_assert_eq!(u64::from(port), expected);
            }
            // ConnectInfo has addresses only.
            let plain = host.split('%').next().unwrap_or_default();
            let expected = plain.parse().unwrap_or(address);
            prop_assert_eq!(client.ip(), expected);
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_no_address_can_be_warned_of() {
    let proxies = proxies("10.0.0.0/8, 10.0.0.1/8,::1,gateway");
    assert_eq!(proxies.names(), ["10.0.0.1/8", "gateway"]);
}
