//! The hub as its callers see it: real threads over a real log, with a plain encoder.

mod fixture;

mod admission;
mod contrary_log;
mod crash;
mod credentials;
mod dedupe;
mod drain;
mod failures;
mod going_away;
mod groups;
mod pages;
mod publish;
mod refused_lines;
mod registered;
mod resume;
mod retention;
mod slow_readers;
mod sockets;
mod stalled_shards;
