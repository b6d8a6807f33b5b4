//! `tidings auth`: why a credential is accepted or refused, by these settings, with or without a hub.

mod shown;

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use tidings_auth::limits::TOKEN_BYTES_MAX;
use tidings_core::audience::Key;
use tidings_core::explanation::Question;
use tidings_core::port::{Clock, Presented, Purpose};
use tokio::runtime::Builder;

use super::failure::Failure;
use crate::assemble;
use crate::assemble::access::Stores;
use crate::clock::SystemClock;
use crate::env_vars;
use crate::settings::origin::{Origin, Sourced};
use crate::settings::{Environment, Layer, Purpose as For, Sources, gather};

/// What stands for standard input in place of a credential.
const STDIN: &str = "-";

/// Explains credentials.
#[derive(Debug, Args)]
pub(super) struct Auth {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Explain(Explain),
}

/// Says which provider accepts or refuses a credential and why, which rules apply, and whether it
/// may read and publish; the credential itself is shown nowhere.
#[derive(Args)]
struct Explain {
    /// Token or API key to look at; `-` reads it from standard input. Without it and a cookie, that
    /// of `TIDINGS_TOKEN`.
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,

    /// Value of a `Cookie` header to look at; `-` reads it from standard input.
    #[arg(long, value_name = "COOKIE")]
    cookie: Option<String>,

    /// Topic to ask about, or `@user/u1`, `@role/ADMIN`, `@all`.
    #[arg(long, value_name = "TOPIC", value_parser = Key::parse)]
    topic: Option<Key>,

    /// Prints JSON, as `POST /v1/auth/explain` answers it.
    #[arg(long)]
    json: bool,

    /// Explains as `serve --dev` would.
    #[arg(long)]
    dev: bool,

    /// Settings file; without it, `tidings.toml` in the working directory if it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Data directory, where API keys and revocations are.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Auth {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.verb {
            Verb::Explain(explain) => explain.run(),
        }
    }
}

impl Explain {
    fn run(mut self) -> anyhow::Result<()> {
        let environment = Environment::of_process();
        if self.token.is_none() && self.cookie.is_none() {
            self.token = environment.get(env_vars::TOKEN).map(str::to_owned);
        }
        if self.token.is_none() && self.cookie.is_none() {
            let failure = Failure::new("there is no credential to explain".to_owned());
            return Err(failure
                .hint("give `--token`, `--cookie`, or set `TIDINGS_TOKEN`")
                .into());
        }
        let stdin = [&self.token, &self.cookie];
        if stdin.iter().all(|given| given.as_deref() == Some(STDIN)) {
            let failure = Failure::new("standard input cannot be two credentials".to_owned());
            let hint = "let only one of them be `-`";
            return Err(failure.hint(hint).into());
        }
        let token = self.token.map(read).transpose()?;
        let cookie = self.cookie.map(read).transpose()?;
        let flags = Layer {
            data_dir: self.data_dir.map(|value| Sourced {
                value,
                origin: Origin::Flag("--data-dir"),
            }),
            ..Layer::default()
        };
        let settings = gather(Sources {
            config: self.config,
            environment: &environment,
            flags,
            development: self.dev,
        })
        .resolve(For::Inspect)?;
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the runtime could not start")?;
        let explanation = runtime.block_on(async {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
            let stores = Stores::open(&settings.data_dir)?;
            let assembled =
                assemble::access::assemble(&settings, Vec::new(), &stores, None, &clock)?;
            let access = assembled.access;
            let cookies = cookie.as_deref().map(tidings_http::cookie_pairs);
            let header = cookie.as_deref().map(|text| ("cookie", text.as_bytes()));
            let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let presented = Presented {
                bearer: token.as_deref(),
                cookies: cookies.as_deref().unwrap_or_default(),
                headers: header.as_slice(),
                ..Presented::nothing(Purpose::Read, peer, clock.now())
            };
            let question = Question {
                key: self.topic.clone(),
            };
            anyhow::Ok(access.authenticator.explain(presented, &question).await)
        })?;
        if self.json {
            let mut out = Vec::new();
            tidings_wire::access::push_explanation(&explanation, &mut out);
            super::print(&String::from_utf8_lossy(&out))?;
        } else {
            super::print(shown::text(&explanation, self.topic.as_ref()).trim_end())?;
        }
        if explanation.identity.is_none() || explanation.revocation.is_some() {
            return Err(Failure::new("the credential is not accepted".to_owned()).into());
        }
        Ok(())
    }
}

/// The credential itself, or what standard input holds.
fn read(given: String) -> anyhow::Result<String> {
    if given != STDIN {
        return Ok(given);
    }
    let mut text = String::new();
    io::stdin()
        .take(8 * TOKEN_BYTES_MAX as u64)
        .read_to_string(&mut text)
        .context("cannot read the credential from standard input")?;
    Ok(text.trim().to_owned())
}

impl std::fmt::Debug for Explain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Explain")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}
