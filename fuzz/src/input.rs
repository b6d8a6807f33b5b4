//! Inputs taken apart: texts with one part per line, and edits of a text that only the run knows.

/// The first lines of an input, and all the rest as the last part; none if it is no text or has fewer.
pub(crate) fn lines<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    let text = str::from_utf8(data).ok()?;
    let parts: Vec<&str> = text.splitn(N, '\n').collect();
    parts.try_into().ok()
}

/// A text with edits: each is three bytes, what to do (replace, insert, remove, cut off), where, and with
/// which byte. So a fuzzer gets near a random secret that stands in no seed.
pub(crate) fn edited(text: &str, edits: &[u8]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits.chunks_exact(3) {
        let &[what, place, byte] = edit else { break };
        // Nothing above ASCII: the result has to be a text.
        let byte = byte & 0x7f;
        let at = usize::from(place) * (bytes.len() + 1) / 256;
        match what % 4 {
            0 if at < bytes.len() => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            2 if at < bytes.len() => {
                bytes.remove(at);
            }
            3 => bytes.truncate(at),
            _ => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
