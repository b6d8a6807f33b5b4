//! Signed tokens: whatever is not signed is not believed, and what is signed says what it says.

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;
use tidings_auth::issuer::{Issuers, Keys, Policy};
use tidings_auth::jwt::{Algorithm, JwtAuthenticator};
use tidings_auth::provider::Proven;
use tidings_auth::secret::Secret;
use tidings_core::audience::Subject;

use crate::input::lines;
use crate::world::{NOW, SECRET, clock, no_fetch, text, tokens};

/// Seconds by which clocks may differ.
const LEEWAY_SECONDS: u64 = 5;

/// The hub's own secret, and an issuer for each kind of public key.
static ISSUERS: LazyLock<Issuers> = LazyLock::new(|| {
    let own = JwtAuthenticator::new(&Secret::from(SECRET), Duration::from_secs(LEEWAY_SECONDS));
    let fixtures = tokens();
    let mut keys = Vec::new();
    let mut algorithms = Vec::new();
    for fixture in fixtures["algorithms"].as_array().expect("a list") {
        let algorithm: Algorithm = text(fixture, "/algorithm").parse().expect("an algorithm");
        // A secret beside public keys is refused, and rightly.
        if algorithm != Algorithm::Hs256 {
            keys.push(fixture["jwks"].to_string());
            algorithms.push(algorithm);
        }
    }
    let name = "main".parse().expect("a name");
    let policy = Policy::new(
        name,
        "https://id.example.com",
        Keys::Static(keys),
        algorithms,
    );
    Issuers::new(own.ok(), vec![policy], &no_fetch(), &clock()).expect("good policies")
});

/// The tokens of that issuer in the fixtures.
static GENUINE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let fixtures = tokens();
    let list = fixtures["algorithms"].as_array().expect("a list").iter();
    list.filter(|one| text(one, "/algorithm") != "HS256")
        .map(|one| text(one, "/valid").to_owned())
        .collect()
});

/// Input: a token.
pub fn jwt(data: &[u8]) {
    let Ok(token) = str::from_utf8(data) else {
        return;
    };
    let is_genuine = GENUINE.iter().any(|genuine| genuine == token);
    let proven = verify(token);
    assert!(!is_genuine || proven.is_some(), "a good token was refused");
    if let Some(proven) = proven {
        assert!(is_genuine || is_signed(token), "a forgery was accepted");
        assert!(proven.subject.is_some());
    }
}

/// Input: the header, on a line; then the claims. Both get signed with the hub's own secret.
pub fn jwt_claims(data: &[u8]) {
    let Some([header, claims]) = lines(data) else {
        return;
    };
    let message = format!("{}.{}", encode(header), encode(claims));
    let token = format!("{message}.{}", encode(mac(message.as_bytes())));
    let Some(proven) = verify(&token) else {
        return;
    };
    let header: Map<String, Value> = serde_json::from_str(header).expect("a header is an object");
    assert_eq!(header.get("alg").and_then(Value::as_str), Some("HS256"));
    assert!(!header.contains_key("crit"));
    let claims: Map<String, Value> = serde_json::from_str(claims).expect("claims are an object");
    assert_eq!(*proven.claims, claims);
    let subject = proven.subject.as_ref().map(Subject::as_str);
    assert_eq!(subject, claims.get("sub").and_then(Value::as_str));
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
    let now = NOW.0 as f64 / 1_000.0;
    let leeway = LEEWAY_SECONDS as f64;
    assert!(
        seconds("exp").is_some_and(|end| end + leeway > now),
        "it has ended"
    );
    assert!(seconds("nbf").is_none_or(|start| start.floor() <= now + leeway));
    assert!(proven.issuer.is_none() && !proven.credential.is_ambient);
}

fn verify(token: &str) -> Option<Proven> {
    let verified = ISSUERS.verify(token, NOW).now_or_never();
    let verified = verified.expect("nothing has to be waited for");
    // What a failure says is for people, and has to be text at least.
    verified
        .inspect_err(|failure| drop(failure.to_string()))
        .ok()
}

fn is_signed(token: &str) -> bool {
    token
        .rsplit_once('.')
        .is_some_and(|(message, signature)| encode(mac(message.as_bytes())) == signature)
}

fn mac(message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length will do");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
