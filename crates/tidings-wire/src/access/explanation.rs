//! Explanations as JSON.

use tidings_core::audience::Role;
use tidings_core::explanation::{Decision, Described, Explanation, RuleSaid, Said};

use super::answer::push_revocation;
use crate::json::Object;

/// Appends an explanation.
pub fn push_explanation(explanation: &Explanation, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    push_list(
        object.key("providers"),
        &explanation.providers,
        |said, out| {
            let mut provider = Object::open(out);
            provider.string("provider", said.provider);
            match &said.said {
                Said::Nothing => provider.string("said", "nothing"),
                Said::Accepted => provider.string("said", "accepted"),
                Said::NotAsked => provider.string("said", "not_asked"),
                Said::Refused(failure) => provider
                    .string("said", "refused")
                    .string("why", &failure.to_string()),
            };
            provider.close();
        },
    );
    match &explanation.identity {
        Some(identity) => push_identity(identity, object.key("identity")),
        None => object.key("identity").extend_from_slice(b"null"),
    }
    if let Some(revocation) = &explanation.revocation {
        push_revocation(revocation, object.key("revocation"));
    }
    push_list(object.key("rules"), &explanation.rules, push_rule);
    for (name, decision) in [
        ("subscribe", &explanation.subscribe),
        ("publish", &explanation.publish),
    ] {
        if let Some(decision) = decision {
            push_decision(decision, object.key(name));
        }
    }
    object.close();
}

fn push_identity(identity: &Described, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    if let Some(subject) = &identity.subject {
        object.string("subject", subject.as_str());
    } else {
        object.key("subject").extend_from_slice(b"null");
    }
    object
        .strings("roles", identity.roles.iter().map(Role::as_str))
        .string("method", identity.method);
    if let Some(issuer) = &identity.issuer {
        object.string("issuer", issuer);
    }
    if let Some(credential) = &identity.credential {
        object.string("credential", &credential.to_string());
    }
    object
        .number_or_null("expiresAt", identity.expires_at.map(|at| at.0))
        .strings("subscribe", identity.subscribe.iter().map(String::as_str))
        .strings("publish", identity.publish.iter().map(String::as_str))
        .boolean("administer", identity.administer);
    object.close();
}

fn push_rule(rule: &RuleSaid, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .number("rule", rule.number as u64)
        .boolean("applies", rule.why_not.is_none());
    if let Some(why_not) = &rule.why_not {
        object.string("why", why_not);
    }
    object.strings("granted", rule.granted.iter().map(String::as_str));
    if !rule.left_out.is_empty() {
        push_list(object.key("leftOut"), &rule.left_out, |(what, why), out| {
            let mut entry = Object::open(out);
            entry.string("what", what).string("why", why);
            entry.close();
        });
    }
    object.close();
}

fn push_decision(decision: &Decision, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .boolean("allowed", decision.is_allowed)
        .string("because", &decision.because);
    object.close();
}

fn push_list<T>(out: &mut Vec<u8>, entries: &[T], push: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push(entry, out);
    }
    out.push(b']');
}
