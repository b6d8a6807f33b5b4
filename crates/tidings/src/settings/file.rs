//! Settings from a TOML file, with the line of everything that is wrong.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidings_core::pattern::Pattern;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::read;
use super::fault::{Fault, Faults};
use super::keys::{self, KEYS, Layer, RETENTION_RULE};
use super::limits::{FILE_BYTES_MAX, RETENTION_RULES_MAX};
use super::origin::{Origin, Sourced};
use super::rule::RetentionRule;
use super::size::Size;
use super::suggest;
use super::value::{Raw, Value};

/// What a settings file says; nothing if it cannot be known.
pub(super) fn layer(path: &Path, required: bool, faults: &mut Faults) -> Option<Layer> {
    let text = load(path, required, faults)?;
    let mut reader = Reader {
        path: Arc::new(path.to_owned()),
        text: &text,
        faults,
        layer: Layer::default(),
    };
    match DeTable::parse(&text) {
        Ok(table) => {
            reader.table("", table.get_ref());
            Some(reader.layer)
        }
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            reader.fault(
                at,
                None,
                format!("it is not TOML: {}", error.message()),
                None,
            );
            None
        }
    }
}

/// The text of a settings file; an empty one if it is not there and need not be.
fn load(path: &Path, required: bool, faults: &mut Faults) -> Option<String> {
    let read = File::open(path).and_then(|file| {
        let mut text = String::new();
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
        Ok(text)
    });
    let problem = match read {
        Ok(text) if text.len() as u64 <= FILE_BYTES_MAX => return Some(text),
        Ok(_) => format!("it is larger than {}", Size(FILE_BYTES_MAX)),
        Err(error) if error.kind() == ErrorKind::NotFound && !required => {
            return Some(String::new());
        }
        Err(error) => error.to_string(),
    };
    faults.0.push(Fault {
        key: None,
        message: format!(
            "cannot read the settings file `{}`: {problem}",
            path.display()
        ),
        origin: Origin::Default,
        hint: Some("give the path of a TOML file with `--config` or `TIDINGS_CONFIG`".to_owned()),
    });
    None
}

struct Reader<'a> {
    path: Arc<PathBuf>,
    text: &'a str,
    faults: &'a mut Faults,
    layer: Layer,
}

