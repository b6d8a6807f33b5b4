//! TLS in the hub itself: the certificate that it shows, and its replacement while connections are open.
//!
//! A connection keeps the keys that its handshake agreed on, so another certificate concerns those that
//! come after it, and none that is there.

mod validity;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use tidings_core::time::Timestamp;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::limits::TLS_HANDSHAKES_MAX;

/// The protocols that are offered (RFC 7301), the better one first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A chain of certificates and the private key of its first.
#[derive(Clone)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    begins_at: Timestamp,
    ends_at: Timestamp,
}

/// Why a certificate and a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// What stands between the marks is not base64, or a mark is missing.
    #[error("the {0} is not PEM")]
    NotPem(&'static str),
    /// The file of certificates holds none.
    #[error("it holds no certificate: no line is `-----BEGIN CERTIFICATE-----`")]
    NoCertificate,
    /// The first certificate is not one.
    #[error("its first certificate cannot be read")]
    Unreadable,
    /// The file of the key holds none that is not encrypted.
    #[error("it holds no private key in the clear: no line is `-----BEGIN PRIVATE KEY-----`")]
    NoKey,
    /// The key is of a kind that TLS does not take.
    #[error("its private key is of no kind that TLS takes: RSA, ECDSA or Ed25519")]
    KeyKind,
    /// The key belongs to another certificate.
    #[error("its private key is not that of the first certificate")]
    KeyMismatch,
}

impl CertificateError {
    /// Whether it is the key, and not the certificate, that is wrong.
    pub fn is_of_key(&self) -> bool {
        match self {
            Self::NotPem(what) => *what == KEY,
            Self::NoCertificate | Self::Unreadable => false,
            Self::NoKey | Self::KeyKind | Self::KeyMismatch => true,
        }
    }
}

const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";

impl Certificate {
    /// Reads a chain, the hub's own certificate first, and its key, both in PEM.
    pub fn read(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|_| CertificateError::NotPem(CERTIFICATE))?;
        let own = chain.first().ok_or(CertificateError::NoCertificate)?;
        let (begins_at, ends_at) = validity::of(own).ok_or(CertificateError::Unreadable)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => CertificateError::NoKey,
            _ => CertificateError::NotPem(KEY),
        })?;
        let key =
            aws_lc_rs::sign::any_supported_type(&key).map_err(|_| CertificateError::KeyKind)?;
        let key = CertifiedKey::new(chain, key);
        match key.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => return Err(CertificateError::KeyMismatch),
            Err(_) => return Err(CertificateError::Unreadable),
        }
        Ok(Self {
            key: Arc::new(key),
            begins_at,
            ends_at,
        })
    }

    /// From when on it counts.
    pub fn begins_at(&self) -> Timestamp {
        self.begins_at
    }

    /// Until when it counts.
    pub fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// The certificate itself without its chain, in DER.
    pub fn der(&self) -> &[u8] {
        self.key.cert.first().map_or(&[], |own| own.as_ref())
    }
}

impl PartialEq for Certificate {
    /// The same chain; a chain has one key.
    fn eq(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("begins_at", &self.begins_at)
            .field("ends_at", &self.ends_at)
            .finish_non_exhaustive()
    }
}

/// What a listener needs to speak TLS. A cheap handle; clones show the same certificate.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    shown: Arc<Shown>,
    /// Places for handshakes that go on.
    pub(crate) places: Arc<Semaphore>,
}

/// The cryptography of this build cannot serve TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsError(String);

impl Tls {
    /// TLS 1.3 and 1.2 with this certificate.
    pub fn new(certificate: Certificate) -> Result<Self, TlsError> {
        let failed = |error: rustls::Error| TlsError(error.to_string());
        let shown = Arc::new(Shown(RwLock::new(certificate)));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = ALPN.map(<[u8]>::to_vec).into();
        // Sessions go on by tickets that the clients keep: readers who come back all at once cost no
        // signature each, and the hub remembers none of them.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(failed)?;
        Ok(Self {
            config: Arc::new(config),
            shown,
            places: Arc::new(Semaphore::new(TLS_HANDSHAKES_MAX)),
        })
    }

