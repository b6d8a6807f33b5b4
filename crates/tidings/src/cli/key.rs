//! `tidings key`: make, list and revoke API keys, also beside a running hub.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;

use tidings_auth::key::{self, KeyError, KeyRequest, Keys};
use tidings_auth::store::LocalStore;
use tidings_core::audience::{Role, Subject};
use tidings_core::credential::CredentialId;
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::pattern::Pattern;
use tidings_core::port::{Clock, SharedStore};
use tidings_core::revocation::{Revocation, Revoked};
use tidings_core::time::{Rfc3339, Timestamp};

use super::data_dir::DataDir;
use super::failure::Failure;
use super::revoke::{self, journal_failure};
use super::token::ttl;
use super::{print, tell};
use crate::clock::SystemClock;

/// How long the revocation of what was made with a key is remembered: longer than any ticket or
/// stream token of it lives. The key itself stays revoked.
const DERIVED_REMEMBERED: Duration = Duration::from_secs(24 * 3_600);

/// Makes, lists and revokes API keys of a hub, which may be running.
#[derive(Debug, Args)]
pub(super) struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Create(Create),
    List(List),
    Revoke(RevokeKey),
}

/// Makes a key, and prints it: the only time that it is shown.
#[derive(Debug, Args)]
struct Create {
    /// What the key is for, in words.
    #[arg(long, value_name = "NAME")]
    name: String,

    /// Who the key is.
    #[arg(long, value_name = "SUBJECT", value_parser = Subject::parse)]
    subject: Subject,

    /// Role of the subject.
    #[arg(long = "role", value_name = "ROLE", value_parser = Role::parse)]
    roles: Vec<Role>,

    /// Topics that may be read, such as `project/**`.
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
    subscribe: Vec<Pattern>,

    /// What may be published to: topics, `@user/*`, `@role/*`, `@all`.
    #[arg(long, value_name = "PATTERN", value_parser = PublishGrant::parse)]
    publish: Vec<PublishGrant>,

    /// Allows administering the hub, and publishing to everyone.
    #[arg(long)]
    admin: bool,

    /// How long the key is valid, such as `90d`; without it, until it is revoked.
    #[arg(long, value_name = "DURATION", value_parser = ttl)]
    ttl: Option<Duration>,

    #[command(flatten)]
    data_dir: DataDir,
}

/// Lists all keys, without their secrets.
#[derive(Debug, Args)]
struct List {
    /// Prints one JSON object per line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    data_dir: DataDir,
}

/// Revokes a key for good, and ends what was opened with it.
#[derive(Debug, Args)]
struct RevokeKey {
    /// Public part of the key, as `list` shows it.
    id: String,

    #[command(flatten)]
    data_dir: DataDir,
}

impl Key {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let now = SystemClock::default().now();
        match self.action {
            Action::Create(create) => create.run(now),
            Action::List(list) => list.run(now),
            Action::Revoke(revoke) => revoke.run(now),
        }
    }
}

impl Create {
    fn run(self, now: Timestamp) -> anyhow::Result<()> {
        let data_dir = self.data_dir.resolve()?;
        let keys = Keys::open(&data_dir).map_err(|error| journal_failure(&error))?;
        let request = KeyRequest {
            name: self.name,
            subject: self.subject,
            roles: self.roles,
            grants: Grants {
                publish: self.publish,
                subscribe: self.subscribe,
                administer: self.admin,
                ..Grants::default()
            },
            expires_at: self.ttl.map(|ttl| now.plus(ttl)),
        };
        let made = keys.create(request, now).map_err(failure)?;
        print(made.expose())?;
        tell(&format!(
            "made the key `{}` of the hub with its data in `{}`; it is not shown again",
            made.key.id,
            data_dir.display()
        ));
        Ok(())
    }
}

impl List {
    fn run(self, now: Timestamp) -> anyhow::Result<()> {
        let data_dir = self.data_dir.resolve()?;
        let keys = Keys::open(&data_dir).map_err(|error| journal_failure(&error))?;
        let keys = keys.list();
        if keys.is_empty() {
            tell(&format!("there are no keys in `{}`", data_dir.display()));
        }
        for key in keys {
            print(&if self.json {
                object(&key, now)
            } else {
                line(&key, now)
            })?;
        }
        Ok(())
    }
}

impl RevokeKey {
    fn run(self, now: Timestamp) -> anyhow::Result<()> {
        let data_dir = self.data_dir.resolve()?;
        let keys = Keys::open(&data_dir).map_err(|error| journal_failure(&error))?;
        let known = keys.list();
        let Some(key) = known.iter().find(|key| *key.id == *self.id) else {
            return Err(failure(KeyError::Unknown(self.id)).into());
        };
        let store = LocalStore::open(&data_dir).map_err(|error| journal_failure(&error))?;
        // What was opened with it first: a key that cannot be used any more looks as if all were
        // done.
        revoke::now(store.revoke(Revocation {
            what: Revoked::Credential(CredentialId::Key(key.id.clone())),
            at: now,
            until: now.plus(DERIVED_REMEMBERED),
            issued_before: None,
        }))?;
        keys.revoke(&key.id, now).map_err(failure)?;
        tell(&format!(
            "revoked the key `{}`; a running hub ends what was opened with it within two seconds",
            key.id
        ));
        Ok(())
    }
}

fn line(key: &key::Key, now: Timestamp) -> String {
    let state = key.state(now).as_str();
    let end = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", Rfc3339(at)),
        (None, Some(end)) => format!("ends {}", Rfc3339(end)),
        (None, None) => "without end".to_owned(),
    };
    let (id, made) = (&key.id, Rfc3339(key.created_at));
    let (subject, name) = (&key.subject, &key.name);
    format!("{id}  {state:7}  made {made}  {end}  {subject}  {name}")
}

fn object(key: &key::Key, now: Timestamp) -> String {
    let texts = |entries: &mut dyn Iterator<Item = String>| entries.collect::<Vec<_>>();
    json!({
        "id": &*key.id,
        "state": key.state(now).as_str(),
        "name": key.name,
        "subject": key.subject.as_str(),
        "roles": texts(&mut key.roles.iter().map(ToString::to_string)),
        "subscribe": texts(&mut key.grants.subscribe.iter().map(ToString::to_string)),
        "publish": texts(&mut key.grants.publish.iter().map(ToString::to_string)),
        "admin": key.grants.administer,
        "createdAt": key.created_at.0,
        "expiresAt": key.expires_at.map(|time| time.0),
        "revokedAt": key.revoked_at.map(|time| time.0),
    })
    .to_string()
}

fn failure(error: KeyError) -> Failure {
    let hint = error.hint();
    match error {
        KeyError::Journal(error) => journal_failure(&error),
        other => Failure::new(other.to_string()).hint(hint),
    }
}
