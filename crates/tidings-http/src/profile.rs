//! Profiles: an endpoint of server-sent events as a row of data, so that a client which was made for
//! another server finds what it knows.
//!
//! A profile says where its stream is, which credentials its URL may hold, how the hub speaks in it and
//! how events are framed. Everything else is the one stream of [`crate::native::stream`].

pub(crate) mod beside;
mod built_in;
pub(crate) mod list;
mod path;
mod spec;
mod topics;

use std::sync::Arc;

use tidings_core::event_type::EventType;
use tidings_core::port::Voice;
use tidings_core::provenance::ProfileIndex;
use tidings_core::shard::Heartbeat;
use tidings_wire::sse::{self, Dialect};

use crate::limits::PROFILES_MAX;
use crate::presented::TICKET;
use crate::router::{PathTaken, Router};

pub use beside::Beside;
pub use built_in::built_in;
pub use path::{PathTemplate, PathTemplateError};
pub use spec::{BeatSpec, ProfileError, ProfileSpec};
pub use topics::{TopicTemplate, TopicTemplateError};

/// The name of the profile that every other one is a variation of.
pub(crate) const NATIVE: &str = "native";

/// One kind of endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// By which it is named in settings, metrics and logs.
    pub(crate) name: String,
    /// Where its stream is.
    pub(crate) paths: Vec<PathTemplate>,
    /// Which parameters of its URLs hold credentials.
    pub(crate) credentials: Vec<QueryCredential>,
    /// Whether cookies are looked at. Those of a profile that ignores them may be read by any page.
    pub(crate) takes_cookies: bool,
    /// Whether, in development, a program of this machine may name its user in the URL.
    pub(crate) takes_development_user: bool,
    /// What it reads unless asked for other topics.
    pub(crate) topics: Option<TopicTemplate>,
    /// Whether a parameter that it does not know is an error; else it is passed over.
    pub(crate) is_strict: bool,
    /// How events are framed.
    pub(crate) frame: Frame,
    /// How the hub speaks in it; in its own words, if none.
    pub(crate) dialect: Option<Dialect>,
    /// When its streams give signs of life; as the settings say, if none.
    pub(crate) heartbeat: Option<Heartbeat>,
    /// How a refusal is told.
    pub(crate) refusals: Refusals,
    /// Its other routes.
    pub(crate) beside: &'static Beside,
}

/// A parameter that holds a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryCredential {
    /// Its name.
    pub(crate) parameter: String,
    /// What it holds.
    pub(crate) kind: CredentialKind,
}

/// What a parameter of a URL holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A ticket, which opens one stream.
    Ticket,
    /// What else stands in `Authorization: Bearer`: a stream token, or a token of an issuer.
    Token,
}

/// How events are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// The whole envelope.
    Envelope,
    /// Their own data alone, under their type.
    Payload,
}

/// How a refusal is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusals {
    /// By its status and a problem document, of which an `EventSource` shows nothing.
    Status,
    /// To those that ask for a stream, by a stream of one event of this type, whose data is the problem
    /// document, and which asks them not to come back.
    Event(EventType),
}

impl Profile {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it reads unless asked for other topics.
    pub fn topics(&self) -> Option<&TopicTemplate> {
        self.topics.as_ref()
    }

    /// The hub's own profile. Its stream is a row of the table of routes.
    pub(crate) fn native() -> Self {
        Self {
            name: NATIVE.to_owned(),
            paths: Vec::new(),
            credentials: vec![QueryCredential {
                parameter: TICKET.to_owned(),
                kind: CredentialKind::Ticket,
            }],
            takes_cookies: true,
            takes_development_user: true,
            topics: None,
            is_strict: true,
            frame: Frame::Envelope,
            dialect: None,
            heartbeat: None,
            refusals: Refusals::Status,
            beside: &Beside::NOTHING,
        }
    }
}

/// A profile in force, with its number among all, and that of its words in the encoder.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) profile: Profile,
    pub(crate) index: ProfileIndex,
    pub(crate) voice: Voice,
}

impl Spoken {
    pub(crate) fn native() -> Self {
        Self {
            profile: Profile::native(),
            index: ProfileIndex::default(),
            voice: sse::NATIVE,
        }
    }
}

/// All profiles of a hub, and the table of routes that they come to.
#[derive(Debug)]
pub struct Profiles {
    pub(crate) native: Arc<Spoken>,
    pub(crate) others: Vec<Arc<Spoken>>,
    pub(crate) router: Router,
    /// The metrics' label of requests that no row of the table answers.
    pub(crate) no_route: Arc<str>,
}

impl Profiles {
    /// The hub's own profile and these.
    pub fn new(profiles: Vec<Profile>) -> Result<Self, ProfilesError> {
        if profiles.len() >= PROFILES_MAX {
            return Err(ProfilesError::TooMany(profiles.len()));
        }
        let mut table = Self::native();
        for profile in profiles {
            let mut others = table.others.iter();
            if others.any(|one| one.profile.name == profile.name) {
                return Err(ProfilesError::NameTaken(profile.name));
            }
            let number = table.others.len() as u8 + 1;
            let spoken = Arc::new(Spoken {
                profile,
                index: ProfileIndex(number),
                voice: Voice(number),
            });
            table.router.add(&spoken)?;
            table.others.push(spoken);
        }
        Ok(table)
    }

    /// The hub's own profile alone.
    pub fn native() -> Self {
        let native = Arc::new(Spoken::native());
        Self {
            router: Router::of_native(&native),
            native,
            others: Vec::new(),
            no_route: "none".into(),
        }
    }

    /// The name of the profile of a number.
    pub(crate) fn name_of(&self, index: ProfileIndex) -> &str {
        let other = usize::from(index.0).checked_sub(1);
        let other = other.and_then(|other| self.others.get(other));
        other.unwrap_or(&self.native).profile.name()
    }

    /// The number of the profile of a name.
    pub(crate) fn index_of(&self, name: &str) -> Option<ProfileIndex> {
        let mut all = std::iter::once(&self.native).chain(&self.others);
        all.find(|one| one.profile.name() == name)
            .map(|one| one.index)
    }

    /// Their names, the hub's own first.
    pub fn names(&self) -> Vec<&str> {
        let all = std::iter::once(&self.native).chain(&self.others);
        all.map(|one| one.profile.name()).collect()
    }

    /// What profiles read by claims of whoever comes by them: their names, and templates of topics. The
    /// authenticator fills them in.
    pub fn homes(&self) -> Vec<(&str, &str)> {
        let homes = self
            .others
            .iter()
            .filter_map(|one| match &one.profile.topics {
                Some(TopicTemplate::Claims(text)) => Some((one.profile.name(), text.as_str())),
                _ => None,
            });
        homes.collect()
    }

    /// The profiles that may be administered by role.
    pub fn administered(&self) -> Vec<&str> {
        let administered = self
            .others
            .iter()
            .filter(|one| one.profile.beside.takes_admin_roles);
        administered.map(|one| one.profile.name()).collect()
    }

    /// What the encoder of such a hub speaks.
    pub fn dialects(&self) -> Vec<Dialect> {
        let dialects = self.others.iter().map(|one| one.profile.dialect.clone());
        dialects.flatten().collect()
    }
}

/// Profiles that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfilesError {
    /// More than a request's path should be compared with.
    #[error("there are {0} profiles where fewer than {PROFILES_MAX} are allowed")]
    TooMany(usize),
    /// Two of one name.
    #[error("there are two profiles of the name `{0}`")]
    NameTaken(String),
    /// Two paths that one request may mean.
    #[error(transparent)]
    PathTaken(#[from] PathTaken),
}
