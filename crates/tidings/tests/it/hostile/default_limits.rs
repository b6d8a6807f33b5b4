//! M2: a hub as it comes: how many readers there may be of one identity and of one address, what those
//! beyond are told, and that nobody else has to do with it.

use std::net::Ipv4Addr;

use serde_json::Value;
use tempfile::tempdir;
use tidings_core::limits::{CONNECTIONS_PER_ADDRESS_DEFAULT, CONNECTIONS_PER_IDENTITY_DEFAULT};

use super::reader::{Reader, USUAL, Wish};
use super::{data, raise_descriptors};
use crate::running::Hub;

const CROWDED_ADDRESS: Option<Ipv4Addr> = Some(Ipv4Addr::new(127, 0, 0, 2));
const OTHER_ADDRESS: Option<Ipv4Addr> = Some(Ipv4Addr::new(127, 0, 0, 3));

fn ask(hub: &Hub, user: &str, from: Option<Ipv4Addr>) -> Reader {
    let wish = Wish {
        user,
        from,
        ..USUAL
    };
    Reader::ask(hub.address, "m2", "now", wish)
}

fn admitted(hub: &Hub, user: &str, from: Option<Ipv4Addr>) -> Reader {
    let mut reader = ask(hub, user, from);
    reader.until("tidings.hello");
    reader
}

fn refused(hub: &Hub, user: &str, from: Option<Ipv4Addr>, limit: usize) {
    let before = hub.figure("tidings_hub_connections_refused_total");
    let mut reader = ask(hub, user, from);
    reader.until("\r\n\r\n");
    reader.until("}");
    let text = String::from_utf8_lossy(&reader.text);
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 429 "), "{text}");
    let wait = head
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "));
    let wait: u64 = wait.expect("a time").parse().expect("seconds");
    assert!(wait >= 1, "{text}");
    let problem: Value = serde_json::from_str(body).expect("a problem");
    assert_eq!(problem["code"], "too_many_connections");
    assert_eq!(problem["limit"], limit);
    let after = hub.figure("tidings_hub_connections_refused_total");
    assert_eq!(after, before + 1);
}

#[test]
fn m2_a_hub_as_it_comes_limits_identities_and_addresses_and_harms_nobody_else() {
    let (per_identity, per_address) = (
        CONNECTIONS_PER_IDENTITY_DEFAULT,
        CONNECTIONS_PER_ADDRESS_DEFAULT,
    );
    // What this asks for more than this does not belong to the limits.
    assert_eq!((per_identity, per_address), (100, 1_024));
    let descriptors = raise_descriptors();
    assert!(descriptors > per_address + 300, "have {descriptors}");
    let directory = tempdir().expect("a directory");
    let hub = Hub::start(directory.path(), &[]);

    let one = "one-with-many-tabs";
    let mut readers: Vec<Reader> = (0..per_identity)
        .map(|_| admitted(&hub, one, CROWDED_ADDRESS))
        .collect();
    refused(&hub, one, CROWDED_ADDRESS, per_identity);
    refused(&hub, one, OTHER_ADDRESS, per_identity);

    // Others of the same address are let in, until the address is full.
    let others = (per_identity..per_address).map(|number| {
        let user = format!("user-{}", number / per_identity);
        admitted(&hub, &user, CROWDED_ADDRESS)
    });
    readers.extend(others);
    refused(&hub, "another", CROWDED_ADDRESS, per_address);
    readers.push(admitted(&hub, "another", OTHER_ADDRESS));

    // All who were let in are served, and whoever does not stay needs no place.
    assert_eq!(
        hub.figure("tidings_hub_connections"),
        1 + per_address as u64
    );
    assert_eq!(hub.figure("tidings_hub_connections_refused_total"), 3);
    hub.publish("m2", [data(1, 10)]);
    for reader in &mut readers {
        reader.until("\"data\":\"1:");
    }

    // A place that becomes free is free.
    drop(readers.swap_remove(0));
    hub.until_figure("tidings_hub_connections", per_address as u64);
    readers.push(admitted(&hub, one, CROWDED_ADDRESS));
    refused(&hub, "another", CROWDED_ADDRESS, per_address);
}
