//! Why a load came to nothing, and what to do about it.

use std::io;

use super::publisher::PublishError;

/// Why a load came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Not all readers could connect.
    #[error("only {open} of {readers} readers could connect: {cause}")]
    NotOpen {
        open: usize,
        readers: usize,
        /// Why the latest attempt came to nothing.
        cause: String,
    },
    /// A publisher could not publish.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A process that is to be measured does not run.
    #[error("there is no process `{0}`")]
    NoServer(u32),
    /// The hub did not end, or is not there again.
    #[error(
        "the hub {} connections in time",
        if *is_there { "takes no" } else { "still takes" }
    )]
    NoRestart {
        /// Whether it had to be there.
        is_there: bool,
    },
    /// The readers of the load could not work.
    #[error("the readers cannot work")]
    Readers(#[from] io::Error),
    /// Readers need an address of this machine that is only its own.
    #[error("several source addresses need a hub on a loopback address of version 4, not `{0}`")]
    NotLoopback(std::net::IpAddr),
}

impl LoadError {
    /// What a person can do.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotOpen { cause, .. } => Some(of_answer(cause)),
            Self::Publish(PublishError::Io { .. }) => {
                Some("is a hub running there? `tidings serve --dev` starts one")
            }
            Self::Publish(PublishError::Refused { status, .. }) => Some(match status {
                401 => "give a token with `--token` or `TIDINGS_TOKEN`; `tidings token` makes one",
                403 => {
                    "the token must allow to publish and to subscribe on the topics of `--topic`"
                }
                _ => "check `--publish-url` and `--publish-body`",
            }),
            Self::Publish(PublishError::Partly { .. }) => Some("try a smaller `--batch`"),
            Self::NoServer(_) => Some("`--server-pid` takes the number of a running process"),
            Self::NoRestart { is_there: true } => {
                Some("whoever watches over the hub has to start it again, on the same address")
            }
            Self::NoRestart { is_there: false } => {
                Some("give the number of its process with `--server-pid`, or end it otherwise")
            }
            Self::Readers(_) => None,
            Self::NotLoopback(_) => Some("leave `--source-addresses` out"),
        }
    }
}

fn of_answer(cause: &str) -> &'static str {
    if cause.starts_with("401") {
        "give a token with `--token` or `TIDINGS_TOKEN`; `tidings token` makes one"
    } else if cause.starts_with("403") {
        "the token must allow to publish and to subscribe on the topics of `--topic`"
    } else if cause.starts_with("429") || cause.starts_with("503") {
        "allow more with `limits.connections_per_identity` and its like at the hub"
    } else if cause.contains("refused") {
        "is a hub running there? `tidings serve --dev` starts one"
    } else if cause.contains("Too many open files") {
        "raise the limit of open files of the hub and of this shell (`ulimit -n`)"
    } else {
        "check `--url`, or `--subscribe-url`, and what the hub has logged"
    }
}
