//! Bodies of the routes by which operators look at a hub and owners change their streams.

use tidings_core::event_type::{TypeFilter, TypeGlob};
use tidings_core::limits::{PATTERNS_PER_CONNECTION_MAX, TYPE_GLOBS_MAX};
use tidings_core::pattern::Pattern;
use tidings_core::subscription::{Subscription, SubscriptionChange};
use tidings_wire::operator::{ChangeFault, change};
use tidings_wire::problem::{Code, Problem};

fn patterns(texts: &[&str]) -> Vec<Pattern> {
    let pattern = |text: &&str| Pattern::parse(text).expect(text);
    texts.iter().map(pattern).collect()
}

fn types(texts: &[&str]) -> TypeFilter {
    let glob = |text: &&str| TypeGlob::parse(text).expect(text);
    TypeFilter::new(texts.iter().map(glob).collect()).expect("a filter")
}

#[test]
fn a_change_says_what_is_different_and_leaves_the_rest() {
    let before = Subscription {
        patterns: patterns(&["a"]),
        audience: true,
        types: types(&["t"]),
    };
    let after = |body: &str| change(body.as_bytes()).expect(body).apply(&before);
    assert_eq!(
        after(r#"{"topics": ["b/*", "c"]}"#),
        Subscription {
            patterns: patterns(&["b/*", "c"]),
            ..before.clone()
        }
    );
    assert_eq!(
        after(r#"{"events": ["x.*"], "audience": "none"}"#),
        Subscription {
            types: types(&["x.*"]),
            audience: false,
            ..before.clone()
        }
    );
    let everything = after(r#"{"topics": [], "events": [], "audience": "own"}"#);
    assert_eq!(everything.patterns, []);
    assert!(everything.types.is_everything() && everything.audience);
    let whole = SubscriptionChange::from(before.clone());
    assert_eq!(whole.apply(&everything), before);
}

#[test]
fn a_change_that_is_wrong_is_told_why_and_what_to_do() {
    let list = |count: usize, one: &str| {
        let items: Vec<String> = (0..count).map(|n| format!("\"{one}{n}\"")).collect();
        items.join(",")
    };
    let topics = list(PATTERNS_PER_CONNECTION_MAX + 1, "a/");
    let events = list(TYPE_GLOBS_MAX + 1, "t");
    for (body, code, said) in [
        ("", Code::InvalidBody, "changes nothing"),
        (
            r#"{"topic": []}"#,
            Code::InvalidBody,
            "did you mean `topics`?",
        ),
        (
            r#"{"topics": null}"#,
            Code::InvalidBody,
            "`topics` is not a list of strings",
        ),
        (
            r#"{"topics": [1]}"#,
            Code::InvalidBody,
            "`topics` is not a list of strings",
        ),
        (
            r#"{"events": {}}"#,
            Code::InvalidBody,
            "`events` is not a list of strings",
        ),
        (
            r#"{"topics": ["a//b"]}"#,
            Code::InvalidPattern,
            "not a pattern",
        ),
        (
            r#"{"events": [""]}"#,
            Code::InvalidType,
            "not an event type",
        ),
        (
            r#"{"audience": "all"}"#,
            Code::InvalidBody,
            "`own` or `none`",
        ),
        (
            &format!(r#"{{"topics": [{topics}]}}"#),
            Code::TooManyPatterns,
            "101 patterns",
        ),
        (
            &format!(r#"{{"events": [{events}]}}"#),
            Code::InvalidBody,
            "at most 64",
        ),
    ] {
        let fault = change(body.as_bytes()).expect_err(body);
        let problem = Problem::from(&fault);
        let text = String::from_utf8(problem.to_bytes()).expect("text");
        assert_eq!(problem.code(), code, "{body}");
        assert!(text.contains(said), "{body}: {text}");
    }
    let fitting = list(PATTERNS_PER_CONNECTION_MAX, "a/");
    assert!(change(format!(r#"{{"topics": [{fitting}]}}"#).as_bytes()).is_ok());
    assert_eq!(change(b"{}"), Err(ChangeFault::Nothing));
}
