//! What a hub is built from, and how it is sized.

use std::sync::Arc;

use tidings_core::limits::{
    CONNECTIONS_DEFAULT, CONNECTIONS_PER_ADDRESS_DEFAULT, CONNECTIONS_PER_IDENTITY_DEFAULT,
    SLOW_READER_MS_DEFAULT, SUBSCRIBER_COUNT_WAIT_MS, WINDOW_BYTES_DEFAULT, WINDOW_EVENTS_DEFAULT,
};
use tidings_core::port::{Clock, Coder, Encoder, EventStore, Sequencer};

/// What the hub is built from.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Gives events their order and makes them durable.
    pub sequencer: Arc<dyn Sequencer>,
    /// Reads what is committed.
    pub store: Arc<dyn EventStore>,
    /// Writes events as bytes.
    pub encoder: Arc<dyn Encoder>,
    /// Packs text for readers who want it packed.
    pub coder: Arc<dyn Coder>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// How the hub is sized.
#[derive(Debug, Clone)]
pub struct Options {
    /// Shard threads; connections are spread over them.
    pub shards: usize,
    /// Threads that read the store.
    pub reader_threads: usize,
    /// Events kept in memory at most.
    pub window_events: usize,
    /// Bytes kept in memory at most.
    pub window_bytes: usize,
    /// Connections at most.
    pub connections: usize,
    /// Connections of one identity at most.
    pub connections_per_identity: usize,
    /// Connections of one address at most.
    pub connections_per_address: usize,
    /// How long a stream's reader may take nothing of what it was given.
    pub slow_reader_ms: u64,
    /// How long an event may wait for others to share a write with; not one of high priority.
    pub linger_ms: u64,
    /// How long a publish waits for the shards' counts before it leaves the number of subscribers open.
    pub count_wait_ms: u64,
    /// Names the node in connection ids.
    pub node: u32,
    /// Seed of jitter and of the random part of connection ids.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            shards: std::thread::available_parallelism().map_or(1, usize::from),
            reader_threads: 2,
            window_events: WINDOW_EVENTS_DEFAULT,
            window_bytes: WINDOW_BYTES_DEFAULT,
            connections: CONNECTIONS_DEFAULT,
            connections_per_identity: CONNECTIONS_PER_IDENTITY_DEFAULT,
            connections_per_address: CONNECTIONS_PER_ADDRESS_DEFAULT,
            slow_reader_ms: SLOW_READER_MS_DEFAULT,
            linger_ms: 0,
            count_wait_ms: SUBSCRIBER_COUNT_WAIT_MS,
            node: 0,
            seed: 0,
        }
    }
}
