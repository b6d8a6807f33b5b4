//! What each provider costs a request, the first time and from then on:
//! `cargo run --release -p tidings-auth --example provider_cost`.
//!
//! One line per case: its name, the first request with a new provider (keys derived or read, the key set
//! or the application asked), and a later one, both in microseconds of one core. Whoever is asked answers
//! at once and in this process, so its network and its own work are left out. The fastest of many is
//! shown: the others shared the machine with something else.

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use tidings_auth::address::{Address, PlainHttp};
use tidings_auth::anonymous::Anonymous;
use tidings_auth::application::{self, Application};
use tidings_auth::bearer::Bearer;
use tidings_auth::chain::Chain;
use tidings_auth::claims::path::ClaimPath;
use tidings_auth::claims::{Layout, RoleSource};
use tidings_auth::fetch::{Fetch, FetchAnswer, FetchFuture, FetchRequest};
use tidings_auth::issuer::{Issuers, Keys as IssuerKeys, Policy as IssuerPolicy, StreamLife};
use tidings_auth::jwt::{Algorithm, JwtAuthenticator};
use tidings_auth::key::{KeyProvider, KeyRequest, Keys};
use tidings_auth::provider::Provider;
use tidings_auth::rules::{Rule, Rules, Template};
use tidings_auth::secret::Secret;
use tidings_auth::session::{self, COOKIE_NAMES_DEFAULT, SessionCookie};
use tidings_auth::store::LocalStore;
use tidings_auth::stream_token::StreamTokens;
use tidings_auth::ticket::{TicketRequest, Tickets};
use tidings_core::audience::Subject;
use tidings_core::credential::Credential;
use tidings_core::grant::Grants;
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::port::{Authenticator, Clock, Presented, Purpose, SharedStore};
use tidings_core::time::Timestamp;
use tidings_testkit::clock::ManualClock;

const NOW: Timestamp = Timestamp(1_900_000_000_000);
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const BATCHES: u32 = 200;
const REQUESTS_PER_BATCH: u32 = 20;
const FIRST_TIMES: u32 = 50;
const RULES: usize = 20;

/// Answers everything with the same text.
#[derive(Debug)]
struct Answering(String);

impl Fetch for Answering {
    fn fetch(&self, _: FetchRequest) -> FetchFuture<'_> {
        let answer = FetchAnswer {
            status: 200,
            headers: Vec::new(),
            body: self.0.clone().into_bytes(),
        };
        Box::pin(async move { Ok(answer) })
    }
}

/// What a request presents.
#[derive(Debug, Default, Clone)]
struct Request {
    bearer: Option<String>,
    ticket: Option<String>,
    cookies: Vec<(String, String)>,
}

impl Request {
    fn with_bearer(token: &str) -> Self {
        Self {
            bearer: Some(token.to_owned()),
            ..Self::default()
        }
    }

    async fn ask(&self, whom: &Whom) {
        let cookies: Vec<(&str, &str)> = self
            .cookies
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let presented = Presented {
            bearer: self.bearer.as_deref(),
            ticket: self.ticket.as_deref(),
            cookies: &cookies,
            ..Presented::nothing(Purpose::Read, Ipv4Addr::LOCALHOST.into(), NOW)
        };
        let is_accepted = match whom {
            Whom::Provider(provider) => {
                provider.prove(presented).await.is_ok_and(|it| it.is_some())
            }
            Whom::Chain(chain) => chain
                .authenticate(presented)
                .await
                .is_ok_and(|it| it.is_some()),
        };
        assert!(is_accepted, "the request is good");
    }
}

/// Who is asked about a request.
enum Whom {
    Provider(Arc<dyn Provider>),
    Chain(Box<Chain>),
}

impl Whom {
    fn provider(provider: impl Provider + 'static) -> Self {
        Self::Provider(Arc::new(provider))
    }
}

/// Measures one case: the first request to a new provider, and later ones.
async fn case(name: &str, request: &Request, make: impl Fn() -> Whom) {
    let mut first = Duration::MAX;
    for _ in 0..FIRST_TIMES {
        let begin = Instant::now();
        request.ask(&make()).await;
        first = first.min(begin.elapsed());
    }
    let whom = make();
    request.ask(&whom).await;
    let mut later = Duration::MAX;
    for _ in 0..BATCHES {
        let begin = Instant::now();
        for _ in 0..REQUESTS_PER_BATCH {
            request.ask(&whom).await;
        }
        later = later.min(begin.elapsed() / REQUESTS_PER_BATCH);
    }
    show(name, Some(first), later);
}

