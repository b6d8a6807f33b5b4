//! Bodies of the routes that hand out, look at, renew and revoke credentials.
//!
//! A field that is wrong is named; its value is never repeated, because it may be a secret.

mod answer;
mod explanation;
mod request;

pub use answer::{
    Issued, IssuedForm, IssuedKind, RenewedCredential, push_issued, push_renewed, push_revocation,
    push_revocations,
};
pub(crate) use request::{Body, value};

pub use explanation::push_explanation;
pub use request::{
    AskedExplanation, AskedRevocation, AskedTicket, BodyFault, explanation, revocation, ticket,
};
