//! A shard that writes to sockets: to played ones, whose streams are what a naive model says whatever
//! they do, and to real ones, without allocating.

mod allocations;
mod checks;
mod cut_short;
mod idle;
mod log;
mod model;
mod peer;
mod plain;
mod random;
mod reader;
mod rights;
mod stand;
mod world;