    /// With so many handshakes at a time, unless [`TLS_HANDSHAKES_MAX`] is less.
    #[must_use]
    pub fn with_handshakes_max(self, handshakes_max: usize) -> Self {
        let places = Arc::new(Semaphore::new(handshakes_max.min(TLS_HANDSHAKES_MAX)));
        Self { places, ..self }
    }

    /// Shows another certificate from the next handshake on.
    pub fn replace(&self, certificate: Certificate) {
        let mut shown = self.shown.0.write().unwrap_or_else(PoisonError::into_inner);
        *shown = certificate;
    }

    /// The certificate that is shown now.
    pub fn certificate(&self) -> Certificate {
        self.shown.now()
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.certificate())
            .finish_non_exhaustive()
    }
}

/// The certificate that everybody is shown, whatever name they ask for: those who know the hub by
/// another name find out by themselves.
#[derive(Debug)]
struct Shown(RwLock<Certificate>);

impl Shown {
    fn now(&self) -> Certificate {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shown.clone()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.now().key)
    }
}

#[cfg(test)]
mod tests {
    use tidings_testkit::certificate::{Validity, certificate};

    use super::*;

    fn read(chain: &str, key: &str) -> Result<Certificate, CertificateError> {
        Certificate::read(chain.as_bytes(), key.as_bytes())
    }

    #[test]
    fn a_certificate_with_its_key_is_read_with_its_times() {
        let made = certificate(&["hub.test"], Validity::Years(2000, 2040));
        let found = read(&made.chain, &made.key).expect("they go together");
        assert_eq!(found.begins_at(), Timestamp(946_684_800_000));
        assert_eq!(found.ends_at(), Timestamp(2_208_988_800_000));
        assert!(!found.der().is_empty());
        assert!(!format!("{found:?}").contains("key"));
    }

    #[test]
    fn what_is_wrong_with_a_certificate_or_its_key_is_told() {
        let made = certificate(&["hub.test"], Validity::Now);
        let other = certificate(&["hub.test"], Validity::Now);
        let broken = |text: &str| text.replace("\nM", "\n!");
        let encrypted = made.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let no_certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        let no_key = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
        for (chain, key, expected) in [
            ("", made.key.as_str(), CertificateError::NoCertificate),
            (&made.key, &made.key, CertificateError::NoCertificate),
            (
                &broken(&made.chain),
                &made.key,
                CertificateError::NotPem(CERTIFICATE),
            ),
            (no_certificate, &made.key, CertificateError::Unreadable),
            (&made.chain, "", CertificateError::NoKey),
            (&made.chain, &made.chain, CertificateError::NoKey),
            (&made.chain, &encrypted, CertificateError::NoKey),
            (
                &made.chain,
                &broken(&made.key),
                CertificateError::NotPem(KEY),
            ),
            (&made.chain, no_key, CertificateError::KeyKind),
            (&made.chain, &other.key, CertificateError::KeyMismatch),
        ] {
            let error = read(chain, key).expect_err("they do not do");
            assert_eq!(error, expected, "{chain}{key}");
            let is_key = !matches!(
                error,
                CertificateError::NoCertificate
                    | CertificateError::Unreadable
                    | CertificateError::NotPem(CERTIFICATE)
            );
            assert_eq!(error.is_of_key(), is_key, "{error}");
        }
    }

    #[test]
    fn the_certificate_that_is_shown_is_the_last_that_was_given() {
        let [first, second] = [(); 2].map(|()| {
            let made = certificate(&["hub.test"], Validity::Now);
            read(&made.chain, &made.key).expect("they go together")
        });
        assert_ne!(first, second);
        let tls = Tls::new(first.clone()).expect("TLS");
        let clone = tls.clone();
        assert_eq!(clone.certificate(), first);
        tls.replace(second.clone());
        assert_eq!(clone.certificate(), second);
    }
}
