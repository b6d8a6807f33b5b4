//! Faults of settings: all of them at once, each with where it is and what to do.

use std::fmt;

use super::origin::Origin;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key concerned, if it is a known one.
    pub key: Option<&'static str>,
    /// What is wrong.
    pub message: String,
    /// Where it was said; `Default` if nobody said it.
    pub origin: Origin,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if self.origin != Origin::Default {
            write!(f, "\n  --> {}", self.origin)?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with the settings; never empty when it is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Notes one fault of a known key.
    pub fn add(
        &mut self,
        key: &'static str,
        origin: Origin,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(Fault {
            key: Some(key),
            message: message.into(),
            origin,
            hint: Some(hint.into()),
        });
    }

    /// Whether any of these keys is at fault: what depends on it cannot be judged.
    pub fn touch(&self, keys: &[&str]) -> bool {
        self.0
            .iter()
            .any(|fault| fault.key.is_some_and(|key| keys.contains(&key)))
    }

    /// The value if nothing is wrong.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
