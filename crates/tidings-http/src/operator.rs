//! What an operator sees and does: connections, and how the hub is. One file per kind of thing.

pub(crate) mod connections;
pub(crate) mod subscription;
