//! Which problem each refusal of the hub, of a body and of an authenticator becomes. Exhaustive: a
//! new kind of refusal does not compile until it has its code here.

use tidings_core::limits::AWAITED_MAX;
use tidings_core::port::{AppendError, AuthFailure};
use tidings_core::subscription::SubscribeRefused;
use tidings_hub::{LimitScope, OpenError, PublishError, TooManyWaits};
use tidings_wire::problem::{Code, Problem};

use crate::app::App;
use crate::body::BodyFault;
use crate::metrics::LimitLabels;
use crate::rates::{Item, Taken};
use crate::reply::Refusal;

/// When another node, or this one after its restart, is likely to take the work.
const RETRY_AFTER_DRAIN_MS: u64 = 2_000;

/// When bodies that are being read are likely to be done with.
const RETRY_AFTER_NO_ROOM_MS: u64 = 1_000;

pub(crate) fn publish(error: PublishError) -> Problem {
    let detail = error.to_string();
    match error {
        PublishError::NotGranted { index, key } => Problem::new(Code::NotGranted, detail)
            .with_hint(format!(
                "the credential needs a publish grant that covers `{key}`"
            ))
            .with_texts("topics", vec![key.to_string()])
            .with_number("index", index as u64),
        PublishError::TooManyEvents { max, .. } => {
            Problem::new(Code::GroupTooLarge, detail).with_number("limit", max as u64)
        }
        PublishError::TooLarge { actual, max } => {
            Problem::from(&AppendError::TooLarge { actual, max })
        }
        PublishError::Draining => draining(),
        PublishError::TooManyWaits(full) => too_many_waits(full),
        PublishError::Append(error) => Problem::from(&error),
    }
}

/// So many wait for readers that nobody more may.
pub(crate) fn too_many_waits(full: TooManyWaits) -> Problem {
    Problem::new(Code::AtCapacity, full.to_string())
        .with_retry_after_ms(full.retry_after_ms)
        .with_number("limit", AWAITED_MAX as u64)
        .with_hint("leave `wait` out, or try again later")
}

/// A limit of connections that is reached is counted, and told like any other limit.
pub(crate) fn open(app: &App, error: OpenError) -> Refusal {
    let OpenError::TooManyConnections { scope, max, .. } = error else {
        return open_problem(error).into();
    };
    let taken = Taken { scope, max };
    let labels = LimitLabels {
        limit: taken.name(),
    };
    app.metrics().rate_limited.get_or_create(&labels).inc();
    Refusal::from(open_problem(error)).telling(Item::Connections(taken))
}

fn open_problem(error: OpenError) -> Problem {
    let detail = error.to_string();
    match error {
        OpenError::NotGranted(patterns) => Problem::from(&SubscribeRefused::NotGranted(patterns)),
        OpenError::SelectsNothing => Problem::from(&SubscribeRefused::Nothing),
        OpenError::TooManyPatterns(refused) => Problem::from(&refused),
        OpenError::TooManyConnections {
            scope,
            max,
            retry_after_ms,
        } => {
            let code = match scope {
                LimitScope::Hub => Code::AtCapacity,
                LimitScope::Identity | LimitScope::Address => Code::TooManyConnections,
            };
            Problem::new(code, detail)
                .with_retry_after_ms(retry_after_ms)
                .with_number("limit", max as u64)
        }
        OpenError::Busy { retry_after_ms } => {
            Problem::new(Code::AtCapacity, detail).with_retry_after_ms(retry_after_ms)
        }
        OpenError::Draining => draining(),
        OpenError::Read(error) => {
            tracing::error!(cause = %error, "log could not be read");
            Problem::from(&error)
        }
    }
}

fn draining() -> Problem {
    Problem::new(Code::Draining, "the hub is shutting down")
        .with_retry_after_ms(RETRY_AFTER_DRAIN_MS)
}

pub(crate) fn body(fault: &BodyFault) -> Problem {
    let detail = fault.to_string();
    match fault {
        BodyFault::TooLarge { max } => {
            Problem::new(Code::BodyTooLarge, detail).with_number("limit", *max as u64)
        }
        BodyFault::NoRoom => {
            Problem::new(Code::AtCapacity, detail).with_retry_after_ms(RETRY_AFTER_NO_ROOM_MS)
        }
        BodyFault::TooSlow => Problem::new(Code::RequestTimeout, detail),
        BodyFault::Broken(_) => Problem::new(Code::InvalidHeader, detail)
            .with_hint("send as many bytes as `Content-Length` says, or a complete chunked body"),
    }
}

/// The failure as a label of a metric and a word in the log.
pub(crate) fn credential_cause(failure: &AuthFailure) -> &'static str {
    match failure {
        AuthFailure::Malformed(_) => "malformed",
        AuthFailure::NotTrusted => "not_trusted",
        AuthFailure::Unknown => "unknown",
        AuthFailure::Expired => "expired",
        AuthFailure::NotYetValid => "not_yet_valid",
        AuthFailure::Revoked => "revoked",
        AuthFailure::Claim { .. } => "claim",
        AuthFailure::NotForThis(_) => "not_for_this",
        AuthFailure::Denied => "denied",
        AuthFailure::Unavailable => "unavailable",
    }
}
