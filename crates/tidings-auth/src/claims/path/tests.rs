//! Paths, their escapes, and what they find.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn path(text: &str) -> ClaimPath {
    text.parse().expect(text)
}

#[test]
fn paths_find_what_issuers_write() {
    let claims = json!({
        "sub": "u1",
        "realm_access": {"roles": ["a"]},
        "resource_access": {"my.client": {"roles": ["b"]}},
        "o": {"rol": "admin"},
        "https://example.com/roles": ["c"],
        "a\\b": {"c": 1},
        "nothing": null,
        "cognito:groups": ["d"],
    });
    let claims = claims.as_object().expect("an object");
    for (text, found) in [
        ("sub", json!("u1")),
        ("realm_access.roles", json!(["a"])),
        (r"resource_access.my\.client.roles", json!(["b"])),
        ("o.rol", json!("admin")),
        (r"https://example\.com/roles", json!(["c"])),
        (r"a\\b.c", json!(1)),
        ("cognito:groups", json!(["d"])),
    ] {
        assert_eq!(path(text).find(claims), Ok(Some(&found)), "{text}");
    }
    for nothing in ["roles", "o.roles", "x.y.z", "nothing", "nothing.at", "SUB"] {
        assert_eq!(path(nothing).find(claims), Ok(None), "{nothing}");
    }
    for blocked in ["sub.roles", "realm_access.roles.a", "cognito:groups.0"] {
        assert_eq!(path(blocked).find(claims), Err(Blocked), "{blocked}");
    }
    assert_eq!(ClaimPath::top("a.b"), path(r"a\.b"));
    assert_eq!(ClaimPath::of(&["a.b", "c"]), path(r"a\.b.c"));
}

#[test]
fn a15_paths_have_one_meaning_and_a_limit() {
    for empty in ["", ".", "a.", ".a", "a..b"] {
        assert_eq!(empty.parse::<ClaimPath>(), Err(ClaimPathFault::Empty));
    }
    for escape in [r"\", r"a\b", r"a.\", r"\/"] {
        assert_eq!(escape.parse::<ClaimPath>(), Err(ClaimPathFault::Escape));
    }
    let long = |bytes: usize| "a".repeat(bytes).parse::<ClaimPath>();
    long(CLAIM_PATH_BYTES_MAX).expect("as long as allowed");
    assert_eq!(long(CLAIM_PATH_BYTES_MAX + 1), Err(ClaimPathFault::TooLong));
    let deep = |names: usize| vec!["a"; names].join(".").parse::<ClaimPath>();
    deep(CLAIM_PATH_NAMES_MAX).expect("as deep as allowed");
    assert_eq!(deep(CLAIM_PATH_NAMES_MAX + 1), Err(ClaimPathFault::TooLong));
}

proptest! {
    #[test]
    fn any_names_survive_their_text(names in prop::collection::vec("[a.\\\\:é]{1,6}", 1..8)) {
        let path = ClaimPath(names);
        prop_assert_eq!(path.to_string().parse::<ClaimPath>(), Ok(path));
    }
}
