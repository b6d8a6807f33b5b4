//! The HTTP surface of a hub: routes, and the server that answers them.
//!
//! It is not: the engine (that is `tidings-hub`), the formats (`tidings-wire`), or a place where
//! credentials are checked (`tidings-auth`). It turns requests into calls of the hub, and what comes
//! back into responses.
//!
//! ```text
//! socket ─► serve ─► App::respond: request id, origin, host, route ─► native/* ─► authenticate, hub
//!                                                                 │
//!             log, metrics, CORS headers ◄─ response, or refusal as a problem document
//! ```
//!
//! Start reading at [`App::respond`], then [`ROUTES`].

pub mod limits;

mod app;
mod router;
mod settings;

mod access;
mod authenticate;
mod body;
mod call;
mod cookies;
mod cors;
mod cross_site;
mod forwarded;
mod head_limits;
mod host;
mod origin;
mod peer;
mod presented;
mod profile;
mod rates;
mod refusals;
mod reply;
mod request_id;
mod segment;
mod seldom;

mod native;
mod sink;

mod metrics;
pub mod openapi;
mod operator;
mod probe;

mod serve;
mod tls;
mod traces;

pub use access::Access;
pub use app::App;
pub use body::{BodyError, RequestBody};
pub use cookies::pairs as cookie_pairs;
pub use forwarded::{ForwardedHeader, NotANetwork, Scheme, Source, network, source};
pub use host::{HostName, NotAHost};
pub use ipnet::IpNet;
pub use metrics::Reload;
pub use origin::{Origin, OriginError, Origins};
pub use peer::Peer;
pub use profile::{
    BeatSpec, Beside, CredentialKind, Frame, PathTemplate, PathTemplateError, Profile,
    ProfileError, ProfileSpec, Profiles, ProfilesError, TopicTemplate, TopicTemplateError,
    built_in,
};
pub use rates::RateLimits;
pub use reply::Body;
pub use request_id::RequestId;
pub use router::{PathTaken, ROUTES, Route};
pub use serve::{Drain, Places, Server};
pub use settings::Settings;
pub use tls::{Certificate, CertificateError, Tls, TlsError};
pub use traces::{Incoming, Outcome, Span, Tracer};
