//! A token taken apart (RFC 7515, section 7.1), with nothing believed yet.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use tidings_core::port::AuthFailure;

use super::Algorithm;
use super::object;
use crate::limits::{KEY_ID_BYTES_MAX, TOKEN_BYTES_MAX};

/// The parts of a token. Until [`KeySet::accepts`](crate::jwks::KeySet) says so, all of it is what
/// somebody wrote: it may choose among what the settings name, and nothing else.
pub(crate) struct Compact<'a> {
    /// By what it says to be signed.
    pub(crate) algorithm: Algorithm,
    /// Its `kid`.
    pub(crate) key_id: Option<String>,
    /// Its `typ`.
    pub(crate) kind: Option<String>,
    /// Its claims.
    pub(crate) claims: Map<String, Value>,
    /// The bytes that are signed.
    pub(crate) message: &'a [u8],
    /// The signature.
    pub(crate) signature: Vec<u8>,
}

/// Whether a text looks like a token: three parts in the alphabet of tokens, divided by dots.
pub(crate) fn has_shape(text: &str) -> bool {
    let is_of_tokens = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let mut parts = 0;
    let is_good = text.split('.').all(|part| {
        parts += 1;
        !part.is_empty() && part.bytes().all(is_of_tokens)
    });
    is_good && parts == 3
}

impl<'a> Compact<'a> {
    /// Takes a token apart.
    pub(crate) fn parse(token: &'a str) -> Result<Self, AuthFailure> {
        if token.len() > TOKEN_BYTES_MAX {
            let problem = format!("it is longer than {TOKEN_BYTES_MAX} bytes");
            return Err(AuthFailure::Malformed(problem));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(not_signed());
        };
        let message = &token.as_bytes()[..header.len() + 1 + claims.len()];
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| not_signed());
        let header = object::read(&decode(header)?).ok_or_else(no_object)?;
        let claims = object::read(&decode(claims)?).ok_or_else(no_object)?;
        let signature = decode(signature)?;
        // An extension that the issuer calls critical and that is not understood (RFC 7515, 4.1.11).
        if header.contains_key("crit") {
            return Err(AuthFailure::NotTrusted);
        }
        let algorithm = match text(&header, "alg")? {
            Some(name) => name.parse().map_err(|_| AuthFailure::NotTrusted)?,
            None => return Err(no_object()),
        };
        let key_id = text(&header, "kid")?;
        if key_id
            .as_ref()
            .is_some_and(|id| id.len() > KEY_ID_BYTES_MAX)
        {
            let problem = format!("the name of its key is longer than {KEY_ID_BYTES_MAX} bytes");
            return Err(AuthFailure::Malformed(problem));
        }
        Ok(Self {
            algorithm,
            key_id,
            kind: text(&header, "typ")?,
            claims,
            message,
            signature,
        })
    }

    /// The issuer that the token names.
    pub(crate) fn issuer(&self) -> Result<Option<&str>, AuthFailure> {
        match self.claims.get("iss") {
            None => Ok(None),
            Some(Value::String(issuer)) => Ok(Some(issuer)),
            Some(_) => Err(AuthFailure::Claim {
                claim: "iss".to_owned(),
                problem: "is not a string".to_owned(),
            }),
        }
    }
}

fn text(header: &Map<String, Value>, name: &str) -> Result<Option<String>, AuthFailure> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(no_object()),
    }
}

fn not_signed() -> AuthFailure {
    AuthFailure::Malformed("it is not a signed JSON web token".to_owned())
}

fn no_object() -> AuthFailure {
    let problem = "its header or its claims are not what a signed token holds";
    AuthFailure::Malformed(problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::has_shape;

    #[test]
    fn tokens_have_three_parts() {
        assert!(has_shape("eyJ.e30.a-_"));
        for other in [
            "", "..", "a.b", "a.b.c.d", "a.b.", "a.b c.d", "tdk_a", "a.b.==",
        ] {
            assert!(!has_shape(other), "{other}");
        }
    }
}
