//! Who vouches for people: issuers, session cookies and the application, beside each other.

use tidings_auth::issuer::IssuerName;
use tidings_auth::secret::Secret;

use super::application::Application;
use super::fault::Faults;
use super::gather::Gathered;
use super::issuer::{self, Issuer};
use super::origin::{Origin, Sourced};
use super::session::{self, Session};
use super::table::Table;
use super::{access, application};

/// The key of the secret of session cookies.
const SESSION_SECRET: &str = "auth.session_secret";

/// Where it is said who vouches for people. While one of them is at fault, nobody knows who does.
pub(super) const NAMES: [&str; 4] = [
    issuer::SECTION.name,
    session::SECTION.name,
    application::SECTION.name,
    SESSION_SECRET,
];

/// All who vouch for people.
#[derive(Debug, Clone, Default)]
pub struct VouchedFor {
    /// Issuers of tokens.
    pub issuers: Vec<Issuer>,
    /// Kinds of session cookies.
    pub sessions: Vec<Session>,
    /// The application.
    pub application: Option<Application>,
}

/// What must be known of each, whatever it is.
struct Source<'a> {
    name: IssuerName,
    qualify: &'a mut bool,
    says_qualify: bool,
    /// The names of all others, once they are known.
    others: &'a mut Vec<IssuerName>,
    section: &'static str,
    origin: Origin,
}

/// A kind of table that says who vouches for people.
trait Vouches: Sized {
    fn source(table: &mut Table<Self>) -> Source<'_>;
}

macro_rules! vouches {
    ($($kind:ty: $section:expr),+) => {
        $(impl Vouches for $kind {
            fn source(table: &mut Table<Self>) -> Source<'_> {
                let policy = &mut table.value.policy;
                Source {
                    name: policy.name.clone(),
                    qualify: &mut policy.qualify,
                    says_qualify: table.value.says_qualify,
                    others: &mut policy.others,
                    section: $section.name,
                    origin: table.origin.clone(),
                }
            }
        })+
    };
}

vouches!(
    Issuer: issuer::SECTION,
    Session: session::SECTION,
    Application: application::SECTION
);

/// Takes the tables for what they mean beside each other, or notes what is wrong.
pub(super) fn of(
    gathered: &Gathered,
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) -> VouchedFor {
    let sections = &gathered.sections;
    let secret = session_secret(gathered, faults);
    let are_known = !faults.touch(&NAMES);
    let mut issuers = sections.issuers.clone();
    let mut sessions = sessions(&sections.sessions, secret, faults);
    let mut application = sections.application.clone();
    check_each(&issuers, &sessions, &application, faults, warnings);
    let names = {
        let issuers = issuers.iter_mut().map(Vouches::source);
        let sessions = sessions.iter_mut().map(Vouches::source);
        let applications = application.iter_mut().map(Vouches::source);
        qualify(
            issuers.chain(sessions).chain(applications).collect(),
            faults,
        )
    };
    if are_known {
        check_rules(gathered, &names, faults);
    }
    VouchedFor {
        issuers: issuers.into_iter().map(|table| table.value).collect(),
        sessions: sessions.into_iter().map(|table| table.value).collect(),
        application: application.pop().map(|table| table.value),
    }
}

/// Whether anybody but the hub itself vouches for anybody.
pub(super) fn are_there(gathered: &Gathered) -> bool {
    let sections = &gathered.sections;
    !sections.issuers.is_empty()
        || !sections.sessions.is_empty()
        || !sections.application.is_empty()
        || gathered.layer.auth_session_secret.is_some()
}

fn session_secret(gathered: &Gathered, faults: &mut Faults) -> Option<Sourced<Secret>> {
    let secret = gathered.layer.auth_session_secret.clone()?;
    if let Err(weak) = secret.value.for_signing() {
        faults.add(SESSION_SECRET, secret.origin, weak.to_string(), weak.hint());
        return None;
    }
    Some(secret)
}

