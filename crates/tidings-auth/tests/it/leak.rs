//! No error and no debug output shows a credential (A12).

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::json;
use tidings_auth::claims::path::ClaimPath;
use tidings_auth::issuer::Keys;
use tidings_auth::jwt::{Algorithm as TokenAlgorithm, JwtAuthenticator};
use tidings_auth::mint::Minter;
use tidings_auth::secret::Secret;

use crate::forge::{
    SECRET, encode, good, signed, verify, with_claim, with_claims_text, with_header,
};
use crate::signer::Signer;
use crate::world::{World, claims_with, policy, policy_of};

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

#[tokio::test]
async fn a12_no_failure_of_an_issuer_shows_the_token_and_no_policy_its_keys() {
    let signer = Signer::new(TokenAlgorithm::EdDsa, "k1");
    let mut strict = policy_of(&signer).with_roles("o.rol".parse().expect("a path"));
    strict.audiences = vec!["hub".to_owned()];
    strict.authorized_parties = vec!["app".to_owned()];
    strict.layout.grants = Some(ClaimPath::top("grants"));
    let world = World::new(vec![strict]).expect("a good policy");
    let of = |claim: &str, value: serde_json::Value| {
        let mut claims = claims_with("aud", json!("hub"));
        claims[claim] = value;
        signer.token(&claims)
    };
    let kind = json!({"alg": "EdDSA", "typ": CANARY});
    let mut tokens = vec![signer.token_of(&kind, &claims_with("aud", json!("hub")))];
    for (claim, value) in [
        ("aud", json!(CANARY)),
        ("aud", json!({CANARY: 1})),
        ("azp", json!(CANARY)),
        ("azp", json!([CANARY])),
        ("jti", json!("CANARY\n")),
        ("sub", json!("CANARY\n")),
        ("o", json!(CANARY)),
        ("o", json!({"rol": {CANARY: 1}})),
        ("grants", json!({CANARY: 1})),
        ("grants", json!({"subscribe": ["CANARY*"]})),
    ] {
        tokens.push(of(claim, value));
    }
    for token in tokens {
        let failure = world.verify(&token).await.expect_err(&token);
        let shown = format!("{failure} {failure:?}");
        assert!(!shown.contains(CANARY), "{shown}");
    }
    for keys in [
        Keys::Secret(vec![Secret::from(SECRET)]),
        Keys::Static(vec![SECRET.to_owned()]),
    ] {
        let shown = format!("{:?}", policy(keys, &[TokenAlgorithm::Hs256]));
        assert!(!shown.contains(SECRET), "{shown}");
    }
    let shown = format!("{:?}", world.issuers);
    assert!(!shown.contains(SECRET) && shown.contains("main"), "{shown}");
}
