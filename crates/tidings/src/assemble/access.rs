//! Who is let in: from the settings to the providers, in their order.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use tidings_auth::anonymous::Anonymous;
use tidings_auth::application::Application;
use tidings_auth::bearer::Bearer;
use tidings_auth::chain::Chain;
use tidings_auth::development::DevelopmentUser;
use tidings_auth::fetch::Fetch;
use tidings_auth::issuer::Issuers;
use tidings_auth::jwt::JwtAuthenticator;
use tidings_auth::key::{KeyProvider, Keys};
use tidings_auth::provider::Provider;
use tidings_auth::rules::{Rules, Template};
use tidings_auth::secret::Secret;
use tidings_auth::session::SessionCookie;
use tidings_auth::session_token::SessionToken;
use tidings_auth::store::LocalStore;
use tidings_auth::stream_token::StreamTokens;
use tidings_auth::ticket::Tickets;
use tidings_auth::web_fetch::WebFetch;
use tidings_core::port::{Clock, SharedStore};
use tidings_core::revocation::Revocations;
use tidings_http::Access;
use tidings_hub::Hub;

use crate::settings::{ProviderName, Settings, kept_secret};

/// How often it is looked whether other processes have made keys or revoked something: well below
/// the two seconds within which that takes effect.
const LOOK_MS: u64 = 500;

/// Everything that decides who is let in.
#[derive(Debug)]
pub struct AssembledAccess {
    /// For the HTTP surface.
    pub access: Access,
    /// Whose tokens count, with what they have published.
    pub issuers: Arc<Issuers>,
}

/// The keys, revocations and tickets of the data directory. They are opened once.
#[derive(Debug)]
pub struct Stores {
    store: Arc<LocalStore>,
    keys: Keys,
}

/// Looks after what other processes change, until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    _stop: mpsc::SyncSender<()>,
}

/// Makes providers of the settings, over the keys and revocations of the data directory. `homes` are
/// what profiles read by claims, and `before` are the issuers of the settings that were in force.
pub fn assemble(
    settings: &Settings,
    homes: Vec<(String, Template)>,
    Stores { store, keys }: &Stores,
    before: Option<&Issuers>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<AssembledAccess> {
    let shared: Arc<dyn SharedStore> = store.clone();
    let tickets = Tickets::new(Arc::clone(&shared));
    let tokens = Arc::new(StreamTokens::new(&token_secrets(settings)?)?);
    let issuers = issuers(settings, before, clock)?;
    let mut providers: Vec<Arc<dyn Provider>> = Vec::new();
    for name in &settings.auth.order {
        match name {
            ProviderName::Ticket => providers.push(Arc::new(tickets.clone())),
            ProviderName::StreamToken => providers.push(tokens.clone()),
            ProviderName::Key => providers.push(Arc::new(KeyProvider::new(keys.clone()))),
            ProviderName::Jwt => providers.push(Arc::new(Bearer::new(Arc::clone(&issuers)))),
            ProviderName::SessionToken => providers.extend(session_token(settings, &issuers)),
            ProviderName::Session => {
                for session in &settings.auth.vouched.sessions {
                    providers.push(Arc::new(SessionCookie::new(session.policy.clone())?));
                }
            }
            ProviderName::Application => providers.extend(application(settings, clock)?),
        }
    }
    if settings.development {
        providers.push(Arc::new(DevelopmentUser::new(super::everything()?)));
    }
    if let Some(grants) = &settings.auth.anonymous {
        providers.push(Arc::new(Anonymous::new(grants.clone())));
    }
    let rules = Rules::new(settings.auth.rules.clone());
    let administered = settings.profiles.administered();
    let administered = administered.into_iter().map(str::to_owned).collect();
    let chain = Chain::new(providers, rules, Arc::clone(&shared))
        .with_homes(homes)
        .with_administrators(administered, settings.auth.admin_roles.clone());
    Ok(AssembledAccess {
        access: Access {
            authenticator: Arc::new(chain),
            store: shared,
            tickets,
            tokens,
        },
        issuers,
    })
}

impl Stores {
    /// Opens those of a data directory.
    pub fn open(data_dir: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            store: Arc::new(LocalStore::open(data_dir)?),
            keys: Keys::open(data_dir)?,
        })
    }

    /// Has whoever must know hear what is revoked.
    pub fn on_revocations(&self, hub: Hub) {
        let tell = move |revocations: Arc<Revocations>| hub.revoke(&revocations);
        self.store.on_revocations(Box::new(tell));
    }

    /// Begins to look after what other processes change.
    pub fn watch(&self, clock: &Arc<dyn Clock>) -> anyhow::Result<Watcher> {
        // Nothing is ever sent: that the other end is gone is the message.
        let (stop, stopped) = mpsc::sync_channel(0);
        let (store, keys, clock) = (Arc::clone(&self.store), self.keys.clone(), clock.clone());
        let look = move || {
            let pause = Duration::from_millis(LOOK_MS);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = store.poll(clock.now()) {
                    tracing::error!(cause = %error, "revocations cannot be read");
                }
                if let Err(error) = keys.poll() {
                    tracing::error!(cause = %error, "API keys cannot be read");
                }
            }
        };
        thread::Builder::new()
            .name("access".to_owned())
            .spawn(look)
            .context("a thread could not be started")?;
        Ok(Watcher { _stop: stop })
    }
}

/// The secrets with which stream tokens are signed: those of the hub, or one of its own if nothing
/// else needs any.
fn token_secrets(settings: &Settings) -> anyhow::Result<Vec<Secret>> {
    let own = &settings.auth;
    let secrets: Vec<Secret> = own
        .secret
        .iter()
        .chain(&own.previous_secret)
        .cloned()
        .collect();
    if secrets.is_empty() {
        let secret = kept_secret(&settings.data_dir)
            .context("the secret of stream tokens cannot be kept in the data directory")?;
        return Ok(vec![secret]);
    }
    Ok(secrets)
}

fn issuers(
    settings: &Settings,
    before: Option<&Issuers>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Arc<Issuers>> {
    let auth = &settings.auth;
    let secrets: Vec<Secret> = auth
        .secret
        .iter()
        .chain(&auth.previous_secret)
        .cloned()
        .collect();
    let own = if secrets.is_empty() {
        None
    } else {
        Some(JwtAuthenticator::with_secrets(&secrets, auth.leeway)?)
    };
    let mut policies = Vec::new();
    for issuer in &auth.vouched.issuers {
        let mut policy = issuer.policy.clone();
        policy.leeway = auth.leeway;
        policies.push(policy);
    }
    let fetch: Arc<dyn Fetch> = Arc::new(WebFetch::new()?);
    let issuers = Issuers::new(own, policies, &fetch, clock)?;
    Ok(Arc::new(match before {
        Some(before) => issuers.following(before),
        None => issuers,
    }))
}

fn session_token(settings: &Settings, issuers: &Arc<Issuers>) -> Option<Arc<dyn Provider>> {
    let all = settings.auth.vouched.issuers.iter();
    let cookies: Vec<_> = all.flat_map(|issuer| issuer.cookies.clone()).collect();
    (!cookies.is_empty())
        .then(|| -> Arc<dyn Provider> { Arc::new(SessionToken::new(Arc::clone(issuers), cookies)) })
}

fn application(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Arc<dyn Provider>>> {
    let Some(application) = &settings.auth.vouched.application else {
        return Ok(None);
    };
    let policy = application.policy.clone();
    let fetch = Arc::new(WebFetch::new()?);
    let application = Application::new(policy, fetch, Arc::clone(clock))?;
    Ok(Some(Arc::new(application)))
}
