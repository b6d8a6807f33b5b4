//! `replay`: how fast one reader gets events that are already in the log.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tidings_testkit::plain_client::{Connection, Stream};

use super::BenchArguments;
use super::blocking::{BlockingPublisher, EventShape, NDJSON, find};
use super::chart::Chart;
use super::report::{Figure, Report};
use super::stand::{Hub, Stand, runtime};

const EVENTS: u64 = 10_000;
const LINES: u64 = 100;
const RUNS: usize = 9;
const SHAPE: EventShape = EventShape {
    bytes: 300,
    topics: 1,
};

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, _arguments: &BenchArguments) -> Result<Report> {
    let hub = stand.start()?;
    let mut publisher = BlockingPublisher::connect(hub.running.address, &hub.token, NDJSON)?;
    for first in (0..EVENTS).step_by(LINES as usize) {
        publisher.publish(&SHAPE.lines(first, LINES), LINES)?;
    }
    let warm = measure(&hub)?;
    // A hub that has just started has nothing in memory: every event comes from the log's files.
    drop(hub);
    let hub = stand.start()?;
    let first_after_start = measure_once(&hub)?;

    Ok(Report {
        setup: format!(
            "one reader asks for `since=earliest` of one topic with {EVENTS} events of {} bytes, from request to \
             last event; the median of {RUNS} runs, and one run after a restart",
            SHAPE.bytes
        ),
        figures: vec![
            Figure::new(
                format!("time of {EVENTS} events"),
                EVENTS as f64 / warm * 1_000.0,
                "ms",
            ),
            Figure::new("events per second", warm, "1/s"),
            Figure::new(
                "events per second, first reader after a restart",
                first_after_start,
                "1/s",
            ),
        ],
        charts: vec![(
            String::new(),
            Chart::bars(
                &format!("Replay of {EVENTS} events to one reader"),
                "from memory and page cache",
                "events per second",
                vec![
                    ("running hub".to_owned(), warm),
                    ("after a restart".to_owned(), first_after_start),
                ],
            ),
        )],
    })
}

/// Median events per second of all runs.
fn measure(hub: &Hub) -> Result<f64> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(measure_once(hub)?);
    }
    runs.sort_by(f64::total_cmp);
    runs.get(RUNS / 2).copied().context("there was no run")
}

fn measure_once(hub: &Hub) -> Result<f64> {
    runtime()?.block_on(async {
        let began = Instant::now();
        let connection = Connection::open(hub.running.address, &hub.token).await?;
        let mut stream = connection
            .stream("/v1/stream?topics=bench/0&since=earliest", None)
            .await?;
        for number in 0..EVENTS {
            let shown = next_number(&mut stream).await?;
            ensure!(
                shown == number,
                "the reader expects event {number}, is shown {shown}"
            );
        }
        Ok(EVENTS as f64 / began.elapsed().as_secs_f64())
    })
}

/// The number in the next event of the stream.
async fn next_number(stream: &mut Stream) -> Result<u64> {
    loop {
        let text = stream.next_text().await.context("the stream has ended")?;
        ensure!(
            find(text, b"tidings.gap").is_none(),
            "the reader is told of a gap"
        );
        if let Some(number) = number_after(text, b"\"n\":") {
            return Ok(number);
        }
    }
}

/// The whole number that follows a text.
pub(crate) fn number_after(text: &[u8], name: &[u8]) -> Option<u64> {
    let at = find(text, name)? + name.len();
    let digits = text
        .get(at..)?
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_where_it_stands() {
        assert_eq!(
            number_after(b"data: {\"n\":1024,\"x\":1}", b"\"n\":"),
            Some(1_024)
        );
        assert_eq!(number_after(b"event: tidings.hello", b"\"n\":"), None);
    }
}
