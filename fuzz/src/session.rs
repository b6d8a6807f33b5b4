//! Session cookies: forged ones, and such as only an application with the secret makes.

use std::collections::HashSet;
use std::sync::LazyLock;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use serde_json::{Map, Value};
use sha2::Sha256;
use tidings_auth::claims::path::ClaimPath;
use tidings_auth::claims::{Layout, RoleSource};
use tidings_auth::issuer::StreamLife;
use tidings_auth::provider::Proven;
use tidings_auth::secret::Secret;
use tidings_auth::session::{COOKIE_NAMES_DEFAULT, Policy, SessionCookie};
use tidings_core::audience::Subject;
use tidings_core::port::{AuthFailure, Presented};

use crate::world::{NOW, nothing, prove, sessions, text};

/// An application with the secrets of the fixtures.
pub(crate) static PROVIDER: LazyLock<SessionCookie> = LazyLock::new(|| {
    let fixtures = sessions();
    let path = |text: &str| text.parse::<ClaimPath>().expect("a path");
    SessionCookie::new(Policy {
        name: "portal".parse().expect("a name"),
        secrets: vec![
            Secret::from(text(&fixtures, "/secrets/0")),
            Secret::from(text(&fixtures, "/secrets/1")),
        ],
        cookie_names: COOKIE_NAMES_DEFAULT.map(str::to_owned).to_vec(),
        layout: Layout {
            subject: path("sub"),
            roles: ["roles", "user.roles"]
                .map(|text| RoleSource::from(path(text)))
                .to_vec(),
            grants: Some(path("tidings")),
        },
        qualify: false,
        others: Vec::new(),
        stream_life: StreamLife::WithToken,
    })
    .expect("a good policy")
});

/// Whole values of cookies that the libraries made with one of the secrets.
static GENUINE: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let fixtures = sessions();
    let lists = ["valid", "byId"].map(|list| fixtures[list].as_array().expect("a list").clone());
    let whole = |session: &Value| {
        let parts = session["cookies"].as_array().expect("a list").iter();
        parts.map(|part| text(part, "/1").to_owned()).collect()
    };
    lists.iter().flatten().map(whole).collect()
});

/// Those of them that are good under either name: `NextAuth` 4 does not bind them to it.
static PLAIN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let fixtures = sessions();
    vec![text(&fixtures, "/valid/1/cookies/0/1").to_owned()]
});

/// Input: cookies, one per line, each a name, `=` and a value.
pub fn session_cookie(data: &[u8]) {
    let Ok(input) = str::from_utf8(data) else {
        return;
    };
    let cookies: Vec<(&str, &str)> = input
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    match present(&cookies) {
        Ok(None) => {
            let mut names = cookies.iter().filter(|cookie| !cookie.1.is_empty());
            let is_ours = |name: &str| COOKIE_NAMES_DEFAULT.contains(&name);
            assert!(
                !names.any(|cookie| is_ours(cookie.0)),
                "a session was overlooked"
            );
        }
        Ok(Some(proven)) => {
            let is_there = GENUINE.iter().any(|whole| is_joined(whole, &cookies));
            assert!(is_there, "a forgery was accepted");
            assert!(proven.subject.is_some() && proven.credential.is_ambient);
        }
        Err(failure) => {
            let is_good = |whole: &String| matches!(cookies[..], [(_, value)] if value == whole);
            let is_listed = |name: &&str| COOKIE_NAMES_DEFAULT.contains(name);
            let is_refused = cookies.iter().all(|(name, _)| is_listed(name));
            assert!(
                !is_refused || !PLAIN.iter().any(is_good),
                "a good session was refused: {failure}"
            );
        }
    }
}

/// Whether a value is there whole, or in parts in the order of their numbers.
fn is_joined(whole: &str, cookies: &[(&str, &str)]) -> bool {
    cookies.iter().any(|(name, value)| {
        let stem = name.strip_suffix(".0").unwrap_or(name);
        let parts = (0..).map_while(|number| {
            let name = format!("{stem}.{number}");
            let part = cookies
                .iter()
                .find(|cookie| cookie.0 == name && !cookie.1.is_empty());
            part.map(|cookie| cookie.1)
        });
        *value == whole || parts.collect::<String>() == whole
    })
}

/// Input: the content of a session, which gets encrypted as `NextAuth` 4 does it.
pub fn session_claims(data: &[u8]) {
    let fixtures = sessions_secret();
    let token = sealed(fixtures, data);
    let Ok(Some(proven)) = present(&[("next-auth.session-token", &token)]) else {
        return;
    };
    let claims: Map<String, Value> = serde_json::from_slice(data).expect("claims are an object");
    assert_eq!(*proven.claims, claims);
    let subject = proven.subject.as_ref().map(Subject::as_str);
    assert_eq!(subject, claims.get("sub").and_then(Value::as_str));
    let end = claims
        .get("exp")
        .and_then(Value::as_f64)
        .expect("a session ends");
    assert!((end + 15.0) * 1_000.0 > NOW.0 as f64, "it has ended");
    assert!(proven.credential.is_ambient && !proven.is_final);
    assert_eq!(proven.issuer.as_deref(), Some("portal"));
}

/// What the session provider says of cookies.
pub(crate) fn present(cookies: &[(&str, &str)]) -> Result<Option<Proven>, AuthFailure> {
    let presented = Presented {
        cookies,
        ..nothing()
    };
    prove(&*PROVIDER, presented)
}

fn sessions_secret() -> &'static [u8; 32] {
    static KEY: LazyLock<[u8; 32]> = LazyLock::new(|| {
        let fixtures = sessions();
        let secret = text(&fixtures, "/secrets/0").as_bytes();
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(Some(b""), secret)
            .expand(b"NextAuth.js Generated Encryption Key", &mut key)
            .expect("32 bytes are not too many");
        key
    });
    &KEY
}

fn sealed(key: &[u8; 32], content: &[u8]) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM"}"#);
    let vector = [7; 12];
    let payload = Payload {
        msg: content,
        aad: header.as_bytes(),
    };
    let cipher = Aes256Gcm::new(key.into());
    let sealed = cipher
        .encrypt(&Nonce::from(vector), payload)
        .expect("it is short enough");
    let (content, tag) = sealed.split_at(sealed.len() - 16);
    let [vector, content, tag] = [&vector, content, tag].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}..{vector}.{content}.{tag}")
}
