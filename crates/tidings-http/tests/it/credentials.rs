//! The credentials of these tests: a few known words, and tokens that say what they prove.

use std::sync::Arc;

use tidings_auth::provider::{ProofFuture, Proven, Provider};
use tidings_core::audience::{Role, Subject};
use tidings_core::credential::{Credential, CredentialId};
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::pattern::Pattern;
use tidings_core::port::{AuthFailure, Presented};
use tidings_core::time::Timestamp;

/// Knows these tokens: `admin`, `writer`, `reader`, `nobody`, and `brief`, which is a writer's and
/// ends after a minute. `late` has just ended and passes for leeway, `expired` does not. `malformed`,
/// `forged`, `early` and `unnamed` are refused for these faults, `down` cannot be checked, and `bug`
/// panics. `tenant-a` and `tenant-b` may do everything below `a` and `b`, and nothing else.
///
/// The same words count as API keys in `x-api-key`, and as sessions in the cookie `session`, which
/// browsers send by themselves. Tickets and stream tokens are the hub's own.
///
/// A token that begins with `~` says itself what it proves, see [`made`].
#[derive(Debug)]
pub(crate) struct Tokens;

impl Tokens {
    fn identify(presented: &Presented<'_>) -> Result<Option<Proven>, AuthFailure> {
        if let Some(token) = presented.bearer {
            return Self::known(token, presented.now);
        }
        if let Some(key) = presented.header("x-api-key") {
            let key = str::from_utf8(key).expect("a key of these tests");
            return Self::known(key, presented.now)?
                .ok_or(AuthFailure::Unknown)
                .map(Some);
        }
        if let Some(session) = presented.cookie("session") {
            let mut proven = Self::known(session, presented.now)?.ok_or(AuthFailure::Denied)?;
            proven.credential.is_ambient = true;
            return Ok(Some(proven));
        }
        let user = presented.development_user;
        Ok(user.map(|user| proven(user, &[], &["**"], false)))
    }

    fn known(token: &str, now: Timestamp) -> Result<Option<Proven>, AuthFailure> {
        let writes = ["project/**", "@all", "@user/*"];
        Ok(Some(match token {
            "admin" => proven("root", &[], &[], true),
            "writer" => proven("w1", &writes, &["project/**"], false),
            "reader" => proven("r1", &[], &["project/*"], false),
            "nobody" => proven("n1", &[], &[], false),
            "brief" => Proven {
                expires_at: Some(Timestamp(now.0 + 60_000)),
                ..proven("w1", &writes, &["project/**"], false)
            },
            "late" => Proven {
                expires_at: Some(now),
                ..proven("w1", &writes, &["project/**"], false)
            },
            "tenant-a" => proven("alice", &["a/**"], &["a/**"], false),
            "tenant-b" => proven("bob", &["b/**"], &["b/**"], false),
            "expired" => return Err(AuthFailure::Expired),
            "malformed" => return Err(AuthFailure::Malformed("it has two parts".to_owned())),
            "forged" => return Err(AuthFailure::NotTrusted),
            "early" => return Err(AuthFailure::NotYetValid),
            "unnamed" => {
                return Err(AuthFailure::Claim {
                    claim: "sub".to_owned(),
                    problem: "is missing".to_owned(),
                });
            }
            "down" => return Err(AuthFailure::Unavailable),
            "bug" => panic!("the authenticator has a bug"),
            _ if token.starts_with('~') => made(token, now),
            _ => return Ok(None),
        }))
    }
}

impl Provider for Tokens {
    fn name(&self) -> &'static str {
        "tokens"
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(async move { Self::identify(&presented) })
    }
}

fn proven(subject: &str, publish: &[&str], subscribe: &[&str], administer: bool) -> Proven {
    Proven {
        subject: Subject::parse(subject).ok(),
        roles: vec![Role::parse("USER").expect("role")],
        grants: Grants {
            publish: publish
                .iter()
                .map(|text| PublishGrant::parse(text).expect(text))
                .collect(),
            subscribe: subscribe
                .iter()
                .map(|text| Pattern::parse(text).expect(text))
                .collect(),
            administer,
            ..Grants::default()
        },
        credential: Credential {
            id: CredentialId::parse(&format!("token:test:{subject}")).ok(),
            ..Credential::default()
        },
        ..Proven::default()
    }
}

/// `~<subject>~<name>=<value>...`: `id` names the credential, `read` and `write` are lists of grants,
/// `ends` says in how many milliseconds it ends, `issued` when it was issued; `everyone` lets nobody
/// hear what is for everyone, `role` is its one role, `workspace` is a claim of that name. Without a subject it is nobody's.
fn made(token: &str, now: Timestamp) -> Proven {
    let mut parts = token.split('~').skip(1);
    let mut proven = proven(parts.next().unwrap_or_default(), &[], &[], false);
    if proven.subject.is_none() {
        proven.roles.clear();
    }
    proven.credential.id = None;
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let number = || value.parse::<u64>().expect(part);
        let items = value.split(',').filter(|item| !item.is_empty());
        match name {
            "id" => proven.credential.id = Some(CredentialId::parse(value).expect(part)),
            "read" => {
                proven.grants.subscribe = items
                    .map(|text| Pattern::parse(text).expect(text))
                    .collect();
            }
            "write" => {
                let grants = items.map(|text| PublishGrant::parse(text).expect(text));
                proven.grants.publish = grants.collect();
            }
            "ends" => proven.expires_at = Some(Timestamp(now.0 + number())),
            "issued" => proven.credential.issued_at = Some(Timestamp(number())),
            "role" => proven.roles = vec![Role::parse(value).expect(part)],
            "everyone" => proven.grants.hear_everyone = true,
            "workspace" => {
                let claims = [("workspace_id".to_owned(), value.into())];
                proven.claims = Arc::new(claims.into_iter().collect());
            }
            _ => panic!("no token says `{part}`"),
        }
    }
    proven
}
