//! The program: settings, the command line, and the one place that assembles a hub.
//!
//! It is not: where anything is decided about events. That is the hub's; here is only what a person
//! types, and what it comes to.
//!
//! ```text
//! main ─► cli ─┬─ serve, check-config, token ─► settings
//!              ├─ publish, tail ─► tidings-client
//!              └─ bench ─► load, on sockets of its own
//! ```
//!
//! Start reading at [`cli`], then [`settings`].

pub mod assemble;
pub mod cli;
pub mod clock;
pub mod diagnostics;
pub mod env_vars;
pub mod limits;
mod load;
mod memory;
pub mod reload;
pub mod serve;
pub mod service_manager;
pub mod settings;
