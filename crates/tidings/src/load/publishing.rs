//! The publishers of a load together: what they send.

use std::io::Write as _;
use std::thread;

use clap::ValueEnum;

use super::h2::Fields;
use super::probe::Probe;
use super::publisher::{PublishError, Publisher};
use super::readers::Accepted;
use super::tally::Latencies;
use super::target::{Target, TopicTemplate};
use super::timetable::Timetable;
use super::turns;

/// What a hub takes as the body of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The data of one event and nothing else; the URL names the topic.
    Raw,
    /// One event of this hub as JSON.
    Tidings,
    /// Events of this hub, one on each line.
    Ndjson,
}

/// What publishers send.
pub(super) struct PublishPlan {
    pub(super) target: Target,
    pub(super) format: Format,
    event_bytes: usize,
    /// Of each topic, what stands before the data of its events.
    before_data: Vec<Vec<u8>>,
    /// Of each topic, the request head up to the length of the body.
    heads: Vec<Vec<u8>>,
    /// The same of HTTP/2, if that is spoken.
    fields: Option<Vec<Fields>>,
}

/// The publishers of a load.
pub(super) struct Publishers {
    plan: PublishPlan,
    all: Vec<Publisher>,
}

/// What publishers did in one phase.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// Events that were accepted, of those that were due in the timed part.
    pub(super) timed: u64,
    /// Events that the hub refused for the moment.
    pub(super) refused: u64,
    /// Events that were due and that no publisher was free for.
    pub(super) unsent: u64,
    /// From when a timed publish was due until its answer.
    pub(super) answers: Latencies,
    /// When the last answer came.
    pub(super) ended_us: u64,
}

impl Format {
    fn media_type(self) -> &'static str {
        match self {
            Self::Raw | Self::Tidings => "application/json",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

impl PublishPlan {
    pub(super) fn new(
        target: Target,
        format: Format,
        topic: &TopicTemplate,
        topics: u32,
        token: Option<&str>,
        event_bytes: usize,
    ) -> Self {
        let before_data = |number| {
            let name = serde_json::Value::from(topic.topic(number));
            match format {
                Format::Raw => Vec::new(),
                Format::Tidings | Format::Ndjson => {
                    format!("{{\"type\":\"bench.probe\",\"topics\":[{name}],\"data\":").into_bytes()
                }
            }
        };
        let media_type = format.media_type();
        let bearer = token.map_or_else(String::new, |token| {
            format!("Authorization: Bearer {token}\r\n")
        });
        let head = |number| {
            let path = target.path(&topic.topic(number), number);
            let host = &target.host;
            format!(
                "POST {path} HTTP/1.1\r\nHost: {host}\r\n{bearer}Content-Type: {media_type}\r\nContent-Length: "
            )
            .into_bytes()
        };
        Self {
            before_data: (0..topics).map(before_data).collect(),
            heads: (0..topics).map(head).collect(),
            fields: None,
            target,
            format,
            event_bytes,
        }
    }

    /// The same by HTTP/2.
    pub(super) fn with_http2(mut self, topic: &TopicTemplate, token: Option<&str>) -> Self {
        let fields = |number| {
            let path = self.target.path(&topic.topic(number), number);
            let fields = Fields::post(&self.target.host, &path)
                .with("content-type", self.format.media_type());
            match token {
                Some(token) => fields.with("authorization", &format!("Bearer {token}")),
                None => fields,
            }
        };
        self.fields = Some((0..self.topics() as u32).map(fields).collect());
        self
    }

    pub(super) fn is_http2(&self) -> bool {
        self.fields.is_some()
    }

    /// The request head of a topic by HTTP/2.
    pub(super) fn fields(&self, topic: usize) -> Option<&Fields> {
        self.fields.as_ref()?.get(topic)
    }

    pub(super) fn topics(&self) -> usize {
        self.heads.len()
    }

    /// The topic of an event's number: all topics in turn.
    pub(super) fn topic_of(&self, event: u64) -> usize {
        (event % self.topics() as u64) as usize
    }

    /// Appends an event in the hub's form.
    pub(super) fn write_event(&self, topic: usize, probe: Probe, body: &mut Vec<u8>) {
        body.extend_from_slice(self.before_data.get(topic).map_or(&[], Vec::as_slice));
        probe.write(body, self.event_bytes);
        match self.format {
            Format::Raw => {}
            Format::Tidings => body.push(b'}'),
            Format::Ndjson => body.extend_from_slice(b"}\n"),
        }
    }

    /// Appends the head of a request with a body of this length.
    pub(super) fn write_head(&self, topic: usize, length: usize, request: &mut Vec<u8>) {
        request.extend_from_slice(self.heads.get(topic).map_or(&[], Vec::as_slice));
        // Writing to memory cannot fail.
        let _written = write!(request, "{length}\r\n\r\n");
    }
}

impl Publishers {
    /// Connects all of them.
    pub(super) fn connect(plan: PublishPlan, publishers: usize) -> Result<Self, PublishError> {
        let all = (0..publishers)
            .map(|number| Publisher::connect(&plan, number as u32))
            .collect::<Result<_, _>>()?;
        Ok(Self { plan, all })
    }

    /// Connects all of them again: the hub behind their sockets is gone.
    pub(super) fn reconnect(&mut self) -> Result<(), PublishError> {
        let Self { plan, all } = self;
        all.iter_mut()
            .try_for_each(|publisher| publisher.reconnect(plan))
    }

    /// Works through a timetable, and does something else meanwhile.
    pub(super) fn run<T>(
        &mut self,
        timetable: &mut Timetable,
        meanwhile: impl FnOnce() -> T,
    ) -> Result<(Published, T), PublishError> {
        let Self { plan, all } = self;
        thread::scope(|scope| {
            let publishing = scope.spawn(|| turns::work(all, plan, timetable));
            let other = meanwhile();
            // A panic is no outcome of a publish: it goes on here.
            let published = publishing
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok((published, other))
        })
    }

    /// What was accepted so far.
    pub(super) fn accepted(&self) -> Accepted {
        let of = |publisher: &Publisher| publisher.accepted.clone();
        Accepted(self.all.iter().map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_the_hub_takes() {
        let probe = Probe {
            publisher: 1,
            serial: 2,
            due_us: 3,
        };
        let topic = TopicTemplate::new("bench/{n}".to_owned());
        for (format, expected) in [
            (Format::Raw, r#"{"tb":"probe=1.2.3;"}"#),
            (
                Format::Ndjson,
                "{\"type\":\"bench.probe\",\"topics\":[\"bench/1\"],\"data\":{\"tb\":\"probe=1.2.3;\"}}\n",
            ),
        ] {
            let target = Target::resolve("http://127.0.0.1:1/pub/{topic}").expect("a URL");
            let plan = PublishPlan::new(target, format, &topic, 2, Some("t"), 0);
            let (mut body, mut head) = (Vec::new(), Vec::new());
            plan.write_event(plan.topic_of(3), probe, &mut body);
            assert_eq!(str::from_utf8(&body), Ok(expected));
            plan.write_head(1, 7, &mut head);
            let head = String::from_utf8(head).expect("ASCII");
            assert!(head.starts_with("POST /pub/bench/1 HTTP/1.1\r\n"), "{head}");
            assert!(head.ends_with("Content-Length: 7\r\n\r\n"), "{head}");
        }
    }
}
