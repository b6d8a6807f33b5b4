//! Presets of well-known issuers, with tokens as these issuers make them.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_auth::address::PlainHttp;
use tidings_auth::issuer::{Keys, Policy, Preset, PresetFault, PresetInput, StreamLife};
use tidings_auth::jwt::Algorithm;
use tidings_auth::secret::Secret;
use tidings_core::audience::Role;
use tidings_core::port::AuthFailure;

use crate::forge::{NOW, SECRET};
use crate::signer::Signer;
use crate::world::World;

/// An issuer at an address, with nothing else said.
pub(crate) fn input(at: &str) -> PresetInput {
    PresetInput {
        name: "main".parse().expect("a name"),
        at: at.to_owned(),
        keys: None,
        public_keys: Vec::new(),
        secret: None,
        audiences: Vec::new(),
        client: None,
        authorized_parties: Vec::new(),
        plain_http: PlainHttp::Loopback,
    }
}

fn address(policy: &Policy) -> &str {
    match &policy.keys {
        Keys::Published(address) => address.as_str(),
        other => panic!("{other:?}"),
    }
}

/// The roles that a token of these claims gets under a policy whose keys are known.
async fn roles(mut policy: Policy, claims: Value) -> Result<Vec<String>, AuthFailure> {
    let signer = Signer::new(policy.algorithms[0], "k1");
    policy.keys = Keys::Static(vec![signer.json_key().to_string()]);
    let world = World::new(vec![policy]).expect("a good policy");
    let proven = world.verify(&signer.token(&claims)).await?;
    Ok(proven.roles.iter().map(Role::to_string).collect())
}

#[test]
fn addresses_are_those_that_the_issuers_document() {
    for (preset, at, issuer, keys) in [
        (
            Preset::Clerk,
            "clerk.example.com",
            "https://clerk.example.com",
            "https://clerk.example.com/.well-known/jwks.json",
        ),
        (
            Preset::Clerk,
            "https://x.clerk.accounts.dev/",
            "https://x.clerk.accounts.dev",
            "https://x.clerk.accounts.dev/.well-known/jwks.json",
        ),
        (
            Preset::Auth0,
            "x.eu.auth0.com",
            "https://x.eu.auth0.com/",
            "https://x.eu.auth0.com/.well-known/jwks.json",
        ),
        (
            Preset::Supabase,
            "https://ref.supabase.co",
            "https://ref.supabase.co/auth/v1",
            "https://ref.supabase.co/auth/v1/.well-known/jwks.json",
        ),
        (
            Preset::Supabase,
            "https://ref.supabase.co/auth/v1",
            "https://ref.supabase.co/auth/v1",
            "https://ref.supabase.co/auth/v1/.well-known/jwks.json",
        ),
        (
            Preset::Keycloak,
            "http://localhost:8080/realms/r",
            "http://localhost:8080/realms/r",
            "http://localhost:8080/realms/r/protocol/openid-connect/certs",
        ),
        (
            Preset::Cognito,
            "eu-west-1_AbC",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC/.well-known/jwks.json",
        ),
        (
            Preset::Cognito,
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC",
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC/.well-known/jwks.json",
        ),
        (
            Preset::Plain,
            "https://id.example/",
            "https://id.example/",
            "https://id.example/.well-known/jwks.json",
        ),
    ] {
        let mut input = input(at);
        input.audiences = vec!["hub".to_owned()];
        input.client = Some("app".to_owned());
        let policy = preset.policy(input).expect(at);
        assert_eq!(policy.issuer, issuer);
        assert_eq!(address(&policy), keys);
        assert_eq!(policy.layout.grants, None);
    }
    let mut elsewhere = input("https://id.example");
    elsewhere.audiences = vec!["hub".to_owned()];
    elsewhere.keys = Some("https://keys.example/all".to_owned());
    let policy = Preset::Plain.policy(elsewhere).expect("good");
    assert_eq!(address(&policy), "https://keys.example/all");
}

#[test]
fn a26_a_preset_asks_for_what_it_cannot_do_without() {
    let fault =
        |preset: Preset, input: PresetInput| preset.policy(input).map(drop).expect_err("refused");
    for (preset, missing) in [
        (Preset::Auth0, "an audience"),
        (Preset::Plain, "an audience"),
        (Preset::Cognito, "the app client id"),
        (Preset::Keycloak, "a client, a party or an audience"),
    ] {
        let found = fault(preset, input("https://id.example"));
        assert_eq!(found, PresetFault::Missing(missing));
    }
    for (name, preset) in Preset::ALL {
        let found = fault(preset, input(""));
        assert!(matches!(found, PresetFault::Missing(_)), "{name}");
        let plain = fault(
            preset,
            PresetInput {
                audiences: vec!["hub".to_owned()],
                ..input("http://id.example/x")
            },
        );
        assert!(matches!(plain, PresetFault::Address(_)), "{name}");
    }
    let mut secret = input("https://id.example");
    secret.secret = Some(Secret::from(SECRET));
    assert_eq!(fault(Preset::Clerk, secret), PresetFault::Secret);
}