fn sessions(
    tables: &[Table<Session>],
    secret: Option<Sourced<Secret>>,
    faults: &mut Faults,
) -> Vec<Table<Session>> {
    if tables.is_empty() {
        let usual = secret.map(|secret| Table {
            value: Session::usual(secret.value),
            shown: String::new(),
            origin: secret.origin,
        });
        return usual.into_iter().collect();
    }
    let mut tables = tables.to_vec();
    for table in &mut tables {
        let secrets = &mut table.value.policy.secrets;
        if secrets.is_empty() {
            secrets.extend(secret.as_ref().map(|secret| secret.value.clone()));
        }
        if secrets.is_empty() && !faults.touch(&[SESSION_SECRET]) {
            let message = format!("`{}` has no secret", session::SECTION.name);
            let hint = "add `secret` or `secret_file`, or set `auth.session_secret`";
            faults.add(session::SECTION.name, table.origin.clone(), message, hint);
        }
    }
    tables
}

/// Notes what is wrong with each by itself.
fn check_each(
    issuers: &[Table<Issuer>],
    sessions: &[Table<Session>],
    applications: &[Table<Application>],
    faults: &mut Faults,
    warnings: &mut Vec<String>,
) {
    let mut note = |section: &'static str, origin: &Origin, fault: Option<String>| {
        if let Some(fault) = fault {
            let message = format!("`{section}` cannot be used: {fault}");
            faults.add(
                section,
                origin.clone(),
                message,
                "correct it, or leave it out",
            );
        }
    };
    for (index, table) in issuers.iter().enumerate() {
        let policy = &table.value.policy;
        let fault = policy.check_setup().err();
        let others = issuers[..index].iter().map(|other| &other.value.policy);
        let mut same = others.filter(|other| other.issuer == policy.issuer);
        let same = same
            .next()
            .map(|other| format!("its `iss` is that of `{}` too", other.name));
        note(
            issuer::SECTION.name,
            &table.origin,
            fault.map(|fault| fault.to_string()).or(same),
        );
        if table.value.takes_any_party() {
            warnings.push(format!(
                "`{}` has no `authorized_parties`: every application of the same Clerk instance is \
                 let in",
                table.value.policy.name
            ));
        }
    }
    for table in sessions {
        let policy = table.value.policy.clone();
        let fault = tidings_auth::session::SessionCookie::new(policy).err();
        let is_told = table.value.policy.secrets.is_empty();
        note(
            session::SECTION.name,
            &table.origin,
            fault.filter(|_| !is_told).map(|fault| fault.to_string()),
        );
    }
    for table in applications {
        let fault = table.value.policy.check_setup().err();
        note(
            application::SECTION.name,
            &table.origin,
            fault.map(|fault| fault.to_string()),
        );
    }
}

/// Qualifies subjects where there is more than one source of them, tells each of the others, and notes
/// whose could be taken for each other. Returns all names.
fn qualify(mut sources: Vec<Source<'_>>, faults: &mut Faults) -> Vec<IssuerName> {
    let are_several = sources.len() > 1;
    let mut names: Vec<IssuerName> = Vec::new();
    let mut unqualified: Option<IssuerName> = None;
    for source in &mut sources {
        if !source.says_qualify {
            *source.qualify = are_several;
        }
        if names.contains(&source.name) {
            let message = format!("the name `{}` is there twice", source.name);
            let hint = "give each issuer, session and application a name of its own";
            faults.add(source.section, source.origin.clone(), message, hint);
        }
        names.push(source.name.clone());
        if *source.qualify {
            continue;
        }
        if let Some(other) = unqualified.replace(source.name.clone()) {
            let message = format!(
                "people of `{other}` and of `{}` could be taken for each other",
                source.name
            );
            let hint = "let one of them at most say `qualify = false`";
            faults.add(source.section, source.origin.clone(), message, hint);
        }
    }
    for source in &mut sources {
        let others = names.iter().filter(|name| **name != source.name);
        *source.others = others.cloned().collect();
    }
    names
}

/// A rule for an issuer that is not there would silently grant nothing.
fn check_rules(gathered: &Gathered, names: &[IssuerName], faults: &mut Faults) {
    for rule in &gathered.sections.rules {
        let issuers = rule.value.who.issuers.iter().flatten();
        for unknown in
            issuers.filter(|issuer| !names.iter().any(|name| name.as_str() == &***issuer))
        {
            let known: Vec<&str> = names.iter().map(IssuerName::as_str).collect();
            let hint = if known.is_empty() {
                "there is none; add an `[[auth.issuer]]`".to_owned()
            } else {
                format!("there are {}", known.join(", "))
            };
            let message = format!("a `rule` names an issuer that is not there: `{unknown}`");
            faults.add(access::RULE.name, rule.origin.clone(), message, hint);
        }
    }
}
