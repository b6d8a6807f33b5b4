//! One key and the algorithms that it serves.
//!
//! A key is bound to its algorithms when it is read, never when a token asks for one: a public key
//! can therefore not be taken for a secret, nor a key of one curve for a key of another.

use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};

use super::small_order;
use crate::jwt::Algorithm;
use crate::limits::RSA_BITS_MIN;

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Neither of the forms in which keys are written.
    #[error("it is neither a PEM `PUBLIC KEY` nor a JSON web key")]
    Form,
    /// A key that must not leave its owner.
    #[error("it is a private key; only its public half belongs here")]
    Private,
    /// Bytes that are no key.
    #[error("it is no valid key of its kind")]
    Invalid,
    /// An RSA key that can be factored.
    #[error("it has {0} bits where RSA needs at least {RSA_BITS_MIN}")]
    Weak(usize),
    /// A point for which anybody can sign.
    #[error("it is a point of small order, for which anybody can make signatures")]
    SmallOrder,
    /// A kind of key, or a use, that none of the listed algorithms has.
    #[error("none of the listed algorithms can use it")]
    Unused,
    /// A name that is too long.
    #[error("its name (`kid`) is not a text of ordinary length")]
    Name,
}

/// A key as its owner publishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Material {
    /// Modulus and exponent.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// An uncompressed point, of the curve of one algorithm.
    Ec {
        algorithm: Algorithm,
        point: Vec<u8>,
    },
    /// A point of Curve25519.
    Ed([u8; 32]),
}

/// A key with a name, ready for each of its algorithms.
pub(crate) struct Key {
    pub(crate) id: Option<Arc<str>>,
    verifiers: Vec<(Algorithm, Verifier)>,
}

enum Verifier {
    Secret(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl Key {
    /// A secret for those of the algorithms that use one.
    pub(crate) fn secret(bytes: &[u8], algorithms: &[Algorithm]) -> Self {
        let verifiers = algorithms.iter().filter_map(|&algorithm| {
            let hash = match algorithm {
                Algorithm::Hs256 => hmac::HMAC_SHA256,
                Algorithm::Hs384 => hmac::HMAC_SHA384,
                Algorithm::Hs512 => hmac::HMAC_SHA512,
                _ => return None,
            };
            Some((
                algorithm,
                Verifier::Secret(Box::new(hmac::Key::new(hash, bytes))),
            ))
        });
        Self {
            id: None,
            verifiers: verifiers.collect(),
        }
    }

    /// A public key for those of the algorithms that can use it.
    pub(crate) fn public(
        id: Option<Arc<str>>,
        material: &Material,
        algorithms: &[Algorithm],
    ) -> Result<Self, KeyFault> {
        let mut verifiers = Vec::new();
        for &algorithm in algorithms {
            if let Some(key) = material.parsed_for(algorithm)? {
                verifiers.push((algorithm, Verifier::Public(key)));
            }
        }
        if verifiers.is_empty() {
            return Err(KeyFault::Unused);
        }
        Ok(Self { id, verifiers })
    }

    /// The algorithms that it serves.
    pub(crate) fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.verifiers.iter().map(|verifier| verifier.0)
    }

    /// Serves these algorithms no longer; whether any is left.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(Algorithm) -> bool) -> bool {
        self.verifiers.retain(|verifier| is_kept(verifier.0));
        !self.verifiers.is_empty()
    }

    /// Whether it serves an algorithm.
    pub(crate) fn serves(&self, algorithm: Algorithm) -> bool {
        self.algorithms().any(|served| served == algorithm)
    }

    /// Whether a signature over a message was made with its other half, in time that does not depend
    /// on a secret.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let mut verifiers = self.verifiers.iter();
        match verifiers.find(|verifier| verifier.0 == algorithm) {
            Some((_, Verifier::Secret(key))) => hmac::verify(key, message, signature).is_ok(),
            Some((_, Verifier::Public(key))) => key.verify_sig(message, signature).is_ok(),
            None => false,
        }
    }
}

impl Material {
    /// The key for one algorithm; none if that is for keys of another kind.
    fn parsed_for(&self, algorithm: Algorithm) -> Result<Option<ParsedPublicKey>, KeyFault> {
        match self {
            Self::Rsa { n, e } => {
                let Some(parameters) = rsa(algorithm) else {
                    return Ok(None);
                };
                let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
                if bits < RSA_BITS_MIN {
                    return Err(KeyFault::Weak(bits));
                }
                RsaPublicKeyComponents { n, e }
                    .to_parsed_public_key(parameters)
                    .map(Some)
                    .map_err(|_| KeyFault::Invalid)
            }
            Self::Ec {
                algorithm: own,
                point,
            } => match curve(algorithm) {
                Some(curve) if *own == algorithm => ParsedPublicKey::new(curve, point)
                    .map(Some)
                    .map_err(|_| KeyFault::Invalid),
                _ => Ok(None),
            },
            Self::Ed(_) if algorithm != Algorithm::EdDsa => Ok(None),
            Self::Ed(point) if small_order::is_small(point) => Err(KeyFault::SmallOrder),
            Self::Ed(point) => ParsedPublicKey::new(&ED25519, point)
                .map(Some)
                .map_err(|_| KeyFault::Invalid),
        }
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

/// The verification of a curve: signatures are two numbers of fixed length (RFC 7518, section 3.4).
pub(super) fn curve(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    match algorithm {
        Algorithm::Es256 => Some(&ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Some(&ECDSA_P384_SHA384_FIXED),
        Algorithm::Es512 => Some(&ECDSA_P521_SHA512_FIXED),
        _ => None,
    }
}
