//! Issuers of tokens: from the file to the policy of each.

use std::str::FromStr as _;
use std::time::Duration;

use tidings_auth::address::PlainHttp;
use tidings_auth::claims::RoleSource;
use tidings_auth::claims::path::ClaimPath;
use tidings_auth::issuer::{IssuerName, Keys, Policy, Preset, PresetInput, StreamLife};
use tidings_auth::jwt::{Algorithm, TokenTypes};
use tidings_auth::secret::Secret;
use tidings_auth::session_token::SessionCookie;

use super::limits::ISSUERS_MAX;
use super::table::{Section, Table, TableReader};

/// What stands before a group when it counts as a role, so that none is taken for the other.
const GROUP_PREFIX: &str = "group:";

/// The claim in which tokens grant directly.
const GRANTS_CLAIM: &str = "tidings";

/// The tables of issuers.
pub(super) const SECTION: Section = Section {
    name: "auth.issuer",
    tables_max: ISSUERS_MAX,
    doc: "Somebody who issues tokens (JWT). A token belongs to the issuer that its `iss` names, \
          letter by letter; one that names none of them must be signed with `auth.secret`.\n\n\
          - `name`: 1 to 32 of `a-z0-9-`; how rules and qualified subjects name it\n\
          - `preset`: `clerk`, `auth0`, `supabase`, `keycloak`, `cognito` or `plain` (default): what \
          the issuer's documentation says, as far as nothing else is set\n\
          - `issuer`: its domain or URL, for `plain` its `iss`\n\
          - `jwks_url`: where its keys are, if not where the preset says; or `key` or `key_file`, a \
          public key as PEM or JWK, of which `key` may be a list; or `secret` or `secret_file`, which \
          it shares with the hub\n\
          - `algorithms`: those that are accepted, such as `[\"RS256\"]`\n\
          - `audiences`: any of these must be in `aud`\n\
          - `client`: the id of the application there, for `keycloak` and `cognito`\n\
          - `authorized_parties`: `azp`, if the token has one, must be one of these\n\
          - `types`: values of `typ` that are accepted; by default `JWT`, `at+jwt`, or none\n\
          - `subject_claim`, `role_claims`: paths; a dot within a name is written `\\.`\n\
          - `group_claims`: paths of groups, which count as roles with `group:` before them\n\
          - `cookies`: cookies in which its tokens are accepted too; for `clerk`, `__session` is\n\
          - `stream_life`: how long a stream lives, whenever its token ends; by default it ends with \
          it, but for `clerk`\n\
          - `qualify`: whether subjects become `name:subject`; by default where there is more than \
          one source of subjects\n\
          - `trust_grants`: whether the claim `tidings` of its tokens grants anything\n\
          - `allow_http`: `true` to fetch keys from another machine in the clear\n",
};

/// One issuer.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// What is asked of its tokens; `qualify` is what the file says, or false.
    pub policy: Policy,
    /// Whether the file says anything about qualifying.
    pub says_qualify: bool,
    /// Cookies in which its tokens are.
    pub cookies: Vec<SessionCookie>,
    is_clerk: bool,
}

impl Issuer {
    /// Whether nothing tells its applications apart: Clerk's tokens name no audience.
    pub(super) fn takes_any_party(&self) -> bool {
        self.is_clerk && self.policy.authorized_parties.is_empty()
    }
}

