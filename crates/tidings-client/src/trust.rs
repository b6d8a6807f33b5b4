//! Whose word is taken for which hub a client talks to over TLS.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// The certificates that a client believes. Cheap to clone.
#[derive(Clone)]
pub struct Trust(pub(crate) Arc<ClientConfig>);

/// The certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// A text is not PEM.
    #[error("it is not PEM")]
    NotPem,
    /// A text holds no certificate.
    #[error("it holds no certificate: no line is `-----BEGIN CERTIFICATE-----`")]
    Empty,
    /// A certificate, or all those of the system, cannot be used.
    #[error("{0}")]
    Unusable(String),
}

impl Trust {
    /// Those that the system believes.
    pub fn of_system() -> Result<Self, TrustError> {
        let config = builder()?
            .with_platform_verifier()
            .map_err(|error| unusable(&error))?;
        Ok(Self::new(config.with_no_client_auth()))
    }

    /// Those of a text in PEM, and no others.
    pub fn only(pem: &[u8]) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(pem) {
            let root = root.map_err(|_| TrustError::NotPem)?;
            roots.add(root).map_err(|error| unusable(&error))?;
        }
        if roots.is_empty() {
            return Err(TrustError::Empty);
        }
        let config = builder()?.with_root_certificates(roots);
        Ok(Self::new(config.with_no_client_auth()))
    }

    fn new(mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, TrustError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))
}

fn unusable(error: &rustls::Error) -> TrustError {
    TrustError::Unusable(error.to_string())
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_certificate_is_no_trust() {
        for (text, expected) in [
            ("", TrustError::Empty),
            ("hello", TrustError::Empty),
            (
                "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
                TrustError::NotPem,
            ),
        ] {
            let error = Trust::only(text.as_bytes()).expect_err(text);
            assert_eq!(error, expected, "{text}");
        }
        let nonsense = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        let error = Trust::only(nonsense.as_bytes()).expect_err("no certificate");
        assert!(matches!(error, TrustError::Unusable(_)), "{error}");
    }
}
