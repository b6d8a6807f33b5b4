//! Rules with placeholders: what a claim fills in stays within its place.

use std::sync::Arc;

use serde_json::{Map, Value};
use tidings_auth::limits::PATTERNS_BY_RULES_MAX;
use tidings_auth::provider::Proven;
use tidings_auth::rules::{Rule, Rules, Template};
use tidings_core::audience::Subject;
use tidings_core::grant::PublishGrant;

use crate::input::lines;

/// Input: a template, the subject, each on a line; then claims as JSON.
pub fn rule_template(data: &[u8]) {
    let Some([text, subject, claims]) = lines(data) else {
        return;
    };
    let Ok(claims) = serde_json::from_str::<Map<String, Value>>(claims) else {
        return;
    };
    let proven = Proven {
        subject: Subject::parse(subject).ok(),
        claims: Arc::new(claims),
        ..Proven::default()
    };
    let mut rule = Rule::default();
    if let Ok(template) = Template::for_reading(text) {
        let again = Template::for_reading(&template.to_string());
        assert_eq!(
            again.as_ref(),
            Ok(&template),
            "a template survives its text"
        );
        rule.subscribe.push(template);
    }
    if let Ok(template) = Template::for_publishing(text) {
        let again = Template::for_publishing(&template.to_string());
        assert_eq!(again.as_ref(), Ok(&template));
        rule.publish.push(template);
    }
    let rules = Rules::new(vec![rule]);
    let grants = rules.grants(&proven);
    let count = grants.subscribe.len() + grants.publish.len();
    assert!(count <= PATTERNS_BY_RULES_MAX);
    let said = rules.explain(&proven);
    let told: usize = said.iter().map(|said| said.granted.len()).sum();
    assert_eq!(told, count, "the explanation says what is granted");
    assert!(
        proven.subject.is_some() || count == 0,
        "nobody is granted nothing"
    );

    let places = with_places(text);
    for pattern in &grants.subscribe {
        assert!(
            fits(&places, pattern.as_str()),
            "`{text}` granted `{pattern}`"
        );
    }
    for grant in &grants.publish {
        let is_topic = matches!(grant, PublishGrant::Topics(_));
        assert_eq!(
            is_topic,
            !text.starts_with('@'),
            "`{text}` granted `{grant}`"
        );
        assert!(
            fits(&places, &grant.to_string()),
            "`{text}` granted `{grant}`"
        );
    }
}

/// What stands for a placeholder: no pattern may hold it.
const PLACE: char = '\u{1}';

fn with_places(template: &str) -> String {
    let mut pieces = template.split('{');
    let mut places = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        places.push(PLACE);
        places.push_str(piece.split_once('}').map_or("", |(_, after)| after));
    }
    places
}

/// Whether a pattern is a template whose places hold something, segment by segment.
fn fits(places: &str, pattern: &str) -> bool {
    let wanted: Vec<&str> = places.split('/').collect();
    let found: Vec<&str> = pattern.split('/').collect();
    wanted.len() == found.len()
        && wanted.iter().zip(found).all(|(wanted, found)| {
            if wanted.contains(PLACE) {
                let parts: Vec<&str> = wanted.split(PLACE).collect();
                // A star in the name of a user is the rule's own, and no wildcard.
                let stars = |text: &str| text.matches('*').count();
                found != "*" && stars(found) == stars(wanted) && holds(&parts, found)
            } else {
                *wanted == found
            }
        })
}

/// Whether a text is these parts with at least one character between any two of them.
fn holds(parts: &[&str], text: &str) -> bool {
    let [first, rest @ ..] = parts else {
        return text.is_empty();
    };
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    if rest.is_empty() {
        return text.is_empty();
    }
    let ends = text
        .char_indices()
        .map(|(at, character)| at + character.len_utf8());
    ends.into_iter().any(|end| holds(rest, &text[end..]))
}
