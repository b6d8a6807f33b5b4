//! What an operator sees and does: connections, and how the hub is. One file per kind of thing.

pub(crate) mod census;
pub(crate) mod connections;
pub(crate) mod health;
pub(crate) mod minute;
pub(crate) mod monitor;
pub(crate) mod subscription;
