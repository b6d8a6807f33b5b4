//! The conformance suite of the log ports: what every `Sequencer` with its `EventStore` must do.
//!
//! An adapter implements [`LogUnderTest`] and expands [`log_conformance!`](crate::log_conformance!),
//! one test per duty; an adapter that outlives its process implements [`DurableLogUnderTest`] too and
//! expands [`durable_log_conformance!`](crate::durable_log_conformance!). The macro is used once in
//! a module.
//!
//! The duties are those in the documentation of [`tidings_core::port::Sequencer`] and
//! [`tidings_core::port::EventStore`]; a file here is an area of them.

pub mod dedupe;
pub mod durable;
pub mod groups;
pub mod holes;
pub mod lookups;
pub mod random;
pub mod reads;
pub mod rules;
pub mod tail;
pub mod time;

mod fixture;
mod model;

pub use fixture::{DurableLogUnderTest, Fixture, LogOptions, LogUnderTest};

/// Expands to one test per duty of a log, for a type that implements
/// [`LogUnderTest`](crate::log_conformance::LogUnderTest).
#[macro_export]
macro_rules! log_conformance {
    ($log:ty) => {
        $crate::expand_conformance! { $log;
            groups::{
                a_fresh_log_is_writable_and_empty,
                an_empty_group_is_answered_with_an_empty_list,
                a_group_gets_rising_positions_of_the_current_epoch,
                a_group_is_visible_together_or_not_at_all,
                the_events_of_a_group_stand_next_to_each_other,
                groups_of_one_thread_keep_their_order,
                the_feed_gets_a_group_before_its_reply_is_called,
                what_is_fed_or_answered_can_be_read,
                a_reply_may_append_again,
                a_group_beyond_the_limit_is_refused_whole,
                a_stuck_feed_makes_the_log_busy_and_not_large,
                content_comes_back_as_it_was_said,
            }
            dedupe::{
                a_repeat_is_answered_with_the_first_one,
                a_repeat_among_new_events_is_the_only_duplicate,
                the_same_id_twice_in_one_group_is_appended_once,
                d16_a_thousand_concurrent_repeats_append_one_event,
                the_reply_of_a_repeat_comes_after_the_first_one_was_fed,
                a_reused_id_is_refused_and_nothing_of_its_group_is_kept,
                a_reused_id_within_one_group_is_refused,
                an_id_is_forgotten_after_the_window_and_not_before,
                only_so_many_ids_are_remembered,
                ids_of_different_publishers_never_meet,
                events_without_an_id_are_never_duplicates,
            }
            tail::{
                a_tail_feeds_what_is_there_and_then_what_comes,
                a_tail_begins_after_any_offset,
                a_tail_set_up_among_appends_misses_and_repeats_nothing,
                a_second_tail_is_refused,
                duplicates_and_refused_groups_are_not_fed,
            }
            reads::{
                a_scope_selects_by_topic_pattern_and_audience,
                an_event_with_several_matching_addressees_comes_once,
                a_page_holds_at_most_so_many_events_and_says_that_there_are_more,
                a_page_stops_at_its_bytes_but_always_moves_on,
                a_quiet_scope_is_considered_to_the_end,
                reading_at_or_beyond_the_end_finds_nothing,
                types_are_filtered_and_critical_events_pass,
                one_topic_among_many_is_found,
            }
            lookups::{
                the_newest_event_of_an_id_in_the_scope_is_found,
                an_event_is_found_at_its_offset_only_in_scope,
                a_time_is_found_before_its_first_event,
                the_newest_event_of_each_key_comes_once_and_in_order,
                the_newest_per_key_obeys_filter_and_position,
                slices_of_the_newest_per_key_are_bounded_and_agree_with_the_whole,
                the_extent_of_a_key_is_its_oldest_and_newest_event,
            }
            holes::{
                what_was_removed_leaves_a_hole_for_its_readers,
                a_quiet_topic_never_gets_a_hole,
                a_reader_past_the_removed_part_gets_no_hole,
                adjacent_holes_are_one_and_cover_no_event,
                the_last_hole_is_the_one_that_a_read_reports,
                event_types_do_not_hide_a_hole,
                removed_events_are_not_found_in_any_way,
                a_hole_counts_as_an_item_of_its_page,
                an_emptied_log_keeps_its_end_and_goes_on,
                d9_a_reader_that_retention_overtakes_is_told,
                a_tail_from_before_the_removed_part_feeds_what_is_held,
            }
            rules::{
                a_rule_shortens_the_life_of_its_topics_only,
                a_rule_leaves_holes_between_the_events_that_stay,
            }
            time::{
                d10_timestamps_never_run_backwards_when_the_clock_jumps,
                d10_a_jump_of_the_wall_clock_removes_nothing,
                events_live_their_full_age_and_not_much_longer,
            }
            random::{
                any_sequence_of_operations_agrees_with_the_model,
            }
        }
    };
}

/// Expands to one test per duty of a log that outlives its process, for a type that implements
/// [`DurableLogUnderTest`](crate::log_conformance::DurableLogUnderTest).
#[macro_export]
macro_rules! durable_log_conformance {
    ($log:ty) => {
        $crate::expand_conformance! { $log;
            durable::{
                everything_is_there_after_a_restart,
                every_opening_begins_an_epoch_and_old_cursors_stay_good,
                offsets_go_on_after_a_restart,
                d16_a_repeat_across_a_restart_is_a_duplicate,
                an_id_is_forgotten_after_the_window_across_a_restart,
                holes_are_known_after_a_restart,
                a_rule_holds_from_the_first_moment_after_a_restart,
                d10_timestamps_do_not_run_backwards_across_a_restart,
                a_tail_after_a_restart_feeds_the_older_events_too,
                any_sequence_of_operations_and_restarts_agrees_with_the_model,
            }
        }
    };
}

/// The expansion behind the conformance macros.
#[doc(hidden)]
#[macro_export]
macro_rules! expand_conformance {
    ($log:ty; $($area:ident::{$($duty:ident),* $(,)?})*) => {
        $($(
            #[test]
            fn $duty() {
                $crate::log_conformance::$area::$duty::<$log>();
            }
        )*)*
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_duty_of_every_area_is_in_a_macro() {
        let macros = include_str!("log_conformance.rs");
        let areas = [
            include_str!("log_conformance/dedupe.rs"),
            include_str!("log_conformance/durable.rs"),
            include_str!("log_conformance/groups.rs"),
            include_str!("log_conformance/holes.rs"),
            include_str!("log_conformance/lookups.rs"),
            include_str!("log_conformance/random.rs"),
            include_str!("log_conformance/reads.rs"),
            include_str!("log_conformance/rules.rs"),
            include_str!("log_conformance/tail.rs"),
            include_str!("log_conformance/time.rs"),
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
