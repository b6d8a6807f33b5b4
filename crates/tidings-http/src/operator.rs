//! What an operator sees and does: connections, and how the hub is. One file per kind of thing.

pub(crate) mod census;
pub(crate) mod connections;
pub(crate) mod health;
pub(crate) mod minute;
pub(crate) mod monitor;
pub(crate) mod subscription;

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

use crate::app::App;
use census::LatestCensus;
use health::LatestHealth;
use minute::{Minute, Past, Totals};

/// What is kept of what an operator is told.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    minute: Minute,
    census: LatestCensus,
    health: LatestHealth,
    answers: AtomicU64,
    failures: AtomicU64,
}

impl Observed {
    /// Counts an answer, and whether it was a refusal for want of room or a failure.
    pub(crate) fn count(&self, status: StatusCode) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes what has happened so far, from which the last minute is told.
    pub(crate) fn note(&self, app: &App) {
        self.minute.note(app.clock().moment(), self.totals(app));
    }

    /// What has happened in the last minute.
    fn past(&self, app: &App) -> Past {
        self.minute.past(app.clock().moment(), self.totals(app))
    }

    fn totals(&self, app: &App) -> Totals {
        let figures = app.hub().figures();
        Totals {
            opened: figures.connections_opened,
            closed: figures.connections_closed,
            published: figures.events_published,
            delivered: figures.events_delivered,
            answers: self.answers.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }
}
