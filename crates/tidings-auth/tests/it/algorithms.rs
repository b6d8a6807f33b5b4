//! Algorithms and keys of foreign issuers (A1, A26): what verifies, and everything that must not.

use aws_lc_rs::hmac;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use tidings_auth::KeyFault;
use tidings_auth::issuer::{Keys, PolicyFault, SetupError};
use tidings_auth::jwt::Algorithm;
use tidings_auth::limits::RSA_BITS_MIN;
use tidings_auth::secret::{Secret, WeakSecret};
use tidings_core::port::AuthFailure;

use crate::forge::{SECRET, encode};
use crate::signer::Signer;
use crate::world::{World, claims, policy, policy_of};

fn public() -> impl Iterator<Item = Algorithm> {
    let all = Algorithm::ALL.into_iter();
    all.filter(|algorithm| !algorithm.is_symmetric())
}

fn fault(keys: Keys, algorithms: &[Algorithm]) -> PolicyFault {
    match World::new(vec![policy(keys, algorithms)]).map(drop) {
        Err(SetupError::Policy { issuer, fault }) => {
            assert_eq!(issuer.as_str(), "main");
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_listed_algorithm_verifies_from_json_and_from_pem() {
    for algorithm in public() {
        let signer = Signer::new(algorithm, "k1");
        for text in [signer.json_key().to_string(), signer.pem()] {
            let world = World::new(vec![policy(Keys::Static(vec![text]), &[algorithm])]);
            let world = world.expect("a good policy");
            let proven = world.verify(&signer.token(&claims())).await;
            let proven = proven.expect("signed by the issuer");
            assert_eq!(proven.issuer.as_deref(), Some("main"));
            let other = Signer::new(algorithm, "k1");
            let is_shared = matches!(algorithm.as_str().as_bytes()[0], b'R' | b'P');
            let forged = world.verify(&other.token(&claims())).await;
            assert_eq!(forged.is_err(), !is_shared, "{algorithm}: another key");
        }
    }
}

#[tokio::test]
async fn tokens_of_another_library_verify() {
    for algorithm in public().filter(|one| *one != Algorithm::Es512) {
        let signer = Signer::new(algorithm, "k1");
        let named: jsonwebtoken::Algorithm = algorithm.as_str().parse().expect("known there");
        let key = match algorithm.as_str().as_bytes()[0] {
            b'E' if algorithm == Algorithm::EdDsa => {
                EncodingKey::from_ed_der(&signer.private_der())
            }
            b'E' => EncodingKey::from_ec_der(&signer.private_der()),
            _ => EncodingKey::from_rsa_der(&signer.private_der()),
        };
        let header = jsonwebtoken::Header::new(named);
        let token = jsonwebtoken::encode(&header, &claims(), &key).expect("signed");
        let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
        let verified = world.verify(&token).await;
        assert!(verified.is_ok(), "{algorithm}: {verified:?}");
    }
    for (algorithm, named) in [
        (Algorithm::Hs256, jsonwebtoken::Algorithm::HS256),
        (Algorithm::Hs384, jsonwebtoken::Algorithm::HS384),
        (Algorithm::Hs512, jsonwebtoken::Algorithm::HS512),
    ] {
        let keys = Keys::Secret(vec![
            Secret::from("another secret of a good length, first"),
            Secret::from(SECRET),
        ]);
        let world = World::new(vec![policy(keys, &[algorithm])]).expect("a good policy");
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::new(named), &claims(), &key);
        world
            .verify(&token.expect("signed"))
            .await
            .expect("either secret counts");
    }
}

#[tokio::test]
async fn a1_a_public_key_is_never_a_secret() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let signer = Signer::new(algorithm, "k1");
        let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
        let pem = signer.pem();
        let secrets = [
            pem.clone().into_bytes(),
            pem.trim_end().as_bytes().to_vec(),
            signer.der(),
            signer.json_key().to_string().into_bytes(),
            Vec::new(),
        ];
        for secret in secrets {
            for kid in [json!("k1"), json!("k2")] {
                let header = json!({"alg": "HS256", "kid": kid});
                let message = format!(
                    "{}.{}",
                    encode(header.to_string()),
                    encode(claims().to_string())
                );
                let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
                let token = format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())));
                assert_eq!(world.verify(&token).await, Err(AuthFailure::NotTrusted));
            }
        }
        assert_eq!(world.unused.calls(), 0);
    }
}

