//! What credentials of other shapes are brought to, so that [`claims`](crate::claims) reads them, and
//! the names under which providers stand in the settings.

use std::sync::Arc;

use serde_json::Value;
use tidings_core::audience::Subject;
use tidings_core::port::AuthFailure;

use crate::limits::PROVIDER_NAME_BYTES_MAX;

/// Whether a text can be the name of a provider in the settings.
pub(crate) fn is_name(text: &str) -> bool {
    let is_ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=PROVIDER_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_ours)
}

/// Whether a text is a token (RFC 9110, section 5.6.2), as names of cookies and headers are.
pub(crate) fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}

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

/// A provider's subject as the hub knows it: under the provider's name where that is asked for, since
/// the name has no colon and so no two of them meet. A subject that goes without must not be taken
/// for one of another provider.
pub(crate) fn named(
    subject: Subject,
    issuer: &str,
    qualify: bool,
    others: &[Arc<str>],
) -> Result<Subject, AuthFailure> {
    if qualify {
        return Subject::parse(&format!("{issuer}:{subject}"))
            .map_err(|fault| refuse("sub", format!("cannot be qualified: {fault}")));
    }
    let is_others = |name: &Arc<str>| {
        let rest = subject.as_str().strip_prefix(&**name);
        rest.is_some_and(|rest| rest.starts_with(':'))
    };
    if others.iter().any(is_others) {
        return Err(refuse("sub", "begins with the name of another issuer"));
    }
    Ok(subject)
}
