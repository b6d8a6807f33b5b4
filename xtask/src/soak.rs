//! `cargo xtask soak`: readers that are cut off in every way and come back, publishers of every kind, and an
//! operator, for as long as wanted; then, whether anything was lost, and whether the hub has grown.
//!
//! It runs in the profile of the chore, and so does the hub: `cargo run --release -p xtask -- soak` soaks a release
//! build.
//!
//! Start reading at [`oracle`], which says what must hold for every reader, then [`reader`].

mod asking;
mod counts;
mod operator;
mod oracle;
mod publisher;
mod reader;
mod reloads;
mod report;
mod stream;
mod verdict;
mod watch;
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use tidings_testkit::program::{Program, Running};
use tidings_testkit::random::Random;
use tokio::sync::watch::channel;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::bench::stand;
use crate::program;
use crate::suite;
use crate::suite::tally::Tally;
use oracle::Oracle;
use publisher::{HABITS, Publisher};
use reader::Reader;
use watch::Samples;
use world::{Stage, TOKEN_SETTINGS, World};

/// What `cargo xtask soak` takes.
#[derive(Debug, Args)]
pub(crate) struct SoakArguments {
    /// How long it lasts.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Readers.
    #[arg(long, default_value_t = 120)]
    readers: usize,
    /// Which random choices are made; without it, nobody knows.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the results go.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
}

/// How large a soak is.
#[derive(Debug, Clone, Copy)]
struct Size {
    lasts: Duration,
    readers: usize,
    seed: u64,
    /// How long a reader's credential lives.
    token_life: Duration,
    /// The longest that a stream lasts before it is cut.
    stream_life: Duration,
    /// How often somebody is revoked.
    revoke_each: Duration,
    /// How often the hub reads its settings again.
    reload_each: Duration,
    /// How often memory is looked at.
    look_each: Duration,
}

/// The brief soak of every run of all suites.
const BRIEF_SECONDS: u64 = 10;
const BRIEF_READERS: usize = 40;

/// What fills up with time is small, so that it is full when the second tenth begins.
const SETTINGS: [(&str, &str); 9] = [
    ("TIDINGS_LIMITS_CONNECTIONS_PER_IDENTITY", "1000"),
    ("TIDINGS_LIMITS_CONNECTIONS_PER_ADDRESS", "10000"),
    (
        "TIDINGS_LIMITS_REFUSED_LOGINS_PER_ADDRESS_PER_MINUTE",
        "100000",
    ),
    ("TIDINGS_WINDOW_EVENTS", "2000"),
    ("TIDINGS_WINDOW_BYTES", "2MiB"),
    ("TIDINGS_DEDUPE_WINDOW", "10s"),
    ("TIDINGS_LOG_SEGMENT_BYTES", "16MiB"),
    ("TIDINGS_STREAMS_SLOW_READER", "2s"),
    ("TIDINGS_HEARTBEAT", "1s"),
];

/// How often what is certain is compared.
const COMPARE_EACH: Duration = Duration::from_millis(500);

/// How long readers may take to read to the end.
const END_WITHIN: Duration = Duration::from_secs(60);

/// How long the credentials of publishers live.
const LONG_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs a soak and writes what was found.
pub(crate) fn run(root: &Path, arguments: &SoakArguments) -> Result<bool> {
    let lasts = Duration::try_from_secs_f64(arguments.minutes * 60.0)
        .ok()
        .filter(|lasts| *lasts >= Duration::from_secs(BRIEF_SECONDS));
    let lasts =
        lasts.context("`--minutes` is below 0.17\nhint: a soak takes ten seconds at least")?;
    let size = Size {
        lasts,
        readers: arguments.readers.max(1),
        seed: arguments.seed.unwrap_or_else(Random::seed),
        // A credential's end is told a minute before.
        token_life: Duration::from_secs(90).min(lasts / 3),
        stream_life: Duration::from_secs(8).min(lasts / 10),
        revoke_each: Duration::from_secs(2).min(lasts / 20),
        reload_each: Duration::from_secs(5).min(lasts / 20),
        look_each: Duration::from_secs(1).min(lasts / 100),
    };
    Ok(suite::run("soak", || {
        let found = soak(root, size)?;
        let report = report::report(&found);
        report.print();
        report.write(root, &root.join(&arguments.out), "soak")?;
        Ok(verdict::judge(&found))
    }))
}

