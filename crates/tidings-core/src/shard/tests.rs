//! The shard against a model: whatever happens, each reader gets exactly its events.

mod catch_up;
mod ending;
mod fixture;
mod gapless;
mod outline;
mod page;
mod renewal;
mod revocation;
mod share;
mod sharing;
mod states;
mod stream;
mod survey;
mod sweep;
mod watches;
