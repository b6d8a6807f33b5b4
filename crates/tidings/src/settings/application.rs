//! The application that is asked who somebody is.

use std::str::FromStr as _;

use tidings_auth::address::{Address, PlainHttp};
use tidings_auth::application::{Policy, Shape};
use tidings_auth::claims::path::ClaimPath;
use tidings_auth::claims::{Layout, RoleSource};
use tidings_auth::fetch::FetchMethod;
use tidings_auth::issuer::IssuerName;

use super::issuer::plain;
use super::table::{Section, Table, TableReader};

/// The name of the application unless the file says another.
const NAME_DEFAULT: &str = "application";

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
    let plain_http = if table.flag("allow_http") {
        PlainHttp::Anywhere
    } else {
        PlainHttp::Loopback
    };
    // Not shown if it is refused: somebody may have written a password into it.
    let address = table.text("url", plain).and_then(|text| {
        let address = Address::parse(&text, plain_http);
        if let Err(fault) = &address {
            let problem = format!("the address cannot be asked: {fault}");
            table.fault(
                "url",
                &problem,
                "give a URL such as `https://app.example/api/me`",
            );
        }
        address.ok()
    });
    if !table.has("url") {
        table.missing(
            "url",
            "add a line such as `url = \"http://127.0.0.1:3000/api/me\"`",
        );
    }
    let name = table.text("name", IssuerName::from_str);
    let name = name.unwrap_or_else(|| NAME_DEFAULT.parse().expect("it is written here"));
    let method = table.text("method", method);
    let cookies = table.texts("cookies", plain);
    let headers = table.texts("headers", lower);
    let kept = table.value("cache");
    let timeout = table.value("timeout");
    let life = table.value("stream_life");
    let shape = shape(&mut table);
    let qualify = table.flag("qualify");
    let says_qualify = table.has("qualify");
    let application = address.map(|address| {
        let usual = Policy::new(name, address);
        let policy = Policy {
            method: method.unwrap_or(usual.method),
            cookies: cookies.unwrap_or_default(),
            headers: headers.unwrap_or_default(),
            shape,
            qualify,
            life: life.unwrap_or(usual.life),
            kept: kept.unwrap_or(usual.kept),
            timeout: timeout.unwrap_or(usual.timeout),
            ..usual
        };
        Application {
            policy,
            says_qualify,
        }
    });
    table.finish(application)
}

fn shape(table: &mut TableReader<'_, '_, '_>) -> Shape {
    let is_session = table.text("answer", |word| match word {
        "native" => Ok(false),
        "session" => Ok(true),
        _ => Err("it is neither `native` nor `session`"),
    });
    let subject = table.text("subject_claim", ClaimPath::from_str);
    let roles = table.texts("role_claims", ClaimPath::from_str);
    let expires = table.text("expiry_claim", ClaimPath::from_str);
    let has_paths = subject.is_some() || roles.is_some() || expires.is_some();
    if is_session != Some(true) {
        if has_paths {
            let problem = "paths are for answers of a session";
            table.fault("subject_claim", problem, "add `answer = \"session\"`");
        }
        return Shape::native();
    }
    let roles = roles.unwrap_or_else(|| vec![ClaimPath::of(&["user", "roles"])]);
    let layout = Layout {
        subject: subject.unwrap_or_else(|| ClaimPath::of(&["user", "id"])),
        roles: roles.into_iter().map(RoleSource::from).collect(),
        ..Layout::own()
    };
    let expires = expires.unwrap_or_else(|| ClaimPath::top("expires"));
    Shape::session(layout, Some(expires))
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
