//! Tokens as identity providers document them, signed by another library (`tests/auth/tokens.mjs`).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tidings_auth::issuer::{Issuers, Keys, Policy, Preset, PresetInput};
use tidings_auth::jwt::Algorithm;
use tidings_auth::provider::Proven;
use tidings_auth::secret::Secret;
use tidings_core::audience::Role;
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use crate::presets::input;
use crate::world::World;

/// A time at which the valid fixtures are valid, and the expired ones are not.
const THEN: Timestamp = Timestamp(1_900_000_000_000);

const AUDIENCE: &str = "tidings";
const API: &str = "https://api.example.com";
const APP: &str = "https://app.example.com";
const COGNITO_CLIENT: &str = "57cbishk4j24pabc1234567890";

fn fixtures(list: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../fixtures/tokens.json")).expect("JSON");
    all[list].as_array().expect("a list").clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

async fn verify(policy: &Policy, token: &str) -> Result<Proven, AuthFailure> {
    let world = World::new(vec![policy.clone()]).expect("a good policy");
    let issuers: &Issuers = &world.issuers;
    issuers.verify(token, THEN).await
}

/// The token with one bit of one part changed, in the middle of it.
fn with_changed_bit(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut bytes = URL_SAFE_NO_PAD.decode(&parts[part]).expect("base64url");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    parts[part] = URL_SAFE_NO_PAD.encode(bytes);
    parts.join(".")
}

/// Accepted as it is, and in no other way.
async fn accepted_and_no_other(policy: &Policy, fixture: &Value) -> Proven {
    let token = text(&fixture["valid"]);
    let name = &policy.name;
    let proven = verify(policy, token).await;
    let proven = proven.unwrap_or_else(|failure| panic!("{name}: {failure}"));
    for part in 0..3 {
        let changed = with_changed_bit(token, part);
        verify(policy, &changed)
            .await
            .expect_err("a bit was changed");
    }
    let changed = verify(policy, &with_changed_bit(token, 2)).await;
    assert_eq!(changed, Err(AuthFailure::NotTrusted), "{name}");
    let expired = verify(policy, text(&fixture["expired"])).await;
    assert_eq!(expired, Err(AuthFailure::Expired), "{name}");
    proven
}

fn shown(roles: &[Role]) -> Vec<&str> {
    roles.iter().map(Role::as_str).collect()
}

#[tokio::test]
async fn a1_the_token_of_every_algorithm_is_accepted_by_its_key_alone() {
    let fixtures = fixtures("algorithms");
    assert_eq!(fixtures.len(), 6);
    for fixture in &fixtures {
        let algorithm: Algorithm = text(&fixture["algorithm"]).parse().expect("known");
        let policy = plain(fixture, algorithm);
        let proven = accepted_and_no_other(&policy, fixture).await;
        assert_eq!(proven.subject.expect("somebody").as_str(), "u1");
        assert_eq!(shown(&proven.roles), ["ADMIN"]);

        let mut elsewhere = policy.clone();
        elsewhere.audiences = vec!["elsewhere".to_owned()];
        let refused = verify(&elsewhere, text(&fixture["valid"])).await;
        let is_named = matches!(&refused, Err(AuthFailure::Claim { claim, .. }) if claim == "aud");
        assert!(is_named, "{refused:?}");
        let others = fixtures.iter().filter(|other| *other != fixture);
        for other in others {
            let refused = verify(&policy, text(&other["valid"])).await;
            assert_eq!(refused, Err(AuthFailure::NotTrusted), "{algorithm}");
        }
    }
}

/// The policy of an issuer without a preset of its own, who signs by one algorithm.
fn plain(fixture: &Value, algorithm: Algorithm) -> Policy {
    let mut policy = Preset::Plain.policy(PresetInput {
        audiences: vec![AUDIENCE.to_owned()],
        ..input("https://id.example.com")
    });
    let policy = policy.as_mut().expect("a good policy");
    policy.algorithms = vec![algorithm];
    policy.keys = if algorithm.is_symmetric() {
        let secret = URL_SAFE_NO_PAD.decode(text(&fixture["jwks"]["keys"][0]["k"]));
        Keys::Secret(vec![Secret::new(secret.expect("base64url"))])
    } else {
        Keys::Static(vec![fixture["jwks"].to_string()])
    };
    policy.clone()
}

/// The preset of a shape for whom its tokens are made, and for somebody else; the roles that they
/// come to; the claim by which the others are refused.
fn preset(
    shape: &str,
    at: &str,
) -> (
    [PresetInput; 2],
    Preset,
    &'static [&'static str],
    &'static str,
) {
    let parties = |party: &str| PresetInput {
        authorized_parties: vec![party.to_owned()],
        ..input(at)
    };
    let audiences = |audience: &str| PresetInput {
        audiences: vec![audience.to_owned()],
        ..input(at)
    };
    let client = |client: &str| PresetInput {
        client: Some(client.to_owned()),
        ..input(at)
    };
    let other = "https://other.example.com";
    let clerk = [parties(APP), parties(other)];
    match shape {
        "clerkV1" => (clerk, Preset::Clerk, &["org:admin"], "azp"),
        "clerkV2" => (clerk, Preset::Clerk, &["admin"], "azp"),
        "auth0" => {
            let inputs = [audiences(API), audiences(other)];
            (inputs, Preset::Auth0, &["admin", "editor"], "aud")
        }
        "supabase" => {
            let inputs = [input(at), audiences(other)];
            (inputs, Preset::Supabase, &["admin", "authenticated"], "aud")
        }
        "keycloak" => {
            let inputs = [client("web"), client("other")];
            let roles = &["admin", "editor", "offline_access"];
            (inputs, Preset::Keycloak, roles, "azp")
        }
        "cognito" => {
            let inputs = [client(COGNITO_CLIENT), client("other")];
            (inputs, Preset::Cognito, &["admin", "editor"], "client_id")
        }
        other => panic!("no preset for {other}"),
    }
}

#[tokio::test]
async fn a3_tokens_in_documented_shapes_are_accepted_by_their_presets() {
    let fixtures = fixtures("providers");
    assert_eq!(fixtures.len(), 6);
    for fixture in &fixtures {
        let shape = text(&fixture["shape"]);
        let (inputs, preset, roles, claim) = preset(shape, text(&fixture["issuer"]));
        let [ours, others] = inputs.map(|input| {
            let mut policy = preset.policy(input).expect(shape);
            policy.keys = Keys::Static(vec![fixture["jwks"].to_string()]);
            if preset == Preset::Auth0 {
                // Each tenant names this claim itself.
                let path = r"https://app\.example\.com/roles".parse().expect("a path");
                policy = policy.with_roles(path);
            }
            policy
        });
        assert_eq!(ours.issuer, text(&fixture["issuer"]), "{shape}");
        let proven = accepted_and_no_other(&ours, fixture).await;
        let subject = proven.subject.expect("somebody");
        assert_eq!(subject.as_str(), text(&fixture["subject"]), "{shape}");
        assert_eq!(shown(&proven.roles), roles, "{shape}");
        let refused = verify(&others, text(&fixture["valid"])).await;
        let is_named =
            matches!(&refused, Err(AuthFailure::Claim { claim: named, .. }) if named == claim);
        assert!(is_named, "{shape}: {refused:?}");
    }
}