/// A brief soak, which leaves nothing behind.
pub(crate) fn briefly(root: &Path) -> Result<Tally> {
    let lasts = Duration::from_secs(BRIEF_SECONDS);
    let found = soak(
        root,
        Size {
            lasts,
            readers: BRIEF_READERS,
            seed: Random::seed(),
            token_life: Duration::from_secs(5),
            stream_life: Duration::from_secs(2),
            revoke_each: Duration::from_millis(500),
            reload_each: Duration::from_millis(500),
            look_each: Duration::from_millis(50),
        },
    )?;
    Ok(verdict::judge(&found))
}

/// What a soak has found.
#[derive(Debug)]
struct Found {
    size: Size,
    world: Arc<World>,
    samples: Samples,
}

fn soak(root: &Path, size: Size) -> Result<Found> {
    let binary = program::build(root)?;
    let target = root.join("target");
    std::fs::create_dir_all(&target)?;
    let folder = tempfile::Builder::new()
        .prefix("soak-")
        .tempdir_in(target)
        .context("cannot make a directory for the soak")?;
    let program = SETTINGS.iter().fold(
        Program::new(binary, folder.path()),
        |program, (name, value)| program.with_setting(name, value),
    );
    std::fs::write(folder.path().join(TOKEN_SETTINGS), "")?;
    let running = program.start("127.0.0.1:0".parse()?)?;
    println!("seed {}", size.seed);
    // Where the hub looks for its settings.
    let settings = folder.path().join("tidings.toml");
    let soaking = Box::pin(soak_on(program.clone(), &running, settings, size));
    let found = stand::runtime()?.block_on(soaking);
    found.with_context(|| format!("the hub said: {}", program.last_words()))
}

async fn soak_on(
    program: Program,
    running: &Running,
    settings: PathBuf,
    size: Size,
) -> Result<Found> {
    let (stage, stages) = channel(Stage::Running);
    let oracle = Oracle::new(HABITS.len(), size.readers);
    let oracle = (oracle, size.readers);
    let world = World::new(program, running.address, oracle, size.token_life, stages);
    let mut seeds = Random::new(size.seed);

    let mut readers = JoinSet::new();
    for number in 0..size.readers {
        let reader = Reader::new(number, &world, seeds.next_number(), size.stream_life);
        readers.spawn(reader.run());
    }
    let grants = ["--publish", "soak/*", "--admin"];
    let token = world.token("publisher", &grants, LONG_LIFE).await?.text;
    let mut others = JoinSet::new();
    for number in 0..HABITS.len() {
        let publisher = Publisher::new(number, &world, seeds.next_number(), &token);
        others.spawn(publisher.run());
    }
    let seed = seeds.next_number();
    let operator = operator::run(
        Arc::clone(&world),
        seed,
        size.readers,
        size.revoke_each,
        token,
    );
    others.spawn(operator);
    let reloads = reloads::run(
        Arc::clone(&world),
        running.pid(),
        settings,
        size.reload_each,
    );
    others.spawn(reloads);

    let comparing = tokio::spawn(compare(Arc::clone(&world)));
    let watching = tokio::spawn(watch::watch(running.pid(), size.lasts, size.look_each));
    tokio::select! {
        () = sleep(size.lasts) => {}
        // Neither ends before it is told to.
        ended = readers.join_next() => ended.context("no readers")???,
        ended = others.join_next() => ended.context("no publishers")???,
    }
    stage.send_replace(Stage::Ending);
    while let Some(ended) = others.join_next().await {
        ended??;
    }
    let end = world.oracle().end();
    ensure!(end > 0, "nothing was published");
    stage.send_replace(Stage::Last(end));
    let finished = timeout(END_WITHIN, async {
        while let Some(ended) = readers.join_next().await {
            ended??;
        }
        Ok::<_, anyhow::Error>(())
    });
    // Who has not finished is found by the oracle.
    if let Ok(finished) = finished.await {
        finished?;
    }
    comparing.abort();
    world.oracle().finish();
    Ok(Found {
        size,
        samples: watching.await??,
        world,
    })
}

/// Compares again and again, so that little has to be kept.
async fn compare(world: Arc<World>) {
    let mut each = tokio::time::interval(COMPARE_EACH);
    loop {
        each.tick().await;
        world.oracle().compare();
    }
}
