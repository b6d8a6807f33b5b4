//! Tokens made by hand, so that nothing a library refuses to write is left untried.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

use std::time::Duration;
use tidings_auth::jwt::JwtAuthenticator;
use tidings_auth::provider::Proven;
use tidings_auth::secret::Secret;
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

/// The secret of every test.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The time of every test, in seconds.
pub(crate) const NOW: u64 = 1_750_000_000;

/// Base64 as tokens have it.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of this header and these claims, signed with the secret by an algorithm.
pub(crate) fn signed(header: &str, claims: &str, algorithm: Algorithm, secret: &[u8]) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = EncodingKey::from_secret(secret);
    let signature = crypto::sign(message.as_bytes(), &key, algorithm).expect("HMAC signs anything");
    format!("{message}.{signature}")
}

/// A rightly signed token of this header.
pub(crate) fn with_header(header: &str) -> String {
    signed(
        header,
        &good().to_string(),
        Algorithm::HS256,
        SECRET.as_bytes(),
    )
}

/// A rightly signed token of these claims as text.
pub(crate) fn with_claims_text(claims: &str) -> String {
    signed(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        claims,
        Algorithm::HS256,
        SECRET.as_bytes(),
    )
}

/// A rightly signed token of good claims, of which one is set to something else or removed.
pub(crate) fn with_claim(name: &str, value: Option<Value>) -> String {
    let mut claims = good();
    let entries = claims.as_object_mut().expect("claims are an object");
    match value {
        Some(value) => entries.insert(name.to_owned(), value),
        None => entries.remove(name),
    };
    with_claims_text(&claims.to_string())
}

/// Claims that pass.
pub(crate) fn good() -> Value {
    json!({"sub": "u1", "exp": NOW + 3_600})
}

/// Checks a token at [`NOW`] with the usual leeway of five seconds.
pub(crate) fn verify(token: &str) -> Result<Proven, AuthFailure> {
    provider(5).verify(token, Timestamp(NOW * 1_000))
}

/// A provider with this leeway.
pub(crate) fn provider(leeway_seconds: u64) -> JwtAuthenticator {
    JwtAuthenticator::new(&Secret::from(SECRET), Duration::from_secs(leeway_seconds))
        .expect("the secret is long enough")
}
