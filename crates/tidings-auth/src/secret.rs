//! Secrets: bytes that never show in a log and do not stay in memory.

use std::fmt;

use zeroize::Zeroizing;

use crate::limits::{SECRET_BYTES_MAX, SECRET_BYTES_MIN};

/// A secret of this program. Debug output is redacted, and the bytes are wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

/// Why a text is not good enough to sign tokens with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// Short enough to be guessed.
    #[error("the secret has {0} bytes where at least {SECRET_BYTES_MIN} are needed")]
    TooShort(usize),
    /// Not a secret but some other file.
    #[error("the secret has {0} bytes where at most {SECRET_BYTES_MAX} are allowed")]
    TooLong(usize),
}

impl WeakSecret {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooShort(_) => "make one with `openssl rand -hex 32`",
            Self::TooLong(_) => "check that the setting names the secret and not some other file",
        }
    }
}

impl Secret {
    /// Takes bytes as a secret. Whether they are strong enough is for [`Secret::for_signing`].
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one place that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Checks that the secret is long enough to sign tokens.
    pub fn for_signing(&self) -> Result<(), WeakSecret> {
        match self.0.len() {
            length if length < SECRET_BYTES_MIN => Err(WeakSecret::TooShort(length)),
            length if length > SECRET_BYTES_MAX => Err(WeakSecret::TooLong(length)),
            _ => Ok(()),
        }
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes().to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a12_a_secret_does_not_show() {
        let shown = format!("{:?}", Secret::from("CANARY-CANARY-CANARY-CANARY-CANARY"));
        assert_eq!(shown, "Secret([redacted])");
    }

    #[test]
    fn a26_a_weak_secret_is_refused_with_a_hint() {
        let of = |length: usize| Secret::new(vec![b'x'; length]).for_signing();
        assert_eq!(
            of(SECRET_BYTES_MIN - 1),
            Err(WeakSecret::TooShort(SECRET_BYTES_MIN - 1))
        );
        assert_eq!(of(SECRET_BYTES_MIN), Ok(()));
        assert_eq!(of(SECRET_BYTES_MAX), Ok(()));
        let long = of(SECRET_BYTES_MAX + 1).expect_err("too long");
        assert_ne!(WeakSecret::TooShort(0).hint(), long.hint());
    }
}
