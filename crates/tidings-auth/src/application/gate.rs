//! How many questions are asked at a time, and whether any is.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tidings_core::port::Clock;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::breaker::{Admitted, Breaker, Patience};
use crate::limits::ASK_WAITING_MAX;

/// Lets questions through, a few at a time.
#[derive(Debug)]
pub(super) struct Gate {
    breaker: Mutex<Breaker>,
    /// Those that ask or wait for their turn.
    inside: Semaphore,
    /// Those that ask.
    asking: Semaphore,
}

/// Leave to ask one question. Says what became of it, or that nobody waited for that.
pub(super) struct Leave<'a> {
    gate: &'a Gate,
    clock: &'a dyn Clock,
    admitted: Option<Admitted>,
    _asking: SemaphorePermit<'a>,
    _inside: SemaphorePermit<'a>,
}

impl Gate {
    /// A gate for so many at a time.
    pub(super) fn new(asking: usize, patience: Patience) -> Self {
        Self {
            breaker: Mutex::new(Breaker::new(patience)),
            inside: Semaphore::new(asking + ASK_WAITING_MAX),
            asking: Semaphore::new(asking),
        }
    }

    /// Waits for its turn. None if the application does not answer, or does not keep up.
    pub(super) async fn enter<'a>(&'a self, clock: &'a dyn Clock) -> Option<Leave<'a>> {
        if self.breaker().refuses(clock.moment()) {
            return None;
        }
        let inside = self.inside.try_acquire().ok()?;
        let asking = self.asking.acquire().await.ok()?;
        // Those before it may have found out that nobody answers.
        let admitted = self.breaker().admit(clock.moment())?;
        Some(Leave {
            gate: self,
            clock,
            admitted: Some(admitted),
            _asking: asking,
            _inside: inside,
        })
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // No step of the machine can panic half way.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Leave<'_> {
    /// The application has answered, whatever it said.
    pub(super) fn answered(mut self) {
        if let Some(admitted) = self.admitted.take() {
            self.gate.breaker().on_answer(admitted);
        }
    }

    /// It has not.
    pub(super) fn failed(mut self) {
        if let Some(admitted) = self.admitted.take() {
            let now = self.clock.moment();
            self.gate.breaker().on_failure(admitted, now);
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if let Some(admitted) = self.admitted.take() {
            let now = self.clock.moment();
            self.gate.breaker().on_abandoned(admitted, now);
        }
    }
}
