//! A feed: lines of JSON, and how a line becomes an event.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use serde_json::{Value, json};
use tidings_client::Reading;
use tidings_core::event_type::{EventType, TypeGlob};
use tidings_core::id::EventId;
use tidings_core::pattern::Pattern;
use tidings_core::topic::Topic;

/// Id of the event after which there is no other.
pub(crate) const THE_END: &str = "the-end-of-the-demonstration";

/// Which fields of a line say what the event is. A dot goes into an object.
#[derive(Debug, Args)]
pub(crate) struct Fields {
    /// Topic of a line; `{field}` is replaced.
    #[arg(long = "topic", default_value = "repo/{repo.name}")]
    topic: String,
    /// Field with the event's type.
    #[arg(long = "type-field", default_value = "type")]
    event_type: String,
    /// Field with the publisher's id of the event.
    #[arg(long = "id-field", default_value = "id")]
    id: String,
}

/// A feed, checked.
#[derive(Debug)]
pub(crate) struct Feed {
    /// Its events in order.
    pub(crate) events: Vec<FeedEvent>,
    /// A pattern that matches all of its topics.
    pub(crate) everything: String,
}

/// One line of a feed.
#[derive(Debug, Clone)]
pub(crate) struct FeedEvent {
    /// The publisher's id.
    pub(crate) id: String,
    /// The body to publish.
    pub(crate) body: Value,
    topic: String,
    event_type: String,
}

/// What one reader asks for, and the ids it must get.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// In words.
    pub(crate) name: String,
    /// What it asks the hub for.
    pub(crate) reading: Reading,
    /// Ids of the events that match.
    pub(crate) ids: BTreeSet<String>,
}

// === impl Feed ===

impl Feed {
    /// Reads a feed and checks every line of it before anything is published.
    pub(crate) fn read(path: &Path, fields: &Fields) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the feed `{}`", path.display()))?;
        let mut events = Vec::new();
        let mut ids = BTreeSet::new();
        for (number, line) in (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let event = FeedEvent::from_line(line, fields)
                .with_context(|| format!("{}:{number} is no event", path.display()))?;
            ensure!(
                ids.insert(event.id.clone()),
                "{}:{number} repeats the id `{}`",
                path.display(),
                event.id
            );
            events.push(event);
        }
        ensure!(
            events.len() >= 2,
            "the feed is too short to be cut in the middle"
        );
        let fixed = fields.topic.split('{').next().unwrap_or_default();
        let everything = match fixed.rsplit_once('/') {
            Some((prefix, _)) => format!("{prefix}/**"),
            None => "**".to_owned(),
        };
        Ok(Self { events, everything })
    }

    /// The three readers of the demonstration.
    pub(crate) fn watchers(&self) -> Result<[Wanted; 3]> {
        let (topic, kind) = (self.busiest_topic(), self.busiest_type());
        let everything = || reading(&self.everything);
        let one_type = Reading {
            types: vec![TypeGlob::parse(&kind)?],
            ..everything()?
        };
        Ok([
            self.wanted(
                format!("everything ({})", self.everything),
                everything()?,
                |_| true,
            ),
            self.wanted(format!("topic {topic}"), reading(&topic)?, |event| {
                event.topic == topic
            }),
            self.wanted(format!("type {kind}"), one_type, |event| {
                event.event_type == kind
            }),
        ])
    }

    /// The event after which there is no other; it matches what each of the readers asks for.
    pub(crate) fn the_end(&self) -> FeedEvent {
        FeedEvent::new(
            THE_END,
            &self.busiest_type(),
            &self.busiest_topic(),
            &Value::Null,
        )
    }

    fn busiest_topic(&self) -> String {
        busiest(self.events.iter().map(|event| event.topic.as_str()))
    }

    fn busiest_type(&self) -> String {
        busiest(self.events.iter().map(|event| event.event_type.as_str()))
    }

    fn wanted(
        &self,
        name: String,
        reading: Reading,
        matches: impl Fn(&FeedEvent) -> bool,
    ) -> Wanted {
        let matching = self.events.iter().filter(|event| matches(event));
        Wanted {
            name,
            reading,
            ids: matching.map(|event| event.id.clone()).collect(),
        }
    }
}