/// Reads one issuer.
pub(super) fn read(mut table: TableReader<'_, '_, '_>) -> Option<Table<Issuer>> {
    let name = table.text("name", IssuerName::from_str);
    if !table.has("name") {
        table.missing("name", "add a line such as `name = \"clerk\"`");
    }
    let preset = table.text("preset", preset).unwrap_or(Preset::Plain);
    let at = table.text("issuer", plain);
    if !table.has("issuer") {
        table.missing(
            "issuer",
            "add a line such as `issuer = \"https://login.example.org\"`",
        );
    }
    let mut public_keys = table.secrets("key");
    public_keys.extend(table.public_file("key_file"));
    let mut secrets = table.secrets("secret");
    secrets.extend(table.secret_file("secret_file"));
    check_keys(&mut table);
    let allow_http = table.flag("allow_http");
    let input = name.zip(at).map(|(name, at)| PresetInput {
        name,
        at,
        keys: None,
        public_keys: public_keys.iter().map(text).collect(),
        secret: secrets.first().cloned(),
        audiences: Vec::new(),
        client: None,
        authorized_parties: Vec::new(),
        plain_http: if allow_http {
            PlainHttp::Anywhere
        } else {
            PlainHttp::Loopback
        },
    });
    let keys = table.text("jwks_url", plain);
    let audiences = table.texts("audiences", plain).unwrap_or_default();
    let client = table.text("client", plain);
    let parties = table.texts("authorized_parties", plain).unwrap_or_default();
    let policy = input.map(|input| {
        preset.policy(PresetInput {
            keys,
            audiences,
            client,
            authorized_parties: parties,
            ..input
        })
    });
    let policy = match policy {
        Some(Err(fault)) => {
            table.fault(
                "preset",
                &fault.to_string(),
                "add what is missing, or correct it",
            );
            None
        }
        Some(Ok(policy)) => Some(policy),
        None => None,
    };
    let says_qualify = table.has("qualify");
    let mut cookies: Vec<SessionCookie> = table
        .texts("cookies", plain)
        .unwrap_or_default()
        .into_iter()
        .map(|name| SessionCookie {
            name,
            with_suffix: false,
        })
        .collect();
    if preset == Preset::Clerk {
        cookies.push(SessionCookie::clerk());
    }
    let overrides = Overrides::read(&mut table);
    let issuer = policy.map(|mut policy| {
        if !secrets.is_empty() {
            policy.keys = Keys::Secret(secrets);
        }
        overrides.apply(&mut policy);
        Issuer {
            is_clerk: preset == Preset::Clerk,
            policy,
            says_qualify,
            cookies,
        }
    });
    table.finish(issuer)
}

/// Notes keys of more than one kind, of which only one could count.
fn check_keys(table: &mut TableReader<'_, '_, '_>) {
    let names = ["jwks_url", "key", "key_file", "secret", "secret_file"];
    let mut there = names.into_iter().filter(|name| table.has(name));
    if let (Some(first), Some(second)) = (there.next(), there.next()) {
        let problem = format!("its keys are those of `{first}` already");
        table.fault(second, &problem, "leave one of them out");
    }
}

/// A public key as a text.
fn text(key: &Secret) -> String {
    String::from_utf8_lossy(key.expose()).into_owned()
}

/// What the file says in place of the preset.
struct Overrides {
    algorithms: Option<Vec<Algorithm>>,
    types: Option<Vec<String>>,
    subject: Option<ClaimPath>,
    roles: Option<Vec<ClaimPath>>,
    groups: Option<Vec<ClaimPath>>,
    stream_life: Option<Duration>,
    qualify: bool,
    trust_grants: bool,
}

impl Overrides {
    fn read(table: &mut TableReader<'_, '_, '_>) -> Self {
        Self {
            algorithms: table.texts("algorithms", Algorithm::from_str),
            types: table.texts("types", plain),
            subject: table.text("subject_claim", ClaimPath::from_str),
            roles: table.texts("role_claims", ClaimPath::from_str),
            groups: table.texts("group_claims", ClaimPath::from_str),
            stream_life: table.value("stream_life"),
            qualify: table.flag("qualify"),
            trust_grants: table.flag("trust_grants"),
        }
    }

    fn apply(self, policy: &mut Policy) {
        if let Some(algorithms) = self.algorithms {
            policy.algorithms = algorithms;
        }
        if let Some(names) = self.types {
            policy.types = TokenTypes {
                names,
                or_none: false,
            };
        }
        if let Some(subject) = self.subject {
            policy.layout.subject = subject;
        }
        if let Some(roles) = self.roles {
            policy.layout.roles = roles.into_iter().map(RoleSource::from).collect();
        }
        let groups = self.groups.into_iter().flatten();
        policy.layout.roles.extend(groups.map(|path| RoleSource {
            path,
            prefix: GROUP_PREFIX.to_owned(),
        }));
        if let Some(life) = self.stream_life {
            policy.stream_life = StreamLife::Session(life);
        }
        policy.qualify = self.qualify;
        policy.layout.grants = self.trust_grants.then(|| ClaimPath::top(GRANTS_CLAIM));
    }
}

fn preset(text: &str) -> Result<Preset, String> {
    let found = Preset::ALL.into_iter().find(|(name, _)| *name == text);
    found.map(|(_, preset)| preset).ok_or_else(|| {
        let names: Vec<&str> = Preset::ALL.iter().map(|(name, _)| *name).collect();
        format!("it is none of {}", names.join(", "))
    })
}

/// A text that is not empty.
pub(super) fn plain(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("it is empty")
    } else {
        Ok(text.to_owned())
    }
}