fn show(name: &str, first: Option<Duration>, later: Duration) {
    let us = |time: Duration| time.as_secs_f64() * 1e6;
    let first = first.map_or_else(|| "-".to_owned(), |first| format!("{:.1}", us(first)));
    println!("{name}\t{first}\t{:.2}", us(later));
}

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("a fixture is JSON")
}

fn issuers(fetched: String, algorithm: Option<Algorithm>) -> Issuers {
    let fetch: Arc<dyn Fetch> = Arc::new(Answering(fetched));
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let own = JwtAuthenticator::new(&Secret::from(SECRET), Duration::from_secs(5));
    let address = Address::parse("https://id.example.com/jwks.json", PlainHttp::Loopback);
    let policies = algorithm.map(|algorithm| {
        let keys = IssuerKeys::Published(address.expect("an address"));
        let name = "main".parse().expect("a name");
        IssuerPolicy::new(name, "https://id.example.com", keys, vec![algorithm])
    });
    Issuers::new(own.ok(), policies.into_iter().collect(), &fetch, &clock).expect("good policies")
}

fn bearer(fetched: String, algorithm: Option<Algorithm>) -> Bearer {
    Bearer::new(Arc::new(issuers(fetched, algorithm)))
}

fn sessions(secret: &str) -> SessionCookie {
    let path = |text: &str| text.parse::<ClaimPath>().expect("a path");
    SessionCookie::new(session::Policy {
        name: "portal".parse().expect("a name"),
        secrets: vec![Secret::from(secret)],
        cookie_names: COOKIE_NAMES_DEFAULT.map(str::to_owned).to_vec(),
        layout: Layout {
            subject: path("sub"),
            roles: vec![RoleSource::from(path("roles"))],
            grants: None,
        },
        qualify: false,
        others: Vec::new(),
        stream_life: StreamLife::WithToken,
    })
    .expect("a good policy")
}

fn somebody() -> Identity {
    let subscribe = ["a/*", "b/**"].map(|text| Pattern::parse(text).expect("a pattern"));
    Identity {
        subject: Subject::parse("u1").ok(),
        roles: Vec::new(),
        grants: Grants {
            subscribe: subscribe.to_vec(),
            ..Grants::default()
        },
        home: Vec::new(),
        expires_at: None,
        method: "jwt",
        credential: Credential::default(),
    }
}

fn rules() -> Rules {
    let template = |text: String| Template::for_reading(&text).expect("a template");
    let rule = |number: usize| Rule {
        subscribe: vec![
            template(format!("user/{{sub}}/{number}/**")),
            template(format!("workspace/{{workspace}}/{number}/*")),
        ],
        ..Rule::default()
    };
    Rules::new((0..RULES).map(rule).collect())
}

async fn tickets(store: &Arc<dyn SharedStore>) {
    let office = Tickets::new(Arc::clone(store));
    let identity = somebody();
    let (mut issuing, mut redeeming) = (Duration::MAX, Duration::MAX);
    let whom = Whom::provider(office.clone());
    for _ in 0..BATCHES {
        let mut requests = Vec::new();
        let begin = Instant::now();
        for _ in 0..REQUESTS_PER_BATCH {
            let ticket = office.issue(&identity, TicketRequest::default(), NOW).await;
            requests.push(Request {
                ticket: Some(ticket.expect("a ticket").expose().to_owned()),
                ..Request::default()
            });
        }
        issuing = issuing.min(begin.elapsed() / REQUESTS_PER_BATCH);
        let begin = Instant::now();
        for request in &requests {
            request.ask(&whom).await;
        }
        redeeming = redeeming.min(begin.elapsed() / REQUESTS_PER_BATCH);
    }
    show("ticket, issued", None, issuing);
    show("ticket, redeemed", None, redeeming);
}

