//! Errors as people read them: what is wrong, and a line with what to do.

use std::fmt;

use crate::settings::Faults;

/// What went wrong, in lower case without a final stop, and what to do about it.
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// An error with its hint, as it is printed.
pub fn report(error: &anyhow::Error) -> String {
    if let Some(faults) = error.downcast_ref::<Faults>() {
        return faults.to_string();
    }
    let hint = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>()?.hint.as_deref());
    match hint {
        Some(hint) => format!("error: {error:#}\nhint: {hint}"),
        None => format!("error: {error:#}"),
    }
}
