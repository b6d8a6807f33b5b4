//! Retention of some topics, shorter than that of the whole log.

use std::time::Duration;

use tidings_core::pattern::Pattern;

use super::duration;
use super::size::Size;
use super::value::quoted;

/// One `[[retention.rule]]`: topics by pattern, and at least one bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRule {
    /// Which topics.
    pub pattern: Pattern,
    /// How long their events are kept.
    pub age: Option<Duration>,
    /// How many bytes of them.
    pub bytes: Option<u64>,
    /// How many of them.
    pub count: Option<u64>,
}

impl RetentionRule {
    /// Shows the rule as a settings file would have it.
    pub fn show(&self) -> String {
        let mut lines = vec![format!("pattern = {}", quoted(self.pattern.as_str()))];
        if let Some(age) = self.age {
            lines.push(format!("age = {}", quoted(&duration::show(age))));
        }
        if let Some(bytes) = self.bytes {
            lines.push(format!("bytes = {}", quoted(&Size(bytes).to_string())));
        }
        if let Some(count) = self.count {
            lines.push(format!("count = {count}"));
        }
        lines.join("\n")
    }
}
