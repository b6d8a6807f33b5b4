//! A place that breaks a rule, and what to do about it.

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Worth knowing; the run still succeeds.
    Note,
    /// The run fails.
    Error,
}

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Path of the file, relative to the root.
    pub(crate) path: String,
    /// Line in the file, counted from 1; 0 means the whole file.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) problem: String,
    /// What to do.
    pub(crate) hint: &'static str,
    /// How much it weighs.
    pub(crate) level: Level,
}

impl Finding {
    /// An error at a line of a file.
    pub(crate) fn at(
        path: &str,
        line: usize,
        problem: impl Into<String>,
        hint: &'static str,
    ) -> Self {
        Self {
            path: path.to_owned(),
            line,
            problem: problem.into(),
            hint,
            level: Level::Error,
        }
    }

    /// The same finding, as a note.
    pub(crate) fn noted(self) -> Self {
        Self {
            level: Level::Note,
            ..self
        }
    }

    /// The finding as printed: place, rule, problem, hint.
    pub(crate) fn line_of(&self, check: &str) -> String {
        let level = match self.level {
            Level::Note => "note",
            Level::Error => "error",
        };
        let Self {
            path,
            line,
            problem,
            hint,
            ..
        } = self;
        let place = if *line == 0 {
            path.clone()
        } else {
            format!("{path}:{line}")
        };
        format!("{level}: {place}: {problem} [{check}]\n  hint: {hint}")
    }
}
