//! M2: how many readers there may be in all, of one identity and of one address, and how many may
//! come at once.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;

use crate::client::{Answer, PATIENCE, Request, Stream};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

for_each_sink!(
    m2_too_many_readers_of_one_address_are_refused_and_another_gets_in,
    m2_too_many_readers_of_one_identity_are_refused_and_another_gets_in,
    m2_too_many_readers_of_the_hub_are_refused,
);

const TARGET: &str = "/v1/stream?topics=project/1";

fn of(token: &str, sink: Sink) -> Request {
    Request::get(TARGET).bearer(token).through(sink)
}

/// Opens a stream from an address of this machine.
async fn from(world: &World, address: [u8; 4], request: Request) -> Stream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let local = SocketAddr::from((Ipv4Addr::from(address), 0));
    socket.bind(local).expect("an address of this machine");
    let mut socket = socket.connect(world.address).await.expect("connects");
    socket.write_all(&request.to_bytes()).await.expect("sent");
    Stream::read_head(socket).await
}

async fn assert_refusal(world: &World, answer: &Answer, name: &str, limit: u64) {
    let (status, code) = match name {
        "connections" => (503, "at_capacity"),
        _ => (429, "too_many_connections"),
    };
    assert_eq!((answer.status, answer.code().as_str()), (status, code));
    let problem = answer.json();
    assert_eq!(problem["limit"], limit);
    let retry_after_ms = problem["retryAfterMs"].as_u64().expect("a time");
    let seconds = retry_after_ms.div_ceil(1_000).to_string();
    assert_eq!(answer.header("retry-after"), Some(seconds.as_str()));
    let policy = format!("\"{name}\";q={limit};qu=\"concurrent-requests\"");
    assert_eq!(answer.all("ratelimit-policy"), policy);
    assert_eq!(answer.all("ratelimit"), format!("\"{name}\";r=0"));
    let series = format!("tidings_http_rate_limited_total{{limit=\"{name}\"}}");
    assert!(world.labelled(&series).await > 0, "{series}");
    assert!(problem["hint"].is_string());
}

async fn m2_too_many_readers_of_one_address_are_refused_and_another_gets_in(sink: Sink) {
    let world = World::start_with(Wish {
        connections_per_address: 2,
        ..Wish::default()
    })
    .await;
    let first = world.stream(of("reader", sink)).await;
    let second = world.stream(of("writer", sink)).await;
    assert_eq!((first.head.status, second.head.status), (200, 200));
    // Whoever asks: the address is full, also for a page that waits.
    let page = Request::get("/v1/events?topics=project/1&wait=30s").bearer("writer");
    for request in [of("reader", sink), of("brief", sink), page] {
        let answer = world.send(request).await;
        assert_refusal(&world, &answer, "connections_per_address", 2).await;
    }
    let elsewhere = from(&world, [127, 0, 0, 2], of("reader", sink)).await;
    assert_eq!(elsewhere.head.status, 200);
    // Publishing takes no place.
    world.publish("project/1", 1).await;
    drop(first);
    world.until_connections(2).await;
    assert_eq!(world.stream(of("reader", sink)).await.head.status, 200);
}

async fn m2_too_many_readers_of_one_identity_are_refused_and_another_gets_in(sink: Sink) {
    let world = World::start_with(Wish {
        connections_per_identity: 1,
        ..Wish::default()
    })
    .await;
    let first = world.stream(of("reader", sink)).await;
    assert_eq!(first.head.status, 200);
    let answer = world.send(of("reader", sink)).await;
    assert_refusal(&world, &answer, "connections_per_identity", 1).await;
    let elsewhere = from(&world, [127, 0, 0, 2], of("reader", sink)).await;
    assert_eq!(elsewhere.head.status, 429, "an identity is one everywhere");
    let other = world.stream(of("writer", sink)).await;
    assert_eq!(other.head.status, 200);
    drop(first);
    world.until_connections(1).await;
    assert_eq!(world.stream(of("reader", sink)).await.head.status, 200);
}

async fn m2_too_many_readers_of_the_hub_are_refused(sink: Sink) {
    let world = World::start_with(Wish {
        readers_max: 1,
        ..Wish::default()
    })
    .await;
    let first = world.stream(of("reader", sink)).await;
    assert_eq!(first.head.status, 200);
    let answer = world.send(of("writer", sink)).await;
    assert_refusal(&world, &answer, "connections", 1).await;
    let elsewhere = from(&world, [127, 0, 0, 2], of("writer", sink)).await;
    assert_eq!(elsewhere.head.status, 503);
    drop(first);
    world.until_connections(0).await;
    assert_eq!(world.stream(of("writer", sink)).await.head.status, 200);
}

#[tokio::test]
async fn m2_a_herd_waits_for_its_accepts_and_not_for_retries_of_the_network() {
    let world = World::start().await;
    // Nothing is accepted while this thread is here, so this fails where there is no room.
    let herd = (0..500).map(|_| {
        std::net::TcpStream::connect_timeout(&world.address, PATIENCE).expect("room to wait")
    });
    let herd: Vec<_> = herd.collect();
    assert_eq!(world.send(Request::get("/healthz")).await.status, 200);
    drop(herd);
}
