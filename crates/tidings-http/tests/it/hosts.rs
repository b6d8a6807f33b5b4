//! A22: by which names the hub is reached, and that a page of another name that leads here is
//! refused.

use tidings_http::HostName;

use crate::client::{Answer, Request, exchange};
use crate::world::{Wish, World};

async fn listing(host: &str) -> World {
    World::start_with(Wish {
        // The figures are asked for by the second.
        hosts: [host, "hub.test"]
            .map(|host| HostName::parse(host).expect("a host"))
            .to_vec(),
        development: true,
        ..Wish::default()
    })
    .await
}

#[tokio::test]
async fn a22_only_a_listed_host_is_answered() {
    let world = listing("Hub.Example:4000").await;
    for host in ["hub.example:4000", "HUB.EXAMPLE:4000", "hub.example.:4000"] {
        let request = Request::get("/v1/events")
            .bearer("reader")
            .header("host", host);
        assert_eq!(world.send(request).await.status, 200, "{host}");
    }
    let mut refused = 0;
    for host in [
        "evil.example",
        "hub.example",
        "127.0.0.1",
        "hub.example:4000.evil.example",
    ] {
        for route in &tidings_http::ROUTES {
            let is_probe = matches!(route.path, "/healthz" | "/readyz");
            let request = Request::new(route.method.as_str(), route.path).bearer("reader");
            let answer = world.send(request.header("host", host)).await;
            if is_probe {
                assert_eq!(answer.status, 200, "{host} {}", route.path);
                continue;
            }
            refused += 1;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (421, "misdirected"),
                "{host} {}",
                route.path
            );
            assert!(!answer.text().contains(host), "{}", answer.text());
        }
    }
    assert_eq!(
        world.labelled("tidings_http_hosts_refused_total").await,
        refused
    );
}

#[tokio::test]
async fn a22_a_preflight_and_the_development_user_of_a_foreign_name_are_refused_too() {
    let world = listing("localhost").await;
    let preflight = Request::new("OPTIONS", "/v1/events").header("host", "evil.example");
    assert_eq!(world.send(preflight).await.status, 421);
    let rebound = Request::get("/v1/events?userId=ann").header("host", "evil.example");
    assert_eq!(world.send(rebound).await.status, 421);
    let local = Request::get("/v1/events?userId=ann").header("host", "localhost");
    assert_eq!(world.send(local).await.status, 200);
}

#[tokio::test]
async fn a22_the_target_and_the_host_must_name_the_same() {
    for world in [World::start().await, listing("hub.test").await] {
        let answered = async |target: &str, host: &str| {
            let text =
                format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            let answer = exchange(world.address, text.as_bytes()).await;
            Answer::parse(&answer).expect("an answer").status
        };
        assert_eq!(
            answered("http://hub.test/openapi.json", "hub.test").await,
            200
        );
        assert_eq!(
            answered("http://HUB.test:80/openapi.json", "hub.test").await,
            200
        );
        assert_eq!(
            answered("http://hub.test/openapi.json", "evil.example").await,
            400
        );
        assert_eq!(
            answered("http://evil.example/openapi.json", "hub.test").await,
            400
        );
    }
}
