//! One hub on the memory log behind a real server on a free port, with a few known credentials.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use http_body_util::{BodyExt as _, Empty};
use tidings_auth::chain::Chain;
use tidings_auth::provider::Provider;
use tidings_auth::rules::{Rules, Template};
use tidings_auth::secret::Secret;
use tidings_auth::stream_token::StreamTokens;
use tidings_auth::ticket::Tickets;
use tidings_core::audience::Role;
use tidings_core::port::{Clock, SharedStore};
use tidings_core::position::Epoch;
use tidings_core::time::{Moment, Timestamp};
use tidings_http::{
    Access, App, Drain, ForwardedHeader, HostName, IpNet, Origin, Origins, Peer, Places, Profile,
    Profiles, RateLimits, RequestBody, Server, Settings, Tls, built_in,
};
use tidings_hub::{Hub, Options, Ports};
use tidings_log::memory::{MemoryLog, MemoryOptions};
use tidings_wire::coding::BlockCoder;
use tidings_wire::sse::WireEncoder;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::{Answer, PATIENCE, Request, Stream};
use crate::counting_store::CountingStore;
use crate::credentials::Tokens;
use crate::faulty_store::FaultyStore;

/// The origin that the settings list.
pub(crate) const LISTED_ORIGIN: &str = "https://app.example";

/// Real time, of which the wall clock can be moved.
#[derive(Debug)]
pub(crate) struct TestClock {
    begun: Instant,
    ahead_ms: AtomicU64,
    moment_ahead_ms: AtomicU64,
    stands_still: bool,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
        Timestamp(since_1970.as_millis() as u64 + self.ahead_ms.load(Ordering::SeqCst))
    }

    fn moment(&self) -> Moment {
        let elapsed = if self.stands_still {
            0
        } else {
            self.begun.elapsed().as_millis() as u64
        };
        Moment(elapsed + self.moment_ahead_ms.load(Ordering::SeqCst))
    }
}

/// A running server.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) hub: Hub,
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) counters: Arc<CountingStore>,
    app: App,
    clock: Arc<TestClock>,
    shutdown: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

/// What a test may want otherwise.
pub(crate) struct Wish {
    pub(crate) development: bool,
    pub(crate) heartbeat_ms: u32,
    pub(crate) connections_max: usize,
    pub(crate) readers_max: usize,
    pub(crate) connections_per_identity: usize,
    pub(crate) connections_per_address: usize,
    pub(crate) slow_reader_ms: u64,
    /// No time passes for the shards: however long the machine takes, they give up nobody.
    pub(crate) stands_still: bool,
    pub(crate) origins: Option<Origins>,
    pub(crate) hosts: Vec<HostName>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) forwarded_header: ForwardedHeader,
    pub(crate) rates: RateLimits,
    /// Where what is revoked is kept, if it is to be there after the world has ended.
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) rules: Rules,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) tls: Option<Tls>,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            development: false,
            heartbeat_ms: 15_000,
            connections_max: 1_000,
            readers_max: 1_000,
            connections_per_identity: 100,
            connections_per_address: 1_000,
            slow_reader_ms: 10_000,
            stands_still: false,
            origins: None,
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            rates: RateLimits::default(),
            data_dir: None,
            rules: Rules::default(),
            profiles: built_in(),
            tls: None,
        }
    }
}

/// The chain with what it has to know of profiles.
fn knowing(profiles: &Profiles, chain: Chain) -> Chain {
    let homes = profiles.homes().into_iter().map(|(name, text)| {
        let template = Template::for_reading(text).expect("a template");
        (name.to_owned(), template)
    });
    let administered = profiles.administered().into_iter().map(str::to_owned);
    let admin = Role::parse("ADMIN").expect("a role");
    chain
        .with_homes(homes.collect())
        .with_administrators(administered.collect(), vec![admin])
}

