//! What it costs to verify a token, by algorithm: `cargo run --release -p tidings-auth --example
//! verification_cost`.

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tidings_auth::fetch::Fetch;
use tidings_auth::issuer::{Issuers, Keys, Policy};
use tidings_auth::jwt::Algorithm;
use tidings_auth::secret::Secret;
use tidings_auth::web_fetch::WebFetch;
use tidings_core::port::Clock;
use tidings_core::time::Timestamp;
use tidings_testkit::clock::ManualClock;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The fastest of many short batches is shown: the others shared the machine with something else.
const BATCHES: u32 = 100;
const TOKENS_PER_BATCH: u32 = 20;

fn pem(der: &[u8]) -> Keys {
    let text = STANDARD.encode(der);
    let text = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----");
    Keys::Static(vec![text])
}

/// The policy's keys, and a signature of a message.
fn keys_and_signature(
    algorithm: Algorithm,
    message: &[u8],
) -> Result<(Keys, Vec<u8>), aws_lc_rs::error::Unspecified> {
    let random = SystemRandom::new();
    let curve = match algorithm {
        Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Algorithm::Es384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Algorithm::Es512 => &ECDSA_P521_SHA512_FIXED_SIGNING,
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate()?;
            let der = pair.public_key().as_der()?;
            return Ok((pem(der.as_ref()), pair.sign(message).as_ref().to_vec()));
        }
        Algorithm::Rs256 | Algorithm::Ps256 => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
            let mut signature = vec![0; pair.public_modulus_len()];
            if algorithm == Algorithm::Rs256 {
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
            } else {
                pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature)?;
            }
            return Ok((pem(pair.public_key().as_der()?.as_ref()), signature));
        }
        _ => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
            let signature = hmac::sign(&key, message).as_ref().to_vec();
            return Ok((Keys::Secret(vec![Secret::from(SECRET)]), signature));
        }
    };
    let pair = EcdsaKeyPair::generate(curve)?;
    let signature = pair.sign(&random, message)?.as_ref().to_vec();
    Ok((pem(pair.public_key().as_der()?.as_ref()), signature))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let fetch: Arc<dyn Fetch> = Arc::new(WebFetch::new()?);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let claims = r#"{"iss":"https://issuer.example","sub":"user_2abc","exp":4000000000,
        "iat":1750000000,"jti":"1234567890","azp":"https://app.example","roles":["a","b"]}"#;
    for algorithm in [
        Algorithm::Hs256,
        Algorithm::Rs256,
        Algorithm::Ps256,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::EdDsa,
    ] {
        let header = format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#);
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let message = format!(
            "{}.{}",
            encode(header.as_bytes()),
            encode(claims.as_bytes())
        );
        let (keys, signature) = keys_and_signature(algorithm, message.as_bytes())?;
        let token = format!("{message}.{}", encode(&signature));
        let policy = Policy::new(
            "main".parse()?,
            "https://issuer.example",
            keys,
            vec![algorithm],
        );
        let issuers = Issuers::new(None, vec![policy], &fetch, &clock)?;
        let mut fastest = Duration::MAX;
        for _ in 0..BATCHES {
            let begin = Instant::now();
            for _ in 0..TOKENS_PER_BATCH {
                issuers.verify(&token, Timestamp(1_750_000_100_000)).await?;
            }
            fastest = fastest.min(begin.elapsed());
        }
        println!("{algorithm:>6}: {:?} per token", fastest / TOKENS_PER_BATCH);
    }
    Ok(())
}
