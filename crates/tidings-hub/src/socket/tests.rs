//! A shard that writes to played sockets: whatever they do, each stream is what a naive model says.

mod checks;
mod log;
mod model;
mod peer;
mod plain;
mod random;
mod reader;
mod world;
