//! Signing the hub's own tokens by HS256.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A secret that signs.
pub(crate) struct SigningKey(hmac::Key);

impl SigningKey {
    /// A key of these bytes, whose strength has been checked.
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// A token of this `typ` with these claims.
    pub(crate) fn token(&self, kind: &str, claims: &Value) -> String {
        let header = first_part(kind);
        let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
        let message = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// What all tokens of this `typ` begin with, up to the first dot.
pub(crate) fn first_part(kind: &str) -> String {
    URL_SAFE_NO_PAD.encode(json!({"typ": kind, "alg": "HS256"}).to_string())
}
