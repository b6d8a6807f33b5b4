//! Topics that somebody publishes to and nobody reads: which of them have been told of lately.

use std::collections::HashMap;

use tidings_core::audience::Key;
use tidings_core::time::Moment;

use crate::limits::{UNREAD_TOPIC_PAUSE_MS, UNREAD_TOPICS_MAX};

/// When each topic was told of; those that may be told of again are forgotten when there is no room.
#[derive(Debug, Default)]
pub(super) struct Unread {
    told: HashMap<Key, Moment>,
    suppressed: u64,
}

impl Unread {
    /// Whether to tell of a topic: then, how many lines of whichever topics were not said before.
    pub(super) fn say(&mut self, key: &Key, now: Moment) -> Option<u64> {
        let is_fresh = |told: &Moment| now.ms_since(*told) < UNREAD_TOPIC_PAUSE_MS;
        if let Some(told) = self.told.get_mut(key) {
            if is_fresh(told) {
                self.suppressed += 1;
                return None;
            }
            *told = now;
            return Some(std::mem::take(&mut self.suppressed));
        }
        if self.told.len() >= UNREAD_TOPICS_MAX {
            self.told.retain(|_, told| is_fresh(told));
        }
        if self.told.len() >= UNREAD_TOPICS_MAX {
            self.suppressed += 1;
            return None;
        }
        self.told.insert(key.clone(), now);
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(number: usize) -> Key {
        Key::parse(&format!("t/{number}")).expect("a topic")
    }

    #[test]
    fn a_topic_is_told_of_once_a_second_and_others_meanwhile() {
        let mut unread = Unread::default();
        assert_eq!(unread.say(&topic(1), Moment(0)), Some(0));
        assert_eq!(
            unread.say(&topic(1), Moment(UNREAD_TOPIC_PAUSE_MS - 1)),
            None
        );
        assert_eq!(unread.say(&topic(2), Moment(1)), Some(1));
        assert_eq!(
            unread.say(&topic(1), Moment(UNREAD_TOPIC_PAUSE_MS)),
            Some(0)
        );
    }

    #[test]
    fn so_many_topics_are_remembered_and_the_others_counted() {
        let mut unread = Unread::default();
        for number in 0..UNREAD_TOPICS_MAX {
            assert_eq!(unread.say(&topic(number), Moment(5)), Some(0));
        }
        assert_eq!(unread.say(&topic(UNREAD_TOPICS_MAX), Moment(6)), None);
        assert_eq!(unread.told.len(), UNREAD_TOPICS_MAX);
        let later = Moment(5 + UNREAD_TOPIC_PAUSE_MS);
        assert_eq!(unread.say(&topic(UNREAD_TOPICS_MAX), later), Some(1));
        assert_eq!(unread.told.len(), 1, "the others may be told of again");
    }
}
