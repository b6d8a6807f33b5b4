//! `tidings token`: make a token, and print nothing else.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::Args;

use tidings_auth::limits::TOKEN_BYTES_MAX;
use tidings_auth::mint::{Minter, TokenRequest};
use tidings_core::audience::{Role, Subject};
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::limits::{PATTERNS_PER_CLAIM_MAX, ROLES_PER_IDENTITY_MAX};
use tidings_core::pattern::Pattern;
use tidings_core::time::Timestamp;

use super::failure::Failure;
use crate::settings::origin::{Origin, Sourced};
use crate::settings::{Environment, Layer, Sources, gather};

/// Makes a token, signed with the secret of the settings or of the development hub in this
/// directory.
#[derive(Debug, Args)]
pub(super) struct Token {
    /// Who the token is for.
    #[arg(long, value_name = "SUBJECT", value_parser = Subject::parse)]
    sub: Subject,

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

    /// How long the token is valid.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = ttl)]
    ttl: Duration,

    /// Settings file; without it, `tidings.toml` in the working directory if it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Data directory of the development hub.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Token {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.check_numbers()?;
        let flags = Layer {
            data_dir: self.data_dir.map(|value| Sourced {
                value,
                origin: Origin::Flag("--data-dir"),
            }),
            ..Layer::default()
        };
        let secret = gather(Sources {
            config: self.config,
            environment: &Environment::of_process(),
            flags,
            development: true,
        })
        .token_secret()?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .context("the clock of this machine stands before 1970")?;
        let issued_at = Timestamp(now.as_millis() as u64);
        let token = Minter::new(&secret)?.mint(&TokenRequest {
            subject: self.sub,
            roles: self.roles,
            grants: Grants {
                publish: self.publish,
                subscribe: self.subscribe,
                administer: self.admin,
                ..Grants::default()
            },
            issued_at,
            expires_at: issued_at.plus(self.ttl),
        })?;
        if token.len() > TOKEN_BYTES_MAX {
            let message = format!("the token would have more than {TOKEN_BYTES_MAX} bytes");
            return Err(Failure::new(message)
                .hint("use fewer and wider patterns")
                .into());
        }
        super::print(&token)?;
        Ok(())
    }

    /// Refuses what the hub would refuse.
    fn check_numbers(&self) -> Result<(), Failure> {
        for (flag, number, max) in [
            ("--role", self.roles.len(), ROLES_PER_IDENTITY_MAX),
            ("--subscribe", self.subscribe.len(), PATTERNS_PER_CLAIM_MAX),
            ("--publish", self.publish.len(), PATTERNS_PER_CLAIM_MAX),
        ] {
            if number > max {
                let message = format!("`{flag}` is given more than {max} times: {number}");
                return Err(Failure::new(message).hint("use a pattern such as `project/**`"));
            }
        }
        Ok(())
    }
}

/// A token that ends at once is a mistake.
pub(super) fn ttl(text: &str) -> Result<Duration, String> {
    match super::duration(text) {
        Ok(ttl) if ttl < Duration::from_secs(1) => Err("it is shorter than one second".to_owned()),
        read => read,
    }
}
