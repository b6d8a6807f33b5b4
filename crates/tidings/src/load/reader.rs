//! One reader of a load.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use serde::Deserialize;
use tidings_client::{Client, Incoming, Reading, RequestError};
use tidings_core::pattern::Pattern;
use tokio::sync::watch;

use super::Stage;
use super::ledger::{Ledger, Probe};

/// The part of an envelope that counts here.
#[derive(Deserialize)]
struct Envelope {
    data: Probe,
}

/// Reads until every accepted event has been seen.
pub(super) async fn read(
    stage: Arc<Stage>,
    client: Client,
    mut expected: watch::Receiver<Option<Vec<u64>>>,
) -> Result<Ledger, RequestError> {
    let mut stream = client.stream(Reading {
        topics: vec![Pattern::exactly(&stage.load.topic)],
        without_audience: true,
        ..Reading::default()
    });
    let mut ledger = Ledger::default();
    let mut greeted = false;
    loop {
        let done = expected
            .borrow()
            .as_ref()
            .is_some_and(|accepted| ledger.has_all(accepted));
        if done {
            return Ok(ledger);
        }
        let incoming = tokio::select! {
            incoming = stream.next() => incoming?,
            // Now it is known how many there are.
            Ok(()) = expected.changed() => continue,
        };
        match incoming {
            None => return Ok(ledger),
            Some(Incoming::Hello(_)) if !greeted => {
                greeted = true;
                stage.open.fetch_add(1, Ordering::Release);
                stage.opened.notify_one();
            }
            Some(Incoming::Gap(_)) => ledger.gaps += 1,
            Some(Incoming::Interrupted { cause, .. }) => {
                let mut setback = stage.setback.lock().unwrap_or_else(PoisonError::into_inner);
                *setback = Some(cause);
            }
            Some(Incoming::Event(event)) => {
                if let Ok(envelope) = serde_json::from_str::<Envelope>(&event.data) {
                    ledger.note(&envelope.data, stage.began.elapsed());
                }
            }
            Some(_) => {}
        }
    }
}
