//! Times of tokens (A6): typed strictly, compared with the time that the request brings.

use serde_json::json;
use tidings_auth::limits::CLAIM_SECONDS_MAX;
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use crate::forge::{NOW, good, provider, verify, with_claim, with_claims_text};

#[test]
fn a6_times_of_a_wrong_type_are_refused_and_never_count_as_absent() {
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            json!("1750003600"),
            json!(""),
            json!(null),
            json!(true),
            json!([NOW]),
            json!({}),
            json!(-1),
            json!(-0.5),
            json!(9_223_372_036_854_775_808_u64),
            json!(u64::MAX),
            json!(1e300),
            json!(NOW * 1_000_000),
        ] {
            let failure = verify(&with_claim(claim, Some(value.clone()))).expect_err(claim);
            match &failure {
                AuthFailure::Claim { claim: named, .. } => assert_eq!(named, claim, "{value}"),
                // The library itself refuses some shapes, without naming the claim.
                AuthFailure::Malformed(_) => assert!(value.is_array() || value.is_object()),
                other => panic!("{claim} {value}: {other}"),
            }
        }
    }
    let missing = verify(&with_claim("exp", None)).expect_err("exp is required");
    assert_eq!(missing.to_string(), "the claim `exp` is missing");
    for text in [r#"{"sub":"u1","exp":NaN}"#, r#"{"sub":"u1","exp":1e999}"#] {
        verify(&with_claims_text(text)).expect_err(text);
    }
}

#[test]
fn a6_the_last_time_is_the_end_of_the_year_9999() {
    let expiring = |value| verify(&with_claim("exp", Some(value)));
    for last in [json!(CLAIM_SECONDS_MAX), json!(CLAIM_SECONDS_MAX as f64)] {
        let identity = expiring(last).expect("a time");
        let last = Timestamp(CLAIM_SECONDS_MAX * 1_000);
        assert_eq!(identity.expires_at, Some(last));
    }
    let beyond = CLAIM_SECONDS_MAX + 1;
    for beyond in [json!(beyond), json!(beyond as f64)] {
        let refused = expiring(beyond).expect_err("no time").to_string();
        assert!(
            refused.contains("counts seconds, not milliseconds"),
            "{refused}"
        );
    }
}

#[test]
fn a6_fractions_of_seconds_are_times() {
    let later = NOW as f64 + 3_600.5;
    let identity = verify(&with_claim("exp", Some(json!(later)))).expect("a fraction passes");
    assert_eq!(identity.expires_at, Some(Timestamp((NOW + 3_600) * 1_000)));
}

#[test]
fn a6_a_token_ends_at_the_leeway_to_the_millisecond() {
    for leeway in [0, 5, 60] {
        let token = with_claim("exp", Some(json!(NOW)));
        let end = (NOW + leeway) * 1_000;
        let at = |time: u64| provider(leeway).verify(&token, Timestamp(time));
        at(end - 1_000).expect("a second before");
        at(end - 1).expect("a millisecond before");
        assert_eq!(at(end), Err(AuthFailure::Expired));
        assert_eq!(at(end + 1_000), Err(AuthFailure::Expired));
    }
}

#[test]
fn a6_a_token_begins_at_the_leeway_to_the_millisecond() {
    for leeway in [0, 5, 60] {
        let token = with_claim("nbf", Some(json!(NOW)));
        let start = (NOW - leeway) * 1_000;
        let at = |time: u64| provider(leeway).verify(&token, Timestamp(time));
        assert_eq!(at(start - 1_000), Err(AuthFailure::NotYetValid));
        assert_eq!(at(start - 1), Err(AuthFailure::NotYetValid));
        at(start).expect("from here on");
        at(start + 1_000).expect("a second later");
    }
}

#[test]
fn a6_the_time_is_the_requests_and_not_the_machines() {
    let long_ago = with_claim("exp", Some(json!(1_000)));
    provider(0)
        .verify(&long_ago, Timestamp(999_999))
        .expect("valid in 1970");
    assert!(good()["exp"].is_u64());
}

#[test]
fn a26_any_of_several_secrets_counts_while_one_replaces_another() {
    use std::time::Duration;
    use tidings_auth::jwt::{JwtAuthenticator, JwtSetupError};
    use tidings_auth::limits::KEYS_TRIED_MAX;
    use tidings_auth::secret::Secret;

    let of = |secrets: Vec<Secret>| JwtAuthenticator::with_secrets(&secrets, Duration::ZERO);
    let newer = Secret::from("a newer secret of a good length, first");
    let older = Secret::from(crate::forge::SECRET);
    let token = with_claim("exp", Some(json!(NOW)));
    let at = Timestamp(NOW * 1_000 - 1);
    let both = of(vec![newer.clone(), older.clone()]).expect("good secrets");
    both.verify(&token, at).expect("signed with the older one");
    let replaced = of(vec![newer]).expect("a good secret");
    assert_eq!(replaced.verify(&token, at), Err(AuthFailure::NotTrusted));
    of(vec![older.clone(); KEYS_TRIED_MAX]).expect("as many as are tried");
    for count in [0, KEYS_TRIED_MAX + 1] {
        let refused = of(vec![older.clone(); count]).expect_err("none or too many");
        assert_eq!(refused, JwtSetupError::Count(count));
    }
    let weak = of(vec![older, Secret::from("short")]).expect_err("one is weak");
    assert!(matches!(weak, JwtSetupError::Secret(_)));
}

#[test]
fn a6_a_leeway_over_a_minute_is_refused() {
    use std::time::Duration;
    use tidings_auth::jwt::{JwtAuthenticator, JwtSetupError};
    use tidings_auth::secret::Secret;

    let long = Duration::from_secs(61);
    let refused = JwtAuthenticator::new(&Secret::from(crate::forge::SECRET), long);
    assert_eq!(refused.expect_err("too long"), JwtSetupError::Leeway(long));
    let weak = JwtAuthenticator::new(&Secret::from("short"), Duration::ZERO);
    assert!(matches!(weak, Err(JwtSetupError::Secret(_))));
}
