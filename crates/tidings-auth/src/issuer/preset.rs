//! Policies of issuers that many people use, from the little that differs between two of their users.
//!
//! Each states where its rules come from. What is not stated there is left out rather than guessed.

use std::time::Duration;

use super::{IssuerName, Keys, Policy, Requirement, StreamLife};
use crate::address::{Address, AddressFault, PlainHttp};
use crate::claims::path::ClaimPath;
use crate::jwt::Algorithm;
use crate::secret::Secret;

/// How long a stream lives that a token of Clerk opened, unless a setting says otherwise: as long as
/// the access tokens of most other issuers, and as a stream token. A longer session would outlive a
/// sign-out, a shorter one would make every open page connect anew all the time.
const CLERK_SESSION: Duration = Duration::from_secs(60 * 60);

/// A well-known issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Clerk's session tokens, in a header or the cookie `__session`.
    ///
    /// `at` is the Frontend API URL: it is the `iss`, and below it lie the keys. RS256; tokens live
    /// 60 seconds; `azp` is the origin of the page and may be absent; the role in the active
    /// organization is `o.rol` (version 2 of the claims) or `org_role` (version 1). There is no
    /// `aud`, so the pages should be listed as authorized parties: cookies of one domain reach all of
    /// its applications. Source: clerk.com/docs/backend-requests/resources/session-tokens and
    /// .../handling/manual-jwt.
    Clerk,
    /// Auth0's access tokens for an API.
    ///
    /// `at` is the domain; the `iss` is its URL with a slash at the end. `aud` is the identifier of
    /// the API and has to be given. RS256. Roles are in claims that each tenant names by a URL.
    /// Source: auth0.com/docs/secure/tokens, pages on validating access tokens, on locating key sets
    /// and on custom claims.
    Auth0,
    /// Supabase Auth's access tokens.
    ///
    /// `at` is the project's URL; the `iss` is `/auth/v1` below it. `aud` is `authenticated`. ES256
    /// or RS256, or with the legacy JWT secret HS256. Roles: `role` (of the database) and
    /// `app_metadata.roles`, never `user_metadata`, which users write themselves. Source:
    /// supabase.com/docs/guides/auth/jwt-fields and .../signing-keys.
    Supabase,
    /// Keycloak's access tokens.
    ///
    /// `at` is the realm's URL, `https://host/realms/name`, which is the `iss`. RS256. The claim
    /// `typ` is `Bearer`, which tells them from ID tokens. Roles: `realm_access.roles`, and
    /// `resource_access.<client>.roles` of the client if one is given, which is then the one allowed
    /// `azp` too, unless parties are listed. One of client, parties and audiences has to be given, or
    /// every client of the realm would be let in. Source: Keycloak's guide on securing applications and
    /// its server administration guide, on protocol mappers.
    Keycloak,
    /// Amazon Cognito's access tokens.
    ///
    /// `at` is the user pool's URL, `https://cognito-idp.<region>.amazonaws.com/<pool>`, or the
    /// pool's id, which names its region. RS256. `token_use` is `access`, and `client_id`, which has
    /// to be given, stands in for the missing `aud`. Roles: `cognito:groups`. Source:
    /// docs.aws.amazon.com/cognito, "Verifying JSON web tokens".
    Cognito,
    /// Any other issuer.
    ///
    /// `at` is the `iss`. The keys are at `keys`, or below the `iss` where most publish them.
    /// RS256, ES256 and `EdDSA`, or with a secret HS256. An audience has to be given (RFC 8725,
    /// section 3.9). Roles: `roles`.
    Plain,
}

/// What differs between two users of the same preset.
#[derive(Debug, Clone)]
pub struct PresetInput {
    /// The issuer's name here.
    pub name: IssuerName,
    /// The issuer's domain or URL.
    pub at: String,
    /// Where its keys are, if not where the preset says.
    pub keys: Option<String>,
    /// Its public keys, each as [`Keys::Static`] takes it, if they are not fetched.
    pub public_keys: Vec<String>,
    /// The secret that is shared with it, if there is one.
    pub secret: Option<Secret>,
    /// Audiences.
    pub audiences: Vec<String>,
    /// The application's id there.
    pub client: Option<String>,
    /// Authorized parties.
    pub authorized_parties: Vec<String>,
    /// Where keys may come from unprotected.
    pub plain_http: PlainHttp,
}

/// Why a preset cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresetFault {
    /// Something is missing.
    #[error("it needs {0}")]
    Missing(&'static str),
    /// Something is too much.
    #[error("its tokens are never signed with a shared secret")]
    Secret,
    /// The address of its keys.
    #[error("the address of its keys cannot be used: {0}")]
    Address(AddressFault),
}

