//! Session tokens in cookies, and which bearer tokens are none of ours.

use std::net::Ipv4Addr;
use std::sync::Arc;

use serde_json::json;
use tidings_auth::bearer::Bearer;
use tidings_auth::jwt::Algorithm;
use tidings_auth::provider::{Proven, Provider};
use tidings_auth::session_token::{SessionCookie, SessionToken};
use tidings_core::port::{AuthFailure, Presented, Purpose};
use tidings_core::time::Timestamp;

use crate::forge::NOW;
use crate::signer::Signer;
use crate::world::{World, claims, claims_with, policy_of};

fn nothing() -> Presented<'static> {
    let now = Timestamp(NOW * 1_000);
    Presented::nothing(Purpose::Read, Ipv4Addr::LOCALHOST.into(), now)
}

async fn prove(world: &World, cookies: &[(&str, &str)]) -> Result<Option<Proven>, AuthFailure> {
    let exact = SessionCookie {
        name: "plain".to_owned(),
        with_suffix: false,
    };
    let provider = SessionToken::new(
        Arc::clone(&world.issuers),
        vec![SessionCookie::clerk(), exact],
    );
    assert_eq!(provider.name(), "session_token");
    provider
        .prove(Presented {
            cookies,
            ..nothing()
        })
        .await
}

#[tokio::test]
async fn a_session_token_comes_in_a_cookie_that_browsers_send_by_themselves() {
    let signer = Signer::new(Algorithm::EdDsa, "k1");
    let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
    let token = signer.token(&claims());
    for name in ["__session", "__session_Ab1-_xYz", "plain"] {
        let proven = prove(&world, &[("a", "b"), (name, &token)]).await;
        let proven = proven.expect(name).expect(name);
        assert!(proven.credential.is_ambient);
        assert_eq!(proven.subject.expect("somebody").as_str(), "u1");
    }
    let long = format!("__session_{}", "a".repeat(33));
    for name in [
        "__Session",
        "__session_",
        "__sessions",
        "__session_a.b",
        "plain_ab",
        "x__session",
        &long,
    ] {
        assert_eq!(prove(&world, &[(name, &token)]).await, Ok(None), "{name}");
    }
    assert_eq!(prove(&world, &[]).await, Ok(None));
}

#[tokio::test]
async fn a_cookie_of_another_program_is_none_of_ours_and_a_bad_token_is_refused() {
    let signer = Signer::new(Algorithm::EdDsa, "k1");
    let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
    for value in ["", "abc", "a.b.c.d.e", "eyJ.e30.", "{}"] {
        assert_eq!(
            prove(&world, &[("__session", value)]).await,
            Ok(None),
            "{value}"
        );
    }
    let ended = signer.token(&claims_with("exp", json!(NOW - 60)));
    let refused = prove(&world, &[("__session", &ended)]).await;
    assert_eq!(refused, Err(AuthFailure::Expired));
    // Another application of the same domain, whose token is not for us.
    let good = signer.token(&claims());
    let foreign = Signer::new(Algorithm::EdDsa, "k1").token(&claims());
    let both = [
        ("__session_other", foreign.as_str()),
        ("__session", good.as_str()),
    ];
    prove(&world, &both)
        .await
        .expect("one is good")
        .expect("one is good");
    // The longer name is preferred, and four are tried.
    let flood = [("__session_x", foreign.as_str()); 4];
    let flood = [&flood[..], &[("__session_y", good.as_str())]].concat();
    let refused = prove(&world, &flood).await;
    assert_eq!(refused, Err(AuthFailure::NotTrusted));
}

#[tokio::test]
async fn a_bearer_token_is_a_signed_token_unless_it_is_an_api_key() {
    let signer = Signer::new(Algorithm::EdDsa, "k1");
    let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
    let provider = Bearer::new(Arc::clone(&world.issuers));
    assert_eq!(provider.name(), "jwt");
    let prove = async |bearer| {
        provider
            .prove(Presented {
                bearer,
                ..nothing()
            })
            .await
    };
    assert_eq!(prove(None).await, Ok(None));
    assert_eq!(prove(Some("tdk_abc")).await, Ok(None));
    let refused = prove(Some("nonsense")).await;
    assert!(matches!(refused, Err(AuthFailure::Malformed(_))));
    let token = signer.token(&claims());
    let proven = prove(Some(&token)).await.expect("good").expect("good");
    assert!(!proven.credential.is_ambient);
}
