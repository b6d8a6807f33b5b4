//! D1 and D11: `kill -9` of the program at random instants, under publishers and readers.
//!
//! Every round starts the program on the directory that the last round left, lets publishers and
//! readers work, and kills it without warning. Publishers repeat what was not answered, with the same
//! id; readers resume with `Last-Event-ID`. What must hold over all rounds is in [`ledger`].
//!
//! `TIDINGS_D1_ROUNDS` sets the number of rounds, `TIDINGS_D1_SEED` the instants.

mod ledger;
mod load;
mod payload;
mod publisher;
mod reader;

use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tidings_testkit::program::{Program, Running};
use tokio::time::{sleep, timeout};

use ledger::Ledger;
use load::{Load, Tokens};

/// Rounds of a plain `cargo test`; the suites of `cargo xtask` ask for more.
const ROUNDS_DEFAULT: usize = 10;

/// Answers that a round waits for before the program may be killed, at most. The instant after them
/// is random too.
const ANSWERS_BEFORE_KILL_MAX: u64 = 160;
const DELAY_BEFORE_KILL_US_MAX: u64 = 4_000;

/// How long anything may take that must happen; far beyond what a slow machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d1_d11_kill_9_under_load_loses_repeats_and_takes_back_nothing() -> Result<()> {
    let rounds = number_from("TIDINGS_D1_ROUNDS").map_or(ROUNDS_DEFAULT, |rounds| rounds as usize);
    let seed = number_from("TIDINGS_D1_SEED").unwrap_or_else(random);
    let mut instants = Instants(seed);
    let began = Instant::now();

    let folder = tempfile::tempdir()?;
    // The smallest segments there are, so that rounds also end in them and begin new ones.
    let program = Program::new(env!("CARGO_BIN_EXE_tidings"), folder.path())
        .with_setting("TIDINGS_LOG_SEGMENT_BYTES", "16MiB");
    let ledger = Ledger::new(rounds, load::PUBLISHERS);
    let mut running = start(&program).await?;
    let load = Load::start(&ledger, &tokens(&program)?);

    for round in 0..rounds {
        ledger.begin_round(round);
        load.serve_at(Some(running.address));
        let answers = 1 + instants.below(ANSWERS_BEFORE_KILL_MAX);
        let answered = timeout(PATIENCE, ledger.answers(answers)).await;
        ledger
            .verdict()
            .with_context(|| format!("round {round} of seed {seed}"))?;
        answered
            .with_context(|| format!("round {round} of seed {seed}: {}", program.last_words()))?;
        sleep(Duration::from_micros(
            instants.below(DELAY_BEFORE_KILL_US_MAX),
        ))
        .await;
        running.kill().context(program.last_words())?;
        load.serve_at(None);
        running = start(&program).await?;
    }

    load.serve_at(Some(running.address));
    // Some readers begin at the beginning, and after many rounds that is far: what must not take
    // long is each step of the way.
    let mut ending = pin!(load.finish());
    let finished = loop {
        let before = ledger.seen();
        match timeout(PATIENCE, &mut ending).await {
            Err(_) if ledger.seen() > before => {}
            finished => break finished,
        }
    };
    ledger
        .verdict()
        .with_context(|| format!("the end of seed {seed}"))?;
    finished.with_context(|| format!("the end of seed {seed}: {}", program.last_words()))??;

    let summary = ledger.summary();
    report(&format!(
        "{rounds} rounds of seed {seed} in {:.1?}: {summary}",
        began.elapsed()
    ));
    ensure!(
        summary.rounds_hit * 2 >= rounds,
        "too few kills hit a publish that was under way: {summary}"
    );
    Ok(())
}

/// Starts the program on a port that the system chooses.
async fn start(program: &Program) -> Result<Running> {
    let program = program.clone();
    let listen = "127.0.0.1:0".parse()?;
    let running = tokio::task::spawn_blocking(move || program.start(listen)).await??;
    Ok(running)
}

/// Longer than thousands of rounds take on a machine that is busy with other things.
const LIFETIME: &str = "24h";

fn tokens(program: &Program) -> Result<Tokens> {
    let token = |subject: &str, verb: &str| {
        let grant = [verb, "torture/*", "--ttl", LIFETIME];
        program.token(subject, &grant)
    };
    let reader = |index: usize| token(&format!("reader-{index}"), "--subscribe");
    Ok(Tokens {
        publisher: token("publisher", "--publish")?,
        readers: (0..load::READER_IDENTITIES)
            .map(reader)
            .collect::<Result<_, _>>()?,
    })
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn random() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one("seed")
}

/// Random instants, the same for the same seed (`SplitMix64`).
struct Instants(u64);

impl Instants {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}

#[expect(clippy::print_stdout, reason = "the figures of a run are its result")]
fn report(line: &str) {
    println!("{line}");
}
