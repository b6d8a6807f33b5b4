//! Who takes which turn: one thread goes round all publishers, so that a publish costs a write, a read
//! and a share of a poll, and no switch of threads.

use std::collections::VecDeque;

use super::clock::now_us;
use super::fine_poll::FinePoll;
use super::publisher::{Outcome, PublishError, Publisher, failed};
use super::publishing::{PublishPlan, Published};
use super::timetable::{Timetable, Turn};

/// How long a publisher that was refused stays away.
const REFUSED_PAUSE_US: u64 = 10_000;

/// How often whoever lacks an answer finds out whether it has been too long.
const LOOK_EACH_US: u64 = 1_000_000;

/// What publishers are at, by their place.
struct Round<'a> {
    publishers: &'a mut [Publisher],
    /// Those that can take a turn; the one that has waited longest is next.
    free: VecDeque<usize>,
    /// How many answers are still to come.
    busy: usize,
    /// Those that were refused, and when they are free again.
    resting: VecDeque<(u64, usize)>,
    done: Published,
}

/// Works through a timetable.
pub(super) fn work(
    publishers: &mut [Publisher],
    plan: &PublishPlan,
    timetable: &mut Timetable,
) -> Result<Published, PublishError> {
    let mut round = Round {
        free: (0..publishers.len()).collect(),
        busy: 0,
        resting: VecDeque::new(),
        publishers,
        done: Published::default(),
    };
    let mut poll = FinePoll::new().map_err(|source| failed(plan, source))?;
    for (index, publisher) in round.publishers.iter_mut().enumerate() {
        poll.watch(publisher.socket(), index)
            .map_err(|source| failed(plan, source))?;
    }
    let mut changed = Vec::new();
    let mut looked_us = now_us();
    let mut turn = None;
    let mut is_over = false;
    loop {
        let now = now_us();
        round.rest_is_over(now);
        while !is_over && !round.free.is_empty() {
            if turn.is_none() {
                turn = timetable.take(now_us());
                is_over = turn.is_none();
            }
            match turn {
                Some(due) if due.due_us <= now_us() => round.begin(plan, &poll, due)?,
                _ => break,
            }
            turn = None;
        }
        if is_over && round.busy == 0 {
            break;
        }
        let due_us = turn.map_or(u64::MAX, |turn: Turn| turn.due_us);
        poll.wait(round.next_us(due_us), &mut changed)
            .map_err(|source| failed(plan, source))?;
        if now.saturating_sub(looked_us) > LOOK_EACH_US {
            looked_us = now;
            changed.extend(0..round.publishers.len());
        }
        for index in &changed {
            round.go_on(plan, timetable, *index)?;
        }
    }
    round.done.unsent = timetable.unsent();
    Ok(round.done)
}

impl Round<'_> {
    fn rest_is_over(&mut self, now_us: u64) {
        while self
            .resting
            .front()
            .is_some_and(|(until, _)| *until <= now_us)
        {
            let rested = self.resting.pop_front();
            self.free.extend(rested.map(|(_, index)| index));
        }
    }

    fn begin(
        &mut self,
        plan: &PublishPlan,
        poll: &FinePoll,
        turn: Turn,
    ) -> Result<(), PublishError> {
        let Some(index) = self.free.pop_front() else {
            return Ok(());
        };
        let Some(publisher) = self.publishers.get_mut(index) else {
            return Ok(());
        };
        self.busy += 1;
        publisher.begin(plan, turn)?;
        match publisher.new_socket() {
            None => Ok(()),
            Some(socket) => poll
                .watch(socket, index)
                .map_err(|source| failed(plan, source)),
        }
    }

    /// When something is to be done if no answer comes before.
    fn next_us(&self, due_us: u64) -> u64 {
        let rested_us = self.resting.front().map_or(u64::MAX, |(until, _)| *until);
        // A turn that nobody is free for needs no wake-up of its own.
        if self.free.is_empty() {
            rested_us
        } else {
            due_us.min(rested_us)
        }
    }

    fn go_on(
        &mut self,
        plan: &PublishPlan,
        timetable: &Timetable,
        index: usize,
    ) -> Result<(), PublishError> {
        let Some(publisher) = self.publishers.get_mut(index) else {
            return Ok(());
        };
        let Some((turn, outcome)) = publisher.go_on(plan)? else {
            return Ok(());
        };
        let now = now_us();
        self.done.ended_us = now;
        self.busy -= 1;
        if outcome == Outcome::Refused {
            self.done.refused += turn.events;
            self.resting.push_back((now + REFUSED_PAUSE_US, index));
            return Ok(());
        }
        self.free.push_back(index);
        if timetable.is_timed(turn.due_us) {
            self.done.timed += turn.events;
            let latency = now.saturating_sub(turn.due_us);
            self.done.answers.record_each(latency, turn.events);
        }
        Ok(())
    }
}
