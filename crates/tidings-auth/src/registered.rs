//! Claims of other shapes brought into the shape that [`claims`](crate::claims) reads.

use serde_json::Value;
use tidings_core::audience::Subject;
use tidings_core::port::AuthFailure;

/// A claim is not what it must be.
pub(crate) fn refuse(claim: &str, problem: impl Into<String>) -> AuthFailure {
    AuthFailure::Claim {
        claim: claim.to_owned(),
        problem: problem.into(),
    }
}

/// The roles of several places as one claim. A value of a wrong type stays, so that it is refused.
pub(crate) fn roles<'a>(found: impl Iterator<Item = &'a Value>) -> Value {
    let mut roles = Vec::new();
    for value in found {
        match value {
            Value::Null => {}
            Value::String(words) => {
                roles.extend(words.split_ascii_whitespace().map(Value::from));
            }
            Value::Array(entries) => roles.extend(entries.iter().cloned()),
            wrong => return wrong.clone(),
        }
    }
    Value::Array(roles)
}

/// A subject under the name of who says so: that of an issuer has no colon, so no two of them meet.
pub(crate) fn qualified(issuer: &str, subject: &Subject) -> Result<Subject, AuthFailure> {
    Subject::parse(&format!("{issuer}:{subject}")).map_err(|fault| {
        refuse(
            "sub",
            format!("does not go with its issuer's name: {fault}"),
        )
    })
}
