//! Which hub a verb talks to, and how its failures are shown.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use tidings_auth::secret::Secret;
use tidings_client::{Client, Options, RequestError, Trust};
use tokio::runtime::Builder;

use super::failure::Failure;
use crate::env_vars;

/// The hub and the token.
#[derive(Debug, Args)]
pub(super) struct Hub {
    /// URL of the hub.
    #[arg(
        long,
        value_name = "URL",
        env = env_vars::URL,
        hide_env_values = true,
        default_value = "http://127.0.0.1:7878"
    )]
    url: String,

    /// Token to present; `tidings token` makes one.
    #[arg(
        long,
        value_name = "TOKEN",
        env = env_vars::TOKEN,
        hide_env_values = true
    )]
    token: Option<Secret>,
}

/// The same, and how it is talked to.
#[derive(Debug, Args)]
pub(super) struct Connect {
    #[command(flatten)]
    hub: Hub,

    /// Certificates in PEM that are believed over https, in place of those of the system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Hub {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The token, if there is one that is not empty.
    pub(super) fn token(&self) -> Option<&Secret> {
        self.token
            .as_ref()
            .filter(|token| !token.expose().is_empty())
    }
}

impl Connect {
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let token = self
            .hub
            .token()
            .and_then(|token| str::from_utf8(token.expose()).ok());
        let trust = self.ca.as_deref().map(trust).transpose()?;
        let options = Options {
            trust,
            ..Options::default()
        };
        Client::with_options(self.hub.url(), token, options).map_err(|error| {
            Failure::new(error.to_string())
                .hint("check `--url` and `--token`, or `TIDINGS_URL` and `TIDINGS_TOKEN`")
        })
    }
}

/// The certificates of a file.
fn trust(file: &Path) -> Result<Trust, Failure> {
    let failed = |cause: &dyn fmt::Display| {
        let failure = Failure::new(format!("cannot use `{}`: {cause}", file.display()));
        failure.hint("give `--ca` a file of certificates in PEM")
    };
    let pem = fs::read(file).map_err(|error| failed(&error))?;
    Trust::only(&pem).map_err(|error| failed(&error))
}

/// Runs a verb that talks to a hub.
pub(super) fn block_on<T>(verb: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(verb)
}

/// A failed request, with what a person can do about it.
pub(super) fn failure(error: RequestError) -> Failure {
    let hint = match &error {
        RequestError::Connect { .. } => {
            Some("is a hub running there? `tidings serve --dev` starts one".to_owned())
        }
        RequestError::Untrusted { .. } => Some(
            "name the certificate of who has signed the hub's own with `--ca`, and call the hub by a name \
             that stands in it"
                .to_owned(),
        ),
        RequestError::Refused(refusal) if refusal.status == 401 => Some(
            "give a token with `--token` or `TIDINGS_TOKEN`; `tidings token` makes one".to_owned(),
        ),
        RequestError::Refused(refusal) => refusal.hint.clone(),
        _ => None,
    };
    // The causes belong to the message; a failure has only one line.
    let failure = Failure::new(format!("{:#}", anyhow::Error::from(error)));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
