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

mod access;
mod allowed_origin;
mod application;
mod duration;

mod development;
mod environment;
mod file;
mod gather;
mod issuer;
mod list;
mod profile;
mod reload;
mod report;
mod resolve;
mod rule;
mod sections;
mod session;
mod signing;
mod sources;
mod suggest;
mod table;
mod tls;
mod traces;
mod validate;

pub use access::AnonymousAccess;
pub use allowed_origin::AllowedOrigin;
pub use application::Application;
pub use development::kept_secret;
pub use environment::Environment;
pub use fault::{Fault, Faults};
pub use gather::{Gathered, Sources, gather};
pub use issuer::Issuer;
pub use keys::Layer;
pub use list::ProviderName;
pub use profile::ProfileSetting;
pub use reload::Fixed;
pub use report::{effective, reference};
pub use resolve::{
    Auth, Dedupe, Diagnostics, Drain, Limits, Purpose, Retention, Settings, Streams, Web, Window,
};
pub use rule::RetentionRule;
pub use sections::{SECTIONS, Sections};
pub use session::Session;
pub use sources::VouchedFor;
pub use table::{Section, Table};
pub use tls::{TlsFiles, TlsFilesError};
pub use traces::{Collector, ServiceName, Share, Traces};
pub use value::{LogFormat, LogKind, LogLevel};
