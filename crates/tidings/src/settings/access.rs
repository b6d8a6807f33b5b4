//! Who may do what: rules, and what is granted to nobody in particular.

use tidings_auth::rules::{Rule, Template, Who};
use tidings_core::audience::{Role, Subject};
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::pattern::Pattern;

use super::limits::{RULE_ENTRIES_MAX, RULES_MAX};
use super::table::{Section, Table, TableReader};

/// The table of what is granted to requests without a credential.
pub(super) const ANONYMOUS: Section = Section {
    name: "auth.anonymous",
    tables_max: 1,
    doc: "Lets requests in that present no credential. Without it they are refused.\n\n\
          - `subscribe`: patterns that they may read\n\
          - `publish`: patterns and audiences to which they may publish\n\
          - `everyone`: whether what is for everyone (`@all`) reaches them; `false` by default\n",
};

/// The tables of rules.
pub(super) const RULE: Section = Section {
    name: "rule",
    tables_max: RULES_MAX,
    doc: "What is granted to whom, beside what a credential grants by itself. All that is named of \
          `roles`, `issuers` and `subjects` must be so; rules only add.\n\n\
          - `roles`: any of these; `[\"*\"]`, or none named, is everybody who is somebody\n\
          - `issuers`: any of these, by `name`\n\
          - `subjects`: any of these\n\
          - `subscribe`: patterns, such as `\"workspace/{workspace}/**\"`\n\
          - `publish`: patterns, and audiences such as `\"@user/*\"`\n\
          - `administer`: `true` for administrators\n\n\
          `{sub}` is the subject, and `{workspace}` or `{org.id}` a claim: a text, a whole number, \
          or a list of them, which grants once for each. A claim that is missing, or that has a \
          character of patterns in it, grants nothing.\n",
};

/// What requests without a credential may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnonymousAccess(pub Grants);

/// Reads what is granted to nobody in particular.
pub(super) fn read_anonymous(mut table: TableReader<'_, '_, '_>) -> Option<Table<AnonymousAccess>> {
    let subscribe = table.texts("subscribe", Pattern::parse);
    let publish = table.texts("publish", PublishGrant::parse);
    let hear_everyone = table.flag("everyone");
    // What is there but cannot be used has been noted already.
    let is_told =
        table.has("subscribe") && subscribe.is_none() || table.has("publish") && publish.is_none();
    let grants = Grants {
        publish: publish.unwrap_or_default(),
        subscribe: subscribe.unwrap_or_default(),
        hear_everyone,
        administer: false,
    };
    if grants == Grants::default() && !is_told {
        let hint = "add `subscribe`, or leave the table out";
        table.fault("subscribe", "nothing is granted", hint);
    }
    table.finish(Some(AnonymousAccess(grants)))
}

/// Reads one rule.
pub(super) fn read_rule(mut table: TableReader<'_, '_, '_>) -> Option<Table<Rule>> {
    let roles = table.texts("roles", |text| match text {
        // Not a role: everybody.
        "*" => Ok(None),
        name => Role::parse(name).map(Some),
    });
    let issuers = table.texts("issuers", |text| Ok::<_, &str>(text.into()));
    let subjects = table.texts("subjects", Subject::parse);
    let subscribe = table.texts("subscribe", Template::for_reading);
    let publish = table.texts("publish", Template::for_publishing);
    let administer = table.flag("administer");
    // What is there but cannot be used has been noted already.
    let is_told =
        table.has("subscribe") && subscribe.is_none() || table.has("publish") && publish.is_none();
    let rule = Rule {
        who: Who {
            roles: roles.and_then(|roles| roles.into_iter().collect()),
            issuers,
            subjects,
        },
        subscribe: subscribe.unwrap_or_default(),
        publish: publish.unwrap_or_default(),
        administer,
    };
    let is_empty = rule.subscribe.is_empty() && rule.publish.is_empty();
    if is_empty && !is_told && !administer {
        let hint = "add `subscribe`, `publish` or `administer`";
        table.fault("subscribe", "the rule grants nothing", hint);
    }
    if rule.subscribe.len() + rule.publish.len() > RULE_ENTRIES_MAX {
        let problem = format!("the rule has more than {RULE_ENTRIES_MAX} patterns");
        table.fault(
            "subscribe",
            &problem,
            "patterns such as `project/**` say the same with fewer",
        );
    }
    table.finish(Some(rule))
}
