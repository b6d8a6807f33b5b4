//! `tidings serve`: how it starts, how it refuses to, and how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use tempfile::tempdir;

use crate::program::run;
use crate::running::Hub;

#[test]
fn an_address_in_use_is_refused_with_a_way_out_and_touches_nothing() {
    let directory = tempdir().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let ran = run(
        directory.path(),
        &[],
        &["serve", "--dev", "--listen", &address],
    );
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    let expected = format!("error: cannot listen on `{address}`: ");
    assert!(ran.err.starts_with(&expected), "{}", ran.err);
    assert!(
        ran.err.contains("hint: is a hub running already?"),
        "{}",
        ran.err
    );
    assert!(!directory.path().join("tidings-data/log").exists());
}

#[test]
fn what_is_no_address_is_answered_with_one() {
    let directory = tempdir().expect("a directory");
    let ran = run(directory.path(), &[], &["serve", "--listen", "localhost"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("such as `127.0.0.1:7878`"), "{}", ran.err);
}

#[test]
fn a_data_directory_that_cannot_be_made_is_answered_with_the_flag_for_another() {
    let directory = tempdir().expect("a directory");
    fs::write(directory.path().join("file"), "").expect("a file");
    let arguments = ["serve", "--dev", "--data-dir", "file/data"];
    let ran = run(directory.path(), &[], &arguments);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("with `--data-dir`"), "{}", ran.err);
    assert!(!ran.err.contains("chmod"), "{}", ran.err);
}

#[test]
fn a_log_that_cannot_be_made_is_told_once_and_with_a_way_out() {
    let directory = tempdir().expect("a directory");
    fs::create_dir(directory.path().join("tidings-data")).expect("a directory");
    fs::write(directory.path().join("tidings-data/log"), "").expect("a file");
    let arguments = ["serve", "--dev", "--listen", "127.0.0.1:0"];
    let ran = run(directory.path(), &[], &arguments);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.err.matches("os error").count(), 1, "{}", ran.err);
    assert!(ran.err.contains("hint: this user must"), "{}", ran.err);
}

#[test]
fn d15_a_second_hub_on_the_same_data_is_refused() {
    let directory = tempdir().expect("a directory");
    let first = Hub::start(directory.path(), &[]);
    let arguments = ["serve", "--dev", "--listen", "127.0.0.1:0"];
    let ran = run(directory.path(), &[], &arguments);
    assert_eq!(ran.code, Some(1));
    let expected = "error: the log is in use by another process: ";
    assert!(ran.err.starts_with(expected), "{}", ran.err);
    assert!(ran.err.contains("hint: stop the other one"), "{}", ran.err);
    let status = request(first.address, "GET /healthz");
    assert_eq!(status, "HTTP/1.1 200 OK", "the first one goes on");
}

#[test]
fn a_second_signal_ends_a_hub_that_is_still_saying_goodbye() {
    let directory = tempdir().expect("a directory");
    // The reader would be asked to leave within an hour.
    let settings = [
        ("TIDINGS_DRAIN_SPREAD", "1h"),
        ("TIDINGS_DRAIN_GRACE", "1h"),
    ];
    let hub = Hub::start(directory.path(), &settings);
    let mut reader = BufReader::new(TcpStream::connect(hub.address).expect("the hub listens"));
    let open = format!(
        "GET /v1/stream?userId=me HTTP/1.1\r\nhost: {}\r\n\r\n",
        hub.address
    );
    reader.get_mut().write_all(open.as_bytes()).expect("sent");
    let hello = reader.by_ref().lines().find(|line| {
        let line = line.as_ref().expect("UTF-8");
        line == "event: tidings.hello"
    });
    assert!(hello.is_some(), "the stream is open");

    hub.signal("INT");
    hub.log_until("draining");
    hub.signal("INT");
    hub.log_until("told to stop again");
    assert_eq!(hub.end().code(), Some(0));
}

/// The status line of an answer.
fn request(address: SocketAddr, line: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("the hub listens");
    let head = format!("{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    connection.write_all(head.as_bytes()).expect("sent");
    let mut status = String::new();
    BufReader::new(connection)
        .read_line(&mut status)
        .expect("an answer");
    status.trim_end().to_owned()
}
