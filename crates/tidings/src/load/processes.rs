//! Readers in this process, or in several that this one starts: a process may have only so many
//! descriptors. Plan, orders and tallies go through pipes, one JSON text on each line.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::readers::{Order, ReadPlan, Readers};
use super::socket::raise_descriptor_limit;
use super::tally::Tally;

/// What the program is called with to become a worker.
pub(crate) const WORKER: [&str; 2] = ["bench", "worker"];

/// All readers of a load.
pub(super) struct Squads(Vec<Squad>);

enum Squad {
    Here(Readers),
    Elsewhere(Box<Worker>),
}

/// Another process with readers.
struct Worker {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Squads {
    /// Starts so many processes with an equal share of readers each; one process is this one.
    pub(super) fn start(plan: &ReadPlan, processes: usize) -> io::Result<Self> {
        if processes <= 1 {
            return Ok(Self(vec![Squad::Here(Readers::start(plan)?)]));
        }
        let squad = |index| {
            let first = plan.readers * index / processes;
            let end = plan.readers * (index + 1) / processes;
            let share = ReadPlan {
                first: plan.first + first,
                readers: end - first,
                ..plan.clone()
            };
            Ok(Squad::Elsewhere(Box::new(Worker::start(&share)?)))
        };
        (0..processes)
            .map(squad)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Gives an order to all readers, and gathers what they have counted.
    pub(super) fn order(&mut self, order: &Order) -> io::Result<Tally> {
        for squad in &mut self.0 {
            match squad {
                Squad::Here(readers) => readers.order(order.clone())?,
                Squad::Elsewhere(worker) => worker.send(order)?,
            }
        }
        let mut all = Tally::default();
        for squad in &mut self.0 {
            let tally = match squad {
                Squad::Here(readers) => readers.answer()?,
                Squad::Elsewhere(worker) => worker.answer()?,
            };
            all.add(&tally);
        }
        Ok(all)
    }
}

impl Worker {
    fn start(plan: &ReadPlan) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(WORKER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || io::Error::other("a worker has no pipe");
        let mut worker = Self {
            orders: process.stdin.take(),
            answers: BufReader::new(process.stdout.take().ok_or_else(missing)?),
            process,
        };
        worker.send(plan)?;
        Ok(worker)
    }

    fn send(&mut self, what: &impl serde::Serialize) -> io::Result<()> {
        match &mut self.orders {
            Some(orders) => write_line(orders, what),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn answer(&mut self) -> io::Result<Tally> {
        read_line(&mut self.answers)?
            .ok_or_else(|| io::Error::other("a worker has ended; it says why above"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // A worker ends when nobody can give it orders any more.
        self.orders = None;
        let _ended = self.process.wait();
    }
}

/// What a worker does: takes its plan and then orders, until there are none.
pub(crate) fn work(mut orders: impl BufRead, mut answers: impl Write) -> io::Result<()> {
    raise_descriptor_limit();
    let Some(plan) = read_line::<ReadPlan>(&mut orders)? else {
        return Ok(());
    };
    let readers = Readers::start(&plan)?;
    while let Some(order) = read_line::<Order>(&mut orders)? {
        readers.order(order)?;
        write_line(&mut answers, &readers.answer()?)?;
    }
    Ok(())
}

fn write_line(to: &mut impl Write, what: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

fn read_line<T: serde::de::DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}
