//! Subscriptions: what a reader asks for, and what it is given of that.

use crate::event_type::TypeFilter;
use crate::identity::Identity;
use crate::limits::PATTERNS_READ_PER_CONNECTION_MAX;
use crate::pattern::{Pattern, minimal};
use crate::scope::{Scope, Selector};

/// What a reader asks for, apart from where to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Topics asked for; none asks for the reader's own audience alone.
    pub patterns: Vec<Pattern>,
    /// Whether the reader's own audience (`@all`, itself, its roles) belongs to it.
    pub audience: bool,
    /// Which event types.
    pub types: TypeFilter,
}

/// What is to be different in a live subscription; the rest stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubscriptionChange {
    /// Topics to ask for from now on, instead of all of those before.
    pub patterns: Option<Vec<Pattern>>,
    /// Whether the reader's own audience belongs to it from now on.
    pub audience: Option<bool>,
    /// Which event types from now on.
    pub types: Option<TypeFilter>,
}

impl SubscriptionChange {
    /// What a subscription becomes.
    pub fn apply(&self, before: &Subscription) -> Subscription {
        let after = self.clone();
        Subscription {
            patterns: after.patterns.unwrap_or_else(|| before.patterns.clone()),
            audience: after.audience.unwrap_or(before.audience),
            types: after.types.unwrap_or_else(|| before.types.clone()),
        }
    }
}

impl From<Subscription> for SubscriptionChange {
    fn from(whole: Subscription) -> Self {
        Self {
            patterns: Some(whole.patterns),
            audience: Some(whole.audience),
            types: Some(whole.types),
        }
    }
}

/// What a subscription comes to for one identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorised {
    /// What is read.
    pub scope: Scope,
    /// The granted part of the patterns, if it is less than what was asked.
    pub narrowed: Option<Vec<Pattern>>,
}

/// Nothing of what was asked is granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeRefused {
    /// None of these patterns meets a grant.
    #[error("no grant allows reading any of the requested topics")]
    NotGranted(Vec<Pattern>),
    /// Neither topics nor the audience: nothing could ever arrive.
    #[error("the subscription selects nothing")]
    Nothing,
    /// The asked patterns meet so many grants that the connection would read too many patterns.
    #[error(
        "what is asked for comes to {0} patterns that are granted, and one connection may read \
         {PATTERNS_READ_PER_CONNECTION_MAX}"
    )]
    TooMany(usize),
}

