//! Journals of revocations: nothing that was written is lost unnoticed, wherever the file breaks off.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tidings_auth::store::LocalStore;
use tidings_core::port::SharedStore as _;
use tidings_core::revocation::{Revocations, Revoked};

/// Input: where the file breaks off, then `=` and its bytes, or lines that are to be sealed as the
/// journal does it.
pub fn auth_journal(data: &[u8]) {
    let [cut, rest @ ..] = data else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(raw) = rest.strip_prefix(b"=") {
        let first = open(folder.path(), raw);
        assert_eq!(first, open(folder.path(), raw), "it was only read");
        return;
    }
    let Ok(text) = str::from_utf8(rest) else {
        return;
    };
    let mut whole = seal(r#"{"tidings":"revocations","version":1}"#).into_bytes();
    let mut ends = vec![0, whole.len()];
    for line in text.lines().filter(|line| line.ends_with('}')) {
        whole.extend_from_slice(seal(line).as_bytes());
        ends.push(whole.len());
    }
    let all = open(folder.path(), &whole);
    if let Some(all) = &all {
        for revocation in all.iter() {
            let name = revocation.what.to_string();
            assert_eq!(Revoked::parse(&name), Ok(revocation.what.clone()));
        }
    }
    // The last line without its end was never answered; all before it count.
    let at = usize::from(*cut) * (whole.len() + 1) / 256;
    let end = ends.iter().rev().find(|end| **end <= at);
    let before = open(folder.path(), &whole[..*end.unwrap_or(&0)]);
    assert_eq!(open(folder.path(), &whole[..at]), before, "cut at {at}");
    // And a line that is not what was written is never passed over.
    if let Some(byte) = whole.get(at).copied()
        && byte != b'\n'
        && byte != b'x'
    {
        let mut changed = whole.clone();
        changed[at] = b'x';
        let found = open(folder.path(), &changed);
        assert!(found.is_none(), "a changed byte at {at} was not noticed");
    }
}

/// What a store finds in a data directory with this journal; none if it refuses it.
fn open(data_dir: &Path, bytes: &[u8]) -> Option<Arc<Revocations>> {
    let folder = data_dir.join("auth");
    if !folder.exists() {
        let made = DirBuilder::new().mode(0o700).create(&folder);
        made.expect("a folder");
    }
    let path = folder.join("revocations.jsonl");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = file.open(&path).expect("a file");
    file.write_all(bytes).expect("written");
    drop(file);
    let found = LocalStore::open(data_dir);
    assert_eq!(fs::read(&path).expect("readable"), bytes, "it was changed");
    found.ok().map(|store| store.revocations())
}

/// A line with the check sum of its text in place of its last brace.
fn seal(json: &str) -> String {
    let inside = &json[..json.len() - 1];
    let digest: [u8; 32] = Sha256::digest(inside).into();
    let sum = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    format!("{inside},\"sum\":\"{sum:08x}\"}}\n")
}
