//! Timeouts, retries, rate, workers, TLS and proxies.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::program::Program;
use crate::server::{Request, Response, Server, free_port, json};

#[test]
fn a_response_may_take_as_long_as_the_timeout() {
    let old = Server::start(|_| json(200, "{}"));
    let new = Server::start(|_| {
        thread::sleep(Duration::from_secs(10));
        json(200, "{}")
    });
    let cases = "- {name: slow, request: POST /}\n";
    let start = Instant::now();
    let arguments = ["--reference", &old.url, "--candidate", &new.url, "--timeout", "0.5"];
    let outcome = Program::new().run(cases, &arguments);
    assert!(start.elapsed() < Duration::from_secs(9));
    assert_eq!(outcome.code, 1, "{}", outcome.errors);
    assert!(outcome.output.contains("operation timed out"), "{}", outcome.output);
}

#[test]
fn connections_are_tried_again_and_nothing_else() {
    let port = free_port();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(700));
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        std::mem::forget(Server::on(listener, None, |_| json(200, "{}")));
    });
    let cases = "- {name: a, request: GET /, status: 200}\n";
    let url = format!("http://127.0.0.1:{port}");
    let outcome = Program::new().run(cases, &["--candidate", &url, "--retries", "6"]);
    assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);

    // A request that was sent and has no answer is a difference.
    let old = Server::start(|_| json(200, "{}"));
    let new = Server::start(|_| None);
    let cases = "- {name: a, request: POST /}\n";
    let arguments = ["--reference", &old.url, "--candidate", &new.url, "--retries", "6"];
    let outcome = Program::new().run(cases, &arguments);
    assert_eq!(outcome.code, 1);
    assert_eq!(new.requests().len(), 1, "it is not repeated");
    assert!(outcome.differences().contains(&"a: status".to_owned()));
}

#[test]
fn the_rate_is_kept() {
    let service = Server::start(|_| json(200, "{}"));
    let cases = "- {name: a, request: 'GET /${n}', status: 200, each: [{n: '1'}, {n: '2'}, {n: '3'}, {n: '4'}, {n: '5'}]}\n";
    let start = Instant::now();
    let arguments = ["--candidate", &service.url, "--rate", "10", "--workers", "4"];
    let outcome = Program::new().run(cases, &arguments);
    assert_eq!(outcome.code, 0, "{}", outcome.errors);
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(400), "{took:?}");
}

