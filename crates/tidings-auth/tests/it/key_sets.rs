//! Published key sets (A7, A8), fetched from a real server on a clock that the test moves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tidings_auth::fetch::{Fetch, FetchError, FetchFuture, FetchMethod, FetchRequest};
use tidings_auth::issuer::Keys;
use tidings_auth::jwt::Algorithm;
use tidings_auth::limits::{
    KEY_SET_BYTES_MAX, KEY_SET_FETCH_INTERVAL_MS, KEY_SET_FETCH_MS_MAX, KEY_SET_FRESH_MS,
    KEY_SET_KEYS_MAX, KEY_SET_REFRESH_MS, KEY_SET_STALE_MS_MAX,
};
use tidings_core::port::{AuthFailure, KeyStanding};

use crate::key_server::{Answer, KeyServer};
use crate::signer::{Signer, key_set};
use crate::world::{World, claims, policy, published};

const ES: [Algorithm; 2] = [Algorithm::EdDsa, Algorithm::Es256];

fn signer(id: &str) -> Signer {
    Signer::new(Algorithm::EdDsa, id)
}

fn world(server: &KeyServer) -> World {
    World::online(vec![published(&server.url(), &ES)])
}

async fn passes(world: &World, signer: &Signer) -> bool {
    match world.verify(&signer.token(&claims())).await {
        Ok(_) => true,
        Err(AuthFailure::NotTrusted) => false,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn keys_are_fetched_when_a_token_needs_them_and_then_kept() {
    let (one, two) = (signer("k1"), Signer::new(Algorithm::Es256, "k2"));
    let server = KeyServer::new(&key_set(&[&one, &two]));
    let world = world(&server);
    assert_eq!(server.requests(), 0);
    for _ in 0..100 {
        assert!(passes(&world, &one).await);
        assert!(passes(&world, &two).await);
    }
    assert_eq!(server.requests(), 1);
    let head = server.heads().remove(0);
    assert!(head.starts_with("get /keys http/1.1\r\n"), "{head}");
    assert!(head.contains("accept: application/json\r\n"), "{head}");
    for leak in ["authorization", "cookie", "referer"] {
        assert!(!head.contains(leak), "{head}");
    }
}

/// Keeps what it is asked for, and answers with nothing.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<FetchRequest>>);

impl Fetch for Recorder {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        self.0.lock().expect("unpoisoned").push(request);
        Box::pin(async { Err(FetchError::Unreachable("nobody is there".to_owned())) })
    }
}

#[tokio::test]
async fn a8_a_fetch_is_bounded_in_time_and_size() {
    let recorder = Arc::new(Recorder::default());
    let fetch: Arc<dyn Fetch> = Arc::<Recorder>::clone(&recorder);
    let policy = published("https://issuer.example/keys", &ES);
    let world = World::with_fetch(vec![policy], &fetch, Arc::default()).expect("a good policy");
    let refused = world.verify(&signer("k1").token(&claims())).await;
    assert_eq!(refused, Err(AuthFailure::Unavailable));
    let requests = recorder.0.lock().expect("unpoisoned");
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].address.as_str(), "https://issuer.example/keys");
    assert_eq!(requests[0].method, FetchMethod::Get);
    assert_eq!(
        requests[0].timeout,
        Duration::from_millis(KEY_SET_FETCH_MS_MAX)
    );
    assert_eq!(requests[0].body_bytes_max, KEY_SET_BYTES_MAX);
}

