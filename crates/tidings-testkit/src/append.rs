//! Appending to a sequencer from a test, with and without waiting for the outcome.

use std::sync::mpsc;
use std::time::Duration;

use tidings_core::event::Draft;
use tidings_core::port::{AppendError, Appended, Sequencer};

use crate::PATIENCE_S;

/// What a sequencer answers.
pub type Outcome = Result<Vec<Appended>, AppendError>;

/// An outcome on its way.
#[derive(Debug)]
pub struct PendingOutcome {
    reply: mpsc::Receiver<Outcome>,
}

impl PendingOutcome {
    /// Waits for the outcome. Panics if the reply is dropped uncalled, or does not come in time.
    pub fn wait(self) -> Outcome {
        self.reply
            .recv_timeout(Duration::from_secs(PATIENCE_S))
            .expect("the reply is called in time")
    }

    /// The outcome if it has come.
    pub fn now(&self) -> Option<Outcome> {
        self.reply.try_recv().ok()
    }
}

/// Hands a group to the sequencer and goes on.
pub fn submit(sequencer: &dyn Sequencer, group: Vec<Draft>) -> PendingOutcome {
    let (sender, reply) = mpsc::sync_channel(1);
    sequencer.append(
        group,
        Box::new(move |outcome| {
            // A test that no longer waits is not the sequencer's concern.
            let _unheard = sender.send(outcome);
        }),
    );
    PendingOutcome { reply }
}

/// Hands a group to the sequencer and waits for the outcome.
pub fn append(sequencer: &dyn Sequencer, group: Vec<Draft>) -> Outcome {
    submit(sequencer, group).wait()
}