/// A service with rows, of which every tenth answer is wrong on request.
fn rows(is_faulty: bool) -> Server {
    let rows: Arc<Mutex<BTreeMap<usize, String>>> = Arc::default();
    Server::start(move |request: &Request| -> Option<Response> {
        thread::sleep(Duration::from_millis(3));
        let mut rows = rows.lock().unwrap();
        let id = request.target.rsplit('/').next().and_then(|id| id.parse::<usize>().ok());
        match (request.method.as_str(), id) {
            ("POST", _) => {
                let id = rows.len() + 1 + usize::from(is_faulty) * 1000;
                rows.insert(id, request.body.clone());
                json(201, &format!(r#"{{"id":{id}}}"#))
            }
            ("DELETE", Some(id)) => {
                let known = rows.remove(&id);
                json(if known.is_some() { 200 } else { 404 }, "{}")
            }
            (_, Some(id)) => match rows.get(&id) {
                Some(_) if is_faulty && id % 10 == 3 => json(200, r#"{"row":"wrong"}"#),
                Some(row) => json(200, &format!(r#"{{"row":{row}}}"#)),
                None => json(404, "{}"),
            },
            _ => json(200, &format!(r#"{{"count":{}}}"#, rows.len())),
        }
    })
}

#[test]
fn several_workers_have_the_result_of_one() {
    let mut cases = String::new();
    for n in 0..30 {
        _ = writeln!(
            cases,
            "- {{name: create {n}, request: POST /rows, json: {{n: {n}}}, capture: {{row{n}: /id}}}}"
        );
        for use_of in 0..=n.min(3) {
            let of = n - use_of;
            _ = writeln!(cases, "- {{name: 'read {n}, {of}', request: 'GET /rows/${{row{of}}}'}}");
        }
        _ = writeln!(cases, "- {{name: count {n}, request: GET /rows}}");
        if n % 7 == 6 {
            _ = writeln!(cases, "- {{name: delete {n}, request: 'DELETE /rows/${{row{n}}}'}}");
        }
    }
    let mut results = Vec::new();
    for workers in ["1", "8"] {
        let (old, new) = (rows(false), rows(true));
        let arguments = [
            "--reference",
            &old.url,
            "--candidate",
            &new.url,
            "--workers",
            workers,
            "--slack",
            "60000",
        ];
        let outcome = Program::new().run(&cases, &arguments);
        assert_eq!(outcome.code, 1, "{}", outcome.errors);
        let mut report = outcome.report.clone();
        for case in report["runs"]["run"]["cases"].as_array_mut().unwrap() {
            case["seconds"] = 0.into();
        }
        let peak = new.peak.load(Ordering::SeqCst);
        assert!(if workers == "1" { peak <= 2 } else { peak > 2 }, "{peak} at once");
        results.push((report, outcome.differences()));
    }
    assert!(results[0].1.iter().any(|difference| difference.contains("body.row")));
    assert_eq!(results[0], results[1]);
}

/// An authority, and a certificate of it for a name, with its key: both as PEM.
struct Authority {
    certificate: rcgen::Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn server(&self, name: &str, wants_certificate: bool) -> Server {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if wants_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = self.issue(name);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        Server::tls(config, |_| json(200, "{}"))
    }
}

#[test]
fn certificates_are_checked_as_the_options_say() {
    let authority = Authority::new();
    let cases = "- {name: a, request: GET /, status: 200}\n";
    let service = authority.server("localhost", false);
    let program = Program::new();
    let ca = program.write("ca.pem", &authority.certificate.pem());
    let outcome = program.run(cases, &["--candidate", &service.url]);
    assert_eq!(outcome.code, 2);
    for part in [
        "cases.yaml:1:3: case 'a': the candidate at https://localhost",
        "UnknownIssuer",
        "--cacert",
    ] {
        assert!(outcome.errors.contains(part), "{part}: {}", outcome.errors);
    }
    for trusted in [vec!["--cacert", &ca], vec!["--insecure"]] {
        let mut all = vec!["--candidate", &service.url];
        all.extend(&trusted);
        let outcome = program.run(cases, &all);
        assert_eq!(outcome.code, 0, "{trusted:?}: {}", outcome.errors);
    }
    let other = authority.server("other.example", false);
    let outcome = program.run(cases, &["--candidate", &other.url, "--cacert", &ca]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("certificate"), "{}", outcome.errors);

    let strict = authority.server("localhost", true);
    let (certificate, key) = authority.issue("a client");
    let certificate = program.write("client.pem", &certificate.pem());
    let key = program.write("client.key", &key.serialize_pem());
    let arguments = ["--candidate", &strict.url, "--cacert", &ca];
    assert_ne!(program.run(cases, &arguments).code, 0);
    let mut all = arguments.to_vec();
    all.extend(["--cert", &certificate, "--key", &key]);
    let outcome = program.run(cases, &all);
    assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);
    let outcome = program.run(cases, &["--candidate", &strict.url, "--cacert", "missing.pem"]);
    assert!(outcome.errors.contains("missing.pem: No such file"), "{}", outcome.errors);
}

#[test]
fn proxies_are_those_of_the_option_or_of_the_environment() {
    let proxy = Server::start(|_| json(200, "{}"));
    let service = Server::start(|_| json(200, "{}"));
    let cases = "- {name: a, request: GET /x, status: 200}\n";
    let outcome = Program::new().run(cases, &["--candidate", &service.url, "--proxy", &proxy.url]);
    assert_eq!(outcome.code, 0, "{}", outcome.errors);
    assert_eq!(proxy.targets(), [format!("GET {}/x", service.url)]);
    assert!(service.requests().is_empty());

    let program = Program::new().with("HTTP_PROXY", &proxy.url).with("http_proxy", &proxy.url);
    let outcome = program.run(cases, &["--candidate", "http://service.example"]);
    assert_eq!(outcome.code, 0, "{}", outcome.errors);
    assert_eq!(proxy.targets().last().unwrap(), "GET http://service.example/x");
    let outcome = program.run(cases, &["--candidate", &service.url]);
    assert_eq!(outcome.code, 0, "{}", outcome.errors);
    assert_eq!(service.targets(), ["GET /x"], "no proxy leads to this machine");
}
