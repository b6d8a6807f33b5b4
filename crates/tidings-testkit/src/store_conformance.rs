//! The conformance suite of the shared store port: what every `SharedStore` must do.
//!
//! An adapter implements [`StoreUnderTest`] and expands
//! [`store_conformance!`](crate::store_conformance!), one test per duty. The macro is used once in a
//! module. Time is an argument everywhere, so no test waits for a limit or an end.
//!
//! The duties are those in the documentation of [`tidings_core::port::SharedStore`]; a file here is
//! an area of them.

use std::future::Future;
use std::sync::OnceLock;

use tidings_core::port::SharedStore;
use tidings_core::time::Timestamp;
use tokio::runtime::Runtime;

pub mod revocations;
pub mod spending;
pub mod tickets;

/// The time at which every test begins.
const START: Timestamp = Timestamp(1_780_000_000_000);

/// A place where stores keep what they share, for one test alone.
pub trait StoreUnderTest: Sized + Send + Sync {
    /// The adapter.
    type Store: SharedStore + 'static;

    /// A fresh place in which there is nothing.
    fn create() -> Self;

    /// Opens a store over the place, as another process, another node, or the same one after a
    /// restart does.
    fn open(&self) -> Self::Store;

    /// Returns once a store knows what was revoked and lifted by others before.
    fn notice(&self, store: &Self::Store, now: Timestamp);
}

/// This much after the start.
const fn after(ms: u64) -> Timestamp {
    Timestamp(START.0 + ms)
}

/// Waits for what a store answers, on any thread.
fn answer<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| Runtime::new().expect("a runtime"))
        .block_on(future)
}

/// Expands to one test per duty of a store, for a type that implements
/// [`StoreUnderTest`](crate::store_conformance::StoreUnderTest).
#[macro_export]
macro_rules! store_conformance {
    ($store:ty) => {
        $crate::expand_store_conformance! { $store;
            tickets::{
                a_ticket_is_given_out_once,
                a11_of_two_simultaneous_redemptions_exactly_one_succeeds,
                a11_a_ticket_that_ended_a_millisecond_ago_is_refused,
                a_ticket_that_was_never_kept_is_unknown,
                tickets_are_kept_apart,
            }
            spending::{
                a24_what_is_allowed_stays_within_five_percent_of_the_quota,
                all_units_are_there_at_once_and_come_back_steadily,
                what_was_refused_costs_nothing,
                what_is_left_and_how_long_to_wait_is_said_right,
                who_asks_for_nothing_is_told_what_is_left_and_spends_nothing,
                more_than_all_is_never_allowed,
                a17_kinds_and_owners_never_share,
                a24_simultaneous_spending_never_exceeds_the_quota,
            }
            revocations::{
                a_listener_is_told_at_once_and_of_every_change,
                a_revocation_survives_a_restart,
                a_later_revocation_of_the_same_replaces_an_earlier_one,
                what_is_lifted_is_forgotten_for_good,
                others_revocations_are_noticed,
                simultaneous_revocations_are_all_kept,
            }
        }
    };
}

/// The expansion behind [`store_conformance!`](crate::store_conformance!).
#[doc(hidden)]
#[macro_export]
macro_rules! expand_store_conformance {
    ($store:ty; $($area:ident::{$($duty:ident),* $(,)?})*) => {
        $($(
            #[test]
            fn $duty() {
                $crate::store_conformance::$area::$duty::<$store>();
            }
        )*)*
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_duty_of_every_area_is_in_the_macro() {
        let macros = include_str!("store_conformance.rs");
        let areas = [
            include_str!("store_conformance/revocations.rs"),
            include_str!("store_conformance/spending.rs"),
            include_str!("store_conformance/tickets.rs"),
        ];
        for line in areas.iter().flat_map(|area| area.lines()) {
            let Some(rest) = line.strip_prefix("pub fn ") else {
                continue;
            };
            let duty = rest.split(['<', '(']).next().expect("a name");
            assert!(macros.contains(&format!(" {duty},")), "{duty}");
        }
    }
}
