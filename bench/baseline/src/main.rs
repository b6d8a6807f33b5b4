//! A plain hub of server-sent events on axum and tokio's broadcast channel, to be measured beside
//! Tidings: what a team would write in an afternoon, without authentication, limits or durability.
//!
//! `POST /pub/{topic}` publishes its body, `GET /sub/{topic}` streams it; a reader with a
//! `Last-Event-ID` is sent what is left of it in the topic's replay buffer. A reader that is slower
//! than its channel skips events and is not told, as such hubs do.

mod topics;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use clap::Parser;
use futures_util::{Stream, stream};
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;

use topics::{Message, Topics};

/// A plain hub of server-sent events.
#[derive(Debug, Parser)]
struct Arguments {
    /// Address and port on which to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// File that gets the address once connections are accepted.
    #[arg(long)]
    ready_file: Option<PathBuf>,
    /// Events of a topic that a returning reader can still get.
    #[arg(long, default_value_t = 2_000)]
    history: usize,
    /// Events by which a reader may lag behind.
    #[arg(long, default_value_t = 1_024)]
    channel: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let topics = Arc::new(Topics::new(arguments.history, arguments.channel));
    let app = Router::new()
        .route("/pub/{*topic}", post(publish))
        .route("/sub/{*topic}", get(subscribe))
        .with_state(topics);
    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    if let Some(file) = &arguments.ready_file {
        std::fs::write(file, address.to_string())
            .with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    axum::serve(listener, app).await?;
    Ok(())
}

async fn publish(
    State(topics): State<Arc<Topics>>,
    Path(topic): Path<String>,
    body: String,
) -> StatusCode {
    topics.topic(&topic).publish(body);
    StatusCode::ACCEPTED
}

async fn subscribe(
    State(topics): State<Arc<Topics>>,
    Path(topic): Path<String>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let after = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let (missed, live) = topics.topic(&topic).subscribe(after);
    let reading = (missed.into_iter(), live);
    let events = stream::unfold(reading, async |(mut missed, mut live)| {
        let message = match missed.next() {
            Some(message) => message,
            None => loop {
                match live.recv().await {
                    Ok(message) => break message,
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            },
        };
        Some((Ok(event(&message)), (missed, live)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

fn event(message: &Message) -> Event {
    Event::default()
        .id(message.id.to_string())
        .data(&*message.data)
}
