//! Stream tokens: what they hold, for how long, and that nothing passes for one.

use std::net::{IpAddr, Ipv4Addr};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use jsonwebtoken::Algorithm;
use serde_json::Value;
use tidings_auth::limits::{STREAM_TOKEN_LIFETIME_MS, STREAM_TOKEN_SECRETS_MAX, TOKEN_BYTES_MAX};
use tidings_auth::provider::{Proven, Provider};
use tidings_auth::reading::NotForReading;
use tidings_auth::secret::Secret;
use tidings_auth::stream_token::{StreamTokenError, StreamTokenSetupError, StreamTokens, TYPE};
use tidings_core::credential::{Credential, CredentialId, Serves};
use tidings_core::grant::Grants;
use tidings_core::identity::Identity;
use tidings_core::limits::PATTERNS_PER_CLAIM_MAX;
use tidings_core::port::{AuthFailure, Presented, Purpose};
use tidings_core::time::Timestamp;

use crate::forge::{SECRET, good, signed, verify, with_claims_text};
use crate::person::{NOW, after, patterns, person};

const OTHER_SECRET: &str = "ffffffffffffffffffffffffffffffff";

fn tokens(secrets: &[&str]) -> StreamTokens {
    let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::from(*text)).collect();
    StreamTokens::new(&secrets).expect("good secrets")
}

fn mint(identity: &Identity) -> String {
    let minted = tokens(&[SECRET]).mint(identity, None, NOW);
    minted.expect("made").expose().to_owned()
}

fn prove_at(
    tokens: &StreamTokens,
    bearer: &str,
    now: Timestamp,
) -> Result<Option<Proven>, AuthFailure> {
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let presented = Presented {
        bearer: Some(bearer),
        ..Presented::nothing(Purpose::Read, peer, now)
    };
    let proof = tokens.prove(presented).now_or_never();
    proof.expect("it waits for nothing")
}

