//! The fences that clippy keeps: a crate's own `clippy.toml` replaces the root's, so that each must
//! repeat the shared bans; and the pure crates must ban clock, disk, network and threads.

use super::finding::Finding;
use super::tree::Tree;

const ROOT: &str = "clippy.toml";
const PURE: [&str; 2] = [
    "crates/tidings-core/clippy.toml",
    "crates/tidings-wire/clippy.toml",
];

/// What a pure crate bans at least.
const PURE_BANS: [&str; 11] = [
    "std::time::Instant::now",
    "std::time::SystemTime::now",
    "std::thread::sleep",
    "std::thread::spawn",
    "std::env::var",
    "std::fs::File::open",
    "std::fs::read",
    "std::fs::write",
    "std::net::TcpListener::bind",
    "std::net::TcpStream::connect",
    "std::net::UdpSocket::bind",
];

const ROOT_HINT: &str = "keep the shared bans in `clippy.toml` of the root";
const REPEAT_HINT: &str =
    "copy the row from the root's `clippy.toml`: clippy does not merge the two";
const PURE_HINT: &str = "ban it with its reason, as the other pure crate does";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let shared = tree
        .source(ROOT)
        .map(|source| bans(&source.text))
        .unwrap_or_default();
    if shared.is_empty() {
        return vec![Finding::at(ROOT, 0, "there are no shared bans", ROOT_HINT)];
    }
    let own = |path: &str| path != ROOT && path.ends_with("/clippy.toml");
    let mut findings: Vec<Finding> = tree
        .sources
        .iter()
        .filter(|source| own(&source.path))
        .flat_map(|source| missing(&source.path, &source.text, &shared, REPEAT_HINT))
        .collect();
    for path in PURE {
        let text = tree.source(path).map_or("", |source| source.text.as_str());
        findings.extend(missing(path, text, &PURE_BANS, PURE_HINT));
    }
    findings
}

fn missing(path: &str, text: &str, wanted: &[&str], hint: &'static str) -> Vec<Finding> {
    let banned = bans(text);
    wanted
        .iter()
        .filter(|ban| !banned.contains(ban))
        .map(|ban| Finding::at(path, 0, format!("`{ban}` is not banned"), hint))
        .collect()
}

/// The paths that a `clippy.toml` bans.
fn bans(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once("path = \"")?.1.split('"').next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(bans: &[&str]) -> String {
        let row = |ban: &&str| format!("  {{ path = \"{ban}\", reason = \"x\" }},\n");
        bans.iter().map(row).collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_fence_repeats_the_shared_bans() {
        let shared = fence(&["a::b"]);
        let pure = format!("{shared}{}", fence(&PURE_BANS));
        let whole = [(ROOT, shared.as_str()), (PURE[0], &pure), (PURE[1], &pure)];
        assert_eq!(find(&Tree::of(&whole)), []);

        let other = [whole[0], whole[1], whole[2], ("crates/x/clippy.toml", "")];
        assert_eq!(find(&Tree::of(&other)).len(), 1);
    }

    #[test]
    fn a_missing_fence_is_found() {
        assert_eq!(find(&Tree::of(&[])).len(), 1);
        let shared = fence(&["a::b"]);
        assert_eq!(
            find(&Tree::of(&[(ROOT, &shared)])).len(),
            2 * PURE_BANS.len()
        );
    }
}
