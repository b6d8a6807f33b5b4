//! Tests bind and connect to ports that the system gave them, so that any number of them can run at
//! once on any machine.

use super::finding::Finding;
use super::tree::Tree;

/// Words of a line that opens or reaches a socket. A port elsewhere is text: an origin, a setting.
const SOCKETS: [&str; 6] = [
    "bind(",
    "connect(",
    "--listen",
    "TcpListener",
    "TcpStream",
    "SocketAddr",
];

const HOSTS: [&str; 6] = [
    "127.0.0.1:",
    "localhost:",
    "0.0.0.0:",
    "[::1]:",
    "[::]:",
    "127.0.0.1\", ",
];

/// Nothing serves below this port, so that a test may rely on a refusal there.
const REFUSED_PORTS: u32 = 10;

const HINT: &str = "bind to port 0 and read the port back";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.code() {
        for (number, line) in source.test_lines() {
            let socket = SOCKETS.iter().any(|word| line.raw.contains(word));
            if let Some(port) = port_in(&line.raw).filter(|_| socket) {
                let problem = format!("a test uses a fixed port: {port}");
                findings.push(Finding::at(&source.path, number, problem, HINT));
            }
        }
    }
    findings
}

fn port_in(text: &str) -> Option<u32> {
    HOSTS.into_iter().find_map(|host| {
        let (_, tail) = text.split_once(host)?;
        let digits = tail
            .split(|character: char| !character.is_ascii_digit())
            .next()?;
        digits.parse().ok().filter(|port| *port >= REFUSED_PORTS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> bool {
        !find(&Tree::of(&[("crates/a/tests/it/b.rs", line)])).is_empty()
    }

    #[test]
    fn a_fixed_port_of_a_socket_is_found() {
        // The port is put in later, so that these lines are not found by their own rule.
        let port = 8080;
        assert!(found(&format!("TcpListener::bind(\"127.0.0.1:{port}\")")));
        assert!(found(&format!("connect((\"127.0.0.1\", {port}))")));
        assert!(found(&format!("args([\"--listen\", \"[::1]:{port}\"])")));
    }

    #[test]
    fn the_systems_choice_and_plain_text_are_fine() {
        assert!(!found("TcpListener::bind(\"127.0.0.1:0\")"));
        assert!(!found("connect(\"127.0.0.1:1\")"));
        assert!(!found("let origin = \"http://localhost:5173\";"));
    }
}
