//! Taking a JSON object or array apart one level deep, every value left as its own text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of one object in the order of the text.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    entries: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// Why a text could not be taken apart.
#[derive(Debug)]
pub(crate) enum RawFault {
    /// It is not JSON, or not of the asked kind.
    Json(serde_json::Error),
    /// One name stands twice.
    Duplicate(String),
    /// More entries than allowed; how many there are.
    TooMany(usize),
}

impl<'a> Fields<'a> {
    /// Reads an object of at most `max` fields.
    pub(crate) fn read(text: &'a [u8], max: usize) -> Result<Self, RawFault> {
        let Collected { entries, count } = collect(text, FieldsVisitor { max })?;
        if count > max {
            return Err(RawFault::TooMany(count));
        }
        for (index, (name, _)) in entries.iter().enumerate() {
            if entries
                .iter()
                .take(index)
                .any(|(earlier, _)| earlier == name)
            {
                return Err(RawFault::Duplicate(name.clone().into_owned()));
            }
        }
        Ok(Self { entries })
    }

    /// Takes the value of a field out, if it is there.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.entries.iter().position(|(found, _)| found == name)?;
        Some(self.entries.swap_remove(at).1)
    }

    /// Whether a field is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(found, _)| found == name)
    }

    /// The names of the fields that are left.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| &**name)
    }

    /// The fields that are left.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.entries.iter().map(|(name, value)| (&**name, *value))
    }

    /// Whether no field is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// The elements of an array of at most `max`.
pub(crate) fn elements(text: &[u8], max: usize) -> Result<Vec<&RawValue>, RawFault> {
    let Collected { entries, count } = collect(text, ElementsVisitor { max })?;
    if count > max {
        return Err(RawFault::TooMany(count));
    }
    Ok(entries)
}

/// The text of a JSON string; none if the value is something else, or holds half a surrogate pair.
pub(crate) fn text_of(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str(value.get())
        .ok()
        .map(|Text(text)| text)
}

/// What sort of value a JSON text is, as people say it.
pub(crate) fn kind_of(text: &[u8]) -> &'static str {
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        _ => "nothing",
    }
}

/// What was kept, and how many there were.
struct Collected<T> {
    entries: Vec<T>,
    count: usize,
}

/// A JSON string, borrowed if it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// Reads one JSON value that fills the text.
fn collect<'a, V: Visitor<'a>>(text: &'a [u8], visitor: V) -> Result<V::Value, RawFault> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = deserializer
        .deserialize_any(visitor)
        .map_err(RawFault::Json)?;
    deserializer.end().map_err(RawFault::Json)?;
    Ok(value)
}

struct FieldsVisitor {
    max: usize,
}

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Collected<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while entries.len() < self.max
            && let Some(Text(name)) = map.next_key()?
        {
            entries.push((name, map.next_value()?));
        }
        let mut count = entries.len();
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Collected { entries, count })
    }
}

struct ElementsVisitor {
    max: usize,
}

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Collected<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while entries.len() < self.max
            && let Some(element) = sequence.next_element()?
        {
            entries.push(element);
        }
        let mut count = entries.len();
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Collected { entries, count })
    }
}
