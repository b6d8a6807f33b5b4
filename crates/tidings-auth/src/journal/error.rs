//! Why a journal cannot be read or written.

use std::io;
use std::path::PathBuf;

use crate::limits::{JOURNAL_BYTES_MAX, JOURNAL_LOCK_WAIT_MS_MAX};

/// Why a journal cannot be read or written. Nothing of its contents shows.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system says no.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What it says.
        #[source]
        cause: io::Error,
    },
    /// Anybody can read or change it.
    #[error("every user of this machine can use `{}`", path.display())]
    Exposed {
        /// Which file or directory.
        path: PathBuf,
        /// The permissions that it should have.
        wanted: u32,
    },
    /// Written by a later version of the program.
    #[error(
        "`{}` has version {found}, and this program knows only up to version {known}",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The newest one that is known.
        known: u32,
    },
    /// A line is not what was written.
    #[error("`{}` is damaged at line {line}: it {problem}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Another process holds it.
    #[error(
        "another process holds `{}` for more than {JOURNAL_LOCK_WAIT_MS_MAX} ms",
        .0.display()
    )]
    Locked(PathBuf),
    /// It was there, and is not any more.
    #[error("`{}` has been removed", .0.display())]
    Gone(PathBuf),
    /// It would become too large.
    #[error("`{}` would have more than {JOURNAL_BYTES_MAX} bytes", .0.display())]
    Full(PathBuf),
}

impl JournalError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Io { .. } => {
                "run it as the user of the hub, and give that user its data directory".to_owned()
            }
            Self::Exposed { path, wanted } => format!(
                "`chmod {wanted:o} {}`, and replace what others may have read",
                path.display()
            ),
            Self::Newer { .. } => "use the newer program; the file was not touched".to_owned(),
            Self::Damaged { path, .. } => format!(
                "restore `{}` from a backup, or remove the line and make anew what it held",
                path.display()
            ),
            Self::Locked(_) => "look for a `tidings` that was stopped in the middle".to_owned(),
            Self::Gone(path) => format!(
                "put `{}` back, or restart the hub to begin without it",
                path.display()
            ),
            Self::Full(_) => "let go of what is not needed any more".to_owned(),
        }
    }

    /// The message with its causes, in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}
