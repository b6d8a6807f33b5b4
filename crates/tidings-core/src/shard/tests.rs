//! The shard against a model: whatever happens, each reader gets exactly its events.

mod fixture;
mod gapless;
mod page;
mod stream;
