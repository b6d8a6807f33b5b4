//! Foreign issuers beside each other and beside the hub itself (A3 to A6, A17).

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use tidings_auth::claims::RoleSource;
use tidings_auth::claims::path::ClaimPath;
use tidings_auth::issuer::{Policy, PolicyFault, Requirement, SetupError, StreamLife};
use tidings_auth::jwt::Algorithm;
use tidings_auth::limits::{AUDIENCES_PER_TOKEN_MAX, ISSUERS_MAX, STREAM_SESSION_SECONDS_MAX};
use tidings_core::audience::Role;
use tidings_core::grant::Grants;
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use crate::forge::{NOW, good, with_claims_text};
use crate::signer::Signer;
use crate::world::{ISSUER, World, claims, claims_with, policy_of};

fn signer() -> Signer {
    Signer::new(Algorithm::EdDsa, "k1")
}

fn named(mut policy: Policy, name: &str, issuer: &str) -> Policy {
    policy.name = name.parse().expect(name);
    issuer.clone_into(&mut policy.issuer);
    policy.qualify = true;
    policy
}

async fn refused(world: &World, token: &str, claim: &str) {
    match world.verify(token).await {
        Err(AuthFailure::Claim { claim: named, .. }) => assert_eq!(named, claim),
        other => panic!("{claim}: {other:?}"),
    }
}

#[tokio::test]
async fn the_hubs_own_tokens_pass_beside_those_of_issuers() {
    let signer = signer();
    let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
    let own = world.verify(&with_claims_text(&good().to_string())).await;
    assert_eq!(own.expect("signed here").issuer, None);
    let mut unknown = good();
    unknown["iss"] = json!("https://somebody.example");
    let own = world.verify(&with_claims_text(&unknown.to_string())).await;
    assert_eq!(own.expect("signed here").issuer, None);
    // By its own secret nobody signs for a known issuer.
    let claimed = world.verify(&with_claims_text(&claims().to_string())).await;
    assert_eq!(claimed, Err(AuthFailure::NotTrusted));
    let foreign = world
        .verify(&signer.token(&claims()))
        .await
        .expect("by the issuer");
    assert_eq!(foreign.issuer.as_deref(), Some("main"));
    assert_eq!(foreign.claims.get("iat"), Some(&json!(NOW - 10)));
    for iss in [
        json!("https://issuer.example/"),
        json!("HTTPS://issuer.example"),
        json!(""),
    ] {
        let other = world.verify(&signer.token(&claims_with("iss", iss))).await;
        assert_eq!(other, Err(AuthFailure::NotTrusted));
    }
    for iss in [json!(null), json!([ISSUER]), json!(1)] {
        refused(&world, &signer.token(&claims_with("iss", iss)), "iss").await;
    }
}

#[tokio::test]
async fn cve_2026_49998_a5_a_key_of_one_issuer_signs_for_no_other() {
    let (one, two) = (signer(), signer());
    let world = World::new(vec![
        named(policy_of(&one), "one", "https://one.example"),
        named(policy_of(&two), "two", "https://two.example"),
    ]);
    let world = world.expect("good policies");
    let of = |iss: &str| claims_with("iss", json!(iss));
    // Warm: both have been used under the same `kid`.
    for (signer, iss, subject) in [
        (&one, "https://one.example", "one:u1"),
        (&two, "https://two.example", "two:u1"),
    ] {
        let proven = world.verify(&signer.token(&of(iss))).await.expect(iss);
        assert_eq!(proven.subject.expect("somebody").as_str(), subject);
    }
    for (signer, iss) in [(&one, "https://two.example"), (&two, "https://one.example")] {
        let forged = world.verify(&signer.token(&of(iss))).await;
        assert_eq!(forged, Err(AuthFailure::NotTrusted), "{iss}");
    }
}

#[tokio::test]
async fn cve_2026_39972_a17_names_that_join_alike_are_different() {
    let (one, two) = (
        Signer::new(Algorithm::EdDsa, "b-c"),
        Signer::new(Algorithm::EdDsa, "c"),
    );
    let world = World::new(vec![
        named(policy_of(&one), "a", "https://a.example"),
        named(policy_of(&two), "a-b", "https://a.example-b"),
    ]);
    let world = world.expect("good policies");
    let cross = one.token(&claims_with("iss", json!("https://a.example-b")));
    assert_eq!(world.verify(&cross).await, Err(AuthFailure::NotTrusted));
    let cross = two.token(&claims_with("iss", json!("https://a.example")));
    assert_eq!(world.verify(&cross).await, Err(AuthFailure::NotTrusted));
}

