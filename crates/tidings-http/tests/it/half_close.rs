//! Clients that close their half of the connection, or all of it.

use crate::client::Request;
use crate::sinks::{Sink, for_each_sink};
use crate::world::World;

for_each_sink!(n3_a_half_closed_stream_is_gone, n1_a_dropped_stream_is_gone);

fn stream(sink: Sink) -> Request {
    let request = Request::get("/v1/stream?topics=project/1");
    request.bearer("reader").through(sink)
}

async fn n3_a_half_closed_stream_is_gone(sink: Sink) {
    let world = World::start().await;
    let mut stream = world.stream(stream(sink)).await;
    world.until_opened(1).await;
    stream.finish_sending().await;
    stream.until_end().await;
    world.until_connections(0).await;
    assert_eq!(world.figure("tidings_hub_sockets").await, 0);
}

#[tokio::test]
async fn n3_a_half_closed_long_poll_is_gone() {
    let world = World::start().await;
    let mut socket = tokio::net::TcpStream::connect(world.address)
        .await
        .expect("connects");
    let poll = Request::get("/v1/events?topics=project/1&wait=55s").bearer("reader");
    tokio::io::AsyncWriteExt::write_all(&mut socket, &poll.to_bytes())
        .await
        .expect("sent");
    world.until_opened(1).await;
    tokio::io::AsyncWriteExt::shutdown(&mut socket)
        .await
        .expect("half-closed");
    world.until_connections(0).await;
}

async fn n1_a_dropped_stream_is_gone(sink: Sink) {
    let world = World::start().await;
    for _ in 0..50 {
        let stream = world.stream(stream(sink)).await;
        drop(stream);
    }
    world.until_opened(50).await;
    world.until_connections(0).await;
    assert_eq!(world.figure("tidings_hub_sockets").await, 0);
}
