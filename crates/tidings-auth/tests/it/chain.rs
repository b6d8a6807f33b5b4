//! Providers in a row, and the development provider.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::FutureExt;
use tempfile::tempdir;
use tidings_auth::bearer::Bearer;
use tidings_auth::chain::Chain;
use tidings_auth::development::DevelopmentUser;
use tidings_auth::provider::Provider;
use tidings_auth::rules::Rules;
use tidings_auth::session::SessionCookie;
use tidings_auth::store::LocalStore;
use tidings_core::audience::Role;
use tidings_core::grant::Grants;
use tidings_core::identity::Identity;
use tidings_core::port::{AuthFailure, Authenticator, Presented, Purpose};
use tidings_core::time::Timestamp;

use crate::fixtures::valid;
use crate::forge::{NOW, good, with_claims_text};
use crate::session::policy;
use crate::world::World;

/// The provider of tokens that the hub itself signed.
pub(crate) fn own_tokens() -> Arc<dyn Provider> {
    let world = World::new(Vec::new()).expect("no policies");
    Arc::new(Bearer::new(world.issuers))
}

/// These providers without rules, over a store without revocations.
fn chain(providers: Vec<Arc<dyn Provider>>) -> Chain {
    let directory = tempdir().expect("a directory");
    let store = LocalStore::open(directory.path()).expect("readable");
    Chain::new(providers, Rules::default(), Arc::new(store))
}

fn ask(
    bearer: Option<&str>,
    user: Option<&str>,
    peer: &str,
) -> Result<Option<Identity>, AuthFailure> {
    let administrator = Grants {
        administer: true,
        ..Grants::default()
    };
    let chain = chain(vec![
        own_tokens(),
        Arc::new(DevelopmentUser::new(administrator)),
    ]);
    chain
        .authenticate(Presented {
            bearer,
            development_user: user,
            ..Presented::nothing(
                Purpose::Act,
                peer.parse::<IpAddr>().expect(peer),
                Timestamp(NOW * 1_000),
            )
        })
        .now_or_never()
        .expect("no provider waits for anything")
}

#[test]
fn a_request_that_presents_nothing_is_nobody() {
    assert_eq!(ask(None, None, "127.0.0.1"), Ok(None));
    let empty = chain(Vec::new());
    assert_eq!(empty.name(), "chain");
}

#[test]
fn the_development_user_is_believed_on_loopback_only() {
    for peer in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        let identity = ask(None, Some("u1"), peer).expect(peer).expect(peer);
        assert_eq!(identity.subject.expect("somebody").as_str(), "u1");
        assert_eq!(identity.method, "development");
        assert!(identity.grants.administer);
    }
    for peer in [
        "10.0.0.1",
        "192.168.1.1",
        "::ffff:10.0.0.1",
        "fe80::1",
        "0.0.0.0",
        "::",
    ] {
        assert_eq!(ask(None, Some("u1"), peer), Ok(None), "{peer}");
    }
    for user in ["", "a%2Fb", "a\nb"] {
        ask(None, Some(user), "::1").expect_err(user);
    }
}

#[test]
fn a_bad_token_is_not_made_good_by_a_later_provider() {
    let failure = ask(Some("nonsense"), Some("u1"), "127.0.0.1").expect_err("refused");
    assert!(matches!(failure, AuthFailure::Malformed(_)), "{failure}");
    let token = with_claims_text(&good().to_string());
    let identity = ask(Some(&token), Some("u2"), "127.0.0.1").expect("fine");
    assert_eq!(
        identity.expect("known").subject.expect("somebody").as_str(),
        "u1"
    );
}

#[test]
fn s2_a_session_decides_first_where_it_is_to() {
    let session = SessionCookie::new(policy()).expect("a good policy");
    let chain = chain(vec![own_tokens(), Arc::new(session)]);
    let token = with_claims_text(&good().to_string());
    let fixture = valid("Auth.js 5, in parts, __Secure-");
    let cookies = fixture.cookies();
    let ask = |is_session_first, bearer| {
        let asked = chain.authenticate(Presented {
            bearer: Some(bearer),
            cookies: &cookies,
            is_session_first,
            ..Presented::nothing(
                Purpose::Act,
                std::net::Ipv4Addr::LOCALHOST.into(),
                Timestamp(NOW * 1_000),
            )
        });
        asked
            .now_or_never()
            .expect("no provider waits for anything")
    };
    let method = |is_session_first, bearer| {
        let identity = ask(is_session_first, bearer)
            .expect("good")
            .expect("somebody");
        identity.method
    };
    assert_eq!(method(false, &token), "jwt");
    assert_eq!(method(true, &token), "session");
    // It is the one that decides, so what comes after it is not looked at.
    ask(false, "nonsense").expect_err("a bad token");
    assert_eq!(method(true, "nonsense"), "session");
}

#[test]
fn s2_a_role_administers_by_the_profiles_that_take_it_and_nowhere_else() {
    let admin = Role::parse("ADMIN").expect("a role");
    let chain =
        chain(vec![own_tokens()]).with_administrators(vec!["dashboard".to_owned()], vec![admin]);
    let mut claims = good();
    let administers = |claims: &serde_json::Value, profile| {
        let token = with_claims_text(&claims.to_string());
        let asked = chain.authenticate(Presented {
            bearer: Some(&token),
            profile,
            ..Presented::nothing(
                Purpose::Act,
                std::net::Ipv4Addr::LOCALHOST.into(),
                Timestamp(NOW * 1_000),
            )
        });
        let identity = asked.now_or_never().expect("no provider waits");
        identity.expect("good").expect("somebody").grants.administer
    };
    for (name, roles) in [
        ("roles", serde_json::json!(["USER", "ADMIN"])),
        ("role", serde_json::json!("ADMIN")),
    ] {
        for key in ["role", "roles"] {
            claims.as_object_mut().expect("claims").remove(key);
        }
        claims[name] = roles;
        assert!(administers(&claims, Some("dashboard")), "{name}");
        assert!(!administers(&claims, Some("portal")), "{name}");
        assert!(!administers(&claims, None), "{name}");
    }
    claims["role"] = serde_json::json!("admin");
    assert!(
        !administers(&claims, Some("dashboard")),
        "a role has one spelling"
    );
}
