//! Tickets: what they stand for, for how long, for whom, and that they are used once.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use futures_util::FutureExt;
use tempfile::{TempDir, tempdir};
use tidings_auth::limits::{TICKET_CONTENT_BYTES_MAX, TICKET_LIFETIME_MS};
use tidings_auth::provider::{Proven, Provider};
use tidings_auth::reading::NotForReading;
use tidings_auth::store::LocalStore;
use tidings_auth::ticket::{Ticket, TicketError, TicketRequest, Tickets};
use tidings_core::audience::Role;
use tidings_core::credential::Serves;
use tidings_core::grant::Grants;
use tidings_core::identity::Identity;
use tidings_core::limits::PATTERNS_PER_CONNECTION_MAX;
use tidings_core::pattern::Pattern;
use tidings_core::port::{AuthFailure, Presented, Purpose, StoreError};
use tidings_core::time::Timestamp;

use crate::person::{NOW, after, patterns, person};

const PAGE: &[u8] = b"https://example.org";

fn office() -> (TempDir, Tickets) {
    let directory = tempdir().expect("a directory");
    let store = LocalStore::open(directory.path()).expect("nothing there");
    (directory, Tickets::new(Arc::new(store)))
}

fn issue(
    office: &Tickets,
    identity: &Identity,
    request: TicketRequest,
) -> Result<Ticket, TicketError> {
    let issued = office.issue(identity, request, NOW).now_or_never();
    issued.expect("the store is at hand")
}

fn present(ticket: &str, now: Timestamp) -> Presented<'_> {
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Presented {
        ticket: Some(ticket),
        ..Presented::nothing(Purpose::Read, peer, now)
    }
}

fn prove(office: &Tickets, presented: Presented<'_>) -> Result<Option<Proven>, AuthFailure> {
    let proof = office.prove(presented).now_or_never();
    proof.expect("the store is at hand")
}

fn asking(texts: &[&str]) -> TicketRequest {
    TicketRequest {
        patterns: Some(patterns(texts)),
        ..TicketRequest::default()
    }
}

#[test]
fn a_ticket_stands_for_what_its_owner_may_read_and_for_nothing_else() {
    let (_directory, office) = office();
    let ticket = issue(&office, &person(), TicketRequest::default()).expect("issued");
    assert_eq!(ticket.expires_at, after(TICKET_LIFETIME_MS));
    let proven = prove(&office, present(ticket.expose(), NOW));
    let proven = proven.expect("good").expect("a ticket");
    let person = person();
    assert_eq!(proven.subject, person.subject);
    assert_eq!(proven.roles, person.roles);
    let grants = Grants {
        subscribe: person.grants.subscribe,
        hear_everyone: true,
        ..Grants::default()
    };
    assert_eq!(proven.grants, grants);
    assert_eq!(proven.expires_at, person.expires_at);
    assert_eq!(proven.credential.id, person.credential.id);
    assert_eq!(proven.credential.issued_at, person.credential.issued_at);
    assert_eq!(proven.credential.serves, Serves::Reading);
    assert!(proven.is_final && !proven.credential.is_ambient);
}

#[test]
fn a11_a_ticket_is_good_once_and_not_a_millisecond_too_long() {
    let (_directory, office) = office();
    let issue = || issue(&office, &person(), TicketRequest::default()).expect("issued");
    let outcome = |ticket: &str, now| prove(&office, present(ticket, now)).map(|_| ());
    let (used, last, late) = (issue(), issue(), issue());
    assert_eq!(outcome(used.expose(), NOW), Ok(()));
    let end = after(TICKET_LIFETIME_MS);
    assert_eq!(outcome(last.expose(), Timestamp(end.0 - 1)), Ok(()));
    for (ticket, now) in [(&used, NOW), (&late, end), (&late, NOW)] {
        assert_eq!(outcome(ticket.expose(), now), Err(AuthFailure::Unknown));
    }
    let canonical = issue();
    let never = "A".repeat(43);
    let other_spelling = format!("{}=", canonical.expose());
    for text in ["", "x", never.as_str(), &other_spelling, "é"] {
        assert_eq!(outcome(text, NOW), Err(AuthFailure::Unknown), "{text}");
    }
    assert_eq!(
        prove(
            &office,
            Presented {
                ticket: None,
                ..present("", NOW)
            }
        ),
        Ok(None)
    );
}

#[test]
fn a11_a_restart_forgets_tickets() {
    let directory = tempdir().expect("a directory");
    let open = || {
        let store = LocalStore::open(directory.path()).expect("readable");
        Tickets::new(Arc::new(store))
    };
    let ticket = issue(&open(), &person(), TicketRequest::default()).expect("issued");
    let refused = prove(&open(), present(ticket.expose(), NOW));
    assert_eq!(refused, Err(AuthFailure::Unknown));
}

#[test]
fn a_ticket_that_is_sent_to_the_wrong_place_is_not_used_up() {
    let (_directory, office) = office();
    let ticket = issue(&office, &person(), TicketRequest::default()).expect("issued");
    let wrong = Presented {
        purpose: Purpose::Act,
        ..present(ticket.expose(), NOW)
    };
    let refused = prove(&office, wrong).expect_err("refused");
    assert!(matches!(refused, AuthFailure::NotForThis(_)), "{refused}");
    assert!(prove(&office, present(ticket.expose(), NOW)).is_ok());
}

