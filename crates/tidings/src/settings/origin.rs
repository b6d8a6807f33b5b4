//! Where a setting comes from, for errors and for `check-config`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a value comes from, weakest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// `--dev` says so.
    Development,
    /// A line of the settings file.
    File {
        /// Which file.
        path: Arc<PathBuf>,
        /// Which line, from one.
        line: usize,
    },
    /// An environment variable that other programs use too.
    Foreign(&'static str),
    /// An environment variable of this program.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl Origin {
    /// How strong the origin is: of two values the one of the higher rank holds.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Development => 1,
            Self::File { .. } => 2,
            Self::Foreign(_) => 3,
            Self::Environment(_) => 4,
            Self::Flag(_) => 5,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Development => f.write_str("--dev"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Foreign(name) => write!(f, "environment {name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

impl<T> Sourced<T> {
    /// Another value from the same place.
    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced {
            value: change(self.value),
            origin: self.origin,
        }
    }
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}
