//! The stage of a load: readers that are open, publishers that are connected, and the meter.

use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::clock::{micros, now_us, wait_until};
use super::limits::{
    DESCRIPTORS_BESIDE, PROCESSES_MAX, READERS_PER_SOURCE_MAX, RESTART_MAX_US, SOURCE_ADDRESSES_MAX,
};
use super::meter::{Meter, Reading};
use super::processes::Squads;
use super::publishing::{PublishPlan, Published, Publishers};
use super::readers::{Order, ReadPlan};
use super::socket::raise_descriptor_limit;
use super::tally::Tally;
use super::timetable::{Progress, Timetable};
use super::{Load, LoadError};

/// From when threads are started until the first event is due.
const LEAD_US: u64 = 50_000;

/// How often it is looked whether the hub takes connections.
const LISTENER_LOOK: Duration = Duration::from_millis(50);

/// Readers and publishers of a load.
pub(super) struct Stage<'a> {
    load: &'a Load,
    pub(super) meter: Meter,
    squads: Squads,
    publishers: Publishers,
    /// The meter before anybody connected.
    pub(super) before: Reading,
}

/// A phase in which events were published.
pub(super) struct Phase {
    pub(super) published: Published,
    /// When the timed part began.
    pub(super) from_us: u64,
    /// When it was to end.
    pub(super) to_us: u64,
    /// The meter at the beginning of the timed part.
    pub(super) at_start: Reading,
    /// Events that had arrived by then.
    pub(super) events_at_start: u64,
    /// The meter when the last publish was answered.
    pub(super) at_end: Reading,
}

impl<'a> Stage<'a> {
    /// Starts threads and processes, and connects publishers; readers are not connected yet.
    pub(super) fn new(load: &'a Load) -> Result<Self, LoadError> {
        let meter = Meter::new(load.server_pids.clone());
        if let Some(pid) = meter.absent() {
            return Err(LoadError::NoServer(pid));
        }
        let token = load.token.as_ref();
        let token = token.and_then(|token| str::from_utf8(token.expose()).ok());
        let processes = processes(load);
        let plan = ReadPlan {
            target: load.subscribe.clone(),
            topic: load.topic.clone(),
            topics: load.topics,
            token: token.map(str::to_owned),
            first: 0,
            readers: load.readers,
            threads: load.threads,
            opening: (load.opening / (load.threads * processes)).max(1),
            source_addresses: source_addresses(load)?,
            patience_us: micros(load.patience),
        };
        let squads = Squads::start(&plan, processes)?;
        let publish = PublishPlan::new(
            load.publish.clone(),
            load.format,
            &load.topic,
            load.topics,
            token,
            load.event_bytes,
        );
        let publish = if load.http2 {
            publish.with_http2(&load.topic, token)
        } else {
            publish
        };
        Ok(Self {
            before: meter.read(),
            meter,
            squads,
            publishers: Publishers::connect(publish, load.publishers)?,
            load,
        })
    }

    /// Connects all readers.
    pub(super) fn open(&mut self) -> Result<Tally, LoadError> {
        let tally = self.order(&Order::Open)?;
        if tally.open == self.load.readers {
            return Ok(tally);
        }
        Err(LoadError::NotOpen {
            open: tally.open,
            readers: self.load.readers,
            cause: tally
                .cause
                .unwrap_or_else(|| "the hub closed the streams".to_owned()),
        })
    }

    /// Gives an order to all readers.
    pub(super) fn order(&mut self, order: &Order) -> Result<Tally, LoadError> {
        Ok(self.squads.order(order)?)
    }

    /// Publishes by the clock: first to warm up, then timed.
    pub(super) fn publish(&mut self) -> Result<Phase, LoadError> {
        let begin_us = now_us() + LEAD_US;
        let from_us = begin_us + micros(self.load.warm_up);
        let to_us = from_us + micros(self.load.duration);
        self.order(&Order::Window { from_us, to_us })?;
        let mut timetable = Timetable {
            begin_us,
            end_us: to_us,
            timed_from_us: from_us,
            rate: self.load.rate,
            batch: self.load.batch,
            events: u64::MAX,
            progress: Progress::default(),
        };
        let (squads, meter) = (&mut self.squads, &self.meter);
        let (published, start) = self.publishers.run(&mut timetable, || {
            wait_until(from_us);
            Ok::<_, LoadError>((meter.read(), squads.order(&Order::Count)?))
        })?;
        let (at_start, counted) = start?;
        Ok(Phase {
            published,
            from_us,
            to_us,
            at_start,
            events_at_start: counted.events,
            at_end: self.meter.read(),
        })
    }

