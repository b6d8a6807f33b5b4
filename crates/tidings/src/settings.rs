//! Settings: where each comes from, what it may be, and what all of them come to.
//!
//! ```text
//! defaults < development < file < environment < flags     each a Layer of typed values with origins
//!      └──────────┴──────────┴─ Combine ─┴──────────┘
//!                               ▼
//!                    Gathered ─ resolve ─► Settings, or every fault at once
//! ```
//!
//! The one table of keys is [`keys`]; the reference and the environment names follow from it.

pub mod keys;

pub mod combine;
pub mod fault;
pub mod limits;
pub mod origin;
pub mod size;
pub mod value;

mod allowed_origin;
mod duration;

mod development;
mod environment;
mod file;
mod gather;
mod report;
mod resolve;
mod rule;
mod signing;
mod suggest;
mod validate;

pub use allowed_origin::AllowedOrigin;
pub use environment::Environment;
pub use fault::{Fault, Faults};
pub use gather::{Gathered, Sources, gather};
pub use keys::Layer;
pub use report::{effective, reference};
pub use resolve::{
    Auth, Dedupe, Diagnostics, Drain, Limits, Purpose, Retention, Settings, Streams, Window,
};
pub use rule::RetentionRule;
pub use value::{LogFormat, LogKind, LogLevel};
