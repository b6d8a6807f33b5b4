//! Policies for session cookies: which cannot work (A26), and which cookies one stands for.

use std::time::Duration;

use tidings_auth::issuer::StreamLife;
use tidings_auth::limits::{SESSION_NAMES_MAX, SESSION_SECRETS_MAX, STREAM_SESSION_SECONDS_MAX};
use tidings_auth::secret::Secret;
use tidings_auth::session::{Policy, SessionCookie, SetupError};

use crate::fixtures::valid;
use crate::session::{THEN, ask, policy, provider};

#[test]
fn a26_a_policy_that_cannot_work_is_refused() {
    let refused = |change: fn(&mut Policy)| {
        let mut policy = policy();
        change(&mut policy);
        SessionCookie::new(policy).expect_err("a bad policy")
    };
    let too_long = refused(|p| {
        p.stream_life = StreamLife::Session(Duration::from_secs(STREAM_SESSION_SECONDS_MAX + 1));
    });
    assert!(matches!(too_long, SetupError::Session(_)), "{too_long}");
    assert_eq!(refused(|p| p.secrets.clear()), SetupError::Secrets(0));
    let many = refused(|p| p.secrets = vec![p.secrets[0].clone(); SESSION_SECRETS_MAX + 1]);
    assert_eq!(many, SetupError::Secrets(SESSION_SECRETS_MAX + 1));
    let weak = refused(|p| p.secrets.push(Secret::from("short")));
    assert!(matches!(weak, SetupError::Secret(_)), "{weak}");
    assert_eq!(
        refused(|p| p.cookie_names.clear()),
        SetupError::CookieNames(0)
    );
    let many = refused(|p| p.cookie_names = vec!["a".to_owned(); SESSION_NAMES_MAX + 1]);
    assert_eq!(many, SetupError::CookieNames(SESSION_NAMES_MAX + 1));
    for name in ["", "a b", "a;b", "a=b", "ä"] {
        let policy = Policy {
            cookie_names: vec![name.to_owned()],
            ..policy()
        };
        let error = SessionCookie::new(policy).expect_err(name);
        assert_eq!(error, SetupError::CookieName(name.to_owned()));
    }
}

#[test]
fn a_name_with_a_prefix_stands_for_itself_alone() {
    let only = provider(Policy {
        cookie_names: vec!["__Secure-authjs.session-token".to_owned()],
        ..policy()
    });
    let plain = valid("Auth.js 5, ");
    assert_eq!(ask(&only, &plain.cookies(), THEN), Ok(None));
    let prefixed = valid("Auth.js 5, __Secure-");
    assert!(
        ask(&only, &prefixed.cookies(), THEN)
            .expect("good")
            .is_some()
    );
}
