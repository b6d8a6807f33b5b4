//! The hub as its callers see it: real threads over a real log, with a plain encoder.

mod fixture;

mod admission;
mod connection_log;
mod connections;
mod contrary_log;
mod crash;
mod credentials;
mod dedupe;
mod disconnect;
mod drain;
mod failures;
mod going_away;
mod groups;
mod health;
mod pages;
mod publish;
mod refused_lines;
mod registered;
mod renewal;
mod resume;
mod retention;
mod revocation;
mod slow_readers;
mod sockets;
mod stalled_shards;
mod waits;
