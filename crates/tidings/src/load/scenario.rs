//! What a load does: one file for each kind of question.

mod bundled;
mod delivery;
mod herd;
mod idle;
mod restart;
mod slow;
mod storm;

use clap::ValueEnum;
use serde::Serialize;

use super::{Load, LoadError, Report};

/// A question to a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scenario {
    /// Readers of one topic: how many deliveries, how late.
    Broadcast,
    /// A topic for each reader, events spread over all of them.
    Unicast,
    /// Several topics with several readers each.
    Topics,
    /// Readers that hold a stream and get nothing: what a connection costs.
    Idle,
    /// Readers leave, events are published, all readers come back at once for them.
    Herd,
    /// Some readers stop reading: what the others notice, and whether anything is lost.
    Slow,
    /// The hub is told to end (`--server-pid`), and whoever watches over it starts it again: how its
    /// readers leave and come back.
    Restart,
    /// Readers connect only to leave again: connections per second.
    Storm,
    /// A process of readers that a load has started; not for people.
    #[value(hide = true)]
    Worker,
}

pub(super) fn run(load: &Load) -> Result<Report, LoadError> {
    match load.scenario {
        Scenario::Broadcast | Scenario::Unicast | Scenario::Topics | Scenario::Worker => {
            delivery::run(load)
        }
        Scenario::Idle if load.http2 => bundled::run(load),
        Scenario::Idle => idle::run(load),
        Scenario::Herd => herd::run(load),
        Scenario::Restart => restart::run(load),
        Scenario::Slow => slow::run(load),
        Scenario::Storm => storm::run(load),
    }
}
