//! `GET /v1/health`: how the hub is, for everybody a little, for administrators all of it.
//! `POST /v1/health`: what an administrator has done about it.

use std::borrow::Cow;
use std::time::Duration;

use http::Response;
use tidings_core::port::{Bucket, Health, KeyStanding, Quota};
use tidings_core::time::Moment;
use tidings_hub::{DisconnectError, DisconnectReason, HubHealth, ShardHealth, Sweep, SweptAll};
use tidings_wire::operator::{
    self, Component, HealthAction, HealthDetails, HealthReport, Standing, StoreReport, Whom,
};
use tidings_wire::problem::{Code, Problem};
use tidings_wire::query::{QueryError, QueryFault};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::census;
use super::connections::busy;
use crate::access::{administrator, answer as json, body, may_administer, no_such_connection};
use crate::app::App;
use crate::authenticate::authenticate;
use crate::call::Call;
use crate::limits::{
    ERROR_RATE_ANSWERS_MIN, ERROR_RATE_DEGRADED, HEALTH_FRESH_MS, HEALTH_WAIT_MS_MAX,
};
use crate::native::asked;
use crate::reply::{Body, Refusal};

const DETAILS: &str = "details";

/// What a reader is told if nobody gives a reason.
const REASON_DEFAULT: &str = "an administrator ended the connection";

/// The latest report, for everybody who asks in the same second: finding out takes a share of every
/// shard's time.
#[derive(Debug, Default)]
pub(crate) struct LatestHealth(Mutex<Option<(Moment, HealthReport)>>);

/// Tells how the hub is: its status and how many connections it has to whoever may be here, and with
/// `details=true` all of it to administrators.
pub(crate) async fn answer(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    let identity = authenticate(app, &mut call).await?;
    let is_detailed = match asked::read_one(app, &call, DETAILS)?.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(Problem::from(&QueryError {
                parameter: DETAILS.to_owned(),
                fault: QueryFault::Value {
                    expected: "`true` or `false`",
                    found: other.to_owned(),
                },
            })
            .into());
        }
    };
    if is_detailed {
        may_administer(&identity)?;
    }
    let mut out = Vec::new();
    operator::push_health(&report(app, is_detailed).await, &mut out);
    Ok(json(out))
}

/// How the hub is: found out now if details are wanted, else within the last second.
///
/// # Cancel safety
///
/// Safe: nothing is changed.
pub(crate) async fn report(app: &App, is_detailed: bool) -> HealthReport {
    // Whoever comes while it is found out waits for the same answer.
    let mut latest = app.observed().health.0.lock().await;
    let now = app.clock().moment();
    let fresh = latest
        .as_ref()
        .filter(|(at, _)| !is_detailed && now.ms_since(*at) < HEALTH_FRESH_MS);
    let mut report = if let Some((_, report)) = fresh {
        report.clone()
    } else {
        let report = find_out(app).await;
        *latest = Some((now, report.clone()));
        report
    };
    drop(latest);
    report.details = report.details.filter(|_| is_detailed);
    report
}

async fn find_out(app: &App) -> HealthReport {
    let patience = Duration::from_millis(HEALTH_WAIT_MS_MAX);
    let census = census::counted(app).await;
    let hub = app.hub().health().await;
    let past = app.observed().past(app);
    let mut components = of_hub(&hub);
    components.push(store(app, patience).await);
    components.extend(issuers(app));
    let error_rate = past.error_rate();
    if past.answers() >= ERROR_RATE_ANSWERS_MIN && error_rate >= ERROR_RATE_DEGRADED {
        let percent = (error_rate * 100.0).round();
        let why = format!("{percent} % of the answers of the last minute failed or found no room");
        components.push(component("answers", Standing::Degraded, why));
    } else {
        components.push(healthy("answers"));
    }
    HealthReport {
        status: as_a_whole(&components),
        census,
        details: Some(HealthDetails {
            error_rate,
            components,
            store: StoreReport {
                events: hub.stored.map(|stored| stored.volume.events),
                earliest: hub.stored.and_then(|stored| stored.earliest),
                head: app.hub().head(),
                log_bytes: hub.stored.map(|stored| stored.volume.bytes),
                window_events: hub.window.events,
                window_bytes: hub.window.bytes,
                process_bytes: process_bytes(),
            },
        }),
    }
}