#[tokio::test]
async fn a_token_of_clerk_says_its_role_and_its_page() {
    let mut input = input("clerk.example.com");
    input.authorized_parties = vec!["https://app.example".to_owned()];
    let policy = Preset::Clerk.policy(input).expect("good");
    assert_eq!(policy.algorithms, [Algorithm::Rs256]);
    let hour = StreamLife::Session(Duration::from_secs(3_600));
    assert_eq!(policy.stream_life, hour);
    let mut claims = json!({
        "azp": "https://app.example", "exp": NOW + 60, "fva": [3, -1], "iat": NOW,
        "iss": "https://clerk.example.com", "jti": "1234567890", "nbf": NOW - 10,
        "o": {"id": "org_1", "rol": "admin", "slg": "org"},
        "sid": "sess_1", "sts": "active", "sub": "user_1", "v": 2,
    });
    assert_eq!(
        roles(policy.clone(), claims.clone()).await,
        Ok(vec!["admin".to_owned()])
    );
    claims["azp"] = json!("https://evil.example");
    roles(policy.clone(), claims.clone())
        .await
        .expect_err("another page");
    let entries = claims.as_object_mut().expect("an object");
    entries.remove("azp");
    entries.remove("o");
    assert_eq!(roles(policy.clone(), claims.clone()).await, Ok(Vec::new()));
    claims["org_role"] = json!("org:admin");
    assert_eq!(
        roles(policy, claims).await,
        Ok(vec!["org:admin".to_owned()])
    );
}

#[tokio::test]
async fn a_token_of_keycloak_is_an_access_token_of_the_client() {
    let mut input = input("https://id.example/realms/r");
    input.client = Some("my.app".to_owned());
    let policy = Preset::Keycloak.policy(input).expect("good");
    let mut claims = json!({
        "exp": NOW + 300, "iat": NOW, "jti": "onrtac:1", "iss": "https://id.example/realms/r",
        "aud": "account", "sub": "f3a1", "typ": "Bearer", "azp": "my.app",
        "realm_access": {"roles": ["offline_access"]},
        "resource_access": {"my.app": {"roles": ["editor"]}, "account": {"roles": ["view-profile"]}},
    });
    let expected = vec!["editor".to_owned(), "offline_access".to_owned()];
    assert_eq!(roles(policy.clone(), claims.clone()).await, Ok(expected));
    claims["typ"] = json!("ID");
    roles(policy.clone(), claims.clone())
        .await
        .expect_err("an ID token");
    claims["typ"] = json!("Bearer");
    claims["azp"] = json!("other");
    roles(policy.clone(), claims.clone())
        .await
        .expect_err("another client");
    claims.as_object_mut().expect("an object").remove("azp");
    roles(policy, claims).await.expect_err("no client");
}

#[tokio::test]
async fn a_token_of_cognito_is_an_access_token_of_the_client() {
    let mut input = input("eu-west-1_AbC");
    input.client = Some("app1".to_owned());
    let policy = Preset::Cognito.policy(input).expect("good");
    let mut claims = json!({
        "sub": "aaaa", "cognito:groups": ["staff"], "client_id": "app1", "token_use": "access",
        "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC", "version": 2,
        "scope": "openid", "auth_time": NOW, "exp": NOW + 3_600, "iat": NOW, "jti": "bbbb",
    });
    assert_eq!(
        roles(policy.clone(), claims.clone()).await,
        Ok(vec!["staff".to_owned()])
    );
    claims["token_use"] = json!("id");
    roles(policy.clone(), claims.clone())
        .await
        .expect_err("an ID token");
    claims["token_use"] = json!("access");
    claims["client_id"] = json!("app2");
    roles(policy, claims).await.expect_err("another client");
}

#[tokio::test]
async fn a_token_of_supabase_has_the_roles_that_its_user_cannot_write() {
    let policy = Preset::Supabase
        .policy(input("https://ref.supabase.co"))
        .expect("good");
    assert_eq!(policy.algorithms, [Algorithm::Es256, Algorithm::Rs256]);
    let mut claims = json!({
        "iss": "https://ref.supabase.co/auth/v1", "aud": "authenticated", "exp": NOW + 3_600,
        "iat": NOW, "sub": "123e4567", "role": "authenticated", "aal": "aal1", "session_id": "s1",
        "app_metadata": {"provider": "email", "roles": ["editor"]},
        "user_metadata": {"roles": ["admin"]},
    });
    let expected = vec!["authenticated".to_owned(), "editor".to_owned()];
    assert_eq!(roles(policy.clone(), claims.clone()).await, Ok(expected));
    claims["aud"] = json!("anon");
    roles(policy, claims).await.expect_err("another audience");
    let mut legacy = input("https://ref.supabase.co");
    legacy.secret = Some(Secret::from(SECRET));
    let legacy = Preset::Supabase.policy(legacy).expect("good");
    assert_eq!(legacy.algorithms, [Algorithm::Hs256]);
}

#[tokio::test]
async fn a_token_of_auth0_is_for_the_api() {
    let mut input = input("x.eu.auth0.com");
    input.audiences = vec!["https://api.example".to_owned()];
    let policy = Preset::Auth0.policy(input).expect("good");
    let policy = policy.with_roles(r"https://example\.com/roles".parse().expect("a path"));
    let mut claims = json!({
        "iss": "https://x.eu.auth0.com/", "sub": "auth0|1", "iat": NOW, "exp": NOW + 86_400,
        "aud": ["https://api.example", "https://x.eu.auth0.com/userinfo"], "azp": "client",
        "scope": "openid", "https://example.com/roles": ["editor"],
    });
    assert_eq!(
        roles(policy.clone(), claims.clone()).await,
        Ok(vec!["editor".to_owned()])
    );
    claims["aud"] = json!("https://x.eu.auth0.com/userinfo");
    roles(policy, claims).await.expect_err("another audience");
}
