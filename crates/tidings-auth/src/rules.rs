//! Rules: what the settings grant to whom, beside what credentials grant by themselves.
//!
//! ```toml
//! [[rule]]
//! roles = ["*"]
//! subscribe = ["user/{sub}/**", "workspace/{workspace}/**"]
//! ```
//!
//! Nothing is granted unless a rule or a credential says so. A rule only ever adds.

mod template;

use std::sync::Arc;

use tidings_core::audience::{Role, Subject};
use tidings_core::explanation::RuleSaid;
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::pattern::Pattern;

pub use template::{Template, TemplateError};

use crate::limits::PATTERNS_BY_RULES_MAX;
use crate::provider::Proven;

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// Whom it concerns.
    pub who: Who,
    /// Which topics it grants for reading.
    pub subscribe: Vec<Template>,
    /// To whom it grants publishing.
    pub publish: Vec<Template>,
    /// Whether it grants administering.
    pub administer: bool,
}

/// Whom a rule concerns. All that is named must be so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// Those with one of these roles; none for all who are somebody.
    pub roles: Option<Vec<Role>>,
    /// Those that one of these issuers vouches for; none for those of any, and of the hub itself.
    pub issuers: Option<Vec<Arc<str>>>,
    /// These.
    pub subjects: Option<Vec<Subject>>,
}

/// All rules, in the order of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// These rules.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// What is granted to somebody: by the credential itself, and by every rule that applies.
    pub fn grants(&self, proven: &Proven) -> Grants {
        self.apply(proven, &mut |_| {})
    }

    /// What each rule comes to.
    pub fn explain(&self, proven: &Proven) -> Vec<RuleSaid> {
        let mut all = Vec::new();
        self.apply(proven, &mut |said| all.push(said));
        all
    }

    fn apply(&self, proven: &Proven, tell: &mut dyn FnMut(RuleSaid)) -> Grants {
        let mut grants = proven.grants.clone();
        let mut room = PATTERNS_BY_RULES_MAX;
        for (number, rule) in (1..).zip(&self.0) {
            let mut said = RuleSaid {
                number,
                why_not: rule.who.why_not(proven),
                granted: Vec::new(),
                left_out: Vec::new(),
            };
            if said.why_not.is_none() {
                rule.add_to(&mut grants, proven, &mut room, &mut said);
            }
            tell(said);
        }
        grants
    }
}

impl Who {
    /// Why somebody is not concerned, if so.
    fn why_not(&self, proven: &Proven) -> Option<String> {
        if proven.is_final {
            return Some("what a ticket or a stream token grants is settled".to_owned());
        }
        let Some(subject) = &proven.subject else {
            return Some("the request is nobody's".to_owned());
        };
        let has_role = |roles: &Vec<Role>| roles.iter().any(|role| proven.roles.contains(role));
        if !self.roles.as_ref().is_none_or(has_role) {
            return Some("it has none of the roles".to_owned());
        }
        let is_vouched_for = |issuers: &Vec<Arc<str>>| {
            let issuer = proven.issuer.as_ref();
            issuer.is_some_and(|issuer| issuers.contains(issuer))
        };
        if !self.issuers.as_ref().is_none_or(is_vouched_for) {
            return Some("it is of another issuer".to_owned());
        }
        let names = self.subjects.as_ref();
        if !names.is_none_or(|subjects| subjects.contains(subject)) {
            return Some("it is another subject".to_owned());
        }
        None
    }
}

impl Rule {
    fn add_to(&self, grants: &mut Grants, proven: &Proven, room: &mut usize, said: &mut RuleSaid) {
        for template in &self.subscribe {
            fill("subscribe", template, proven, room, said, |text| {
                let pattern = Pattern::parse(text).ok()?;
                grants.subscribe.push(pattern);
                Some(())
            });
        }
        for template in &self.publish {
            fill("publish", template, proven, room, said, |text| {
                let grant = PublishGrant::parse(text).ok()?;
                // A topic that a claim turns into `@all` is no topic.
                let is_audience = !matches!(grant, PublishGrant::Topics(_));
                if is_audience != template.is_audience() {
                    return None;
                }
                grants.publish.push(grant);
                Some(())
            });
        }
        if self.administer {
            grants.administer = true;
            said.granted.push("administer".to_owned());
        }
    }
}

/// Fills a template in, as often as its claims have values, and takes what comes of it.
fn fill(
    verb: &str,
    template: &Template,
    proven: &Proven,
    room: &mut usize,
    said: &mut RuleSaid,
    mut take: impl FnMut(&str) -> Option<()>,
) {
    let texts = match template.fill(proven.subject.as_ref(), &proven.claims) {
        Ok(texts) => texts,
        Err(problem) => {
            said.left_out.push((template.to_string(), problem));
            return;
        }
    };
    for text in texts {
        if *room == 0 {
            let problem = format!("rules grant at most {PATTERNS_BY_RULES_MAX} patterns together");
            said.left_out.push((template.to_string(), problem));
            return;
        }
        *room -= 1;
        if take(&text).is_some() {
            said.granted.push(format!("{verb} {text}"));
        } else {
            let problem = "a claim in it makes no topic".to_owned();
            said.left_out.push((template.to_string(), problem));
        }
    }
}

#[cfg(test)]
mod tests;
