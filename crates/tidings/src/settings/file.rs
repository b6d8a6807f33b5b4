//! Settings from a TOML file, with the line of everything that is wrong.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::environment::read;
use super::fault::{Fault, Faults};
use super::keys::{self, KEYS, Layer};
use super::limits::FILE_BYTES_MAX;
use super::origin::Origin;
use super::sections::{self, SECTIONS, Sections};
use super::size::Size;
use super::suggest;
use super::value::Raw;

/// What a settings file says; nothing if it cannot be known.
pub(super) fn layer(path: &Path, required: bool, faults: &mut Faults) -> Option<(Layer, Sections)> {
    let text = load(path, required, faults)?;
    let mut reader = Reader {
        path: Arc::new(path.to_owned()),
        text: &text,
        faults,
        warnings: Vec::new(),
        layer: Layer::default(),
    };
    match DeTable::parse(&text) {
        Ok(table) => {
            let mut sections = Sections::default();
            reader.table("", table.get_ref(), &mut sections);
            sections.warnings = reader.warnings;
            Some((reader.layer, sections))
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

/// Reads the tables of one file.
pub(super) struct Reader<'a> {
    path: Arc<PathBuf>,
    text: &'a str,
    pub(super) faults: &'a mut Faults,
    /// What an operator should hear, though it can be used.
    pub(super) warnings: Vec<String>,
    layer: Layer,
}

impl Reader<'_> {
    pub(super) fn origin(&self, at: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(at);
        Origin::File {
            path: Arc::clone(&self.path),
            line: 1 + before.filter(|byte| **byte == b'\n').count(),
        }
    }

    pub(super) fn fault(
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

    fn table(&mut self, prefix: &str, table: &DeTable<'_>, sections: &mut Sections) {
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
            let known = || {
                let sections = SECTIONS.into_iter().map(|section| section.name);
                KEYS.iter().map(|key| key.name).chain(sections)
            };
            let holds_keys = known().any(|name| name.starts_with(&inside));
            if sections::read(self, sections, &full, at, value.get_ref()) {
                continue;
            }
            if let Some(key) = keys::find(&full) {
                let origin = self.origin(at);
                read(
                    &mut self.layer,
                    key,
                    &raw(value.get_ref()),
                    origin,
                    self.faults,
                );
            } else if let (true, Some(inner)) = (holds_keys, value.get_ref().as_table()) {
                self.table(&full, inner, sections);
            } else {
                let hint = if holds_keys {
                    format!("`{full}` is a table; write `[{full}]` and its settings below")
                } else {
                    suggest::hint(&full, known())
                };
                self.fault(at, None, format!("unknown setting `{full}`"), Some(hint));
            }
        }
    }
}

/// A value before its kind is known.
pub(super) fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Raw::Other("a number out of range"), Raw::Integer),
        DeValue::Array(entries) => {
            Raw::List(entries.iter().map(|entry| raw(entry.get_ref())).collect())
        }
        DeValue::Float(float) => Raw::Fraction(float.to_string()),
        DeValue::Boolean(value) => Raw::Bool(*value),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}