/// What is read of one pattern.
fn reading(pattern: &str) -> Result<Reading> {
    Ok(Reading {
        topics: vec![Pattern::parse(pattern)?],
        ..Reading::default()
    })
}

/// The text that occurs most often.
fn busiest<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or_else(String::new, |(text, _)| text.to_owned())
}

// === impl FeedEvent ===

impl FeedEvent {
    fn from_line(line: &str, fields: &Fields) -> Result<Self> {
        let value: Value = serde_json::from_str(line).context("the line is not JSON")?;
        let id = field(&value, &fields.id)?;
        let event_type = field(&value, &fields.event_type)?;
        let topic = fill(&fields.topic, &value)?;
        EventId::parse(&id).with_context(|| format!("`{id}` is no event id"))?;
        EventType::parse(&event_type)
            .with_context(|| format!("`{event_type}` is no event type"))?;
        Topic::parse(&topic)
            .map_err(|fault| anyhow!("`{topic}` is no topic: {fault}\nhint: topics have one canonical form; choose another field for `--topic`"))?;
        ensure!(
            id != THE_END,
            "the id `{THE_END}` is taken by the demonstration"
        );
        Ok(Self::new(&id, &event_type, &topic, &value))
    }

    fn new(id: &str, event_type: &str, topic: &str, data: &Value) -> Self {
        let body = json!({ "id": id, "type": event_type, "topics": [topic], "data": data });
        Self {
            id: id.to_owned(),
            body,
            topic: topic.to_owned(),
            event_type: event_type.to_owned(),
        }
    }
}

/// Fills `{field}` places of a template.
fn fill(template: &str, value: &Value) -> Result<String> {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, tail)) = rest.split_once('{') {
        let (name, after) = tail
            .split_once('}')
            .with_context(|| format!("a `{{` is not closed in the template `{template}`"))?;
        filled.push_str(before);
        filled.push_str(&field(value, name)?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A field as text, by its path of names.
fn field(value: &Value, path: &str) -> Result<String> {
    let found = path
        .split('.')
        .try_fold(value, |value, name| value.get(name));
    match found {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => bail!("the field `{path}` is neither text nor a number"),
        None => bail!("there is no field `{path}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        Fields {
            topic: "repo/{repo.name}".to_owned(),
            event_type: "type".to_owned(),
            id: "id".to_owned(),
        }
    }

    fn feed(lines: &str) -> Result<Feed> {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), lines)?;
        Feed::read(file.path(), &fields())
    }

    #[test]
    fn a_line_becomes_an_event() {
        let line = |id: u32, kind: &str, name: &str| {
            format!("{{\"id\":\"{id}\",\"type\":\"{kind}\",\"repo\":{{\"name\":\"{name}\"}}}}\n")
        };
        let feed = feed(
            &[
                line(1, "Push", "a/b"),
                line(2, "Push", "c/d"),
                line(3, "Fork", "a/b"),
            ]
            .concat(),
        )
        .expect("the feed is right");
        let [all, topic, kind] = feed.watchers().expect("patterns");
        assert_eq!(feed.everything, "repo/**");
        assert_eq!(all.ids.len(), 3);
        assert_eq!(
            (topic.name.as_str(), topic.ids.len()),
            ("topic repo/a/b", 2)
        );
        assert_eq!((kind.name.as_str(), kind.ids.len()), ("type Push", 2));
    }

    #[test]
    fn a_topic_that_is_not_canonical_is_named() {
        let error = feed("{\"id\":\"1\",\"type\":\"Push\",\"repo\":{\"name\":\"a//b\"}}\n")
            .expect_err("no topic");
        let text = format!("{error:#}");
        assert!(
            text.contains(":1 is no event") && text.contains("`repo/a//b` is no topic"),
            "{text}"
        );
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = feed("{\"id\":\"1\",\"type\":\"Push\"}\n").expect_err("no repository");
        assert!(format!("{error:#}").contains("there is no field `repo.name`"));
    }

    #[test]
    fn an_id_stands_once() {
        let line = "{\"id\":1,\"type\":\"Push\",\"repo\":{\"name\":\"a\"}}\n";
        let error = feed(&line.repeat(2)).expect_err("the id stands twice");
        assert!(format!("{error:#}").contains(":2 repeats the id `1`"));
    }
}
