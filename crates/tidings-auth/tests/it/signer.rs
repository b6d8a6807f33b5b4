//! Keys of issuers, made anew for every run, and tokens signed with them.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsBigEndian, AsDer};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tidings_auth::jwt::Algorithm;

use crate::forge::encode;

/// One RSA key for all tests: making one takes longer than all the rest.
static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));

/// The key pair of an issuer.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) id: String,
    pair: Pair,
}

enum Pair {
    Rsa(&'static dyn RsaEncoding),
    Ec(Box<EcdsaKeyPair>),
    Ed(Box<Ed25519KeyPair>),
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm) -> Pair {
    Pair::Ec(Box::new(EcdsaKeyPair::generate(algorithm).expect("a key")))
}

impl Signer {
    /// A key of this name for this algorithm.
    pub(crate) fn new(algorithm: Algorithm, id: &str) -> Self {
        let pair = match algorithm {
            Algorithm::Rs256 => Pair::Rsa(&RSA_PKCS1_SHA256),
            Algorithm::Rs384 => Pair::Rsa(&RSA_PKCS1_SHA384),
            Algorithm::Rs512 => Pair::Rsa(&RSA_PKCS1_SHA512),
            Algorithm::Ps256 => Pair::Rsa(&RSA_PSS_SHA256),
            Algorithm::Ps384 => Pair::Rsa(&RSA_PSS_SHA384),
            Algorithm::Ps512 => Pair::Rsa(&RSA_PSS_SHA512),
            Algorithm::Es256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::Es512 => ec(&ECDSA_P521_SHA512_FIXED_SIGNING),
            Algorithm::EdDsa => Pair::Ed(Box::new(Ed25519KeyPair::generate().expect("a key"))),
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => panic!("no key pair"),
        };
        Self {
            algorithm,
            id: id.to_owned(),
            pair,
        }
    }

    /// The public key as issuers publish it.
    pub(crate) fn json_key(&self) -> Value {
        let mut key = match &self.pair {
            Pair::Rsa(_) => {
                let parts = RsaPublicKeyComponents::<Vec<u8>>::from(RSA.public_key());
                json!({"kty": "RSA", "n": encode(parts.n), "e": encode(parts.e)})
            }
            Pair::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = match x.len() {
                    32 => "P-256",
                    48 => "P-384",
                    _ => "P-521",
                };
                json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
            }
            Pair::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key())})
            }
        };
        key["kid"] = json!(self.id);
        key["use"] = json!("sig");
        key["alg"] = json!(self.algorithm.as_str());
        key
    }

    /// The public key as it stands in a certificate.
    pub(crate) fn der(&self) -> Vec<u8> {
        let der = match &self.pair {
            Pair::Rsa(_) => RSA.public_key().as_der(),
            Pair::Ec(pair) => pair.public_key().as_der(),
            Pair::Ed(pair) => pair.public_key().as_der(),
        };
        der.expect("a public key").as_ref().to_vec()
    }

    /// The same in PEM.
    pub(crate) fn pem(&self) -> String {
        let text = STANDARD.encode(self.der());
        let lines: Vec<&str> = (0..text.len())
            .step_by(64)
            .map(|at| &text[at..text.len().min(at + 64)])
            .collect();
        let lines = lines.join("\n");
        format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n")
    }

    /// The private key for other libraries: in PKCS #8, but of RSA what is inside of it.
    pub(crate) fn private_der(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(_) => {
                // Before it stand a version, the algorithm and three lengths, of fixed size.
                let pkcs8 = RSA.as_der().expect("a private key");
                pkcs8.as_ref()[26..].to_vec()
            }
            Pair::Ec(pair) => pair.to_pkcs8v1().expect("a private key").as_ref().to_vec(),
            Pair::Ed(pair) => pair.to_pkcs8v1().expect("a private key").as_ref().to_vec(),
        }
    }

    /// The secret half of the key as a JSON web key would have it, if it is of Curve25519.
    pub(crate) fn seed(&self) -> Option<String> {
        match &self.pair {
            Pair::Ed(pair) => {
                let seed = pair.seed().expect("a seed");
                Some(encode(seed.as_be_bytes().expect("bytes").as_ref()))
            }
            Pair::Rsa(_) | Pair::Ec(_) => None,
        }
    }

    /// Signs bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(encoding) => {
                let mut signature = vec![0; RSA.public_modulus_len()];
                RSA.sign(*encoding, &random, message, &mut signature)
                    .expect("a signature");
                signature
            }
            Pair::Ec(pair) => {
                let signature = pair.sign(&random, message).expect("a signature");
                signature.as_ref().to_vec()
            }
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token of these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": self.algorithm.as_str(), "kid": self.id, "typ": "JWT"});
        self.token_of(&header, claims)
    }

    /// A token of this header and these claims, rightly signed.
    pub(crate) fn token_of(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims.to_string())
        );
        let signature = encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// A key set of these keys.
pub(crate) fn key_set(signers: &[&Signer]) -> String {
    let keys: Vec<Value> = signers.iter().map(|signer| signer.json_key()).collect();
    json!({"keys": keys}).to_string()
}
