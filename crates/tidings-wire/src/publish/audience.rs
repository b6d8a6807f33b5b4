//! Addressees of an event, as every kind of body names them.

use tidings_core::audience::{Audience, Key, Role, Subject};
use tidings_core::limits::AUDIENCE_KEYS_MAX;
use tidings_core::topic::Topic;

use super::error::{Place, PublishError, PublishFault};

/// Addressees that a request names outside its body: the parameters `topics=`, `users=` and
/// `roles=` of a CloudEvent's request. They hold for events that name none themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addressing {
    /// Topics.
    pub topics: Vec<String>,
    /// Subjects.
    pub users: Vec<String>,
    /// Roles.
    pub roles: Vec<String>,
}

/// The addressees named so far.
#[derive(Debug, Default)]
pub(crate) struct Addressees {
    keys: Vec<Key>,
    named: bool,
}

impl Addressees {
    /// Notes that a list of addressees is there, even if it turns out to be empty.
    pub(crate) fn list_given(&mut self) {
        self.named = true;
    }

    /// Adds one addressee of the list `field`. Stops collecting past the limit, but counts on.
    pub(crate) fn add(&mut self, field: &str, value: &str) -> Result<(), PublishFault> {
        let name = |reason| PublishFault::Name {
            value: value.to_owned(),
            reason,
        };
        let key = match field {
            "topics" => {
                let topic = Topic::parse(value).map_err(|reason| PublishFault::Topic {
                    value: value.to_owned(),
                    reason,
                })?;
                Key::Topic(topic)
            }
            "users" => Key::User(Subject::parse(value).map_err(name)?),
            _ => Key::Role(Role::parse(value).map_err(name)?),
        };
        self.named = true;
        self.keys.push(key);
        if self.keys.len() > AUDIENCE_KEYS_MAX {
            return Err(PublishFault::TooManyAddressees(self.keys.len()));
        }
        Ok(())
    }

    /// The audience; everyone, if no list was given. `field` is the list to blame if all are empty.
    pub(crate) fn audience(self, place: Place, field: &str) -> Result<Audience, PublishError> {
        // A publisher whose computed list came out empty must not reach everyone by it.
        if self.named && self.keys.is_empty() {
            return Err(place.field(field, PublishFault::NoAddressee));
        }
        Ok(Audience::new(self.keys))
    }

    /// Whether any list was given.
    pub(crate) fn is_named(&self) -> bool {
        self.named
    }
}

/// The addressees of a request's parameters.
pub(crate) fn of_request(addressing: &Addressing) -> Result<Addressees, PublishError> {
    let mut addressees = Addressees::default();
    let lists = [
        ("topics", &addressing.topics),
        ("users", &addressing.users),
        ("roles", &addressing.roles),
    ];
    for (field, values) in lists {
        for value in values {
            addressees.add(field, value).map_err(|fault| PublishError {
                path: field.to_owned(),
                fault,
            })?;
        }
    }
    Ok(addressees)
}
