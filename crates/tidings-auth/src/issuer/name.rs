//! The name of an issuer in the settings.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use tidings_core::audience::Subject;
use tidings_core::port::AuthFailure;

use crate::claims::path::ClaimPath;
use crate::claims::refuse;
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

    /// A subject of this issuer as the hub knows it, so that nobody is taken for somebody of another
    /// issuer: under the issuer's name if it is `qualified`, and otherwise only if it does not begin
    /// like one that stands under the name of one of the `others`.
    pub(crate) fn subject(
        &self,
        subject: Subject,
        claim: &ClaimPath,
        qualified: bool,
        others: &[Self],
    ) -> Result<Subject, AuthFailure> {
        if qualified {
            return Subject::parse(&format!("{self}:{subject}")).map_err(|fault| {
                refuse(&claim.to_string(), format!("cannot be qualified: {fault}"))
            });
        }
        let under = subject.as_str().split_once(':');
        let is_of_another =
            under.is_some_and(|(name, _)| others.iter().any(|other| other.as_str() == name));
        if is_of_another {
            let problem = "begins like a subject of another issuer";
            return Err(refuse(&claim.to_string(), problem));
        }
        Ok(subject)
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

    #[test]
    fn a5_nobody_is_taken_for_somebody_of_another_issuer() {
        let of = |text: &str| text.parse::<IssuerName>().expect(text);
        let others = [of("keys"), of("clerk")];
        let named = |subject: &str, qualified| {
            let subject = Subject::parse(subject).expect(subject);
            let claim = ClaimPath::top("sub");
            let named = of("portal").subject(subject, &claim, qualified, &others);
            named.ok().map(|subject| subject.to_string())
        };
        assert_eq!(named("clerk:u1", true), Some("portal:clerk:u1".to_owned()));
        assert_eq!(named("clerk:u1", false), None);
        assert_eq!(named("keys:", false), None);
        for good in ["u1", "portal:u1", "clerkish:u1", "clerk", "u1:clerk:"] {
            assert_eq!(named(good, false), Some(good.to_owned()), "{good}");
        }
        assert_eq!(named(&"u".repeat(256), true), None, "it would be too long");
    }
}