impl Subscription {
    /// Intersects what is asked with what the identity is granted.
    pub fn authorise(&self, identity: &Identity) -> Result<Authorised, SubscribeRefused> {
        let granted = minimal(
            self.patterns
                .iter()
                .flat_map(|asked| {
                    let grants = identity.grants.subscribe.iter();
                    grants.filter_map(|grant| asked.intersect(grant))
                })
                .collect(),
        );
        if granted.is_empty() && !self.patterns.is_empty() {
            return Err(SubscribeRefused::NotGranted(self.patterns.clone()));
        }
        if granted.len() > PATTERNS_READ_PER_CONNECTION_MAX {
            return Err(SubscribeRefused::TooMany(granted.len()));
        }
        let whole = self
            .patterns
            .iter()
            .all(|asked| granted.iter().any(|given| given.covers(asked)));
        let audience: Vec<Selector> = identity
            .audience_keys()
            .filter(|_| self.audience)
            .map(Selector::Key)
            .collect();
        if granted.is_empty() && audience.is_empty() {
            return Err(SubscribeRefused::Nothing);
        }
        let scope = Scope::new(
            granted
                .iter()
                .cloned()
                .map(Selector::of)
                .chain(audience)
                .collect(),
        );
        Ok(Authorised {
            scope,
            narrowed: (!whole).then_some(granted),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::{Role, Subject};
    use crate::credential::Credential;
    use crate::grant::Grants;

    fn identity(subscribe: &[&str]) -> Identity {
        Identity {
            subject: Subject::parse("u1").ok(),
            roles: vec![Role::parse("ADMIN").expect("role")],
            grants: Grants {
                subscribe: patterns(subscribe),
                ..Grants::default()
            },
            home: Vec::new(),
            expires_at: None,
            method: "test",
            credential: Credential::default(),
        }
    }

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts
            .iter()
            .map(|text| Pattern::parse(text).expect(text))
            .collect()
    }

    fn read(
        asked: &[&str],
        granted: &[&str],
        audience: bool,
    ) -> Result<(Vec<String>, Option<Vec<Pattern>>), SubscribeRefused> {
        let subscription = Subscription {
            patterns: patterns(asked),
            audience,
            types: TypeFilter::default(),
        };
        subscription
            .authorise(&identity(granted))
            .map(|authorised| {
                let selectors = authorised
                    .scope
                    .selectors()
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                (selectors, authorised.narrowed)
            })
    }

    #[test]
    fn a_reader_gets_what_is_both_asked_and_granted() {
        let (selectors, narrowed) = read(&["a/**"], &["a/b", "*/c", "x"], false).expect("granted");
        assert_eq!(selectors, ["a/b", "a/c"]);
        assert_eq!(narrowed, Some(patterns(&["a/b", "a/c"])));
    }

    #[test]
    fn a_wider_grant_does_not_widen_what_was_asked() {
        let (selectors, narrowed) = read(&["a/b", "c/*"], &["**"], false).expect("granted");
        assert_eq!(selectors, ["a/b", "c/*"]);
        assert_eq!(narrowed, None);
    }

    #[test]
    fn asking_nothing_reads_the_own_audience() {
        let (selectors, _) = read(&[], &["**"], true).expect("audience");
        assert_eq!(selectors, ["@user/u1", "@role/ADMIN", "@all"]);
        assert_eq!(read(&[], &["**"], false), Err(SubscribeRefused::Nothing));
    }

    #[test]
    fn nobody_hears_what_is_for_everyone_only_where_that_is_granted() {
        let selectors = |hear_everyone| {
            let nobody = Identity {
                subject: None,
                roles: Vec::new(),
                grants: Grants {
                    hear_everyone,
                    ..Grants::default()
                },
                ..identity(&[])
            };
            let asked = Subscription {
                patterns: Vec::new(),
                audience: true,
                types: TypeFilter::default(),
            };
            asked.authorise(&nobody).map(|found| found.scope)
        };
        assert_eq!(selectors(false), Err(SubscribeRefused::Nothing));
        let everyone = Scope::new(vec![Selector::Key(crate::audience::Key::Everyone)]);
        assert_eq!(selectors(true), Ok(everyone));
    }

    #[test]
    fn a15_what_is_asked_and_granted_comes_to_so_many_patterns_at_most() {
        // Each asked pattern meets each grant in one of their own.
        let texts = |count: usize, form: fn(usize) -> String| (0..count).map(form).collect();
        let read = |asked: usize, granted: usize| {
            let asked: Vec<String> = texts(asked, |number| format!("*/{number}"));
            let granted: Vec<String> = texts(granted, |number| format!("{number}/*"));
            let (asked, granted): (Vec<&str>, Vec<&str>) = (
                asked.iter().map(String::as_str).collect(),
                granted.iter().map(String::as_str).collect(),
            );
            read(&asked, &granted, true).map(|(selectors, _)| selectors.len())
        };
        let audience = 3;
        assert_eq!(
            read(32, 32),
            Ok(PATTERNS_READ_PER_CONNECTION_MAX + audience)
        );
        assert_eq!(read(25, 41), Err(SubscribeRefused::TooMany(1_025)));
        assert_eq!(read(100, 320), Err(SubscribeRefused::TooMany(32_000)));
    }

    #[test]
    fn an_empty_intersection_is_refused_by_name_even_with_an_audience() {
        assert_eq!(
            read(&["secret/**"], &["public/**"], true),
            Err(SubscribeRefused::NotGranted(patterns(&["secret/**"])))
        );
    }
}