#[tokio::test]
async fn a1_no_algorithm_stands_for_another() {
    for algorithm in public() {
        let signer = Signer::new(algorithm, "k1");
        let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
        for other in Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm)
        {
            let header = json!({"alg": other.as_str(), "kid": "k1"});
            let token = signer.token_of(&header, &claims());
            assert_eq!(
                world.verify(&token).await,
                Err(AuthFailure::NotTrusted),
                "{other}"
            );
        }
        for none in ["none", "None", "nOnE", ""] {
            let header = json!({"alg": none, "kid": "k1"});
            world
                .verify(&signer.token_of(&header, &claims()))
                .await
                .expect_err(none);
            let message = format!(
                "{}.{}.",
                encode(header.to_string()),
                encode(claims().to_string())
            );
            world.verify(&message).await.expect_err(none);
        }
    }
}

#[tokio::test]
async fn a1_an_rsa_key_serves_what_it_says_and_what_is_listed() {
    let signer = Signer::new(Algorithm::Ps256, "k1");
    let listed = [Algorithm::Rs256, Algorithm::Ps256];
    let rs256 = Signer::new(Algorithm::Rs256, "k1");
    let keys = |key: &Value| Keys::Static(vec![key.to_string()]);
    let said = World::new(vec![policy(keys(&signer.json_key()), &listed)]).expect("good");
    said.verify(&signer.token(&claims()))
        .await
        .expect("what it says");
    let other = said.verify(&rs256.token(&claims())).await;
    assert_eq!(other, Err(AuthFailure::NotTrusted));
    let mut silent = signer.json_key();
    silent.as_object_mut().expect("an object").remove("alg");
    let silent = World::new(vec![policy(keys(&silent), &listed)]).expect("good");
    for signer in [&signer, &rs256] {
        silent
            .verify(&signer.token(&claims()))
            .await
            .expect("what is listed");
    }
    let encrypts = json!({"kty": "RSA", "use": "enc", "n": signer.json_key()["n"], "e": "AQAB"});
    let fault = fault(keys(&encrypts), &listed);
    assert_eq!(
        fault,
        PolicyFault::Key {
            number: 1,
            fault: KeyFault::Unused
        }
    );
}

#[tokio::test]
async fn a1_signatures_of_zeros_and_changed_ones_do_not_pass() {
    for algorithm in public() {
        let signer = Signer::new(algorithm, "k1");
        let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
        let token = signer.token(&claims());
        let (message, _) = token.rsplit_once('.').expect("three parts");
        let good = signer.sign(message.as_bytes());
        let mut bad = vec![
            vec![0; good.len()],
            vec![0xff; good.len()],
            Vec::new(),
            good[..good.len() - 1].to_vec(),
            [&good[..], &[0]].concat(),
            // The distinguished encoding of (0, 0), as other protocols have it.
            vec![0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00],
        ];
        for at in [0, good.len() / 2, good.len() - 1] {
            let mut changed = good.clone();
            changed[at] ^= 1;
            bad.push(changed);
        }
        for signature in bad {
            let forged = format!("{message}.{}", encode(&signature));
            world.verify(&forged).await.expect_err(algorithm.as_str());
        }
        let whole = format!("{message}.{}", encode(&good));
        let verified = world.verify(&whole).await;
        assert!(verified.is_ok(), "{algorithm}: {verified:?}");
    }
}

#[tokio::test]
async fn a1_a_malleated_signature_of_curve25519_does_not_pass() {
    // The order of the group, little-endian: adding it to S gives the same point.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let signer = Signer::new(Algorithm::EdDsa, "k1");
    let world = World::new(vec![policy_of(&signer)]).expect("a good policy");
    let token = signer.token(&claims());
    let (message, _) = token.rsplit_once('.').expect("three parts");
    let mut signature = signer.sign(message.as_bytes());
    let mut carry = 0_u16;
    for (byte, added) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(added) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "S is below the order, so the sum fits");
    let forged = format!("{message}.{}", encode(&signature));
    assert_eq!(world.verify(&forged).await, Err(AuthFailure::NotTrusted));
}