    /// Publishes so many events as fast as answers come.
    pub(super) fn publish_events(&mut self, events: u64) -> Result<Published, LoadError> {
        let mut timetable = self.at_once(events);
        let (published, ()) = self.publishers.run(&mut timetable, || ())?;
        Ok(published)
    }

    /// Gives an order that ends when the hub has ended and is there again, and publishes so many events as
    /// soon as it is.
    pub(super) fn restart(
        &mut self,
        order: &Order,
        events: u64,
    ) -> Result<(Tally, Published), LoadError> {
        let mut timetable = self.at_once(events);
        let address = self.load.publish.address;
        let (squads, publishers) = (&mut self.squads, &mut self.publishers);
        thread::scope(|scope| {
            let publishing = scope.spawn(move || {
                await_listener(address, false)?;
                await_listener(address, true)?;
                publishers.reconnect()?;
                Ok::<_, LoadError>(publishers.run(&mut timetable, || ())?.0)
            });
            let tally = squads.order(order);
            let published = publishing
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok((tally?, published))
        })
    }

    /// So many events as fast as answers come.
    fn at_once(&self, events: u64) -> Timetable {
        Timetable {
            begin_us: now_us(),
            end_us: u64::MAX,
            timed_from_us: 0,
            rate: None,
            batch: self.load.batch,
            events,
            progress: Progress::default(),
        }
    }

    /// Waits until readers have everything; those that stopped or left come back.
    pub(super) fn finish(&mut self) -> Result<Tally, LoadError> {
        let accepted = self.publishers.accepted();
        self.order(&Order::Finish(accepted))
    }

    /// Events that the hub has accepted.
    pub(super) fn accepted(&self) -> u64 {
        self.publishers.accepted().total()
    }
}

/// Waits until connections to an address are taken, or until they are not.
fn await_listener(address: SocketAddr, is_there: bool) -> Result<(), LoadError> {
    let deadline_us = now_us() + RESTART_MAX_US;
    while TcpStream::connect_timeout(&address, LISTENER_LOOK).is_ok() != is_there {
        if now_us() > deadline_us {
            return Err(LoadError::NoRestart { is_there });
        }
        thread::sleep(LISTENER_LOOK);
    }
    Ok(())
}

/// The number of addresses to connect from: more than one only where it is asked for, or where one
/// has not enough ports and the hub is on this machine.
pub(super) fn source_addresses(load: &Load) -> Result<usize, LoadError> {
    let ip = load.subscribe.address.ip();
    let usable = ip.is_ipv4() && ip.is_loopback();
    match load.source_addresses {
        Some(_) if !usable => Err(LoadError::NotLoopback(ip)),
        Some(addresses) => Ok(addresses),
        None if usable && load.readers > READERS_PER_SOURCE_MAX => Ok(load
            .readers
            .div_ceil(READERS_PER_SOURCE_MAX)
            .min(SOURCE_ADDRESSES_MAX)),
        None => Ok(0),
    }
}

/// The number of processes: more than one only where it is asked for, or where one may not have
/// enough descriptors.
fn processes(load: &Load) -> usize {
    let limit = raise_descriptor_limit();
    let beside = DESCRIPTORS_BESIDE + load.publishers as u64;
    let of_one = usize::try_from(limit.saturating_sub(beside).max(1)).unwrap_or(usize::MAX);
    let needed = load.readers.div_ceil(of_one).clamp(1, PROCESSES_MAX);
    load.processes.unwrap_or(needed)
}

/// Threads of readers that leave a core to everything else.
pub(crate) fn default_threads() -> usize {
    thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}
