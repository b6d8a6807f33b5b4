//! Topics: a broadcast channel each, and the newest events for readers that come back.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast::{self, Receiver, Sender};

/// An event.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) data: Arc<str>,
}

/// All topics.
#[derive(Debug)]
pub(crate) struct Topics {
    history: usize,
    channel: usize,
    all: Mutex<HashMap<String, Arc<Topic>>>,
}

/// One topic.
#[derive(Debug)]
pub(crate) struct Topic {
    history: usize,
    sender: Sender<Message>,
    recent: Mutex<VecDeque<Message>>,
}

impl Topics {
    pub(crate) fn new(history: usize, channel: usize) -> Self {
        Self {
            history,
            channel,
            all: Mutex::default(),
        }
    }

    /// The topic of a name, new if there is none.
    pub(crate) fn topic(&self, name: &str) -> Arc<Topic> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = all.get(name) {
            return topic.clone();
        }
        let topic = Arc::new(Topic {
            history: self.history,
            sender: broadcast::channel(self.channel).0,
            recent: Mutex::default(),
        });
        all.insert(name.to_owned(), topic.clone());
        topic
    }
}

impl Topic {
    pub(crate) fn publish(&self, data: String) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let message = Message {
            id: recent.back().map_or(0, |last| last.id) + 1,
            data: data.into(),
        };
        if recent.len() == self.history {
            recent.pop_front();
        }
        recent.push_back(message.clone());
        // Nobody may be listening.
        let _readers = self.sender.send(message);
    }

    /// What a reader has missed since an id, and everything from now on.
    pub(crate) fn subscribe(&self, after: Option<u64>) -> (Vec<Message>, Receiver<Message>) {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = after.map_or_else(Vec::new, |after| {
            recent
                .iter()
                .filter(|message| message.id > after)
                .cloned()
                .collect()
        });
        (missed, self.sender.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_returning_reader_gets_what_is_left_and_then_what_comes() {
        let topics = Topics::new(3, 8);
        let topic = topics.topic("a");
        for text in ["1", "2", "3", "4"] {
            topic.publish(text.to_owned());
        }
        let (missed, mut live) = topics.topic("a").subscribe(Some(1));
        let ids: Vec<u64> = missed.iter().map(|message| message.id).collect();
        assert_eq!(ids, [2, 3, 4]);
        topic.publish("5".to_owned());
        assert_eq!(live.try_recv().map(|message| message.id), Ok(5));
        assert!(topics.topic("a").subscribe(None).0.is_empty());
        assert!(topics.topic("b").subscribe(Some(0)).0.is_empty());
    }
}
