//! The compact form of an encrypted token (RFC 7516, section 3.1), read strictly.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// How the content is encrypted and authenticated (RFC 7518, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Encryption {
    /// AES-256 in CBC mode, authenticated by HMAC-SHA-512: what Auth.js writes.
    #[serde(rename = "A256CBC-HS512")]
    CbcHmac,
    /// AES-256 in Galois/Counter mode: what `NextAuth` 4 writes.
    #[serde(rename = "A256GCM")]
    Gcm,
}

/// An encrypted token, taken apart and not yet believed.
#[derive(Debug)]
pub(super) struct Sealed<'a> {
    /// The header as it was sent, which the tag covers.
    pub(super) associated: &'a str,
    /// How the content is encrypted.
    pub(super) encryption: Encryption,
    /// Which key, as its thumbprint.
    pub(super) key_id: Option<String>,
    /// The initialisation vector.
    pub(super) vector: Vec<u8>,
    /// The encrypted content.
    pub(super) content: Vec<u8>,
    /// The tag over all of these.
    pub(super) tag: Vec<u8>,
}

/// The one way of wrapping the key: not at all, both sides have it.
#[derive(Deserialize)]
enum Wrapping {
    #[serde(rename = "dir")]
    Direct,
}

#[derive(Deserialize)]
enum Kind {
    #[serde(rename = "JWT")]
    Token,
}

/// The header. Whatever else one holds (`zip`, `crit`, `epk`, `jku`, ...) asks for something that is
/// not done here, so the token is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    #[serde(rename = "alg")]
    _wrapping: Wrapping,
    #[serde(rename = "enc")]
    encryption: Encryption,
    #[serde(rename = "kid")]
    key_id: Option<String>,
    #[serde(rename = "typ")]
    _kind: Option<Kind>,
}

impl<'a> Sealed<'a> {
    /// Takes a token apart.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut part = || parts.next();
        let (associated, wrapped_key) = (part()?, part()?);
        let (vector, content, tag) = (part()?, part()?, part()?);
        if part().is_some() || !wrapped_key.is_empty() {
            return None;
        }
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header: Header = serde_json::from_slice(&bytes(associated)?).ok()?;
        Some(Self {
            associated,
            encryption: header.encryption,
            key_id: header.key_id,
            vector: bytes(vector)?,
            content: bytes(content)?,
            tag: bytes(tag)?,
        })
    }

    /// A token that no key opens, and that takes as much work to refuse as one of this length.
    pub(super) fn hopeless(text: &'a str) -> Self {
        Self {
            associated: text,
            encryption: Encryption::CbcHmac,
            key_id: None,
            vector: Vec::new(),
            content: Vec::new(),
            tag: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(header: &str) -> Option<Encryption> {
        let text = format!("{}..AA.AA.AA", URL_SAFE_NO_PAD.encode(header));
        Sealed::parse(&text).map(|sealed| sealed.encryption)
    }

    #[test]
    fn a10_two_encryptions_of_one_wrapping_are_read() {
        let gcm = parse(r#"{"alg":"dir","enc":"A256GCM"}"#);
        assert_eq!(gcm, Some(Encryption::Gcm));
        let full = r#"{"enc":"A256CBC-HS512","alg":"dir","kid":"x","typ":"JWT"}"#;
        assert_eq!(parse(full), Some(Encryption::CbcHmac));
    }

    #[test]
    fn a3_a_header_with_anything_else_is_refused() {
        for member in [
            r#""zip":"DEF""#,
            r#""crit":["exp"]"#,
            r#""crit":[]"#,
            r#""epk":{}"#,
            r#""jku":"http://127.0.0.1/""#,
            r#""x5u":"http://127.0.0.1/""#,
            r#""jwk":{}"#,
            r#""p2c":1000000000"#,
            r#""cty":"JWT""#,
            r#""typ":"JWE""#,
            r#""kid":1"#,
            r#""alg":"dir""#,
            r#""enc":"A256GCM""#,
            r#""":1"#,
        ] {
            let header = format!(r#"{{"alg":"dir","enc":"A256GCM",{member}}}"#);
            assert_eq!(parse(&header), None, "{header}");
        }
        for header in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"alg":"dir"}"#,
            r#"{"enc":"A256GCM"}"#,
            r#"{"alg":"Dir","enc":"A256GCM"}"#,
            r#"{"alg":"none","enc":"A256GCM"}"#,
            r#"{"alg":"A256KW","enc":"A256GCM"}"#,
            r#"{"alg":"PBES2-HS256+A128KW","enc":"A256GCM"}"#,
            r#"{"alg":"dir","enc":"A128GCM"}"#,
            r#"{"alg":"dir","enc":"A128CBC-HS256"}"#,
            r#"{"alg":["dir"],"enc":"A256GCM"}"#,
            r#"{"alg":"dir","enc":"A256GCM"} x"#,
        ] {
            assert_eq!(parse(header), None, "{header}");
        }
    }

    #[test]
    fn a10_a_token_has_five_parts_in_their_one_spelling() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
        assert!(Sealed::parse(&format!("{header}..AA.AA.AA")).is_some());
        for rest in [
            "",
            ".",
            "..AA.AA",
            "..AA.AA.AA.",
            ".AA.AA.AA.AA",
            "..AB.AA.AA",
            "..AA==.AA.AA",
            "..A.AA.AA",
            "..AA.A+A.AA",
            "..AA.AA. AA",
            "..AA.AA.AA ",
        ] {
            assert!(
                Sealed::parse(&format!("{header}{rest}")).is_none(),
                "{rest}"
            );
        }
    }
}
