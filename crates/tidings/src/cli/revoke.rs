//! `tidings revoke`: end credentials before their time, also beside a running hub.

use std::time::Duration;

use clap::Args;

use tidings_auth::journal::JournalError;
use tidings_auth::store::LocalStore;
use tidings_core::port::{Clock, SharedStore, StoreFuture};
use tidings_core::revocation::{Revocation, Revoked};
use tidings_core::start::Start;
use tidings_core::time::{Rfc3339, Timestamp};
use tidings_wire::query;

use super::connect::block_on;
use super::data_dir::DataDir;
use super::failure::Failure;
use super::token::ttl;
use super::{print, tell};
use crate::clock::SystemClock;

/// Revokes credentials before their time, and ends what was opened with them.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// Whose or which: `subject:<subject>`, `token:<issuer>:<jti>` or `key:<id>`.
    #[arg(value_parser = revoked, required_unless_present = "list")]
    what: Option<Revoked>,

    /// Spares credentials issued at this time or later: a time, a duration such as `10m` ago, or
    /// `now`.
    #[arg(long, value_name = "TIME", value_parser = query::since, conflicts_with = "lift")]
    issued_before: Option<Start>,

    /// How long it is remembered: longer than the credentials live.
    #[arg(long = "for", value_name = "DURATION", default_value = "30d", value_parser = ttl)]
    remembered: Duration,

    /// Takes the revocation back instead.
    #[arg(long)]
    lift: bool,

    /// Lists what is revoked instead.
    #[arg(long, conflicts_with_all = ["what", "lift", "issued_before"])]
    list: bool,

    #[command(flatten)]
    data_dir: DataDir,
}

fn revoked(text: &str) -> Result<Revoked, &'static str> {
    Revoked::parse(text)
        .map_err(|_| "expected `subject:<subject>`, `token:<issuer>:<jti>` or `key:<id>`")
}

impl Revoke {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let at = SystemClock::default().now();
        let issued_before = self
            .issued_before
            .map(|start| time(&start, at))
            .transpose()?;
        let data_dir = self.data_dir.resolve()?;
        let store = LocalStore::open(&data_dir).map_err(|error| journal_failure(&error))?;
        store.poll(at).map_err(|error| journal_failure(&error))?;
        let place = data_dir.display();
        let Some(what) = self.what else {
            return Ok(list(&store)?);
        };
        if self.lift {
            if !now(store.lift(what.clone()))? {
                let message = format!("`{what}` is not revoked in `{place}`");
                let hint = "`tidings revoke --list` shows what is";
                return Err(Failure::new(message).hint(hint).into());
            }
            tell(&format!(
                "`{what}` counts again; a running hub knows within two seconds"
            ));
            return Ok(());
        }
        let is_key = what.to_string().starts_with("key:");
        let until = at.plus(self.remembered);
        now(store.revoke(Revocation {
            what: what.clone(),
            at,
            until,
            issued_before,
        }))?;
        tell(&format!(
            "revoked `{what}` until {}; a running hub with its data in `{place}` ends what was opened \
             with it within two seconds",
            Rfc3339(until)
        ));
        if is_key {
            tell("hint: `tidings key revoke` ends a key for good");
        }
        Ok(())
    }
}

/// What a store of this process answers, with a hint where it does not.
pub(super) fn now<T>(answer: StoreFuture<'_, T>) -> anyhow::Result<T> {
    block_on(async {
        answer.await.map_err(|error| {
            Failure::new(error.to_string())
                .hint("run it as the user of the hub, and check `--data-dir`")
                .into()
        })
    })
}

/// The error of a journal with its causes and its hint.
pub(super) fn journal_failure(error: &JournalError) -> Failure {
    Failure::new(error.chain()).hint(error.hint())
}

fn time(start: &Start, now: Timestamp) -> Result<Timestamp, Failure> {
    match start {
        Start::Now => Ok(now),
        Start::Since(time) => Ok(*time),
        Start::Ago(duration) => Ok(now.minus(*duration)),
        Start::Earliest | Start::Last | Start::After(_) | Start::AfterId(_) | Start::Foreign => {
            let message = "`--issued-before` is not a time";
            let hint =
                "give a time such as `2026-01-31T12:00:00Z`, `10m` for that long ago, or `now`";
            Err(Failure::new(message).hint(hint))
        }
    }
}

fn list(store: &LocalStore) -> std::io::Result<()> {
    let revocations = store.revocations();
    let mut all: Vec<&Revocation> = revocations.iter().collect();
    all.sort_by(|a, b| (a.at, &a.what).cmp(&(b.at, &b.what)));
    if all.is_empty() {
        tell("nothing is revoked");
    }
    for one in all {
        let which = one.issued_before.map_or_else(String::new, |time| {
            format!("  issued before {}", Rfc3339(time))
        });
        let (what, at, until) = (&one.what, Rfc3339(one.at), Rfc3339(one.until));
        print(&format!("{what}  since {at}  until {until}{which}"))?;
    }
    Ok(())
}
