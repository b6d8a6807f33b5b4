//! A profile as it is written down, in the table of built-in ones or in the settings.

use tidings_core::event_type::{EventType, EventTypeError};
use tidings_core::limits::{HEARTBEAT_MS_MAX, HEARTBEAT_MS_MIN};
use tidings_core::shard::Heartbeat;
use tidings_wire::sse::{Beat, Dialect, Form};

use super::path::{PathTemplate, PathTemplateError};
use super::topics::{TopicTemplate, TopicTemplateError};
use super::{Beside, CredentialKind, Frame, NATIVE, Profile, QueryCredential, Refusals};
use crate::limits::{PROFILE_CREDENTIALS_MAX, PROFILE_NAME_BYTES_MAX, PROFILE_PATHS_MAX};

/// A profile, not checked yet.
#[derive(Debug, Clone, Copy)]
pub struct ProfileSpec<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where its stream is.
    pub paths: &'a [&'a str],
    /// The event that begins a stream, if any.
    pub greeting: Option<&'a str>,
    /// What shows that a stream is alive.
    pub heartbeat: BeatSpec<'a>,
    /// How often it does.
    pub every_ms: u32,
    /// What the data of these events looks like.
    pub form: Form,
    /// How events are framed.
    pub frame: Frame,
    /// Parameters of the URL that hold credentials.
    pub credentials: &'a [(&'a str, CredentialKind)],
    /// Whether cookies are looked at.
    pub takes_cookies: bool,
    /// Whether, in development, the URL may name the user.
    pub takes_development_user: bool,
    /// Whether a farewell is also said as `disconnected`.
    pub says_disconnected: bool,
    /// What is read unless other topics are asked for.
    pub topics: Option<&'a str>,
    /// The event that tells of a refusal, if it is not told by the status alone.
    pub refusal_event: Option<&'a str>,
    /// Its other routes.
    pub beside: &'static Beside,
}

/// A sign of life, not checked yet.
#[derive(Debug, Clone, Copy)]
pub enum BeatSpec<'a> {
    /// A comment.
    Comment(&'a str),
    /// An event with the position as its id.
    Event(&'a str),
    /// An event without an id.
    EventWithoutId(&'a str),
}

/// What is wrong with a profile, and in which of its fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The name.
    #[error("a name is 1 to {PROFILE_NAME_BYTES_MAX} of `a-z0-9_-`, and `native` is taken: `{0}`")]
    Name(String),
    /// The number of paths.
    #[error("a profile has 1 to {PROFILE_PATHS_MAX} paths, and this one {0}")]
    Paths(usize),
    /// A path.
    #[error("`{path}` is not a path: {fault}")]
    Path {
        /// As it was given.
        path: String,
        /// Why not.
        fault: PathTemplateError,
    },
    /// The name of a greeting, a sign of life or a refusal.
    #[error("`{word}` is not the name of an event: {fault}")]
    Word {
        /// As it was given.
        word: String,
        /// Why not.
        fault: EventTypeError,
    },
    /// How often a sign of life comes.
    #[error(
        "a sign of life comes every {HEARTBEAT_MS_MIN} to {HEARTBEAT_MS_MAX} ms, not every {0}"
    )]
    Interval(u32),
    /// The number of parameters for credentials.
    #[error("a profile has at most {PROFILE_CREDENTIALS_MAX} parameters for credentials, not {0}")]
    Credentials(usize),
    /// The name of such a parameter.
    #[error("`{0}` is not the name of a parameter: 1 to 64 of `A-Za-z0-9_-`, each once")]
    Credential(String),
    /// The topics.
    #[error("`{topics}` does not tell topics: {fault}")]
    Topics {
        /// As they were given.
        topics: String,
        /// Why not.
        fault: TopicTemplateError,
    },
}

impl Profile {
    /// Takes a profile as it is written down.
    pub fn new(spec: &ProfileSpec<'_>) -> Result<Self, ProfileError> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        let is_short = (1..=PROFILE_NAME_BYTES_MAX).contains(&spec.name.len());
        if !is_short || !spec.name.chars().all(is_name) || spec.name == NATIVE {
            return Err(ProfileError::Name(spec.name.to_owned()));
        }
        if !(HEARTBEAT_MS_MIN..=HEARTBEAT_MS_MAX).contains(&u64::from(spec.every_ms)) {
            return Err(ProfileError::Interval(spec.every_ms));
        }
        let paths = paths(spec.paths)?;
        let topics = spec.topics.map(|text| {
            TopicTemplate::parse(text, &paths).map_err(|fault| ProfileError::Topics {
                topics: text.to_owned(),
                fault,
            })
        });
        Ok(Self {
            name: spec.name.to_owned(),
            topics: topics.transpose()?,
            paths,
            credentials: credentials(spec.credentials)?,
            takes_cookies: spec.takes_cookies,
            takes_development_user: spec.takes_development_user,
            is_strict: false,
            frame: spec.frame,
            dialect: Some(Dialect {
                greeting: spec.greeting.map(word).transpose()?,
                heartbeat: match spec.heartbeat {
                    BeatSpec::Comment(text) => Beat::Comment(word(text)?),
                    BeatSpec::Event(text) => Beat::Event(word(text)?),
                    BeatSpec::EventWithoutId(text) => Beat::EventWithoutId(word(text)?),
                },
                form: spec.form,
                says_disconnected: spec.says_disconnected,
            }),
            heartbeat: Some(Heartbeat {
                every_ms: spec.every_ms,
                is_steady: true,
            }),
            refusals: match spec.refusal_event {
                Some(text) => Refusals::Event(word(text)?),
                None => Refusals::Status,
            },
            beside: spec.beside,
        })
    }
}