#[test]
fn a_ticket_of_a_page_is_for_that_page() {
    let (_directory, office) = office();
    let bound = || {
        let origin = std::str::from_utf8(PAGE).expect("ASCII").to_owned();
        let request = TicketRequest {
            origin: Some(origin),
            ..TicketRequest::default()
        };
        issue(&office, &person(), request).expect("issued")
    };
    let redeem = |headers: &[(&str, &[u8])]| {
        let ticket = bound();
        let presented = Presented {
            headers,
            ..present(ticket.expose(), NOW)
        };
        prove(&office, presented).map(|_| ())
    };
    assert_eq!(redeem(&[("origin", PAGE)]), Ok(()));
    for headers in [
        &[][..],
        &[("origin", b"https://example.org.evil".as_slice())],
        &[("origin", b"null".as_slice())],
        &[("origin", PAGE), ("origin", PAGE)],
        &[("referer", PAGE)],
    ] {
        assert_eq!(redeem(headers), Err(AuthFailure::Unknown), "{headers:?}");
    }
}

#[test]
fn a_ticket_is_narrowed_to_what_is_asked_for_and_never_widened() {
    let (_directory, office) = office();
    let granted = |texts: &[&str]| -> Vec<Pattern> {
        let ticket = issue(&office, &person(), asking(texts)).expect("issued");
        let proven = prove(&office, present(ticket.expose(), NOW));
        proven.expect("good").expect("a ticket").grants.subscribe
    };
    assert_eq!(granted(&["a/1", "b/2/**"]), patterns(&["a/1", "b/2/**"]));
    assert_eq!(granted(&["**"]), patterns(&["a/*", "b/**"]));
    assert_eq!(granted(&["a/1", "a/*", "c"]), patterns(&["a/*"]));
    assert_eq!(granted(&[]), []);
    let refused = issue(&office, &person(), asking(&["c/*", "a"])).expect_err("refused");
    assert!(refused.to_string().contains("`c/*`, `a`"), "{refused}");
    let many = |count| issue(&office, &person(), asking(&vec!["a/1"; count]));
    many(PATTERNS_PER_CONNECTION_MAX).expect("as many as a connection");
    let refused = many(PATTERNS_PER_CONNECTION_MAX + 1).expect_err("too many");
    let expected = NotForReading::TooManyPatterns(PATTERNS_PER_CONNECTION_MAX + 1);
    assert!(matches!(refused, TicketError::NotForReading(found) if found == expected));
}

#[test]
fn a_ticket_ends_with_the_credential_behind_it_and_so_does_one_for_a_stream_token() {
    let (_directory, office) = office();
    let mut identity = person();
    identity.expires_at = Some(after(500));
    for serves in [Serves::Anything, Serves::Reading] {
        identity.credential.serves = serves;
        let ticket = issue(&office, &identity, TicketRequest::default()).expect("issued");
        assert_eq!(ticket.expires_at, after(500));
        let proven = prove(&office, present(ticket.expose(), after(499)));
        let proven = proven.expect("good").expect("a ticket");
        assert_eq!(proven.expires_at, Some(after(500)), "what it opens ends");
        assert_eq!(proven.credential.serves, Serves::Reading);
    }
    identity.expires_at = Some(NOW);
    let refused = issue(&office, &identity, TicketRequest::default()).expect_err("ended");
    let ended = NotForReading::Ended;
    assert!(matches!(refused, TicketError::NotForReading(found) if found == ended));
}

#[test]
fn nobody_gets_a_ticket_for_what_nobody_may_read() {
    let (_directory, office) = office();
    let nobody = Identity {
        subject: None,
        expires_at: None,
        roles: Vec::new(),
        credential: tidings_core::credential::Credential::default(),
        ..person()
    };
    let ticket = issue(&office, &nobody, asking(&["a/1"])).expect("issued");
    let proven = prove(&office, present(ticket.expose(), NOW));
    let proven = proven.expect("good").expect("a ticket");
    assert_eq!((proven.subject, proven.expires_at), (None, None));
    assert_eq!(proven.grants.subscribe, patterns(&["a/1"]));
}

#[test]
fn what_a_ticket_stands_for_is_limited() {
    let (_directory, office) = office();
    let with_roles = |count: usize| {
        let mut identity = person();
        let role = |number| Role::parse(&format!("{number:0128}")).expect("a role");
        identity.roles = (0..count).map(role).collect();
        issue(&office, &identity, TicketRequest::default()).map(|_| ())
    };
    with_roles(64).expect("as many as an identity has");
    let refused = with_roles(TICKET_CONTENT_BYTES_MAX / 128).expect_err("too many");
    assert!(matches!(refused, TicketError::TooLarge), "{refused}");
}

#[test]
fn a_store_that_is_full_or_away_is_said_to_be() {
    let refused = TicketError::from(StoreError::Full {
        what: "tickets",
        max: 5,
    });
    assert!(
        refused.to_string().contains("at most 5 tickets"),
        "{refused}"
    );
}

#[test]
fn a12_no_ticket_shows() {
    let (_directory, office) = office();
    let ticket = issue(&office, &person(), TicketRequest::default()).expect("issued");
    let shown = format!("{ticket:?} {ticket:#?} {office:?}");
    assert!(shown.contains("Ticket"), "{shown}");
    assert!(!shown.contains(ticket.expose()), "{shown}");
    let presented = present(ticket.expose(), after(TICKET_LIFETIME_MS));
    let refused = prove(&office, presented).expect_err("ended");
    let shown = format!("{refused} {refused:?} {presented:?}");
    assert!(!shown.contains(ticket.expose()), "{shown}");
}