fn key(folder: &Path) -> (Keys, Request) {
    let keys = Keys::open(folder).expect("keys");
    let request = KeyRequest {
        name: "a key".to_owned(),
        subject: Subject::parse("u1").expect("a subject"),
        roles: Vec::new(),
        grants: Grants::default(),
        expires_at: None,
    };
    let created = keys.create(request, NOW).expect("a key");
    let request = Request::with_bearer(created.expose());
    (keys, request)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = LocalStore::open(folder.path()).expect("a store");
    let store: Arc<dyn SharedStore> = Arc::new(store);

    let nobody = Request::default();
    case("anonymous", &nobody, || {
        Whom::provider(Anonymous::new(Grants::default()))
    })
    .await;

    let claims =
        json!({"sub": "u1", "exp": 4_000_000_000_u64, "workspace": "w1", "roles": ["EDITOR"]});
    let key_of_hub = EncodingKey::from_secret(SECRET.as_bytes());
    let own = jsonwebtoken::encode(&Header::default(), &claims, &key_of_hub).expect("a token");
    let own = Request::with_bearer(&own);
    case("HS256 of the hub", &own, || {
        Whom::provider(bearer(String::new(), None))
    })
    .await;

    let tokens = fixture(include_str!("../tests/fixtures/tokens.json"));
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let name = algorithm.as_str();
        let mut all = tokens["algorithms"].as_array().expect("a list").iter();
        let one = all
            .find(|one| one["algorithm"] == name)
            .expect("the algorithm");
        let request = Request::with_bearer(one["valid"].as_str().expect("a token"));
        let set = one["jwks"].to_string();
        case(&format!("{name} by a published key set"), &request, || {
            Whom::provider(bearer(set.clone(), Some(algorithm)))
        })
        .await;
    }

    let fixtures = fixture(include_str!("../tests/fixtures/sessions.json"));
    let secret = fixtures["secrets"][0].as_str().expect("a secret");
    let mut in_session = nobody.clone();
    for (name, label) in [
        ("session cookie of NextAuth 4", "NextAuth 4, "),
        ("session cookie of Auth.js 5", "Auth.js 5, "),
        ("the same in three parts, 11.7 kB", "Auth.js 5, in parts, "),
    ] {
        let mut all = fixtures["valid"].as_array().expect("a list").iter();
        let one = all.find(|one| one["label"] == label).expect("the session");
        let pairs = one["cookies"].as_array().expect("a list").iter();
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let request = Request {
            cookies: pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            ..Request::default()
        };
        case(name, &request, || Whom::provider(sessions(secret))).await;
        if request.cookies.len() == 1 {
            in_session = request;
        }
    }

    let (keys, with_key) = key(folder.path());
    case("API key", &with_key, || {
        Whom::provider(KeyProvider::new(keys.clone()))
    })
    .await;
    tickets(&store).await;
    let office = || StreamTokens::new(&[Secret::from(SECRET)]).expect("a good secret");
    let token = office().mint(&somebody(), None, NOW).expect("a token");
    let with_token = Request::with_bearer(token.expose());
    case("stream token", &with_token, || Whom::provider(office())).await;
    case("application, asked and kept", &in_session, || {
        let address = Address::parse("https://app.example.com/api/me", PlainHttp::Loopback);
        let name = "portal".parse().expect("a name");
        let mut policy = application::Policy::new(name, address.expect("an address"));
        policy.cookies = COOKIE_NAMES_DEFAULT.map(str::to_owned).to_vec();
        let answer = json!({"subject": "u1", "ttl": 3600}).to_string();
        let asked = Application::new(
            policy,
            Arc::new(Answering(answer)),
            Arc::new(ManualClock::at(NOW)),
        );
        Whom::provider(asked.expect("a good policy"))
    })
    .await;

    let chain = || {
        let providers: Vec<Arc<dyn Provider>> = vec![
            Arc::new(Tickets::new(Arc::clone(&store))),
            Arc::new(office()),
            Arc::new(KeyProvider::new(keys.clone())),
            Arc::new(bearer(String::new(), None)),
            Arc::new(sessions(secret)),
        ];
        Whom::Chain(Box::new(Chain::new(providers, rules(), Arc::clone(&store))))
    };
    case("all of them and 20 rules, HS256", &own, chain).await;
    case(
        "all of them and 20 rules, session cookie",
        &in_session,
        chain,
    )
    .await;
}
