//! What these routes answer.

use tidings_core::pattern::Pattern;
use tidings_core::position::Position;
use tidings_core::revocation::Revocation;
use tidings_core::time::Timestamp;

use crate::json::Object;

/// A ticket or a token that was handed out. Its debug output shows no secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Issued<'a> {
    /// The name of the field: `ticket` or `token`.
    pub name: &'static str,
    /// The secret itself.
    pub text: &'a str,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A connection whose credential was renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewedCredential {
    /// From here on the connection reads by its new credential.
    pub cursor: Position,
    /// When that one ends.
    pub expires_at: Option<Timestamp>,
    /// What it reads, if that is less than it asked for.
    pub narrowed: Option<Vec<Pattern>>,
}

/// Appends `{"ticket": "...", "expiresAt": ...}`.
pub fn push_issued(issued: &Issued<'_>, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .string(issued.name, issued.text)
        .number("expiresAt", issued.expires_at.0);
    object.close();
}

/// Appends `{"cursor", "expiresAt", "topics"}`, the last only if it is narrowed.
pub fn push_renewed(renewed: &RenewedCredential, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .cursor("cursor", Some(renewed.cursor))
        .number_or_null("expiresAt", renewed.expires_at.map(|at| at.0));
    if let Some(patterns) = &renewed.narrowed {
        object.strings("topics", patterns.iter().map(Pattern::as_str));
    }
    object.close();
}

/// Appends `{"revoked", "at", "until", "issuedBefore"}`, the last only if it is set.
pub fn push_revocation(revocation: &Revocation, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .string("revoked", &revocation.what.to_string())
        .number("at", revocation.at.0)
        .number("until", revocation.until.0);
    if let Some(before) = revocation.issued_before {
        object.number("issuedBefore", before.0);
    }
    object.close();
}

/// Appends `{"revocations": [...]}`: subjects, tokens and keys, each in the order of their names.
pub fn push_revocations<'a>(
    revocations: impl IntoIterator<Item = &'a Revocation>,
    out: &mut Vec<u8>,
) {
    let mut sorted: Vec<&Revocation> = revocations.into_iter().collect();
    sorted.sort_by(|one, other| one.what.cmp(&other.what));
    let mut object = Object::open(out);
    let list = object.key("revocations");
    list.push(b'[');
    for (index, revocation) in sorted.into_iter().enumerate() {
        if index > 0 {
            list.push(b',');
        }
        push_revocation(revocation, list);
    }
    list.push(b']');
    object.close();
}

impl std::fmt::Debug for Issued<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued")
            .field("name", &self.name)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
