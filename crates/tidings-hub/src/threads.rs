//! The hub's threads: shards and readers, started together and stopped together.

use std::io;
use std::sync::Arc;

use mio::{Poll, Waker};
use tidings_core::position::Offset;
use tidings_core::shard::ShardOptions;

use crate::connection_log::ConnectionLog;
use crate::figures::ShardFigures;
use crate::inbox::Inbox;
use crate::options::{Options, Ports};
use crate::readers::Readers;
use crate::shard_thread::ShardThread;
use crate::sockets::WAKER;

/// Handles to all threads of a hub. They stop when this is dropped.
#[derive(Debug)]
pub(crate) struct Threads {
    pub(crate) inboxes: Vec<Arc<Inbox>>,
    pub(crate) shard_figures: Vec<Arc<ShardFigures>>,
    pub(crate) readers: Readers,
    pub(crate) log: Arc<ConnectionLog>,
}

impl Threads {
    /// Starts them for a log that ends here. If one cannot be started, the others stop again.
    pub(crate) fn start(options: &Options, ports: &Ports, end: Offset) -> io::Result<Self> {
        let mut threads = Self {
            inboxes: Vec::new(),
            shard_figures: Vec::new(),
            readers: Readers::new(ports.clone()),
            log: Arc::default(),
        };
        threads.readers.start(options.reader_threads)?;
        for index in 0..options.shards.max(1) {
            threads.start_shard(index, options, ports, end)?;
        }
        threads.log.start(threads.inboxes.clone())?;
        Ok(threads)
    }

    fn start_shard(
        &mut self,
        index: usize,
        options: &Options,
        ports: &Ports,
        end: Offset,
    ) -> io::Result<()> {
        let poll = Poll::new()?;
        let inbox = Arc::new(Inbox::new(Waker::new(poll.registry(), WAKER)?));
        let figures = Arc::new(ShardFigures::default());
        let shard = ShardOptions {
            node: options.node,
            index: index as u16,
            seed: options.seed.wrapping_add(index as u64),
            head: end,
            lineage: ports.sequencer.lineage(),
            encoder: ports.encoder.clone(),
            coder: ports.coder.clone(),
            linger_ms: options.linger_ms,
            slow_reader_ms: options.slow_reader_ms,
        };
        ShardThread::start(
            poll,
            inbox.clone(),
            self.readers.clone(),
            figures.clone(),
            shard,
            ports,
            self.log.clone(),
        )?;
        self.inboxes.push(inbox);
        self.shard_figures.push(figures);
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        for inbox in &self.inboxes {
            inbox.stop();
        }
        self.readers.stop();
    }
}
