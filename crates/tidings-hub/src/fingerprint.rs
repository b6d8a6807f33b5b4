//! Fingerprints of publishes, by which the log recognises a repeat.

use sha2::{Digest, Sha256};
use tidings_core::audience::Subject;
use tidings_core::event::{Content, DedupeKey};

/// The fingerprints of an event, if its publisher gave it an id. Stored in the log, so their input
/// never changes within a format version.
pub(crate) fn fingerprint(publisher: &Subject, content: &Content) -> Option<DedupeKey> {
    let id = content.id.as_ref()?;
    let mut name = Sha256::new();
    for part in [publisher.as_str(), &content.source, id.as_str()] {
        update(&mut name, part.as_bytes());
    }
    let mut all = Sha256::new();
    update(&mut all, content.event_type.as_str().as_bytes());
    update(&mut all, content.priority.as_str().as_bytes());
    for key in content.audience.keys() {
        update(&mut all, key.to_string().as_bytes());
    }
    update(&mut all, b"");
    update(&mut all, &content.data);
    update(&mut all, &content.metadata);
    Some(DedupeKey {
        publisher_id: half(name),
        content: half(all),
    })
}

/// Each part with its length before it, so that no two lists of parts hash alike.
fn update(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

fn half(hash: Sha256) -> [u8; 16] {
    let digest = hash.finalize();
    let mut half = [0; 16];
    half.iter_mut()
        .zip(digest.iter())
        .for_each(|(to, from)| *to = *from);
    half
}
