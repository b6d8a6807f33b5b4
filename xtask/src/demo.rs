//! `cargo xtask demo`: a recorded feed through a hub that is killed in the middle.
//!
//! Three readers watch: one everything, one the busiest topic, one the busiest type. When half of the
//! feed is answered the hub is killed (`kill -9`) and started again on the same port and directory;
//! the publisher repeats what was not answered, the readers resume. The table at the end counts what
//! each reader should have, has, misses, and has twice.

mod feed;
mod publisher;
mod reader;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tidings_client::Client;
use tidings_testkit::program::{Program, Running};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::program;
use feed::{Feed, Fields};
use publisher::Publisher;
use reader::{Count, Reader};

/// How long the demonstration waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `cargo xtask demo` takes.
#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// A feed of one JSON object per line.
    #[arg(long, default_value = "examples/feeds/github-sample.ndjson")]
    file: PathBuf,
    /// The program to run; without it, the workspace's is built.
    #[arg(long)]
    binary: Option<PathBuf>,
    #[command(flatten)]
    fields: Fields,
}

/// Runs the demonstration, and says whether every reader got everything once.
pub(crate) fn run(root: &Path, arguments: &DemoArguments) -> Result<bool> {
    let feed = Feed::read(&root.join(&arguments.file), &arguments.fields)?;
    println!(
        "feed: {} events of {}",
        feed.events.len(),
        arguments.file.display()
    );
    let binary = arguments
        .binary
        .clone()
        .map_or_else(|| program::build(root), Ok)?;
    let folder = tempfile::tempdir().context("cannot make a temporary directory")?;
    let program = Program::new(binary, folder.path());
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let counts = runtime.block_on(show(&program, feed))?;

    println!(
        "{:<48} {:>8} {:>6} {:>8} {:>11}",
        "reader", "expected", "got", "missing", "duplicated"
    );
    for count in &counts {
        let Count {
            name,
            expected,
            got,
            missing,
            duplicated,
        } = count;
        println!("{name:<48} {expected:>8} {got:>6} {missing:>8} {duplicated:>11}");
    }
    let whole = counts.iter().all(Count::is_whole);
    println!(
        "{}",
        if whole {
            "nothing missing, nothing duplicated"
        } else {
            "the hub did not keep its word"
        }
    );
    Ok(whole)
}

async fn show(program: &Program, feed: Feed) -> Result<Vec<Count>> {
    let mut running = start(program, "127.0.0.1:0").await?;
    let address = running.address;
    let url = format!("http://{address}");
    let reader_token = program.token("demo-reader", &["--subscribe", &feed.everything])?;
    let publisher_token = program.token("demo-publisher", &["--publish", &feed.everything])?;
    let reading = Client::new(&url, Some(&reader_token))?;
    let publishing = Client::new(&url, Some(&publisher_token))?;
    // The publisher sees each start of the hub as a new number.
    let (starts, started) = watch::channel(1_u32);

    let mut readers = Vec::new();
    for wanted in feed.watchers()? {
        let mut reader = Reader::start(wanted, &reading);
        timeout(PATIENCE, reader.is_connected())
            .await
            .context("a reader is not greeted")??;
        readers.push(reader);
    }

    let half = feed.events.len() / 2;
    let the_end = feed.the_end();
    let events = feed.events.into_iter().chain([the_end]).collect();
    let mut publisher = Publisher::start(events, publishing, started);
    timeout(PATIENCE, publisher.answered(half))
        .await
        .context("the first half is not answered")??;
    running.kill().context("cannot kill the hub")?;
    let under_way = publisher.progress();
    running = start(program, &address.to_string()).await?;
    println!(
        "killed with {under_way} events answered; back on {address} after {} ms",
        running.ready_after.as_millis()
    );
    starts.send_replace(2);

    let repeated = timeout(PATIENCE, publisher.finish())
        .await
        .context("the second half is not answered")??;
    println!(
        "{} publishes repeated after the kill, {} of them known to the hub",
        repeated.sent, repeated.known
    );
    let mut counts = Vec::new();
    for reader in readers {
        counts.push(reader.finish(PATIENCE).await?);
    }
    Ok(counts)
}

async fn start(program: &Program, listen: &str) -> Result<Running> {
    let listen = listen.parse()?;
    let program = program.clone();
    let running = spawn_blocking(move || program.start(listen)).await??;
    ensure!(
        listen.port() == 0 || running.address == listen,
        "the hub listens elsewhere: {}",
        running.address
    );
    Ok(running)
}
