//! `tidings publish`: one event, or a file of them.

use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use tidings_core::event_type::EventType;
use tidings_core::id::EventId;
use tidings_core::limits::READERS_AWAITED_MAX;
use tidings_core::topic::Topic;

use self::lines::{LineEvents, Shape};
use self::path::FieldPath;
use self::progress::Progress;
use self::template::Template;
use super::connect::{Connect, block_on, failure};
use super::failure::Failure;
use super::limits::{BODY_BYTES_MAX, DATA_BYTES_MAX};

mod lines;
mod path;
mod progress;
mod send;
mod template;

/// Publishes one event, or every line of a file as one.
#[derive(Debug, Args)]
pub(super) struct Publish {
    #[command(flatten)]
    connect: Connect,

    /// Topic to publish to; without any, the event is for everyone.
    #[arg(long = "topic", value_name = "TOPIC", value_parser = Topic::parse)]
    topics: Vec<Topic>,

    /// Type of the event, or of lines that do not say theirs.
    #[arg(
        long = "type",
        value_name = "TYPE",
        value_parser = EventType::parse,
        required_unless_present = "type_field"
    )]
    event_type: Option<EventType>,

    /// Id of the event; publishing it again within the hub's dedupe window changes nothing.
    #[arg(long, value_name = "ID", value_parser = EventId::parse, conflicts_with = "file")]
    id: Option<EventId>,

    /// Data of the event as JSON, or `-` to read it from standard input.
    #[arg(
        value_name = "DATA",
        conflicts_with = "file",
        allow_hyphen_values = true
    )]
    data: Option<String>,

    /// Holds the event until so many connections would get it, or until the time is over.
    #[arg(long, value_name = "NUMBER", conflicts_with = "file", value_parser = clap::value_parser!(u64).range(1..=READERS_AWAITED_MAX))]
    wait_subscribers: Option<u64>,

    /// How long to wait for them; `3s` unless it is given.
    #[arg(long, value_name = "DURATION", requires = "wait_subscribers", value_parser = super::duration)]
    wait_timeout: Option<Duration>,

    /// Publishes every line of this file, each a JSON object, as the data of an event; `-` is
    /// standard input. It can be run again after a failure: what is published already is
    /// recognised by its id, within the hub's dedupe window.
    #[arg(long, value_name = "NDJSON")]
    file: Option<PathBuf>,

    /// Field of a line that says the event's type, such as `type`.
    #[arg(long, value_name = "FIELD", requires = "file", conflicts_with = "data", value_parser = FieldPath::parse)]
    type_field: Option<FieldPath>,

    /// Topic made of fields of the line, such as `repo/{repo.name}`.
    #[arg(long, value_name = "TEMPLATE", requires = "file", conflicts_with = "data", value_parser = Template::parse)]
    topic_template: Vec<Template>,

    /// Field of a line that says the event's id; without it, the id follows from the line and its
    /// number.
    #[arg(long, value_name = "FIELD", requires = "file", conflicts_with = "data", value_parser = FieldPath::parse)]
    id_field: Option<FieldPath>,

    /// How long to try again while the hub is away or busy.
    #[arg(
        long,
        value_name = "DURATION",
        requires = "file",
        default_value = "5m",
        value_parser = super::duration
    )]
    retry_for: Duration,
}

impl Publish {
    pub(super) fn run(mut self) -> anyhow::Result<()> {
        match self.file.take() {
            Some(path) => self.publish_file(&path),
            None => self.publish_one(),
        }
    }

    fn publish_one(self) -> anyhow::Result<()> {
        let client = self.connect.client()?;
        let text = match self.data.as_deref() {
            None => "null".to_owned(),
            Some("-") => {
                let mut text = String::new();
                let read = io::stdin()
                    .take(DATA_BYTES_MAX + 1)
                    .read_to_string(&mut text)
                    .context("cannot read standard input")?;
                if read as u64 > DATA_BYTES_MAX {
                    let message = format!("the data has more than {DATA_BYTES_MAX} bytes");
                    let hint = "publish the lines of a file with `--file`";
                    return Err(Failure::new(message).hint(hint).into());
                }
                text
            }
            Some(data) => data.to_owned(),
        };
        let data: Value = serde_json::from_str(&text).map_err(|error| {
            Failure::new(format!("the data is not JSON: {error}"))
                .hint("a text needs quotation marks of its own: `'\"hello\"'`")
        })?;
        let mut event = json!({
            "type": self.event_type.as_ref().map(EventType::as_str),
            "data": data,
        });
        if !self.topics.is_empty() {
            event["topics"] = self.topics.iter().map(Topic::as_str).collect();
        }
        if let Some(id) = &self.id {
            event["id"] = id.as_str().into();
        }
        if let Some(subscribers) = self.wait_subscribers {
            event["wait"] = json!({ "subscribers": subscribers });
            if let Some(timeout) = self.wait_timeout {
                event["wait"]["timeout"] = format!("{}ms", timeout.as_millis()).into();
            }
        }
        let published =
            block_on(async { Ok(client.publish_json(&event).await.map_err(failure)?) })?;
        let mut answer = json!({
            "id": published.id,
            "cursor": published.cursor.to_string(),
            "subscribers": published.subscribers,
        });
        if published.duplicate {
            answer["duplicate"] = true.into();
        }
        super::print(&answer.to_string())?;
        Ok(())
    }

    fn publish_file(self, path: &std::path::Path) -> anyhow::Result<()> {
        let client = self.connect.client()?;
        let shown = path.display().to_string();
        let (input, length): (Box<dyn Read>, _) = if shown == "-" {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path).with_context(|| format!("cannot open `{shown}`"))?;
            let length = file.metadata().ok().map(|metadata| metadata.len());
            (Box::new(file), length)
        };
        let progress = Progress::new(length, io::stderr().is_terminal());
        let shape = Shape {
            name: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            topics: self.topics,
            event_type: self.event_type,
            type_field: self.type_field,
            topic_templates: self.topic_template,
            id_field: self.id_field,
        };
        // What is buffered goes into one body, so this is the body's size too.
        let reader = BufReader::with_capacity(BODY_BYTES_MAX, input);
        let events = LineEvents::new(reader, shape);
        block_on(send::send_all(&client, events, self.retry_for, progress))
    }
}
