//! API keys: one character more, less or other, and it is no key.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};
use tidings_auth::key::{KeyProvider, KeyRequest, Keys};
use tidings_core::audience::Subject;
use tidings_core::grant::Grants;
use tidings_core::port::Presented;

use crate::input::edited;
use crate::world::{NOW, nothing, prove};

/// Digits of keys.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of a check sum.
const SUM_CHARACTERS: usize = 6;

/// A hub with one key, and the key.
static WORLD: LazyLock<(KeyProvider, String)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = Keys::open(folder.path()).expect("an empty journal");
    let created = keys
        .create(
            KeyRequest {
                name: "for the fuzzer".to_owned(),
                subject: Subject::parse("u1").expect("a subject"),
                roles: Vec::new(),
                grants: Grants::default(),
                expires_at: None,
            },
            NOW,
        )
        .expect("a key");
    (KeyProvider::new(keys), created.expose().to_owned())
});

/// Input: whether the check sum is made right again, and where the key stands; then edits of the key, or
/// without any the text that follows `=`.
pub fn api_key(data: &[u8]) {
    let Some((how, data)) = data.split_first() else {
        return;
    };
    let (provider, key) = &*WORLD;
    let mut text = match data.strip_prefix(b"=") {
        Some(raw) => String::from_utf8_lossy(raw).into_owned(),
        None => edited(key, data),
    };
    if how & 1 == 1 {
        text = with_right_sum(&text);
    }
    let in_header = how & 2 == 2;
    let headers = [("x-api-key", text.as_bytes())];
    let presented = Presented {
        bearer: (!in_header).then_some(text.as_str()),
        headers: if in_header { &headers } else { &[] },
        ..nothing()
    };
    match prove(provider, presented) {
        Ok(None) => assert!(!text.starts_with("tdk_")),
        Ok(Some(proven)) => {
            assert_eq!(text, *key, "a forgery was accepted");
            assert_eq!(proven.subject.as_ref().map(Subject::as_str), Some("u1"));
        }
        Err(failure) => {
            assert_ne!(text, *key);
            // What is said of it must not be said by it.
            let words = failure.to_string();
            assert!(text.len() < 8 || !words.contains(&text));
        }
    }
}

/// The text with the check sum that is published for what stands before it.
fn with_right_sum(text: &str) -> String {
    let Some((head, _)) = text.split_at_checked(text.len().saturating_sub(SUM_CHARACTERS)) else {
        return text.to_owned();
    };
    let digest = Sha256::digest(head.as_bytes());
    let first = digest.iter().take(8);
    let mut number = first.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut whole = head.to_owned();
    for _ in 0..SUM_CHARACTERS {
        whole.push(char::from(DIGITS[(number % 62) as usize]));
        number /= 62;
    }
    whole
}
