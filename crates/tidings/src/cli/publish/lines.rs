//! Lines of a file as events, each with an id that is the same when the file is read again.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tidings_core::event_type::EventType;
use tidings_core::id::EventId;
use tidings_core::topic::Topic;
use tidings_wire::limits::NDJSON_LINE_BYTES_MAX;

use super::path::FieldPath;
use super::template::Template;

/// What makes an event of a line.
#[derive(Debug)]
pub(super) struct Shape {
    /// The file's name, so that equal lines of two files are two events.
    pub(super) name: String,
    pub(super) topics: Vec<Topic>,
    pub(super) event_type: Option<EventType>,
    pub(super) type_field: Option<FieldPath>,
    pub(super) topic_templates: Vec<Template>,
    pub(super) id_field: Option<FieldPath>,
}

/// One line of the file.
#[derive(Debug)]
pub(super) struct Line {
    /// Its number in the file, from one.
    pub(super) number: u64,
    /// Bytes that it takes in the file.
    pub(super) bytes: u64,
    /// The event as one line of JSON, or why there is none.
    pub(super) event: Result<String, String>,
}

/// Reads events line by line.
pub(super) struct LineEvents<R> {
    reader: BufReader<R>,
    shape: Shape,
    number: u64,
}

impl<R: Read> LineEvents<R> {
    pub(super) fn new(reader: BufReader<R>, shape: Shape) -> Self {
        Self {
            reader,
            shape,
            number: 0,
        }
    }

    /// Whether the next line is here already, so that reading it does not wait.
    pub(super) fn is_ready(&self) -> bool {
        self.reader.buffer().contains(&b'\n')
    }

    /// The next line that holds something; none at the end.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut text = Vec::new();
        loop {
            text.clear();
            let max = NDJSON_LINE_BYTES_MAX as u64 + 1;
            let mut bytes = (&mut self.reader).take(max).read_until(b'\n', &mut text)? as u64;
            if bytes == 0 {
                return Ok(None);
            }
            self.number += 1;
            let too_long = bytes == max && !text.ends_with(b"\n");
            if too_long {
                bytes += self.reader.skip_until(b'\n')? as u64;
            }
            let trimmed = text.trim_ascii();
            if trimmed.is_empty() && !too_long {
                continue;
            }
            let event = if too_long {
                Err(format!("it has more than {NDJSON_LINE_BYTES_MAX} bytes"))
            } else {
                self.shape.event_of(trimmed, self.number)
            };
            return Ok(Some(Line {
                number: self.number,
                bytes,
                event,
            }));
        }
    }
}

impl Shape {
    fn event_of(&self, text: &[u8], number: u64) -> Result<String, String> {
        let text = str::from_utf8(text).map_err(|_| "it is not UTF-8")?;
        let line: Value =
            serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        let topics: Vec<String> = self
            .topics
            .iter()
            .map(|topic| Ok(topic.to_string()))
            .chain(
                self.topic_templates
                    .iter()
                    .map(|template| template.topic_of(&line).map(|topic| topic.to_string())),
            )
            .collect::<Result<_, String>>()?;
        let event_type = self.type_of(&line)?;
        // The data is handed on as it was written; only what stands around it is made here.
        let mut event = format!("{{\"type\":{}", json!(event_type.as_str()));
        // Writing to a string cannot fail.
        if !topics.is_empty() {
            let _infallible = write!(event, ",\"topics\":{}", json!(topics));
        }
        let _infallible = write!(event, ",\"data\":{text}");
        let id = match &self.id_field {
            Some(field) => {
                let id = field
                    .text_in(&line)
                    .ok_or_else(|| format!("it has no field `{}`", field.as_str()))?;
                EventId::parse(&id).map_err(|error| format!("`{id}` is not an id: {error}"))?;
                id
            }
            None => self.derived_id(&event, number),
        };
        let _infallible = write!(event, ",\"id\":{}}}", json!(id));
        Ok(event)
    }

    fn type_of(&self, line: &Value) -> Result<EventType, String> {
        let found = self
            .type_field
            .as_ref()
            .and_then(|field| field.text_in(line));
        match (found, &self.event_type, &self.type_field) {
            (Some(text), _, _) => EventType::parse(&text)
                .map_err(|error| format!("`{text}` is not an event type: {error}")),
            (None, Some(default), _) => Ok(default.clone()),
            (None, None, Some(field)) => Err(format!("it has no field `{}`", field.as_str())),
            (None, None, None) => Err("it has no type".to_owned()),
        }
    }

    /// The same for the same event of the same line of the same file.
    fn derived_id(&self, event: &str, number: u64) -> String {
        let mut hash = Sha256::new();
        // The length keeps a name and an event that share their edge apart.
        hash.update((self.name.len() as u64).to_le_bytes());
        hash.update(self.name.as_bytes());
        hash.update(number.to_le_bytes());
        hash.update(event.as_bytes());
        let digest = hash.finalize();
        digest
            .iter()
            .take(16)
            .fold("line:".to_owned(), |mut id, byte| {
                let _infallible = write!(id, "{byte:02x}");
                id
            })
    }
}

#[cfg(test)]
mod tests;
