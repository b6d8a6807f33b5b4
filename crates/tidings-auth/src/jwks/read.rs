//! Reading keys as people and issuers write them: JSON web keys (RFC 7517, 7518, 8037) and PEM.

use std::sync::Arc;

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::key::{Key, KeyFault, Material, curve};
use crate::jwt::Algorithm;
use crate::limits::KEY_ID_BYTES_MAX;

/// Reads one JSON web key.
pub(super) fn json_key(
    entries: &Map<String, Value>,
    algorithms: &[Algorithm],
) -> Result<Key, KeyFault> {
    // Parameters of private keys and of secrets (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1).
    if ["d", "p", "q", "k"]
        .iter()
        .any(|name| entries.contains_key(*name))
    {
        return Err(KeyFault::Private);
    }
    let text = |name: &str| entries.get(name).and_then(Value::as_str);
    let bytes = |name: &str| -> Result<Vec<u8>, KeyFault> {
        let encoded = text(name).ok_or(KeyFault::Invalid)?;
        URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| KeyFault::Invalid)
    };
    if !is_for_signatures(entries) {
        return Err(KeyFault::Unused);
    }
    let material = match (text("kty"), text("crv")) {
        (Some("RSA"), _) => Material::Rsa {
            n: number(bytes("n")?),
            e: number(bytes("e")?),
        },
        (Some("EC"), Some("P-256")) => point(Algorithm::Es256, 32, &bytes("x")?, &bytes("y")?)?,
        (Some("EC"), Some("P-384")) => point(Algorithm::Es384, 48, &bytes("x")?, &bytes("y")?)?,
        (Some("EC"), Some("P-521")) => point(Algorithm::Es512, 66, &bytes("x")?, &bytes("y")?)?,
        (Some("OKP"), Some("Ed25519")) => {
            Material::Ed(bytes("x")?.try_into().map_err(|_| KeyFault::Invalid)?)
        }
        _ => return Err(KeyFault::Unused),
    };
    // A key that says what it is for serves for nothing else.
    let own = match entries.get("alg") {
        None => algorithms.to_vec(),
        Some(Value::String(name)) => {
            let own = name.parse().map_err(|_| KeyFault::Unused)?;
            let mut listed = algorithms.to_vec();
            listed.retain(|algorithm| *algorithm == own);
            listed
        }
        Some(_) => return Err(KeyFault::Invalid),
    };
    Key::public(id(entries)?, &material, &own)
}

/// Whether `use` and `key_ops`, where they are there, allow verifying (RFC 7517, 4.2 and 4.3).
fn is_for_signatures(entries: &Map<String, Value>) -> bool {
    let is_of_use = entries.get("use").is_none_or(|purpose| purpose == "sig");
    let is_operation = entries.get("key_ops").is_none_or(|operations| {
        let operations = operations.as_array();
        operations.is_some_and(|operations| operations.iter().any(|one| one == "verify"))
    });
    is_of_use && is_operation
}

fn id(entries: &Map<String, Value>) -> Result<Option<Arc<str>>, KeyFault> {
    match entries.get("kid") {
        None => Ok(None),
        Some(Value::String(id)) if id.len() <= KEY_ID_BYTES_MAX => Ok(Some(id.as_str().into())),
        Some(_) => Err(KeyFault::Name),
    }
}

/// Some issuers write a leading zero that the standard has not.
fn number(mut bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    bytes
}

fn point(algorithm: Algorithm, size: usize, x: &[u8], y: &[u8]) -> Result<Material, KeyFault> {
    if x.len() != size || y.len() != size {
        return Err(KeyFault::Invalid);
    }
    let point = [&[4_u8][..], x, y].concat();
    Ok(Material::Ec { algorithm, point })
}

/// Reads a public key in PEM (RFC 7468, section 13). It has no name and serves any.
pub(super) fn pem_key(text: &str, algorithms: &[Algorithm]) -> Result<Key, KeyFault> {
    let text = text.trim();
    if text.contains("PRIVATE KEY-----") {
        return Err(KeyFault::Private);
    }
    let inner = text
        .strip_prefix("-----BEGIN PUBLIC KEY-----")
        .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"))
        .ok_or(KeyFault::Form)?;
    let encoded: String = inner.split_ascii_whitespace().collect();
    let der = STANDARD.decode(encoded).map_err(|_| KeyFault::Form)?;
    Key::public(None, &der_material(&der)?, algorithms)
}

/// Finds out what a `SubjectPublicKeyInfo` holds: each kind refuses all others.
fn der_material(der: &[u8]) -> Result<Material, KeyFault> {
    if let Ok(key) = rsa::PublicKey::from_der(der) {
        let components = RsaPublicKeyComponents::<Vec<u8>>::from(&key);
        return Ok(Material::Rsa {
            n: number(components.n),
            e: number(components.e),
        });
    }
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512] {
        if curve(algorithm).is_some_and(|curve| ParsedPublicKey::new(curve, der).is_ok()) {
            let point = der.to_vec();
            return Ok(Material::Ec { algorithm, point });
        }
    }
    // The point is the last part (RFC 8410, section 4).
    match der.last_chunk::<32>() {
        Some(point) if ParsedPublicKey::new(&ED25519, der).is_ok() => Ok(Material::Ed(*point)),
        _ => Err(KeyFault::Invalid),
    }
}