impl Reader<'_> {
    fn origin(&self, at: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(at);
        Origin::File {
            path: Arc::clone(&self.path),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
        }
    }

    fn fault(
        &mut self,
        at: usize,
        key: Option<&'static str>,
        message: String,
        hint: Option<String>,
    ) {
        let origin = self.origin(at);
        self.faults.0.push(Fault {
            key,
            message,
            origin,
            hint,
        });
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        // In order of the file, for people who mend it from top to bottom.
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        for (name, value) in entries {
            let full = match prefix {
                "" => name.get_ref().to_string(),
                _ => format!("{prefix}.{}", name.get_ref()),
            };
            let at = name.span().start;
            let inside = format!("{full}.");
            let holds_keys = KEYS.iter().any(|key| key.name.starts_with(&inside));
            if full == RETENTION_RULE {
                self.rules(at, value.get_ref());
            } else if let Some(key) = keys::find(&full) {
                let origin = self.origin(at);
                read(
                    &mut self.layer,
                    key,
                    &raw(value.get_ref()),
                    origin,
                    self.faults,
                );
            } else if let (true, Some(inner)) = (holds_keys, value.get_ref().as_table()) {
                self.table(&full, inner);
            } else {
                let known = KEYS.iter().map(|key| key.name).chain([RETENTION_RULE]);
                let hint = if holds_keys {
                    format!("`{full}` is a table; write `[{full}]` and its settings below")
                } else {
                    suggest::hint(&full, known)
                };
                self.fault(at, None, format!("unknown setting `{full}`"), Some(hint));
            }
        }
    }

    fn rules(&mut self, at: usize, value: &DeValue<'_>) {
        let tables: Option<Vec<_>> = value.as_array().and_then(|entries| {
            entries
                .iter()
                .map(|entry| entry.get_ref().as_table())
                .collect()
        });
        let Some(tables) = tables else {
            let hint = "write each rule as `[[retention.rule]]` with its `pattern` below";
            let message = format!("`{RETENTION_RULE}` is not a list of tables");
            self.fault(at, Some(RETENTION_RULE), message, Some(hint.to_owned()));
            return;
        };
        if tables.len() > RETENTION_RULES_MAX {
            let message = format!(
                "`{RETENTION_RULE}` has more than {RETENTION_RULES_MAX} rules: {}",
                tables.len()
            );
            let hint = "use patterns such as `project/**`".to_owned();
            self.fault(at, Some(RETENTION_RULE), message, Some(hint));
            return;
        }
        let mut rules = Vec::new();
        for table in tables {
            rules.extend(self.rule(at, table));
        }
        let origin = self.origin(at);
        self.layer.retention_rules = Some(Sourced {
            value: rules,
            origin,
        });
    }

    /// One rule, or the faults that it has.
    fn rule(&mut self, at: usize, table: &DeTable<'_>) -> Option<RetentionRule> {
        let mut pattern = None;
        let (mut age, mut bytes, mut count) = (None, None, None);
        let at = table
            .keys()
            .map(|name| name.span().start)
            .min()
            .unwrap_or(at);
        for (name, value) in table {
            match name.get_ref().as_ref() {
                "pattern" => {
                    pattern =
                        self.entry(
                            name,
                            value,
                            "a pattern such as `project/**`",
                            |raw| match raw {
                                Raw::Text(text) => Pattern::parse(text).ok(),
                                _ => None,
                            },
                        );
                }
                "age" => age = self.value(name, value),
                "bytes" => bytes = self.value::<Size>(name, value).map(|size| size.0),
                "count" => count = self.value(name, value),
                unknown => {
                    let known = ["pattern", "age", "bytes", "count"].into_iter();
                    let hint = suggest::hint(unknown, known);
                    let message = format!("unknown setting `{RETENTION_RULE}.{unknown}`");
                    self.fault(name.span().start, Some(RETENTION_RULE), message, Some(hint));
                }
            }
        }
        if !table.contains_key("pattern") {
            let hint = "add a line such as `pattern = \"project/**\"`".to_owned();
            let message = format!("a `{RETENTION_RULE}` has no `pattern`");
            self.fault(at, Some(RETENTION_RULE), message, Some(hint));
        }
        if !["age", "bytes", "count"]
            .iter()
            .any(|name| table.contains_key(*name))
        {
            let hint = "add `age`, `bytes` or `count`".to_owned();
            let message = format!("a `{RETENTION_RULE}` bounds nothing");
            self.fault(at, Some(RETENTION_RULE), message, Some(hint));
        }
        Some(RetentionRule {
            pattern: pattern?,
            age,
            bytes,
            count,
        })
    }

    fn value<T: Value>(
        &mut self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<T> {
        self.entry(name, value, T::EXPECTED, T::read)
    }

    fn entry<T>(
        &mut self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        expected: &str,
        read: impl Fn(&Raw) -> Option<T>,
    ) -> Option<T> {
        let raw = raw(value.get_ref());
        let parsed = read(&raw);
        if parsed.is_none() {
            let full = format!("{RETENTION_RULE}.{}", name.get_ref());
            let message = format!("the value of `{full}` is not {expected}: {raw}");
            self.fault(name.span().start, Some(RETENTION_RULE), message, None);
        }
        parsed
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number out of range"), Raw::Integer),
        DeValue::Array(entries) => {
            Raw::List(entries.iter().map(|entry| raw(entry.get_ref())).collect())
        }
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Boolean(_) => Raw::Other("true or false"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}
