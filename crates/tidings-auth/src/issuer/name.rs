//! The name of an issuer in the settings.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::ISSUER_NAME_BYTES_MAX;

/// A name such as `clerk`: small letters, digits and hyphens. It stands before the colon of a
/// qualified subject and in the names of revoked tokens, so it has none itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerName(Arc<str>);

/// The text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerNameFault {
    /// Other characters, or too many.
    #[error("it is not 1 to {ISSUER_NAME_BYTES_MAX} small letters, digits and hyphens")]
    Form,
    /// The hub's own.
    #[error("`{hub}` is the name of the hub's own tokens", hub = IssuerName::HUB)]
    Reserved,
}

impl IssuerName {
    /// What stands in place of an issuer's name in the names of the hub's own tokens.
    pub const HUB: &'static str = "hub";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl FromStr for IssuerName {
    type Err = IssuerNameFault;

    fn from_str(text: &str) -> Result<Self, IssuerNameFault> {
        let is_allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if text.is_empty() || text.len() > ISSUER_NAME_BYTES_MAX || !text.bytes().all(is_allowed) {
            return Err(IssuerNameFault::Form);
        }
        if text == Self::HUB {
            return Err(IssuerNameFault::Reserved);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a17_a_name_cannot_be_mistaken_for_more_than_a_name() {
        let long = "a".repeat(ISSUER_NAME_BYTES_MAX);
        for good in ["clerk", "a-1", long.as_str()] {
            assert_eq!(good.parse::<IssuerName>().expect(good).as_str(), good);
        }
        for bad in ["", "Clerk", "a:b", "a_b", "a b", "é", &format!("{long}a")] {
            assert_eq!(
                bad.parse::<IssuerName>(),
                Err(IssuerNameFault::Form),
                "{bad}"
            );
        }
        assert_eq!("hub".parse::<IssuerName>(), Err(IssuerNameFault::Reserved));
    }
}