fn prove(bearer: &str) -> Result<Option<Proven>, AuthFailure> {
    prove_at(&tokens(&[SECRET]), bearer, NOW)
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[test]
fn a_stream_token_holds_what_its_owner_may_read_and_nothing_else() {
    let token = mint(&person());
    let proven = prove(&token).expect("good").expect("a stream token");
    let person = person();
    assert_eq!(proven.subject, person.subject);
    assert_eq!(proven.roles, person.roles);
    let grants = Grants {
        subscribe: person.grants.subscribe,
        hear_everyone: true,
        ..Grants::default()
    };
    assert_eq!(proven.grants, grants);
    assert_eq!(proven.credential.id, person.credential.id);
    assert_eq!(proven.credential.issued_at, person.credential.issued_at);
    assert_eq!(proven.credential.serves, Serves::Reading);
    assert!(proven.is_final && !proven.credential.is_ambient);
    assert_ne!(claims(&token)["jti"], claims(&mint(&self::person()))["jti"]);
}

#[test]
fn a_stream_token_lives_an_hour_or_as_long_as_the_credential_behind_it() {
    let tokens = tokens(&[SECRET]);
    let mut identity = person();
    for (end, expected) in [
        (None, after(STREAM_TOKEN_LIFETIME_MS)),
        (
            Some(after(2 * STREAM_TOKEN_LIFETIME_MS)),
            after(STREAM_TOKEN_LIFETIME_MS),
        ),
        (Some(after(90_000)), after(90_000)),
    ] {
        identity.expires_at = end;
        let token = tokens.mint(&identity, None, NOW).expect("made");
        let whole = Timestamp(expected.0 / 1_000 * 1_000);
        assert_eq!(token.expires_at, whole);
        let last = prove_at(&tokens, token.expose(), Timestamp(whole.0 - 1));
        let proven = last.expect("good").expect("a stream token");
        assert_eq!(proven.expires_at, Some(whole));
        let ended = prove_at(&tokens, token.expose(), whole);
        assert_eq!(ended, Err(AuthFailure::Expired));
    }
    for end in [NOW, after(500)] {
        identity.expires_at = Some(end);
        let refused = tokens.mint(&identity, None, NOW).expect_err("ended");
        let ended = NotForReading::Ended;
        assert!(matches!(refused, StreamTokenError::NotForReading(found) if found == ended));
    }
}

#[test]
fn a_stream_token_gets_no_stream_token() {
    let mut identity = person();
    identity.credential.serves = Serves::Reading;
    let refused = tokens(&[SECRET]).mint(&identity, None, NOW);
    let by_reading = NotForReading::ByReading;
    let refused = refused.expect_err("refused");
    assert!(matches!(refused, StreamTokenError::NotForReading(found) if found == by_reading));
}

#[test]
fn a1_neither_kind_of_token_passes_for_the_other() {
    let stream_token = mint(&person());
    verify(&stream_token).expect_err("it is no session token");
    // A session token, and one that only says that it is for streams.
    let session = with_claims_text(&good().to_string());
    assert_eq!(prove(&session), Ok(None), "for another provider");
    let text = claims(&stream_token).to_string();
    for (typ, algorithm, secret) in [
        (TYPE, Algorithm::HS256, SECRET),
        (TYPE, Algorithm::HS384, SECRET),
        (TYPE, Algorithm::HS512, OTHER_SECRET),
    ] {
        let name = format!("{algorithm:?}");
        let header = format!(r#"{{"alg":"{name}","typ":"{typ}"}}"#);
        let forged = signed(&header, &text, algorithm, secret.as_bytes());
        let refused = match algorithm {
            Algorithm::HS256 => Err(AuthFailure::NotTrusted),
            _ => Ok(None),
        };
        assert_eq!(prove(&forged), refused, "{name}");
        verify(&forged).expect_err("nor does the provider of session tokens take it");
    }
    // The hub writes its header in one way. Whatever says the same in another way is not its own.
    let other_way = format!(r#"{{"typ":"{TYPE}","alg":"HS256"}}"#);
    let forged = signed(&other_way, &text, Algorithm::HS256, SECRET.as_bytes());
    assert_eq!(prove(&forged), Ok(None));
    verify(&forged).expect_err("nor does the provider of session tokens take it");
    let (message, _) = stream_token.rsplit_once('.').expect("three parts");
    for forged in [format!("{message}."), format!("{message}.AAAA")] {
        prove(&forged).expect_err("no signature");
    }
    let none = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","typ":"{TYPE}"}}"#));
    let (_, rest) = message.split_once('.').expect("two parts");
    let unsigned = format!("{none}.{rest}.");
    assert_eq!(prove(&unsigned), Ok(None), "no provider takes it");
    for foreign in ["", "tdk_x", "a.b.c", &"x".repeat(TOKEN_BYTES_MAX + 1)] {
        assert_eq!(prove(foreign), Ok(None), "{foreign}");
    }
}

#[test]
fn secrets_are_replaced_without_ending_a_token() {
    let old = mint(&person());
    let both = tokens(&[OTHER_SECRET, SECRET]);
    assert!(prove_at(&both, &old, NOW).is_ok());
    let new = both.mint(&person(), None, NOW).expect("made");
    let only_new = tokens(&[OTHER_SECRET]);
    assert!(
        prove_at(&only_new, new.expose(), NOW).is_ok(),
        "the first signs"
    );
    let refused = prove_at(&only_new, &old, NOW);
    assert_eq!(refused, Err(AuthFailure::NotTrusted));
}

#[test]
fn a26_secrets_of_stream_tokens_are_as_many_and_as_strong_as_needed() {
    let setup = |count, text: &str| StreamTokens::new(&vec![Secret::from(text); count]).map(|_| ());
    assert_eq!(setup(0, SECRET), Err(StreamTokenSetupError::Number(0)));
    assert_eq!(setup(STREAM_TOKEN_SECRETS_MAX, SECRET), Ok(()));
    let many = STREAM_TOKEN_SECRETS_MAX + 1;
    assert_eq!(
        setup(many, SECRET),
        Err(StreamTokenSetupError::Number(many))
    );
    let weak = setup(1, "short").expect_err("weak");
    assert!(matches!(weak, StreamTokenSetupError::Secret(_)), "{weak}");
}

#[test]
fn a15_a_stream_token_holds_only_so_many_patterns_and_says_how_to_ask_for_fewer() {
    let tokens = tokens(&[SECRET]);
    let with = |count: usize, width: usize| {
        let mut identity = person();
        let texts: Vec<String> = (0..count).map(|n| format!("{n:0width$}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        identity.grants.subscribe = patterns(&texts);
        identity
    };
    let most = PATTERNS_PER_CLAIM_MAX;
    tokens
        .mint(&with(most, 3), None, NOW)
        .expect("as many as allowed");
    let refused = tokens
        .mint(&with(most + 1, 3), None, NOW)
        .expect_err("more");
    assert!(matches!(refused, StreamTokenError::TooManyPatterns(_)));
    assert!(refused.to_string().contains("`topics`"), "{refused}");
    let refused = tokens.mint(&with(most, 200), None, NOW).expect_err("long");
    assert!(matches!(refused, StreamTokenError::TooLong), "{refused}");
    let few = patterns(&["000", "001"]);
    let token = tokens.mint(&with(most + 1, 3), Some(&few), NOW);
    let proven = prove(token.expect("narrowed").expose());
    let proven = proven.expect("good").expect("a stream token");
    assert_eq!(proven.grants.subscribe, few);
}

#[test]
fn a_token_made_with_a_nameless_credential_is_revoked_by_its_own_name() {
    let mut identity = person();
    identity.credential = Credential::default();
    identity.subject = None;
    let token = mint(&identity);
    let proven = prove(&token).expect("good").expect("a stream token");
    let jti = claims(&token)["jti"].as_str().expect("text").to_owned();
    let name = CredentialId::parse(&format!("token:stream token:{jti}")).expect("a name");
    assert_eq!(proven.credential.id, Some(name));
    assert_eq!((proven.subject, proven.credential.issued_at), (None, None));
}

#[test]
fn a12_no_stream_token_and_no_key_shows() {
    let tokens = tokens(&[SECRET]);
    let token = tokens.mint(&person(), None, NOW).expect("made");
    let shown = format!("{token:?} {tokens:?} {tokens:#?}");
    assert!(shown.contains("StreamToken"), "{shown}");
    assert!(!shown.contains(token.expose()) && !shown.contains(SECRET));
    let refused = prove_at(&self::tokens(&[OTHER_SECRET]), token.expose(), NOW);
    let shown = format!("{refused:?}");
    assert!(!shown.contains(token.expose()), "{shown}");
}
