//! Making tokens that the JWT provider accepts: for `tidings token` and for tests.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use tidings_core::audience::{Role, Subject};
use tidings_core::grant::Grants;
use tidings_core::time::Timestamp;

use crate::jwt::SigningKey;
use crate::limits::TOKEN_ID_RANDOM_BYTES;
use crate::secret::{Secret, WeakSecret};

/// Signs tokens with one secret by HS256.
pub struct Minter {
    key: SigningKey,
}

/// What a token is to say.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Who.
    pub subject: Subject,
    /// With which roles.
    pub roles: Vec<Role>,
    /// What it may do.
    pub grants: Grants,
    /// From when it counts.
    pub issued_at: Timestamp,
    /// Until when it counts; cut to the whole second before.
    pub expires_at: Timestamp,
}

/// The token got no name, because this machine gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the token cannot be made: there are no random numbers")]
pub struct MintError(#[source] getrandom::Error);

impl Minter {
    /// A minter for one secret.
    pub fn new(secret: &Secret) -> Result<Self, WeakSecret> {
        secret.for_signing()?;
        Ok(Self {
            key: SigningKey::new(secret.expose()),
        })
    }

    /// Makes one token, with a random name (`jti`) by which it can be revoked.
    pub fn mint(&self, request: &TokenRequest) -> Result<String, MintError> {
        let mut id = [0; TOKEN_ID_RANDOM_BYTES];
        getrandom::fill(&mut id).map_err(MintError)?;
        let mut claims = Map::new();
        claims.insert("jti".to_owned(), json!(URL_SAFE_NO_PAD.encode(id)));
        claims.insert("sub".to_owned(), json!(request.subject.as_str()));
        claims.insert("iat".to_owned(), json!(request.issued_at.0 / 1_000));
        claims.insert("exp".to_owned(), json!(request.expires_at.0 / 1_000));
        if !request.roles.is_empty() {
            let roles: Vec<&str> = request.roles.iter().map(Role::as_str).collect();
            claims.insert("roles".to_owned(), json!(roles));
        }
        let grants = grants(&request.grants);
        if !grants.is_empty() {
            claims.insert("tidings".to_owned(), Value::Object(grants));
        }
        Ok(self.key.token("JWT", &Value::Object(claims)))
    }
}

fn grants(grants: &Grants) -> Map<String, Value> {
    let texts = |entries: &mut dyn Iterator<Item = String>| json!(entries.collect::<Vec<_>>());
    let mut claim = Map::new();
    if !grants.subscribe.is_empty() {
        let patterns = texts(&mut grants.subscribe.iter().map(ToString::to_string));
        claim.insert("subscribe".to_owned(), patterns);
    }
    if !grants.publish.is_empty() {
        let patterns = texts(&mut grants.publish.iter().map(ToString::to_string));
        claim.insert("publish".to_owned(), patterns);
    }
    if grants.administer {
        claim.insert("admin".to_owned(), json!(true));
    }
    claim
}

impl std::fmt::Debug for Minter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minter").finish_non_exhaustive()
    }
}