fn paths(texts: &[&str]) -> Result<Vec<PathTemplate>, ProfileError> {
    if !(1..=PROFILE_PATHS_MAX).contains(&texts.len()) {
        return Err(ProfileError::Paths(texts.len()));
    }
    let parse = |text: &&str| {
        PathTemplate::parse(text).map_err(|fault| ProfileError::Path {
            path: (*text).to_owned(),
            fault,
        })
    };
    texts.iter().map(parse).collect()
}

fn credentials(given: &[(&str, CredentialKind)]) -> Result<Vec<QueryCredential>, ProfileError> {
    if given.len() > PROFILE_CREDENTIALS_MAX {
        return Err(ProfileError::Credentials(given.len()));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let mut credentials: Vec<QueryCredential> = Vec::with_capacity(given.len());
    for (name, kind) in given {
        let is_name = (1..=PROFILE_NAME_BYTES_MAX).contains(&name.len());
        let is_new = credentials.iter().all(|one| one.parameter != *name);
        if !is_name || !is_new || !name.chars().all(is_plain) {
            return Err(ProfileError::Credential((*name).to_owned()));
        }
        credentials.push(QueryCredential {
            parameter: (*name).to_owned(),
            kind: *kind,
        });
    }
    Ok(credentials)
}

fn word(text: &str) -> Result<EventType, ProfileError> {
    EventType::parse(text).map_err(|fault| ProfileError::Word {
        word: text.to_owned(),
        fault,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PROFILES_MAX;
    use crate::profile::{Profiles, ProfilesError};

    const GOOD: ProfileSpec<'static> = ProfileSpec {
        name: "orders",
        paths: &["/orders"],
        greeting: None,
        heartbeat: BeatSpec::Comment("ping"),
        every_ms: 30_000,
        form: Form::Object,
        frame: Frame::Payload,
        credentials: &[],
        takes_cookies: false,
        takes_development_user: false,
        says_disconnected: false,
        topics: None,
        refusal_event: None,
        beside: &Beside::NOTHING,
    };

    #[test]
    fn a_profile_at_each_of_its_limits_is_taken_and_one_beyond_is_refused() {
        let longest = "n".repeat(PROFILE_NAME_BYTES_MAX);
        let called = |name| Profile::new(&ProfileSpec { name, ..GOOD });
        assert_eq!(called(&longest).expect("fits").name(), longest);
        let longer = format!("{longest}n");
        assert_eq!(called(&longer), Err(ProfileError::Name(longer.clone())));

        let paths: Vec<String> = (0..=PROFILE_PATHS_MAX).map(|n| format!("/{n}")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let at = |paths| Profile::new(&ProfileSpec { paths, ..GOOD });
        at(&paths[1..]).expect("fits");
        let beyond = PROFILE_PATHS_MAX + 1;
        assert_eq!(at(&paths), Err(ProfileError::Paths(beyond)));
        assert_eq!(at(&[]), Err(ProfileError::Paths(0)));

        let names: Vec<String> = (0..=PROFILE_CREDENTIALS_MAX)
            .map(|n| format!("t{n}"))
            .collect();
        let all: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), CredentialKind::Token))
            .collect();
        let with = |credentials| {
            Profile::new(&ProfileSpec {
                credentials,
                ..GOOD
            })
        };
        with(&all[1..]).expect("fits");
        let beyond = PROFILE_CREDENTIALS_MAX + 1;
        assert_eq!(with(&all), Err(ProfileError::Credentials(beyond)));

        let every = |every_ms: u64| {
            let every_ms = every_ms as u32;
            Profile::new(&ProfileSpec { every_ms, ..GOOD })
        };
        for ms in [HEARTBEAT_MS_MIN, HEARTBEAT_MS_MAX] {
            every(ms).expect("fits");
        }
        for ms in [HEARTBEAT_MS_MIN - 1, HEARTBEAT_MS_MAX + 1] {
            assert_eq!(every(ms), Err(ProfileError::Interval(ms as u32)));
        }
    }

    #[test]
    fn a_hub_has_so_many_profiles_and_no_more() {
        let numbered = |n: usize| {
            let (name, path) = (format!("p{n}"), format!("/p{n}"));
            let spec = ProfileSpec {
                name: &name,
                paths: &[&path],
                ..GOOD
            };
            Profile::new(&spec).expect("a profile")
        };
        let most: Vec<_> = (1..PROFILES_MAX).map(numbered).collect();
        let all = Profiles::new(most.clone()).expect("fits");
        assert_eq!(all.names().len(), PROFILES_MAX);
        let beyond: Vec<_> = most.into_iter().chain([numbered(0)]).collect();
        let refused = Profiles::new(beyond).expect_err("one too many");
        assert_eq!(refused, ProfilesError::TooMany(PROFILES_MAX));
    }
}