/// Without its log or one of its shards the hub does not do its work; without anything else it does a
/// part of it.
fn as_a_whole(components: &[Component]) -> Standing {
    let is_vital = |name: &str| matches!(name, "log" | "committer") || name.starts_with("shard-");
    let standings = components.iter().map(|one| match one.standing {
        Standing::Down if !is_vital(&one.name) => Standing::Degraded,
        standing => standing,
    });
    standings.max().unwrap_or(Standing::Healthy)
}

fn of_hub(hub: &HubHealth) -> Vec<Component> {
    let log = match &hub.log {
        Health::Writable => healthy("log"),
        Health::Full => component(
            "log",
            Standing::Degraded,
            "it has no space left: publishes are refused",
        ),
        Health::Poisoned(why) => component("log", Standing::Down, why.clone()),
    };
    let committer = match &hub.log {
        Health::Poisoned(_) => component(
            "committer",
            Standing::Down,
            "it writes nothing until the hub is started again",
        ),
        Health::Writable | Health::Full if hub.is_stalled() => {
            let waiting_ms = hub.backlog.waiting_ms;
            let why =
                format!("publishes wait for the disk since {waiting_ms} ms: others are refused");
            component("committer", Standing::Degraded, why)
        }
        Health::Writable | Health::Full => healthy("committer"),
    };
    let shards = hub.shards.iter().enumerate().map(|(index, shard)| {
        let name = format!("shard-{index}");
        match shard {
            ShardHealth::Well => healthy(name),
            ShardHealth::Late => component(name, Standing::Degraded, "it does not answer in time"),
            ShardHealth::Failed => {
                let why = "it has failed, and its connections ended: start the hub again";
                component(name, Standing::Down, why)
            }
        }
    });
    let readers = if hub.stored.is_some() {
        healthy("readers")
    } else {
        let why = "no thread that reads the log has answered within a second";
        component("readers", Standing::Degraded, why)
    };
    let draining = if hub.is_draining {
        component("hub", Standing::Degraded, "it is shutting down")
    } else {
        healthy("hub")
    };
    [draining, log, committer]
        .into_iter()
        .chain(shards)
        .chain([readers])
        .collect()
}

/// Asks the shared store what is left of something that nobody spends.
async fn store(app: &App, patience: Duration) -> Component {
    let bucket = Bucket {
        kind: "health",
        whose: "probe".into(),
    };
    let quota = Quota {
        units: 1,
        period_ms: 1_000,
    };
    let look = app
        .access()
        .store
        .spend(bucket, quota, 0, app.clock().now());
    match timeout(patience, look).await {
        Ok(Ok(_)) => healthy("store"),
        Ok(Err(error)) => {
            tracing::debug!(cause = %error, "the shared store is not well");
            let why = "it does not count: no tickets are handed out, and no rates are limited";
            component("store", Standing::Down, why)
        }
        Err(_) => component("store", Standing::Down, "it does not answer in time"),
    }
}

fn issuers(app: &App) -> impl Iterator<Item = Component> {
    let all = app.access().authenticator.published_keys().into_iter();
    all.map(|keys| {
        let name = format!("issuer:{}", keys.issuer);
        match keys.standing {
            KeyStanding::Unasked | KeyStanding::Known => healthy(name),
            KeyStanding::Old => {
                let why = "it did not publish its keys when it was asked last; older ones are used";
                component(name, Standing::Degraded, why)
            }
            KeyStanding::Missing => {
                let why = "its keys cannot be fetched: its tokens are refused";
                component(name, Standing::Down, why)
            }
        }
    })
}

fn healthy(name: impl Into<Cow<'static, str>>) -> Component {
    Component {
        name: name.into(),
        standing: Standing::Healthy,
        why: None,
    }
}

fn component(
    name: impl Into<Cow<'static, str>>,
    standing: Standing,
    why: impl Into<Cow<'static, str>>,
) -> Component {
    Component {
        name: name.into(),
        standing,
        why: Some(why.into()),
    }
}

/// Memory of the process that is in use now, where the system tells it.
fn process_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