#[test]
fn a1_points_of_small_order_are_no_keys() {
    let p_plus = |low: u8| {
        let mut bytes = [0xff; 32];
        bytes[0] = low;
        bytes[31] = 0x7f;
        bytes
    };
    let mut one = [0; 32];
    one[0] = 1;
    for point in [[0; 32], one, p_plus(0xec), p_plus(0xed), p_plus(0xee)] {
        for sign in [0, 0x80] {
            let mut point = point;
            point[31] |= sign;
            let key = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(point)}).to_string();
            let fault = fault(Keys::Static(vec![key]), &[Algorithm::EdDsa]);
            assert_eq!(
                fault,
                PolicyFault::Key {
                    number: 1,
                    fault: KeyFault::SmallOrder
                }
            );
        }
    }
}

#[test]
fn a26_secrets_and_public_keys_are_not_mixed() {
    use Algorithm::{Es256, Hs256, Rs256};
    let signer = Signer::new(Es256, "k1");
    let key = || Keys::Static(vec![signer.pem()]);
    let secret = || Keys::Secret(vec![Secret::from(SECRET)]);
    assert_eq!(fault(key(), &[]), PolicyFault::NoAlgorithm);
    assert_eq!(fault(key(), &[Hs256, Es256]), PolicyFault::MixedAlgorithms);
    assert_eq!(
        fault(secret(), &[Hs256, Rs256]),
        PolicyFault::MixedAlgorithms
    );
    assert_eq!(fault(key(), &[Hs256]), PolicyFault::OtherKeys);
    assert_eq!(fault(secret(), &[Rs256]), PolicyFault::OtherKeys);
    assert_eq!(
        fault(Keys::Static(Vec::new()), &[Rs256]),
        PolicyFault::NoKey
    );
    assert_eq!(
        fault(Keys::Secret(Vec::new()), &[Hs256]),
        PolicyFault::NoKey
    );
    let weak = Keys::Secret(vec![Secret::from("short")]);
    let weak = fault(weak, &[Hs256]);
    assert_eq!(weak, PolicyFault::Secret(WeakSecret::TooShort(5)));
    let public = Keys::Secret(vec![Secret::from(signer.pem().as_str())]);
    assert_eq!(fault(public, &[Hs256]), PolicyFault::PemAsSecret);
    let many = Keys::Static(vec![signer.pem(); 9]);
    assert_eq!(fault(many, &[Es256]), PolicyFault::TooManyKeys(9));
}

#[test]
fn a26_keys_that_are_no_public_keys_are_refused_with_the_reason() {
    let signer = Signer::new(Algorithm::EdDsa, "k1");
    let mut private = signer.json_key();
    private["d"] = json!(signer.seed().expect("of Curve25519"));
    let mut modulus = [0xff; RSA_BITS_MIN / 8];
    modulus[0] = 0x7f;
    let weak = json!({"kty": "RSA", "n": encode(modulus), "e": "AQAB"});
    let off_curve =
        json!({"kty": "EC", "crv": "P-256", "x": encode([1; 32]), "y": encode([1; 32])});
    let long = json!({"kty": "OKP", "crv": "Ed25519", "x": encode([9; 33])});
    let mut name = signer.json_key();
    name["kid"] = json!("k".repeat(257));
    for (text, expected) in [
        (private.to_string(), KeyFault::Private),
        (
            json!({"kty": "oct", "k": encode(SECRET)}).to_string(),
            KeyFault::Private,
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----".to_owned(),
            KeyFault::Private,
        ),
        (
            "-----BEGIN CERTIFICATE-----\nMC4=\n-----END CERTIFICATE-----".to_owned(),
            KeyFault::Form,
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nMC4=\n-----END PUBLIC KEY-----".to_owned(),
            KeyFault::Invalid,
        ),
        (String::new(), KeyFault::Form),
        ("[]".to_owned(), KeyFault::Form),
        (weak.to_string(), KeyFault::Weak(RSA_BITS_MIN - 1)),
        (off_curve.to_string(), KeyFault::Invalid),
        (long.to_string(), KeyFault::Invalid),
        (name.to_string(), KeyFault::Name),
        (
            json!({"kty": "OKP", "crv": "Ed448", "x": "AA"}).to_string(),
            KeyFault::Unused,
        ),
        (
            json!({"keys": [weak]}).to_string(),
            KeyFault::Weak(RSA_BITS_MIN - 1),
        ),
    ] {
        let listed = [Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Es256];
        let found = fault(Keys::Static(vec![text.clone()]), &listed);
        assert_eq!(
            found,
            PolicyFault::Key {
                number: 1,
                fault: expected
            },
            "{text}"
        );
    }
}
