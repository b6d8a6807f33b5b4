//! All providers as one authenticator: tried in order until one knows the credential. Then the rules
//! of the settings add what they grant, and revocations have the last word.

use std::sync::Arc;

use tidings_core::audience::{Key, Role};
use tidings_core::credential::Serves;
use tidings_core::explanation::{Decision, Described, Explanation, ProviderSaid, Question, Said};
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::port::{
    AuthFailure, AuthFuture, Authenticator, ExplanationFuture, Presented, PublishedKeys, Purpose,
    SharedStore,
};

use crate::provider::{Proven, Provider};
use crate::rules::{Rules, Template};

/// Asks its providers in order. The first that finds its kind of credential decides, for or against.
#[derive(Debug, Clone)]
pub struct Chain {
    providers: Vec<Arc<dyn Provider>>,
    rules: Rules,
    store: Arc<dyn SharedStore>,
    homes: Vec<(String, Template)>,
    administered: Vec<String>,
    admin_roles: Vec<Role>,
}

impl Chain {
    /// A chain of these providers.
    pub fn new(
        providers: Vec<Arc<dyn Provider>>,
        rules: Rules,
        store: Arc<dyn SharedStore>,
    ) -> Self {
        Self {
            providers,
            rules,
            store,
            homes: Vec::new(),
            administered: Vec::new(),
            admin_roles: Vec::new(),
        }
    }

    /// The chain, with what these profiles read by claims of whoever comes by them. That is granted,
    /// too.
    #[must_use]
    pub fn with_homes(mut self, homes: Vec<(String, Template)>) -> Self {
        self.homes = homes;
        self
    }

    /// The chain, with roles that administer whatever is reached by these profiles.
    #[must_use]
    pub fn with_administrators(mut self, profiles: Vec<String>, roles: Vec<Role>) -> Self {
        self.administered = profiles;
        self.admin_roles = roles;
        self
    }

    /// The providers in the order in which a request has them asked.
    fn order<'a>(
        &'a self,
        presented: &Presented<'_>,
    ) -> impl Iterator<Item = &'a Arc<dyn Provider>> + use<'a> {
        let is_session_first = presented.is_session_first;
        let is_first = move |one: &&Arc<dyn Provider>| is_session_first && one.is_for_sessions();
        let first = self.providers.iter().filter(is_first);
        first.chain(self.providers.iter().filter(move |one| !is_first(one)))
    }

    /// Whether somebody administers by the profile of a request, for one of its roles. What opens
    /// streams never does.
    fn administers(&self, proven: &Proven, presented: &Presented<'_>) -> bool {
        let mut administered = self.administered.iter();
        let is_administered = presented
            .profile
            .is_some_and(|profile| administered.any(|name| name == profile));
        let has_role = |role: &Role| proven.roles.contains(role);
        is_administered && !proven.is_final && self.admin_roles.iter().any(has_role)
    }

    /// What the profile of a request reads, for this proof. One without the claims reads nothing there.
    fn home(&self, proven: &Proven, presented: &Presented<'_>) -> Vec<Pattern> {
        let Some(profile) = presented.profile else {
            return Vec::new();
        };
        let mut homes = self.homes.iter();
        let template = homes.find(|(name, _)| name == profile);
        template.map_or_else(Vec::new, |(_, template)| {
            let texts = template.fill(proven.subject.as_ref(), &proven.claims);
            let texts = texts.unwrap_or_default();
            texts
                .iter()
                .filter_map(|text| Pattern::parse(text).ok())
                .collect()
        })
    }

    /// What a proof comes to, unless it has been revoked or does not serve for this.
    fn identity(
        &self,
        proven: Proven,
        method: &'static str,
        presented: &Presented<'_>,
    ) -> Result<Identity, AuthFailure> {
        let revocations = self.store.revocations();
        let subject = proven.subject.as_ref();
        if revocations
            .find(subject, &proven.credential, presented.now)
            .is_some()
        {
            return Err(AuthFailure::Revoked);
        }
        if proven.credential.serves == Serves::Reading && presented.purpose == Purpose::Act {
            return Err(AuthFailure::NotForThis(
                "it is for reading and nothing else",
            ));
        }
        let home = self.home(&proven, presented);
        let mut grants = self.rules.grants(&proven);
        grants.subscribe.extend(home.iter().cloned());
        grants.administer |= self.administers(&proven, presented);
        Ok(Identity {
            grants,
            home,
            subject: proven.subject,
            roles: proven.roles,
            expires_at: proven.expires_at,
            method,
            credential: proven.credential,
        })
    }

    async fn look(&self, presented: Presented<'_>, question: &Question) -> Explanation {
        let mut explanation = Explanation::default();
        let mut found = None;
        let mut is_decided = false;
        for provider in self.order(&presented) {
            let name = provider.name();
            let said = if is_decided {
                Said::NotAsked
            } else {
                match provider.prove(presented).await {
                    Ok(None) => Said::Nothing,
                    Ok(Some(proven)) => {
                        found = Some((name, proven));
                        Said::Accepted
                    }
                    Err(failure) => Said::Refused(failure),
                }
            };
            is_decided |= matches!(said, Said::Accepted | Said::Refused(_));
            explanation.providers.push(ProviderSaid {
                provider: name,
                said,
            });
        }
        if let Some((method, proven)) = found {
            self.describe(method, &proven, &presented, question, &mut explanation);
        }
        explanation
    }

    fn describe(
        &self,
        method: &'static str,
        proven: &Proven,
        presented: &Presented<'_>,
        question: &Question,
        explanation: &mut Explanation,
    ) {
        let grants = self.rules.grants(proven);
        explanation.rules = self.rules.explain(proven);
        explanation.revocation = self
            .store
            .revocations()
            .find(proven.subject.as_ref(), &proven.credential, presented.now)
            .cloned();
        let serves = proven.credential.serves;
        if let (Some(_), Some(_)) = (&question.key, &explanation.revocation) {
            explanation.subscribe = Some(no("it is revoked"));
            explanation.publish = Some(no("it is revoked"));
        } else if let Some(key) = &question.key {
            explanation.subscribe = Some(may_read(
                key,
                proven,
                &grants.subscribe,
                grants.hear_everyone,
            ));
            explanation.publish = Some(if serves == Serves::Reading {
                no("the credential serves for reading alone")
            } else if grants.administer {
                yes("it may administer")
            } else {
                let granted = grants.publish.iter().find(|grant| grant.allows(key));
                granted.map_or_else(
                    || no("no publish grant covers it"),
                    |grant| yes(format!("the publish grant `{grant}`")),
                )
            });
        }
        explanation.identity = Some(Described {
            subject: proven.subject.clone(),
            roles: proven.roles.clone(),
            method,
            issuer: proven.issuer.as_deref().map(str::to_owned),
            credential: proven.credential.id.clone(),
            expires_at: proven.expires_at,
            subscribe: grants.subscribe.iter().map(ToString::to_string).collect(),
            publish: grants.publish.iter().map(ToString::to_string).collect(),
            administer: grants.administer,
        });
    }
}

