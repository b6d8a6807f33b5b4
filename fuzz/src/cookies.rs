//! Session cookies in parts: however a good one is cut, and whatever happens to the parts.

use std::sync::LazyLock;

use tidings_auth::limits::SESSION_CHUNKS_MAX;
use tidings_core::audience::Subject;

use crate::session::present;
use crate::world::{sessions, text};

/// A good cookie of Auth.js 5: its name and its value.
static COOKIE: LazyLock<(String, String)> = LazyLock::new(|| {
    let fixtures = sessions();
    let cookie = |pointer: &str| text(&fixtures, pointer).to_owned();
    (
        cookie("/valid/0/cookies/0/0"),
        cookie("/valid/0/cookies/0/1"),
    )
});

/// Input: what happens to the parts, how they are shuffled, then where the value is cut.
pub fn cookie_chunks(data: &[u8]) {
    let [fate, order, cuts @ ..] = data else {
        return;
    };
    let (name, value) = &*COOKIE;
    let mut cuts: Vec<usize> = cuts
        .iter()
        .map(|cut| 1 + usize::from(*cut) * (value.len() - 1) / 256)
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut parts = Vec::new();
    let mut from = 0;
    for cut in cuts.into_iter().chain([value.len()]) {
        parts.push((
            format!("{name}.{}", parts.len()),
            value[from..cut].to_owned(),
        ));
        from = cut;
    }
    let count = parts.len();
    let other = usize::from(*fate / 8) % count;
    let is_whole = match *fate % 8 {
        0 => {
            parts.remove(other);
            false
        }
        1 => {
            parts.push(parts[other].clone());
            false
        }
        2 => {
            parts.push((name.clone(), value.clone()));
            false
        }
        3 => {
            parts[other].1.push('A');
            false
        }
        4 => {
            // Another number: a gap, or two of one number.
            parts[other].0 = format!("{name}.{}", (other + 1) % (count + 1));
            false
        }
        5 => {
            // What stands beside it does not count, and neither does what is being removed.
            parts.push((format!("{name}.x"), "A".to_owned()));
            parts.push((format!("{name}.{count}"), String::new()));
            parts.push((name.clone(), String::new()));
            count < SESSION_CHUNKS_MAX
        }
        6 => {
            parts[other].1.clear();
            false
        }
        _ => true,
    };
    let turn = usize::from(*order) % parts.len().max(1);
    parts.rotate_left(turn);
    if order % 2 == 1 {
        parts.reverse();
    }
    let cookies: Vec<(&str, &str)> = parts
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let proven = present(&cookies);
    let is_accepted = matches!(&proven, Ok(Some(_)));
    assert_eq!(
        is_accepted,
        is_whole && count <= SESSION_CHUNKS_MAX,
        "{cookies:?}"
    );
    if let Ok(Some(proven)) = proven {
        assert_eq!(proven.subject.as_ref().map(Subject::as_str), Some("u1"));
    }
}