/// A server on a free port.
async fn bind(tls: Option<Tls>) -> Server {
    let server = Server::bind(([127, 0, 0, 1], 0).into()).await;
    let server = server.expect("a free port");
    match tls {
        Some(tls) => server.with_tls(tls),
        None => server,
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(Wish::default()).await
    }

    pub(crate) async fn start_with(wish: Wish) -> Self {
        let clock = Arc::new(TestClock {
            begun: Instant::now(),
            ahead_ms: AtomicU64::new(0),
            moment_ahead_ms: AtomicU64::new(0),
            stands_still: wish.stands_still,
        });
        let as_clock: Arc<dyn Clock> = clock.clone();
        let log = MemoryLog::open(
            MemoryOptions::default(),
            Arc::clone(&as_clock),
            Epoch::from_bits(7),
        );
        let log = Arc::new(log);
        let store = Arc::new(FaultyStore::new(log.clone()));
        let options = Options {
            shards: 2,
            connections: wish.readers_max,
            connections_per_identity: wish.connections_per_identity,
            connections_per_address: wish.connections_per_address,
            slow_reader_ms: wish.slow_reader_ms,
            count_wait_ms: 60_000,
            ..Options::default()
        };
        let profiles = Profiles::new(wish.profiles).expect("they go together");
        let ports = Ports {
            sequencer: log,
            store: store.clone(),
            encoder: Arc::new(WireEncoder::new(profiles.dialects())),
            coder: Arc::new(BlockCoder::default()),
            clock: Arc::clone(&as_clock),
        };
        let hub = Hub::start(&options, ports).expect("the hub starts");
        let listed = vec![Origin::parse(LISTED_ORIGIN).expect("origin")];
        let settings = Settings {
            origins: wish.origins.unwrap_or(if wish.development {
                Origins::ListedAndThisMachine(listed)
            } else {
                Origins::Listed(listed)
            }),
            hosts: wish.hosts,
            trusted_proxies: wish.trusted_proxies,
            forwarded_header: wish.forwarded_header,
            rates: wish.rates,
            development: wish.development,
            heartbeat_ms: wish.heartbeat_ms,
            compress: true,
            tracer: None,
            dropped_log_lines: || 0,
            profiles: Arc::new(profiles),
        };
        let counters = Arc::new(match &wish.data_dir {
            Some(data_dir) => CountingStore::open(data_dir),
            None => CountingStore::default(),
        });
        let shared: Arc<dyn SharedStore> = counters.clone();
        let shards = hub.clone();
        shared.on_revocations(Box::new(move |revocations| shards.revoke(&revocations)));
        let tickets = Tickets::new(Arc::clone(&shared));
        let secret = Secret::from("a secret of tests, and of nothing else");
        let tokens = Arc::new(StreamTokens::new(&[secret]).expect("a good secret"));
        let providers: Vec<Arc<dyn Provider>> =
            vec![Arc::new(Tokens), Arc::new(tickets.clone()), tokens.clone()];
        let chain = Chain::new(providers, wish.rules, Arc::clone(&shared));
        let access = Access {
            authenticator: Arc::new(knowing(&settings.profiles, chain)),
            store: shared,
            tickets,
            tokens,
        };
        let app = App::new(hub.clone(), access, as_clock, settings);
        let server = bind(wish.tls).await;
        let address = server.address();
        let (shutdown, asked) = oneshot::channel();
        let drain = Drain {
            spread: Duration::ZERO,
            grace: PATIENCE,
            retry_after: Duration::from_secs(1),
        };
        let asked = async {
            let _ended = asked.await;
        };
        let places = Places::new(wish.connections_max);
        let server = tokio::spawn(server.run(app.clone(), places, asked, drain));
        Self {
            address,
            hub,
            store,
            counters,
            app,
            clock,
            shutdown: Some(shutdown),
            server,
        }
    }

    /// The wall clock.
    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now().0
    }

    /// Moves the wall clock ahead.
    pub(crate) fn advance_wall(&self, ms: u64) {
        self.clock.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Moves both clocks ahead.
    pub(crate) fn advance(&self, ms: u64) {
        self.advance_wall(ms);
        self.clock.moment_ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Moves both clocks ahead and lets the shards see it: they look at them when there is something
    /// to do.
    pub(crate) async fn advance_and_wake(&self, ms: u64) {
        self.advance(ms);
        self.publish("project/wake", 0).await;
    }

    /// Sends a request on a connection of its own and reads the whole answer.
    pub(crate) async fn send(&self, request: Request) -> Answer {
        request.send(self.address).await
    }

    /// Opens a stream and waits for its head.
    pub(crate) async fn stream(&self, request: Request) -> Stream {
        Stream::open(self.address, request).await
    }

    /// The figures, read without a connection.
    pub(crate) async fn figures(&self) -> String {
        let request = http::Request::get("/metrics").header("host", "hub.test");
        let body = RequestBody::new(Empty::new().map_err(|never| match never {}));
        let request = request.body(body).expect("a request");
        let answer = self.app.respond(request, Peer::new(self.address)).await;
        let text = answer
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        String::from_utf8(text.to_vec()).expect("text")
    }

    /// One figure of the surface with its labels; zero before it is counted.
    pub(crate) async fn labelled(&self, series: &str) -> u64 {
        let figures = self.figures().await;
        let mut lines = figures.lines().filter_map(|line| line.rsplit_once(' '));
        let found = lines.find(|(known, _)| *known == series);
        found.map_or(0, |(_, value)| value.parse().expect("a number"))
    }

    /// One figure of the hub.
    pub(crate) async fn figure(&self, name: &str) -> u64 {
        let figures = self.figures().await;
        let mut lines = figures.lines().filter_map(|line| line.split_once(' '));
        let found = lines.find(|(known, _)| *known == name);
        let (_, value) = found.unwrap_or_else(|| panic!("no `{name}` in {figures}"));
        value.parse().expect("a number")
    }

    /// Publishes one event of a writer, and returns its cursor.
    pub(crate) async fn publish(&self, topic: &str, data: u64) -> String {
        let body = format!(r#"{{"type":"t","topics":["{topic}"],"data":{data}}}"#);
        let answer = self
            .send(Request::post("/v1/events").bearer("writer").json(&body))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["cursor"]
            .as_str()
            .expect("a cursor")
            .to_owned()
    }

    /// A `ticket` or a `token` of whoever this token proves, as the body asks for it.
    pub(crate) async fn issue(&self, what: &str, token: &str, body: &str) -> String {
        let request = Request::post(&format!("/v1/{what}s")).bearer(token);
        let answer = self.send(request.json(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let issued = answer.json();
        assert!(issued["expiresAt"].as_u64().expect("a time") > self.now_ms());
        issued[what].as_str().expect("a secret").to_owned()
    }

    /// Revokes as an administrator does, in the words of a body.
    pub(crate) async fn revoke(&self, body: &str) {
        let request = Request::post("/v1/revocations").bearer("admin");
        let answer = self.send(request.json(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Waits until the hub has this many reading connections.
    pub(crate) async fn until_connections(&self, count: u64) {
        let reached = async {
            while self.hub.figures().connections != count {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, reached)
            .await
            .expect("the connections in time");
    }

    /// Waits until at least this many reading connections have been registered.
    pub(crate) async fn until_opened(&self, count: u64) {
        let reached = async {
            while self.hub.figures().connections_opened < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, reached)
            .await
            .expect("the connections in time");
    }

    /// Asks the server to end. It goes on until `ended`.
    pub(crate) fn ask_to_end(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            shutdown.send(()).expect("the server runs");
        }
    }

    /// Waits until the server has ended.
    pub(crate) async fn ended(self) {
        let ended = timeout(PATIENCE, self.server).await;
        ended
            .expect("ended in time")
            .expect("the server did not panic");
    }
}
