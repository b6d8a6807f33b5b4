//! No error and no debug output shows a credential (A12).

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::json;
use tidings_auth::jwt::JwtAuthenticator;
use tidings_auth::mint::Minter;
use tidings_auth::secret::Secret;

use crate::forge::{
    SECRET, encode, good, signed, verify, with_claim, with_claims_text, with_header,
};

const CANARY: &str = "CANARY";

#[test]
fn a12_no_failure_shows_the_token_or_a_part_of_it() {
    let canary = encode(CANARY);
    let good = good().to_string();
    let mut tokens = vec![
        CANARY.to_owned(),
        format!("{CANARY}.{CANARY}.{CANARY}"),
        format!("{canary}.{canary}.{canary}"),
        with_header(CANARY),
        with_header(r#"{"alg":"CANARY"}"#),
        with_header(r#"{"alg":"HS256","crit":["CANARY"]}"#),
        with_claims_text(CANARY),
        with_claims_text(r#""CANARY""#),
        signed(
            r#"{"alg":"HS256","kid":"CANARY"}"#,
            &good,
            Algorithm::HS256,
            b"CANARY",
        ),
        format!("{CANARY}{}", "x".repeat(10_000)),
    ];
    for (claim, value) in [
        ("sub", json!("CANARY\n")),
        ("exp", json!(CANARY)),
        ("exp", json!({CANARY: CANARY})),
        ("nbf", json!(CANARY)),
        ("roles", json!(["CANARY\n"])),
        ("role", json!({CANARY: 1})),
        ("tidings", json!({CANARY: 1})),
        ("tidings", json!({"subscribe": ["CANARY*"]})),
        ("tidings", json!({"subscribe": ["a/@CANARY"]})),
        ("tidings", json!({"publish": ["@CANARY"]})),
        ("tidings", json!({"admin": CANARY})),
    ] {
        tokens.push(with_claim(claim, Some(value)));
    }
    for token in tokens {
        let failure = verify(&token).expect_err(&token);
        for shown in [failure.to_string(), format!("{failure:?}")] {
            assert!(!shown.contains(CANARY), "{shown}");
            assert!(!shown.contains(&canary), "{shown}");
        }
    }
}

#[test]
fn a12_no_provider_shows_its_secret() {
    let secret = Secret::from(SECRET);
    let provider = JwtAuthenticator::new(&secret, Duration::ZERO).expect("a good secret");
    let minter = Minter::new(&secret).expect("a good secret");
    for shown in [
        format!("{secret:?}{provider:?}{minter:?}"),
        format!("{provider:#?}"),
    ] {
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(!shown.contains("48, 49, 50"), "{shown}");
    }
}
