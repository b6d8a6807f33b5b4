//! What an idle stream holds in memory: its slot, its places in selectors, and nothing that writing
//! needed.

use std::io;
use std::net::Ipv4Addr;

use bytes::Bytes;
use tidings_core::audience::Subject;
use tidings_core::coding::Coding;
use tidings_core::credential::{Credential, CredentialId};
use tidings_core::time::Timestamp;

use super::stand::{NOW, Stand, Visitor};

/// As many as the figure to reach is given for.
const STREAMS: usize = 15_000;

/// Bytes that one of many streams holds, with all that it makes others hold.
fn bytes_per_stream(identities: usize, topics: usize) -> usize {
    let mut stand = Stand::<io::Sink>::new();
    let counted = allocation_counter::measure(|| {
        for stream in 0..STREAMS {
            // Each stream comes with names of its own, as parsed from its request.
            let user = format!("user-{}", stream % identities);
            let topic = format!("bench/topic-{}", stream % topics);
            let visitor = Visitor {
                subject: Subject::parse(&user).expect("a subject"),
                credential: credential(stream),
                address: Ipv4Addr::LOCALHOST.into(),
                patterns: &[topic.as_str(), &format!("@user/{user}"), "@all"],
                coding: Coding::Identity,
                expires_at: Some(Timestamp(2_000_000_000)),
            };
            stand.open(&visitor, |sink, place| {
                sink.attach_stream(io::sink(), Bytes::new(), place);
            });
            while stand.shard.turn(NOW) {}
        }
    });
    usize::try_from(counted.bytes_current).expect("more is held than before") / STREAMS
}

/// A token of its own for each stream.
fn credential(stream: usize) -> Credential {
    let id = format!("token:main:token-{stream}");
    Credential {
        id: Some(CredentialId::parse(&id).expect("a name")),
        issued_at: Some(Timestamp(900_000_000)),
        ..Credential::default()
    }
}

#[test]
fn m1_an_idle_stream_is_a_few_hundred_bytes() {
    let shared = bytes_per_stream(1_000, 1_000);
    assert!(shared <= 310, "{shared} bytes");
    let alone = bytes_per_stream(STREAMS, STREAMS);
    assert!(
        alone <= 1_200,
        "{alone} bytes for streams that share nothing"
    );
}
