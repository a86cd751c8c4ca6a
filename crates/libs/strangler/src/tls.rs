//! Connections to an old service behind HTTPS.

use std::path::Path;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::connect::Connector;
use crate::settings::{Settings, StartError};

/// Opens connections with and without TLS.
pub(crate) type Outer = HttpsConnector<Connector>;

/// A connector that does TLS for `https:` URLs.
///
/// # Errors
/// When the file with certificates cannot be used.
pub(crate) fn around(connector: Connector, settings: &Settings) -> Result<Outer, StartError> {
    // An error means that one is installed already.
    _ = rustls::crypto::ring::default_provider().install_default();
    let builder = HttpsConnectorBuilder::new();
    let builder = match &settings.legacy_ca {
        Some(path) => builder.with_tls_config(trusting(path)?),
        None => builder.with_webpki_roots(),
    };
    Ok(builder.https_or_http().enable_http1().wrap_connector(connector))
}

/// Trusts the certificates in a file, and the public ones.
///
/// # Errors
/// When the file cannot be read, or has none.
fn trusting(path: &Path) -> Result<ClientConfig, StartError> {
    let error = |reason: String| StartError::Certificates { path: path.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let public = roots.len();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| error(e.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|e| error(e.to_string()))?;
        roots.add(certificate).map_err(|e| error(e.to_string()))?;
    }
    if roots.len() == public {
        return Err(error("it has none".to_owned()));
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