#[tokio::test]
async fn a7_many_requests_at_once_share_one_fetch() {
    let signer = signer("k1");
    let server = KeyServer::new(&key_set(&[&signer]));
    let world = world(&server);
    let token = signer.token(&claims());
    let all = join_all((0..200).map(|_| world.verify(&token))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a7_random_key_names_bring_one_fetch_in_30_seconds() {
    let (good, attacker) = (signer("k1"), signer("attacker"));
    let server = KeyServer::new(&key_set(&[&good]));
    let world = world(&server);
    assert!(passes(&world, &good).await);
    let base = attacker.token(&claims());
    let (message, signature) = base.rsplit_once('.').expect("three parts");
    let payload = message.split_once('.').expect("two parts").1;
    let flood = async |from: usize| {
        for n in from..from + 10_000 {
            let header = json!({"alg": "EdDSA", "kid": format!("random-{n}")}).to_string();
            let token = format!("{}.{payload}.{signature}", crate::forge::encode(header));
            assert_eq!(world.verify(&token).await, Err(AuthFailure::NotTrusted));
        }
    };
    flood(0).await;
    assert_eq!(server.requests(), 1, "the first fetch was just now");
    world.clock.advance(KEY_SET_FETCH_INTERVAL_MS);
    flood(10_000).await;
    assert_eq!(server.requests(), 2);
    assert!(passes(&world, &good).await);
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a7_a_request_that_goes_away_takes_no_fetch_with_it() {
    let signer = signer("k1");
    let server = KeyServer::new(&key_set(&[&signer]));
    let world = world(&server);
    let token = signer.token(&claims());
    tokio::select! {
        biased;
        done = world.verify(&token) => panic!("it waits for the fetch: {done:?}"),
        () = std::future::ready(()) => {}
    }
    assert!(passes(&world, &signer).await, "the others get the keys");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a8_a_new_key_counts_at_most_30_seconds_after_its_first_use() {
    let (old, new) = (signer("old"), signer("new"));
    let server = KeyServer::new(&key_set(&[&old]));
    let world = world(&server);
    assert!(passes(&world, &old).await);
    // With overlap: both are published, then the old one goes.
    server.publishes(&key_set(&[&old, &new]));
    assert!(!passes(&world, &new).await, "fetched just now");
    world.clock.advance(KEY_SET_FETCH_INTERVAL_MS - 1);
    assert!(!passes(&world, &new).await);
    world.clock.advance(1);
    assert!(passes(&world, &new).await);
    assert!(passes(&world, &old).await);
    assert_eq!(server.requests(), 2);
    // Without: one replaces the other, even under the same name.
    let newest = signer("new");
    server.publishes(&key_set(&[&newest]));
    world.clock.advance(KEY_SET_FETCH_INTERVAL_MS);
    assert!(passes(&world, &newest).await);
    assert!(!passes(&world, &new).await);
    assert!(!passes(&world, &old).await);
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a8_a_withdrawn_key_counts_at_most_ten_minutes() {
    let (kept, withdrawn) = (signer("kept"), signer("withdrawn"));
    let server = KeyServer::new(&key_set(&[&kept, &withdrawn]));
    let world = world(&server);
    assert!(passes(&world, &withdrawn).await);
    server.publishes(&key_set(&[&kept]));
    world.clock.advance(KEY_SET_REFRESH_MS - 1);
    assert!(passes(&world, &withdrawn).await);
    assert_eq!(server.requests(), 1);
    world
        .clock
        .advance(KEY_SET_FRESH_MS - KEY_SET_REFRESH_MS + 1);
    assert!(
        !passes(&world, &withdrawn).await,
        "asked again before it counts"
    );
    assert!(passes(&world, &kept).await);
    assert_eq!(server.requests(), 2);
    // An issuer that publishes nothing has withdrawn everything.
    server.publishes(&key_set(&[]));
    world.clock.advance(KEY_SET_FRESH_MS);
    assert!(!passes(&world, &kept).await);
}

#[tokio::test]
async fn a8_a_ripe_set_is_renewed_while_nobody_waits() {
    let signer = signer("k1");
    let server = KeyServer::new(&key_set(&[&signer]));
    let world = world(&server);
    assert!(passes(&world, &signer).await);
    world.clock.advance(KEY_SET_REFRESH_MS);
    server.answers(Answer::Stalled);
    let token = signer.token(&claims());
    let at_once = futures_util::FutureExt::now_or_never(world.verify(&token));
    at_once
        .expect("nobody waits")
        .expect("the known key counts");
    while server.requests() < 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a8_known_keys_count_for_a_day_while_their_issuer_is_down() {
    let (known, unknown) = (signer("k1"), signer("k2"));
    let server = KeyServer::new(&key_set(&[&known]));
    let world = world(&server);
    let standing = || world.issuers.published_keys()[0].standing;
    assert_eq!(standing(), KeyStanding::Unasked);
    assert!(passes(&world, &known).await);
    assert_eq!(standing(), KeyStanding::Known);
    let mut asked = 1;
    for down in [
        Answer::Down,
        Answer::Plain(500, key_set(&[&unknown])),
        Answer::Plain(200, "<html>".to_owned()),
    ] {
        server.answers(down);
        world.clock.advance(KEY_SET_FRESH_MS);
        // Not known, and not to be found out.
        let refused = world.verify(&unknown.token(&claims())).await;
        assert_eq!(refused, Err(AuthFailure::Unavailable));
        asked += 1;
        assert_eq!(server.requests(), asked, "it was down when it was asked");
        assert_eq!(standing(), KeyStanding::Old);
        assert!(passes(&world, &known).await);
    }
    world
        .clock
        .advance(KEY_SET_STALE_MS_MAX - 3 * KEY_SET_FRESH_MS - 1);
    assert!(passes(&world, &known).await);
    world.clock.advance(1 + KEY_SET_FETCH_INTERVAL_MS);
    let ended = world.verify(&known.token(&claims())).await;
    assert_eq!(ended, Err(AuthFailure::Unavailable), "a day is over");
    assert_eq!(standing(), KeyStanding::Missing);
    server.publishes(&key_set(&[&known, &unknown]));
    world.clock.advance(KEY_SET_FETCH_INTERVAL_MS);
    assert!(passes(&world, &known).await);
    assert!(passes(&world, &unknown).await);
}

#[tokio::test]
async fn a8_an_issuer_that_was_never_reached_proves_nobody() {
    let signer = signer("k1");
    let server = KeyServer::new("");
    server.answers(Answer::Down);
    let world = world(&server);
    for _ in 0..10 {
        let refused = world.verify(&signer.token(&claims())).await;
        assert_eq!(refused, Err(AuthFailure::Unavailable));
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a8_sets_that_are_too_large_or_lie_elsewhere_are_not_read() {
    let signer = signer("k1");
    let elsewhere = KeyServer::new(&key_set(&[&signer]));
    let key = signer.json_key();
    let many = |count: usize| {
        let mut keys = vec![json!({"kty": "oct"}); count - 1];
        keys.push(key.clone());
        json!({"keys": keys}).to_string()
    };
    let padded = |bytes: usize| {
        let set = many(1);
        format!("{set}{}", " ".repeat(bytes - set.len()))
    };
    for (answer, is_read) in [
        (Answer::Plain(200, many(KEY_SET_KEYS_MAX)), true),
        (Answer::Plain(200, many(KEY_SET_KEYS_MAX + 1)), false),
        (Answer::Plain(200, many(10_000)), false),
        (Answer::Plain(200, padded(KEY_SET_BYTES_MAX)), true),
        (Answer::Plain(200, padded(KEY_SET_BYTES_MAX + 1)), false),
        (Answer::Endless(10 * 1024 * 1024), false),
        (Answer::Redirect(elsewhere.url()), false),
        (Answer::Redirect("/other".to_owned()), false),
        (
            Answer::Redirect("http://169.254.169.254/latest/meta-data/".to_owned()),
            false,
        ),
        (Answer::Plain(200, "[]".to_owned()), false),
        (Answer::Plain(200, r#"{"keys": {}}"#.to_owned()), false),
        (Answer::Plain(204, String::new()), false),
    ] {
        let server = KeyServer::new("");
        server.answers(answer);
        let verified = world(&server).verify(&signer.token(&claims())).await;
        if is_read {
            verified.expect("read");
        } else {
            assert_eq!(verified, Err(AuthFailure::Unavailable));
        }
        assert_eq!(server.requests(), 1, "the server did its part");
    }
    assert_eq!(elsewhere.requests(), 0);
}

#[tokio::test]
async fn a8_keys_of_a_set_that_must_not_be_used_are_left_out() {
    let (good, bad) = (signer("good"), signer("bad"));
    let with = |name: &str, value: Value| {
        let mut key = bad.json_key();
        key[name] = value;
        key
    };
    let entries = [
        vec![with("d", json!(bad.seed()))],
        vec![with("use", json!("enc"))],
        vec![with("key_ops", json!(["sign"]))],
        vec![with("alg", json!("ES256"))],
        vec![with("alg", json!("HS256"))],
        vec![with("alg", json!(1))],
        vec![with("kid", json!(["bad"]))],
        vec![with("x", json!(crate::forge::encode([0; 32])))],
        vec![with("kty", json!("oct"))],
        vec![json!({"kty": "oct", "kid": "bad", "alg": "HS256", "k": "AAAA"})],
        vec![json!("bad"), json!(null), json!([])],
        // Two of one name: nobody knows which is meant.
        vec![bad.json_key(), signer("bad").json_key()],
        vec![bad.json_key(), bad.json_key()],
    ];
    for mut keys in entries {
        keys.push(good.json_key());
        let shown = json!({"keys": keys}).to_string();
        let server = KeyServer::new(&shown);
        let world = world(&server);
        assert!(passes(&world, &good).await, "{shown}");
        assert!(!passes(&world, &bad).await, "{shown}");
    }
}

#[tokio::test]
async fn a2_a_name_finds_the_key_of_that_name_only() {
    let (one, two) = (signer("k1"), signer("k2"));
    let server = KeyServer::new(&key_set(&[&one, &two]));
    let world = world(&server);
    let of = |kid: Value| one.token_of(&json!({"alg": "EdDSA", "kid": kid}), &claims());
    world.verify(&of(json!("k1"))).await.expect("its own name");
    for kid in ["k2", "", "K1", "k1 ", "k1\u{0}", "../k1", "' OR 1=1 --"] {
        let refused = world.verify(&of(json!(kid))).await;
        assert_eq!(refused, Err(AuthFailure::NotTrusted), "{kid:?}");
    }
    for kid in [json!(["k1"]), json!(1), json!(null), json!("k".repeat(257))] {
        let refused = world.verify(&of(kid)).await;
        assert!(matches!(refused, Err(AuthFailure::Malformed(_))));
    }
    // Without a name, the keys are tried.
    let nameless = one.token_of(&json!({"alg": "EdDSA"}), &claims());
    world.verify(&nameless).await.expect("one of the keys");
}

#[tokio::test]
async fn a2_a_token_without_a_key_name_tries_eight_keys_and_no_more() {
    let signers: Vec<Signer> = (0..9).map(|n| signer(&format!("k{n}"))).collect();
    let set = key_set(&signers.iter().collect::<Vec<_>>());
    let keys = Keys::Static(vec![set]);
    let world = World::new(vec![policy(keys, &[Algorithm::EdDsa])]).expect("a good policy");
    let nameless = |signer: &Signer| signer.token_of(&json!({"alg": "EdDSA"}), &claims());
    world
        .verify(&nameless(&signers[7]))
        .await
        .expect("the last one tried");
    let refused = world.verify(&nameless(&signers[8])).await;
    assert_eq!(refused, Err(AuthFailure::NotTrusted));
    world
        .verify(&signers[8].token(&claims()))
        .await
        .expect("by its name");
}

#[tokio::test]
async fn issuers_that_follow_others_know_their_keys_and_only_of_the_same_address() {
    let signer = signer("k1");
    let servers = [(); 2].map(|()| KeyServer::new(&key_set(&[&signer])));
    let before = world(&servers[0]);
    assert!(passes(&before, &signer).await);
    // The issuer is down when the settings are read again.
    servers[0].answers(Answer::Down);
    let same = world(&servers[0]).following(&before);
    assert!(passes(&same, &signer).await);
    assert_eq!(servers[0].requests(), 1, "nothing was fetched again");

    let elsewhere = world(&servers[1]).following(&before);
    assert!(passes(&elsewhere, &signer).await);
    assert_eq!(servers[1].requests(), 1);
    let other_algorithms = published(&servers[0].url(), &ES[..1]);
    let read_otherwise = World::online(vec![other_algorithms]).following(&before);
    let refused = read_otherwise.verify(&signer.token(&claims())).await;
    assert_eq!(refused, Err(AuthFailure::Unavailable));
}
