//! Who takes which turn: one thread goes round all publishers, so that a publish costs a write, a read
//! and a share of a poll, and no switch of threads.

use std::collections::VecDeque;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::clock::now_us;
use super::publisher::{Outcome, PublishError, Publisher};
use super::publishing::{PublishPlan, Published};
use super::timetable::{Timetable, Turn};

/// How long a publisher that was refused stays away.
const REFUSED_PAUSE_US: u64 = 10_000;

/// The longest wait for anything: answers that do not come are noticed.
const WAIT_MAX_US: u64 = 1_000_000;

/// What publishers are at, by their place.
struct Round<'a> {
    publishers: &'a mut [Publisher],
    /// Those that can take a turn; the one that has waited longest is next.
    free: VecDeque<usize>,
    /// Those whose answers are still to come.
    busy: Vec<usize>,
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
        busy: Vec::with_capacity(publishers.len()),
        resting: VecDeque::new(),
        publishers,
        done: Published::default(),
    };
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
                Some(due) if due.due_us <= now_us() => round.begin(plan, due)?,
                _ => break,
            }
            turn = None;
        }
        if is_over && round.busy.is_empty() {
            break;
        }
        let due_us = turn.map_or(u64::MAX, |turn: Turn| turn.due_us);
        let ready = round.wait(due_us);
        for index in ready {
            round.go_on(plan, timetable, index)?;
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

    fn begin(&mut self, plan: &PublishPlan, turn: Turn) -> Result<(), PublishError> {
        let Some(index) = self.free.pop_front() else {
            return Ok(());
        };
        self.busy.push(index);
        match self.publishers.get_mut(index) {
            Some(publisher) => publisher.begin(plan, turn),
            None => Ok(()),
        }
    }

    /// Waits until a publisher can go on or a time has come; those that can go on.
    fn wait(&self, due_us: u64) -> Vec<usize> {
        let rested_us = self.resting.front().map_or(u64::MAX, |(until, _)| *until);
        // A turn that nobody is free for needs no wake-up of its own.
        let next_us = if self.free.is_empty() {
            rested_us
        } else {
            due_us.min(rested_us)
        };
        let left_us = next_us.saturating_sub(now_us()).min(WAIT_MAX_US);
        let timeout = Timespec {
            tv_sec: (left_us / 1_000_000).cast_signed(),
            tv_nsec: (left_us % 1_000_000).cast_signed() * 1_000,
        };
        let of = |index: &usize| self.publishers.get(*index);
        let mut asked: Vec<PollFd<'_>> = self
            .busy
            .iter()
            .filter_map(of)
            .map(|publisher| {
                let sending = publisher.is_sending();
                let wanted = if sending {
                    PollFlags::IN | PollFlags::OUT
                } else {
                    PollFlags::IN
                };
                PollFd::new(publisher, wanted)
            })
            .collect();
        match poll(&mut asked, Some(&timeout)) {
            // Whoever lacks an answer finds out that it has been too long.
            Ok(0) if left_us == WAIT_MAX_US => self.busy.clone(),
            Ok(0) | Err(Errno::INTR) => Vec::new(),
            Ok(_) => self
                .busy
                .iter()
                .zip(&asked)
                .filter(|(_, asked)| !asked.revents().is_empty())
                .map(|(index, _)| *index)
                .collect(),
            // The sockets say what is wrong with them.
            Err(_) => self.busy.clone(),
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
        self.busy.retain(|busy| *busy != index);
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
