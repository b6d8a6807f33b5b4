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
use tidings_auth::store::LocalStore;
use tidings_core::grant::Grants;
use tidings_core::identity::Identity;
use tidings_core::port::{AuthFailure, Authenticator, Presented, Purpose};
use tidings_core::time::Timestamp;

use crate::forge::{NOW, good, with_claims_text};
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
