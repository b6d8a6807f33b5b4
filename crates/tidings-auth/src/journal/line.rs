//! Lines of a journal: JSON objects that end with the check sum of their own text.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{JournalError, Kind};

/// `,"sum":"5f0c11d2"}`, without which a line is the object that was given.
const SEAL_BYTES: usize = 18;

/// One whole line.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// Which one, from 1.
    pub number: u64,
    /// The text of a JSON object, as it was given.
    pub json: String,
}

/// The line of a JSON object, with its end.
pub(super) fn seal(json: &str) -> String {
    let inside = json.strip_suffix('}').unwrap_or(json);
    let mut line = String::with_capacity(inside.len() + SEAL_BYTES + 1);
    line.push_str(inside);
    line.push_str(",\"sum\":\"");
    for byte in check_sum(inside) {
        // Writing to a string cannot fail.
        let _infallible = write!(line, "{byte:02x}");
    }
    line.push_str("\"}\n");
    line
}

fn check_sum(inside: &str) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::digest(inside.as_bytes()).into();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// The object of a line without its end, if it is as it was written.
fn unseal(line: &str) -> Option<String> {
    let inside = line.get(..line.len().checked_sub(SEAL_BYTES)?)?;
    let json = format!("{inside}}}");
    (seal(&json).strip_suffix('\n') == Some(line)).then_some(json)
}

/// The first line of a journal.
pub(super) fn header(kind: Kind) -> String {
    let Kind { name, version } = kind;
    seal(&format!(r#"{{"tidings":"{name}","version":{version}}}"#))
}

/// The lines of a text of whole lines, of which `before` come earlier in the file. The first line of
/// a file is checked and left out.
pub(super) fn read(
    text: &[u8],
    before: u64,
    path: &Path,
    kind: Kind,
) -> Result<Vec<Line>, JournalError> {
    let mut lines = Vec::new();
    let whole = text.strip_suffix(b"\n");
    let pieces = whole.map(|text| text.split(|byte| *byte == b'\n'));
    for (piece, number) in pieces.into_iter().flatten().zip(before + 1..) {
        let damaged = |problem| JournalError::Damaged {
            path: path.to_owned(),
            line: number,
            problem,
        };
        let text = std::str::from_utf8(piece).map_err(|_| damaged("is not text"))?;
        if number == 1 {
            check_version(text, path, kind)?;
        }
        let json = unseal(text).ok_or_else(|| damaged("is not what was written"))?;
        if number == 1 {
            if seal(&json) != header(kind) {
                return Err(damaged("says that the file holds something else"));
            }
        } else {
            lines.push(Line { number, json });
        }
    }
    Ok(lines)
}

/// Later versions may end their lines otherwise, so this is read before anything else.
fn check_version(text: &str, path: &Path, kind: Kind) -> Result<(), JournalError> {
    let header: Option<Value> = serde_json::from_str(text).ok();
    let found = header.and_then(|header| header.get("version")?.as_u64());
    match found {
        Some(found) if found > u64::from(kind.version) => Err(JournalError::Newer {
            path: path.to_owned(),
            found,
            known: kind.version,
        }),
        _ => Ok(()),
    }
}

impl std::fmt::Debug for Line {
    /// A line may hold what lets somebody in.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
