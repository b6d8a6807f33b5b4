//! Why a request is who it is, and may do what it may: for whoever has to find out. Never shows a
//! credential or a part of it.

use crate::audience::{Key, Role, Subject};
use crate::credential::CredentialId;
use crate::port::AuthFailure;
use crate::revocation::Revocation;
use crate::time::Timestamp;

/// What is asked about a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// To whom it wants to publish, or which topic it wants to read.
    pub key: Option<Key>,
}

/// All that was found out about a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// What each provider said, in the order in which they were asked.
    pub providers: Vec<ProviderSaid>,
    /// Who it is, if a provider said so.
    pub identity: Option<Described>,
    /// The revocation that concerns it.
    pub revocation: Option<Revocation>,
    /// What each rule of the settings came to, in their order.
    pub rules: Vec<RuleSaid>,
    /// Whether it may read what was asked about, and by what.
    pub subscribe: Option<Decision>,
    /// Whether it may publish there, and by what.
    pub publish: Option<Decision>,
}

/// What one provider said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSaid {
    /// The provider's name.
    pub provider: &'static str,
    /// What.
    pub said: Said,
}

/// What a provider says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It presents nothing of this kind.
    Nothing,
    /// It is accepted.
    Accepted,
    /// It is refused.
    Refused(AuthFailure),
    /// Not asked, because an earlier one has decided.
    NotAsked,
}

/// Who a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Who.
    pub subject: Option<Subject>,
    /// With which roles.
    pub roles: Vec<Role>,
    /// The provider that proved it.
    pub method: &'static str,
    /// The name of its issuer in the settings, if it has one.
    pub issuer: Option<String>,
    /// The name of the credential.
    pub credential: Option<CredentialId>,
    /// When what it opens ends.
    pub expires_at: Option<Timestamp>,
    /// What it may read, as patterns.
    pub subscribe: Vec<String>,
    /// To whom it may publish.
    pub publish: Vec<String>,
    /// Whether it may administer.
    pub administer: bool,
}

/// What one rule came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSaid {
    /// Its place among the rules, from 1.
    pub number: usize,
    /// Why it does not apply; none if it does.
    pub why_not: Option<String>,
    /// What it grants, as `subscribe a/**`.
    pub granted: Vec<String>,
    /// What it would grant, were it not for a claim, and what about the claim.
    pub left_out: Vec<(String, String)>,
}

/// Whether something is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is.
    pub is_allowed: bool,
    /// By what, or why not.
    pub because: String,
}
