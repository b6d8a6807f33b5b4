//! What the tests of several crates share.

pub mod plain_client;
pub mod program;
