//! One table of the settings file that is no key: read entry by entry, and everything that is wrong
//! with it told at once.

use std::fmt::Display;
use std::path::PathBuf;

use tidings_auth::secret::Secret;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::Reader;
use super::origin::Origin;
use super::signing;
use super::suggest;
use super::value::{Raw, Value};

/// A kind of table, of which there may be one or several.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its dotted name.
    pub name: &'static str,
    /// How many there may be; one is written `[name]`, several `[[name]]`.
    pub tables_max: usize,
    /// What it means, as Markdown.
    pub doc: &'static str,
}

/// What a table of the file came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<T> {
    /// Its meaning.
    pub value: T,
    /// Its entries as the file has them, one a line; secrets are masked.
    pub shown: String,
    /// Where it is.
    pub origin: Origin,
}

/// Reads one table. Each entry is asked for by name; [`finish`](Self::finish) refuses the others.
pub(super) struct TableReader<'r, 'a, 't> {
    reader: &'r mut Reader<'a>,
    section: &'static Section,
    table: &'t DeTable<'t>,
    at: usize,
    known: Vec<&'static str>,
    shown: Vec<(usize, String)>,
    faults_before: usize,
}

impl<'r, 'a, 't> TableReader<'r, 'a, 't> {
    pub(super) fn new(
        reader: &'r mut Reader<'a>,
        section: &'static Section,
        table: &'t DeTable<'t>,
        at: usize,
    ) -> Self {
        let first = table.keys().map(|name| name.span().start).min();
        let faults_before = reader.faults.0.len();
        Self {
            reader,
            section,
            table,
            at: first.unwrap_or(at),
            known: Vec::new(),
            shown: Vec::new(),
            faults_before,
        }
    }

    /// Whether there is an entry of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The value of an entry, if it is there and of its kind.
    pub(super) fn value<T: Value>(&mut self, name: &'static str) -> Option<T> {
        let read = |raw: &Raw| T::read(raw).ok_or_else(|| format!("it is not {}", T::EXPECTED));
        self.entry(name, T::SECRET, read)
    }

    /// An entry that is true or false; false if it is not there.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        self.entry(name, false, |raw| match raw {
            Raw::Bool(value) => Ok(*value),
            _ => Err("it is neither `true` nor `false`"),
        })
        .unwrap_or_default()
    }

    /// A text that means something else.
    pub(super) fn text<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        self.entry(name, false, |raw| one(raw, &parse))
    }

    /// A list of texts that mean something else, or one of them.
    pub(super) fn texts<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        self.entry(name, false, |raw| match raw {
            Raw::List(entries) => entries.iter().map(|entry| one(entry, &parse)).collect(),
            single => one(single, &parse).map(|value| vec![value]),
        })
    }

    /// A secret, or a list of secrets of which the first is the newest; never shown.
    pub(super) fn secrets(&mut self, name: &'static str) -> Vec<Secret> {
        let take = |text: &str| Ok::<_, &str>(Secret::from(text));
        self.entry(name, true, |raw| match raw {
            Raw::List(entries) => entries.iter().map(|entry| one(entry, &take)).collect(),
            single => one(single, &take).map(|secret| vec![secret]),
        })
        .unwrap_or_default()
    }

    /// The public key in a file whose path an entry names.
    pub(super) fn public_file(&mut self, name: &'static str) -> Option<Secret> {
        self.file(name).map(|(key, _)| key)
    }

    /// The secret in a file whose path an entry names.
    pub(super) fn secret_file(&mut self, name: &'static str) -> Option<Secret> {
        let (secret, warning) = self.file(name)?;
        self.reader.warnings.extend(warning);
        Some(secret)
    }

    /// What a file holds, and what is to be said if everybody can read it.
    fn file(&mut self, name: &'static str) -> Option<(Secret, Option<String>)> {
        let path: PathBuf = self.value(name)?;
        match signing::read(&path) {
            Ok((secret, mode)) => Some((secret, signing::readable_for_all(&path, mode))),
            Err(error) => {
                let problem = format!("cannot read the file `{}`: {error}", path.display());
                let hint = "give a file that the user of this process can read";
                self.fault(name, &problem, hint);
                None
            }
        }
    }

    /// Notes that an entry is missing.
    pub(super) fn missing(&mut self, name: &'static str, hint: &str) {
        let message = format!("a `{}` has no `{name}`", self.section.name);
        self.reader.fault(
            self.at,
            Some(self.section.name),
            message,
            Some(hint.to_owned()),
        );
    }

    /// Notes what is wrong with an entry, or with the whole table if it has no such entry.
    pub(super) fn fault(&mut self, name: &str, problem: &str, hint: &str) {
        let at = self.table.keys().find(|key| key.get_ref() == name);
        let at = at.map_or(self.at, |key| key.span().start);
        let message = format!("`{}.{name}`: {problem}", self.section.name);
        self.reader
            .fault(at, Some(self.section.name), message, Some(hint.to_owned()));
    }

    /// Refuses the entries that nobody asked for, and makes the table of its meaning if nothing is
    /// wrong with it.
    pub(super) fn finish<T>(self, value: Option<T>) -> Option<Table<T>> {
        for name in self.table.keys() {
            if !self.known.contains(&name.get_ref().as_ref()) {
                let full = format!("{}.{}", self.section.name, name.get_ref());
                let hint = suggest::hint(name.get_ref(), self.known.iter().copied());
                let message = format!("unknown setting `{full}`");
                let section = Some(self.section.name);
                self.reader
                    .fault(name.span().start, section, message, Some(hint));
            }
        }
        if self.reader.faults.0.len() > self.faults_before {
            return None;
        }
        let mut shown = self.shown;
        shown.sort();
        let lines: Vec<String> = shown.into_iter().map(|(_, line)| line).collect();
        Some(Table {
            value: value?,
            shown: lines.join("\n"),
            origin: self.reader.origin(self.at),
        })
    }

    fn entry<T, E: Display>(
        &mut self,
        name: &'static str,
        is_secret: bool,
        read: impl FnOnce(&Raw) -> Result<T, E>,
    ) -> Option<T> {
        self.known.push(name);
        let (key, value): (_, &Spanned<DeValue<'_>>) = self.table.get_key_value(name)?;
        let raw = super::file::raw(value.get_ref());
        let shown = if is_secret {
            "\"[masked]\"".to_owned()
        } else {
            raw.show()
        };
        self.shown
            .push((key.span().start, format!("{name} = {shown}")));
        match read(&raw) {
            Ok(value) => Some(value),
            Err(problem) => {
                let found = if is_secret { "" } else { &format!(": {shown}") };
                let message = format!(
                    "the value of `{}.{name}` cannot be used: {problem}{found}",
                    self.section.name
                );
                self.reader
                    .fault(key.span().start, Some(self.section.name), message, None);
                None
            }
        }
    }
}

fn one<T, E: Display>(raw: &Raw, parse: &impl Fn(&str) -> Result<T, E>) -> Result<T, String> {
    match raw {
        Raw::Text(text) => parse(text).map_err(|error| error.to_string()),
        _ => Err("it is not a text".to_owned()),
    }
}
