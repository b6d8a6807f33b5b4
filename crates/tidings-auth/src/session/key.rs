//! Keys of encrypted tokens: how they come from a secret, and what they open.
//!
//! The tag is verified, in constant time, before anything is decrypted: whoever changes a token
//! learns nothing from how it is refused (Vaudenay's padding oracle).

use aes::Aes256;
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::sealed::{Encryption, Sealed};

/// Bytes of an `A256CBC-HS512` key: half of it authenticates, half of it encrypts (RFC 7518,
/// section 5.2.5).
const CBC_KEY_BYTES: usize = 64;

/// Bytes of each of those halves, of the tag, and of an `A256GCM` key.
const HALF_BYTES: usize = 32;

/// Bytes of the vector of `A256GCM` (RFC 7518, section 5.3).
const GCM_VECTOR_BYTES: usize = 12;

/// Bytes of the tag of `A256GCM`.
const GCM_TAG_BYTES: usize = 16;

/// A key for one encryption, wiped when dropped.
pub(super) struct Key {
    bytes: KeyBytes,
    thumbprint: String,
}

enum KeyBytes {
    CbcHmac(Zeroizing<[u8; CBC_KEY_BYTES]>),
    Gcm(Zeroizing<[u8; HALF_BYTES]>),
}

impl Key {
    /// The key by which `NextAuth` 4 encrypts sessions, whatever their cookie is called.
    pub(super) fn of_next_auth(secret: &[u8]) -> Self {
        let info = "NextAuth.js Generated Encryption Key";
        Self::new(KeyBytes::Gcm(derive(secret, "", info)))
    }

    /// The key by which Auth.js encrypts a cookie of this name.
    pub(super) fn of_auth_js(secret: &[u8], cookie: &str, encryption: Encryption) -> Self {
        let info = format!("Auth.js Generated Encryption Key ({cookie})");
        Self::new(match encryption {
            Encryption::CbcHmac => KeyBytes::CbcHmac(derive(secret, cookie, &info)),
            Encryption::Gcm => KeyBytes::Gcm(derive(secret, cookie, &info)),
        })
    }

    fn new(bytes: KeyBytes) -> Self {
        let thumbprint = match &bytes {
            KeyBytes::CbcHmac(key) => thumbprint::<Sha512>(key.as_slice()),
            KeyBytes::Gcm(key) => thumbprint::<Sha256>(key.as_slice()),
        };
        Self { bytes, thumbprint }
    }

    /// What it is for.
    pub(super) fn encryption(&self) -> Encryption {
        match self.bytes {
            KeyBytes::CbcHmac(_) => Encryption::CbcHmac,
            KeyBytes::Gcm(_) => Encryption::Gcm,
        }
    }

    /// Its public name (RFC 7638), as Auth.js writes it into `kid`.
    pub(super) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The content of a token, if this key has made its tag.
    pub(super) fn open(&self, sealed: &Sealed<'_>) -> Option<Zeroizing<Vec<u8>>> {
        match &self.bytes {
            KeyBytes::CbcHmac(key) => open_cbc(key, sealed),
            KeyBytes::Gcm(key) => open_gcm(key, sealed),
        }
    }
}

fn derive<const N: usize>(secret: &[u8], salt: &str, info: &str) -> Zeroizing<[u8; N]> {
    let mut key = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(Some(salt.as_bytes()), secret)
        .expand(info.as_bytes(), key.as_mut_slice())
        .expect("HKDF-SHA-256 expands to up to 8,160 bytes");
    key
}

fn thumbprint<D: Digest>(key: &[u8]) -> String {
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(key));
    let whole = Zeroizing::new(format!(r#"{{"k":"{}","kty":"oct"}}"#, *text));
    URL_SAFE_NO_PAD.encode(D::digest(whole.as_bytes()))
}

fn open_cbc(key: &[u8; CBC_KEY_BYTES], sealed: &Sealed<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let (mac_key, content_key) = key.split_at(HALF_BYTES);
    let bits = sealed.associated.len() as u64 * 8;
    let mut mac = Hmac::<Sha512>::new_from_slice(mac_key).expect("HMAC takes keys of any length");
    mac.update(sealed.associated.as_bytes());
    mac.update(&sealed.vector);
    mac.update(&sealed.content);
    mac.update(&bits.to_be_bytes());
    let expected = mac.finalize().into_bytes();
    // A tag of another length never equals it.
    if !bool::from(expected[..HALF_BYTES].ct_eq(&sealed.tag)) {
        return None;
    }
    let cipher = cbc::Decryptor::<Aes256>::new_from_slices(content_key, &sealed.vector).ok()?;
    cipher
        .decrypt_padded_vec::<Pkcs7>(&sealed.content)
        .ok()
        .map(Zeroizing::new)
}

fn open_gcm(key: &[u8; HALF_BYTES], sealed: &Sealed<'_>) -> Option<Zeroizing<Vec<u8>>> {
    // Parts of a wrong length are tried as zeros, so that refusing them takes the same work.
    let vector = <[u8; GCM_VECTOR_BYTES]>::try_from(sealed.vector.as_slice());
    let tag = <[u8; GCM_TAG_BYTES]>::try_from(sealed.tag.as_slice());
    let is_whole = vector.is_ok() && tag.is_ok();
    let vector = Nonce::from(vector.unwrap_or_default());
    let tag = Tag::from(tag.unwrap_or_default());
    let mut content = Zeroizing::new(sealed.content.clone());
    // It verifies the tag over the encrypted bytes, and decrypts them only then.
    Aes256Gcm::new(key.into())
        .decrypt_inout_detached(
            &vector,
            sealed.associated.as_bytes(),
            content.as_mut_slice().into(),
            &tag,
        )
        .ok()?;
    is_whole.then_some(content)
}

#[cfg(test)]
mod tests;
