//! Bodies of the routes by which an operator sees what a hub does, and by which a live stream is
//! changed.

mod connections;
mod request;

pub use connections::{ListedConnection, push_connection, push_connections, push_counts};
pub use request::{ChangeFault, change};