fn may_read(key: &Key, proven: &Proven, granted: &[Pattern], hear_everyone: bool) -> Decision {
    match key {
        Key::Topic(topic) => {
            let mut granted = granted.iter();
            granted
                .find(|pattern| pattern.matches(topic.as_str()))
                .map_or_else(
                    || no("no subscribe grant covers it"),
                    |pattern| yes(format!("the subscribe grant `{pattern}`")),
                )
        }
        Key::User(user) if proven.subject.as_ref() == Some(user) => yes("it is this user"),
        Key::User(_) => no("it is another user"),
        Key::Role(role) if proven.roles.contains(role) => yes("it has this role"),
        Key::Role(_) => no("it does not have this role"),
        Key::Everyone if proven.subject.is_some() => yes("it is somebody"),
        Key::Everyone if hear_everyone => yes("it is granted to nobody in particular"),
        Key::Everyone => no("it is nobody, and that is not granted"),
    }
}

fn yes(because: impl Into<String>) -> Decision {
    Decision {
        is_allowed: true,
        because: because.into(),
    }
}

fn no(because: impl Into<String>) -> Decision {
    Decision {
        is_allowed: false,
        because: because.into(),
    }
}

impl Authenticator for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn authenticate<'a>(&'a self, presented: Presented<'a>) -> AuthFuture<'a> {
        Box::pin(async move {
            for provider in self.order(&presented) {
                if let Some(proven) = provider.prove(presented).await? {
                    return self.identity(proven, provider.name(), &presented).map(Some);
                }
            }
            Ok(None)
        })
    }

    fn explain<'a>(
        &'a self,
        presented: Presented<'a>,
        question: &'a Question,
    ) -> ExplanationFuture<'a> {
        Box::pin(self.look(presented, question))
    }

    fn published_keys(&self) -> Vec<PublishedKeys> {
        let providers = self.providers.iter();
        providers
            .flat_map(|provider| provider.published_keys())
            .collect()
    }
}
