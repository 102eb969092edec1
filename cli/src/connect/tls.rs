//! How a connection is encrypted and whom it trusts: libpq's `sslmode`, carried out by rustls.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature_with_raw_key};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use crate::exit::Exit;
use crate::failure::{Failure, Result};

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsMode {
    /// No TLS
    Disable,
    /// TLS where the server offers it; whose certificate it is does not matter
    Prefer,
    /// Always TLS; whose certificate it is does not matter, unless authorities to trust are given
    Require,
    /// Always TLS, with a certificate of a trusted authority
    VerifyCa,
    /// Always TLS, with a certificate of a trusted authority for this host's name
    VerifyFull,
}

/// Certificates, as files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Certificates {
    /// Authorities to trust; `None` for those of the system.
    pub roots: Option<PathBuf>,
    /// The client's own certificate and its key.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// What opens encrypted connections of this mode.
pub(crate) fn connector(mode: TlsMode, certificates: &Certificates) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match mode {
        TlsMode::VerifyFull => chain_verifier(certificates, &provider)?,
        TlsMode::VerifyCa => Arc::new(AnyName(chain_verifier(certificates, &provider)?)),
        TlsMode::Require if certificates.roots.is_some() => Arc::new(AnyName(chain_verifier(certificates, &provider)?)),
        TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => Arc::new(AnyCertificate(Arc::clone(&provider))),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable("TLS"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &certificates.own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(
                read_certificates(certificate)?,
                PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?,
            )
            .map_err(unusable("the client's certificate"))?,
    };
    // Servers from 17 on ask for it where TLS comes first.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

fn chain_verifier(certificates: &Certificates, provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    let found = match &certificates.roots {
        Some(path) => read_certificates(path)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(found);
    if roots.is_empty() {
        let whose = certificates.roots.as_ref().map_or("this system".into(), |path| path.display().to_string());
        return Err(Failure::new(Exit::Usage, format!("{whose} has no certificate of an authority to trust"))
            .help("give a file with the certificate of the server's authority, as PEM: --tls-root-cert FILE"));
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(unusable("the authorities to trust"))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &pem::Error) -> Failure {
    let error = match error {
        pem::Error::Io(error) => io::Error::from(error.kind()),
        pem::Error::NoItemsFound => io::Error::other("there is none in it"),
        _ => io::Error::other("it is not PEM"),
    };
    Failure::file(Exit::Usage, "read the certificate or key in", path, &error)
}

fn unusable<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> Failure {
    move |error| Failure::new(Exit::Usage, format!("{what} cannot be used: {error}"))
}

/// Trusts certificates of a trusted authority, whatever name they are for: `verify-ca`.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        // The name is looked at last: whoever fails there has passed everything else.
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Trusts every certificate whose key the server has: `prefer` and `require`. The key must be the certificate's also here, because channel
/// binding stands on that.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate)?;
        verify_tls13_signature_with_raw_key(message, &key, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The key of a certificate. rustls itself reads certificates of version 3 alone, and the recipe in PostgreSQL's manual makes some of version 1.
fn public_key(certificate: &CertificateDer<'_>) -> std::result::Result<SubjectPublicKeyInfoDer<'static>, Error> {
    Certificate::from_der(certificate)
        .and_then(|certificate| certificate.tbs_certificate.subject_public_key_info.to_der())
        .map(SubjectPublicKeyInfoDer::from)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))
}
