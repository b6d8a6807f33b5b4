//! The application that is asked who somebody is.

use std::str::FromStr as _;

use tidings_auth::application::{Policy, Shape};
use tidings_auth::fetch::FetchMethod;
use tidings_auth::place::Place;

use super::issuer::plain;
use super::table::{Section, Table, TableReader};

/// The table of the application.
pub(super) const SECTION: Section = Section {
    name: "auth.application",
    tables_max: 1,
    doc: "Asks the application who somebody is, for sessions that only the application \
          understands.\n\n\
          - `url`: what is asked; `https`, or `http` on this machine\n\
          - `method`: `GET` (default) or `POST`\n\
          - `cookies`, `headers`: names of what is handed on; one at least. A request that has none \
          of them is not asked about\n\
          - `answer`: `native` (default) for an endpoint that was made for the hub, or `session` for \
          one that you have, such as NextAuth's `/api/auth/session`\n\
          - `subject_claim`, `role_claims`, `expiry_claim`: paths in the answer of a `session`; by \
          default `user.id`, `user.roles` and `expires`\n\
          - `cache`: how long an answer counts, `30s` by default; `timeout`: `2s` by default\n\
          - `stream_life`: how long a stream lives before the application is asked again, `1h` by \
          default\n\
          - `allow_http`: `true` to ask another machine in the clear\n\
          - `name`, `qualify`: as for issuers; the name is `application` by default\n",
};

/// The application.
#[derive(Debug, Clone)]
pub struct Application {
    /// Which is asked, with what, and how patiently.
    pub policy: Policy,
    /// Whether the file says anything about qualifying.
    pub says_qualify: bool,
}

/// Reads what is to be known of the application.
pub(super) fn read(mut table: TableReader<'_, '_, '_>) -> Option<Table<Application>> {
    let name = table.text("name", plain);
    let url = table.text("url", plain);
    if !table.has("url") {
        table.missing(
            "url",
            "add a line such as `url = \"http://127.0.0.1:3000/api/me\"`",
        );
    }
    let name = name.unwrap_or_else(|| "application".to_owned());
    let mut policy = Policy::new(&name, &url.unwrap_or_default());
    if let Some(method) = table.text("method", method) {
        policy.method = method;
    }
    policy.cookies = table.texts("cookies", plain).unwrap_or_default();
    policy.headers = table.texts("headers", lower).unwrap_or_default();
    policy.plain_http = table.flag("allow_http");
    if let Some(kept) = table.value("cache") {
        policy.kept = kept;
    }
    if let Some(timeout) = table.value("timeout") {
        policy.timeout = timeout;
    }
    if let Some(life) = table.value("stream_life") {
        policy.life = life;
    }
    policy.shape = shape(&mut table);
    policy.qualify = table.flag("qualify");
    let says_qualify = table.has("qualify");
    table.finish(Some(Application {
        policy,
        says_qualify,
    }))
}

fn shape(table: &mut TableReader<'_, '_, '_>) -> Shape {
    let is_session = table.text("answer", |word| match word {
        "native" => Ok(false),
        "session" => Ok(true),
        _ => Err("it is neither `native` nor `session`"),
    });
    let subject = table.text("subject_claim", Place::from_str);
    let roles = table.texts("role_claims", Place::from_str);
    let expires = table.text("expiry_claim", Place::from_str);
    let has_paths = subject.is_some() || roles.is_some() || expires.is_some();
    if is_session != Some(true) {
        if has_paths {
            let problem = "paths are for answers of a session";
            table.fault("subject_claim", problem, "add `answer = \"session\"`");
        }
        return Shape::Native;
    }
    Shape::Session {
        subject: subject.unwrap_or_else(|| place("user.id")),
        roles: roles.unwrap_or_else(|| vec![place("user.roles")]),
        expires: Some(expires.unwrap_or_else(|| Place::top("expires"))),
    }
}

fn method(word: &str) -> Result<FetchMethod, &'static str> {
    match word {
        "GET" => Ok(FetchMethod::Get),
        "POST" => Ok(FetchMethod::Post),
        _ => Err("it is neither `GET` nor `POST`"),
    }
}

fn lower(name: &str) -> Result<String, &'static str> {
    plain(name).map(|name| name.to_ascii_lowercase())
}

/// A path that is known to be one.
fn place(text: &str) -> Place {
    Place::from_str(text).expect("it is written here")
}
