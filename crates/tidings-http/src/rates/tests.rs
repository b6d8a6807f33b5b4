//! Tickets of one identity, and who spends what.

#[path = "../../tests/it/counting_store.rs"]
mod counting_store;

use std::sync::atomic::{AtomicU64, Ordering};

use tidings_auth::chain::Chain;
use tidings_auth::rules::Rules;
use tidings_auth::secret::Secret;
use tidings_auth::stream_token::StreamTokens;
use tidings_auth::ticket::Tickets;
use tidings_core::credential::Credential;
use tidings_core::grant::Grants;
use tidings_core::port::Clock;
use tidings_core::position::Epoch;
use tidings_hub::{Hub, Options, Ports};
use tidings_log::memory::{MemoryLog, MemoryOptions};
use tidings_wire::coding::BlockCoder;
use tidings_wire::sse::WireEncoder;

use super::*;
use crate::access::Access;
use crate::settings::Settings;
use counting_store::CountingStore;

#[derive(Debug, Default)]
struct SetClock(AtomicU64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn moment(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

struct Fixture {
    app: App,
    store: Arc<CountingStore>,
    clock: Arc<SetClock>,
}

fn fixture() -> Fixture {
    let clock = Arc::new(SetClock::default());
    let as_clock: Arc<dyn Clock> = clock.clone();
    let epoch = Epoch::from_bits(7);
    let log = MemoryLog::open(MemoryOptions::default(), as_clock.clone(), epoch);
    let ports = Ports {
        sequencer: Arc::new(log.clone()),
        store: Arc::new(log),
        encoder: Arc::new(WireEncoder),
        coder: Arc::new(BlockCoder::default()),
        clock: as_clock.clone(),
    };
    let hub = Hub::start(&Options::default(), ports).expect("the hub starts");
    let store = Arc::new(CountingStore::default());
    let shared: Arc<dyn SharedStore> = store.clone();
    let chain = Chain::new(Vec::new(), Rules::default(), Arc::clone(&shared));
    let secret = Secret::from("a secret of tests, and of nothing else");
    let access = Access {
        authenticator: Arc::new(chain),
        tickets: Tickets::new(Arc::clone(&shared)),
        tokens: Arc::new(StreamTokens::new(&[secret]).expect("a good secret")),
        store: shared,
    };
    let app = App::new(hub, access, as_clock, Settings::default());
    Fixture { app, store, clock }
}

fn identity(subject: &str) -> Identity {
    Identity {
        subject: Subject::parse(subject).ok(),
        roles: Vec::new(),
        grants: Grants::default(),
        expires_at: None,
        method: "test",
        credential: Credential::default(),
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().expect(text)
}

#[tokio::test]
async fn a24_an_identity_gets_so_many_tickets_a_minute_wherever_it_is() {
    let fixture = fixture();
    let (here, there) = (address("192.0.2.1"), address("192.0.2.2"));
    let alice = identity("alice");
    for (number, from) in [here, there].into_iter().cycle().take(120).enumerate() {
        let told = count_ticket(&fixture.app, &alice, from).await;
        let told = told.expect("allowed").expect("limited");
        assert_eq!(told.spent.remaining as usize, 119 - number);
    }
    let refused = count_ticket(&fixture.app, &alice, here).await;
    let problem = refused.expect_err("used up").problem;
    assert_eq!(problem.code(), Code::RateLimited);
    assert_eq!(problem.retry_after_ms(), Some(500));
    assert!(
        count_ticket(&fixture.app, &identity("bob"), here)
            .await
            .is_ok()
    );
    let mut given = 0;
    for _ in 0..600 {
        fixture.clock.0.fetch_add(100, Ordering::SeqCst);
        given += u32::from(count_ticket(&fixture.app, &alice, here).await.is_ok());
    }
    assert_eq!(given, 120, "in the next minute");
}

#[tokio::test]
async fn there_is_no_ticket_that_cannot_be_counted() {
    let fixture = fixture();
    fixture.store.set_down(true);
    let refused = count_ticket(&fixture.app, &identity("alice"), address("::1")).await;
    let problem = refused.expect_err("not counted").problem;
    assert_eq!(problem.code(), Code::AuthUnavailable);
    assert_eq!((fixture.store.asked(), fixture.store.failed()), (1, 1));
}

#[test]
fn a17_no_subject_spends_what_an_address_has() {
    let client = address("2001:db8::5");
    let nobody = identity("");
    assert_eq!(nobody.subject, None);
    let network = Spender::of(&nobody, client).to_string();
    assert_eq!(network, "address:2001:db8::");
    let spellings = [
        network.as_str(),
        "2001:db8::",
        "subject:x",
        "x",
        "address:x",
    ];
    let subjects = spellings.map(|text| Spender::of(&identity(text), client).to_string());
    for (index, one) in subjects.iter().enumerate() {
        assert!(
            *one != network && !subjects[index + 1..].contains(one),
            "{one}"
        );
    }
}
