//! A23 on the wire: whose address counts behind proxies, and whose claims are ignored.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tidings_http::ForwardedHeader;

use crate::client::Request;
use crate::world::{Wish, World};

const STREAM: &str = "/v1/stream?topics=project/1";

async fn behind(proxies: &[&str], header: ForwardedHeader) -> World {
    let networks = proxies.iter();
    let networks = networks.map(|text| tidings_http::network(text).expect(text));
    World::start_with(Wish {
        connections_per_address: 1,
        trusted_proxies: networks.collect(),
        forwarded_header: header,
        ..Wish::default()
    })
    .await
}

/// Whether a stream with these headers counts for the same address as one whose client is this.
async fn counts_as(world: &World, lines: &[(&str, &str)], client: (&str, &str)) -> bool {
    let open = async |lines: &[(&str, &str)]| {
        let mut request = Request::get(STREAM).bearer("reader");
        for (name, value) in lines {
            request = request.header(name, value);
        }
        world.stream(request).await
    };
    let first = open(&[client]).await;
    assert_eq!(first.head.status, 200);
    let second = open(lines).await;
    let is_same = second.head.status == 429;
    drop((first, second));
    world.until_connections(0).await;
    is_same
}

#[tokio::test]
async fn a23_only_trusted_hops_are_counted_and_from_the_right() {
    let world = behind(
        &["127.0.0.0/8", "10.0.0.0/8"],
        ForwardedHeader::XForwardedFor,
    )
    .await;
    let hops = vec!["10.0.0.1"; 1_000].join(",");
    let client = ("x-forwarded-for", "192.0.2.1");
    for (lines, expected) in [
        (vec![("x-forwarded-for", "192.0.2.1")], true),
        (vec![("x-forwarded-for", "9.9.9.9, 192.0.2.1")], true),
        (
            vec![
                ("x-forwarded-for", "9.9.9.9"),
                ("X-Forwarded-For", "192.0.2.1:443, 10.1.1.1"),
            ],
            true,
        ),
        (vec![("x-forwarded-for", "::ffff:192.0.2.1")], true),
        (vec![("x-forwarded-for", "[::ffff:192.0.2.1]:443")], true),
        (vec![("x-forwarded-for", "192.0.2.1, 9.9.9.9")], false),
        (vec![("x-forwarded-for", "192.0.2.1, unknown")], false),
        (vec![("x-forwarded-for", hops.as_str())], false),
        (vec![("forwarded", "for=192.0.2.1")], false),
        (vec![("x-real-ip", "192.0.2.1")], false),
        (vec![], false),
    ] {
        let counts = counts_as(&world, &lines, client).await;
        let shown: Vec<String> = lines.iter().map(|line| format!("{line:.60?}")).collect();
        assert_eq!(counts, expected, "{shown:?}");
    }
}

#[tokio::test]
async fn a23_forwarded_is_read_where_it_is_what_the_proxies_write() {
    let world = behind(&["127.0.0.1"], ForwardedHeader::Forwarded).await;
    let client = ("forwarded", "for=\"[2001:db8::1]:4711\"");
    for (line, expected) in [
        (
            (
                "forwarded",
                "for=9.9.9.9, For=\"[2001:db8::2]\";proto=https",
            ),
            true,
        ),
        (("forwarded", "for=\"[2001:db8:0:1::1]\""), false),
        (("x-forwarded-for", "2001:db8::1"), false),
    ] {
        assert_eq!(
            counts_as(&world, &[line], client).await,
            expected,
            "{line:?}"
        );
    }
}

#[tokio::test]
async fn a23_nobody_else_is_believed() {
    for proxies in [&[][..], &["192.0.2.0/24"][..]] {
        let world = behind(proxies, ForwardedHeader::XForwardedFor).await;
        let first = ("x-forwarded-for", "192.0.2.1");
        let second = [("x-forwarded-for", "192.0.2.2")];
        assert!(counts_as(&world, &second, first).await, "it is one peer");
    }
}

/// Keeps what this thread logs at the level of warnings.
#[derive(Debug, Clone, Default)]
struct Warnings(Arc<Mutex<Vec<u8>>>);

impl Write for Warnings {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Warnings {
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().expect("the log"));
        String::from_utf8(bytes).expect("text")
    }
}

#[tokio::test]
async fn a23_a_proxy_that_is_not_trusted_is_logged_once_in_a_while_with_the_setting() {
    let warnings = Warnings::default();
    let writer = warnings.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let ask = async |world: &World, line: Option<(&str, &str)>| {
        let request = Request::get("/healthz");
        let request = match line {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        assert_eq!(world.send(request).await.status, 200);
    };
    let header = ForwardedHeader::XForwardedFor;
    let world = behind(&[], header).await;
    for line in [
        None,
        Some(("x-real-ip", "192.0.2.1")),
        Some(("via", "1.1 p")),
    ] {
        ask(&world, line).await;
    }
    assert_eq!(warnings.take(), "", "nobody says for whom");
    for number in 0..5 {
        let name = ["x-forwarded-for", "Forwarded"][number % 2];
        ask(&world, Some((name, "for=canary.9"))).await;
    }
    let said = warnings.take();
    assert_eq!(said.matches("WARN").count(), 1, "{said}");
    assert!(said.contains("list it in `http.trusted_proxies`"), "{said}");
    assert!(
        said.contains("peer=127.0.0.1") && !said.contains("canary"),
        "{said}"
    );
    world.advance(10 * 60 * 1_000);
    ask(&world, Some(("forwarded", "for=192.0.2.1"))).await;
    let said = warnings.take();
    assert!(said.contains("suppressed=4"), "{said}");

    let trusting = behind(&["10.0.0.0/8"], header).await;
    ask(&trusting, Some(("x-forwarded-for", "192.0.2.1"))).await;
    assert_eq!(warnings.take(), "", "somebody has thought of it");
}

#[tokio::test]
async fn a23_the_preface_of_a_proxy_protocol_is_no_request() {
    let world = behind(&["192.0.2.0/24"], ForwardedHeader::XForwardedFor).await;
    let request = "GET /healthz HTTP/1.1\r\nhost: h\r\n\r\n";
    let v1 = format!("PROXY TCP4 192.0.2.9 192.0.2.8 1 2\r\n{request}").into_bytes();
    let mut v2 =
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x09\xc0\0\x02\x08\0\x01\0\x02".to_vec();
    v2.extend_from_slice(request.as_bytes());
    for bytes in [v1, v2] {
        let answer = crate::client::exchange(world.address, &bytes).await;
        let answer = crate::client::Answer::parse(&answer);
        assert_eq!(answer.expect("an answer").status, 400);
    }
}
