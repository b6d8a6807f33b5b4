//! Claims other than times: who, which roles, which grants (A6, A15).

use serde_json::{Value, json};
use tidings_core::audience::Role;
use tidings_core::limits::{PATTERNS_PER_CLAIM_MAX, ROLES_PER_IDENTITY_MAX};
use tidings_core::port::AuthFailure;

use tidings_auth::mint::{Minter, TokenRequest};
use tidings_auth::secret::Secret;
use tidings_core::audience::Subject;
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::pattern::Pattern;
use tidings_core::time::Timestamp;

use crate::forge::{NOW, SECRET, verify, with_claim, with_claims_text};

fn refused(claim: &str, value: Value, named: &str) {
    let shown = value.to_string();
    match verify(&with_claim(claim, Some(value))) {
        Err(AuthFailure::Claim { claim, .. }) => assert_eq!(claim, named, "{shown}"),
        // The library itself refuses some shapes of the registered claims, without naming them.
        Err(AuthFailure::Malformed(_)) => assert_eq!(claim, "sub", "{shown}"),
        other => panic!("{claim} {shown}: {other:?}"),
    }
}

#[test]
fn a6_a_subject_is_required_in_its_one_spelling() {
    for value in [
        json!(""),
        json!(1),
        json!(null),
        json!(["u1"]),
        json!("a\nb"),
        json!("a%2Fb"),
        json!("u\u{202e}1"),
        json!("u".repeat(257)),
    ] {
        refused("sub", value, "sub");
    }
    verify(&with_claim("sub", None)).expect_err("sub is required");
    let identity = verify(&with_claim("sub", Some(json!("auth0|5f7c")))).expect("a subject");
    assert_eq!(identity.subject.expect("somebody").as_str(), "auth0|5f7c");
    for text in ["[]", "null", "1", "\"u1\"", ""] {
        verify(&with_claims_text(text)).expect_err(text);
    }
}

#[test]
fn roles_come_in_three_spellings() {
    let roles = |claim: &str, value: Value| -> Vec<String> {
        let identity = verify(&with_claim(claim, Some(value))).expect("roles");
        identity.roles.iter().map(Role::to_string).collect()
    };
    assert_eq!(roles("roles", json!(["B", "A", "B"])), ["A", "B"]);
    assert_eq!(roles("roles", json!("A B")), ["A", "B"]);
    assert_eq!(roles("role", json!("ADMIN")), ["ADMIN"]);
    assert_eq!(
        roles("role", json!(["EDITOR IN CHIEF"])),
        ["EDITOR IN CHIEF"]
    );
    assert_eq!(roles("role", json!(null)), [""; 0]);
    assert_eq!(roles("roles", json!([])), [""; 0]);
}

#[test]
fn a6_roles_of_a_wrong_type_or_number_are_refused() {
    for claim in ["roles", "role"] {
        let many: Vec<String> = (0..=ROLES_PER_IDENTITY_MAX)
            .map(|n| format!("r{n}"))
            .collect();
        for value in [
            json!(1),
            json!({"a": true}),
            json!([1]),
            json!([""]),
            json!(["a\u{0}"]),
            json!(many),
            json!(many.join(" ")),
        ] {
            refused(claim, value, claim);
        }
        let most = json!(many[1..].to_vec());
        verify(&with_claim(claim, Some(most))).expect("as many as allowed");
    }
}

#[test]
fn a15_a_bad_pattern_invalidates_the_whole_token() {
    for list in ["subscribe", "publish"] {
        let named = format!("tidings.{list}");
        let many: Vec<String> = (0..=PATTERNS_PER_CLAIM_MAX)
            .map(|n| format!("p/{n}"))
            .collect();
        for value in [
            json!([""]),
            json!(["a", ""]),
            json!(["a//b"]),
            json!(["a*"]),
            json!(["**/a"]),
            json!(["{sub}"]),
            json!(["@everyone"]),
            json!([1]),
            json!([null]),
            json!("a"),
            json!(null),
            json!({}),
            json!(["a".repeat(257)]),
            json!(many),
        ] {
            refused("tidings", json!({list: value}), &named);
        }
        let most = json!({list: many[1..].to_vec()});
        verify(&with_claim("tidings", Some(most))).expect("as many as allowed");
    }
    for value in [
        json!([]),
        json!("a"),
        json!(null),
        json!({"subscribes": ["a"]}),
    ] {
        refused("tidings", value, "tidings");
    }
    for value in [json!("true"), json!(1), json!(null)] {
        refused("tidings", json!({"admin": value}), "tidings.admin");
    }
}

#[test]
fn without_the_claim_nothing_is_granted() {
    let identity = verify(&with_claim("name", Some(json!("Somebody")))).expect("other claims pass");
    assert_eq!(identity.grants, Grants::default());
}

#[test]
fn a_minted_token_says_what_was_asked() {
    let request = TokenRequest {
        subject: Subject::parse("u1").expect("subject"),
        roles: vec![Role::parse("ADMIN").expect("role")],
        grants: Grants {
            publish: ["project/42", "@user/*", "@role/ADMIN", "@all"]
                .map(|text| PublishGrant::parse(text).expect(text))
                .to_vec(),
            subscribe: vec![Pattern::parse("project/**").expect("pattern")],
            administer: true,
            ..Grants::default()
        },
        issued_at: Timestamp(NOW * 1_000),
        expires_at: Timestamp(NOW * 1_000 + 60_500),
    };
    let minter = Minter::new(&Secret::from(SECRET)).expect("a good secret");
    let identity = verify(&minter.mint(&request).expect("signed")).expect("accepted");
    assert_eq!(identity.subject.as_ref(), Some(&request.subject));
    assert_eq!(identity.roles, request.roles);
    assert_eq!(identity.grants, request.grants);
    assert_eq!(identity.expires_at, Some(Timestamp((NOW + 60) * 1_000)));
    Minter::new(&Secret::from("short")).expect_err("a weak secret");
    assert_eq!(identity.credential.issued_at, Some(request.issued_at));
    let name = identity
        .credential
        .id
        .expect("a name by which to revoke it");
    assert!(name.to_string().starts_with("token:hub:"), "{name}");
    let second = verify(&minter.mint(&request).expect("signed")).expect("accepted");
    assert_ne!(second.credential.id, Some(name));
}
