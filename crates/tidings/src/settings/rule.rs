//! Retention of some topics, shorter than that of the whole log.

use std::time::Duration;

use tidings_core::pattern::Pattern;

use super::limits::RETENTION_RULES_MAX;
use super::size::Size;
use super::table::{Section, Table, TableReader};

/// The tables of such rules.
pub(super) const SECTION: Section = Section {
    name: "retention.rule",
    tables_max: RETENTION_RULES_MAX,
    doc: "Shorter retention for some topics; any number of them.\n\n\
          - `pattern`: topics, such as `project/**`\n\
          - `age`, `bytes`, `count`: at least one, as under `retention`\n",
};

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

/// Reads one rule.
pub(super) fn read(mut table: TableReader<'_, '_, '_>) -> Option<Table<RetentionRule>> {
    let pattern = table.text("pattern", Pattern::parse);
    let age = table.value("age");
    let bytes = table.value("bytes").map(|Size(bytes)| bytes);
    let count = table.value("count");
    if !table.has("pattern") {
        table.missing("pattern", "add a line such as `pattern = \"project/**\"`");
    }
    if !["age", "bytes", "count"].iter().any(|name| table.has(name)) {
        table.fault(
            "age",
            "the rule bounds nothing",
            "add `age`, `bytes` or `count`",
        );
    }
    if count == Some(0) || bytes == Some(0) {
        let name = if count == Some(0) { "count" } else { "bytes" };
        table.fault(name, "the rule keeps nothing", "give 1 at least");
    }
    let rule = pattern.map(|pattern| RetentionRule {
        pattern,
        age,
        bytes,
        count,
    });
    table.finish(rule)
}
