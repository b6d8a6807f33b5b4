//! `tidings tail`: events as they come.

use std::io::{self, Write};

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_client::{Event, Incoming, Reading};
use tidings_core::event_type::TypeGlob;
use tidings_core::pattern::Pattern;

use super::connect::{Connect, block_on, failure};
use super::failure::Failure;
use super::tell;

/// Prints events as they come, and goes on by itself after a loss.
#[derive(Debug, Args)]
pub(super) struct Tail {
    #[command(flatten)]
    connect: Connect,

    /// Topics to read, such as `project/**`; what is addressed to the token's subject, to its roles
    /// or to everyone is read too.
    #[arg(long = "topic", value_name = "PATTERN", value_parser = Pattern::parse)]
    topics: Vec<Pattern>,

    /// Event types to read, such as `chapter.*`.
    #[arg(long = "events", value_name = "GLOB", value_parser = TypeGlob::parse)]
    types: Vec<TypeGlob>,

    /// Where to start: `now`, `earliest`, `last`, a cursor, a time, a duration such as `10m`, or an
    /// event id.
    #[arg(long, value_name = "WHERE")]
    since: Option<String>,

    /// Prints each event as the hub sent it, one JSON object per line.
    #[arg(long)]
    json: bool,

    /// Ends after so many events.
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
}

impl Tail {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let client = self.connect.client()?;
        let mut stream = client.stream(Reading {
            topics: self.topics,
            types: self.types,
            since: self.since,
            without_audience: false,
        });
        let mut left = self.count.unwrap_or(u64::MAX);
        block_on(async {
            let mut out = io::stdout();
            let mut farewell = None;
            let mut interrupted = false;
            while left > 0 {
                let Some(incoming) = stream.next().await.map_err(failure)? else {
                    return Err(ended(farewell.as_deref()).into());
                };
                match incoming {
                    Incoming::Event(event) => {
                        let line = if self.json { event.data } else { shown(&event) };
                        writeln!(out, "{line}")?;
                        out.flush()?;
                        left -= 1;
                    }
                    Incoming::Bye(bye) => {
                        tell(&format!("the hub ends the connection: {}", bye.reason));
                        farewell = Some(bye.code);
                        interrupted = true;
                    }
                    other => {
                        if interrupted && matches!(other, Incoming::Hello(_)) {
                            tell("connected again");
                        }
                        interrupted = matches!(other, Incoming::Interrupted { .. });
                        tell_of(&other);
                    }
                }
            }
            Ok(())
        })
    }
}

/// What a person should know besides the events.
fn tell_of(incoming: &Incoming) {
    match incoming {
        Incoming::Hello(hello) => {
            if let Some(topics) = &hello.topics {
                tell(&format!(
                    "the token allows only a part: {}",
                    topics.join(", ")
                ));
            }
        }
        Incoming::Gap(gap) => {
            let from = gap
                .from
                .map_or_else(|| "an unknown place".to_owned(), |from| from.to_string());
            tell(&format!(
                "gap: events are missing after {from} up to {}: {}",
                gap.to, gap.reason
            ));
        }
        Incoming::Interrupted { cause, retry_in } => tell(&format!(
            "{cause}; trying again in {:.1} s",
            retry_in.as_secs_f64()
        )),
        Incoming::Reauth(_) => tell("the token ends soon"),
        Incoming::Event(_) | Incoming::Bye(_) | Incoming::Ping(_) => {}
    }
}

/// What a person wants to see of an envelope.
#[derive(Deserialize)]
struct Envelope<'a> {
    /// As the publisher wrote it.
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default)]
    topics: Vec<String>,
}

/// An event in one line for people: its cursor, type, topics and data.
fn shown(event: &Event) -> String {
    let cursor = event
        .cursor
        .map_or_else(|| "-".to_owned(), |cursor| cursor.to_string());
    let kind = &event.event_type;
    match serde_json::from_str::<Envelope<'_>>(&event.data) {
        Ok(envelope) => {
            let topics = match envelope.metadata.topics.join(",") {
                none if none.is_empty() => "-".to_owned(),
                topics => topics,
            };
            format!("{cursor}  {kind}  {topics}  {}", envelope.data)
        }
        Err(_) => format!("{cursor}  {kind}  -  {}", event.data),
    }
}

fn ended(code: Option<&str>) -> Failure {
    let failure = Failure::new("the hub has ended the stream for good");
    match code {
        Some("credential_expired") => failure.hint("give a new token; `tidings token` makes one"),
        Some(code) => failure.hint(format!("its reason was `{code}`")),
        None => failure,
    }
}
