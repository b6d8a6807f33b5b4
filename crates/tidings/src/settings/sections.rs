//! The tables of the settings file that are no keys: lists of rules, issuers and the like. Only a file
//! can hold them.

use toml::de::DeValue;

use super::access::{self, AnonymousAccess};
use super::application::{self, Application};
use super::file::Reader;
use super::issuer::{self, Issuer};
use super::profile::{self, ProfileSetting};
use super::rule::{self, RetentionRule};
use super::session::{self, Session};
use super::table::{Section, Table, TableReader};

/// Every kind of table, in the order of the reference.
pub const SECTIONS: [&Section; 7] = [
    &issuer::SECTION,
    &session::SECTION,
    &application::SECTION,
    &access::ANONYMOUS,
    &access::RULE,
    &profile::SECTION,
    &rule::SECTION,
];

/// The tables of a file.
#[derive(Debug, Clone, Default)]
pub struct Sections {
    /// Who issues tokens.
    pub issuers: Vec<Table<Issuer>>,
    /// Whose session cookies are known.
    pub sessions: Vec<Table<Session>>,
    /// The application that is asked; one at most.
    pub application: Vec<Table<Application>>,
    /// What is granted to nobody in particular; one at most.
    pub anonymous: Vec<Table<AnonymousAccess>>,
    /// What is granted to whom.
    pub rules: Vec<Table<tidings_auth::rules::Rule>>,
    /// Endpoints for clients of other servers.
    pub profiles: Vec<Table<ProfileSetting>>,
    /// Retention of some topics.
    pub retention_rules: Vec<Table<RetentionRule>>,
    /// What an operator should hear of them, though they can be used.
    pub warnings: Vec<String>,
}

impl Sections {
    /// All tables as the file has them, with the name and the origin of each.
    pub(super) fn shown(&self) -> Vec<(&'static Section, &str, String)> {
        fn of<'a, T>(
            section: &'static Section,
            tables: &'a [Table<T>],
        ) -> impl Iterator<Item = (&'static Section, &'a str, String)> {
            tables
                .iter()
                .map(move |table| (section, table.shown.as_str(), table.origin.to_string()))
        }
        of(&issuer::SECTION, &self.issuers)
            .chain(of(&session::SECTION, &self.sessions))
            .chain(of(&application::SECTION, &self.application))
            .chain(of(&access::ANONYMOUS, &self.anonymous))
            .chain(of(&access::RULE, &self.rules))
            .chain(of(&profile::SECTION, &self.profiles))
            .chain(of(&rule::SECTION, &self.retention_rules))
            .collect()
    }
}

/// Takes a value of the file as tables of a section, if its name is that of one.
pub(super) fn read(
    reader: &mut Reader<'_>,
    sections: &mut Sections,
    name: &str,
    at: usize,
    value: &DeValue<'_>,
) -> bool {
    let Some(section) = SECTIONS.into_iter().find(|section| section.name == name) else {
        return false;
    };
    let Some(tables) = tables(reader, section, at, value) else {
        return true;
    };
    for table in tables {
        let table = TableReader::new(reader, section, table, at);
        match section.name {
            "auth.issuer" => sections.issuers.extend(issuer::read(table)),
            "auth.session" => sections.sessions.extend(session::read(table)),
            "auth.application" => sections.application.extend(application::read(table)),
            "auth.anonymous" => sections.anonymous.extend(access::read_anonymous(table)),
            "rule" => sections.rules.extend(access::read_rule(table)),
            "profile" => sections.profiles.extend(profile::read(table)),
            _ => sections.retention_rules.extend(rule::read(table)),
        }
    }
    true
}

/// The tables of a section, unless they are none, or too many.
fn tables<'t>(
    reader: &mut Reader<'_>,
    section: &'static Section,
    at: usize,
    value: &'t DeValue<'t>,
) -> Option<Vec<&'t toml::de::DeTable<'t>>> {
    let name = section.name;
    if section.tables_max == 1 {
        let table = value.as_table().map(|table| vec![table]);
        if table.is_none() {
            let hint = format!("write `[{name}]` and its settings below");
            reader.fault(
                at,
                Some(name),
                format!("`{name}` is not a table"),
                Some(hint),
            );
        }
        return table;
    }
    let tables: Option<Vec<_>> = value.as_array().and_then(|entries| {
        let tables = entries.iter().map(|entry| entry.get_ref().as_table());
        tables.collect()
    });
    let Some(tables) = tables else {
        let hint = format!("write each as `[[{name}]]` with its settings below");
        let message = format!("`{name}` is not a list of tables");
        reader.fault(at, Some(name), message, Some(hint));
        return None;
    };
    if tables.len() > section.tables_max {
        let (max, found) = (section.tables_max, tables.len());
        let message = format!("`{name}` has more than {max} tables: {found}");
        let hint = "patterns and lists say the same with fewer".to_owned();
        reader.fault(at, Some(name), message, Some(hint));
        return None;
    }
    Some(tables)
}