#[tokio::test]
async fn cve_2026_32301_a3_a4_nothing_in_a_token_makes_the_hub_reach_out() {
    let canary = TcpListener::bind("127.0.0.1:0").expect("a listener");
    canary.set_nonblocking(true).expect("non-blocking");
    let url = format!("http://{}", canary.local_addr().expect("bound"));
    let signer = signer();
    let world = World::online(vec![policy_of(&signer)]);
    let attacker = Signer::new(Algorithm::EdDsa, "k1");
    let mut tokens = Vec::new();
    for claim in ["iss", "aud", "azp", "jku", "tenant"] {
        let token = claims_with(claim, json!(url));
        tokens.push(attacker.token(&token));
    }
    let header = |name: &str, value: Value| json!({"alg": "EdDSA", "kid": "k1", name: value});
    for header in [
        header("jku", json!(url)),
        header("x5u", json!(url)),
        header("jwk", attacker.json_key()),
        header("x5c", json!(["MIIB"])),
        header("kid", json!(url)),
        header("kid", json!("../../etc/passwd")),
        header("kid", json!("' OR 1=1 --")),
        header("kid", json!("a\u{0}b")),
        header("crit", json!(["exp"])),
    ] {
        tokens.push(attacker.token_of(&header, &claims()));
    }
    for token in tokens {
        world.verify(&token).await.expect_err("forged");
    }
    let critical = json!({"alg": "EdDSA", "kid": "k1", "crit": []});
    let critical = world.verify(&signer.token_of(&critical, &claims())).await;
    assert_eq!(critical, Err(AuthFailure::NotTrusted));
    let nobody = canary.accept().expect_err("nothing may have been fetched");
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn cve_2026_25537_a6_times_of_a_wrong_type_are_refused() {
    let signer = signer();
    let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
    for claim in ["exp", "nbf", "iat"] {
        for value in [
            json!("1750003600"),
            json!(null),
            json!([NOW]),
            json!({}),
            json!(-1),
        ] {
            refused(&world, &signer.token(&claims_with(claim, value)), claim).await;
        }
    }
    let at = |exp: u64| signer.token(&claims_with("exp", json!(exp)));
    world.verify(&at(NOW - 4)).await.expect("within the leeway");
    assert_eq!(world.verify(&at(NOW - 5)).await, Err(AuthFailure::Expired));
    let from = |nbf: u64| signer.token(&claims_with("nbf", json!(nbf)));
    world
        .verify(&from(NOW + 5))
        .await
        .expect("within the leeway");
    assert_eq!(
        world.verify(&from(NOW + 6)).await,
        Err(AuthFailure::NotYetValid)
    );
}

#[tokio::test]
async fn a6_an_audience_is_named_or_listed() {
    let signer = signer();
    let mut policy = policy_of(&signer);
    policy.audiences = vec!["hub".to_owned(), "https://hub.example".to_owned()];
    let world = World::new(vec![policy]).expect("a good policy");
    let many = vec!["x"; AUDIENCES_PER_TOKEN_MAX - 1];
    let most = [&many[..], &["hub"]].concat();
    for good in [
        json!("hub"),
        json!(["x", "https://hub.example"]),
        json!(most),
    ] {
        world
            .verify(&signer.token(&claims_with("aud", good)))
            .await
            .expect("for us");
    }
    let too_many = [&many[..], &["x", "hub"]].concat();
    for bad in [
        json!("Hub"),
        json!(""),
        json!([]),
        json!(["x"]),
        json!(["hub", 1]),
        json!({"hub": 1}),
        json!(null),
        json!(too_many),
    ] {
        refused(&world, &signer.token(&claims_with("aud", bad)), "aud").await;
    }
    refused(&world, &signer.token(&claims()), "aud").await;
}

#[tokio::test]
async fn a6_an_authorized_party_is_one_of_the_listed() {
    let signer = signer();
    let mut policy = policy_of(&signer);
    policy.authorized_parties = vec!["https://app.example".to_owned()];
    let world = World::new(vec![policy.clone()]).expect("a good policy");
    let of = |party: Value| signer.token(&claims_with("azp", party));
    world
        .verify(&of(json!("https://app.example")))
        .await
        .expect("listed");
    world
        .verify(&signer.token(&claims()))
        .await
        .expect("may be missing");
    for bad in [
        json!("https://evil.example"),
        json!(""),
        json!(null),
        json!(["https://app.example"]),
    ] {
        refused(&world, &of(bad), "azp").await;
    }
    policy.is_party_required = true;
    let world = World::new(vec![policy]).expect("a good policy");
    refused(&world, &signer.token(&claims()), "azp").await;
}

#[tokio::test]
async fn a6_required_claims_are_there_and_as_said() {
    let signer = signer();
    let mut policy = policy_of(&signer);
    policy.require = vec![
        Requirement {
            path: ClaimPath::of(&["o", "id"]),
            values: Vec::new(),
        },
        Requirement {
            path: ClaimPath::top("use"),
            values: vec!["a".to_owned(), "b".to_owned()],
        },
    ];
    let world = World::new(vec![policy]).expect("a good policy");
    let of = |id: Value, purpose: Value| {
        let mut claims = claims_with("o", json!({"id": id}));
        claims["use"] = purpose;
        signer.token(&claims)
    };
    world
        .verify(&of(json!(7), json!("b")))
        .await
        .expect("as asked for");
    refused(&world, &of(json!(null), json!("b")), "o.id").await;
    for bad in [json!("c"), json!(null), json!(["a"])] {
        refused(&world, &of(json!(7), bad), "use").await;
    }
}

#[tokio::test]
async fn tokens_of_another_kind_do_not_pass() {
    let signer = signer();
    let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
    for kind in ["logout+jwt", "tidings-stream+jwt", "JOSE"] {
        let header = json!({"alg": "EdDSA", "kid": "k1", "typ": kind});
        let refused = world.verify(&signer.token_of(&header, &claims())).await;
        assert!(matches!(refused, Err(AuthFailure::NotForThis(_))), "{kind}");
    }
    let header = json!({"alg": "EdDSA", "typ": "at+jwt"});
    world
        .verify(&signer.token_of(&header, &claims()))
        .await
        .expect("an access token");
}

#[tokio::test]
async fn roles_stand_where_the_policy_says() {
    let signer = signer();
    let mut policy = policy_of(&signer)
        .with_roles("realm_access.roles".parse().expect("a path"))
        .with_roles(r"https://example\.com/roles".parse().expect("a path"))
        .with_roles("o.rol".parse().expect("a path"));
    policy.layout.roles.push(RoleSource {
        path: ClaimPath::top("groups"),
        prefix: "group:".to_owned(),
    });
    let world = World::new(vec![policy]).expect("a good policy");
    let mut claims = claims();
    claims["realm_access"] = json!({"roles": ["ADMIN", "EDITOR IN CHIEF"]});
    claims["https://example.com/roles"] = json!("one two");
    claims["o"] = json!({"rol": "admin"});
    claims["groups"] = json!(["ADMIN", "/staff"]);
    claims["roles"] = json!(["NOT-ASKED-FOR"]);
    let proven = world.verify(&signer.token(&claims)).await.expect("roles");
    let roles: Vec<&str> = proven.roles.iter().map(Role::as_str).collect();
    let expected = [
        "ADMIN",
        "EDITOR IN CHIEF",
        "admin",
        "group:/staff",
        "group:ADMIN",
        "one",
        "two",
    ];
    assert_eq!(roles, expected);
    claims["realm_access"] = json!(["ADMIN"]);
    refused(&world, &signer.token(&claims), "realm_access.roles").await;
    claims["realm_access"] = json!({"roles": null});
    claims["groups"] = json!([""]);
    refused(&world, &signer.token(&claims), "groups").await;
}

#[tokio::test]
async fn a_foreign_issuer_grants_only_where_its_policy_says_so() {
    let signer = signer();
    let token = signer.token(&claims_with(
        "tidings",
        json!({"subscribe": ["**"], "admin": true}),
    ));
    let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
    let proven = world.verify(&token).await.expect("good");
    assert_eq!(proven.grants, Grants::default());
    let mut policy = policy_of(&signer);
    policy.layout.grants = Some(ClaimPath::top("tidings"));
    let world = World::new(vec![policy]).expect("a good policy");
    assert!(world.verify(&token).await.expect("good").grants.administer);
}

#[tokio::test]
async fn a_token_is_known_by_its_name_and_its_issuer() {
    let signer = signer();
    let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
    let of = |id: Value| signer.token(&claims_with("jti", id));
    let proven = world.verify(&of(json!("t:1"))).await.expect("named");
    let name = proven.credential.id.expect("a name").to_string();
    assert_eq!(name, "token:main:t:1");
    assert_eq!(
        proven.credential.issued_at,
        Some(Timestamp((NOW - 10) * 1_000))
    );
    assert!(!proven.credential.is_ambient);
    let nameless = world.verify(&signer.token(&claims())).await.expect("good");
    assert_eq!(nameless.credential.id, None);
    for bad in [
        json!(""),
        json!(1),
        json!(null),
        json!("a\n"),
        json!("a".repeat(129)),
    ] {
        refused(&world, &of(bad), "jti").await;
    }
    let mut own = good();
    own["jti"] = json!("t1");
    let own = world
        .verify(&with_claims_text(&own.to_string()))
        .await
        .expect("good");
    assert_eq!(
        own.credential.id.expect("a name").to_string(),
        "token:hub:t1"
    );
}

#[tokio::test]
async fn a_stream_lives_as_long_as_the_session_of_its_issuer_whenever_its_token_ends() {
    let signer = signer();
    let mut policy = policy_of(&signer);
    policy.stream_life = StreamLife::Session(Duration::from_secs(600));
    let world = World::new(vec![policy.clone()]).expect("a good policy");
    let until = async |exp: u64| {
        let token = signer.token(&claims_with("exp", json!(exp)));
        world.verify(&token).await.expect("good").expires_at
    };
    assert_eq!(until(NOW + 60).await, Some(Timestamp((NOW + 600) * 1_000)));
    assert_eq!(until(NOW + 900).await, Some(Timestamp((NOW + 600) * 1_000)));
    let ended = signer.token(&claims_with("exp", json!(NOW - 60)));
    assert_eq!(world.verify(&ended).await, Err(AuthFailure::Expired));
    let long = Duration::from_secs(STREAM_SESSION_SECONDS_MAX + 1);
    policy.stream_life = StreamLife::Session(long);
    let Err(SetupError::Policy { fault, .. }) = World::new(vec![policy]).map(drop) else {
        panic!("too long");
    };
    assert_eq!(fault, PolicyFault::Session(long));
}

#[tokio::test]
async fn users_of_two_issuers_are_never_taken_for_each_other() {
    let (one, two) = (signer(), signer());
    let mut plain = named(policy_of(&one), "one", "https://one.example");
    plain.qualify = false;
    let qualified = named(policy_of(&two), "two", "https://two.example");
    let world = World::new(vec![plain.clone(), qualified.clone()]).expect("good policies");
    let of = |subject: &str| {
        let mut claims = claims_with("iss", json!("https://one.example"));
        claims["sub"] = json!(subject);
        one.token(&claims)
    };
    world.verify(&of("u1")).await.expect("its own");
    world.verify(&of("one:u1")).await.expect("its own");
    refused(&world, &of("two:u1"), "sub").await;
    let mut beside = plain.clone();
    beside.others = vec!["portal".parse().expect("a name")];
    let sessions_beside = World::new(vec![beside]).expect("a good policy");
    refused(&sessions_beside, &of("portal:u1"), "sub").await;
    sessions_beside
        .verify(&of("two:u1"))
        .await
        .expect("nobody is called `two`");
    let mut claims = claims_with("iss", json!("https://two.example"));
    claims["sub"] = json!("u".repeat(253));
    refused(&world, &two.token(&claims), "sub").await;

    let refused = |policies: Vec<Policy>| World::new(policies).map(drop).expect_err("refused");
    let mut other = qualified.clone();
    other.qualify = false;
    let error = refused(vec![plain.clone(), other]);
    assert!(matches!(error, SetupError::Unqualified(..)), "{error}");
    let error = refused(vec![qualified.clone(), named(policy_of(&two), "two", "x")]);
    assert!(matches!(error, SetupError::SameName(_)), "{error}");
    let error = refused(vec![
        qualified.clone(),
        named(policy_of(&two), "x", "https://two.example"),
    ]);
    assert!(matches!(error, SetupError::SameIssuer(..)), "{error}");
    let many = (0..=ISSUERS_MAX).map(|n| named(policy_of(&two), &format!("i{n}"), &n.to_string()));
    let error = refused(many.collect());
    assert_eq!(error, SetupError::TooMany(ISSUERS_MAX + 1));
    let mut slow = qualified;
    slow.leeway = Duration::from_secs(61);
    let error = refused(vec![slow]);
    assert!(
        error
            .to_string()
            .contains("`two` cannot be used: its leeway"),
        "{error}"
    );
    plain.issuer = String::new();
    let error = refused(vec![plain]);
    assert!(error.to_string().ends_with("its `iss` is empty"), "{error}");
}
