//! The text of an API key.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What every key begins with, so that a scanner finds it and a provider knows it for its own.
pub(super) const PREFIX: &str = "tdk_";

const ID_CHARACTERS: usize = 12;

/// 62^43 is just more than 2^256.
const SECRET_CHARACTERS: usize = 43;

const SUM_CHARACTERS: usize = 6;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SecretHash(pub(super) [u8; 32]);

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAKey {
    #[error("it does not have the form of an API key")]
    Form,
    #[error("its check sum does not fit: a character is missing or mistyped")]
    Sum,
}

/// The parts of a key's text whose check sum fits.
pub(super) struct KeyText<'a> {
    pub(super) id: &'a str,
    pub(super) hash: SecretHash,
}

impl<'a> KeyText<'a> {
    /// Takes the parts of a text.
    pub(super) fn parse(text: &'a str) -> Result<Self, NotAKey> {
        let rest = text.strip_prefix(PREFIX).ok_or(NotAKey::Form)?;
        let (id, rest) = rest.split_once('_').ok_or(NotAKey::Form)?;
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let has_form = id.len() == ID_CHARACTERS
            && rest.len() == SECRET_CHARACTERS + SUM_CHARACTERS
            && is_digits(id)
            && is_digits(rest);
        if !has_form {
            return Err(NotAKey::Form);
        }
        let (secret, sum) = rest.split_at(SECRET_CHARACTERS);
        // Whoever sent the text can compute its sum, so how long this takes tells nobody anything.
        if *check_sum(id, secret) != sum {
            return Err(NotAKey::Sum);
        }
        let hash = SecretHash::of(secret);
        Ok(Self { id, hash })
    }
}

impl SecretHash {
    fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash([redacted])")
    }
}

/// A text that nobody has seen, with its id and what is kept of its secret.
pub(super) struct FreshText {
    pub(super) text: Zeroizing<String>,
    pub(super) id: String,
    pub(super) hash: SecretHash,
}

impl FreshText {
    /// Makes one of the system's randomness.
    pub(super) fn make() -> Result<Self, getrandom::Error> {
        let id = random_digits(ID_CHARACTERS)?;
        let secret = random_digits(SECRET_CHARACTERS)?;
        let sum = check_sum(&id, &secret);
        let text = format!("{PREFIX}{}_{}{}", *id, *secret, *sum);
        Ok(Self {
            text: Zeroizing::new(text),
            hash: SecretHash::of(&secret),
            id: id.to_string(),
        })
    }
}

/// Random digits, each as likely as any other: bytes that would favour some are thrown away.
fn random_digits(count: usize) -> Result<Zeroizing<String>, getrandom::Error> {
    let usable = 256 / DIGITS.len() * DIGITS.len();
    let mut digits = Zeroizing::new(String::with_capacity(count));
    let mut random = Zeroizing::new([0_u8; 64]);
    while digits.len() < count {
        getrandom::fill(&mut *random)?;
        let bytes = random.iter().map(|byte| usize::from(*byte));
        let fair = bytes.filter(|byte| *byte < usable);
        let wanted = count - digits.len();
        digits.extend(
            fair.take(wanted)
                .map(|byte| char::from(DIGITS[byte % DIGITS.len()])),
        );
    }
    Ok(digits)
}

/// The check sum of a key: the first eight bytes of the SHA-256 of all before it, as six digits.
fn check_sum(id: &str, secret: &str) -> Zeroizing<String> {
    let mut digest = Sha256::new();
    for part in [PREFIX, id, "_", secret] {
        digest.update(part.as_bytes());
    }
    let digest: [u8; 32] = digest.finalize().into();
    let first = digest.iter().take(8);
    let mut number = first.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut digits = Zeroizing::new(String::with_capacity(SUM_CHARACTERS));
    for _ in 0..SUM_CHARACTERS {
        digits.push(char::from(DIGITS[(number % 62) as usize]));
        number /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_is_read_back_and_no_typo_of_it_is() {
        let made = FreshText::make().expect("randomness");
        let read = KeyText::parse(&made.text).expect("a key");
        assert_eq!((read.id, read.hash), (made.id.as_str(), made.hash));
        assert_eq!(made.text.len(), 66);
        for at in PREFIX.len()..made.text.len() {
            let mut typo = made.text.as_bytes().to_vec();
            typo[at] = if typo[at] == b'x' { b'y' } else { b'x' };
            let typo = String::from_utf8(typo).expect("ASCII");
            KeyText::parse(&typo).map(|_| ()).expect_err("a typo");
            let missing = format!("{}{}", &made.text[..at], &made.text[at + 1..]);
            KeyText::parse(&missing).map(|_| ()).expect_err("too short");
        }
        for other in ["", "tdk_", "tdk__", "tdk_a_b", "xyz", &"é".repeat(33)] {
            assert_eq!(KeyText::parse(other).err(), Some(NotAKey::Form), "{other}");
        }
    }

    #[test]
    fn the_check_sum_is_as_published() {
        let (id, secret) = ("0".repeat(12), "0".repeat(43));
        assert_eq!(*check_sum(&id, &secret), "n9hPH7");
    }

    #[test]
    fn all_digits_are_as_likely() {
        let digits = random_digits(62 * 400).expect("randomness");
        for digit in DIGITS {
            let count = digits.bytes().filter(|byte| byte == digit).count();
            // Ten standard deviations around 400.
            assert!((200..600).contains(&count), "{count}");
        }
    }
}