impl Preset {
    /// All of them, with their names in the settings.
    pub const ALL: [(&'static str, Self); 6] = [
        ("clerk", Self::Clerk),
        ("auth0", Self::Auth0),
        ("supabase", Self::Supabase),
        ("keycloak", Self::Keycloak),
        ("cognito", Self::Cognito),
        ("plain", Self::Plain),
    ];

    /// The policy of an issuer.
    pub fn policy(self, input: PresetInput) -> Result<Policy, PresetFault> {
        let takes_secret = matches!(self, Self::Supabase | Self::Plain);
        if input.secret.is_some() && !takes_secret {
            return Err(PresetFault::Secret);
        }
        if input.at.is_empty() {
            return Err(PresetFault::Missing("the domain or URL of the issuer"));
        }
        let issuer = self.issuer(&input.at);
        let (keys, algorithms) = self.keys(&issuer, &input)?;
        let mut policy = Policy::new(input.name, &issuer, keys, algorithms);
        policy.audiences = input.audiences;
        policy.authorized_parties = input.authorized_parties;
        match self {
            Self::Clerk => {
                policy.stream_life = StreamLife::Session(CLERK_SESSION);
                policy = policy
                    .with_roles(ClaimPath::of(&["o", "rol"]))
                    .with_roles(ClaimPath::top("org_role"));
            }
            Self::Supabase => {
                if policy.audiences.is_empty() {
                    policy.audiences.push("authenticated".to_owned());
                }
                policy = policy
                    .with_roles(ClaimPath::top("role"))
                    .with_roles(ClaimPath::of(&["app_metadata", "roles"]));
            }
            Self::Keycloak => {
                policy.require.push(is("typ", "Bearer"));
                policy = policy.with_roles(ClaimPath::of(&["realm_access", "roles"]));
                if let Some(client) = input.client {
                    let own = ClaimPath::of(&["resource_access", &client, "roles"]);
                    policy = policy.with_roles(own);
                    if policy.authorized_parties.is_empty() {
                        policy.authorized_parties.push(client);
                        policy.is_party_required = true;
                    }
                }
            }
            Self::Cognito => {
                let client = input
                    .client
                    .ok_or(PresetFault::Missing("the app client id"))?;
                policy.require.push(is("token_use", "access"));
                policy.require.push(is("client_id", &client));
                policy = policy.with_roles(ClaimPath::top("cognito:groups"));
            }
            Self::Plain => policy = policy.with_roles(ClaimPath::top("roles")),
            Self::Auth0 => {}
        }
        let is_for_anybody = policy.audiences.is_empty() && policy.authorized_parties.is_empty();
        if self == Self::Keycloak && is_for_anybody {
            return Err(PresetFault::Missing("a client, a party or an audience"));
        }
        let needs_audience = matches!(self, Self::Auth0 | Self::Plain);
        if needs_audience && policy.audiences.is_empty() {
            return Err(PresetFault::Missing("an audience"));
        }
        Ok(policy)
    }

    /// What the tokens say in `iss`.
    fn issuer(self, at: &str) -> String {
        if self == Self::Plain {
            return at.to_owned();
        }
        let is_pool = self == Self::Cognito && !at.contains('/');
        if let Some((region, _)) = at.split_once('_').filter(|_| is_pool) {
            return format!("https://cognito-idp.{region}.amazonaws.com/{at}");
        }
        let trimmed = at.trim_end_matches('/');
        let url = if trimmed.contains("://") {
            trimmed.to_owned()
        } else {
            format!("https://{trimmed}")
        };
        match self {
            Self::Auth0 => format!("{url}/"),
            Self::Supabase if !url.ends_with("/auth/v1") => format!("{url}/auth/v1"),
            _ => url,
        }
    }

    fn keys(
        self,
        issuer: &str,
        input: &PresetInput,
    ) -> Result<(Keys, Vec<Algorithm>), PresetFault> {
        if let Some(secret) = &input.secret {
            let keys = Keys::Secret(vec![secret.clone()]);
            return Ok((keys, vec![Algorithm::Hs256]));
        }
        // An `iss` need not be an address, where no keys are fetched from below it.
        let keys = if input.public_keys.is_empty() {
            let below = match self {
                Self::Keycloak => "protocol/openid-connect/certs",
                _ => ".well-known/jwks.json",
            };
            let usual = || format!("{}/{below}", issuer.trim_end_matches('/'));
            let address = input.keys.clone().unwrap_or_else(usual);
            let address = Address::parse(&address, input.plain_http);
            Keys::Published(address.map_err(PresetFault::Address)?)
        } else {
            Keys::Static(input.public_keys.clone())
        };
        let algorithms = match self {
            Self::Clerk | Self::Auth0 | Self::Keycloak | Self::Cognito => vec![Algorithm::Rs256],
            Self::Supabase => vec![Algorithm::Es256, Algorithm::Rs256],
            Self::Plain => vec![Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa],
        };
        Ok((keys, algorithms))
    }
}

fn is(claim: &str, value: &str) -> Requirement {
    Requirement {
        path: ClaimPath::top(claim),
        values: vec![value.to_owned()],
    }
}
