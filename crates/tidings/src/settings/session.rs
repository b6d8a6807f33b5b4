//! Session cookies of Auth.js and `NextAuth`.

use std::str::FromStr as _;
use std::time::Duration;

use tidings_auth::claims::path::ClaimPath;
use tidings_auth::claims::{Layout, RoleSource};
use tidings_auth::issuer::{IssuerName, StreamLife};
use tidings_auth::limits::STREAM_SESSION_SECONDS_MAX;
use tidings_auth::secret::Secret;
use tidings_auth::session::{COOKIE_NAMES_DEFAULT, Policy};

use super::issuer::plain;
use super::limits::SESSIONS_MAX;
use super::table::{Section, Table, TableReader};

/// The name of the sessions that `auth.session_secret` alone sets up.
const NAME_DEFAULT: &str = "session";

/// The tables of session cookies.
pub(super) const SECTION: Section = Section {
    name: "auth.session",
    tables_max: SESSIONS_MAX,
    doc: "Encrypted session cookies of Auth.js (v5) and NextAuth (v4). Without such a table, \
          `auth.session_secret` alone accepts them under their usual names.\n\n\
          - `name`: 1 to 32 of `a-z0-9-`\n\
          - `secret`: one, or a list with the newest first; or `secret_file`. By default \
          `auth.session_secret`\n\
          - `cookies`: names, which stand for themselves with `__Secure-` and `__Host-` too; by \
          default `authjs.session-token` and `next-auth.session-token`\n\
          - `subject_claim`, `role_claims`: paths; by default `sub`, and `roles` and `role`\n\
          - `stream_life`, `qualify`: as for issuers\n",
};

/// One kind of session cookies.
#[derive(Debug, Clone)]
pub struct Session {
    /// Whose cookies they are, and what they come to; without secrets, those of
    /// `auth.session_secret`.
    pub policy: Policy,
    /// Whether the file says anything about qualifying.
    pub says_qualify: bool,
}

impl Session {
    /// What `auth.session_secret` alone sets up.
    pub(super) fn usual(secret: Secret) -> Self {
        let mut session = Self::named(usual_name());
        session.policy.secrets.push(secret);
        session
    }

    fn named(name: IssuerName) -> Self {
        Self {
            policy: Policy {
                name,
                secrets: Vec::new(),
                cookie_names: COOKIE_NAMES_DEFAULT.map(str::to_owned).to_vec(),
                layout: Layout::own(),
                qualify: false,
                others: Vec::new(),
                stream_life: StreamLife::WithToken,
            },
            says_qualify: false,
        }
    }
}

fn usual_name() -> IssuerName {
    NAME_DEFAULT.parse().expect("it is written here")
}

/// Reads one kind of session cookies.
pub(super) fn read(mut table: TableReader<'_, '_, '_>) -> Option<Table<Session>> {
    let name = table.text("name", IssuerName::from_str);
    if !table.has("name") {
        table.missing("name", "add a line such as `name = \"portal\"`");
    }
    let mut session = Session::named(name.unwrap_or_else(usual_name));
    let policy = &mut session.policy;
    policy.secrets = table.secrets("secret");
    policy.secrets.extend(table.secret_file("secret_file"));
    if let Some(names) = table.texts("cookies", plain) {
        policy.cookie_names = names;
    }
    if let Some(subject) = table.text("subject_claim", ClaimPath::from_str) {
        policy.layout.subject = subject;
    }
    if let Some(roles) = table.texts("role_claims", ClaimPath::from_str) {
        policy.layout.roles = roles.into_iter().map(RoleSource::from).collect();
    }
    if let Some(life) = table.value("stream_life") {
        if life > Duration::from_secs(STREAM_SESSION_SECONDS_MAX) {
            let problem = "no stream lives longer than a week without asking again";
            table.fault("stream_life", problem, "give `7d` at most");
        }
        policy.stream_life = StreamLife::Session(life);
    }
    session.says_qualify = table.has("qualify");
    session.policy.qualify = table.flag("qualify");
    table.finish(Some(session))
}
