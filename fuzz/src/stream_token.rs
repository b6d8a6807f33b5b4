//! Stream tokens: made for somebody, and changed on their way.

use std::sync::LazyLock;

use tidings_auth::secret::Secret;
use tidings_auth::stream_token::StreamTokens;
use tidings_core::credential::Serves;
use tidings_core::port::Presented;

use crate::input::edited;
use crate::ticket::somebody;
use crate::world::{NOW, SECRET, nothing, prove};

/// An office for them, and one of its tokens.
static WORLD: LazyLock<(StreamTokens, String)> = LazyLock::new(|| {
    let tokens = StreamTokens::new(&[Secret::from(SECRET)]).expect("a good secret");
    let identity = somebody("u1", &["a/*", "b/**"], &["EDITOR"]).expect("somebody");
    let token = tokens.mint(&identity, None, NOW).expect("a token");
    (tokens, token.expose().to_owned())
});

/// Input: edits of a token, or the text that follows `=`.
pub fn stream_token(data: &[u8]) {
    let (tokens, token) = &*WORLD;
    let text = match data.strip_prefix(b"=") {
        Some(raw) => String::from_utf8_lossy(raw).into_owned(),
        None => edited(token, data),
    };
    let presented = Presented {
        bearer: Some(&text),
        ..nothing()
    };
    match prove(tokens, presented) {
        Ok(None) => assert_ne!(text, *token),
        Ok(Some(proven)) => {
            assert_eq!(text, *token, "a forgery was accepted");
            assert_eq!(proven.credential.serves, Serves::Reading);
            assert!(proven.is_final && proven.grants.publish.is_empty());
            assert!(!proven.grants.administer);
        }
        Err(failure) => {
            assert_ne!(text, *token);
            drop(failure.to_string());
        }
    }
}
