//! Certificates for tests, each signed by itself and good for the names that it is asked for.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

/// When a certificate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// For as long as anybody runs this test.
    Now,
    /// From the beginning of the first year to the beginning of the second.
    Years(i32, i32),
}

/// A certificate and its private key, both in PEM.
#[derive(Debug, Clone)]
pub struct MadeCertificate {
    /// The certificate.
    pub chain: String,
    /// Its key.
    pub key: String,
}

/// Makes a certificate with a key of its own for these names, which may be addresses.
pub fn certificate(names: &[&str], validity: Validity) -> MadeCertificate {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("they are names");
    if let Validity::Years(begin, end) = validity {
        params.not_before = date_time_ymd(begin, 1, 1);
        params.not_after = date_time_ymd(end, 1, 1);
    }
    let key = KeyPair::generate().expect("a key");
    let made = params.self_signed(&key).expect("a certificate");
    MadeCertificate {
        chain: made.pem(),
        key: key.serialize_pem(),
    }
}
