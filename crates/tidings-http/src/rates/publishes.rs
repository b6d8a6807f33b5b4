//! What an identity publishes: events, and their bytes as they are sent.
//!
//! Both are looked at before either is spent, so that what does not fit the one costs nothing of the
//! other. Only if two requests of an identity spend the last units at once, one of them loses some.

use std::net::IpAddr;

use tidings_core::identity::Identity;
use tidings_core::port::{Quota, Spent};
use tidings_wire::problem::{Code, Problem};

use super::{Item, Limit, Spender, Told, reached, spend};
use crate::app::App;
use crate::reply::Refusal;

const LIMITS: [Limit; 2] = [Limit::PublishedEvents, Limit::PublishedBytes];

/// How many lines of a batch may be published.
#[derive(Debug)]
pub(crate) struct Fit {
    /// What is left of the limits that they were counted by.
    pub(crate) told: Vec<Told>,
    /// So many from its beginning.
    pub(crate) lines: usize,
    /// Why the next may not, if there is a next.
    pub(crate) refused: Option<Problem>,
}

/// Counts a group of events, all or none. What a successful answer tells of it.
///
/// # Cancel safety
///
/// A dropped call may have counted it.
pub(crate) async fn count_events(
    app: &App,
    identity: &Identity,
    client: IpAddr,
    events: usize,
    bytes: usize,
) -> Result<Vec<Told>, Refusal> {
    let spender = Spender::of(identity, client);
    let wanted = [events, bytes];
    for (limit, units) in LIMITS.into_iter().zip(wanted) {
        if let Some(refusal) = lacks(app, limit, &spender, units).await {
            return Err(refusal);
        }
    }
    let mut told = Vec::new();
    for (limit, units) in LIMITS.into_iter().zip(wanted) {
        match spend(app, limit, &spender, in_units(units)).await {
            Ok(Some(refused)) if !refused.is_allowed() => {
                let told = told.into_iter().map(Item::Rate);
                return Err(told.fold(reached(app, &refused), Refusal::telling));
            }
            Ok(spent) => told.extend(spent),
            Err(_) => {}
        }
    }
    Ok(told)
}

/// Counts the events of a batch of lines, of these sizes in bytes, as many as fit.
///
/// # Cancel safety
///
/// A dropped call may have counted them.
pub(crate) async fn fitting_lines(
    app: &App,
    identity: &Identity,
    client: IpAddr,
    sizes: &[usize],
) -> Fit {
    let spender = Spender::of(identity, client);
    let mut lines = sizes.len();
    let mut refused = None;
    let mut left_of = Vec::new();
    for limit in LIMITS {
        // Nothing is spent yet, and what a store that fails cannot count fits.
        let Ok(Some(told)) = spend(app, limit, &spender, 0).await else {
            continue;
        };
        left_of.push(told);
        let left = told.spent.remaining as usize;
        let fitting = fitting(limit, &sizes[..lines], left);
        if fitting < lines {
            lines = fitting;
            // The next line waits until it fits after those before it.
            let wanted = units(limit, &sizes[fitting..=fitting]);
            let missing = units(limit, &sizes[..=fitting]) - left;
            refused = Some(refuse(app, told, wanted, missing));
        }
    }
    if lines > 0 {
        left_of.clear();
        for limit in LIMITS {
            let wanted = in_units(units(limit, &sizes[..lines]));
            let Ok(Some(told)) = spend(app, limit, &spender, wanted).await else {
                continue;
            };
            left_of.push(told);
            if !told.is_allowed() {
                lines = 0;
                refused = Some(reached(app, &told));
                break;
            }
        }
    }
    Fit {
        told: left_of,
        lines,
        refused: refused.map(|refusal| *refusal.problem),
    }
}

/// Why a limit has not so many units now, without spending any.
async fn lacks(app: &App, limit: Limit, spender: &Spender<'_>, units: usize) -> Option<Refusal> {
    let told = spend(app, limit, spender, 0).await.ok()??;
    let missing = units.checked_sub(told.spent.remaining as usize)?;
    (missing > 0).then(|| refuse(app, told, units, missing))
}

/// How many of these lines so many units are enough for.
fn fitting(limit: Limit, sizes: &[usize], left: usize) -> usize {
    let mut sum = 0;
    let fits = sizes.iter().take_while(|size| {
        sum += units(limit, &[**size]);
        sum <= left
    });
    fits.count()
}

fn units(limit: Limit, sizes: &[usize]) -> usize {
    match limit {
        Limit::PublishedBytes => sizes.iter().sum(),
        _ => sizes.len(),
    }
}

/// The refusal of units that are not there now, or never are.
fn refuse(app: &App, told: Told, wanted: usize, missing: usize) -> Refusal {
    let Told {
        limit,
        quota,
        spent,
    } = told;
    if wanted > quota.units as usize {
        let detail = format!(
            "{wanted} {} at once are more than the {} that are allowed in {} ms",
            limit.what(),
            quota.units,
            quota.period_ms
        );
        return Problem::new(Code::GroupTooLarge, detail)
            .with_hint("send smaller groups and events: this one never fits")
            .with_number("limit", u64::from(quota.units))
            .into();
    }
    let spent = Spent {
        is_allowed: false,
        wait_ms: wait_ms(quota, missing),
        ..spent
    };
    reached(app, &Told { spent, ..told })
}

/// How long so many units take to come back.
fn wait_ms(quota: Quota, missing: usize) -> u64 {
    (missing as u64 * u64::from(quota.period_ms)).div_ceil(u64::from(quota.units.max(1)))
}

fn in_units(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_by_number_and_by_bytes() {
        let sizes = [10, 20, 30];
        for (left, expected) in [(0, 0), (9, 0), (10, 1), (29, 1), (30, 2), (60, 3)] {
            assert_eq!(
                fitting(Limit::PublishedBytes, &sizes, left),
                expected,
                "{left}"
            );
        }
        for (left, expected) in [(0, 0), (2, 2), (9, 3)] {
            assert_eq!(
                fitting(Limit::PublishedEvents, &sizes, left),
                expected,
                "{left}"
            );
        }
    }

    #[test]
    fn the_wait_for_units_is_rounded_up() {
        let quota = Quota {
            units: 3,
            period_ms: 1_000,
        };
        assert_eq!(wait_ms(quota, 1), 334);
        assert_eq!(wait_ms(quota, 3), 1_000);
    }
}
