//! What answers of an application come to, and which are refused.

use serde_json::json;
use tidings_core::limits::{PATTERNS_PER_CLAIM_MAX, ROLES_PER_IDENTITY_MAX};

use super::*;

const NOW: Timestamp = Timestamp(1_750_000_000_000);

fn native(value: &Value) -> Result<Answer, AuthFailure> {
    Answer::read(&Shape::native(), value.to_string().as_bytes(), NOW)
}

fn with(name: &str, value: Value) -> Value {
    let mut answer = json!({"subject": "u1"});
    answer[name] = value;
    answer
}

fn next_auth(value: &Value) -> Result<Answer, AuthFailure> {
    next_auth_with(Some(ClaimPath::top("tidings")), value)
}

fn next_auth_with(grants: Option<ClaimPath>, value: &Value) -> Result<Answer, AuthFailure> {
    let layout = Layout {
        subject: ClaimPath::of(&["user", "id"]),
        roles: vec![ClaimPath::of(&["user", "role"]).into()],
        grants,
    };
    let shape = Shape::session(layout, Some(ClaimPath::top("expires")));
    Answer::read(&shape, value.to_string().as_bytes(), NOW)
}

#[test]
fn an_answer_names_who_with_what() {
    let answer = native(&json!({
        "subject": "u1", "roles": ["ADMIN"], "subscribe": ["project/*"], "publish": ["@user/*"],
        "admin": true, "claims": {"tenant": "t1"}, "expiresAt": 1_750_000_060, "ttl": 3600,
    }))
    .expect("an answer");
    assert_eq!(answer.subject.as_str(), "u1");
    assert_eq!(answer.roles, [Role::parse("ADMIN").expect("a role")]);
    assert_eq!(answer.grants.subscribe.len(), 1);
    assert_eq!(answer.grants.publish.len(), 1);
    assert!(answer.grants.administer);
    assert_eq!(answer.claims["tenant"], "t1");
    assert_eq!(answer.ends, Some(Timestamp(1_750_000_060_000)));
    let least = native(&json!({"subject": "u1"})).expect("an answer");
    assert_eq!((least.ends, least.grants.administer), (None, false));
}

#[test]
fn the_end_comes_in_seconds_milliseconds_and_text_and_the_earlier_counts() {
    let ends = |value: Value| native(&value).expect("an answer").ends.expect("an end").0;
    assert_eq!(
        ends(with("expiresAt", json!(1_750_000_001))),
        1_750_000_001_000
    );
    assert_eq!(
        ends(with("expiresAt", json!(1_750_000_000_001_u64))),
        1_750_000_000_001
    );
    let text = with("expiresAt", json!("2026-12-21T18:00:00.000Z"));
    assert_eq!(ends(text), 1_797_876_000_000);
    assert_eq!(ends(with("ttl", json!(5))), NOW.0 + 5_000);
    let both = json!({"subject": "u1", "ttl": 5, "expiresAt": 1_750_000_009});
    assert_eq!(ends(both), NOW.0 + 5_000);
    for past in [json!(1_750_000_000), json!(NOW.0), json!(1), json!(0)] {
        let refused = native(&with("expiresAt", past)).expect_err("it has ended");
        assert_eq!(refused, AuthFailure::Expired);
    }
}

#[test]
fn nobody_signed_in_is_denied() {
    for nobody in [json!(null), json!({}), json!({"subject": null})] {
        assert_eq!(native(&nobody), Err(AuthFailure::Denied), "{nobody}");
    }
    for nobody in [
        json!(null),
        json!({}),
        json!({"user": null}),
        json!({"user": {}}),
        json!({"user": {"email": "ada@example.com"}, "expires": "2026-12-21T18:00:00.000Z"}),
    ] {
        assert_eq!(next_auth(&nobody), Err(AuthFailure::Denied), "{nobody}");
    }
}

#[test]
fn a6_a_wrong_type_anywhere_refuses_all_of_it() {
    let many_roles = vec!["R"; ROLES_PER_IDENTITY_MAX + 1];
    let many_patterns = vec!["p"; PATTERNS_PER_CLAIM_MAX + 1];
    for (name, values) in [
        (
            "subject",
            vec![json!(1), json!(""), json!(["u1"]), json!("a\nb"), json!({})],
        ),
        (
            "roles",
            vec![
                json!(1),
                json!({}),
                json!([1]),
                json!([null]),
                json!(many_roles),
            ],
        ),
        (
            "subscribe",
            vec![json!("project/*"), json!(null), json!(["a//b"]), json!([1])],
        ),
        (
            "publish",
            vec![json!(null), json!([""]), json!(many_patterns)],
        ),
        ("admin", vec![json!("true"), json!(1), json!(null)]),
        ("claims", vec![json!([]), json!(null), json!("x")]),
        (
            "expiresAt",
            vec![
                json!("soon"),
                json!(null),
                json!(-1),
                json!(1.5),
                json!(u64::MAX),
                json!({}),
            ],
        ),
        (
            "ttl",
            vec![
                json!("60"),
                json!(0),
                json!(-1),
                json!(null),
                json!(u64::MAX),
            ],
        ),
        ("administrator", vec![json!(true)]),
        ("expires", vec![json!("2026-12-21T18:00:00.000Z")]),
    ] {
        for value in values {
            let refused = native(&with(name, value.clone()));
            assert!(
                matches!(refused, Err(AuthFailure::Claim { .. })),
                "{name} {value}: {refused:?}"
            );
        }
    }
    for body in [
        "",
        "<!doctype html>",
        "[]",
        "1",
        "\"u1\"",
        "{\"subject\":",
        "true",
    ] {
        let refused = Answer::read(&Shape::native(), body.as_bytes(), NOW);
        assert!(matches!(refused, Err(AuthFailure::Claim { .. })), "{body}");
    }
}

#[test]
fn the_session_of_next_auth_is_read_where_the_settings_say() {
    let body = json!({
        "user": {"id": "u1", "name": "Ada", "role": "ADMIN"},
        "expires": "2026-12-21T18:00:00.000Z",
    });
    let answer = next_auth(&body).expect("an answer");
    assert_eq!(answer.subject.as_str(), "u1");
    assert_eq!(answer.roles, [Role::parse("ADMIN").expect("a role")]);
    assert_eq!(answer.ends, Some(Timestamp(1_797_876_000_000)));
    assert_eq!(answer.claims["user"]["name"], "Ada");
    assert_eq!(answer.grants, Grants::default());

    let granting = json!({"user": {"id": "u1"}, "tidings": {"subscribe": ["project/*"]}});
    let answer = next_auth(&granting).expect("an answer");
    assert_eq!((answer.grants.subscribe.len(), answer.ends), (1, None));
    let answer = next_auth_with(None, &granting).expect("an answer");
    assert_eq!(
        answer.grants,
        Grants::default(),
        "unless the layout says where"
    );
    for wrong in [
        json!({"user": {"id": 1}}),
        json!({"user": {"id": "u1", "role": {"name": "ADMIN"}}}),
        json!({"user": {"id": "u1"}, "expires": true}),
        json!({"user": {"id": "u1"}, "tidings": {"subscribe": "project/*"}}),
    ] {
        let refused = next_auth(&wrong);
        assert!(matches!(refused, Err(AuthFailure::Claim { .. })), "{wrong}");
    }
}
