//! Explanations for people.

use std::fmt::Write as _;

use tidings_core::audience::{Key, Role};
use tidings_core::explanation::{Decision, Described, Explanation, Said};

/// Width of the first column.
const WIDTH: usize = 14;

/// All that was found out, a line for each thing.
pub(super) fn text(explanation: &Explanation, asked: Option<&Key>) -> String {
    let mut text = String::new();
    let mut line = |first: &str, rest: &str| {
        // Writing to a string cannot fail.
        let _infallible = writeln!(text, "{first:WIDTH$}  {rest}");
    };
    for said in &explanation.providers {
        let what = match &said.said {
            Said::Nothing => "nothing of this kind".to_owned(),
            Said::Accepted => "accepted".to_owned(),
            Said::NotAsked => "not asked".to_owned(),
            Said::Refused(failure) => format!("refused: {failure}"),
        };
        line(said.provider, &what);
    }
    if let Some(identity) = &explanation.identity {
        who(identity, &mut line);
    }
    if let Some(revocation) = &explanation.revocation {
        line("revoked", &revocation.what.to_string());
    }
    for rule in &explanation.rules {
        let first = format!("rule {}", rule.number);
        match &rule.why_not {
            Some(why) => line(&first, &format!("does not apply: {why}")),
            None if rule.granted.is_empty() => line(&first, "applies, and grants nothing"),
            None => line(&first, &format!("applies: {}", rule.granted.join(", "))),
        }
        for (what, why) in &rule.left_out {
            line("", &format!("left out `{what}`: {why}"));
        }
    }
    if let Some(key) = asked {
        for (verb, decision) in [
            ("subscribe", &explanation.subscribe),
            ("publish", &explanation.publish),
        ] {
            if let Some(Decision {
                is_allowed,
                because,
            }) = decision
            {
                let word = if *is_allowed { "allowed" } else { "refused" };
                line(verb, &format!("`{key}` is {word}: {because}"));
            }
        }
    }
    text
}

fn who(identity: &Described, line: &mut impl FnMut(&str, &str)) {
    let subject = identity.subject.as_ref();
    line(
        "subject",
        subject.map_or("nobody", |subject| subject.as_str()),
    );
    let roles: Vec<&str> = identity.roles.iter().map(Role::as_str).collect();
    if !roles.is_empty() {
        line("roles", &roles.join(", "));
    }
    if let Some(issuer) = &identity.issuer {
        line("issuer", issuer);
    }
    if let Some(credential) = &identity.credential {
        line("credential", &credential.to_string());
    }
    if let Some(at) = identity.expires_at {
        line("ends at", &format!("{at} (Unix ms)"));
    }
    for (verb, granted) in [
        ("may read", &identity.subscribe),
        ("may publish", &identity.publish),
    ] {
        if !granted.is_empty() {
            line(verb, &granted.join(", "));
        }
    }
    if identity.administer {
        line("may", "administer");
    }
}
