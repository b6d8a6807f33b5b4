//! What these routes answer.

use tidings_core::pattern::Pattern;
use tidings_core::position::Position;
use tidings_core::revocation::Revocation;
use tidings_core::time::{Rfc3339, Timestamp};

use crate::json::Object;

/// A ticket or a token that was handed out. Its debug output shows no secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Issued<'a> {
    /// What it is.
    pub kind: IssuedKind,
    /// In which words its owner expects it.
    pub form: IssuedForm,
    /// The secret itself.
    pub text: &'a str,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuedKind {
    /// Something that opens one stream.
    Ticket,
    /// Something that opens streams until it ends.
    Token,
}

/// The fields of an answer with a ticket or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuedForm {
    /// The field of a ticket.
    pub ticket: &'static str,
    /// The field of a token.
    pub token: &'static str,
    /// The field of its end.
    pub expires_at: &'static str,
    /// Whether the end is a text, like `2026-11-21T12:00:00.000Z`; else it is a number, in Unix
    /// milliseconds.
    pub is_text: bool,
}

impl IssuedForm {
    /// The hub's own words.
    pub const NATIVE: Self = Self {
        ticket: "ticket",
        token: "token",
        expires_at: "expiresAt",
        is_text: false,
    };
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

/// Appends `{"ticket": "...", "expiresAt": ...}`, in the words of its form.
pub fn push_issued(issued: &Issued<'_>, out: &mut Vec<u8>) {
    let (form, end) = (issued.form, issued.expires_at);
    let mut object = Object::open(out);
    object.string(
        match issued.kind {
            IssuedKind::Ticket => form.ticket,
            IssuedKind::Token => form.token,
        },
        issued.text,
    );
    if form.is_text {
        object.string(form.expires_at, &Rfc3339(end).to_string());
    } else {
        object.number(form.expires_at, end.0);
    }
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
            .field("kind", &self.kind)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
