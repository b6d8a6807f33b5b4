//! Failing accepts: without descriptors the listener stays readable, and a loop that tried again at
//! once would spin.

use std::io;
use std::time::Duration;

use crate::app::App;
use crate::limits::{ACCEPT_PAUSE_MS_MAX, ACCEPT_PAUSE_MS_MIN};
use crate::seldom::Seldom;

/// How long to wait before the next accept.
#[derive(Debug, Default)]
pub(super) struct AcceptPause {
    last_ms: u64,
    log: Seldom,
}

impl AcceptPause {
    /// An accept succeeded.
    pub(super) fn reset(&mut self) {
        self.last_ms = 0;
    }

    /// Waits as long as this failure asks for, and lets the operator know.
    pub(super) async fn after(&mut self, app: &App, error: &io::Error) {
        app.metrics().accepts_failed.inc();
        let Some(pause) = self.next(error) else {
            return;
        };
        if let Some(suppressed) = self.log.say(app.clock().moment()) {
            tracing::warn!(
                cause = %error, suppressed,
                "connection could not be accepted; raise the limit of open files if it is reached"
            );
        }
        tokio::time::sleep(pause).await;
    }

    /// The pause after a failure: none if it was the peer's, longer each time if it was ours.
    fn next(&mut self, error: &io::Error) -> Option<Duration> {
        if matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::Interrupted
        ) {
            return None;
        }
        self.last_ms = (self.last_ms * 2).clamp(ACCEPT_PAUSE_MS_MIN, ACCEPT_PAUSE_MS_MAX);
        Some(Duration::from_millis(self.last_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d13_accepts_without_descriptors_wait_longer_each_time_up_to_a_second() {
        let mut pause = AcceptPause::default();
        // EMFILE on Linux.
        let no_descriptors = io::Error::from_raw_os_error(24);
        let mut last = Duration::ZERO;
        for _ in 0..20 {
            let next = pause.next(&no_descriptors).expect("a pause");
            assert!(next >= last && next >= Duration::from_millis(ACCEPT_PAUSE_MS_MIN));
            last = next;
        }
        assert_eq!(last, Duration::from_millis(ACCEPT_PAUSE_MS_MAX));
        assert_eq!(pause.next(&io::ErrorKind::ConnectionAborted.into()), None);
        pause.reset();
        assert_eq!(
            pause.next(&no_descriptors),
            Some(Duration::from_millis(ACCEPT_PAUSE_MS_MIN))
        );
    }
}
