//! Policies for asking the application that cannot work, or would not be safe (A26).

use std::sync::Arc;
use std::time::Duration;

use tidings_auth::application::{Application, Policy, SetupError};
use tidings_auth::limits::{
    ANSWER_KEPT_MS_MAX, ANSWER_LIFE_MS_MAX, ASK_FAILURES_MAX, ASK_MS_MAX, ASK_PAUSE_MS_MAX,
    ASKING_MAX, FORWARDED_NAMES_MAX,
};

use crate::application::asking;
use crate::web::{HandClock, PlainFetch};

#[test]
fn a26_a_policy_that_cannot_work_or_is_not_safe_is_refused() {
    fn refused(change: impl FnOnce(&mut Policy)) -> SetupError {
        let mut policy = asking("https://app.example.com/api/auth/session");
        policy.cookies = vec!["session".to_owned()];
        change(&mut policy);
        let clock = Arc::new(HandClock::default());
        Application::new(policy, Arc::new(PlainFetch), clock).expect_err("refused")
    }
    assert_eq!(refused(|p| p.cookies.clear()), SetupError::Names(0));
    let many = refused(|p| p.headers = vec!["x-a".to_owned(); FORWARDED_NAMES_MAX]);
    assert_eq!(many, SetupError::Names(FORWARDED_NAMES_MAX + 1));
    for header in [
        "host",
        "cookie",
        "x-forwarded-for",
        "content-length",
        "Authorization",
        "a b",
    ] {
        let error = refused(|p| p.headers = vec![header.to_owned()]);
        assert_eq!(error, SetupError::Forwarded(header.to_owned()));
    }
    let bad = refused(|p| p.cookies.push("a;b".to_owned()));
    assert_eq!(bad, SetupError::Forwarded("a;b".to_owned()));
    for change in [
        (|p: &mut Policy| p.kept = Duration::ZERO) as fn(&mut Policy),
        |p| p.kept = Duration::from_millis(ANSWER_KEPT_MS_MAX + 1),
        |p| p.timeout = Duration::from_millis(ASK_MS_MAX + 1),
        |p| p.life = Duration::from_millis(ANSWER_LIFE_MS_MAX + 1),
        |p| p.patience.pause_ms = ASK_PAUSE_MS_MAX + 1,
    ] {
        assert!(matches!(refused(change), SetupError::Time { .. }));
    }
    for change in [
        (|p: &mut Policy| p.asking = ASKING_MAX + 1) as fn(&mut Policy),
        |p| p.asking = 0,
        |p| p.patience.failures = 0,
        |p| p.patience.failures = ASK_FAILURES_MAX + 1,
    ] {
        assert!(matches!(refused(change), SetupError::Number { .. }));
    }
}

#[test]
fn a_policy_at_all_of_its_limits_is_taken() {
    let mut policy = asking("https://app.example.com/api/auth/session");
    policy.headers = (0..FORWARDED_NAMES_MAX).map(|n| format!("x-{n}")).collect();
    policy.kept = Duration::from_millis(ANSWER_KEPT_MS_MAX);
    policy.timeout = Duration::from_millis(ASK_MS_MAX);
    policy.life = Duration::from_millis(ANSWER_LIFE_MS_MAX);
    policy.patience.pause_ms = ASK_PAUSE_MS_MAX;
    policy.patience.failures = ASK_FAILURES_MAX;
    policy.asking = ASKING_MAX;
    policy.check_setup().expect("fits");
}
