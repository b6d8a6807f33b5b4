//! Somebody who behaves, at a hub that is under attack.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use super::percentile;

/// A hub that takes longer than this is not serving.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often somebody comes.
const VISIT_EACH: Duration = Duration::from_millis(20);

/// Somebody who knows where the hub is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visitor(SocketAddr);

/// Somebody who comes again and again.
#[derive(Debug)]
pub(super) struct Visiting {
    is_over: Arc<AtomicBool>,
    visits: JoinHandle<Result<Vec<f64>>>,
}

impl Visitor {
    pub(super) fn new(hub: SocketAddr) -> Self {
        Self(hub)
    }

    /// Asks something on a connection of its own, and returns the whole answer.
    pub(super) fn ask(self, line: &str, body: &str) -> Result<String> {
        let mut socket = TcpStream::connect_timeout(&self.0, PATIENCE)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let request = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Publishes an event with so many bytes of data.
    pub(super) fn publish(self, topic: &str, bytes: usize) -> Result<()> {
        let data = "x".repeat(bytes);
        let event = format!(r#"{{"type":"t","topics":["{topic}"],"data":"{data}"}}"#);
        let answer = self.ask("POST /v1/events?userId=publisher", &event)?;
        ensure!(
            answer.starts_with("HTTP/1.1 200 "),
            "refused: {answer:.300}"
        );
        Ok(())
    }

    /// Comes again and again, until it is asked how it went.
    pub(super) fn visit(self) -> Visiting {
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let visits = thread::spawn(move || {
            let mut visits = Vec::new();
            while visits.is_empty() || !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let answer = self.ask("GET /healthz", "")?;
                ensure!(
                    answer.starts_with("HTTP/1.1 200 "),
                    "refused: {answer:.300}"
                );
                visits.push(begun.elapsed().as_secs_f64() * 1_000.0);
                thread::sleep(VISIT_EACH);
            }
            Ok(visits)
        });
        Visiting { is_over, visits }
    }
}

impl Visiting {
    /// Ends, and tells how long an answer took.
    pub(super) fn p99_ms(self) -> Result<f64> {
        self.is_over.store(true, Ordering::Relaxed);
        let visits = self.visits.join();
        let mut visits = visits.map_err(|_| anyhow!("the visitor panicked"))??;
        Ok(percentile(&mut visits, 99))
    }
}