/// Does what an administrator wants done. Doing it again finds nothing left to do.
pub(crate) async fn act(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    let by = administrator(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let action = body(app, &mut call).await?;
    let action = operator::health_action(&action).map_err(|fault| Problem::from(&fault))?;
    let SweptAll { done, passed_over } = carry_out(app, &action).await?;
    let by = by.subject.as_ref().map_or("", |subject| subject.as_str());
    tracing::info!(
        action = action.name(), connections = done, by, request = %call.request_id,
        "an administrator acted"
    );
    let mut out = Vec::new();
    operator::push_done(&action, done, passed_over, &mut out);
    Ok(json(out))
}

async fn carry_out(app: &App, action: &HealthAction) -> Result<SweptAll, Problem> {
    let hub = app.hub();
    let swept = match action {
        HealthAction::Check(None) => hub.sweep(Sweep::Ping).await,
        HealthAction::Check(Some(id)) => {
            let found = hub.ping(*id).await.map_err(busy)?;
            let had_room = found.ok_or_else(no_such_connection)?;
            return Ok(SweptAll {
                done: u64::from(had_room),
                passed_over: u64::from(!had_room),
            });
        }
        HealthAction::Cleanup => hub.sweep(Sweep::EndStale).await,
        HealthAction::Disconnect(Whom::Connection(id), reason) => {
            let found = hub.disconnect(*id, told(reason.clone())?).await;
            let found = found.map_err(|DisconnectError::Busy { retry_after_ms }| {
                Problem::new(Code::AtCapacity, "the hub is busy")
                    .with_retry_after_ms(retry_after_ms)
            })?;
            return Ok(SweptAll {
                done: u64::from(found),
                passed_over: 0,
            });
        }
        HealthAction::Disconnect(Whom::Subject(subject), reason) => {
            let sweep = Sweep::Disconnect(subject.clone(), told(reason.clone())?);
            hub.sweep(sweep).await
        }
    };
    swept.map_err(busy)
}

/// What a reader is told.
fn told(reason: Option<DisconnectReason>) -> Result<DisconnectReason, Problem> {
    let reason = reason.map_or_else(|| DisconnectReason::parse(REASON_DEFAULT), Ok);
    reason.map_err(|fault| Problem::new(Code::Internal, fault.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_is_as_its_worst_part_unless_it_can_do_without_it() {
        let whole = |name: &'static str, standing| {
            as_a_whole(&[
                healthy("hub"),
                component(name, standing, "why"),
                healthy("log"),
            ])
        };
        for (name, down) in [
            ("log", Standing::Down),
            ("committer", Standing::Down),
            ("shard-1", Standing::Down),
            ("readers", Standing::Degraded),
            ("store", Standing::Degraded),
            ("issuer:main", Standing::Degraded),
            ("answers", Standing::Degraded),
        ] {
            assert_eq!(whole(name, Standing::Down), down, "{name}");
            assert_eq!(
                whole(name, Standing::Degraded),
                Standing::Degraded,
                "{name}"
            );
            assert_eq!(whole(name, Standing::Healthy), Standing::Healthy, "{name}");
        }
    }

    #[test]
    fn what_the_hub_says_of_itself_becomes_components() {
        let hub = HubHealth {
            log: Health::Writable,
            backlog: tidings_core::port::Backlog {
                bytes: 1,
                waiting_ms: 1_001,
            },
            shards: vec![ShardHealth::Well, ShardHealth::Late, ShardHealth::Failed],
            stored: None,
            window: tidings_hub::WindowSize::default(),
            is_draining: true,
        };
        let shown = |hub: &HubHealth| {
            let components = of_hub(hub).into_iter();
            components
                .map(|one| format!("{} {}", one.name, one.standing.as_str()))
                .collect::<Vec<_>>()
                .join(", ")
        };
        assert_eq!(
            shown(&hub),
            "hub degraded, log healthy, committer degraded, shard-0 healthy, shard-1 degraded, \
             shard-2 down, readers degraded"
        );
        let poisoned = HubHealth {
            log: Health::Poisoned("the sync failed".to_owned()),
            shards: Vec::new(),
            is_draining: false,
            ..hub
        };
        assert_eq!(
            shown(&poisoned),
            "hub healthy, log down, committer down, readers degraded"
        );
        let full = HubHealth {
            log: Health::Full,
            backlog: tidings_core::port::Backlog::default(),
            ..poisoned
        };
        assert_eq!(
            shown(&full),
            "hub healthy, log degraded, committer healthy, readers degraded"
        );
    }
}
